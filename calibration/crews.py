"""Agents that stand for several people of a role: those seen too rarely, or all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from calibration.roles import Ints, fit_roles
from calibration.settings import EACH, ROLES
from calibration.unnamed import UNBOUND
from calibration.window import Window
from eventlogs.snapshot import NO_RESOURCE
from metagraph.distributions import ENOUGH
from metagraph.model import Default

TOLD = 12
"""So many of the people that an agent stands for are named in words; the model names all."""


def work_counts(window: Window) -> Ints:
    """Executions per resource and activity in the window's rows."""
    snapshot = window.snapshot
    rows = window.rows & (snapshot.resource != NO_RESOURCE)
    n, m = len(snapshot.resources), len(snapshot.activities)
    cell = snapshot.resource[rows].astype(np.int64) * m + snapshot.activity[rows]
    return np.bincount(cell, minlength=n * m).reshape(n, m)


def merged(window: Window, resources: str, apart: tuple[str, ...] = ()) -> Window:
    """The window with one resource in place of those people of a role who are merged; see
    `Settings.resources` and `Settings.apart`.

    What they did is then that one's: its hours are all of theirs, its hands what they had in hand together.
    """
    if resources == EACH:
        return window
    snapshot = window.snapshot
    work = work_counts(window)
    totals = work[:, ~window.agentless].sum(axis=1)
    roles, names = fit_roles(work, snapshot.activities)
    wanted = (totals > 0) & ((totals < ENOUGH) | (resources == ROLES))
    wanted &= ~np.isin(snapshot.resources, apart)
    labels, stands_for = list(snapshot.resources), np.arange(len(snapshot.resources))
    members: dict[str, tuple[str, ...]] = {}
    most = window.unnamed.most.copy()
    for role, name in enumerate(names):
        those = np.flatnonzero(wanted & (roles == role))
        if len(those) < 2:
            continue
        label = _free(f"{name}: {'everybody' if resources == ROLES else 'rarely seen'}", labels)
        members[label] = tuple(snapshot.resources[i] for i in those)
        labels[those[0]], stands_for[those], most[those[0]] = label, those[0], UNBOUND
    if not members:
        return window
    who = snapshot.resource
    resource = np.where(who == NO_RESOURCE, NO_RESOURCE, stands_for[who]).astype(np.int32)
    return replace(
        window,
        snapshot=replace(snapshot, resources=tuple(labels), resource=resource),
        unnamed=replace(window.unnamed, most=most),
        members=members,
    )


def _free(label: str, taken: list[str]) -> str:
    while label in taken:
        label += "'"
    return label


def crew_words(
    members: Mapping[str, tuple[str, ...]], resources: str
) -> tuple[list[Default], dict[str, str]]:
    """What is assumed of people who are merged, and whom each agent stands for."""
    facts = {}
    for label, people in members.items():
        rest = f" and {len(people) - TOLD} more" if len(people) > TOLD else ""
        facts[f"agent {label}"] = f"stands for {', '.join(people[:TOLD])}{rest}"
    if resources == ROLES:
        return [], facts
    number = sum(map(len, members.values()))
    lack = f"fewer than {ENOUGH} executions of each"
    said = Default(
        f"{number} agents",
        lack,
        f"merged into {len(members)} by what they do, with the hours and hands of all",
    )
    return [said] if members else [], facts

"""How long tasks take: working seconds per task, with rows for classes and agents that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.agents import Resources
from calibration.fitting import SHIFTED_NAME, ZERO_S, differs, fit_law
from calibration.local_time import Floats, Mask
from calibration.settings import Settings
from calibration.window import ENOUGH, Window
from eventlogs.snapshot import NO_RESOURCE
from metagraph.distributions import Constant, Fitted
from metagraph.model import Default
from metagraph.nodes import DurationRow, DurationTable

ROW_LEVELS = 41
"""Observed quantiles kept for a row of a class or agent."""


@dataclass(frozen=True, slots=True, eq=False)
class Durations:
    """Duration tables by activity."""

    tables: Mapping[str, DurationTable]
    fallback: DurationTable
    """For a task that was never seen to end."""
    defaults: tuple[Default, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """Class and segment of every case; '' where there are none."""

    cls: tuple[str, ...]
    segment: tuple[str, ...]


def fit_durations(window: Window, resources: Resources, groups: Groups, settings: Settings) -> Durations:
    """Laws of work for every activity that was seen to end in the window's rows."""
    snapshot = window.snapshot
    work, defaults = work_seconds(window, resources)
    ended = window.rows & ~np.isnan(snapshot.end_s)
    running = window.rows & np.isnan(snapshot.end_s)
    tables: dict[str, DurationTable] = {}
    for a, label in enumerate(snapshot.activities):
        mine = snapshot.activity == a
        rows = np.flatnonzero(mine & ended)
        if len(rows):
            censored = work[mine & running]
            tables[label] = _table(
                rows, work, censored[censored > ZERO_S], window, resources, groups, settings
            )
            defaults += _few(label, tables[label].default)
    return Durations(tables, _fallback(work[ended]), tuple(defaults))


def work_seconds(window: Window, resources: Resources) -> tuple[Floats, list[Default]]:
    """Working seconds of every execution by its agent's clock, without pauses; of running ones, those so far.

    An execution that lasted but lies wholly off shift counts in wall-clock time, and is reported.
    """
    snapshot = window.snapshot
    end = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)
    pauses = snapshot.pauses
    wall = np.maximum(end - snapshot.start_s - snapshot.paused_s, 0.0)
    work = wall.copy()
    free = resources.agentless[snapshot.activity] | (snapshot.resource == NO_RESOURCE)
    clocks = resources.timetable.clocks
    clock_ids = {id(clock): clock for clock in clocks}
    of_row = np.array([id(clock) for clock in clocks] or [0], np.int64)[np.maximum(snapshot.resource, 0)]
    for key, clock in clock_ids.items():
        rows = np.flatnonzero(~free & (of_row == key))
        work[rows] = clock.between(snapshot.start_s[rows], np.maximum(end, snapshot.start_s)[rows])
        paused = np.isin(pauses.row, rows)
        rest = clock.between(pauses.start_s[paused], pauses.end_s[paused])
        np.subtract.at(work, pauses.row[paused], rest)
    work = np.maximum(work, 0.0)
    lost = (work <= ZERO_S) & (wall > ZERO_S)
    work[lost] = wall[lost]
    counts = np.bincount(snapshot.activity[lost & window.rows], minlength=len(snapshot.activities))
    defaults = [
        Default(
            f"task {snapshot.activities[a]}", f"working hours in {counts[a]} executions", "wall-clock time"
        )
        for a in np.flatnonzero(counts)
    ]
    return work, defaults


def _table(
    rows: NDArray[np.int64],
    work: Floats,
    censored: Floats,
    window: Window,
    resources: Resources,
    groups: Groups,
    settings: Settings,
) -> DurationTable:
    """The pooled row, then a row for every group of at least ENOUGH executions that differs from the rest."""
    values = work[rows]
    pooled = fit_law(values, "task", censored=censored, ks_limit=settings.ks_limit, fast=settings.fast)
    out = [DurationRow(pooled)]
    if len(rows) < 2 * ENOUGH:
        return DurationTable(tuple(out))
    families = _likely(pooled)

    def law(members: Mask, level: str) -> Fitted:
        return fit_law(
            values[members],
            level,
            ks_limit=settings.ks_limit,
            families=families,
            fast=settings.fast or not families,
            pictured=ROW_LEVELS,
        )

    snapshot = window.snapshot
    cases = np.searchsorted(snapshot.offsets, rows, side="right") - 1
    cls, segment = np.array(groups.cls)[cases], np.array(groups.segment)[cases]
    everyone = np.ones(len(rows), np.bool_)
    out += [DurationRow(law(m, "class"), segment=s) for s, m in _different(values, segment, everyone)]
    classes = list(_different(values, cls, everyone))
    out += [DurationRow(law(m, "class"), cls=c) for c, m in classes]
    agents = snapshot.resource[rows]
    if resources.agentless[snapshot.activity[rows[0]]]:
        return DurationTable(tuple(out))
    names = np.array([*snapshot.resources, ""], dtype=object)
    # An agent's row hides its class's: where classes differ, agents are told apart within them.
    scopes: list[tuple[str | None, Mask]] = [(c, m) for c, m in classes] or [(None, everyone)]
    for scope, members in scopes:
        out += [
            DurationRow(law(m, "agent"), cls=scope, agent=str(names[int(a)]))
            for a, m in _different(values, agents, members)
            if int(a) != NO_RESOURCE
        ]
    return DurationTable(tuple(out))


def _different(values: Floats, label: NDArray[np.generic], scope: Mask) -> Iterator[tuple[str, Mask]]:
    """Labels whose values differ from those of all other labels in the scope, in order."""
    found = np.unique(label[scope])
    if len(found) < 2:
        return
    for name in found:
        members = scope & (label == name)
        if members.sum() >= ENOUGH and differs(np.sort(values[members]), np.sort(values[scope & ~members])):
            yield str(name), members


def _likely(pooled: Fitted) -> Sequence[str]:
    """The two families nearest to the pooled law."""
    tried = {f: ks for f, ks in (pooled.candidates or {}).items() if not f.endswith(SHIFTED_NAME)}
    return sorted(tried, key=lambda f: tried[f])[:2]


def _few(label: str, pooled: Fitted) -> list[Default]:
    if pooled.n >= ENOUGH:
        return []
    return [Default(f"duration of {label}", f"only {pooled.n} executions", "their own values, smoothed")]


def _fallback(work: Floats) -> DurationTable:
    if not len(work):
        return DurationTable((DurationRow(Fitted(Constant(0.0), 0, "default", note="nothing was observed")),))
    law = fit_law(work, "all tasks", fast=True)
    return DurationTable(
        (DurationRow(Fitted(law.law, 0, "all tasks", note="never seen: work of all tasks")),)
    )

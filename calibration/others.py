"""How much work others begin: while they begin nothing, the silence of an agent tells nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.local_time import Floats, LocalTime
from calibration.presence import Ints
from calibration.window import Window
from eventlogs.snapshot import NO_RESOURCE

STEADY = 0.05
"""So much of the others' mean rate goes on at all times: the clock never stands still."""


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """A clock for each agent that runs by the beginnings of others."""

    groups: dict[int, Floats]
    """Beginnings of each role, and of everybody (-1), in local seconds, ascending."""
    own: dict[int, Floats]
    group: Ints
    """Of each agent."""
    steady: Floats
    """Of each agent: how fast its clock runs while others begin nothing, a second."""

    def until(self, agent: int, at: Floats) -> Floats:
        """Beginnings of others up to each local instant."""
        whole = np.searchsorted(self.groups[int(self.group[agent])], at)
        own = np.searchsorted(self.own[agent], at) if agent in self.own else 0
        return np.asarray(whole - own + self.steady[agent] * at, np.float64)


def find_others(window: Window, local: LocalTime, roles: Ints) -> Others:
    """Of an agent's role, if others there began at least as much as it did, else of everybody."""
    snapshot = window.snapshot
    used = snapshot.resource != NO_RESOURCE
    who, at = snapshot.resource[used].astype(np.int64), local.of(snapshot.start_s[used])
    order = np.argsort(at)
    who, at = who[order], at[order]
    groups = {-1: at} | {role: at[roles[who] == role] for role in np.unique(roles).tolist()}
    count = np.bincount(who, minlength=len(roles))
    of_role = np.bincount(roles, count, minlength=int(roles.max(initial=0)) + 1)[roles]
    alone = of_role < 2 * count
    rest = np.where(alone, len(at), of_role) - count
    span = max(float(at[-1] - at[0]), 1.0) if len(at) else 1.0
    by_agent = np.argsort(who, kind="stable")
    parts = np.split(at[by_agent], np.cumsum(count)[:-1]) if len(roles) else []
    return Others(
        groups,
        dict(enumerate(parts)),
        np.where(alone, -1, roles),
        np.where(rest > 0, STEADY * rest, np.maximum(count, 1)) / span,
    )

"""Choices of agents who just got free: what they took, and what waited for them that they left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.agents import Resources
from calibration.local_time import Floats
from discovery.replayed import Replayed
from eventlogs.snapshot import NO_RESOURCE, Snapshot

FREED_S = 60.0
"""Who took something within so much working time after the last thing chose it when getting free."""
MOST = 2000
"""Choices that are looked at; more say no more."""

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Choices, each a block of at least two rows of the snapshot, of which the first was taken."""

    row: Rows
    number: Rows
    """Of the choice, from 0 on, ascending."""
    size: Floats
    """Per choice: rows in its block."""

    @property
    def taken(self) -> Rows:
        """Index of the first row of each block."""
        return np.searchsorted(self.number, np.arange(len(self.size)))

    def half(self, odd: bool) -> Choices:
        """Every second choice."""
        mine = self.number % 2 == int(odd)
        return Choices(self.row[mine], self.number[mine] // 2, self.size[int(odd) :: 2])


def together(parts: Sequence[Choices]) -> Choices:
    """Choices of several pools as one."""
    first = np.cumsum([0, *(len(part.size) for part in parts)])
    return Choices(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.number + at for part, at in zip(parts, first, strict=False)]),
        np.concatenate([part.size for part in parts]),
    )


def find_choices(
    snapshot: Snapshot, replayed: Replayed, resources: Resources, usable: Mask, tasks: Sequence[int]
) -> Choices:
    """What agents took when they got free or came on shift while several executions of these `tasks` that
    they do had been enabled and not begun."""
    enabled, start = replayed.enabled_s, snapshot.start_s
    rows = np.flatnonzero(
        usable & np.isin(snapshot.activity, tasks) & (snapshot.resource != NO_RESOURCE) & ~np.isnan(enabled)
    )
    rows = rows[np.argsort(enabled[rows], kind="stable")]
    does = np.zeros((len(snapshot.resources), len(snapshot.activities)), np.bool_)
    does[snapshot.resource[rows], snapshot.activity[rows]] = True
    chosen = rows[_just_freed(snapshot, resources, rows) & (enabled[rows] <= start[rows])]
    if len(chosen) > MOST:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MOST).astype(np.int64)]
    come, begun, task = enabled[rows], start[rows], snapshot.activity[rows]
    blocks: list[Rows] = []
    for mine in chosen.tolist():
        t = start[mine]
        there = rows[: int(np.searchsorted(come, t, side="right"))]
        waits = (begun[: len(there)] > t) & does[snapshot.resource[mine], task[: len(there)]]
        if waits.any():
            blocks.append(np.concatenate(([mine], there[waits])))
    sizes = np.array([len(block) for block in blocks], np.float64)
    number = np.repeat(np.arange(len(blocks)), sizes.astype(np.int64))
    return Choices(np.concatenate(blocks) if blocks else np.empty(0, np.int64), number, sizes)


def _just_freed(snapshot: Snapshot, resources: Resources, rows: Rows) -> Mask:
    """Whether each execution was begun right after its agent's last one had ended, in working time."""
    found = np.zeros(len(rows), np.bool_)
    who = snapshot.resource[rows]
    order = np.argsort(who, kind="stable")
    bounds = np.searchsorted(who[order], np.arange(len(snapshot.resources) + 1))
    everything = np.flatnonzero((snapshot.resource != NO_RESOURCE) & ~np.isnan(snapshot.end_s))
    everything = everything[np.lexsort((snapshot.end_s[everything], snapshot.resource[everything]))]
    of_agent = np.searchsorted(snapshot.resource[everything], np.arange(len(snapshot.resources) + 1))
    for agent in np.unique(who).tolist():
        mine = order[bounds[agent] : bounds[agent + 1]]
        ends = snapshot.end_s[everything[of_agent[agent] : of_agent[agent + 1]]]
        start = snapshot.start_s[rows[mine]]
        before = np.searchsorted(ends, start, side="right") - 1
        last = ends[np.maximum(before, 0)] if len(ends) else start
        idle = resources.timetable.clocks[agent].between(last, start)
        found[mine] = (before >= 0) & (idle <= FREED_S)
    return found

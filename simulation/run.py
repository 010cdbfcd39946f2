"""What one simulation gave: a log in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulation.program import Program

if TYPE_CHECKING:
    from simulation.lines import Item

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

LogRow = tuple[str, str, str, datetime, datetime | None]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Executions in the order in which their tasks were reached, and what became of each order.

    Times are seconds since `origin`; all arrays are read-only.
    """

    program: Program
    order: Ints
    """Index into `order_ids`."""
    task: Ints
    """Index into `labels`."""
    agent: Ints
    """Index into `agents`; -1: nobody."""
    enabled_s: Floats
    ready_s: Floats
    start_s: Floats
    end_s: Floats
    """NaN: still worked on at the end of the run."""
    release_s: Floats
    """Per order."""
    completed_s: Floats
    """Per order; NaN: open at the end of the run, or lost."""
    lost_s: Floats
    """Per order: when it was lost; NaN: it wasn't."""
    begin_s: float
    """The first release, or the instant of the state."""
    until_s: float
    """The end of the run: the horizon that was asked for, or the last event."""

    @property
    def origin(self) -> datetime:
        return self.program.origin

    @property
    def order_ids(self) -> tuple[str, ...]:
        return tuple(order.id for order in self.program.orders)

    @property
    def labels(self) -> tuple[str, ...]:
        return self.program.network.labels

    @property
    def agents(self) -> tuple[str, ...]:
        return self.program.network.agent_ids

    @property
    def lost(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.lost_s)

    def log(self) -> list[LogRow]:
        """(case_id, activity, resource, start, end) by start; resource '' for nobody, end None if running.

        Instants are UTC, to the millisecond.
        """
        rows = np.lexsort((np.arange(len(self.order)), self.start_s))
        ids, labels, agents = self.order_ids, self.labels, (*self.agents, "")
        return [
            (
                ids[self.order[i]],
                labels[self.task[i]],
                agents[self.agent[i]],
                self._instant(float(self.start_s[i])),
                None if np.isnan(self.end_s[i]) else self._instant(float(self.end_s[i])),
            )
            for i in rows
        ]

    def wip(self) -> tuple[Floats, Ints]:
        """Instants at which the number of open orders changes, and the number from then on."""
        gone = np.fmin(self.completed_s, self.lost_s)
        came = np.sort(np.maximum(self.release_s[self.release_s <= self.until_s], self.begin_s))
        left = np.sort(gone[~np.isnan(gone)])
        times = np.unique(np.concatenate([came, left]))
        counts = np.searchsorted(came, times, "right") - np.searchsorted(left, times, "right")
        return times, counts.astype(np.int32)

    def _instant(self, seconds: float) -> datetime:
        return self.origin + timedelta(milliseconds=round(seconds * 1000))


def run_of(
    program: Program,
    items: Sequence[Item],
    completed: Mapping[int, float],
    lost: Mapping[int, float],
    begin_s: float,
    until_s: float,
) -> Run:
    """The columns of an engine's items; those whose work hasn't begun are left out."""
    begun = [item for item in items if item.start == item.start]
    n = len(program.orders)
    return Run(
        program=program,
        order=_ints([item.journey.order for item in begun]),
        task=_ints([item.work.row for item in begun]),
        agent=_ints([item.agent for item in begun]),
        enabled_s=_floats([item.enabled for item in begun]),
        ready_s=_floats([item.ready for item in begun]),
        start_s=_floats([item.start for item in begun]),
        end_s=_floats([item.end for item in begun]),
        release_s=_floats([order.release_s for order in program.orders]),
        completed_s=_floats([completed.get(i, nan) for i in range(n)]),
        lost_s=_floats([lost.get(i, nan) for i in range(n)]),
        begin_s=begin_s,
        until_s=until_s,
    )


def _ints(values: list[int]) -> Ints:
    column = np.array(values, np.int32)
    column.flags.writeable = False
    return column


def _floats(values: list[float]) -> Floats:
    column = np.array(values, np.float64)
    column.flags.writeable = False
    return column

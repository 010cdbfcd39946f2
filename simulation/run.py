"""What one simulation gave: when orders ended, sums by task, agent and queue, and a log in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metagraph.errors import UsageError
from simulation.program import Floats, Ints, Program

A = TypeVar("A", bound=NDArray[Any])

LogRow = tuple[str, str, str, datetime, datetime | None]
Longs = NDArray[np.int64]
Path = tuple[Floats, Longs]
"""Instants at which a number changes, ascending, and the number from each on. Seconds."""
OUTCOMES = ("completed", "lost", "open")
Stopped = Literal["end", "horizon", "executions", "open orders"]


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Executions whose work has begun, by serial: in the order in which their tasks were reached. Seconds."""

    order: Ints
    node: Ints
    agent: Ints
    """-1: nobody; of several the last."""
    queue: Ints
    enabled_s: Floats
    ready_s: Floats
    start_s: Floats
    end_s: Floats
    """NaN: still under way at the end of the run."""
    preemptions: Ints

    def __len__(self) -> int:
        return len(self.order)


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Changes of the number of items that wait in a queue, as they happened; several may share an instant."""

    t_s: Floats
    queue: Ints
    waiting: Ints
    """From then on."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Sums over the run, from its beginning to its end. A number that lasted no time at all is no maximum."""

    started: Longs
    """Per node: executions begun in the run."""
    wait_s: Floats
    """Per node: enabled to start, over those."""
    collected_s: Floats
    """Per node: waiting for batches that were released in the run; a part of what `wait_s` counts."""
    busy_s: Floats
    """Per agent: working seconds spent, each item's counted (a shared agent's: divided among its items)."""
    on_s: Floats
    """Per agent: seconds that its clock ran."""
    finished: Longs
    """Per agent."""
    preempted: Longs
    """Per agent: interruptions by something more urgent."""
    waiting_s: Floats
    """Per queue: items that wait, integrated over time."""
    longest: Longs
    """Per queue: most items that waited at once."""
    wip_s: float
    """Open orders, integrated over time."""
    wip_most: int
    executions: int
    """Finished in the run."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run. Times are seconds since the program's origin; all arrays are read-only.

    What is read from the log (`order`, `task`, ..., `rows`) raises UsageError if none was kept.
    """

    program: Program
    engine: Literal["reference", "kernel"]
    log: Log | None
    """None: it wasn't kept."""
    tally: Tally
    completed_s: Floats
    """Per order; NaN: open at the end of the run, lost, or not yet released."""
    lost_s: Floats
    """Per order: when it was lost; NaN: it wasn't."""
    begin_s: float
    """The first release, or the instant of the state."""
    until_s: float
    """The end of the run: the horizon that was asked for, or the last event."""
    stopped: Stopped = "end"
    paths: Paths | None = None
    """None: they weren't kept."""

    @property
    def origin(self) -> datetime:
        return self.program.origin

    @property
    def outcomes(self) -> NDArray[np.int8]:
        """Per order what had become of it by the end of the run, an index into OUTCOMES."""
        gone = np.where(np.isnan(self.lost_s), 2, 1)
        return np.where(np.isnan(self.completed_s), gone, 0).astype(np.int8)

    @property
    def order_ids(self) -> Sequence[str]:
        return self.program.orders.ids

    @property
    def labels(self) -> tuple[str, ...]:
        return self.program.network.labels

    @property
    def agents(self) -> tuple[str, ...]:
        return self.program.network.agent_ids

    @property
    def release_s(self) -> Floats:
        """Per order."""
        return self.program.orders.table["release_s"]

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Per order."""
        return ~np.isnan(self.lost_s)

    @property
    def executions(self) -> Log:
        """The log, which must have been kept."""
        if self.log is None:
            raise UsageError(
                "this run kept no log of executions: run it with Options(log=True), or read its tally instead"
            )
        return self.log

    @property
    def order(self) -> Ints:
        """Per execution: index into `order_ids`."""
        return self.executions.order

    @property
    def task(self) -> Ints:
        """Per execution: index into `labels`. Found anew at each call."""
        labels = self.program.network.nodes["label"]
        return frozen(labels[self.executions.node])

    @property
    def agent(self) -> Ints:
        """Per execution: index into `agents`; -1: nobody."""
        return self.executions.agent

    @property
    def enabled_s(self) -> Floats:
        return self.executions.enabled_s

    @property
    def ready_s(self) -> Floats:
        return self.executions.ready_s

    @property
    def start_s(self) -> Floats:
        return self.executions.start_s

    @property
    def end_s(self) -> Floats:
        """NaN: still worked on at the end of the run."""
        return self.executions.end_s

    def rows(self) -> list[LogRow]:
        """(case_id, activity, resource, start, end) by start; resource '' for nobody, end None if running.

        Instants are UTC, to the millisecond.
        """
        log, tasks = self.executions, self.task
        by_start = np.lexsort((np.arange(len(log)), log.start_s))
        ids, labels, agents = self.order_ids, self.labels, (*self.agents, "")
        return [
            (
                ids[log.order[i]],
                labels[tasks[i]],
                agents[log.agent[i]],
                self._instant(float(log.start_s[i])),
                None if np.isnan(log.end_s[i]) else self._instant(float(log.end_s[i])),
            )
            for i in by_start
        ]

    def wip(self) -> Path:
        """The number of open orders over time."""
        gone = np.fmin(self.completed_s, self.lost_s)
        came = np.sort(np.maximum(self.release_s[self.release_s <= self.until_s], self.begin_s))
        left = np.sort(gone[~np.isnan(gone)])
        times = np.unique(np.concatenate([came, left]))
        counts = np.searchsorted(came, times, "right") - np.searchsorted(left, times, "right")
        return times, counts.astype(np.int64)

    def queue_path(self, queue: str) -> Path:
        """The number of items that wait in a queue over time.

        Raises UsageError if the paths weren't kept or the queue is unknown.
        """
        if self.paths is None:
            raise UsageError("this run kept no paths of its queues: run it with Options(paths=True)")
        ids = self.program.network.queue_ids
        if queue not in ids:
            raise UsageError(f"queue {queue!r} is unknown: the process has {', '.join(ids) or 'none'}")
        mine = self.paths.queue == ids.index(queue)
        times = np.concatenate([[self.begin_s], self.paths.t_s[mine]])
        waiting = np.concatenate([[0], self.paths.waiting[mine]]).astype(np.int64)
        # What several changes of one instant end in is what lasts.
        lasting = np.append(np.diff(times) > 0, True)
        times, waiting = times[lasting], waiting[lasting]
        changed = np.append(True, np.diff(waiting) != 0)
        return times[changed], waiting[changed]

    def _instant(self, seconds: float) -> datetime:
        return self.origin + timedelta(milliseconds=round(seconds * 1000))


def frozen(array: A) -> A:
    """The array itself, read-only from now on: for those who hand it over and write to it no more."""
    array.flags.writeable = False
    return array


def ints(values: ArrayLike) -> Ints:
    """A read-only copy."""
    return frozen(np.array(values, np.int32))


def longs(values: ArrayLike) -> Longs:
    """A read-only copy."""
    return frozen(np.array(values, np.int64))


def floats(values: ArrayLike) -> Floats:
    """A read-only copy."""
    return frozen(np.array(values, np.float64))

"""A run that can be paused, looked at, steered, forked and gone on with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from simulation.program import Floats, Ints, Program, Records
from simulation.run import Run

DELAYED, WAITING, WORKING = 0, 1, 2
COLLECTED = 4
"""Its delay is over, but not yet the collecting of the batch that it belongs to."""
FOLLOWING = 5
"""It is part of a simultaneous batch, goes by another one, and is shown in the status of that one."""

LIVE = np.dtype(
    [
        ("serial", np.int64),
        ("order", np.int32),
        ("node", np.int32),
        ("visit", np.int32),
        ("status", np.int32),  # DELAYED, COLLECTED, WAITING or WORKING
        ("agent", np.int32),  # who works on it, or began it
        ("queue", np.int32),
        ("after", np.int32),  # code of the activity that the order had completed last when it came
        ("again", np.int32),
        ("preemptions", np.int32),
        ("enabled_s", np.float64),
        ("ready_s", np.float64),  # of a delayed one: when its delay will end
        ("place_s", np.float64),
        ("start_s", np.float64),  # NaN: never begun
        ("since_s", np.float64),  # WORKING: up to when done_s and left_s are counted; COLLECTED: since when
        ("done_s", np.float64),
        ("left_s", np.float64),
        ("finish_s", np.float64),  # WORKING
        ("scale", np.float64),  # of its work, as one of a simultaneous batch
        ("leader", np.int64),  # serial of the one that it follows; -1: none
    ]
)
JOURNEY = np.dtype([("order", np.int32), ("tokens", np.int32), ("steps", np.int32), ("history", np.int64)])


OPEN_ORDERS = 200_000
"""So many are a queue that explodes, seen before it fills the memory."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond them a run ends, and says so."""

    executions: int = 100_000_000
    open_orders: int | None = None
    """None: OPEN_ORDERS, or twice those that the run begins with if that is more."""

    def most_open(self, program: Program) -> int:
        """How many orders may be open at once; both engines ask here."""
        if self.open_orders is not None:
            return self.open_orders
        return max(OPEN_ORDERS, 2 * len(program.standing))


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything that lives at an instant between two events."""

    at_s: float
    items: Records
    """LIVE, by serial; `done_s` and `left_s` of those WORKING are of this instant, so `since_s` is `at_s`."""
    journeys: Records
    """JOURNEY, by order: those open."""
    visits: Ints
    """[journey, column]."""
    merged: Ints
    present: Ints
    """Per agent."""
    released: Ints
    """Per batch: how many were released so far."""


class Session(Protocol):
    """What both engines offer. Between calls no event is half done."""

    @property
    def program(self) -> Program: ...

    @property
    def now_s(self) -> float: ...

    def run_to(self, until_s: float, *, pause_on_release: bool = False) -> bool:
        """Work off what happens up to and including `until_s`; with `pause_on_release` only up to the end of
        the instant of the next release. False once nothing is left to happen or a limit is reached.

        Then `now_s` is a finite `until_s` that was reached, else the last event's instant.

        Raises DataError for an order that never gets out of a loop.
        """

    def next_s(self) -> float:
        """The instant of the next event; infinite if none is left."""

    def snapshot(self) -> Snapshot: ...

    def fork(self) -> Session:
        """An independent copy; both go on as this one would, to the bit."""

    def reschedule(self, ranks: Floats, assigned: Ints) -> None:
        """New ranks and queues [order, task] from now on: keys of what waits or is worked on are found again,
        items that wait in another queue than the one named choose again (by queue, in line order), and all
        lines are matched as at a SHIFT. Only under Rule.RANK."""

    def announce(self, order: int, node: int, eta_s: float) -> None:
        """A live item of the order at the node ends at `eta_s` (a task without queues), or isn't ready
        before (others; one that waits already goes back to being delayed). An earlier instant than now
        means now.

        Raises DataError if there is no such item, or an agent works on it.
        """

    def result(self, until_s: float | None = None) -> Run:
        """What happened so far; `until_s`, not before now, is the end to count to."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, whatever the engine."""

    log: bool = True
    """Keep a row an execution; without, only orders' ends and the tally."""
    paths: bool = False
    """Keep every change of the number of items that wait in a queue."""
    antithetic: bool = False
    limits: Limits = Limits()

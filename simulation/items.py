"""Work items: one execution of a task, from the token's arrival on."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from simulation.frames import TaskFrame
from simulation.session import DELAYED
from simulation.tables import Table

if TYPE_CHECKING:
    from simulation.tokens import Journey

ENDED = 3
"""The status of an item that is done or lost."""


class Item:
    """One execution of a task. Times in seconds, NaN while unknown; see docs/simulation.md."""

    __slots__ = (
        "after",
        "again",
        "agent",
        "done",
        "enabled",
        "end",
        "finish",
        "followers",
        "gain",
        "interrupted",
        "journey",
        "key",
        "law",
        "leader",
        "left",
        "line",
        "micro",
        "place",
        "preemptions",
        "queue",
        "ready",
        "rest",
        "scale",
        "serial",
        "since",
        "stamp",
        "start",
        "status",
        "task",
        "visit",
    )

    def __init__(self, serial: int, journey: Journey, task: TaskFrame, visit: int, enabled: float) -> None:
        self.serial, self.journey, self.task = serial, journey, task
        self.visit, self.enabled = visit, enabled
        self.after = 0
        """Code of the activity that the order had completed last."""
        self.status = DELAYED
        self.stamp = 0
        """Its version: events and places in lines that were meant for another one are void."""
        self.ready = nan
        """When it became ready, or will."""
        self.place = nan
        self.again = 0
        self.interrupted = nan
        """When something more urgent interrupted it last."""
        self.preemptions = 0
        self.queue = -1
        self.line = -1
        """WAITING: where."""
        self.agent = -1
        """Who works on it or did."""
        self.law: Table | None = None
        """Of the work that its agent does; None: it wasn't begun."""
        self.start = nan
        self.since = nan
        """WORKING: up to when `done` and `left` are counted; COLLECTED: since when it is."""
        self.done = self.left = 0.0
        self.finish = self.end = nan
        self.key = 0.0
        self.gain = 0.0
        """Profit found on joining or when interrupted, where averages ask for it."""
        self.rest = 0.0
        """WAITING: expected remaining work, where anybody asks for it."""
        self.micro = 0
        """The same in whole microseconds, for sums that are exact."""
        self.scale = 1.0
        """Its work over that of one order, where a simultaneous batch goes by it."""
        self.followers: list[Item] = []
        """The others of that batch."""
        self.leader: Item | None = None
        """FOLLOWING: the item that its batch goes by; None: the batch is done, at this very instant."""

    def beyond(self, law: Table, done: float) -> float:
        """Expected remaining work after `done` seconds, if this is its law."""
        return self.scale * law.beyond(done / self.scale)

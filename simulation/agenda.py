"""What happens when: SimPy's event list, with callbacks at absolute times."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappush
from typing import Any

from simpy import Environment, Event

from simulation.items import Item

_RANK = 62
_ORDER = 32
"""Bits below an event's rank, and below the order of an item's event: ids are smaller."""


class Rank(IntEnum):
    """What goes first among events of one instant; see docs/simulation.md."""

    SHIFT = 0
    FINISH = 1
    PRESENCE = 2
    READY = 3
    RELEASE = 4
    BATCH = 5
    LOSS = 6


class Due(Event):
    """An event that is on the agenda from the beginning: it can't fail, nor can anybody wait for it."""

    _ok = True

    def __init__(self, callback: Callable[[Due], None], value: Any, stamp: int) -> None:
        self.callbacks: Any = [callback]
        self._value = value
        self.stamp = stamp
        """The item's version; once it isn't any more, the event does nothing."""


Callback = Callable[[Due], None]


class Agenda(Environment):
    """A SimPy environment whose events are set to instants, not delays, and come by (time, rank, id, stamp).

    A delay would be added to the present and come out a bit beside the instant that was meant.
    """

    def at(self, time_s: float, rank: int, key: int, stamp: int, callback: Callback, value: Any) -> None:
        """Call `callback` at `time_s` with an event whose `_value` is `value`."""
        entry: Any = (time_s, rank << _RANK | key, stamp, Due(callback, value, stamp))
        heappush(self._queue, entry)

    def of(self, item: Item, time_s: float, rank: int, callback: Callback) -> None:
        """The same for an item, as it is now."""
        key = rank << _RANK | item.journey.order << _ORDER | item.serial
        entry: Any = (time_s, key, item.stamp, Due(callback, item, item.stamp))
        heappush(self._queue, entry)

    @property
    def entries(self) -> list[Any]:
        """The event list, as a heap."""
        return self._queue

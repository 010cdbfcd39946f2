"""What happens when: SimPy's event list, with callbacks at absolute times."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappush
from typing import Any

from simpy import Environment, Event

Callback = Callable[[Event], None]


class Rank(IntEnum):
    """What goes first among events of one instant: those who come on shift take what waits before anything
    new can join, and an order that is finished at its lost-sale date is not lost."""

    SHIFT = 0
    FINISH = 1
    READY = 2
    RELEASE = 3
    LOSS = 4


class Agenda(Environment):
    """A SimPy environment whose events are set to instants, not delays.

    A delay would be added to the present and come out a bit beside the instant that was meant.
    """

    def at(self, time_s: float, rank: int, callback: Callback, value: Any) -> None:
        """Call `callback` at `time_s` with an event whose `_value` is `value`."""
        event = Event(self)
        event._ok = True
        event._value = value
        event.callbacks.append(callback)
        entry: Any = (time_s, rank, next(self._eid), event)
        heappush(self._queue, entry)

    def run_to(self, until_s: float) -> None:
        """Work off all events up to and including `until_s`."""
        queue, step = self._queue, self.step
        while queue and queue[0][0] <= until_s:
            step()

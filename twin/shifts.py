"""When somebody who does a task is on shift."""

from __future__ import annotations

from datetime import datetime, timedelta

from metagraph.calendars import WEEK_S, Calendar, WorkClock
from metagraph.model import Metagraph
from twin.words import serving

MOST_PIECES = 30
"""A longer stretch is left whole: nobody could read its days."""


class Shifts:
    """The working hours of a twin's tasks: those of all agents who may do them."""

    def __init__(self, metagraph: Metagraph) -> None:
        calendars = {calendar.id: calendar for calendar in metagraph.calendars}
        of_agent = {agent.id: agent.calendar for agent in metagraph.agents}
        self._calendars: dict[str, tuple[Calendar, ...]] = {
            task.label: tuple(
                calendars[name] for name in dict.fromkeys(of_agent[a] for a in serving(metagraph, task))
            )
            for task in metagraph.tasks()
        }

    def within(self, label: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The parts of start..end in which somebody is on shift; all of it for a task that needs nobody or
        isn't the twin's, and for very long times."""
        calendars = self._calendars.get(label, ())
        if not calendars or any(c.always_open for c in calendars):
            return [(start, end)]
        origin = (start - timedelta(days=start.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
        low, high = ((moment - origin).total_seconds() for moment in (start, end))
        if high - low > MOST_PIECES / 7 * WEEK_S:
            return [(start, end)]
        spans: list[list[float]] = []
        for a, b in sorted(piece for c in calendars for piece in _open(c, origin, low, high)):
            if spans and a <= spans[-1][1]:
                spans[-1][1] = max(spans[-1][1], b)
            else:
                spans.append([a, b])
        return [(origin + timedelta(seconds=a), origin + timedelta(seconds=b)) for a, b in spans]


def _open(calendar: Calendar, origin: datetime, low: float, high: float) -> list[tuple[float, float]]:
    if not calendar.hours and not calendar.exceptions:
        return []
    clock = WorkClock(calendar, origin)
    pieces = []
    at = clock.next_on(low)
    while at < high:
        until = min(clock.on_until(at), high)
        pieces.append((at, until))
        at = clock.next_on(until)
    return pieces

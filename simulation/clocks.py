"""When agents work, in one replication: calendars, absences, hiring and random breakdowns as one time line.

A plan is what a metagraph says; `clock` makes of it the time line of one replication, which grows as it is
asked and never depends on how far it has grown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from math import inf
from zoneinfo import ZoneInfo

import numpy as np

from metagraph.calendars import (
    WEEK_S,
    Calendar,
    WorkClock,
    clipped,
    excepted,
    merge,
    over,
    shift_intervals,
    week_intervals,
    without,
)
from metagraph.paces import Pace, PaceClock
from metagraph.shifts import Shift
from simulation.philox import uniforms
from simulation.streams import Purpose, Stream
from simulation.tables import Table

Span = tuple[float, float]
BREAKDOWNS = 0xFFFFFFFE
"""Stands for a node in the counters of breakdowns, apart from all tasks, gateways and arrivals."""
DAYS = 0xFFFFFFFD
"""The same for the shifts of days."""
CERTAIN = 1e-6
"""Weights that lack no more than this to 1 leave no day off."""
_BLOCK = 128
"""Days whose numbers are made at once."""
_OVERNIGHT = 3
"""Days before a week from which shifts may reach into it, in any time zone."""


class DrawnDays:
    """The shifts of a calendar on each day, as intervals; made as they are asked for."""

    __slots__ = ("_bounds", "_made", "_zone", "calendar", "origin", "usual")

    def __init__(self, calendar: Calendar, origin: datetime) -> None:
        self.calendar = calendar
        self.origin = origin
        self.usual = calendar.usual()
        self._zone = ZoneInfo(calendar.time_zone)
        self._made: dict[tuple[int, int], tuple[Span, ...]] = {}
        self._bounds = tuple(cumulative(day) for day in calendar.shifts)

    def bounds(self, day: int) -> tuple[float, ...]:
        """Running sums of the weights of a day's shifts; days count from the origin's date."""
        return self._bounds[(self.origin.weekday() + day) % 7]

    def spans(self, day: int, number: int) -> tuple[Span, ...]:
        """When the shift of this number is worked on a day."""
        found = self._made.get((day, number))
        if found is None:
            date = self.origin.date() + timedelta(days=day)
            shift = self.calendar.shifts[date.weekday()][number]
            made = shift_intervals(self.calendar, self.origin, self._zone, date, shift)
            found = self._made[day, number] = tuple(made)
        return found

    def __deepcopy__(self, memo: object) -> DrawnDays:
        return self


def cumulative(day: Sequence[Shift]) -> tuple[float, ...]:
    """Running sums of weights; 1 at the end where rounding alone makes the difference."""
    sums = list(accumulate(shift.weight for shift in day))
    if sums and sums[-1] > 1.0 - CERTAIN:
        sums[-1] = 1.0
    return tuple(sums)


@dataclass(frozen=True, slots=True, eq=False)
class ClockPlan:
    """The work clock of one agent, or of all agents who share a calendar and nothing else."""

    calendar: Calendar
    origin: datetime
    earliest_s: float
    away: tuple[Span, ...] = ()
    """Absences, and the time before hiring; ascending, disjoint."""
    breakdowns: tuple[Table, Table] | None = None
    """Between failures, and repair."""
    agent: int = -1
    """Whose breakdowns and shifts; keys their random numbers."""
    weeks: dict[int, tuple[Span, ...]] = field(default_factory=dict, repr=False)
    """The calendar's (usual) hours as far as they were ever needed; shared by all who have the calendar."""
    days: DrawnDays | None = None
    """The calendar's shifts, if it has any; shared in the same way."""
    presence: float = 1.0
    """Share of the drawn shifts for which the agent comes."""

    @property
    def random(self) -> bool:
        """Whether its time line differs between replications."""
        return self.breakdowns is not None or self.days is not None

    def clock(self, stream: Stream, begin_s: float) -> Clock:
        """The time line of the replication that the stream belongs to and that begins at `begin_s`."""
        return Clock(self, stream, begin_s)

    def __deepcopy__(self, memo: object) -> ClockPlan:
        return self


@dataclass(frozen=True, slots=True, eq=False)
class PacePlan:
    """The time line of a pace."""

    pace: Pace
    origin: datetime
    earliest_s: float = 0.0
    weeks: dict[int, tuple[float, ...]] = field(default_factory=dict, repr=False)
    """Speeds as far as they were ever needed."""

    def clock(self) -> PaceClock:
        """The time line; the same for every replication."""
        return PaceClock(self.pace, self.origin, earliest_s=self.earliest_s, made=self.weeks)

    def __deepcopy__(self, memo: object) -> PacePlan:
        return self


class Clock(WorkClock):
    """The work clock of a plan in one replication: a WorkClock without absences and breakdowns.

    Failures come by the wall clock, on shift or not: the k-th follows the repair before it (the first the
    beginning of the run) after a draw of the law between failures, and is repaired after a draw of the other.
    A calendar's shifts are drawn day by day; before the beginning of the run its usual hours hold.
    """

    __slots__ = ("_begin_s", "_blocks", "_failed", "_failures", "_plan", "_repaired", "_stream")

    def __init__(self, plan: ClockPlan, stream: Stream, begin_s: float) -> None:
        calendar = plan.calendar if plan.days is None else plan.days.usual
        super().__init__(calendar, plan.origin, earliest_s=plan.earliest_s)
        self._plan = plan
        self._begin_s = begin_s
        self._blocks: dict[int, list[float]] = {}
        self._always = plan.calendar.always_open and not plan.away and not plan.random
        self._stream = stream
        self._failures = 0
        self._failed: list[Span] = []
        """Breakdowns that reach into weeks to come."""
        self._repaired = begin_s
        """When the last one drawn ends."""

    def grown(self, horizon_s: float) -> tuple[list[float], list[float], list[float], bool, float]:
        """Starts and ends of the intervals, working seconds before each and after the last, whether the clock
        is off for good after them, and up to when they are known: beyond `horizon_s`."""
        while self._weeks * WEEK_S <= horizon_s and self._grow():
            pass
        reach_s = self._weeks * WEEK_S
        return self._starts, self._ends, self._done, self._over(reach_s), reach_s

    def _over(self, begin: float) -> bool:
        away = self._plan.away
        gone = bool(away) and away[-1][1] == inf and away[-1][0] <= begin
        return gone or over(self._calendar, self._origin, begin)

    def _pieces(self, week: int) -> Sequence[Span]:
        plan = self._plan
        begin, end = week * WEEK_S, (week + 1) * WEEK_S
        pieces: Sequence[Span] = self._usual(week) if plan.days is None or begin < self._begin_s else ()
        if plan.days is not None and end > self._begin_s:
            drawn = clipped(self._drawn(plan.days, week), max(begin, self._begin_s), end)
            pieces = merge([*clipped(pieces, begin, self._begin_s), *drawn])
        missing = [span for span in plan.away if span[0] < end and span[1] > begin]
        if plan.breakdowns is not None:
            missing += self._breakdowns(begin, end)
        return without(pieces, merge(missing)) if missing else pieces

    def _usual(self, week: int) -> tuple[Span, ...]:
        """The hours of a week in which nothing is drawn."""
        weeks = self._plan.weeks
        if week not in weeks:
            weeks[week] = tuple(week_intervals(self._calendar, self._origin, self._zone, week))
        return weeks[week]

    def _drawn(self, days: DrawnDays, week: int) -> list[Span]:
        """The shifts of a week and of those days before and after it that reach into it."""
        spans: list[Span] = []
        for day in range(7 * week - _OVERNIGHT, 7 * week + 8):
            bounds = days.bounds(day)
            if bounds:
                number = bisect_right(bounds, self._uniform(day) / self._plan.presence)
                if number < len(bounds):
                    spans += days.spans(day, number)
        return excepted(spans, days.calendar, self._origin)

    def _uniform(self, day: int) -> float:
        """The day's number; many are made at once, which is much faster than one by one."""
        block = day // _BLOCK
        if block not in self._blocks:
            us = uniforms(
                self._stream,
                self._plan.agent,
                DAYS,
                np.arange(block * _BLOCK, (block + 1) * _BLOCK),
                Purpose.DAY,
            )
            self._blocks[block] = us.tolist()
        return self._blocks[block][day - block * _BLOCK]

    def _breakdowns(self, begin: float, end: float) -> list[Span]:
        assert self._plan.breakdowns is not None
        between, repair = self._plan.breakdowns
        self._failed = [span for span in self._failed if span[1] > begin]
        while self._repaired < end:
            failed = self._repaired + self._draw(between, Purpose.FAILURE)
            self._repaired = failed + self._draw(repair, Purpose.REPAIR)
            self._failed.append((failed, self._repaired))
            self._failures += 1
        return [span for span in self._failed if span[0] < end]

    def _draw(self, law: Table, purpose: Purpose) -> float:
        if law.fixed:
            return law.xs[0]
        return law.draw(self._stream.uniform(self._plan.agent, BREAKDOWNS, self._failures, purpose))


def merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The union of intervals, ascending and disjoint."""
    return tuple(merge(spans))

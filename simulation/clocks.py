"""When agents work, in one replication: calendars, absences, hiring and random breakdowns as one time line.

A plan is what a metagraph says; `clock` makes of it the time line of one replication, which grows as it is
asked and never depends on how far it has grown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from metagraph.calendars import WEEK_S, Calendar, WorkClock, merge, over, week_intervals, without
from metagraph.paces import Pace, PaceClock
from simulation.streams import Purpose, Stream
from simulation.tables import Table

Span = tuple[float, float]
BREAKDOWNS = 0xFFFFFFFE
"""Stands for a node in the counters of breakdowns, apart from all tasks, gateways and arrivals."""


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
    """Whose breakdowns; keys their random numbers."""
    weeks: dict[int, tuple[Span, ...]] = field(default_factory=dict, repr=False)
    """The calendar's intervals as far as they were ever needed; shared by all who have the calendar."""

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
    """

    __slots__ = ("_failed", "_failures", "_plan", "_repaired", "_stream")

    def __init__(self, plan: ClockPlan, stream: Stream, begin_s: float) -> None:
        super().__init__(plan.calendar, plan.origin, earliest_s=plan.earliest_s)
        self._plan = plan
        self._always = self._always and not plan.away and plan.breakdowns is None
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
        pieces = plan.weeks.get(week)
        if pieces is None:
            made = week_intervals(self._calendar, self._origin, self._zone, week)
            pieces = plan.weeks[week] = tuple(made)
        begin, end = week * WEEK_S, (week + 1) * WEEK_S
        missing = [span for span in plan.away if span[0] < end and span[1] > begin]
        if plan.breakdowns is not None:
            missing += self._breakdowns(begin, end)
        return without(pieces, merge(missing)) if missing else pieces

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

"""When agents work: weekly hours in a time zone, holidays, exceptions; and the work clock built from them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from metagraph.errors import DataError
from metagraph.shifts import Shift, usual_hours, weekly_seconds

WEEK_S = 7 * 86400.0
ALWAYS = ((0.0, WEEK_S),)
_MAX_WEEKS = 20000


@dataclass(frozen=True, slots=True)
class CalendarException:
    """An interval that differs from the week: extra work (`working`) or absence."""

    start: datetime
    end: datetime
    working: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """Weekly working hours, or days drawn from the past."""

    id: str
    hours: tuple[tuple[float, float], ...] = ALWAYS
    """Open intervals in seconds since Monday 00:00 local time, ascending, disjoint. With `shifts` only these
    parts of them are worked."""
    time_zone: str = "UTC"
    holidays: tuple[date, ...] = ()
    exceptions: tuple[CalendarException, ...] = ()
    note: str = ""
    """How it was found, and any fallback."""
    shifts: tuple[tuple[Shift, ...], ...] = ()
    """For each day, Monday to Sunday, the shifts of which at most one is drawn, for each agent and date on
    its own. Empty: the same hours every week."""

    @property
    def always_open(self) -> bool:
        return self.hours == ALWAYS and not (self.holidays or self.exceptions or self.shifts)

    def weekly_hours(self) -> float:
        """Working hours in an ordinary week, on average."""
        if self.shifts:
            return weekly_seconds(self.hours, self.shifts) / 3600
        return sum(end - start for start, end in self.hours) / 3600

    def usual(self) -> Calendar:
        """The calendar itself, or with the usual hours in place of shifts."""
        if not self.shifts:
            return self
        return replace(self, hours=usual_hours(self.hours, self.shifts) or self.hours, shifts=())


class WorkClock:
    """W(t): working seconds between `origin` and t; piecewise linear; built week by week as it is asked.

    `after(t, work_s)` is W^-1(W(t) + work): when that much work begun at t is done. Times are seconds since
    `origin` (a Monday 00:00 UTC), from `earliest_s` on, but always from one week before the origin on; asking
    for earlier ones raises ValueError. Where the clock never runs again, `next_on` and `after` are infinite.
    No answer depends on what was asked before. Of a calendar with shifts, the usual hours count.
    """

    __slots__ = ("_always", "_calendar", "_done", "_ends", "_first", "_origin", "_starts", "_weeks", "_zone")

    def __init__(self, calendar: Calendar, origin: datetime, *, earliest_s: float = 0.0) -> None:
        if not calendar.always_open and not calendar.hours and not calendar.exceptions:
            raise ValueError(f"calendar {calendar.id} has no working hours: nothing would ever finish")
        self._calendar = calendar.usual()
        self._origin = origin
        self._always = calendar.always_open
        self._zone = ZoneInfo(calendar.time_zone)
        self._starts: list[float] = []
        self._ends: list[float] = []
        self._done: list[float] = [0.0]
        self._first = self._weeks = min(math.floor(earliest_s / WEEK_S), -1)

    def is_on(self, t: float) -> bool:
        """Whether the clock runs at t (intervals are closed at their start, open at their end)."""
        if self._always:
            return True
        i = self._interval(t)
        return i >= 0 and t < self._ends[i]

    def next_on(self, t: float) -> float:
        """The first instant >= t at which the clock runs."""
        if self._always:
            return t
        i = self._interval(t)
        if i >= 0 and t < self._ends[i]:
            return t
        while i + 1 >= len(self._starts):
            if not self._grow():
                return math.inf
        return self._starts[i + 1]

    def next_start(self, t: float) -> float:
        """The first instant >= t at which an interval begins; infinite if none ever does."""
        while t >= self._weeks * WEEK_S and self._grow():
            pass
        i = bisect_left(self._starts, t)
        while i >= len(self._starts):
            if not self._grow():
                return math.inf
        return self._starts[i]

    def on_until(self, t: float) -> float:
        """An instant up to which the clock surely keeps running, if it runs at t; else t.

        The end of its interval or of the week, seen from the origin.
        """
        if self._always:
            return math.inf
        i = self._interval(t)
        return max(min(self._ends[i], (t // WEEK_S + 1.0) * WEEK_S), t) if i >= 0 else t

    def last_on(self, t: float) -> float:
        """The last instant <= t up to which the clock ran; -inf if it never did."""
        if self._always:
            return t
        i = self._interval(t)
        return min(t, self._ends[i]) if i >= 0 else -math.inf

    def worked(self, t: float) -> float:
        """Working seconds up to t, from a fixed but arbitrary zero: use differences."""
        if self._always:
            return t
        i = self._interval(t)
        if i < 0:
            return 0.0
        return self._done[i] + min(t, self._ends[i]) - self._starts[i]

    def between(self, t0: float, t1: float) -> float:
        """Working seconds in [t0, t1]."""
        return self.worked(t1) - self.worked(t0)

    def after(self, t: float, work_s: float) -> float:
        """When `work_s` of work begun at t is done; t itself for no work."""
        if self._always or work_s <= 0.0:
            return t + max(work_s, 0.0)
        i = self._interval(t)
        on = i >= 0 and t < self._ends[i]
        if on:
            end = t + work_s
            # An interval that ends where the line does may go on in the next week.
            while end > self._ends[i] and self._ends[i] == self._weeks * WEEK_S and self._grow():
                pass
            if end <= self._ends[i]:
                return end
        first = i if on else i + 1
        target = self.worked(t) + work_s
        while self._done[-1] < target or first >= len(self._starts):
            if not self._grow():
                return math.inf
        # Work too small to be seen in the sum must not end in an earlier interval.
        i = max(bisect_left(self._done, target) - 1, first)
        return max(self._starts[i] + (target - self._done[i]), t)

    def _interval(self, t: float) -> int:
        """Index of the last interval that starts at or before t; -1 if there is none."""
        if t < self._first * WEEK_S:
            raise ValueError(
                f"calendar {self._calendar.id} begins {-self._first} weeks before origin: {t:g} s is earlier"
            )
        while t >= self._weeks * WEEK_S and self._grow():
            pass
        return bisect_right(self._starts, t) - 1

    def _grow(self) -> bool:
        """Append the intervals of the next week, in seconds since the origin; False if none ever come."""
        begin = self._weeks * WEEK_S
        if self._over(begin):
            return False
        if self._weeks > _MAX_WEEKS:
            raise DataError(
                f"calendar {self._calendar.id!r} isn't open for {_MAX_WEEKS // 52} years: work by it can't "
                "finish; correct its hours, holidays or exceptions"
            )
        self._weeks += 1
        for start, end in self._pieces(self._weeks - 1):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
                self._done[-1] = self._done[-2] + (self._ends[-1] - self._starts[-1])
                continue
            self._starts.append(start)
            self._ends.append(end)
            self._done.append(self._done[-1] + (end - start))
        return True

    def _over(self, begin: float) -> bool:
        """Whether nothing comes from an instant on, a week's beginning."""
        return over(self._calendar, self._origin, begin)

    def _pieces(self, week: int) -> Sequence[tuple[float, float]]:
        """The working intervals of a week, counted from the origin."""
        return week_intervals(self._calendar, self._origin, self._zone, week)


def over(calendar: Calendar, origin: datetime, begin_s: float) -> bool:
    """Whether a calendar has no working time from an instant on that its exceptions don't reach."""
    return not calendar.hours and all(begin_s >= _seconds(e.end, origin) for e in calendar.exceptions)


def week_intervals(
    calendar: Calendar, origin: datetime, zone: ZoneInfo, week: int
) -> list[tuple[float, float]]:
    """Working intervals, after holidays and exceptions, in the week `week` weeks after the origin.

    In seconds since the origin; ascending, disjoint, cut off at both ends of the week.
    """
    begin, stop = week * WEEK_S, (week + 1) * WEEK_S
    first = (origin + timedelta(seconds=begin)).astimezone(zone).date() - timedelta(days=1)
    spans: list[tuple[float, float]] = []
    for k in range(9):
        spans += day_intervals(calendar, origin, zone, first + timedelta(days=k))
    return clipped(excepted(spans, calendar, origin), begin, stop)


def day_intervals(
    calendar: Calendar, origin: datetime, zone: ZoneInfo, day: date
) -> list[tuple[float, float]]:
    """The weekly hours on a local date, in seconds since the origin; none on a holiday."""
    if day in calendar.holidays:
        return []
    base = day.weekday() * 86400.0
    cuts = ((max(start, base) - base, min(end, base + 86400.0) - base) for start, end in calendar.hours)
    return [(_at(day, lo, origin, zone), _at(day, hi, origin, zone)) for lo, hi in cuts if lo < hi]


def shift_intervals(
    calendar: Calendar, origin: datetime, zone: ZoneInfo, day: date, shift: Shift
) -> list[tuple[float, float]]:
    """The weekly hours that lie in a shift of a local date; none if it begins on a holiday."""
    if day in calendar.holidays:
        return []
    start, end = _at(day, shift.start_s, origin, zone), _at(day, shift.end_s, origin, zone)
    hours = [
        span
        for k in range(math.ceil(shift.end_s / 86400.0))
        for span in day_intervals(calendar, origin, zone, day + timedelta(days=k))
    ]
    return clipped(merge(hours), start, end)


def excepted(
    spans: Sequence[tuple[float, float]], calendar: Calendar, origin: datetime
) -> list[tuple[float, float]]:
    """Intervals after a calendar's exceptions, one after the other; united."""
    found = merge(spans)
    for exception in calendar.exceptions:
        lo, hi = _seconds(exception.start, origin), _seconds(exception.end, origin)
        found = merge([*found, (lo, hi)]) if exception.working else cut(found, lo, hi)
    return merge(found)


def clipped(spans: Sequence[tuple[float, float]], begin: float, stop: float) -> list[tuple[float, float]]:
    """The parts of intervals between two instants."""
    parts = ((max(start, begin), min(end, stop)) for start, end in spans)
    return [(start, end) for start, end in parts if start < end]


def _at(day: date, offset_s: float, origin: datetime, zone: ZoneInfo) -> float:
    local = datetime.combine(day, time(), zone) + timedelta(seconds=offset_s)
    return _seconds(local.astimezone(UTC), origin)


def _seconds(instant: datetime, origin: datetime) -> float:
    return (instant - origin).total_seconds()


def merge(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The union of intervals, ascending, those that touch as one."""
    out: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def without(
    spans: Sequence[tuple[float, float]], missing: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """What is left of intervals without others; both ascending and disjoint. In one pass through both."""
    left: list[tuple[float, float]] = []
    k = 0
    for start, end in spans:
        while k < len(missing) and missing[k][1] <= start:
            k += 1
        at, i = start, k
        while i < len(missing) and missing[i][0] < end:
            if at < missing[i][0]:
                left.append((at, missing[i][0]))
            at = max(at, missing[i][1])
            i += 1
        if at < end:
            left.append((at, end))
    return left


def cut(spans: Sequence[tuple[float, float]], lo: float, hi: float) -> list[tuple[float, float]]:
    """What is left of intervals without [lo, hi)."""
    pieces = [(s, min(e, lo)) for s, e in spans] + [(max(s, hi), e) for s, e in spans]
    return sorted((s, e) for s, e in pieces if s < e)

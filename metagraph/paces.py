"""How fast delays run in each hour of the week: customers answer in office hours, lorries come at dawn."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Relative speed by hour of the week; a delay of d ends when the speeds passed through add up to d."""

    id: str
    rates: tuple[float, ...]
    """168 values from Monday 00:00 local time, 0 or more, on average 1."""
    time_zone: str = "UTC"
    note: str = ""
    """How it was found."""
    holidays: tuple[date, ...] = ()
    """Local dates on which no delay goes on."""


class PaceClock:
    """The time line of a Pace; built week by week as it is asked, in whole hours of UTC.

    Times are seconds since `origin` (a Monday 00:00 UTC), from the week of `earliest_s` on, but always from
    one week before the origin on.
    """

    __slots__ = ("_done", "_first", "_holidays", "_made", "_origin", "_pace", "_speeds", "_zone")

    def __init__(
        self,
        pace: Pace,
        origin: datetime,
        *,
        earliest_s: float = 0.0,
        made: dict[int, tuple[float, ...]] | None = None,
    ) -> None:
        """`made`: speeds by week, kept for other time lines of the same pace and origin."""
        if not any(rate > 0 for rate in pace.rates):
            raise ValueError(f"pace {pace.id} never moves: no delay would ever end")
        self._pace = pace
        self._origin = origin
        self._zone = ZoneInfo(pace.time_zone)
        self._holidays = frozenset(pace.holidays)
        self._made = {} if made is None else made
        self._first = 168 * min(math.floor(earliest_s / (168 * HOUR_S)), -1)
        self._done = [0.0]
        self._speeds: list[float] = []

    def between(self, t0: float, t1: float) -> float:
        """Paced seconds in [t0, t1]."""
        return self.passed(t1) - self.passed(t0)

    def after(self, t: float, amount_s: float) -> float:
        """When `amount_s` paced seconds begun at t are over; t itself for none."""
        if amount_s <= 0.0:
            return t
        target = self.passed(t) + amount_s
        while self._done[-1] < target:
            self._grow()
        hour = bisect_left(self._done, target) - 1
        return max(t, (hour + self._first) * HOUR_S + (target - self._done[hour]) / self._speeds[hour])

    def passed(self, t: float) -> float:
        """Paced seconds up to t, from a fixed but arbitrary zero: use differences."""
        hour = math.floor(t / HOUR_S)
        index = hour - self._first
        if index < 0:
            raise ValueError(
                f"the instant {t:g} s lies before the time line of pace {self._pace.id}, which begins "
                f"{-self._first // 168} weeks before the origin"
            )
        while len(self._speeds) <= index:
            self._grow()
        return self._done[index] + self._speeds[index] * (t - hour * HOUR_S)

    def grown(self, horizon_s: float) -> tuple[int, list[float], list[float]]:
        """The first hour since the origin, the speed of each one from it on, at least up to `horizon_s`, and
        the paced seconds before each and after the last."""
        while (len(self._speeds) + self._first) * HOUR_S <= horizon_s:
            self._grow()
        return self._first, self._speeds, self._done

    def _grow(self) -> None:
        """Append a week."""
        week = (len(self._speeds) + self._first) // 168
        speeds = self._made.get(week)
        if speeds is None:
            speeds = self._made[week] = tuple(self._speed(week * 168 + i) for i in range(168))
        self._speeds += speeds
        for speed in speeds:
            self._done.append(self._done[-1] + speed * HOUR_S)

    def _speed(self, hour: int) -> float:
        local = (self._origin + timedelta(hours=hour)).astimezone(self._zone)
        if self._holidays and local.date() in self._holidays:
            return 0.0
        return self._pace.rates[local.weekday() * 24 + local.hour]

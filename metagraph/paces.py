"""How fast delays run in each hour of the week: customers answer in office hours, lorries come at dawn."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HOUR_S = 3600.0
_BEFORE_H = -168


@dataclass(frozen=True, slots=True)
class Pace:
    """Relative speed by hour of the week; a delay of d ends when the speeds passed through add up to d."""

    id: str
    rates: tuple[float, ...]
    """168 values from Monday 00:00 local time, 0 or more, on average 1."""
    time_zone: str = "UTC"
    note: str = ""
    """How it was found."""


class PaceClock:
    """The time line of a Pace; built hour by hour as it is asked, in whole hours of UTC.

    Times are seconds since `origin` (a Monday 00:00 UTC), from one week before it on.
    """

    __slots__ = ("_done", "_origin", "_rates", "_speeds", "_zone")

    def __init__(self, pace: Pace, origin: datetime) -> None:
        if not any(rate > 0 for rate in pace.rates):
            raise ValueError(f"pace {pace.id} never moves: no delay would ever end")
        self._rates = pace.rates
        self._origin = origin
        self._zone = ZoneInfo(pace.time_zone)
        self._done = [0.0]
        self._speeds: list[float] = []

    def between(self, t0: float, t1: float) -> float:
        """Paced seconds in [t0, t1]."""
        return self._passed(t1) - self._passed(t0)

    def after(self, t: float, amount_s: float) -> float:
        """When `amount_s` paced seconds begun at t are over; t itself for none."""
        if amount_s <= 0.0:
            return t
        target = self._passed(t) + amount_s
        while self._done[-1] < target:
            self._grow()
        hour = bisect_left(self._done, target) - 1
        return max(t, (hour + _BEFORE_H) * HOUR_S + (target - self._done[hour]) / self._speeds[hour])

    def _passed(self, t: float) -> float:
        hour = int(t // HOUR_S)
        index = hour - _BEFORE_H
        if index < 0:
            raise ValueError(f"the instant {t:g} s lies more than a week before the origin")
        while len(self._speeds) <= index:
            self._grow()
        return self._done[index] + self._speeds[index] * (t - hour * HOUR_S)

    def _grow(self) -> None:
        hour = len(self._speeds) + _BEFORE_H
        local = (self._origin + timedelta(hours=hour)).astimezone(self._zone)
        speed = self._rates[local.weekday() * 24 + local.hour]
        self._speeds.append(speed)
        self._done.append(self._done[-1] + speed * HOUR_S)

"""Shifts from which a day is drawn, and what of them is usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

DAY_S = 86400.0
LONGEST_S = 2 * DAY_S
"""A shift ends by the end of the day after the one in which it begins."""

Hours = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """One way in which a day can be spent at work."""

    start_s: float
    """Seconds on the clock on the wall since the midnight that begins the day."""
    end_s: float
    """Above `DAY_S` for a shift that goes on in the next day."""
    weight: float
    """Probability of this shift; what is missing to 1 over a day's shifts is absence."""


Week = tuple[tuple[Shift, ...], ...]
"""The shifts of each day, Monday to Sunday."""


def presence(day: Sequence[Shift]) -> float:
    """Probability that somebody comes on such a day."""
    return min(sum(shift.weight for shift in day), 1.0)


def usual_hours(hours: Hours, week: Week) -> Hours:
    """Weekly hours that stand for drawn ones where a run can't draw: in the past, and in pictures.

    On a weekday on which somebody comes at least half as often as on the best one, the hours at which at
    least half of those who come are there; on others none.
    """
    best = max((presence(day) for day in week), default=0.0)
    spans: list[tuple[float, float]] = []
    for number, day in enumerate(week):
        there = presence(day)
        if there <= 0.0 or there < best / 2:
            continue
        base, needed = number * DAY_S, there / 2 - 1e-9
        spans += [(base + lo, base + hi) for lo, hi, weight in _steps(day) if weight >= needed]
    return _within(hours, _wrapped(spans))


def weekly_seconds(hours: Hours, week: Week) -> float:
    """Expected seconds at work in an ordinary week; overlapping shifts of two days count twice."""
    return sum(
        shift.weight * sum(hi - lo for lo, hi in _within(hours, _wrapped([_placed(number, shift)])))
        for number, day in enumerate(week)
        for shift in day
    )


def chances(hours: Hours, week: Week) -> list[tuple[float, float, float]]:
    """(start, end, probability) of being there, by seconds of the week; may overlap, and then add up."""
    return [
        (lo, hi, shift.weight)
        for number, day in enumerate(week)
        for shift in day
        for lo, hi in _within(hours, _wrapped([_placed(number, shift)]))
    ]


def _placed(number: int, shift: Shift) -> tuple[float, float]:
    return number * DAY_S + shift.start_s, number * DAY_S + shift.end_s


def _steps(day: Sequence[Shift]) -> list[tuple[float, float, float]]:
    """How much weight is there between one change and the next."""
    edges = sorted({edge for shift in day for edge in (shift.start_s, shift.end_s)})
    return [
        (lo, hi, sum(shift.weight for shift in day if shift.start_s <= lo and shift.end_s >= hi))
        for lo, hi in pairwise(edges)
    ]


def _wrapped(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What lies past Sunday's midnight begins the week; united, ascending."""
    week_s = 7 * DAY_S
    parts = [(lo, min(hi, week_s)) for lo, hi in spans if lo < week_s]
    parts += [(max(lo, week_s) - week_s, hi - week_s) for lo, hi in spans if hi > week_s]
    united: list[tuple[float, float]] = []
    for lo, hi in sorted(parts):
        if united and lo <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], hi))
        else:
            united.append((lo, hi))
    return united


def _within(hours: Hours, spans: Sequence[tuple[float, float]]) -> Hours:
    cuts = ((max(a, lo), min(b, hi)) for a, b in hours for lo, hi in spans)
    return tuple(sorted((lo, hi) for lo, hi in cuts if lo < hi))

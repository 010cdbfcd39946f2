"""Durations of which only bounds are known: where within them they lie, judged by those known exactly."""

from __future__ import annotations

import numpy as np

from calibration.local_time import Floats

ROUNDS = 40
MOST_POINTS = 1000
EXACT_S = 1.0
"""Bounds closer together than this are taken as one value, the upper."""
_GOLDEN = (np.sqrt(5) - 1) / 2


def place(low: Floats, high: Floats) -> Floats:
    """A value within (low, high] for every observation; a lower bound of 0 admits 0 itself.

    The values together follow the self-consistent estimate of their distribution from interval-censored data
    (Turnbull 1976), started from the exact values and the middles of the intervals. Within its interval each
    observation is placed at a quantile of that distribution from a low-discrepancy sequence, so that the
    same input gives the same values.
    """
    vague = high - low > EXACT_S
    if not vague.any():
        return high.copy()
    points = _points(low, high, vague)
    first = np.where(low > 0, np.searchsorted(points, low, side="right"), 0)[vague]
    last = np.searchsorted(points, high[vague], side="right")
    mass = _self_consistent(
        points, high[~vague], first, last, np.where(low > 0, (low + high) / 2, 0.0)[vague]
    )
    below = np.concatenate(([0.0], np.cumsum(mass)))
    inside = below[last] - below[first]
    levels = (np.arange(1, len(first) + 1) * _GOLDEN) % 1.0
    at = np.searchsorted(below, below[first] + levels * inside, side="right") - 1
    at = np.clip(at, first, np.maximum(last - 1, first))
    found = high.copy()
    middle = (low + high)[vague] / 2
    found[vague] = np.where(inside > 0, points[np.minimum(at, len(points) - 1)], middle)
    return found


def _points(low: Floats, high: Floats, vague: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """Where mass may lie: exact values, middles of intervals, and 0 if any interval begins there."""
    every = np.unique(np.where(vague, (low + high) / 2, high))
    if len(every) > MOST_POINTS:
        every = np.unique(np.quantile(every, np.linspace(0, 1, MOST_POINTS), method="nearest"))
    zero = [0.0] if (vague & (low <= 0)).any() else []
    return np.unique(np.concatenate((zero, every)))


def _self_consistent(
    points: Floats,
    exact: Floats,
    first: np.ndarray[tuple[int], np.dtype[np.int64]],
    last: np.ndarray[tuple[int], np.dtype[np.int64]],
    guess: Floats,
) -> Floats:
    """Masses of the points: each interval spreads one observation over its points in their proportion."""
    n = len(points)
    known = np.bincount(_nearest(points, exact), minlength=n).astype(np.float64)
    mass = known + np.bincount(_nearest(points, guess), minlength=n) + 1e-9
    total = len(exact) + len(first)
    mass /= mass.sum()
    for _ in range(ROUNDS):
        below = np.concatenate(([0.0], np.cumsum(mass)))
        inside = below[last] - below[first]
        weight = np.where(inside > 0, 1 / np.maximum(inside, 1e-300), 0.0)
        step = np.bincount(first, weight, minlength=n + 1) - np.bincount(last, weight, minlength=n + 1)
        mass = (known + mass * np.maximum(np.cumsum(step)[:-1], 0.0)) / total
    return mass


def _nearest(points: Floats, values: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    right = np.clip(np.searchsorted(points, values), 0, len(points) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(np.abs(points[left] - values) <= np.abs(points[right] - values), left, right)

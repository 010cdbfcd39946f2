"""Sets of disjoint time intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Disjoint intervals, ascending, each of some length."""

    start: Floats
    end: Floats

    def last_before(self, t: Floats) -> Floats:
        """The latest instant up to each t right before which one was inside; -inf where there is none."""
        if not len(self.start):
            return np.full(len(t), -np.inf)
        i = np.searchsorted(self.start, t, side="left") - 1
        return np.where(i >= 0, np.minimum(self.end[np.maximum(i, 0)], t), -np.inf)

    def covered(self, t0: Floats, t1: Floats) -> Floats:
        """Seconds inside between t0 and t1 (t0 <= t1)."""
        return self._until(t1) - self._until(t0)

    def _until(self, t: Floats) -> Floats:
        if not len(self.start):
            return np.zeros(len(t))
        before = np.concatenate(([0.0], np.cumsum(self.end - self.start)))
        i = np.searchsorted(self.start, t, side="right") - 1
        k = np.maximum(i, 0)
        return np.where(i >= 0, before[k] + np.minimum(t, self.end[k]) - self.start[k], 0.0)

    def longer_than(self, length_s: float) -> Spans:
        """Those that last at least so long."""
        keep = self.end - self.start >= length_s
        return Spans(self.start[keep], self.end[keep])


def union(sets: Sequence[Spans]) -> Spans:
    """Inside at least one."""
    return _where_level(sets, [1] * len(sets), 1)


def both(a: Spans, b: Spans) -> Spans:
    """Inside a and b."""
    return _where_level([a, b], [1, 1], 2)


def without(a: Spans, b: Spans) -> Spans:
    """Inside a but not b."""
    return _where_level([a, b], [1, -1], 1)


def spans_where(times: Floats, inside: Mask) -> Spans:
    """The intervals of a step function: `inside[i]` holds from times[i] (ascending) to times[i + 1]; the last
    step must be outside."""
    last = np.append(times[1:] != times[:-1], True) if len(times) else np.empty(0, np.bool_)
    times, inside = times[last], inside[last]
    edges = np.diff(inside.astype(np.int8), prepend=0)
    return Spans(times[edges == 1], times[edges == -1])


def _where_level(sets: Sequence[Spans], weights: Sequence[int], level: int) -> Spans:
    """Where the weighted number of sets one is inside of reaches `level`."""
    if not sets:
        return Spans(np.empty(0), np.empty(0))
    times = np.concatenate([t for s in sets for t in (s.start, s.end)])
    steps: NDArray[np.int64] = np.concatenate(
        [np.repeat([w, -w], len(s.start)) for s, w in zip(sets, weights, strict=True)]
    )
    order = np.argsort(times, kind="stable")
    return spans_where(times[order], np.cumsum(steps[order]) >= level)

"""Which station was the bottleneck when: the active period method, on intervals of any log or run.

Roser, Nakano and Tanaka ("A practical bottleneck detection method", Winter Simulation Conference 2001;
"Shifting bottleneck detection", 2002): a station is active while it makes others wait, and at each instant
the station whose uninterrupted active period is the longest is the bottleneck. While two such periods
overlap, the bottleneck shifts from one to the other; else it is the sole bottleneck.

Hours off shift neither end an active period nor count in its length: a station that goes home with work in
hand and goes on with it the next morning was active all along. They aren't counted as time either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Span = tuple[float, float]
Floats = NDArray[np.float64]
_SAME_S = 1e-3
"""Work that begins so soon after the last ended, on the station's clock, goes on."""


@dataclass(frozen=True, slots=True)
class Period:
    """One uninterrupted active period of a station."""

    station: int
    length_s: float
    """Seconds in which the station was there."""
    pieces: tuple[Span, ...]
    """When: ascending, disjoint; between them it was off shift."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Seconds of each station within windows of time: [station, window]."""

    sole_s: Floats
    """It alone was the bottleneck."""
    shifting_s: Floats
    """It was while the bottleneck shifted to it or from it."""
    active_s: Floats
    on_s: Floats
    any_s: Floats
    """[window]: some station was active."""


def periods_of(station: int, active: Sequence[Span], on: Sequence[Span]) -> list[Period]:
    """Active periods of a station from when it was at work and when it was on shift.

    Both ascending and disjoint, `active` within `on`.
    """
    if not active:
        return []
    there, pieces = np.array(on), np.array(active)
    before = np.concatenate([[0.0], np.cumsum(there[:, 1] - there[:, 0])])

    def worked(t: Floats) -> Floats:
        """Seconds on shift up to each instant."""
        i = np.searchsorted(there[:, 0], t, "right") - 1
        passed = before[i] + np.minimum(t, there[i, 1]) - there[i, 0]
        return np.where(i < 0, 0.0, passed)

    pauses = worked(pieces[1:, 0]) - worked(pieces[:-1, 1])
    ends = np.concatenate([np.flatnonzero(pauses > _SAME_S) + 1, [len(active)]]).tolist()
    return [_period(station, active[a:b]) for a, b in pairwise([0, *ends])]


def _period(station: int, pieces: Sequence[Span]) -> Period:
    return Period(station, sum(end - start for start, end in pieces), tuple(pieces))


def shares(periods: Sequence[Period], on: Sequence[Sequence[Span]], edges: Floats) -> Shares:
    """How long each station was the bottleneck within the windows between `edges` (ascending).

    `on`: per station. Of periods of the same length the station that comes first, then the earlier one.
    """
    stations, windows = len(on), len(edges) - 1
    ranked = sorted(periods, key=lambda one: (-one.length_s, one.station, one.pieces[0]))
    cuts = [t for one in ranked for piece in one.pieces for t in piece]
    grid = np.unique(np.concatenate([np.array(cuts, np.float64), edges]))
    grid = grid[(grid >= edges[0]) & (grid <= edges[-1])]
    cells = _cells(ranked, grid)
    longest = _filled(cells, len(grid) - 1)
    momentary = np.isin(cells[:, 0], longest[longest >= 0])
    station = np.array([one.station for one in ranked], np.int64)[cells[momentary, 0]]
    cover = np.zeros((stations, len(grid)), np.int64)
    np.add.at(cover, (station, cells[momentary, 1]), 1)
    np.add.at(cover, (station, cells[momentary, 2]), -1)
    mine = np.cumsum(cover, axis=1)[:, :-1] > 0
    several = mine.sum(axis=0) > 1
    length = np.diff(grid)
    window = np.clip(np.searchsorted(edges, grid[:-1], "right") - 1, 0, max(windows - 1, 0))

    def summed(which: NDArray[np.bool_]) -> Floats:
        found = np.zeros(windows)
        np.add.at(found, window, length * which)
        return found

    pieces: list[list[Span]] = [[] for _ in on]
    for one in periods:
        pieces[one.station] += one.pieces
    return Shares(
        sole_s=np.array([summed(mine[s] & ~several) for s in range(stations)]).reshape(stations, windows),
        shifting_s=np.array([summed(mine[s] & several) for s in range(stations)]).reshape(stations, windows),
        active_s=within(pieces, edges),
        on_s=within(on, edges),
        any_s=summed(longest >= 0),
    )


def _cells(ranked: Sequence[Period], grid: Floats) -> NDArray[np.int64]:
    """[piece, 3]: which period it is of, its first cell of the grid, and the one after its last; by period,
    pieces beyond the grid left out."""
    owner = np.repeat(np.arange(len(ranked)), np.array([len(one.pieces) for one in ranked], np.int64))
    pieces = np.array([piece for one in ranked for piece in one.pieces]).reshape(-1, 2)
    cells = np.searchsorted(grid, np.clip(pieces, grid[0], grid[-1]))
    found = np.column_stack([owner, cells]).astype(np.int64)
    return found[found[:, 1] < found[:, 2]]


def _filled(cells: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Per cell of the grid the first of the periods that covers it; -1: none.

    Each cell is filled once: `following` leads from a cell to the next one that is still empty.
    """
    found = np.full(n, -1, np.int64)
    following = list(range(n + 1))

    def empty(cell: int) -> int:
        root = cell
        while following[root] != root:
            root = following[root]
        while following[cell] != root:
            following[cell], cell = root, following[cell]
        return root

    for owner, first, last in cells.tolist():
        cell = empty(first)
        while cell < last:
            found[cell] = owner
            following[cell] = cell + 1
            cell = empty(cell)
    return found


def within(spans: Sequence[Sequence[Span]], edges: Floats) -> Floats:
    """Seconds of each station's spans within the windows between edges: [station, window]."""
    found = np.zeros((len(spans), len(edges) - 1))
    for s, mine in enumerate(spans):
        if mine:
            start, end = np.array(mine).T
            for w, (low, high) in enumerate(pairwise(edges.tolist())):
                found[s, w] = np.maximum(np.minimum(end, high) - np.maximum(start, low), 0.0).sum()
    return found

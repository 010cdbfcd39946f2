"""The ways on that are open to an order of a state whose tokens stand at gateways, and how likely each is.

A token has been idle since its last task ended. By Bayes a way on is as likely as its weights say, times the
chance that nothing would have been seen on it by now: who needn't wait would have begun, and a way to the end
would have closed the order. The ways are found by going each of them, through any number of gateways, up to
the tasks that can be seen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf, nan, prod

from simulation.frames import Frame
from simulation.recorded import Known, Path
from simulation.tokens import Journey, weights_at

_LEAST = (1e-6, 1e-4, 1e-2)
"""Ways less likely than this by their weights alone are left out: as few as `_MOST` allows."""
_MOST = 400
"""Ways of one order that are gone."""
_COVERED = 0.5
"""The probability, by the weights alone, that those that aren't left out must have together."""


@dataclass(frozen=True, slots=True)
class Way:
    """All tokens of an order moved on."""

    rows: tuple[int, ...]
    journey: Journey


@dataclass(frozen=True, slots=True)
class Ways:
    """Those of one order, by their flows."""

    ways: tuple[Way, ...]
    cumulative: tuple[float, ...]
    """Running sums of the weights, whose total is 1; infinite from the last possible one on."""

    def at(self, u: float) -> Way:
        """The way at 0 < u < 1."""
        return self.ways[bisect_right(self.cumulative, u)]


Go = Callable[[Path], tuple[Journey, list[int]]]
"""Moves the tokens of an order on as a path says: where that leaves it, and the rows it came to."""


def ways_on(frame: Frame, go: Go, unseen: Callable[[int], float]) -> Ways | None:
    """All ways on with their chances; `unseen`: of a row, that nothing would have been seen of it by now.

    Where no way could have remained unseen, which contradicts the process, the weights alone decide, among
    ways that don't end the order if there are any. None: there are too many ways.
    """
    found = next(filter(None, (_gone(frame, go, least) for least in _LEAST)), None)
    if found is None:
        return None
    open_ = [prior if way.journey.tokens else 0.0 for way, prior in found]
    idle = [w * prod(unseen(row) for row in way.rows) for w, (way, _) in zip(open_, found, strict=True)]
    weights = next((some for some in (idle, open_) if sum(some) > 0.0), [prior for _, prior in found])
    total, last = sum(weights), max(i for i, weight in enumerate(weights) if weight > 0.0)
    sums = [sofar / total for sofar in accumulate(weights)]
    return Ways(tuple(way for way, _ in found), (*sums[:last], *[inf] * (len(sums) - last)))


class _UnlikelyError(Exception):
    """The way that is being gone is one of those that are left out."""


def _gone(frame: Frame, go: Go, least: float) -> list[tuple[Way, float]] | None:
    """Each way, and its probability by the weights; None: too many, or what is left out is too likely."""
    told = Map(frame, least)
    found: list[tuple[Way, float]] = []
    for _ in range(_MOST):
        try:
            journey, rows = go(told)
            found.append((Way(tuple(rows), journey), told.likely))
        except _UnlikelyError:
            pass
        if not told.turn():
            return found if sum(likely for _, likely in found) >= _COVERED else None
    return None


class Map(Path):
    """Tells whoever goes by it a way that nobody went before; after `turn` the next one."""

    __slots__ = ("_depth", "_forks", "_frame", "_least", "journey")

    def __init__(self, frame: Frame, least: float) -> None:
        super().__init__(None)
        self._frame, self._least = frame, least
        self._forks: list[list[tuple[int, float]]] = []
        """Per gateway that is passed: flows not gone yet and their probabilities, the present one first."""
        self._depth = 0
        self.journey: Journey | None = None
        """Who goes; to be set before it is asked."""

    @property
    def likely(self) -> float:
        """The probability of the present way."""
        return prod(fork[0][1] for fork in self._forks)

    def at(self, node: int, visit: int) -> Known:
        """The flow to take."""
        if self._depth == len(self._forks):
            likely, ways = self.likely, self._ways(node, visit)
            self._forks.append([way for way in ways if likely * way[1] >= self._least])
        fork = self._forks[self._depth]
        self._depth += 1
        if not fork:
            raise _UnlikelyError
        return Known(fork[0][0], -1, -1, -1, nan, 0.0, nan)

    def _ways(self, node: int, visit: int) -> list[tuple[int, float]]:
        assert self.journey is not None
        frame = self._frame
        first = weights_at(frame, self.journey, node, visit)
        n = len(frame.subsets[node]) or len(frame.targets[node])
        sums = [0.0, *(min(sofar, 1.0) for sofar in frame.cumulative[first : first + n])]
        return [(i, b - a) for i, (a, b) in enumerate(pairwise(sums)) if b > a]

    def turn(self) -> bool:
        """Whether there is another way."""
        self._depth = 0
        while self._forks:
            fork = self._forks[-1]
            del fork[:1]
            if fork:
                return True
            self._forks.pop()
        return False

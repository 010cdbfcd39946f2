"""Plans made better by search, as long as there is time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, inf
from time import perf_counter

import numpy as np

from optimization.generation import Generator, Priorities, after, freed
from optimization.packing import unpacked
from optimization.problem import NOBODY, Plan, Problem, values

_CHUNK_S = 0.05
"""How long the search goes on without looking at the clock, by the pace so far."""
_CHUNK = 200
"""Trials at first, or where their number is given."""
Told = Callable[[Plan, tuple[float, ...]], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is searched."""

    seconds: float | None = None
    """Of wall-clock time; None: `trials` decide."""
    trials: int | None = None
    """Plans that are tried; None: the time decides. With it the same seed gives the same plan."""
    seed: int = 0
    hot: float = 0.04
    """First temperature, as a share of what an order gains on average."""
    cold: float = 0.001
    """Last temperature."""
    mending: float = 0.95
    """Share of trials that place a few orders anew; the others change priorities and make a whole plan."""


@dataclass(frozen=True, slots=True, eq=False)
class Improved:
    """What a search found."""

    plan: Plan
    values: tuple[float, ...]
    trials: int
    seconds: float


def improve(
    problem: Problem,
    plans: Sequence[Plan] = (),
    effort: Effort = Effort(seconds=2.0),
    *,
    cancelled: Callable[[], bool] | None = None,
    on_better: Told | None = None,
    enough: float = inf,
) -> Improved:
    """The best plan that a search finds, beginning from the best of `plans` (none: an empty one).

    Never worse than any of them. It ends when its effort is spent, when `cancelled` says so, or as soon as
    the first level reaches `enough`; at once where all work is under way.
    """
    best = [*(plans or (_nothing(problem),))]
    if not problem.ops:
        return Improved(best[0], values(problem, best[0]), 0, 0.0)
    clock = _Clock(effort, cancelled, enough)
    for levels, until in ((1, 0.75), (None, 1.0)) if len(problem.levels) > 1 else ((None, 1.0),):
        running = _Running(problem, effort, levels)
        for plan in best:
            running.begin(plan)
        running.resume()
        clock.run(running, until, on_better)
        best.insert(0, running.plan())
    found = max(best, key=lambda plan: _rated(problem, plan))
    return Improved(found, values(problem, found), clock.trials, clock.seconds)


def _rated(problem: Problem, plan: Plan) -> tuple[float, ...]:
    """Values that can be compared though they were added up in another order."""
    return tuple(round(value, 7) for value in values(problem, plan))


class _Clock:
    """How much of the effort is spent."""

    def __init__(self, effort: Effort, cancelled: Callable[[], bool] | None, enough: float) -> None:
        if effort.seconds is None and effort.trials is None:
            raise ValueError("a search needs a time or a number of trials")
        self._effort, self._cancelled, self._enough = effort, cancelled, enough
        self._began = perf_counter()
        self.trials = 0

    @property
    def seconds(self) -> float:
        return perf_counter() - self._began

    def run(self, running: _Running, until: float, on_better: Told | None) -> None:
        """Search up to a share of the effort."""
        told = running.values
        while not self._over(running):
            share, n = self._share(), self._next(until)
            if n < 1 or share >= until:
                return
            running.chunk(n, share, min(self._after(n), until))
            self.trials += n
            if on_better is not None and running.values > told:
                told = running.values
                on_better(running.plan(), told)

    def _over(self, running: _Running) -> bool:
        late = self._effort.seconds is not None and self.seconds >= self._effort.seconds
        done = running.values[0] >= self._enough
        return late or done or (self._cancelled is not None and self._cancelled())

    def _share(self) -> float:
        if self._effort.trials is not None:
            return self.trials / max(self._effort.trials, 1)
        assert self._effort.seconds is not None
        return self.seconds / self._effort.seconds

    def _next(self, until: float) -> int:
        """Trials until the clock is looked at again."""
        if self._effort.trials is not None:
            return min(_CHUNK, ceil(until * self._effort.trials) - self.trials)
        return _CHUNK if not self.trials else max(int(self.trials / self.seconds * _CHUNK_S), 1)

    def _after(self, n: int) -> float:
        """The share of the effort that is spent after so many more trials, as far as can be told."""
        if self._effort.trials is not None:
            return (self.trials + n) / self._effort.trials
        return self._share() + (_CHUNK_S / (self._effort.seconds or 1.0))


class _Running:
    """A search under way, on some levels of a problem."""

    def __init__(self, problem: Problem, effort: Effort, levels: int | None) -> None:
        self.problem, self.effort = problem, effort
        self.generator = Generator(problem, levels)
        self.packed = self.generator.packed
        self.search = self.generator.search
        self.search.state[0] = effort.seed
        gains = self.packed.worth[:1, :, 0] - self.packed.worth[:1, :, -1]
        self.scale = max(float(gains.mean()) if gains.size else 0.0, 1e-9)
        self.trials = 0

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(self.search.best.values.tolist())

    def plan(self) -> Plan:
        """The best so far."""
        return unpacked(self.packed, self.search.best.start, self.search.best.mode)

    def begin(self, plan: Plan) -> tuple[float, ...]:
        """Take a plan into account, as it is and with modes set free."""
        priorities = after(self.problem, plan)
        for one in (priorities, freed(priorities)):
            self._take(one)
        return self.values

    def resume(self) -> None:
        """Go on from the best."""
        self._take(freed(after(self.problem, self.plan())))

    def chunk(self, n: int, share: float, until: float) -> None:
        """So many trials, as the temperature falls from one share of the search to another."""
        from optimization.search_anneal import ANNEAL

        effort = self.effort
        hot, cold = effort.hot * self.scale, effort.cold * self.scale
        first, last = (hot * (cold / hot) ** x for x in (share, until))
        self.generator.act(ANNEAL, n, first, last, effort.mending)
        self.trials += n

    def _take(self, priorities: Priorities) -> None:
        from optimization.search_anneal import BEGIN

        self.generator.want(priorities)
        self.generator.act(BEGIN)


def _nothing(problem: Problem) -> Plan:
    """All that is under way goes on, nothing else is done."""
    held = [NOBODY if op.held is None else op.held for op in problem.ops]
    mode = np.array(held, np.int64)
    return Plan(np.where(mode >= 0, 0, NOBODY).astype(np.int64), mode)

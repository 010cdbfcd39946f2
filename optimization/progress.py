"""The best plan so far, what no plan can pass, and when to end."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import numpy as np

from optimization.checks import check
from optimization.network import soonest
from optimization.problem import Plan, Problem, ends_of
from optimization.result import Incumbent
from optimization.settings import SolveOptions

CLOSE = 1e-6
"""Relative difference below which a bound counts as reached."""


class EndedError(Exception):
    """Time is up, or nobody waits for the result any more."""


class Progress:
    """Takes plans and bounds; every plan is recomputed before it counts."""

    def __init__(
        self,
        problem: Problem,
        options: SolveOptions,
        on_incumbent: Callable[[Incumbent], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.problem, self.options = problem, options
        self.begun = monotonic()
        self.plan: Plan | None = None
        self.values: tuple[float, ...] = ()
        self.bound = self.best_alone()
        self.incumbents: list[Incumbent] = []
        self.bound_known = False
        """Whether a model gave the bound."""
        self._on_incumbent, self._cancelled = on_incumbent, cancelled
        self._stopped = False

    def best_alone(self) -> float:
        """What all jobs would be worth if each were alone."""
        worth = self.problem.levels[0].worth
        return float(worth[np.arange(len(self.problem.jobs)), soonest(self.problem)].sum())

    def offer(self, plan: Plan, source: str) -> bool:
        """Whether the plan is the best so far. Raises BrokenPlanError if it breaks a rule."""
        return self._take(plan, check(self.problem, plan).values, source)

    def _take(self, plan: Plan, values: tuple[float, ...], source: str) -> bool:
        if self.plan is not None and not _better(values, self.values):
            return False
        first = self.plan is None or values[0] > self.values[0]
        self.plan, self.values = plan, values
        self.bound = max(self.bound, values[0]) if self._reached(self.bound, values[0]) else self.bound
        if first:
            bound = self.bound if self.bound_known else None
            self.incumbents.append(Incumbent(self.passed_s, values[0], bound, source))
            if self._on_incumbent is not None:
                self._on_incumbent(self.incumbents[-1])
        return True

    def settle(self, plan: Plan) -> None:
        """Take a plan that is worth no less and ends earlier in all: what waits for nothing doesn't wait."""
        values = check(self.problem, plan).values
        if self.plan is None or self._take(plan, values, "ends early"):
            return
        earlier = ends_of(self.problem, plan).sum() < ends_of(self.problem, self.plan).sum()
        if earlier and not _better(self.values, values):
            self.plan, self.values = plan, values

    def limit(self, bound: float) -> bool:
        """Take a bound on the first level; whether it is the best so far."""
        if not np.isfinite(bound) or bound >= self.bound:
            return False
        if self.plan is not None and bound < self.values[0]:
            if not self._reached(bound, self.values[0]):
                raise RuntimeError(f"a bound of {bound:g} lies below a plan worth {self.values[0]:g}")
            bound = self.values[0]
        self.bound, self.bound_known = bound, True
        return True

    @staticmethod
    def _reached(bound: float, value: float) -> bool:
        return abs(bound - value) <= CLOSE * max(1.0, abs(bound))

    @property
    def gap(self) -> float:
        """Relative; infinite without a plan."""
        if self.plan is None:
            return float("inf")
        if self._reached(self.bound, self.values[0]):
            return 0.0
        return (self.bound - self.values[0]) / max(abs(self.values[0]), 1e-9)

    def enough(self) -> bool:
        """Whether the plan is proven to be as good as was asked for."""
        return self.gap <= self.options.gap

    def target(self) -> float:
        """What a plan must be worth to be good enough by the bound so far."""
        gap = self.options.gap
        return self.bound / (1.0 + gap) if self.bound >= 0 else self.bound / max(1.0 - gap, 1e-9)

    @property
    def passed_s(self) -> float:
        return monotonic() - self.begun

    @property
    def left_s(self) -> float:
        return self.options.time_limit_s - self.passed_s

    def cancelled(self) -> bool:
        if not self._stopped and self._cancelled is not None and self._cancelled():
            self._stopped = True
        return self._stopped

    def over(self) -> bool:
        return self.cancelled() or self.left_s <= 0

    def tick(self) -> None:
        """Raises EndedError when time is up or the call was cancelled."""
        if self.over():
            raise EndedError


def _better(values: tuple[float, ...], than: tuple[float, ...]) -> bool:
    """Lexicographically, beyond rounding."""
    for mine, theirs in zip(values, than, strict=True):
        slack = 1e-9 * max(1.0, abs(theirs))
        if abs(mine - theirs) > slack:
            return mine > theirs
    return False

"""What counts as the best plan, as a bound, and as good enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metagraph.orders import Order, ProfitShape
from optimization.problem import Level, Problem
from optimization.progress import EndedError, Progress
from optimization.result import Incumbent
from optimization.settings import SolveOptions
from tests.optimization.handmade import HOUR, flow_shop, plan_of

ORDERS = (Order("A", 0.0, value=100.0, due_s=2 * HOUR, lost_s=6 * HOUR),)
BEST, LATER, LATEST = plan_of([0]), plan_of([1]), plan_of([3])
"""Worth 90, 80 and 60; more can't be had alone than 90."""


def problem(lost: float = 0.0) -> Problem:
    made = flow_shop(ORDERS, (1,), ProfitShape(1.0, 0.8, 0.8, 0.0, lost), 10)
    early = Level("flow time", "h", -np.arange(12.0)[None, :])
    return replace(made, levels=(*made.levels, early))


def progress(**options: float) -> tuple[Progress, list[Incumbent]]:
    seen: list[Incumbent] = []
    return Progress(problem(), SolveOptions(**options), seen.append, None), seen  # type: ignore[arg-type]


def test_only_better_plans_are_taken() -> None:
    found, seen = progress()
    assert found.bound == pytest.approx(90.0)
    assert found.gap == np.inf
    assert found.offer(LATER, "one")
    assert not found.offer(LATEST, "worse")
    assert not found.offer(LATER, "the same")
    assert found.plan is LATER
    assert found.limit(85.0)
    assert found.gap == pytest.approx(5 / 80)
    assert [(one.objective, one.bound, one.source) for one in seen] == [(80.0, None, "one")]
    with pytest.raises(RuntimeError, match="a bound of 70 lies below a plan worth 80"):
        found.limit(70.0)


def test_a_later_level_decides_between_the_same_profits() -> None:
    same = flow_shop((replace(ORDERS[0], due_s=5 * HOUR),), (1,), ProfitShape(1, 1, 1, 0, 0), 10)
    early = Level("flow time", "h", -np.arange(12.0)[None, :])
    seen: list[Incumbent] = []
    found = Progress(replace(same, levels=(*same.levels, early)), SolveOptions(), seen.append, None)
    assert found.limit(100.0 - 1e-9)
    assert found.offer(LATER, "later")
    assert found.offer(BEST, "sooner")
    assert found.values == (100.0, -1.0)
    assert [one.source for one in seen] == ["later"]
    assert seen[0].bound == pytest.approx(100.0)
    assert found.gap == 0.0


def test_bounds_only_fall_and_those_within_rounding_are_reached() -> None:
    found, _ = progress()
    for worse in (np.nan, np.inf, -np.inf, 90.0, 91.0):
        assert not found.limit(worse)
    assert found.incumbents == []
    found.offer(LATER, "one")
    assert found.limit(80.0 - 1e-7)
    assert (found.bound, found.gap) == (80.0, 0.0)


@pytest.mark.parametrize("bound", [90.0, -90.0])
def test_a_plan_worth_the_target_is_just_enough(bound: float) -> None:
    found, _ = progress(gap=0.1)
    found.bound = bound
    found.plan, found.values = BEST, (found.target(), 0.0)
    assert found.gap == pytest.approx(0.1)
    found.values = (found.target() + 0.01, 0.0)
    assert found.enough()
    found.values = (found.target() - 0.01, 0.0)
    assert not found.enough()


def test_time_is_up_or_nobody_waits() -> None:
    found, _ = progress()
    assert not found.over()
    late, _ = progress(time_limit_s=0.0)
    with pytest.raises(EndedError):
        late.tick()
    asked = iter((False, True, False))
    stopped = Progress(problem(), SolveOptions(), None, lambda: next(asked))
    # Once cancelled it isn't asked again.
    assert [stopped.over() for _ in range(3)] == [False, True, True]


def test_of_plans_worth_the_same_the_one_that_ends_earlier_is_settled_on() -> None:
    same = flow_shop((replace(ORDERS[0], due_s=5 * HOUR),), (1,), ProfitShape(1, 1, 1, 0, 0), 10)
    found = Progress(same, SolveOptions(), None, None)
    assert found.offer(LATER, "later")
    found.settle(LATEST)
    assert found.plan is LATER
    found.settle(BEST)
    assert found.plan is BEST
    found.settle(plan_of([6]))
    assert found.plan is BEST
    assert len(found.incumbents) == 1

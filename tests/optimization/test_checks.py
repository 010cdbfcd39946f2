"""Plans that break a rule are refused in words; what is left is recomputed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metagraph.orders import Order, ProfitShape
from optimization.checks import BrokenPlanError, check
from optimization.problem import Mode, Problem, values
from tests.optimization.handmade import HOUR, flow_shop, lasting, plan_of

SHAPE = ProfitShape(1.0, 0.8, 0.7, 0.2, 0.0)
ORDERS = (
    Order("A", 0.0, value=100.0, due_s=4 * HOUR, lost_s=8 * HOUR),
    Order("B", HOUR, value=50.0, due_s=5 * HOUR, lost_s=6 * HOUR),
)


@pytest.fixture
def problem() -> Problem:
    return flow_shop(ORDERS, (1, 2), SHAPE, 10)


def test_a_good_plan_is_recomputed(problem: Problem) -> None:
    plan = plan_of([0, 1, 1, 3])
    found = check(problem, plan)
    assert found.fulfilled == found.delivered == (3, 5)
    assert found.values == pytest.approx((85.0 + 40.0,)) == values(problem, plan)
    assert (found.on_time, found.late, found.lost) == (2, 0, 0)


def test_an_order_that_is_left_out_is_lost(problem: Problem) -> None:
    found = check(problem, plan_of([0, 1, -1, -1]))
    assert found.fulfilled == (3, 11)
    assert (found.on_time, found.late, found.lost) == (1, 0, 1)


@pytest.mark.parametrize(
    ("starts", "words"),
    [
        ([0, 1, 0, 3], "order B, task t0: it begins 0 h from now .* before it can 1 h from now"),
        ([0, 0, 1, 3], "order A, task t1: it begins 0 h .* t0 before it lets it begin 1 h"),
        ([0, 1, 1, 2], "u1.0: 2 operations at once 2 h from now .*order A, task t1, order B, task t1"),
        ([0, 9, 1, 3], "order A, task t1: u1.0 can't begin it 9 h from now"),
        ([0, 12, 1, 3], "order A, task t1: it begins at point 12, outside the grid of 10"),
        ([-1, 1, 1, 3], "order A, task t1: it is done though t0 before it isn't"),
    ],
)
def test_a_broken_plan_is_refused_in_words(problem: Problem, starts: list[int], words: str) -> None:
    with pytest.raises(BrokenPlanError, match=words):
        check(problem, plan_of(starts))


def test_modes_and_starts_go_together(problem: Problem) -> None:
    with pytest.raises(BrokenPlanError, match="both or neither"):
        check(problem, plan_of([0, 1, 1, 3], [0, 0, 0, -1]))
    with pytest.raises(BrokenPlanError, match="mode 1; it has 1"):
        check(problem, plan_of([0, 1, 1, 3], [0, 0, 0, 1]))


def test_the_table_must_agree_with_the_curves(problem: Problem) -> None:
    wrong = replace(problem.levels[0], worth=problem.levels[0].worth * 1.01)
    with pytest.raises(BrokenPlanError, match=r"order A: .* by its own profit curve"):
        check(replace(problem, levels=(wrong,)), plan_of([0, 1, 1, 3]))


def test_interruptions_are_counted_and_limited(problem: Problem) -> None:
    ops = list(problem.ops)
    ops[0] = replace(ops[0], held=0, held_unit="u0.0")
    level = replace(problem.levels[0], per_preemption=7.0)
    held = replace(problem, ops=tuple(ops), levels=(level,))
    kept, later = plan_of([0, 1, 1, 3]), plan_of([2, 3, 1, 5])
    assert check(held, kept).preempted == ()
    assert check(held, later).preempted == (0,)
    assert check(held, later).values == pytest.approx(values(held, later))
    with pytest.raises(BrokenPlanError, match="1 operations that are under way are interrupted; 0 may be"):
        check(replace(held, most_preempted=0), later)


def test_what_is_bought_is_paid_once(problem: Problem) -> None:
    bought = replace(problem.pools[1], price=5.0)
    pricey = replace(problem, pools=(problem.pools[0], bought))
    assert check(pricey, plan_of([0, 1, 1, 3])).values[0] == pytest.approx(125.0 - 5.0)


def test_a_delay_after_what_comes_before(problem: Problem) -> None:
    ops = list(problem.ops)
    ops[1] = replace(ops[1], lag=np.minimum(np.arange(12) + 1, 11))
    delayed = replace(problem, ops=tuple(ops))
    assert check(delayed, plan_of([0, 2, -1, -1])).fulfilled[0] == 4
    with pytest.raises(BrokenPlanError, match="t0 before it lets it begin 2 h"):
        check(delayed, plan_of([0, 1, -1, -1]))


def test_what_needs_nobody_takes_no_place(problem: Problem) -> None:
    ops = [replace(op, modes=(Mode(-1, HOUR, lasting(1, problem.grid)),)) for op in problem.ops]
    free = replace(problem, ops=tuple(ops))
    assert check(free, plan_of([1, 2, 1, 2])).fulfilled == (3, 3)

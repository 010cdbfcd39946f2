"""Plans that break a rule are refused in words; what is left is recomputed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metagraph.orders import Order, ProfitShape, profit_at
from optimization.checks import BrokenPlanError, check
from optimization.generation import Generator, Priorities
from optimization.problem import Level, Mode, Problem, values
from tests.optimization.handmade import HOUR, flow_shop, lasting, plan_of
from tests.optimization.problems import RICH, small_problem

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
    assert check(held, kept).values == pytest.approx((125.0,))
    assert check(held, later).preempted == (0,)
    assert check(held, later).values == pytest.approx(values(held, later))
    assert check(replace(held, most_preempted=1), later).preempted == (0,)
    with pytest.raises(BrokenPlanError, match="1 operations that are under way are interrupted; 0 may be"):
        check(replace(held, most_preempted=0), later)


def test_work_under_way_that_goes_to_another_mode_at_once_is_interrupted(problem: Problem) -> None:
    ops = list(problem.ops)
    ops[0] = replace(ops[0], modes=(ops[0].modes[0], Mode(-1, HOUR, ops[0].modes[0].ends)), held=0)
    held = replace(problem, ops=tuple(ops))
    assert check(held, plan_of([0, 1, 1, 3], [1, 0, 0, 0])).preempted == (0,)
    with pytest.raises(BrokenPlanError, match="are interrupted"):
        check(replace(held, most_preempted=0), plan_of([0, 1, 1, 3], [1, 0, 0, 0]))


def test_a_plan_names_every_operation_once(problem: Problem) -> None:
    for starts, modes in (([0, 1, 1], [0, 0, 0]), ([0, 1, 1], [0] * 4), ([0, 1, 1, 3], [0] * 3)):
        with pytest.raises(BrokenPlanError, match=r"starts and .* modes for 4 operations"):
            check(problem, plan_of(starts, modes))


def test_work_may_last_until_the_horizon_ends_and_no_longer(problem: Problem) -> None:
    assert check(problem, plan_of([0, 8, 1, 3])).fulfilled == (10, 5)
    with pytest.raises(BrokenPlanError, match="can't begin it 9 h"):
        check(problem, plan_of([0, 9, 1, 3]))


def test_work_takes_time(problem: Problem) -> None:
    ops = list(problem.ops)
    ops[1] = replace(ops[1], modes=(Mode(1, HOUR, lasting(0, problem.grid)),))
    with pytest.raises(BrokenPlanError, match=r"it is over 1 h .* not after its begin"):
        check(replace(problem, ops=tuple(ops)), plan_of([0, 1, 1, 3]))


def test_what_goes_on_beside_the_plan_holds_an_order_back(problem: Problem) -> None:
    floored = replace(problem, jobs=(replace(problem.jobs[0], floor=7), problem.jobs[1]))
    found = check(floored, plan_of([0, 1, 1, 3]))
    assert found.fulfilled == (7, 5)
    assert (found.on_time, found.late, found.lost) == (1, 1, 0)
    assert found.values == pytest.approx(values(floored, plan_of([0, 1, 1, 3])))


def test_other_levels_than_profit_have_no_curves(problem: Problem) -> None:
    hours = Level("flow time", "h", -np.tile(np.arange(12.0), (2, 1)))
    assert check(replace(problem, levels=(*problem.levels, hours)), plan_of([0, 1, 1, 3])).values == (
        pytest.approx((125.0, -8.0))
    )
    found = check(replace(problem, levels=(hours,)), plan_of([0, 1, 1, 3]))
    assert found.delivered == found.fulfilled == (3, 5)


def test_what_is_bought_is_paid_once(problem: Problem) -> None:
    bought = replace(problem.pools[1], price=5.0)
    pricey = replace(problem, pools=(problem.pools[0], bought))
    assert check(pricey, plan_of([0, 1, 1, 3])).values[0] == pytest.approx(125.0 - 5.0)
    assert check(pricey, plan_of([0, -1, 1, -1])).values == (0.0,)
    unpaid = replace(pricey, levels=(replace(problem.levels[0], prices=False),))
    assert check(unpaid, plan_of([0, 1, 1, 3])).values == pytest.approx((125.0,))
    free = tuple(replace(op, modes=(replace(op.modes[0], pool=-1),)) for op in problem.ops)
    assert check(replace(pricey, ops=free), plan_of([0, 1, 1, 3])).values == pytest.approx((125.0,))


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


def test_any_table_by_the_curves_is_taken_and_no_other() -> None:
    for seed in range(60):
        problem = small_problem(seed, RICH)
        n = len(problem.ops)
        found = Generator(problem).plan(Priorities(np.random.default_rng(seed).random(n)))
        for plan in (found, plan_of([-1] * n)):
            if problem.most_preempted is None:
                assert check(problem, plan).values == pytest.approx(values(problem, plan))
                for by in (-0.1, 0.1):
                    wrong = replace(problem.levels[0], worth=problem.levels[0].worth + by)
                    with pytest.raises(BrokenPlanError, match="by its own profit curve"):
                        check(replace(problem, levels=(wrong,)), plan)


@pytest.mark.parametrize("by_s", [1e-4, -1e-4])
def test_an_instant_may_miss_a_date_by_rounding(problem: Problem, by_s: float) -> None:
    """A's last point in time is 8, by the table as it was made or by one that thinks 8 is late already."""
    told = problem.levels[0].worth.copy()
    assert told[0, 8] == pytest.approx(20.0)
    told[0, 8] = told[0, 8] if by_s < 0 else told[0, 9]

    def lost_at(t: float) -> Problem:
        job = replace(problem.jobs[0], order=replace(ORDERS[0], lost_s=t))
        level = replace(problem.levels[0], worth=told)
        return replace(problem, jobs=(job, problem.jobs[1]), levels=(level,))

    plan = plan_of([0, 6, 1, 3])
    assert check(lost_at(8 * HOUR + by_s), plan).fulfilled[0] == 8
    with pytest.raises(BrokenPlanError, match="profit curve"):
        check(lost_at(8 * HOUR + by_s * 1e4), plan)


def test_orders_are_kept_until_they_are_worth_most() -> None:
    kept = 0
    for seed in range(60):
        problem = small_problem(seed, RICH)
        plan = Generator(problem).plan(Priorities(np.arange(float(len(problem.ops)))))
        found = check(replace(problem, most_preempted=None), plan)
        for job, t, at, worth in zip(
            problem.jobs, found.fulfilled, found.delivered, problem.levels[0].worth, strict=True
        ):
            points = range(t, problem.grid.periods + 1)
            by_point = {p: profit_at(job.order, job.shape, problem.grid.at(p)) for p in points}
            most = max(by_point.values(), default=0.0)
            reached = [p for p in points if most >= worth[t] - 1e-9 and by_point[p] > most - 1e-9]
            assert at == (reached[0] if reached else t)
            kept += at > t
    assert kept > 5


def test_orders_are_told_by_their_dates() -> None:
    """Fulfilled at 3 and at 5, due at 4 and 5, lost from 8 and 6 on."""

    def kinds(starts: list[int], orders: tuple[Order, ...] = ORDERS) -> tuple[int, int, int]:
        made = flow_shop(orders, (1, 2), SHAPE, 10)
        found = check(made, plan_of(starts))
        return found.on_time, found.late, found.lost

    assert kinds([0, 2, 1, 4]) == (1, 1, 0)
    assert kinds([0, 3, 2, 5]) == (0, 1, 1)
    assert kinds([0, 6, 1, 4]) == (0, 2, 0)
    assert kinds([0, 7, 1, 4]) == (0, 1, 1)
    dateless = tuple(replace(order, lost_s=None) for order in ORDERS)
    assert kinds([0, 8, 1, 3], dateless) == (1, 1, 0)
    with pytest.raises(
        BrokenPlanError, match=r"order B: 35 if .* beyond the horizon, by its own profit curve 0"
    ):
        kinds([0, 8, -1, -1], dateless)
    by_rounding = tuple(
        replace(order, due_s=order.due_s - 1e-4, lost_s=order.lost_s - 1e-4)
        for order in ORDERS
        if order.due_s and order.lost_s
    )
    assert kinds([0, 2, 1, 4], by_rounding) == (1, 1, 0)

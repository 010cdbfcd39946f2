"""What a plan comes to, order by order and agent by agent."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from metagraph.orders import Order, ProfitShape
from optimization.checks import BrokenPlanError
from optimization.outcome import on_time_share, order_outcomes, rule_outcomes
from optimization.problem import Plan, Problem, values
from tests.optimization.handmade import HOUR, flow_shop, plan_of
from tests.optimization.problems import TINY, plans, small_problem

SHAPE = ProfitShape(1.0, 0.8, 0.7, 0.2, 0.0)
ORDERS = (
    Order("A", 0.0, value=100.0, due_s=4 * HOUR, lost_s=8 * HOUR),
    Order("B", HOUR, value=50.0, due_s=5 * HOUR, lost_s=6 * HOUR),
    Order("C", 0.0, value=10.0, lost_s=20 * HOUR),
)


@pytest.fixture
def problem() -> Problem:
    return flow_shop(ORDERS, (1, 2), SHAPE, 10)


def test_orders_on_time_late_and_left_out(problem: Problem) -> None:
    a, b, c = order_outcomes(problem, plan_of([0, 1, 1, 4, -1, -1]))
    assert [one.standing for one in (a, b, c)] == ["on time", "late", "left out"]
    assert (a.done_s, a.slack_s, b.slack_s) == (3 * HOUR, HOUR, -HOUR)
    assert (a.profit, b.profit) == pytest.approx((85.0, 10.0))
    assert (c.done_s, c.slack_s, c.profit) == (None, None, 0.0)
    # Alone A would be done at 3 h and B, which comes at 1 h, at 4 h.
    assert (a.at_best, b.at_best) == pytest.approx((85.0, 42.5))
    assert on_time_share((a, b, c)) == 0.5, "only orders with a due date count"
    assert order_outcomes(problem, plan_of([0, 1, -1, -1, -1, -1]))[1].standing == "lost"
    assert order_outcomes(problem, plan_of([0, 1, -1, -1, 1, 3]))[2].standing == "planned"


def test_an_order_that_is_worth_more_later_is_kept(problem: Problem) -> None:
    jobs = (replace(problem.jobs[0], shape=ProfitShape(0.0, 1.0, 0.7, 0.2, 0.0)), *problem.jobs[1:])
    worth = problem.levels[0].worth.copy()
    worth[0, :5] = 100.0
    changed = replace(problem, jobs=jobs, levels=(replace(problem.levels[0], worth=worth),))
    kept = order_outcomes(changed, plan_of([0, 1, -1, -1, -1, -1]))[0]
    assert (kept.done_s, kept.delivered_s, kept.profit) == (3 * HOUR, 4 * HOUR, 100.0)


def test_profits_of_orders_add_up_to_the_plans() -> None:
    for seed in range(20):
        found = small_problem(seed, TINY)
        for plan in islice(plans(found), 0, 60, 7):
            total = sum(one.profit or 0.0 for one in order_outcomes(found, plan))
            interrupted = values(found, plan)[0]
            assert total >= interrupted - 1e-9
            if found.levels[0].per_preemption == 0:
                assert total == pytest.approx(interrupted)


def test_rules_are_ranked_by_what_counts(problem: Problem) -> None:
    nothing = Plan(np.full(6, -1), np.full(6, -1))
    found = rule_outcomes(problem, {"none": nothing, "A": plan_of([0, 1, -1, -1, -1, -1]), "also": nothing})
    assert [rule.rule for rule in found] == ["A", "none", "also"]
    assert (found[0].on_time, found[1].on_time) == (0.5, 0.0)


def test_a_broken_plan_has_no_outcome(problem: Problem) -> None:
    with pytest.raises(BrokenPlanError):
        order_outcomes(problem, plan_of([0, 0, -1, -1, -1, -1]))

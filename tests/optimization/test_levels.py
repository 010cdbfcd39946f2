"""What counts in a plan: tables against what can be reckoned by hand, and which levels are taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from metagraph.errors import UsageError
from metagraph.instances import instance_of
from metagraph.orders import profit_at
from optimization.levels import levels_of
from optimization.problem import Problem
from optimization.settings import LevelName, Preemption, Settings, SolveOptions
from optimization.solve import solve
from optimization.stn import build_problem
from tests.optimization.handmade import HOUR
from tests.optimization.problems import TINY, best_by_trying, small_problem

DATED = {"T_r": 0, "T_d": 4, "T_ls": 8}


def planned(orders: list[dict[str, Any]], **settings: Any) -> Problem:
    """Two tasks in a row, of 1 and 2 h, from hour 2 on; profits as in Figure 1 fall to 0.9 and 0.5."""
    raw: dict[str, Any] = {
        "tasks": {"cut": {"agents": ["A"], "h": 1}, "sew": {"agents": ["B"], "h": 2, "preds": ["cut"]}},
        "profit_rule": {"p_e": 1, "p_d": 1, "p_l": 0.9, "p_f": 0.5, "p_ls": -0.1},
        "at_h": 2,
        "orders": [{"id": str(i), **order} for i, order in enumerate(orders, 1)],
    }
    if not any("value" in order for order in orders):
        del raw["profit_rule"]
    found = instance_of(raw, "i.json")
    wanted = Settings(dt_s=HOUR, **{"horizon": "fixed", "horizon_s": 8 * HOUR, **settings})
    return build_problem(found.metagraph, found.state, found.orders, found.origin, wanted)


def names(problem: Problem) -> tuple[str, ...]:
    return tuple(level.name for level in problem.levels)


def told(problem: Problem, text: str) -> bool:
    return any(text in note for note in problem.notes)


def test_values_and_dates_make_profit_alone_count() -> None:
    problem = planned([{**DATED, "value": 100}])
    assert names(problem) == ("profit",)
    # From hour 2 on: due at 4, lost after 8.
    assert problem.levels[0].worth[0] == pytest.approx([100, 100, 100, 80, 70, 60, 50, -10, -10, -10])
    assert not told(problem, "no value")


def test_without_values_flow_time_counts_and_lateness_where_there_are_due_dates() -> None:
    problem = planned([{"T_r": 1}, {"T_r": 0}])
    assert names(problem) == ("flow time",)
    assert told(problem, "The orders have no values: the plan makes the sum of the times from release to")
    # Released at 1 and at 0; what isn't done counts as begun at the horizon's end, 3 h of work before it.
    flow = problem.levels[0].worth
    assert flow[0].tolist() == [-1, -2, -3, -4, -5, -6, -7, -8, -9, -12]
    assert (flow[0] - flow[1] == 1).all()
    problem = planned([{"T_r": 1, "T_d": 4}, {"T_r": 0}])
    assert names(problem) == ("flow time", "lateness")
    assert problem.levels[1].worth[0].tolist() == [0, 0, 0, -1, -2, -3, -4, -5, -6, -9]
    assert not problem.levels[1].worth[1].any()
    assert told(problem, "completion small, then the hours beyond due dates")
    assert told(problem, "1 of 2 orders have no due date and are never late")


def test_flow_time_decides_where_profit_leaves_it_open() -> None:
    problem = planned([{**DATED, "value": 100}, {"T_r": 0}])
    assert names(problem) == ("profit", "flow time")
    assert told(
        problem, "1 of 2 orders have no value and count nothing in the profit; of plans with the same"
    )
    assert problem.levels[0].worth[1].tolist() == [0.0] * 10
    for open_ended in ({"T_r": 0, "value": 5}, {"T_r": 0, "T_ls": 6, "value": 5}):
        problem = planned([{**DATED, "value": 100}, open_ended])
        assert names(problem) == ("profit", "flow time")
        assert told(problem, "1 of 2 orders are worth the same whenever they are done in time; flow time")
    # At one point only, or at none, an order can be done in time: that leaves nothing open.
    for lost_h in (5.5, 4.5):
        assert names(planned([{**DATED, "value": 100}, {"T_r": 0, "T_ls": lost_h, "value": 5}])) == (
            "profit",
        )
    # What is lost already is worth the same whatever is done, and decides nothing.
    assert names(planned([{**DATED, "value": 100}, {"T_r": 0, "T_d": 1, "T_ls": 1.5, "value": 5}])) == (
        "profit",
    )


def test_profits_as_tables_are_kept_until_they_are_worth_most() -> None:
    points = [[3, 0], [5, 60], [7, 60], [7, 20]]
    problem = planned([{"T_r": 0, "profit_points_h": points}])
    assert names(problem) == ("profit",)
    assert problem.levels[0].worth[0].tolist() == [60] * 6 + [20, 20, 20, 0]
    order = problem.jobs[0].order
    assert profit_at(order, None, 4 * HOUR) == 30.0


@pytest.mark.parametrize(
    "orders", [[{**DATED, "value": 9}], [{**DATED}], [{**DATED, "value": 9}, {"T_r": 1}]]
)
def test_every_table_descends(orders: list[dict[str, Any]]) -> None:
    for level in planned(orders).levels:
        assert (np.diff(level.worth, axis=1) <= 0).all()
        assert level.worth.shape == (len(orders), 10)


def test_levels_that_are_asked_for_come_in_that_order() -> None:
    problem = planned([{**DATED, "value": 9}], levels=("lateness", "preemptions", "profit"))
    assert names(problem) == ("lateness", "preemptions", "profit")
    assert [level.unit for level in problem.levels] == ["h", "", "money"]
    assert [level.per_preemption for level in problem.levels] == [0.0, 1.0, 0.0]
    assert [level.prices for level in problem.levels] == [False, False, True]
    assert not problem.levels[1].worth.any()


def test_a_penalty_is_money() -> None:
    fee = Preemption(penalty=7.0)
    assert planned([{**DATED, "value": 9}], preemption=fee).levels[0].per_preemption == 7.0
    problem = planned([DATED], preemption=fee)
    assert problem.levels[0].per_preemption == 0.0
    assert told(problem, "penalty for interruptions is money and isn't weighed")


@pytest.mark.parametrize(
    ("orders", "levels", "told"),
    [
        ([{"T_r": 0}], ("profit",), "no order has a value, so no plan has a profit"),
        ([{"T_r": 0}], ("lateness",), "no order has a due date, so none is late"),
        ([DATED], ("lateness", "lateness"), "lateness is asked for 2 times"),
        ([DATED], ("speed",), "'speed' can't be asked for: take one or more of profit, flow time, lateness"),
    ],
)
def test_levels_that_cannot_be_are_refused(
    orders: list[dict[str, Any]], levels: tuple[Any, ...], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        planned(orders, levels=levels)


ORDERS_OF_LEVELS: tuple[tuple[LevelName, ...], ...] = (
    ("profit", "lateness", "preemptions"),
    ("flow time", "lateness"),
    ("lateness", "profit", "flow time"),
    ("preemptions", "flow time"),
    ("profit", "flow time", "lateness", "preemptions"),
)


def test_what_comes_first_is_never_given_up_for_what_comes_next() -> None:
    """The solver's plans of tiny problems against the best in dictionary order among all plans there are."""
    solved = shared = 0
    for seed in range(60):
        problem = small_problem(seed, replace(TINY, prices=True))
        wanted = ORDERS_OF_LEVELS[seed % len(ORDERS_OF_LEVELS)]
        if "lateness" in wanted and all(job.order.due_s is None for job in problem.jobs):
            continue
        fee = Preemption(penalty=problem.levels[0].per_preemption)
        levels, _ = levels_of(
            problem.jobs, problem.ops, problem.grid, Settings(levels=wanted, preemption=fee)
        )
        problem = replace(problem, levels=levels)
        best, _ = best_by_trying(problem)
        found = solve(problem, SolveOptions(gap=0.0)).values
        assert found == pytest.approx(best, rel=1e-4, abs=1e-3), (seed, wanted)
        first, _ = best_by_trying(replace(problem, levels=levels[-1:]))
        shared += first[0] == best[-1]
        solved += 1
    assert solved > 50
    assert shared < solved, "the last level never had to stand back"

"""The search for better plans, beside plans found by trying all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metagraph.orders import Order, ProfitShape
from optimization.checks import check
from optimization.generation import Generator, Priorities
from optimization.improvement import Effort, Improved, improve
from optimization.packing import heads
from optimization.problem import NOBODY, Plan, Problem, values
from tests.optimization.handmade import HOUR, flow_shop
from tests.optimization.problems import RICH, TINY, best_by_trying, small_problem

SHAPE = ProfitShape(1.0, 0.8, 0.7, 0.2, 0.0)
SHORT = Effort(trials=600)


def some_plan(problem: Problem) -> Plan:
    return Generator(problem).plan(Priorities(np.zeros(len(problem.ops))))


def searched(problem: Problem, effort: Effort = SHORT) -> Improved:
    found = improve(problem, effort=effort)
    assert check(problem, found.plan).values == pytest.approx(found.values)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_tiny_problems_are_solved(seed: int) -> None:
    problem = small_problem(seed, TINY)
    best, _ = best_by_trying(problem)
    assert searched(problem).values == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_never_worse_than_what_it_began_with(seed: int) -> None:
    """With several levels, prices, interruptions."""
    problem = small_problem(seed, RICH)
    plan = some_plan(problem)
    found = improve(problem, [plan], Effort(trials=200))
    check(problem, found.plan)
    assert [round(v, 6) for v in found.values] >= [round(v, 6) for v in values(problem, plan)]


@pytest.mark.parametrize("seed", range(10))
def test_the_same_seed_gives_the_same_plan(seed: int) -> None:
    problem = small_problem(seed, RICH)
    one, other = searched(problem), searched(problem)
    assert one.plan.start.tolist() == other.plan.start.tolist()
    assert one.plan.mode.tolist() == other.plan.mode.tolist()


@pytest.mark.parametrize("seed", range(30))
def test_more_units_and_later_lost_dates_are_never_worse(seed: int) -> None:
    """By trying all of them, and by the search, which finds those plans."""
    problem = small_problem(seed, TINY)
    more = replace(
        problem,
        pools=tuple(
            replace(p, units=(*p.units, f"{p.units[0]}+"), capacity=p.capacity + 1) for p in problem.pools
        ),
    )
    assert best_by_trying(more)[0] >= best_by_trying(problem)[0]
    assert searched(more).values[0] >= best_by_trying(problem)[0][0] - 1e-6


def test_an_order_lost_later_is_worth_no_less() -> None:
    def best(lost_h: float) -> float:
        orders = [
            Order(str(i), 0.0, value=100.0, due_s=4 * HOUR, lost_s=(lost_h + i) * HOUR) for i in range(3)
        ]
        return searched(flow_shop(orders, (1, 2), SHAPE, 12)).values[0]

    found = [best(hours) for hours in (4.0, 5.0, 7.0, 9.0)]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_the_search_ends_when_told_or_when_enough_is_found() -> None:
    orders = [Order(str(i), 0.0, value=100.0, due_s=4 * HOUR, lost_s=9 * HOUR) for i in range(3)]
    problem = flow_shop(orders, (1, 2), SHAPE, 12)
    assert improve(problem, effort=Effort(seconds=60.0), cancelled=lambda: True).trials == 0
    told: list[tuple[float, ...]] = []
    found = improve(problem, effort=Effort(seconds=60.0), on_better=lambda _, v: told.append(v), enough=1.0)
    assert found.values[0] >= 1.0
    assert found.seconds < 60.0
    assert told == sorted(told)
    assert told[-1] == pytest.approx(found.values)
    with pytest.raises(ValueError, match="a time or a number of trials"):
        improve(problem, effort=Effort())


def test_nothing_to_do_is_a_plan() -> None:
    problem = flow_shop([], (1, 2), SHAPE, 3)
    assert searched(problem).values == (0.0,)


def test_when_an_order_can_begin_alone() -> None:
    problem = flow_shop([Order("A", HOUR, value=1.0)], (1, 2, 8), SHAPE, 10)
    assert heads(problem).tolist() == [1, 2, problem.grid.never]


def test_interruptions_that_pay_are_found_and_others_are_not_made() -> None:
    """A long operation is under way in the only place; an urgent order needs it at once."""
    orders = [
        Order("long", 0.0, value=100.0, due_s=11 * HOUR, lost_s=11 * HOUR),
        Order("urgent", 0.0, value=100.0, due_s=2 * HOUR, lost_s=2 * HOUR),
    ]
    problem = flow_shop(orders, (2,), ProfitShape(1.0, 1.0, 0.5, 0.5, 0.0), 12)
    ops = (replace(problem.ops[0], held=0, held_unit="u0.0"), problem.ops[1])
    cheap = replace(problem, ops=ops)
    assert searched(cheap).plan.start.tolist() == [2, 0]
    dear = replace(cheap, levels=(replace(problem.levels[0], per_preemption=150.0),))
    assert searched(dear).plan.start.tolist() == [0, NOBODY]
    assert searched(replace(cheap, most_preempted=0)).plan.start.tolist() == [0, NOBODY]

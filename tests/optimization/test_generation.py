"""Laws of serial generation, on random problems and beside plans found by trying all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metagraph.orders import Order, ProfitShape
from optimization.checks import check
from optimization.generation import Generator, Priorities, after
from optimization.problem import Ints, Problem, values
from tests.optimization.handmade import HOUR, flow_shop, plan_of
from tests.optimization.problems import RICH, TINY, best_by_trying, small_problem

SHAPE = ProfitShape(1.0, 0.8, 0.7, 0.2, 0.0)


@pytest.mark.parametrize("seed", range(60))
def test_every_plan_passes_the_checks(seed: int) -> None:
    problem = small_problem(seed, RICH)
    generator, random = Generator(problem), np.random.default_rng(seed)
    for _ in range(5):
        keep = random.integers(0, 2, len(problem.ops)) if problem.most_preempted is None else None
        plan = generator.plan(
            Priorities(
                random.random(len(problem.ops)), keep=keep, use=random.integers(0, 2, len(problem.jobs))
            )
        )
        assert check(problem, plan).values == pytest.approx(generator.values)
        check(problem, generator.justified(Priorities(random.random(len(problem.ops)))))


@pytest.mark.parametrize("seed", range(60))
def test_the_order_of_a_best_plan_gives_a_best_plan(seed: int) -> None:
    """Also on grids shifted in time: only differences count."""
    problem = small_problem(seed, TINY)
    best, plan = best_by_trying(problem)
    again = Generator(problem).plan(after(problem, plan))
    assert values(problem, again) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_justification_never_makes_a_plan_worse(seed: int) -> None:
    problem = small_problem(seed, RICH)
    generator = Generator(problem)
    priorities = Priorities(np.random.default_rng(seed).random(len(problem.ops)))
    plan = generator.plan(priorities)
    assert values(problem, generator.justified(priorities)) >= values(problem, plan)


def test_justification_pulls_a_plan_together() -> None:
    """C's short work was placed in the middle: shifted to its due date, it makes room for B."""
    dates = {"A": 4, "B": 4, "C": 9}
    orders = [Order(n, 0.0, value=90.0, due_s=h * HOUR, lost_s=h * HOUR) for n, h in dates.items()]
    problem = flow_shop(orders, (2,), ProfitShape(1.0, 1.0, 0.0, 0.0, 0.0), 10)
    generator = Generator(problem)
    last_first = Priorities(np.array([1.0, 3.0, 2.0]))
    assert check(problem, generator.plan(last_first)).lost == 1
    assert generator.justified(last_first).start.tolist() == [2, 0, 4]


def in_turn(problem: Problem, jobs: Ints) -> Priorities:
    """One order after the other, all of its operations at once."""
    place = np.empty(len(problem.jobs))
    place[jobs] = np.arange(len(problem.jobs))
    return Priorities(np.array([place[op.job] for op in problem.ops], np.float64))


def test_low_keys_go_first_and_orders_in_turn() -> None:
    orders = [Order(name, 0.0, value=100.0, due_s=9 * HOUR, lost_s=9 * HOUR) for name in "AB"]
    problem = flow_shop(orders, (1, 2), SHAPE, 10)
    generator = Generator(problem)
    assert generator.plan(Priorities(np.array([5.0, 5.0, 1.0, 1.0]))).start.tolist() == [1, 3, 0, 1]
    assert generator.plan(in_turn(problem, np.array([1, 0]))).start.tolist() == [1, 3, 0, 1]
    assert generator.plan(in_turn(problem, np.array([0, 1]))).start.tolist() == [0, 1, 1, 3]


def test_an_order_that_can_gain_nothing_takes_no_place() -> None:
    orders = [
        Order("late", 0.0, value=900.0, due_s=HOUR, lost_s=2 * HOUR),
        Order("B", 0.0, value=100.0, due_s=9 * HOUR, lost_s=9 * HOUR),
    ]
    problem = flow_shop(orders, (1, 2), SHAPE, 10)
    plan = Generator(problem).plan(in_turn(problem, np.array([0, 1])))
    assert plan.start.tolist() == [-1, -1, 0, 1]


def test_work_under_way_goes_on_unless_it_is_said_otherwise() -> None:
    orders = [Order(name, 0.0, value=100.0, due_s=9 * HOUR, lost_s=9 * HOUR) for name in "AB"]
    problem = flow_shop(orders, (2, 2), SHAPE, 10)
    ops = (replace(problem.ops[0], held=0, held_unit="u0.0"), *problem.ops[1:])
    held = replace(problem, ops=ops)
    keys = np.array([9.0, 9.0, 0.0, 0.0])
    generator = Generator(held)
    assert generator.plan(Priorities(keys)).start.tolist() == [0, 2, 2, 4]
    assert generator.plan(Priorities(keys, keep=np.zeros(4, np.int64))).start.tolist() == [2, 4, 0, 2]
    strict = Generator(replace(held, most_preempted=0))
    strict.plan(Priorities(keys, keep=np.zeros(4, np.int64)))
    assert strict.values == (-np.inf,)


def test_shifting_everything_changes_nothing() -> None:
    """All dates and the grid three hours later: the same plan."""
    orders = [
        Order(str(i), i * HOUR, value=50.0 + 10 * i, due_s=(6 + i) * HOUR, lost_s=(9 + i) * HOUR)
        for i in range(4)
    ]
    problem = flow_shop(orders, (1, 2, 1), SHAPE, 14)
    late = [
        replace(o, release_s=o.release_s + 3 * HOUR, due_s=o.due_s + 3 * HOUR, lost_s=o.lost_s + 3 * HOUR)
        for o in orders
        if o.due_s is not None and o.lost_s is not None
    ]
    shifted = flow_shop(late, (1, 2, 1), SHAPE, 17)
    keys = np.random.default_rng(1).random(12)
    one, other = (Generator(p).plan(Priorities(keys)) for p in (problem, shifted))
    assert np.where(one.start < 0, -1, one.start + 3).tolist() == other.start.tolist()
    assert values(problem, one) == pytest.approx(values(shifted, other))


def test_nothing_is_given_to_what_is_not_bought() -> None:
    orders = [Order("A", 0.0, value=100.0, due_s=9 * HOUR, lost_s=9 * HOUR)]
    problem = flow_shop(orders, (1, 2), SHAPE, 10)
    bought = replace(problem, pools=(problem.pools[0], replace(problem.pools[1], price=5.0)))
    generator = Generator(bought)
    assert generator.plan(Priorities(np.zeros(2))).start.tolist() == [0, 1]
    assert generator.values[0] == pytest.approx(values(problem, plan_of([0, 1]))[0] - 5.0)
    closed = Priorities(np.zeros(2), closed=np.array([0, 1]))
    assert generator.plan(closed).start.tolist() == [-1, -1]

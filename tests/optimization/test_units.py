"""Units of pools, and plans as schedules and back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from metagraph.orders import Order, ProfitShape
from metagraph.schedule import Assignment, Schedule
from optimization.checks import check
from optimization.generation import Generator, Priorities
from optimization.plan_schedule import plan_of, schedule_of
from optimization.problem import NOBODY, Plan, Problem, Running, ends_of, values
from optimization.units import units_of
from tests.optimization.handmade import HOUR, flow_shop, lasting
from tests.optimization.handmade import plan_of as starting
from tests.optimization.problems import RICH, small_problem

SHAPE = ProfitShape(1.0, 0.8, 0.7, 0.2, 0.0)
ORDERS = tuple(Order(name, 0.0, value=100.0, due_s=9 * HOUR, lost_s=9 * HOUR) for name in "ABC")


def some_plan(problem: Problem, seed: int) -> Plan:
    return Generator(problem).plan(Priorities(np.random.default_rng(seed).random(len(problem.ops))))


@pytest.mark.parametrize("seed", range(60))
def test_no_unit_has_more_at_once_than_it_has_places(seed: int) -> None:
    problem = small_problem(seed, RICH)
    plan = some_plan(problem, seed)
    units, ends = units_of(problem, plan), ends_of(problem, plan)
    for pool in range(len(problem.pools)):
        places = Counter(problem.pools[pool].units)
        for t in range(problem.grid.periods):
            here = Counter(
                unit for i, unit in enumerate(units) if unit in places and plan.start[i] <= t < ends[i]
            )
            assert all(here[unit] <= places[unit] for unit in here)
    for i, op in enumerate(problem.ops):
        if op.held is not None and plan.start[i] == 0 and plan.mode[i] == op.held:
            assert units[i] == op.held_unit
        assert bool(units[i]) == (plan.mode[i] >= 0 and op.modes[int(plan.mode[i])].pool != NOBODY)


def two_places() -> Problem:
    return flow_shop(ORDERS, (2, 2), SHAPE, 10, places=(2, 2))


def test_an_order_stays_with_whoever_had_it() -> None:
    problem = two_places()
    same = tuple(replace(op, modes=(replace(op.modes[0], pool=0),)) for op in problem.ops)
    plan = starting([0, 2, 0, 2, 4, 6])
    assert units_of(replace(problem, ops=same), plan) == ["u0.0", "u0.0", "u0.1", "u0.1", "u0.0", "u0.0"]


def test_interrupted_work_goes_back_to_who_began_it() -> None:
    problem = two_places()
    ops = (replace(problem.ops[0], held=0, held_unit="u0.1"), *problem.ops[1:])
    held = replace(problem, ops=ops)
    assert units_of(held, starting([0, 2, 0, 2, 2, 4]))[:3] == ["u0.1", "u1.0", "u0.0"]
    assert units_of(held, starting([3, 5, 0, 2, 3, 5]))[0] == "u0.1"


def test_who_had_least_to_do_comes_next() -> None:
    """Until 6 u0.0 has worked 5 periods and u0.1 the last one; both are free then."""
    problem = flow_shop((*ORDERS, Order("D", 0.0, value=1.0)), (1,), SHAPE, 10, places=(2,))
    first = replace(problem.ops[0].modes[0], ends=lasting(5, problem.grid))
    found = replace(problem, ops=(replace(problem.ops[0], modes=(first,)), *problem.ops[1:]))
    assert units_of(found, starting([0, 5, 6, -1])) == ["u0.0", "u0.1", "u0.1", ""]


def test_more_at_once_than_there_are_places_is_refused() -> None:
    with pytest.raises(RuntimeError, match="no unit is free at point 1"):
        units_of(two_places(), starting([0, 2, 0, 2, 1, 3]))


def test_work_that_runs_to_its_end_keeps_its_unit() -> None:
    problem = two_places()
    running = Running("X", "t0", "u0.0", -HOUR, 1)
    pool = replace(problem.pools[0], capacity=np.array([1] + [2] * 9))
    found = replace(problem, running=(running,), pools=(pool, problem.pools[1]))
    plan = starting([0, 2, 1, 3, 2, 4])
    check(found, plan)
    assert units_of(found, plan)[::2] == ["u0.1", "u0.0", "u0.1"]


def test_a_schedule_names_agents_ranks_and_instants() -> None:
    problem = replace(two_places(), running=(Running("X", "t1", "u1.0", -HOUR, 1),))
    schedule = schedule_of(problem, starting([1, 3, 0, 2, -1, -1]))
    assert schedule.assignments == (
        Assignment("X", "t1", "u1.0", -1.0, -HOUR, HOUR),
        Assignment("B", "t0", "u0.0", 0.0, 0.0, 2 * HOUR),
        Assignment("A", "t0", "u0.1", 1.0, HOUR, 3 * HOUR),
        Assignment("B", "t1", "u1.1", 2.0, 2 * HOUR, 4 * HOUR),
        Assignment("A", "t1", "u1.0", 3.0, 3 * HOUR, 5 * HOUR),
    )
    nobodys = replace(problem, running=(*problem.running, Running("X", "dry", "", -HOUR, 2)))
    assert schedule_of(nobodys, starting([1, 3, 0, 2, -1, -1])).assignments == schedule.assignments
    late = schedule_of(problem, starting([1, 3, 0, 2, -1, -1]), lambda agent, t: t + (agent == "u0.0") * 60)
    assert late.assignments[1].start_s == 60.0
    # Work that goes on has begun already.
    ops = (*problem.ops[:2], replace(problem.ops[2], held=0, held_unit="u0.0"), *problem.ops[3:])
    goes_on = schedule_of(replace(problem, ops=ops), starting([1, 3, 0, 2, 3, 5]), lambda _, t: t + 60)
    by_order = {one.order: one.start_s for one in goes_on.assignments if one.task == "t0"}
    assert by_order == {"B": 0.0, "A": HOUR + 60, "C": 3 * HOUR + 60}


def test_a_task_that_comes_again_is_named_once() -> None:
    problem = two_places()
    again = tuple(replace(op, task="t0") if op.job == 0 else op for op in problem.ops)
    schedule = schedule_of(replace(problem, ops=again), starting([0, 2, 0, 2, -1, -1]))
    assert [(one.order, one.task, one.start_s) for one in schedule.assignments] == [
        ("A", "t0", 0.0),
        ("B", "t0", 0.0),
        ("B", "t1", 2 * HOUR),
    ]


@pytest.mark.parametrize("seed", range(60))
def test_there_and_back_gives_a_plan_at_least_as_good(seed: int) -> None:
    problem = small_problem(seed, RICH)
    ops = tuple(replace(op, task=f"t{i}") for i, op in enumerate(problem.ops))
    problem = replace(problem, ops=ops)
    plan = some_plan(problem, seed)
    again = plan_of(problem, schedule_of(problem, plan))
    check(problem, again)
    assert values(problem, again)[0] >= values(problem, plan)[0] - 1e-9


def test_what_is_over_or_new_does_not_matter() -> None:
    problem = two_places()
    told = Schedule(
        (
            Assignment("gone", "t0", "u0.0", 0.0, 0.0, HOUR),
            Assignment("C", "t0", "nobody known", 1.0, 0.0, HOUR),
            Assignment("B", "t0", "u0.1", 2.0, HOUR, 2 * HOUR),
        )
    )
    assert plan_of(problem, told).start.tolist() == [2, 4, 0, 2, 0, 2]
    by_rank = Schedule(tuple(replace(one, start_s=None, end_s=None) for one in told.assignments))
    assert plan_of(problem, by_rank).start.tolist() == [2, 4, 0, 2, 0, 2]


def test_work_that_a_schedule_lets_go_on_goes_on_before_what_is_late() -> None:
    """B should have begun before A did, and hasn't: A is under way now."""
    problem = flow_shop(ORDERS[:2], (2, 2), SHAPE, 10)
    held = replace(problem, ops=(replace(problem.ops[0], held=0, held_unit="u0.0"), *problem.ops[1:]))
    told = Schedule(
        (Assignment("B", "t0", "u0.0", 0.0, -2 * HOUR), Assignment("A", "t0", "u0.0", 1.0, -HOUR))
    )
    assert plan_of(held, told).start.tolist() == [0, 2, 2, 4]
    elsewhere = Schedule((told.assignments[0], replace(told.assignments[1], start_s=2 * HOUR)))
    assert plan_of(held, elsewhere).start.tolist() == [2, 4, 0, 2]

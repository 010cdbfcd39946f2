"""Priority and assignment rules as plans, beside the paper's table and the simulator's reference engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.blocks import Leaf, Parallel, Sequence
from metagraph.distributions import Constant
from metagraph.instances import read_instance
from metagraph.model import Metagraph
from metagraph.orders import Order, ProfitShape
from metagraph.policies import PORTFOLIO
from optimization.checks import check
from optimization.heuristics import best_rule, rule_plan, rule_plans
from optimization.problem import Problem, values
from optimization.settings import Settings
from optimization.stn import build_problem
from simulation.lowering import lower
from simulation.reference import run
from tests.optimization.handmade import flow_shop
from tests.optimization.problems import RICH, small_problem
from tests.simulation.builders import ORIGIN, process
from tests.simulation.small import worth

HOUR = 3600.0
EXAMPLES = Path(__file__).parents[2] / "examples"
FIFO_ROW = (6, 8, 10, 12, 14)


@pytest.fixture(scope="module")
def example1() -> Problem:
    i = read_instance(EXAMPLES / "example1.instance.json")
    return build_problem(i.metagraph, i.state, i.orders, i.origin, Settings(dt_s=HOUR), start_s=i.start_s)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("rule", "dates", "profit"),
    [
        ("P", (14, 10, 12, 8, 6), 8405),
        ("D", FIFO_ROW, 8170),
        ("S", FIFO_ROW, 8170),
        ("F1", FIFO_ROW, 8170),
        ("PD", (12, 8, 14, 10, 6), 8646),
        ("PS", (14, 10, 12, 8, 6), 8405),
        ("PDS", (12, 8, 14, 10, 6), 8646),
    ],
)
def test_rows_of_table_1(
    example1: Problem, rule: str, dates: tuple[int, ...], profit: int, seed: int
) -> None:
    found = check(example1, rule_plan(example1, PORTFOLIO[rule], seed=seed))
    assert found.fulfilled == dates
    assert round(found.values[0]) == profit


@pytest.mark.parametrize(
    ("rule", "dates", "profit", "share"),
    [("F2", (6, 8, 10, 14, 12), 8620, 0.25), ("F3", (6, 8, 12, 10, 14), 8285, 0.125)],
)
def test_rows_that_hang_on_luck(
    example1: Problem, rule: str, dates: tuple[int, ...], profit: int, share: float
) -> None:
    found: Counter[tuple[tuple[int, ...], int]] = Counter()
    for seed in range(200):
        one = check(example1, rule_plan(example1, PORTFOLIO[rule], seed=seed))
        found[one.fulfilled, round(one.values[0])] += 1
    assert abs(found[dates, profit] / 200 - share) < 3.3 * (share * (1 - share) / 200) ** 0.5


def workshop(random: Random) -> tuple[Metagraph, list[Order]]:
    """Four tasks, two of them side by side, three agents of whom one does two tasks, whole hours."""
    a, b, c, d = (Leaf(name, name.upper()) for name in "abcd")
    block = Sequence((a, Parallel("split", "merge", (b, c)), d))
    serves = {"a": ["x"], "b": ["y"], "c": ["z"], "d": ["x"]}
    model = process(
        block,
        {name: Constant(random.randint(1, 3) * HOUR) for name in "abcd"},
        queues=[Queue(name, (name,)) for name in "xyz"],
        serves=serves,
        agents=[Agent(name, "always") for name in "xyz"],
    )
    orders = [
        Order(
            str(i),
            random.randint(0, 8) * HOUR,
            value=float(random.randint(50, 150)),
            due_s=random.randint(8, 30) * HOUR + 60.0 * i,
        )
        for i in range(random.randint(2, 7))
    ]
    return worth(model, ProfitShape(1.1, 1.0, 0.7, 0.3)), sorted(orders, key=lambda order: order.release_s)


@pytest.mark.parametrize("rule", ["P", "D", "S", "F1", "PD", "PS", "PDS"])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_planned_is_what_the_simulator_does(rule: str, seed: int) -> None:
    """Without interruptions, where nothing is left to chance."""
    model, orders = workshop(Random(seed))
    policy = replace(PORTFOLIO[rule], preemption=False)
    simulated = run(lower(model, orders, origin=ORIGIN, policy=policy), 0).completed_s / HOUR
    settings = Settings(dt_s=HOUR, horizon="fixed", horizon_s=100 * HOUR)
    problem = build_problem(model, None, orders, ORIGIN, settings)
    planned = check(problem, rule_plan(problem, policy)).fulfilled
    assert list(planned) == simulated.tolist()


def test_orders_leave_at_their_lost_sale_date() -> None:
    """Under the simulator, too: what comes after them begins then."""
    model, orders = workshop(Random(3))
    for seed in range(8):
        random = Random(seed)
        dated = [
            replace(o, lost_s=max(o.due_s or 0.0, o.release_s) + random.randint(0, 4) * HOUR) for o in orders
        ]
        policy = replace(PORTFOLIO["P"], preemption=False)
        done = run(lower(model, dated, origin=ORIGIN, policy=policy), 0)
        problem = build_problem(model, None, dated, ORIGIN, Settings(dt_s=HOUR))
        planned = check(problem, rule_plan(problem, policy)).fulfilled
        simulated = np.where(np.isnan(done.completed_s), problem.grid.never, done.completed_s / HOUR)
        kept = [min(t, problem.grid.never) for t in simulated.tolist()]
        assert [t for t in planned if t <= problem.grid.periods] == [
            t for t in kept if t <= problem.grid.periods
        ]


@pytest.mark.parametrize("seed", range(60))
def test_every_plan_passes_the_checks(seed: int) -> None:
    problem = small_problem(seed, RICH)
    plans = rule_plans(problem, {"": 1.0}, seed=seed)
    assert [*plans] == [*PORTFOLIO]
    for plan in plans.values():
        assert check(problem, plan).preempted == ()
    best = values(problem, plans[best_rule(problem, plans)])
    assert all(best >= tuple(v - 1e-6 for v in values(problem, plan)) for plan in plans.values())


def test_work_under_way_for_an_order_that_leaves_goes_on() -> None:
    """What is begun at the instant of its loss waits for the unit, and so does nobody else for ever."""
    orders = [
        Order("lost", 0.0, value=100.0, due_s=HOUR, lost_s=HOUR),
        Order("B", 0.0, value=100.0, due_s=9 * HOUR, lost_s=9 * HOUR),
    ]
    problem = flow_shop(orders, (3, 1), ProfitShape(1.0, 0.8, 0.7, 0.2), 10)
    held = replace(problem, ops=(replace(problem.ops[0], held=0, held_unit="u0.0"), *problem.ops[1:]))
    plan = rule_plan(held, PORTFOLIO["F1"])
    check(held, plan)
    assert plan.start.tolist() == [0, -1, 3, 6]

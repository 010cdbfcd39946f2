"""Worklists at an instant: what both engines take, one after the other, is what the lists say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.blocks import Choice, Leaf
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable
from metagraph.orders import Order, OrderClass, ProfitShape
from metagraph.policies import PORTFOLIO, Policy
from metagraph.schedule import Assignment, Schedule
from metagraph.state import OpenOrder, Position, State
from simulation import kernel, reference
from simulation.lowering import lower
from simulation.program import Program
from simulation.session import Options
from simulation.waiting_lists import waiting_lists
from tests.simulation.builders import ORIGIN, fitted, process

HOUR = 3600.0
NOW = 100 * HOUR
CLASSES = ("small", "middle", "large")
RANKED = Schedule(tuple(Assignment(str(i), node, "x", float(i * 7 % 12)) for i in range(12) for node in "ab"))


class Latest:
    """A policy written in Python: the latest due date first."""

    def priority(self, item: Any, now_s: float) -> float:
        return -float(item.order.due_s)


POLICIES: dict[str, Any] = {
    "own": Policy(),
    **PORTFOLIO,
    "LIFO": Policy("LIFO", priorities=("LIFO",)),
    "all four": Policy("all", priorities=("HP", "SDD", "SERPT", "HPCS")),
    "a rule": Policy("rule", priorities=("RULE",), rule="value"),
    "a schedule": Policy("schedule", priorities=("RANK",), schedule=RANKED),
    "Python": Latest(),
}


def two_queues() -> Metagraph:
    """Two tasks with a queue each, both of which one agent serves; work depends on the order's class."""
    model = process(
        Choice("either", "or", (Leaf("a", "A"), Leaf("b", "B"))),
        Constant(HOUR),
        queues=[Queue("qa", ("x",)), Queue("qb", ("x",))],
        serves={"a": ["qa"], "b": ["qb"]},
        agents=[Agent("x", "always")],
    )
    work = tuple(DurationRow(fitted(Constant((k + 1) * HOUR)), cls=cls) for k, cls in enumerate(CLASSES))
    table = DurationTable((DurationRow(fitted(Constant(HOUR))), *work))
    nodes = tuple(replace(task, durations=table) for task in model.tasks())
    rest = tuple(node for node in model.nodes if node.kind != "task")
    kinds = tuple(OrderClass(cls, segment, 1 / 6) for cls in CLASSES for segment in ("key", "other"))
    orders = replace(
        model.orders,
        classes=kinds,
        profit=ProfitShape(due=0.9, late=0.6, final=0.1),
        segment_priority={"key": 2.0, "other": 1.0},
    )
    return replace(model, nodes=(*rest, *nodes), orders=orders)


def queued(seed: int, busy: bool) -> State:
    """Twelve orders that wait since different instants; with `busy` the agent works on another one."""
    rng = np.random.default_rng(seed)
    opened = []
    for i in range(12 + busy):
        node, release = "ab"[int(rng.integers(2))], float(NOW - rng.uniform(20, 60) * HOUR)
        ready = float(rng.uniform(release, NOW))
        due = float(release + rng.uniform(10, 120) * HOUR)
        order = Order(
            str(i), release, CLASSES[int(rng.integers(3))], ("key", "other")[int(rng.integers(2))],
            value=float(rng.uniform(10, 1000)), due_s=due,
        )  # fmt: skip
        at = Position(node, ready, ready_s=ready)
        if i == 12:
            at = replace(at, started_s=NOW - HOUR / 2, agent="x")
        opened.append(OpenOrder(order, (at,), ()))
    return State(NOW, tuple(opened))


def taken(program: Program, engine: Any) -> list[int]:
    """Orders as they are begun from now on."""
    run = engine.run(program, 5, 0, None, Options())
    log = run.executions
    later = np.flatnonzero(log.start_s >= program.begin_s)
    return [int(log.order[i]) for i in later[np.lexsort((later, log.start_s[later]))]]


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@pytest.mark.parametrize("name", POLICIES)
def test_the_list_is_the_order_in_which_both_engines_take_it(name: str, busy: bool) -> None:
    for seed in range(3):
        program = lower(two_queues(), (), origin=ORIGIN, state=queued(seed, busy), policy=POLICIES[name])
        found = waiting_lists(program, 5)
        listed = [order for order, _ in found.lists[0]]
        assert sorted(listed) == list(range(12))
        engines = [reference] if name == "Python" else [reference, kernel]
        for engine in engines:
            assert taken(program, engine) == listed


def test_policies_differ_in_their_lists() -> None:
    """Or the test above would show nothing."""
    found = {}
    for name in ("P", "D", "S", "F1", "PDS", "HPCS", "LIFO", "a rule"):
        program = lower(two_queues(), (), origin=ORIGIN, state=queued(0, True), policy=POLICIES[name])
        found[name] = tuple(order for order, _ in waiting_lists(program, 5).lists[0])
    assert len(set(found.values())) == len(found)


def test_several_idle_agents_see_what_each_of_them_takes_from_their_queue() -> None:
    model = two_queues()
    model = replace(
        model,
        agents=(Agent("x", "always"), Agent("y", "always"), Agent("z", "office")),
        queues=(Queue("qa", ("x", "y", "z")), Queue("qb", ("z",))),
    )
    program = lower(model, (), origin=ORIGIN, state=queued(1, False), policy=PORTFOLIO["D"])
    found = waiting_lists(program, 5)
    assert found.on == (True, True, False)  # Friday 04:00
    assert found.change_s[2] == (4 * 24 + 9) * HOUR
    assert found.lists[0] == found.lists[1]
    assert set(found.lists[0]) < set(found.lists[2])
    due = [float(program.orders.table["due_s"][order]) for order, _ in found.lists[0]]
    assert due == sorted(due)
    assert list(found.begun) == list(found.lists[0][:2])
    assert sorted(found.begun.values()) == [0, 1]


@pytest.mark.parametrize("engine", [reference, kernel], ids=["reference", "kernel"])
@pytest.mark.parametrize("name", ["P", "D", "PD", "HPCS", "a rule", "a schedule"])
def test_work_under_way_in_a_state_is_interrupted_by_what_is_more_urgent_only(name: str, engine: Any) -> None:
    model = two_queues()
    model = replace(
        model, nodes=tuple(replace(n, preemptible=True) if n.kind == "task" else n for n in model.nodes)
    )
    dull, hot = (
        Order(str(i), NOW - 10 * HOUR, "small", segment, value=value, due_s=NOW + due * HOUR)
        for i, segment, value, due in ((7, "other", 10.0, 90.0), (3, "key", 900.0, 20.0))
    )
    for running, waiting in ((dull, hot), (hot, dull)):
        at = Position("a", NOW - 9 * HOUR, started_s=NOW - HOUR / 2, agent="x")
        queued_at = Position("a", NOW - 8 * HOUR, ready_s=NOW - 8 * HOUR)
        state = State(NOW, (OpenOrder(running, (at,), ()), OpenOrder(waiting, (queued_at,), ())))
        ranks = tuple(Assignment(o.id, "a", "x", 1.0 if o is hot else 2.0) for o in (running, waiting))
        policy = (
            Policy("s", priorities=("RANK",), schedule=Schedule(ranks))
            if name == "a schedule"
            else POLICIES[name]
        )
        run = engine.run(lower(model, (), origin=ORIGIN, state=state, policy=policy), 1, 0, None, Options())
        assert run.tally.preempted.tolist() == [int(waiting is hot)]

"""Which queue is joined, and what goes first in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.policies import Policy
from metagraph.schedule import Assignment, Schedule
from simulation.reference import run
from tests.simulation.builders import process, row
from tests.simulation.small import (
    HOUR,
    away,
    by_class,
    parted,
    program,
    served,
    single,
    spans,
    who,
    worth,
)

RANKED = (
    Order("busy", 0.0),
    Order("1", 1.0, cls="long", segment="silver", value=900.0, due_s=50 * HOUR),
    Order("2", 2.0, cls="short", segment="gold", value=10.0, due_s=None),
    Order("3", 3.0, cls="middle", segment="", value=500.0, due_s=20 * HOUR),
)


def ranked_model() -> Metagraph:
    model = by_class(single(), {"long": 5 * HOUR, "middle": 2 * HOUR, "short": 60.0})
    model = worth(model)
    return replace(
        model, orders=replace(model.orders, segment_priority={"gold": 2.0, "silver": 1.0, "bronze": 0.5})
    )


@pytest.mark.parametrize(
    ("rule", "order"),
    [("FIFO", "1 2 3"), ("HP", "1 3 2"), ("SDD", "3 1 2"), ("SERPT", "2 3 1"), ("HPCS", "2 1 3")],
)
def test_priority_rules(rule: str, order: str) -> None:
    model = ranked_model()
    policy = Policy(priorities=(rule,), preemption=False)
    log = run(program(model, RANKED, policy), 0)
    assert served(log) == ["busy", *order.split()]
    own = replace(model, queues=(Queue("q", ("x",), priority=rule),))
    assert run(program(own, RANKED), 0).rows() == log.rows()


def test_an_expression_ranks_orders_the_larger_first() -> None:
    policy = Policy(priorities=("RULE",), rule="value if value < 800 else 0", preemption=False)
    assert served(run(program(single(), RANKED[1:], policy), 0)) == ["1", "3", "2"]
    assert served(run(program(single(), RANKED, replace(policy, rule="-value if has(value) else 0")), 0)) == [
        "busy",
        "2",
        "3",
        "1",
    ]


def test_a_schedules_ranks_go_first_and_its_agents_are_joined() -> None:
    given = [Order(str(i), 0.0) for i in range(5)]
    plan = Schedule(
        (
            Assignment("0", "a", "y", 1.0),
            Assignment("3", "a", "y", 0.0),
            Assignment("2", "a", "y", 2.0),
            Assignment("4", "a", "x", 5.0),
        )
    )
    policy = Policy(priorities=("RANK",), schedule=plan)
    log = run(program(parted("xy"), given, policy), 0)
    assert {name: who(log)[name] for name in "0324"} == {"0": "y", "3": "y", "2": "y", "4": "x"}
    assert spans(log)["3"] == (0.0, 1.0)  # interrupts order 0, which came first
    assert spans(log)["2"] == (2.0, 3.0)
    assert spans(log)["4"] == (0.0, 1.0)


def test_averages_weigh_ratios_to_the_best() -> None:
    """Profit and due date: 1 has (1, .2), 2 (.5, 1), 3 (.9, .25) of the best: 2 is first. Of the others 1
    then has (1, .8), 3 (.9, 1). Another week changes nothing."""
    given = [
        Order("busy", 0.0, value=1.0),
        Order("1", 0.0, value=1000.0, due_s=50 * HOUR),
        Order("2", 0.0, value=500.0, due_s=10 * HOUR),
        Order("3", 0.0, value=900.0, due_s=40 * HOUR),
    ]
    policy = Policy(priorities=("HP", "SDD"), preemption=False)
    assert served(run(program(worth(single()), given, policy), 0)) == ["busy", "2", "3", "1"]
    week = 7 * 24 * HOUR
    later = [replace(o, release_s=week, due_s=None if o.due_s is None else o.due_s + week) for o in given]
    moved = run(program(worth(single()), later, policy), 0)
    assert served(moved) == ["busy", "2", "3", "1"]


def test_averages_of_work_and_importance() -> None:
    """1: (1/300, 1/2), 2: (1, 1), 3: (1/120, 0) of the best; then 1: (2/5, 1), 3: (1, 0)."""
    policy = Policy(priorities=("SERPT", "HPCS"), preemption=False)
    assert served(run(program(ranked_model(), RANKED, policy), 0)) == ["busy", "2", "1", "3"]


def test_the_shorter_queue_counts_what_is_worked_on() -> None:
    log = run(program(parted("xy"), [Order(str(i), 0.0) for i in range(6)]), 0)
    assert Counter(who(log).values()) == {"x": 3, "y": 3}
    ties = [who(run(program(parted("xy"), [Order("1", 0.0)]), s))["1"] for s in range(400)]
    assert 150 < ties.count("x") < 250  # within 5 standard deviations of a half


def test_the_faster_queue_counts_work_not_heads() -> None:
    """x has one long order, y has two short ones: the next goes to y."""
    model = by_class(parted("xy"), {"long": 9 * HOUR, "short": HOUR})
    plan = Schedule(
        (Assignment("0", "a", "x", 0), Assignment("1", "a", "y", 0), Assignment("2", "a", "y", 0))
    )
    policy = Policy(assignment="JFQ", priorities=("RANK",), schedule=plan, preemption=False)
    given = [Order("0", 0.0, cls="long"), Order("1", 0.0, cls="short"), Order("2", 0.0, cls="short")]
    for at_s, agent in ((0.5 * HOUR, "y"), (7.5 * HOUR, "y"), (8.5 * HOUR, "y")):
        log = run(program(model, [*given, Order("new", at_s)], policy), 0)
        assert who(log)["new"] == agent
    shortest = run(program(model, [*given, Order("new", 0.5 * HOUR)], replace(policy, assignment="JSQ")), 0)
    assert who(shortest)["new"] == "x"


def test_the_faster_queue_counts_what_is_left_of_work() -> None:
    """At 2 h, 1 h is left at x and 1.5 h waits at y: before that y is better."""
    model = by_class(parted("xy"), {"long": 3 * HOUR, "short": 1.5 * HOUR})
    plan = Schedule((Assignment("0", "a", "x", 0), Assignment("1", "a", "y", 0)))
    policy = Policy(assignment="JFQ", priorities=("RANK",), schedule=plan)
    for later, agent in ((0.0, "y"), (1.4 * HOUR, "y")):
        given = [Order("0", 0.0, cls="long"), Order("1", 0.0, cls="short"), Order("new", later)]
        assert who(run(program(model, given, policy), 0))["new"] == agent
    given = [Order("0", 0.0, cls="long"), Order("1", 2 * HOUR, cls="short"), Order("new", 2.0 * HOUR)]
    assert who(run(program(model, given, policy), 0))["new"] == "x"


def test_any_queue_is_joined_uniformly() -> None:
    """Even where others are idle."""
    policy = Policy(assignment="JAQ", preemption=False)
    given = [Order(str(i), 10.0 * i) for i in range(1000)]
    shares = Counter(who(run(program(parted("xyz"), given, policy), 3)).values())
    assert all(abs(n - 333) < 3.3 * np.sqrt(1000 * 2 / 9) for n in shares.values())


def test_designated_queues_are_for_their_orders() -> None:
    model = parted("xy")
    x, y = model.queues
    model = replace(model, queues=(replace(x, only="segment == 'gold'"), replace(y, only="value > 100")))
    given = [
        Order("gold", 0.0, segment="gold", value=1.0),
        Order("gold too", 0.0, segment="gold", value=1.0),
        Order("dear", 0.0, segment="tin", value=500.0),
    ]
    log = run(program(model, given, Policy(assignment="JDQ")), 0)
    assert who(log) == {"gold": "x", "gold too": "x", "dear": "y"}
    both = [
        who(run(program(model, [Order("n", 0.0, value=1.0)], Policy(assignment="JDQ")), s))["n"]
        for s in range(60)
    ]
    assert set(both) == {"x", "y"}  # designated for none: any


def test_queues_without_agents_are_not_joined_while_there_are_others() -> None:
    model = parted("xy", y=Agent("y", "always", absences=(away(HOUR, 5 * HOUR),)))
    given = [Order(str(i), 2 * HOUR) for i in range(4)]
    log = run(program(model, [*given, Order("late", 5 * HOUR)]), 0)
    assert who(log) == {**dict.fromkeys("0123", "x"), "late": "y"}


def test_ties_wait_in_the_order_of_their_coming() -> None:
    """Equal keys: first come, first served, however many."""
    given = [Order(str(i), float(i % 7), due_s=9 * HOUR) for i in range(30)]
    log = run(program(single(), given, Policy(priorities=("SDD",))), 0)
    assert served(log) == [o.id for o in sorted(given, key=lambda o: o.release_s)]


def test_of_those_who_end_at_once_the_earlier_order_goes_first() -> None:
    """Order 0 comes an hour later than order 1 and ends with it."""
    model = process(
        row("a", "b"),
        Constant(HOUR),
        queues=[Queue("X", ("x",)), Queue("Y", ("y",)), Queue("Z", ("z",))],
        serves={"a": ["X", "Y"], "b": ["Z"]},
        agents=[Agent(name, "always") for name in "xyz"],
    )
    model = by_class(model, {"long": 2 * HOUR})
    log = run(program(model, [Order("0", HOUR), Order("1", 0.0, cls="long")]), 0)
    assert [float(s) / HOUR for s in log.start_s[log.task == 1]] == [2.0, 3.0]
    assert [log.order_ids[o] for o in log.order[log.task == 1]] == ["0", "1"]

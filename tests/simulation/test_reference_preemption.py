"""What interrupts what, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from metagraph.distributions import Constant
from metagraph.orders import Order
from metagraph.policies import Policy
from simulation.reference import run
from tests.simulation.builders import expon, fitted
from tests.simulation.small import (
    HOUR,
    by_class,
    ended,
    parted,
    program,
    single,
    spans,
    two_tasks,
    with_tasks,
    worth,
)

SDD = Policy(priorities=("SDD",))
URGENT = (Order("slow", 0.0, due_s=90 * HOUR), Order("urgent", 0.25 * HOUR, due_s=2 * HOUR))


def test_the_urgent_interrupts_and_work_is_resumed_where_it_stopped() -> None:
    log = run(program(single(), URGENT, SDD), 0)
    assert spans(log) == {"slow": (0.0, 2.0), "urgent": (0.25, 1.25)}
    assert log.executions.preemptions.tolist() == [1, 0]
    assert log.tally.preempted.tolist() == [1]
    assert log.tally.busy_s.tolist() == [2 * HOUR]


@pytest.mark.parametrize("how", ["task", "policy", "cap"])
def test_never_where_it_is_not_allowed(how: str) -> None:
    model = single(preemptible=how != "task")
    policy = replace(SDD, preemption=how != "policy", max_preemptions=0 if how == "cap" else None)
    log = run(program(model, URGENT, policy), 0)
    assert spans(log) == {"slow": (0.0, 1.0), "urgent": (1.0, 2.0)}


def test_equals_do_not_interrupt() -> None:
    equal = [replace(o, due_s=9 * HOUR) for o in URGENT]
    assert spans(run(program(single(), equal, SDD), 0)) == {"slow": (0.0, 1.0), "urgent": (1.0, 2.0)}


def test_an_item_is_interrupted_as_often_as_the_cap_says() -> None:
    given = [Order("slow", 0.0, cls="long", due_s=90 * HOUR)]
    given += [Order(f"u{i}", (2 * i + 0.5) * HOUR, due_s=(2 * i + 2) * HOUR) for i in range(3)]
    model = by_class(single(), {"long": 3 * HOUR})
    for cap, end_h in ((0, 3.0), (1, 4.0), (2, 5.0), (None, 6.0)):
        log = run(program(model, given, replace(SDD, max_preemptions=cap)), 0)
        assert spans(log)["slow"] == (0.0, end_h), cap


def test_each_resumption_costs_its_penalty() -> None:
    log = run(program(single(), URGENT, replace(SDD, resume_penalty_s=600.0)), 0)
    assert spans(log)["slow"][1] == pytest.approx(2.0 + 1 / 6)
    assert log.tally.busy_s.tolist() == [pytest.approx(2 * HOUR + 600)]


@pytest.mark.parametrize(("tie", "order"), [("keep", "urgent old new"), ("back", "urgent new old")])
def test_where_an_interrupted_item_waits_among_its_equals(tie: Literal["keep", "back"], order: str) -> None:
    given = (
        Order("old", 0.0, due_s=90 * HOUR),
        Order("new", 0.1 * HOUR, due_s=90 * HOUR),
        Order("urgent", 0.5 * HOUR, due_s=2 * HOUR),
    )
    assert ended(run(program(single(), given, replace(SDD, tie=tie)), 0)) == order.split()


def test_back_of_its_equals_even_of_those_that_come_at_the_same_instant() -> None:
    """The urgent one comes before the new one, so the new one's place is the instant of the interruption."""
    given = (
        Order("old", 0.0, due_s=90 * HOUR),
        Order("urgent", 0.5 * HOUR, due_s=2 * HOUR),
        Order("new", 0.5 * HOUR, due_s=90 * HOUR),
    )
    assert ended(run(program(single(), given, replace(SDD, tie="back")), 0)) == ["urgent", "new", "old"]


def test_interrupted_work_goes_on_with_whoever_is_free_first() -> None:
    """Three hours of work each; the urgent ones take both agents, the first interrupted is resumed first."""
    model = by_class(single(), {"long": 4 * HOUR, "short": HOUR})
    agents = (*model.agents, replace(model.agents[0], id="y"))
    model = replace(model, agents=agents, queues=(replace(model.queues[0], agents=("x", "y")),))
    given = (
        Order("slow", 0.0, cls="long", due_s=90 * HOUR),
        Order("other", 0.0, cls="short", due_s=80 * HOUR),
        Order("urgent", 0.5 * HOUR, cls="long", due_s=2 * HOUR),
    )
    plain, same = (run(program(model, given, replace(SDD, same_agent=s)), 0) for s in (False, True))
    assert spans(plain) == {"slow": (0.0, 4.5), "other": (0.0, 1.0), "urgent": (0.5, 4.5)}
    assert spans(same) == {"slow": (0.0, 8.0), "other": (0.0, 1.0), "urgent": (0.5, 4.5)}
    assert same.agent[0] == same.agent[2]
    assert plain.agent[0] != plain.agent[2]


def test_work_that_changes_hands_keeps_its_share_done() -> None:
    """A law by agent: a quarter done of x's four hours is a quarter of y's two."""
    model = single()
    agents = (*model.agents, replace(model.agents[0], id="y"))
    model = replace(
        model, agents=agents, queues=(replace(model.queues[0], agents=("x", "y"), weights=(1.0, 0.0)),)
    )
    task = model.tasks()[0]
    rows = (
        *task.durations.rows,
        *(
            replace(task.durations.rows[0], agent=a, fitted=fitted(Constant(h * HOUR)))
            for a, h in (("x", 4), ("y", 2))
        ),
    )
    model = with_tasks(model, durations=replace(task.durations, rows=rows))
    given = (
        Order("slow", 0.0, due_s=90 * HOUR),
        Order("other", 0.0, due_s=1 * HOUR),
        Order("urgent", 1.0 * HOUR, due_s=0.5 * HOUR),
    )
    log = run(program(model, given, SDD), 0)
    assert spans(log) == {"slow": (0.0, 3.5), "other": (0.0, 2.0), "urgent": (1.0, 5.0)}
    assert log.tally.busy_s.tolist() == [5 * HOUR, 3.5 * HOUR]


def test_what_is_interrupted_is_the_least_urgent_of_all_that_agents_work_on() -> None:
    model = single(capacity=3)
    given = [Order(n, 0.0, due_s=d * HOUR) for n, d in (("a", 50), ("b", 90), ("c", 70))]
    log = run(program(model, [*given, Order("u", 0.5 * HOUR, due_s=60 * HOUR)], SDD), 0)
    assert log.executions.preemptions.tolist() == [0, 1, 0, 0]
    assert spans(log)["b"] == (0.0, 1.5)


def test_expected_remaining_work_of_what_is_worked_on_counts_as_it_is_now() -> None:
    """SERPT: at 1 h, 2 h are left of the long one; at 2.5 h half an hour."""
    model = by_class(single(), {"long": 3 * HOUR, "short": HOUR})
    for at_h, end_h in ((1.0, 4.0), (2.5, 3.0)):
        given = (Order("long", 0.0, cls="long"), Order("short", at_h * HOUR, cls="short"))
        assert spans(run(program(model, given, Policy(priorities=("SERPT",))), 0))["long"] == (0.0, end_h)


def test_a_victim_of_another_queue_goes_to_its_idle_agent() -> None:
    """x serves both queues, y only that of task a: what x lays down for b's urgent order y takes at once."""
    model = two_tasks({"a": Constant(2 * HOUR), "b": Constant(HOUR)})
    agents = (*model.agents, replace(model.agents[0], id="y"))
    qa, qb = model.queues
    model = replace(model, agents=agents, queues=(replace(qa, agents=("x", "y"), weights=(1.0, 0.0)), qb))
    routing = replace(model.routing[0], rows=(replace(model.routing[0].rows[0], weights=(0.5, 0.5)),))
    model = replace(model, routing=(routing,))
    given = (Order("1", 0.0, due_s=90 * HOUR), Order("2", HOUR, due_s=2 * HOUR))
    for seed in range(50):
        log = run(program(model, given, SDD), seed)
        if log.task.tolist() == [0, 1]:
            assert spans(log) == {"1": (0.0, 2.0), "2": (1.0, 2.0)}
            assert log.agent.tolist() == [1, 0]
            return
    pytest.fail("no seed sends order 1 to a and order 2 to b")


def test_profits_are_found_again_when_work_is_interrupted() -> None:
    """HP: the interrupted order lost half its value while it was worked on, so the other goes first."""
    model = worth(single(Constant(4 * HOUR)))
    given = (
        Order("fading", 0.0, value=1000.0, due_s=1.0 * HOUR, lost_s=100 * HOUR),
        Order("dear", 2.0 * HOUR, value=2000.0),
        Order("steady", 2.5 * HOUR, value=895.0),
    )
    assert ended(run(program(model, given, Policy(priorities=("HP",))), 0)) == ["dear", "steady", "fading"]


def test_nothing_is_lost_by_interruptions() -> None:
    """However often work is interrupted, it adds up."""
    rng = np.random.default_rng(5)
    given = [
        Order(str(i), float(t), due_s=float(t + d))
        for i, (t, d) in enumerate(
            zip(np.cumsum(rng.exponential(HOUR, 300)), rng.exponential(9 * HOUR, 300), strict=True)
        )
    ]
    model = with_tasks(parted("xy", expon(1.8 * HOUR)), preemptible=True)
    plain, some = (run(program(model, given, replace(SDD, preemption=p)), 3) for p in (False, True))
    assert some.tally.preempted.sum() > 50
    assert some.tally.busy_s.sum() == pytest.approx(plain.tally.busy_s.sum(), rel=1e-9)
    assert some.tally.executions == 300

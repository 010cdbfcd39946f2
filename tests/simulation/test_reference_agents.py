"""Agents who share their time, come, leave, or pause; orders that are lost meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.blocks import Leaf, Parallel
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.policies import Policy
from metagraph.schedule import Assignment, Schedule
from simulation.reference import run
from tests.simulation.builders import ORIGIN, expon, fitted, process, station
from tests.simulation.small import HOUR, away, by_class, parted, program, single, spans, who

SDD = Policy(priorities=("SDD",))


def shared(capacity: int, **agent: Any) -> Metagraph:
    return single(capacity=capacity, sharing="shared", **agent)


def test_a_shared_agent_divides_its_rate() -> None:
    """Alone for half an hour, at half rate until 1.5 h, alone again."""
    log = run(program(shared(9), [Order("1", 0.0), Order("2", 0.5 * HOUR)]), 0)
    assert spans(log) == {"1": (0.0, 1.5), "2": (0.5, 2.0)}
    assert log.tally.busy_s.tolist() == [2 * HOUR]


def test_what_exceeds_a_shared_agents_capacity_waits() -> None:
    log = run(program(shared(2), [Order(str(i), 0.0) for i in range(3)]), 0)
    assert spans(log) == {"0": (0.0, 2.0), "1": (0.0, 2.0), "2": (2.0, 3.0)}
    parallel = run(program(single(capacity=2), [Order(str(i), 0.0) for i in range(3)]), 0)
    assert spans(parallel) == {"0": (0.0, 1.0), "1": (0.0, 1.0), "2": (1.0, 2.0)}


def test_sharing_stops_with_the_shift() -> None:
    """Two items of an hour from 16:00 on: half done each at 17:00."""
    log = run(program(shared(9, calendar="office"), [Order(str(i), 16 * HOUR) for i in range(2)]), 0)
    assert spans(log) == {"0": (16.0, 24 + 10.0), "1": (16.0, 24 + 10.0)}


def test_a_shared_agent_is_interrupted_for_the_urgent() -> None:
    """b and c are half done when u takes the place of c; then b and u go on at half rate."""
    given = [
        Order("b", 0.0, due_s=50 * HOUR),
        Order("c", 0.0, due_s=90 * HOUR),
        Order("u", HOUR, due_s=9 * HOUR),
    ]
    log = run(program(shared(2), given, SDD), 0)
    assert log.executions.preemptions.tolist() == [0, 1, 0]
    assert spans(log) == {"b": (0.0, 2.0), "c": (0.0, 3.0), "u": (1.0, 3.0)}


def test_a_lost_order_leaves_its_share_to_the_others() -> None:
    given = [Order("1", 0.0), Order("2", 0.0, lost_s=HOUR)]
    log = run(program(shared(2), given), 0)
    assert spans(log) == {"1": (0.0, 1.5), "2": (0.0, 1.0)}
    assert log.lost_s.tolist()[1] == HOUR
    assert log.tally.busy_s.tolist() == [1.5 * HOUR]


def test_shared_work_adds_up() -> None:
    """Sharing keeps an agent busy as long as anything is there: it ends when one after the other would."""
    given = [
        Order(str(i), float(t))
        for i, t in enumerate(np.cumsum(np.random.default_rng(1).exponential(1.0, 200)))
    ]
    ps = replace(station(expon(0.8)), agents=(Agent("agent0", "always", capacity=200, sharing="shared"),))
    one, many = (run(program(m, given), 4) for m in (station(expon(0.8)), ps))
    assert many.tally.busy_s[0] == pytest.approx(one.tally.busy_s[0], rel=1e-9)
    assert np.nanmax(many.end_s) == pytest.approx(np.nanmax(one.end_s), rel=1e-9)


def test_who_leaves_hands_over_what_he_has_in_hand_and_what_waits_for_him() -> None:
    model = parted("xy", x=Agent("x", "always", absences=(away(0.5 * HOUR),)))
    plain = Policy(assignment="JSQ", preemption=False)
    log = run(program(model, [Order(str(i), 0.0) for i in range(4)], plain), 2)
    assert set(who(log).values()) == {"y"}
    started = spans(log)
    assert sorted(end for _, end in started.values()) == [1.0, 1.5, 2.5, 3.5]
    half = next(name for name, (_, end) in started.items() if end == 1.5)
    assert started[half][0] == 0.0  # half of it was done by x
    assert log.tally.busy_s.tolist() == [0.5 * HOUR, 3.5 * HOUR]
    assert log.tally.preempted.tolist() == [0, 0]


def test_who_is_away_without_handing_over_is_waited_for() -> None:
    model = parted("xy", x=Agent("x", "always", absences=(away(0.5 * HOUR, 2 * HOUR, hands_over=False),)))
    log = run(program(model, [Order(str(i), 0.0) for i in range(2)]), 2)
    assert sorted(end for _, end in spans(log).values()) == [1.0, 2.5]
    assert set(who(log).values()) == {"x", "y"}


def test_what_nobody_is_there_for_waits_until_somebody_comes() -> None:
    model = single()
    model = replace(model, agents=(Agent("x", "always", absences=(away(0.5 * HOUR, 3 * HOUR),)),))
    log = run(program(model, [Order("1", 0.0), Order("2", HOUR)]), 0)
    assert spans(log) == {"1": (0.0, 3.5), "2": (3.5, 4.5)}
    assert log.ready_s.tolist() == [0.0, HOUR]


def test_who_returns_takes_his_queue_and_what_waited_where_nobody_was() -> None:
    """Both are away; what waits in either queue goes to the first who comes."""
    agents = {
        "x": Agent("x", "always", absences=(away(0.1 * HOUR, 2 * HOUR),)),
        "y": Agent("y", "always", absences=(away(0.1 * HOUR, 9 * HOUR),)),
    }
    log = run(program(parted("xy", None, **agents), [Order(str(i), 0.2 * HOUR) for i in range(3)]), 1)
    assert who(log) == dict.fromkeys("012", "x")
    assert spans(log) == {"0": (2.0, 3.0), "1": (3.0, 4.0), "2": (4.0, 5.0)}


def test_who_is_hired_later_works_from_then_on() -> None:
    model = station(Constant(HOUR))
    hired = Agent("new", "always", hired=ORIGIN + timedelta(hours=1.5))
    model = replace(model, agents=(*model.agents, hired), queues=(Queue("q", ("agent0", "new")),))
    log = run(program(model, [Order(str(i), 0.0) for i in range(4)]), 0)
    assert [who(log)[n] for n in "0123"] == ["agent0", "agent0", "new", "agent0"]
    assert spans(log)["2"] == (1.5, 2.5)


def test_what_was_begun_by_one_who_left_goes_on_with_another_in_proportion() -> None:
    model = parted("xy", x=Agent("x", "always", absences=(away(HOUR),)))
    task = model.tasks()[0]
    rows = (
        *task.durations.rows,
        *(
            replace(task.durations.rows[0], agent=a, fitted=fitted(Constant(h * HOUR)))
            for a, h in (("x", 2), ("y", 6))
        ),
    )
    changed = replace(task, durations=replace(task.durations, rows=rows))
    model = replace(model, nodes=tuple(changed if n.id == "a" else n for n in model.nodes))
    plain = Policy(assignment="JFQ", preemption=False)
    log = run(program(model, [Order("1", 0.0)], plain), 0)
    assert spans(log) == {"1": (0.0, 4.0)}  # half done by x; half of six hours to do
    assert log.tally.busy_s.tolist() == [HOUR, 3 * HOUR]


def test_what_is_handed_over_may_interrupt_at_once() -> None:
    """x leaves at half of the urgent one; y lays the slow one down for it."""
    model = parted("xy", x=Agent("x", "always", absences=(away(0.5 * HOUR),)))
    plan = Schedule((Assignment("slow", "a", "y", 9.0), Assignment("urgent", "a", "x", 1.0)))
    policy = Policy(priorities=("RANK",), schedule=plan)
    log = run(program(model, [Order("slow", 0.0), Order("urgent", 0.0)], policy), 0)
    assert spans(log) == {"urgent": (0.0, 1.0), "slow": (0.0, 1.5)}
    assert log.executions.preemptions.tolist() == [1, 0]
    assert log.tally.preempted.tolist() == [0, 1]


def test_finished_with_the_leave_is_finished() -> None:
    model = replace(single(), agents=(Agent("x", "always", absences=(away(HOUR),)),))
    log = run(program(model, [Order("1", 0.0)]), 0)
    assert spans(log) == {"1": (0.0, 1.0)}


def test_a_lost_order_leaves_its_place_and_frees_its_agent() -> None:
    given = (
        Order("worked on", 0.0, lost_s=2 * HOUR),
        Order("waits", 0.0, lost_s=HOUR),
        Order("patient", 0.0),
        Order("in time", 10 * HOUR, lost_s=15 * HOUR),
        Order("late already", 20 * HOUR, lost_s=19 * HOUR),
    )
    log = run(program(single(Constant(5 * HOUR)), given), 0)
    assert spans(log) == {
        "worked on": (0.0, 2.0),
        "patient": (2.0, 7.0),
        "in time": (10.0, 15.0),
        "late already": (20.0, 20.0),
    }
    assert log.lost.tolist() == [True, True, False, False, True]
    assert np.array_equal(log.lost_s, [2 * HOUR, HOUR, np.nan, np.nan, 20 * HOUR], equal_nan=True)
    assert np.array_equal(log.completed_s, [np.nan, np.nan, 7 * HOUR, 15 * HOUR, np.nan], equal_nan=True)
    assert log.tally.executions == 2


def test_a_lost_order_loses_all_its_branches() -> None:
    model = process(
        Parallel("p", "m", (Leaf("a", "A"), Leaf("b", "B"), Leaf("c", "C"))),
        Constant(5 * HOUR),
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"], "b": ["q"]},
        agents=[Agent("x", "always")],
    )
    log = run(program(model, (Order("1", 0.0, lost_s=HOUR), Order("2", 0.5 * HOUR))), 0)
    hours = [(s / HOUR, e / HOUR) for s, e in zip(log.start_s, log.end_s, strict=True)]
    by_label = {(log.order[i], log.labels[log.task[i]]): hours[i] for i in range(len(hours))}
    assert by_label == {
        (0, "A"): (0.0, 1.0),
        (0, "C"): (0.0, 1.0),
        (1, "A"): (1.0, 6.0),
        (1, "B"): (6.0, 11.0),
        (1, "C"): (0.5, 5.5),
    }


def test_an_interrupted_order_that_is_lost_ends_in_the_log() -> None:
    given = [Order("slow", 0.0, due_s=90 * HOUR, lost_s=0.75 * HOUR), Order("u", 0.5 * HOUR, due_s=HOUR)]
    assert spans(run(program(single(), given, SDD), 0)) == {"slow": (0.0, 0.75), "u": (0.5, 1.5)}


def test_a_calendar_that_ends_leaves_orders_open() -> None:
    model = replace(single(), agents=(Agent("x", "always", absences=(away(0.5 * HOUR),)),))
    log = run(program(by_class(model, {}), [Order("1", 0.0)]), 0)
    assert np.isnan(log.completed_s).all()
    assert log.stopped == "end"

"""Batches: what is collected, when it is released, and work on several orders at once; both engines."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.batches import Batch
from metagraph.distributions import Constant, Empirical
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.policies import Policy
from metagraph.state import OpenOrder, Position, State
from simulation import kernel, reference
from simulation.kpis import kpis
from simulation.lowering import lower
from simulation.run import Run
from simulation.snapshots import state_of
from tests.simulation.builders import ORIGIN, expon, fitted, process, row
from tests.simulation.small import HOUR, away, program, single, spans, who, with_tasks

ENGINES = pytest.mark.parametrize("engine", [reference, kernel], ids=["reference", "kernel"])


def of(size: float) -> Any:
    return fitted(Constant(size))


def oven(batch: Batch, model: Metagraph | None = None) -> Metagraph:
    """One task of an hour, one agent; work on it is collected."""
    return with_tasks(model or single(), preemptible=False, batch=batch)


def at(*hours: float) -> list[Order]:
    return [Order(str(i + 1), h * HOUR) for i, h in enumerate(hours)]


def waited(run: Run) -> float:
    """In the collector, in hours."""
    return float(run.tally.collected_s.sum()) / HOUR


@ENGINES
def test_enough_of_them_release_a_sequential_batch(engine: ModuleType) -> None:
    """Three at 2 h, worked on one after the other; the fourth waits until its longest wait is over."""
    model = oven(Batch("sequential", of(3), wait_s=9 * HOUR))
    log = engine.run(program(model, at(0, 1, 2, 3)), 0)
    assert spans(log) == {"1": (2.0, 3.0), "2": (3.0, 4.0), "3": (4.0, 5.0), "4": (12.0, 13.0)}
    assert waited(log) == 2 + 1 + 0 + 9
    assert log.tally.wait_s.sum() == (2 + 2 + 2 + 9) * HOUR


def test_the_wait_for_a_batch_is_a_figure_of_its_own() -> None:
    model = oven(Batch("sequential", of(3), wait_s=9 * HOUR))
    found = kpis(kernel.run(program(model, at(0, 1, 2, 3)), 0))
    assert dict(found.task_collected_s) == {"A": 3 * HOUR}
    assert found.task_waiting_s["A"] == 3.75 * HOUR
    assert dict(kpis(kernel.run(program(single(), at(0, 1)), 0)).task_collected_s) == {}


@ENGINES
def test_a_simultaneous_batch_is_one_piece_of_work(engine: ModuleType) -> None:
    model = oven(Batch("simultaneous", of(3), wait_s=9 * HOUR))
    log = engine.run(program(model, at(0, 1, 2, 3)), 0)
    assert spans(log) == {"1": (2.0, 3.0), "2": (2.0, 3.0), "3": (2.0, 3.0), "4": (12.0, 13.0)}
    assert log.tally.busy_s.tolist() == [2 * HOUR]
    assert log.tally.finished.tolist() == [4]
    assert log.tally.executions == 4
    assert set(who(log).values()) == {"x"}


@ENGINES
def test_each_further_order_lengthens_it(engine: ModuleType) -> None:
    model = oven(Batch("simultaneous", of(3), wait_s=HOUR, per_item=0.25))
    log = engine.run(program(model, at(0, 0, 0, 5)), 0)
    assert spans(log) == {"1": (0.0, 1.5), "2": (0.0, 1.5), "3": (0.0, 1.5), "4": (6.0, 7.0)}


@ENGINES
def test_times_of_the_week_release_in_their_zone(engine: ModuleType) -> None:
    """Mondays and Tuesdays at 16:00 in Vienna are 15:00 UTC; what comes at that instant is of the batch."""
    times = (16 * HOUR, 40 * HOUR)
    model = oven(Batch("simultaneous", times=times, time_zone="Europe/Vienna"))
    log = engine.run(program(model, at(1, 15, 15.5, 60)), 0)
    assert spans(log) == {"1": (15.0, 16.0), "2": (15.0, 16.0), "3": (39.0, 40.0), "4": (183.0, 184.0)}
    summer = engine.run(program(model, at(24 * 7 * 20)), 0)
    assert spans(summer) == {"1": (24.0 * 7 * 20 + 14, 24.0 * 7 * 20 + 15)}


@ENGINES
def test_the_longest_wait_counts_from_the_first(engine: ModuleType) -> None:
    log = engine.run(program(oven(Batch("sequential", wait_s=2 * HOUR)), at(0, 1.5, 2.5)), 0)
    assert {o: s for o, (s, _) in spans(log).items()} == {"1": 2.0, "2": 3.0, "3": 4.5}


@ENGINES
def test_delays_come_before_collecting(engine: ModuleType) -> None:
    model = process(
        row("a"),
        Constant(HOUR),
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"]},
        agents=[Agent("x", "always")],
        delays={"a": Constant(5 * HOUR)},
    )
    log = engine.run(program(oven(Batch("simultaneous", of(2), wait_s=99 * HOUR), model), at(0, 1)), 0)
    assert spans(log) == {"1": (6.0, 7.0), "2": (6.0, 7.0)}
    assert waited(log) == 1.0


@ENGINES
def test_a_lost_order_leaves_its_batch_to_the_others(engine: ModuleType) -> None:
    """Lost while it is collected (the longest wait counts from the next one), as leader, as follower."""
    model = oven(Batch("simultaneous", of(3), wait_s=4 * HOUR))
    first = [replace(order, lost_s=HOUR) if order.id == "1" else order for order in at(0, 0.5)]
    assert spans(engine.run(program(model, first), 0)) == {"2": (4.5, 5.5)}
    for lost in "12":
        given = [replace(order, lost_s=2.5 * HOUR) if order.id == lost else order for order in at(0, 1, 2)]
        log = engine.run(program(model, given), 0)
        assert spans(log) == {i: (2.0, 2.5 if i == lost else 3.0) for i in "123"}
        assert log.tally.busy_s.tolist() == [HOUR]
        assert log.lost_s[int(lost) - 1] == 2.5 * HOUR


@ENGINES
def test_a_lost_leader_that_waits_is_followed_by_the_next(engine: ModuleType) -> None:
    """The agent is busy until 10 h with a batch of one."""
    model = oven(Batch("simultaneous", of(2), wait_s=0.5 * HOUR), single(Constant(9.5 * HOUR)))
    given = [replace(order, lost_s=5 * HOUR) if order.id == "2" else order for order in at(0, 2, 2)]
    log = engine.run(program(model, given), 0)
    assert spans(log) == {"1": (0.5, 10.0), "3": (10.0, 19.5)}
    alone = [replace(order, lost_s=5 * HOUR) if order.id != "1" else order for order in at(0, 2, 2)]
    assert spans(engine.run(program(model, alone), 0)) == {"1": (0.5, 10.0)}


@ENGINES
def test_whoever_leaves_hands_the_whole_batch_over(engine: ModuleType) -> None:
    pool = process(
        row("a"),
        Constant(2 * HOUR),
        queues=[Queue("q", ("x", "y"), (1.0, 0.0))],
        serves={"a": ["q"]},
        agents=[
            Agent("x", "always", absences=(away(2 * HOUR),)),
            Agent("y", "always"),
        ],
    )
    log = engine.run(program(oven(Batch("simultaneous", of(2), wait_s=9 * HOUR), pool), at(0, 1)), 0)
    assert spans(log) == {"1": (1.0, 3.0), "2": (1.0, 3.0)}
    assert set(who(log).values()) == {"y"}
    assert log.tally.busy_s.tolist() == [HOUR, HOUR]


@ENGINES
def test_work_that_needs_nobody_is_collected_too(engine: ModuleType) -> None:
    """A lorry that leaves at 16:00 with whatever is there."""
    leaves = tuple((24 * d + 16) * HOUR for d in range(7))
    model = oven(Batch("simultaneous", times=leaves), process(row("a"), expon(HOUR)))
    log = engine.run(program(model, at(1, 2, 20)), 3)
    starts, ends = np.array(list(spans(log).values())).T
    assert starts.tolist() == [16.0, 16.0, 40.0]
    assert ends[0] == ends[1] > 16.0


@ENGINES
def test_a_size_is_drawn_for_each_batch(engine: ModuleType) -> None:
    model = oven(Batch("sequential", fitted(Empirical((1.5, 4.5))), wait_s=999 * HOUR), single(Constant(1.0)))
    log = engine.run(program(model, at(*range(3000))), 5)
    sizes = np.unique(log.ready_s, return_counts=True)[1]
    share = np.bincount(sizes[:-1], minlength=5)[2:] / (len(sizes) - 1)
    assert len(share) == 3
    assert share == pytest.approx([1 / 3] * 3, abs=0.06)


@ENGINES
def test_a_state_says_who_is_collected_and_who_is_worked_on_together(engine: ModuleType) -> None:
    """Two have been worked on since 4 h, for an hour; one is collected since 3 h, one since 4.5 h."""

    def standing(name: str, **where: Any) -> OpenOrder:
        return OpenOrder(Order(name, 0.0), (Position("a", 0.0, **where),), ())

    state = State(
        5 * HOUR,
        (
            standing("w1", started_s=4 * HOUR, agent="x"),
            standing("c1", collected_s=3 * HOUR),
            standing("w2", started_s=4 * HOUR, agent="x"),
            OpenOrder(Order("c2", 0.0), (Position("a", 4.5 * HOUR),), ()),
        ),
    )
    model = oven(Batch("simultaneous", of(5), wait_s=3 * HOUR), single(Constant(2 * HOUR)))
    made = lower(model, (), origin=ORIGIN, state=state, policy=Policy(preemption=False))
    log = engine.run(made, 0)
    assert spans(log) == {"w1": (4.0, 6.0), "w2": (4.0, 6.0), "c1": (6.0, 8.0), "c2": (6.0, 8.0)}
    assert log.tally.busy_s.tolist() == [3 * HOUR]


@ENGINES
def test_a_snapshot_as_a_state_goes_on_alike(engine: ModuleType) -> None:
    model = oven(Batch("simultaneous", of(3), wait_s=9 * HOUR, per_item=0.5))
    made = program(model, at(0, 1, 2, 3, 3.25))
    session = engine.session(made, 0)
    session.run_to(3.5 * HOUR)
    seen = session.snapshot()
    assert seen.items["leader"].tolist() == [-1, 0, 0, -1, -1]
    assert seen.items["scale"].tolist() == [2.0, 2.0, 2.0, 1.0, 1.0]
    state = state_of(made, seen)
    assert [o.positions[0].collected_s for o in state.orders[3:]] == [3 * HOUR, 3.25 * HOUR]
    session.run_to(np.inf)
    again = engine.run(lower(model, (), origin=ORIGIN, state=state, policy=Policy(preemption=False)), 0)
    assert spans(again) == spans(session.result())
    assert spans(again)["1"] == (2.0, 4.0)


@ENGINES
def test_nothing_can_be_announced_where_work_is_collected(engine: ModuleType) -> None:
    session = engine.session(program(oven(Batch("sequential", wait_s=9 * HOUR)), at(0, 1)), 0)
    session.run_to(HOUR)
    with pytest.raises(DataError, match="collected into batches"):
        session.announce(0, 1, 4 * HOUR)


def test_what_could_hold_an_order_for_ever_is_refused() -> None:
    with pytest.raises(DataError, match="for ever: give it wait_s"):
        program(oven(Batch("sequential", of(3))), at(0))
    with pytest.raises(DataError, match="both can't be"):
        program(with_tasks(single(), batch=Batch("simultaneous", wait_s=1.0)), at(0))


def test_tasks_without_batches_are_as_before() -> None:
    assert all(node.batch is None for node in single().nodes if isinstance(node, Task))

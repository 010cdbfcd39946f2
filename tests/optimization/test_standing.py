"""Where orders stand, on the grid: what waits, what is under way, and by whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from metagraph.instances import Instance
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.state import Position, State
from optimization.problem import NOBODY, Problem
from tests.optimization.handmade import HOUR
from tests.optimization.test_stn import WORKSHOP, built, hours, instance

Since = Literal["ready", "release"]
BEFORE_PACKING = ("saw", "drill", "paint", "dry")


def standing(position: Position, done: tuple[str, ...], since: Since = "ready") -> Problem:
    """The workshop at 10 h without shifts, its order standing there; packing is delayed by an hour, or begins
    15 h after the release at the earliest."""
    tasks = WORKSHOP["tasks"] | {
        "pack": WORKSHOP["tasks"]["pack"] | {"delay_h": 1 if since == "ready" else 15}
    }
    raw = WORKSHOP["orders"][0] | {"done": list(done)}
    found = instance(agents={}, calendars={}, tasks=tasks, at_h=10, orders=[raw])
    assert found.state is not None
    (one,) = found.state.orders
    state = State(found.state.at_s, (replace(one, positions=(position,)),))
    return built(replace(found, state=state, metagraph=_delayed(found, since)), hours())


def _delayed(found: Instance, since: Since) -> Metagraph:
    nodes = tuple(
        replace(node, delay=replace(node.delay, since=since))
        if isinstance(node, Task) and node.delay is not None
        else node
        for node in found.metagraph.nodes
    )
    return replace(found.metagraph, nodes=nodes)


@pytest.mark.parametrize(
    ("changes", "ready"),
    [
        ({}, 1),
        ({"enabled_s": 9.0 * HOUR}, 0),
        ({"ready_s": 10 * HOUR}, 0),
        ({"ready_s": 12 * HOUR}, 2),
        ({"worked_s": 60.0}, 0),
        ({"eta_s": 13 * HOUR}, 3),
    ],
)
def test_what_waits_begins_once_its_delay_is_over(changes: dict[str, float], ready: int) -> None:
    position = Position("pack", 9.5 * HOUR)
    problem = standing(replace(position, **changes), BEFORE_PACKING)  # type: ignore[arg-type]
    assert [(op.task, op.preds, op.ready, op.lag) for op in problem.ops] == [("pack", (), ready, None)]


def test_delays_from_the_release() -> None:
    assert standing(Position("pack", 9.5 * HOUR), BEFORE_PACKING, "release").ops[0].ready == 5
    before = standing(Position("dry", 9.5 * HOUR, 9.5 * HOUR), BEFORE_PACKING[:3], "release")
    assert [(op.task, op.ready, op.lag) for op in before.ops] == [("pack", 6, None)]


@pytest.mark.parametrize(
    ("started_h", "eta_h", "end"), [(8.0, None, 4), (8.0, 12.0, 2), (8.0, 30.0, 20), (1.0, None, 1)]
)
def test_what_nobody_does_goes_on_to_its_end(started_h: float, eta_h: float | None, end: int) -> None:
    eta_s = None if eta_h is None else eta_h * HOUR
    position = Position("dry", started_h * HOUR, started_h * HOUR, eta_s=eta_s)
    problem = standing(position, BEFORE_PACKING[:3])
    assert [(work.task, work.unit, work.end) for work in problem.running] == [("dry", "", end)]
    assert [(op.task, op.ready) for op in problem.ops] == [("pack", end + 1)]
    assert problem.jobs[0].floor == end


def test_what_nobody_does_ends_when_it_was_announced() -> None:
    for eta_s, ready, lasts in ((13 * HOUR, 3, 1), (None, 0, 6)):
        dry = standing(Position("dry", 9 * HOUR, eta_s=eta_s), BEFORE_PACKING[:3]).ops[0]
        assert (dry.task, dry.ready, dry.modes[0].pool) == ("dry", ready, NOBODY)
        assert dry.modes[0].ends[ready] == ready + lasts


def test_work_of_a_stranger_goes_on_by_the_clock_and_takes_no_place() -> None:
    """Of an hour and a half 72 minutes are left."""
    problem = standing(Position("drill", 9 * HOUR, 9.7 * HOUR, agent="Zoe"), ("saw", "paint", "dry"))
    assert [(work.task, work.unit, work.end) for work in problem.running] == [("drill", "", 2)]
    assert all(pool.capacity.min() == len(pool.units) for pool in problem.pools)
    assert sum("whom the twin doesn't know" in note for note in problem.notes) == 1
    known = standing(Position("drill", 9 * HOUR, 9.7 * HOUR, agent="Joe"), ("saw", "paint", "dry"))
    assert known.running == ()
    assert known.ops[0].held_unit == "Joe"
    assert not any("whom the twin doesn't know" in note for note in known.notes)


def test_who_stands_for_several_does_their_work() -> None:
    agents = {"Joe": {"members": ["Ann", "Bob"]}}
    progress = [{"task": "drill", "agent": "Joe", "started_h": 9.7}]
    raw = WORKSHOP["orders"][0] | {"done": ["saw", "paint", "dry"], "in_progress": progress}
    found = instance(agents={}, calendars={}, at_h=10, orders=[raw])
    assert found.state is not None
    (one,) = found.state.orders
    bobs = replace(one, positions=tuple(replace(place, agent="Bob") for place in one.positions))
    crew = tuple(
        replace(a, members=tuple(agents[a.id]["members"])) if a.id in agents else a
        for a in found.metagraph.agents
    )
    state = State(found.state.at_s, (bobs,))
    problem = built(replace(found, state=state, metagraph=replace(found.metagraph, agents=crew)), hours())
    assert problem.ops[0].held_unit == "Joe"

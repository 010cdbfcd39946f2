"""States and schedules as JSON: what is written reads the same, and every fault is named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metagraph.batches import Batch
from metagraph.blocks import Leaf, Loop, Parallel, Sequence
from metagraph.check_state import state_faults
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.schedule import Assignment, Schedule
from metagraph.schedule_file import read_schedule, write_schedule
from metagraph.state import OpenOrder, Position, State
from metagraph.state_file import read_state, write_state
from tests.metagraph.strategies import finite, labels, plain_metagraph

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
PROCESS = plain_metagraph(
    Sequence(
        (
            Loop("again", "done", Leaf("a", "A"), (Leaf("b", "B"),)),
            Parallel("p", "p_end", (Leaf("c", "C"), Leaf("d", "D"))),
        )
    )
)
micros = st.integers(0, 10**13)


@st.composite
def positions(draw: st.DrawFn, node: str, at: int) -> Position:
    enabled, begun, started = sorted(draw(st.lists(micros, min_size=3, max_size=3)))
    worked_on = draw(st.booleans())
    interrupted = draw(st.booleans())
    return Position(
        node,
        enabled / 1e6,
        started / 1e6 if worked_on else None,
        "ann" if worked_on else draw(st.sampled_from([None, "ann"])),
        draw(st.sampled_from(["", *"ABCD"])),
        draw(st.sampled_from([None, enabled / 1e6])),
        draw(st.sampled_from([None, "q"])),
        begun / 1e6 if interrupted else None,
        draw(finite.map(abs)) if interrupted else None,
        draw(st.integers(0, 9)),
        draw(st.sampled_from([None, at / 1e6])),
    )


@st.composite
def states(draw: st.DrawFn) -> State:
    at = 10**13 + draw(micros)
    found = []
    for name in draw(st.lists(labels.filter(bool), max_size=3, unique=True)):
        nodes = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=2, unique=True))
        visits = draw(st.dictionaries(st.sampled_from(["a", "b", "done"]), st.integers(1, 9)))
        order = Order(name, draw(micros) / 1e6, attributes=draw(st.dictionaries(labels, labels, max_size=2)))
        merged = draw(st.sampled_from([{}, {"p_end": 1}]))
        history = tuple(draw(st.lists(st.sampled_from("ABCD"), max_size=3)))
        found.append(OpenOrder(order, tuple(draw(positions(n, at)) for n in nodes), history, visits, merged))
    return State(at / 1e6, tuple(found))


@settings(max_examples=100, deadline=None)
@given(states())
def test_states_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, state: State) -> None:
    path = tmp_path_factory.getbasetemp() / "state.json"
    write_state(state, path, MONDAY)
    assert read_state(path, PROCESS, MONDAY) == (state, MONDAY)


def test_hours_read_as_they_were_written(tmp_path: Path) -> None:
    state = State(
        7200.0, (OpenOrder(Order("1", 0.0), (Position("a", 1800.0, ready_s=3600.0),), (), {"a": 1}),)
    )
    write_state(state, tmp_path / "state.json", MONDAY, hours=True)
    assert read_state(tmp_path / "state.json", PROCESS) == (state, MONDAY)
    assert '"ready_h": 1.0' in (tmp_path / "state.json").read_text("utf-8")


def state_of(tmp_path: Path, order: dict[str, Any], **changes: Any) -> State:
    place = {"node": "a", "enabled_h": 1}
    raw = {"at_h": 5, "orders": [{"id": "1", "release_h": 0, "positions": [place], **order}], **changes}
    path = tmp_path / "state.json"
    path.write_text(json.dumps(raw), "utf-8")
    return read_state(path, PROCESS)[0]


def test_visits_of_tasks_follow_from_history_and_positions_if_nobody_tells_them(tmp_path: Path) -> None:
    found = state_of(tmp_path, {"history": ["A", "B"]}).orders[0]
    assert found.visits == {"a": 2, "b": 1}
    assert state_of(tmp_path, {"history": ["A", "B"], "visits": {"done": 1}}).orders[0].visits == {"done": 1}


def test_hours_of_work_can_be_told(tmp_path: Path) -> None:
    place = {"node": "a", "enabled_h": 1, "started_h": 2, "agent": "ann", "worked_h": 0.5}
    assert state_of(tmp_path, {"positions": [place]}).orders[0].positions[0].worked_s == 1800.0


def place(**fields: Any) -> dict[str, Any]:
    return {"positions": [{"node": "a", "enabled_h": 1, **fields}]}


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"positions": []}, 'order "1", positions: none; leave out an order that isn\'t open'),
        ({"positions": None}, 'orders, "1", positions: missing; it is needed'),
        ({"release_h": 6}, 'order "1", release: it lies after the instant of the state'),
        ({"positions": [{"node": "x", "enabled_h": 1}]}, 'position "x", node: it is no task and no gateway'),
        ({"positions": [{"node": "a"}]}, 'orders, "1", positions, "a", enabled_h: missing; it is needed'),
        (
            {"positions": [{"node": "a", "enabled_h": 1}, {"node": "a", "enabled_h": 2}]},
            'order "1", position "a": 2 positions; an order is there once',
        ),
        (place(enabled_h=6), "enabled: it lies after the instant of the state"),
        (
            place(started_h=0.5, agent="ann"),
            "started: it lies before the instant at which the task was enabled",
        ),
        (place(started_h=2), "agent: missing; whoever works on it since `started` must be named"),
        (place(started_h=2, agent="bob"), 'agent: "bob" is no agent of this twin'),
        (place(queue="r"), 'queue: "r" is no queue of this twin'),
        (place(begun_h=3, started_h=2, agent="ann"), "started: it lies before the first beginning"),
        (place(worked_s=3), "begun: missing; work was done, so say when it first began"),
        (place(worked_s=-3, begun_h=1), "worked_s: -3; expected 0 or more"),
        (place(preemptions=0.5), "preemptions: 0.5; expected a whole number"),
        (place(colour="red"), "colour: no such field; there are"),
        (
            {"positions": [{"node": "done", "enabled_h": 1, "started_h": 2, "agent": "ann"}]},
            "a gateway isn't worked on",
        ),
        ({"visits": {"p": 1}}, 'visits: "p" is no task and no gateway that chooses'),
        ({"visits": {"a": 0}}, "visits, a: 0; expected 1 or more"),
        ({"merged": {"p": 1}}, 'merged: "p" is no and_merge of this twin'),
        ({"merged": {"p_end": 2}}, 'merged, "p_end": 2 tokens wait; expected 1 to 1'),
        ({"history": ["A", "Chek"]}, 'history: "Chek" is no activity of this twin; there are A, B, C, D'),
        (place(after="Chek"), 'position "a", after: "Chek" is no activity of this twin; there are A'),
        ({"history": "A"}, 'history: "A"; expected a list of names'),
        ({"release_h": 0, "release": "2026-11-23T00:00:00Z"}, "times are told in several ways"),
    ],
)
def test_every_fault_of_a_state_is_told(tmp_path: Path, order: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError) as caught:
        state_of(tmp_path, order)
    assert told in str(caught.value)


def test_faults_of_the_whole_state_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at_h: missing"):
        state_of(tmp_path, {}, at_h=None)
    with pytest.raises(DataError, match="colour: no such field; there are origin, at_h, orders"):
        state_of(tmp_path, {}, colour=3)
    one = {"id": "1", "release_h": 0, **place()}
    with pytest.raises(DataError, match='order "1": given 2 times'):
        state_of(tmp_path, {}, orders=[one, one])
    (tmp_path / "state.json").write_text("[]", "utf-8")
    with pytest.raises(DataError, match=r"holds \[\]; expected an object with `at` and `orders`"):
        read_state(tmp_path / "state.json", PROCESS)


assignments = st.builds(
    lambda order, task, agent, rank, times: Assignment(order, task, agent, rank, *(t / 1e6 for t in times)),
    labels,
    labels,
    labels,
    finite,
    st.lists(micros, max_size=2).map(sorted),
)
schedules = st.builds(
    Schedule,
    st.lists(assignments, max_size=4, unique_by=lambda a: (a.order, a.task)).map(tuple),
    micros.map(lambda at: at / 1e6),
)


@settings(max_examples=100, deadline=None)
@given(schedules)
def test_schedules_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, schedule: Schedule
) -> None:
    path = tmp_path_factory.getbasetemp() / "schedule.json"
    write_schedule(schedule, path, MONDAY)
    assert read_schedule(path, origin=MONDAY) == (schedule, MONDAY)


@pytest.mark.parametrize(
    ("planned", "at_h"), [({"start_h": 3.0}, 3.0), ({"start_h": 5, "end_h": 6}, 5.0), ({}, 0.0)]
)
def test_a_schedule_needs_no_instant(tmp_path: Path, planned: dict[str, float], at_h: float) -> None:
    one = {"order": "1", "task": "a", "agent": "ann", "rank": 1, **planned}
    path = tmp_path / "schedule.json"
    path.write_text(json.dumps({"origin": "2026-11-23T00:00:00Z", "assignments": [one]}), "utf-8")
    schedule, origin = read_schedule(path, PROCESS)
    assert (schedule.at_s, origin) == (at_h * 3600, MONDAY)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"task": "x"}, 'order "1", task "x", task: no task of this twin has this id; there are a, b, c, d'),
        ({"agent": "bob"}, 'order "1", task "a", agent: "bob" doesn\'t serve this task; ann can'),
        ({"rank": None}, "rank: missing; it is needed"),
        ({"rank": "first"}, 'rank: "first"; expected a number'),
        ({"start_h": 3, "end_h": 2}, "end: it lies before the start"),
        ({"colour": 2}, "colour: no such field; there are rank, order, task, agent, start_h, end_h"),
        ({"end": "2026-11-23T00:00:00Z"}, "times are told in several ways"),
    ],
)
def test_every_fault_of_a_schedule_is_told(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    row = {"order": "1", "task": "a", "agent": "ann", "rank": 1, "start_h": 1, **changes}
    path = tmp_path / "schedule.json"
    path.write_text(json.dumps({"at_h": 0, "assignments": [row, row]}), "utf-8")
    with pytest.raises(DataError) as caught:
        read_schedule(path, PROCESS)
    assert told in str(caught.value)
    assert "assigned 2 times; once is enough" in str(caught.value)


def collecting() -> Metagraph:
    """The process whose task c collects work."""
    batch = Batch("sequential", wait_s=3600.0)
    nodes = (replace(n, batch=batch) if isinstance(n, Task) and n.id == "c" else n for n in PROCESS.nodes)
    return replace(PROCESS, nodes=tuple(nodes))


def test_what_is_collected_is_kept(tmp_path: Path) -> None:
    place = Position("c", 10.0, collected_s=20.0)
    state = State(100.0, (OpenOrder(Order("1", 0.0), (place,), (), {"c": 1}),))
    write_state(state, tmp_path / "state.json", MONDAY)
    assert read_state(tmp_path / "state.json", collecting(), MONDAY)[0] == state


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (Position("d", 10.0, collected_s=20.0), "collected: the task has no batch"),
        (Position("c", 10.0, collected_s=5.0), "collected: it lies before the instant"),
        (Position("c", 10.0, collected_s=200.0), "collected: it lies after the instant of the state"),
        (Position("c", 10.0, collected_s=20.0, ready_s=30.0), "it was released already"),
        (Position("c", 10.0, eta_s=300.0), "what is collected into batches can't be announced"),
    ],
)
def test_what_can_t_be_collected_is_told(place: Position, told: str) -> None:
    state = State(100.0, (OpenOrder(Order("1", 0.0), (place,), (), {"c": 1}),))
    assert any(told in str(fault) for fault in state_faults(state, collecting()))

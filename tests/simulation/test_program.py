"""Lowering: tables answer as the metagraph does, and what can't be run is refused in a sentence."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.agents import Absence, Agent, Breakdowns, Queue
from metagraph.blocks import Choice, Leaf, Sequence
from metagraph.distributions import Constant
from metagraph.errors import DataError, TwinError, UsageError
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, DurationRow, DurationTable, Task
from metagraph.orders import Order
from metagraph.policies import PORTFOLIO, Policy
from metagraph.routing import Context, Level, Routing, RoutingRow
from metagraph.schedule import Assignment, Schedule
from metagraph.state import OpenOrder, Position, State
from simulation.lowering import lower
from simulation.program import Kind, Network
from simulation.reference import run
from tests.simulation.builders import (
    OFFICE,
    ORIGIN,
    constant,
    expon,
    fitted,
    orders,
    process,
    row,
    station,
)

CHOICE = Sequence((Leaf("a", "A"), Choice("x", "x_end", (Leaf("b", "B"), Leaf("c", "C"), Leaf("d", "D")))))
LABELS = ["", "A", "B", "C", "D", "gone"]
CLASSES = ["", "gold", "iron"]
LEVELS = (
    Level(cls=True, segment=True, visit=True, history=2),
    Level(cls=True, history=1),
    Level(segment=True, visit=True),
    Level(history=3),
    Level(),
)


@st.composite
def routings(draw: st.DrawFn) -> tuple[RoutingRow, ...]:
    """Rows of every level for some contexts, and the one without."""
    rows = {}
    for level in range(len(LEVELS)):
        for _ in range(draw(st.integers(0, 4))):
            key = draw(contexts()).key(LEVELS[level])
            weights = draw(st.lists(st.integers(0, 5), min_size=3, max_size=3).filter(any))
            rows[level, key] = tuple(w / sum(weights) for w in weights)
    rows[len(LEVELS) - 1, ()] = (0.2, 0.3, 0.5)
    return tuple(RoutingRow(level, key, weights, 9) for (level, key), weights in rows.items())


def contexts() -> st.SearchStrategy[Context]:
    history = st.lists(st.sampled_from(LABELS[1:]), max_size=4)
    return st.builds(
        Context, st.sampled_from(CLASSES), st.sampled_from(["", "east"]), st.integers(1, 8), history
    )


def weights_of(network: Network, gateway: str, context: Context) -> list[float]:
    """Cumulative weights as docs/simulation.md has them looked up: row by row, level by level."""
    node = network.nodes[network.node_ids.index(gateway)]
    cls, segment = network.classes.get(context.cls, 0), network.segments.get(context.segment, 0)
    for level in network.levels[node["level"] : node["level"] + node["levels"]]:
        code = 0
        if level["cls"]:
            code = cls + 1
        if level["segment"]:
            code = code << 24 | segment + 1
        if level["visit"]:
            code = code << 4 | min(context.visit, 5)
        history = network.history(context.history) % int(level["span"])
        rows = network.rows[level["row"] : level["row"] + level["rows"]]
        assert rows.tolist() == sorted(rows.tolist())
        for found_row in rows:
            if (found_row["context"], found_row["history"]) == (code, history):
                first = int(found_row["weight"])
                found: list[float] = network.cumulative[first : first + int(node["targets"])].tolist()
                return found
    raise AssertionError("the last level has a row for all")


@given(routings(), st.lists(contexts(), min_size=1, max_size=20))
def test_routes_choose_as_the_routing_says(rows: tuple[RoutingRow, ...], asked: list[Context]) -> None:
    model = process(CHOICE, Constant(1.0))
    routing = Routing("x", model.routing[0].flows, LEVELS, rows)
    network = lower(replace(model, routing=(routing,)), (), origin=ORIGIN).network
    for context in asked:
        found = weights_of(network, "x", context)
        total = 0.0
        for weight, upper in zip(routing.weights(context), found, strict=True):
            total += weight
            assert upper == pytest.approx(total) or (upper == float("inf") and total == pytest.approx(1.0))


NAMES = st.sampled_from([None, "gold", "iron"])
AGENTS = st.sampled_from([None, "agent0", "agent1"])


@given(
    st.dictionaries(st.tuples(NAMES, st.sampled_from([None, "east"]), AGENTS), st.integers(1, 99)),
    st.sampled_from(["gold", "iron", "other"]),
    st.sampled_from(["east", "west"]),
    st.sampled_from(["agent0", "agent1"]),
)
def test_durations_are_looked_up_as_in_the_table(
    rows: dict[tuple[str | None, str | None, str | None], int], cls: str, segment: str, agent: str
) -> None:
    table = DurationTable(
        tuple(DurationRow(fitted(Constant(float(v))), *key) for key, v in ({(None,) * 3: 0} | rows).items())
    )
    model = station(Constant(1.0), servers=2)
    task = replace(model.tasks()[0], durations=table)
    model = replace(model, nodes=tuple(task if isinstance(n, Task) else n for n in model.nodes))
    network = lower(model, (), origin=ORIGIN).network
    node = network.nodes[int(np.flatnonzero(network.nodes["kind"] == Kind.TASK)[0])]
    at = (
        node["law"]
        + network.classes.get(cls, 0) * node["law_cls"]
        + network.segments.get(segment, 0) * node["law_segment"]
        + (network.agent_ids.index(agent) + 1) * node["law_agent"]
    )
    found = network.laws[network.durations[at]]
    assert found["mean_s"] == table.lookup(cls, segment, agent).law.mean()
    anyone = network.laws[network.durations[at - (network.agent_ids.index(agent) + 1) * node["law_agent"]]]
    assert anyone["mean_s"] == table.lookup(cls, segment, None).law.mean()


def test_a_program_can_be_sent_elsewhere() -> None:
    program = lower(station(Constant(600.0), calendar="office"), orders([0.0, 40_000.0]), origin=ORIGIN)
    here, there = run(program, 1), run(pickle.loads(pickle.dumps(program)), 1)
    assert here.rows() == there.rows()


def ranked_by(rank: float) -> Policy:
    return Policy(priorities=("RANK",), schedule=Schedule((Assignment("1", "a", "agent0", rank),)))


def test_a_process_is_lowered_once_for_its_replications() -> None:
    """And a few policies in turn, whose schedules may change all the time."""
    model = station(Constant(1.0))
    first, second = (lower(model, orders(t), origin=ORIGIN) for t in ([0.0], [5.0]))
    other = lower(model, (), origin=ORIGIN, policy=PORTFOLIO["P"])
    assert first.network is second.network is lower(model, (), origin=ORIGIN).network
    assert other.network is not first.network
    assert lower(replace(model, name="b"), (), origin=ORIGIN).network is not first.network
    ranked = [lower(model, orders([0.0]), origin=ORIGIN, policy=ranked_by(rank)) for rank in (1.0, 2.0)]
    assert ranked[0].network is ranked[1].network


def test_nobody_writes_to_what_runs_share() -> None:
    program = lower(station(expon(1.0)), orders([0.0]), origin=ORIGIN)
    arrays = [
        value
        for part in (program.network, program.orders)
        for value in (getattr(part, f.name) for f in fields(part))
        if isinstance(value, np.ndarray)
    ]
    assert len(arrays) > 20
    assert not any(array.flags.writeable for array in arrays)


def without_routing() -> Metagraph:
    return replace(process(CHOICE, Constant(1.0)), routing=())


def misrouted() -> Metagraph:
    model = process(CHOICE, Constant(1.0))
    return replace(model, routing=(replace(model.routing[0], rows=(RoutingRow(0, (), (0.0, 0.0, 0.0), 1),)),))


def agent(**kwargs: Any) -> Metagraph:
    return replace(station(Constant(1.0)), agents=(Agent("agent0", "always", **kwargs),))


def long_histories() -> Metagraph:
    model = process(CHOICE, Constant(1.0))
    levels = (Level(history=30), Level())
    return replace(
        model, routing=(replace(model.routing[0], levels=levels, rows=(RoutingRow(1, (), (1.0, 0, 0), 1),)),)
    )


def two_rules() -> Metagraph:
    return process(
        row("a", "b"),
        Constant(1.0),
        queues=[Queue("q", ("x",)), Queue("r", ("x",), priority="SDD")],
        serves={"a": ["q"], "b": ["r"]},
        agents=[Agent("x", "always")],
    )


REFUSED: list[tuple[Metagraph, type[TwinError], str]] = [
    (without_routing(), DataError, "gateway 'x' has no routing"),
    (misrouted(), DataError, "gateway 'x' has the weights"),
    (long_histories(), DataError, "the routing looks at the last 30 of 4 activities"),
    (
        agent(absences=(Absence(ORIGIN, ORIGIN - timedelta(1)),)),
        DataError,
        "an absence of agent 'agent0' ends before it begins",
    ),
    (
        agent(breakdowns=Breakdowns(fitted(Constant(0.0)), fitted(Constant(1.0)))),
        DataError,
        "agent 'agent0' has breakdowns whose times between are 0 s",
    ),
    (
        agent(breakdowns=Breakdowns(fitted(Constant(0.9)), fitted(Constant(1.0)))),
        DataError,
        "agent 'agent0' has breakdowns whose times between are 0.9 s on average: they must be 1 s or more",
    ),
    (
        replace(station(Constant(1.0)), calendars=(replace(OFFICE, id="always", hours=()),)),
        DataError,
        "calendar 'always' of agent 'agent0' has no working hours",
    ),
    (
        replace(station(Constant(1.0)), queues=(Queue("q", ("agent0",), priority="BEST"),)),
        UsageError,
        "priority rule 'BEST' is unknown",
    ),
    (two_rules(), UsageError, "agent 'x' serves queues with the rules FIFO and SDD"),
    (station(Constant(-1.0)), DataError, "task 'a' has a time of -1 s"),
    (replace(station(Constant(1.0)), queues=()), DataError, "task 'a' names the queue 'q'"),
    (replace(station(Constant(1.0)), agents=()), DataError, "queue 'q' names the agent 'agent0'"),
    (replace(station(Constant(1.0)), queues=(Queue("q", ()),)), DataError, "queue 'q' has no agents"),
    (replace(station(Constant(1.0)), calendars=()), DataError, "agent 'agent0' has the calendar 'always'"),
    (replace(station(Constant(1.0)), flows=()), DataError, "node 'start' has no outgoing flow"),
]


@pytest.mark.parametrize(("model", "error", "sentence"), REFUSED, ids=[case[2] for case in REFUSED])
def test_what_cannot_be_run_is_refused(model: Metagraph, error: type[TwinError], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        lower(model, (), origin=ORIGIN)


def test_orders_and_state_must_fit_together() -> None:
    model = station(Constant(1.0))
    state = State(100.0, (OpenOrder(Order("1", 0.0), (Position("a", 0.0),), ()),))
    with pytest.raises(DataError, match="order 1 is given twice"):
        lower(model, [Order("1", 200.0)], origin=ORIGIN, state=state)
    with pytest.raises(
        DataError,
        match="released at 2024-01-01T00:00:50Z, before the state's instant 2024-01-01T00:01:40Z",
    ):
        lower(model, [Order("2", 50.0)], origin=ORIGIN, state=state)
    lost = State(100.0, (OpenOrder(Order("1", 0.0), (Position("z", 0.0),), ()),))
    with pytest.raises(DataError, match="open order 1 stands at 'z'"):
        lower(model, (), origin=ORIGIN, state=lost)

    late = State(100.0, (OpenOrder(Order("1", 0.0), (Position("a", 0.0, 101.0),), ()),))
    with pytest.raises(
        DataError,
        match=r"open order 1 at 'a' is started at 2024-01-01T00:01:41Z, after .* 2024-01-01T00:01:40Z",
    ):
        lower(model, (), origin=ORIGIN, state=late)
    idle = State(100.0, (OpenOrder(Order("1", 0.0), (Position("a", 0.0, worked_s=-1.0),), ()),))
    with pytest.raises(DataError, match="has worked_s -1: give 0 or more"):
        lower(model, (), origin=ORIGIN, state=idle)
    cut = State(100.0, (OpenOrder(Order("1", 0.0), (Position("a", 0.0, begun_s=5.0),), ()),))
    with pytest.raises(DataError, match="was interrupted, but not after how much work"):
        lower(model, (), origin=ORIGIN, state=cut)


def test_delays_know_the_activity_before() -> None:
    block = Sequence((Choice("x", "x_end", (Leaf("b", "B"), Leaf("c", "C"))), Leaf("d", "D")))
    model = process(block, Constant(0.0), delays={"d": constant(5.0)})
    delay = DelayTable(fitted(Constant(5.0)), {"B": fitted(Constant(60.0))})
    nodes = tuple(replace(n, delay=delay) if isinstance(n, Task) and n.id == "d" else n for n in model.nodes)
    log = run(lower(replace(model, nodes=nodes), orders(range(30)), origin=ORIGIN), 3)
    seen = {}
    for i, (who, label) in enumerate(zip(log.order, (log.labels[t] for t in log.task), strict=True)):
        if label == "D":
            before = next(log.labels[t] for o, t in zip(log.order, log.task, strict=True) if o == who)
            seen[before] = float(log.start_s[i] - log.enabled_s[i])
    assert seen == {"B": 60.0, "C": 5.0}

"""Lowering: tables answer as the metagraph does, and what can't be run is refused in a sentence."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.agents import Agent, Queue
from metagraph.blocks import Choice, Leaf, Sequence
from metagraph.distributions import Constant
from metagraph.errors import DataError, TwinError, UsageError
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, DurationRow, DurationTable, Task
from metagraph.orders import Order
from metagraph.routing import Context, Level, Routing, RoutingRow
from metagraph.state import OpenOrder, Position, State
from simulation.network import Kind
from simulation.program import lower
from simulation.reference import run
from tests.simulation.builders import ORIGIN, constant, fitted, orders, process, row, station

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


@given(routings(), st.lists(contexts(), min_size=1, max_size=20))
def test_routes_choose_as_the_routing_says(rows: tuple[RoutingRow, ...], asked: list[Context]) -> None:
    model = process(CHOICE, Constant(1.0))
    routing = Routing("x", model.routing[0].flows, LEVELS, rows)
    network = lower(replace(model, routing=(routing,)), (), origin=ORIGIN).network
    route = network.routes[network.node_ids.index("x")]
    assert route is not None
    for context in asked:
        found = route.cumulative(
            network.classes.get(context.cls, 0),
            network.segments.get(context.segment, 0),
            context.visit,
            network.history(tuple(context.history)),
        )
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
    work = network.works[network.kinds.index(Kind.TASK)]
    assert work is not None
    found = work.duration(
        network.classes.get(cls, 0), network.segments.get(segment, 0), network.agent_ids.index(agent)
    )
    assert found.mean == table.lookup(cls, segment, agent).law.mean()


def test_a_program_can_be_sent_elsewhere() -> None:
    program = lower(station(Constant(600.0), calendar="office"), orders([0.0, 40_000.0]), origin=ORIGIN)
    here, there = run(program, 1), run(pickle.loads(pickle.dumps(program)), 1)
    assert here.log() == there.log()


def test_a_process_is_lowered_once_for_its_replications() -> None:
    model = station(Constant(1.0))
    first, second = (lower(model, orders(t), origin=ORIGIN) for t in ([0.0], [5.0]))
    assert first.network is second.network
    assert lower(replace(model, name="b"), (), origin=ORIGIN).network is not first.network


def without_routing() -> Metagraph:
    return replace(process(CHOICE, Constant(1.0)), routing=())


def misrouted() -> Metagraph:
    model = process(CHOICE, Constant(1.0))
    return replace(model, routing=(replace(model.routing[0], rows=(RoutingRow(0, (), (0.0, 0.0, 0.0), 1),)),))


def shared() -> Metagraph:
    model = station(Constant(1.0))
    return replace(model, agents=(Agent("agent0", "always", capacity=3, sharing="shared"),))


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
    (shared(), UsageError, "agent 'agent0' shares its time among 3 items"),
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


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(UsageError, match="priority rule 'BEST' is unknown: take one of FIFO, HP, SDD, SERPT"):
        lower(station(Constant(1.0)), (), origin=ORIGIN, policy="BEST")


def test_orders_and_state_must_fit_together() -> None:
    model = station(Constant(1.0))
    state = State(100.0, (OpenOrder(Order("1", 0.0), (Position("a", 0.0),), ()),))
    with pytest.raises(DataError, match="order 1 is given twice"):
        lower(model, [Order("1", 200.0)], origin=ORIGIN, state=state)
    with pytest.raises(DataError, match="order 2 is released at 50 s, before the state's instant 100 s"):
        lower(model, [Order("2", 50.0)], origin=ORIGIN, state=state)
    lost = State(100.0, (OpenOrder(Order("1", 0.0), (Position("z", 0.0),), ()),))
    with pytest.raises(DataError, match="open order 1 stands at 'z'"):
        lower(model, (), origin=ORIGIN, state=lost)


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

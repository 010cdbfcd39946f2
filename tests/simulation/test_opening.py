"""What an opening says of each position, and that drawing for all at once is drawing one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.agents import Absence, Agent, Breakdowns, Queue
from metagraph.blocks import Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.distributions import Constant, Distribution, Empirical
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.paces import Pace
from metagraph.policies import Policy
from metagraph.state import OpenOrder, Position, State
from simulation import engines
from simulation.lowering import lower
from simulation.opening import Opening, opening
from simulation.program import Program
from simulation.session import DELAYED, WAITING, WORKING
from simulation.streams import REDRAW, Purpose, Stream
from simulation.tables import tabulate
from tests.simulation.builders import ORIGIN, expon, fitted, process, row

HOUR, DAY = 3600.0, 86400.0
AT = 30 * HOUR
"""Tuesday, 6:00."""
WORK, DELAY = expon(2 * HOUR), expon(20 * HOUR)


def office_and_home(
    agents: tuple[Agent, ...] = (Agent("ann", "office"), Agent("bob", "always")), **kwargs: object
) -> Metagraph:
    """Two tasks, the second after a delay and served through two queues, the third needing nobody."""
    made = process(
        row("a", "b", "c"),
        WORK,
        queues=[Queue("q", ("ann",)), Queue("r", ("bob",)), Queue("s", ("ann", "bob"))],
        serves={"a": ["q"], "b": ["r", "s"]},
        agents=agents,
        delays={"b": DELAY},
    )
    changes: Mapping[str, object] = kwargs
    nodes = tuple(replace(n, **changes) if isinstance(n, Task) else n for n in made.nodes)  # type: ignore[arg-type]
    return replace(made, nodes=nodes)


def opened(
    model: Metagraph, *positions: Position, policy: Policy | None = None, replication: int = 0
) -> tuple[Program, Opening, Stream]:
    """One order a position."""
    state = State(
        AT,
        tuple(OpenOrder(Order(str(i), 0.0), (p,), ("A",), {p.node: 2}) for i, p in enumerate(positions)),
    )
    program, stream = lower(model, (), origin=ORIGIN, state=state, policy=policy), Stream(3, replication)
    return program, opening(program, stream), stream


def node_of(program: Program, name: str) -> int:
    return program.network.node_ids.index(name)


def beyond(law: Distribution, known: float, u: float) -> float:
    table = tabulate(law)
    return table.draw_beyond(known, u) if known > 0.0 else table.draw(u)


def test_work_under_way() -> None:
    """Begun on Monday at 16:00 by ann, whose day ended at 17:00, and by somebody unknown."""
    program, found, stream = opened(
        office_and_home(), Position("a", 0.0, 16 * HOUR, "ann"), Position("a", 0.0, 16 * HOUR, "temp")
    )
    node = node_of(program, "a")
    assert found.items["status"].tolist() == [WORKING, WORKING]
    assert found.items["agent"].tolist() == [0, -1]
    assert found.items["queue"].tolist() == [0, 0]
    assert found.items["done_s"].tolist() == [HOUR, 14 * HOUR]
    assert found.items["since_s"].tolist() == [AT, AT]
    assert found.items["start_s"].tolist() == found.items["ready_s"].tolist() == [16 * HOUR] * 2
    for i, item in enumerate(found.items):
        u = stream.uniform(i, node, 2, Purpose.WORK)
        assert item["left_s"] == beyond(WORK, item["done_s"], u) - item["done_s"]
        assert isnan(item["finish_s"])


def test_work_whose_progress_is_told() -> None:
    """Interrupted since its first beginning, in the queue that is told if it is one of the agent's."""
    place = Position("b", 0.0, 20 * HOUR, "bob", queue="s", begun_s=HOUR, worked_s=600.0, preemptions=2)
    _, found, _ = opened(office_and_home(), place, replace(place, queue="q"))
    assert found.items["done_s"].tolist() == [600.0, 600.0]
    assert found.items["start_s"].tolist() == [HOUR, HOUR]
    assert found.items["queue"].tolist() == [2, 1]
    assert found.items["preemptions"].tolist() == [2, 2]


def test_overdue_work_is_done() -> None:
    _, found, _ = opened(
        office_and_home(durations=process(row("a"), Constant(60.0)).tasks()[0].durations),
        Position("a", 0.0, 0.0, "bob"),
    )
    assert found.items["left_s"].tolist() == [0.0]


def test_shared_agents_did_a_part_of_each() -> None:
    agents = (Agent("ann", "always"), Agent("bob", "always", capacity=4, sharing="shared"))
    place = Position("b", 0.0, 10 * HOUR, "bob")
    _, found, _ = opened(office_and_home(agents), place, place)
    assert found.items["done_s"].tolist() == [10 * HOUR, 10 * HOUR]


def test_what_waits() -> None:
    """Known to wait; never delayed; interrupted; behind its equals where the policy says so."""
    places = (
        Position("b", 0.0, ready_s=5 * HOUR, queue="s"),
        Position("a", 7 * HOUR),
        Position("b", 0.0, None, "ann", ready_s=4 * HOUR, begun_s=5 * HOUR, worked_s=900.0, preemptions=1),
    )
    program, found, stream = opened(office_and_home(), *places, policy=Policy(tie="back"))
    assert found.items["status"].tolist() == [WAITING] * 3
    assert (
        found.items["ready_s"].tolist() == found.items["place_s"].tolist() == [5 * HOUR, 7 * HOUR, 4 * HOUR]
    )
    assert found.items["queue"].tolist() == [2, -1, -1]
    assert found.items["agent"].tolist() == [-1, -1, 0]
    assert found.items["again"].tolist() == [0, 0, 1]
    assert found.items["done_s"].tolist() == [0.0, 0.0, 900.0]
    assert np.isnan(found.items["start_s"]).tolist() == [True, True, False]
    u = stream.uniform(2, node_of(program, "b"), 2, Purpose.WORK)
    assert found.items["left_s"].tolist() == [0.0, 0.0, beyond(WORK, 900.0, u) - 900.0]


@pytest.mark.parametrize("busy", [False, True])
def test_delays_outlast_what_is_known(busy: bool) -> None:
    """Bob is always there: idle, he would have taken it just now; busy since 20:00, not since then."""
    places = [Position("b", 10 * HOUR)] * 20
    if busy:
        places.append(Position("a", 0.0, 20 * HOUR, "bob"))
    program, found, stream = opened(office_and_home(), *places)
    known = 20 * HOUR if busy else AT
    for i, item in enumerate(found.items[:20]):
        u = stream.uniform(i, node_of(program, "b"), 2, Purpose.DELAY)
        assert item["ready_s"] == 10 * HOUR + beyond(DELAY, known - 10 * HOUR, u)
        assert item["status"] == (DELAYED if item["ready_s"] > AT else WAITING)
    assert set(found.items["status"][:20].tolist()) == ({DELAYED, WAITING} if busy else {DELAYED})


def test_delays_that_outlast_all_that_are_known() -> None:
    """They go on as the longest twentieth of those did; and how rare they are, its Pareto law tells."""
    levels = np.linspace(0, 1, 2001)
    pareto = Empirical((*((1 - levels[:-1]) ** -0.5).tolist(), 60.0))
    table = tabulate(pareto)
    for x in (70.0, 200.0):
        assert table.far(x) == pytest.approx(x**-2, rel=0.35)
    known = Empirical((0.0, HOUR, 2 * HOUR, 4 * HOUR))
    made = office_and_home()
    nodes = tuple(
        replace(n, delay=replace(n.delay, default=fitted(known))) if isinstance(n, Task) and n.delay else n
        for n in made.nodes
    )
    program, found, stream = opened(replace(made, nodes=nodes), *[Position("b", 10 * HOUR)] * 20)
    longest = tabulate(known)
    for i, item in enumerate(found.items):
        u = stream.uniform(i, node_of(program, "b"), 2, Purpose.DELAY)
        more = longest.draw(0.95 + 0.05 * u) - longest.draw(0.95)
        assert item["ready_s"] == pytest.approx(AT + more)
        assert item["status"] == DELAYED


def test_paced_delays() -> None:
    """By office hours: enabled on Monday at 16:00, an hour was over at the end of the day."""
    pace = Pace("office", tuple(float(h // 24 < 5 and 9 <= h % 24 < 17) for h in range(168)))
    made = office_and_home()
    nodes = tuple(
        replace(n, delay=replace(n.delay, pace="office")) if isinstance(n, Task) and n.delay else n
        for n in made.nodes
    )
    program, found, stream = opened(replace(made, nodes=nodes, paces=(pace,)), Position("b", 16 * HOUR))
    clock = program.network.paces[0].clock()
    u = stream.uniform(0, node_of(program, "b"), 2, Purpose.DELAY)
    assert found.items["ready_s"].tolist() == [clock.after(16 * HOUR, beyond(DELAY, HOUR, u))]


ERROR = Empirical((-3 * HOUR, -HOUR, 0.0, HOUR, 4 * HOUR))


def test_announced_ends_of_what_needs_nobody() -> None:
    """The end is the one announced, now if that is over; what hadn't begun begins now."""
    places = (
        Position("c", 0.0, 5 * HOUR, eta_s=AT + 100.0),
        Position("c", 0.0, 5 * HOUR, eta_s=AT - 100.0),
        Position("c", 0.0, eta_s=AT + 50.0),
    )
    _, found, _ = opened(office_and_home(), *places)
    assert found.items["status"].tolist() == [WORKING] * 3
    assert found.items["finish_s"].tolist() == [AT + 100.0, AT, AT + 50.0]
    assert found.items["left_s"].tolist() == [100.0, 0.0, 50.0]
    assert found.items["start_s"].tolist() == [5 * HOUR, 5 * HOUR, AT]
    assert found.items["queue"].tolist() == [-1] * 3


def test_announced_beginnings() -> None:
    """Not before the instant; what is known to wait is delayed again only if that is still to come."""
    places = (
        Position("b", 0.0, eta_s=AT + 100.0),
        Position("b", 0.0, eta_s=AT - 100.0),
        Position("a", 0.0, ready_s=HOUR, eta_s=AT + 100.0),
        Position("a", 0.0, ready_s=HOUR, eta_s=AT - 100.0),
        Position("a", 0.0, None, "ann", begun_s=HOUR, worked_s=60.0, eta_s=AT + 100.0),
        Position("a", 0.0, HOUR, "ann", eta_s=AT + 100.0),
        Position("a", 0.0, None, "ann", begun_s=HOUR, worked_s=60.0, eta_s=AT - 100.0),
    )
    _, found, _ = opened(office_and_home(), *places)
    assert found.items["status"].tolist() == [
        DELAYED,
        WAITING,
        DELAYED,
        WAITING,
        DELAYED,
        WORKING,
        WAITING,
    ]
    assert found.items["ready_s"].tolist()[:5] == [AT + 100.0, AT, AT + 100.0, HOUR, AT + 100.0]
    assert found.items["done_s"][4] == 60.0


def test_announcements_err_as_they_did() -> None:
    """Given that what was announced hasn't happened yet: bob, idle, would have seen it."""
    places = (Position("c", 0.0, HOUR, eta_s=AT - HOUR), Position("b", 0.0, eta_s=AT + HOUR))
    program, found, stream = opened(office_and_home(eta_error=fitted(ERROR)), *places)
    table = tabulate(ERROR)
    us = [stream.uniform(i, node_of(program, name), 2, Purpose.ETA) for i, name in enumerate(("c", "b"))]
    assert found.items["finish_s"][0] == AT - HOUR + table.draw_beyond(HOUR, us[0])
    assert found.items["ready_s"][1] == AT + HOUR + table.draw_beyond(-HOUR, us[1])
    ends = [
        opened(office_and_home(eta_error=fitted(ERROR)), *places, replication=r)[1].items for r in range(50)
    ]
    assert min(float(items["finish_s"][0]) for items in ends) > AT
    assert len({float(items["finish_s"][0]) for items in ends}) == 50


def test_who_left_before_hands_over() -> None:
    """At the very instant of the state it is an event still to come."""
    leaving = Absence(ORIGIN + timedelta(hours=20), ORIGIN + timedelta(hours=90), hands_over=True)
    place = Position("b", 0.0, 10 * HOUR, "bob")
    agents = (Agent("ann", "office"), Agent("bob", "always", absences=(leaving,)))
    _, found, _ = opened(office_and_home(agents), place)
    assert found.present.tolist() == [1, 0]
    assert found.presence == 1
    (item,) = found.items
    assert (item["status"], item["agent"], item["queue"], item["done_s"]) == (WAITING, 1, -1, 10 * HOUR)
    assert item["left_s"] > 0.0
    now = replace(leaving, start=ORIGIN + timedelta(seconds=AT))
    agents = (Agent("ann", "office"), Agent("bob", "always", absences=(now,)))
    _, found, _ = opened(office_and_home(agents), place)
    assert found.present.tolist() == [1, 1]
    assert found.presence == 0
    assert found.items["status"].tolist() == [WORKING]


def test_breakdowns_begin_with_the_run() -> None:
    often = Breakdowns(fitted(expon(60.0)), fitted(expon(HOUR)))
    agents = (Agent("ann", "office"), Agent("bob", "always", breakdowns=often))
    _, found, _ = opened(office_and_home(agents), Position("b", 0.0, 10 * HOUR, "bob"))
    assert found.items["done_s"].tolist() == [20 * HOUR]


SPLIT = Sequence(
    (
        Leaf("s", "S"),
        Choice("x", "y", (Leaf("a", "A"), Parallel("p", "m", (Leaf("b", "B"), Leaf("c", "C"))), Empty())),
    )
)


def test_tokens_at_gateways_move_on() -> None:
    """The first flow whose cumulative weight is above u, of those that don't end an order that is open.

    That nobody has begun yet contradicts all of them alike, as no task needs anybody.
    """
    model = process(SPLIT, WORK, weights={"x": [0.2, 0.3, 0.5]})
    place = Position("x", 5 * HOUR, after="S")
    order = OpenOrder(Order("1", 0.0), (place,), ("S",), {"s": 1, "x": 1})
    orders = tuple(replace(order, order=Order(str(i), 0.0)) for i in range(200))
    program, stream = lower(model, (), origin=ORIGIN, state=State(AT, orders)), Stream(3)
    found = opening(program, stream)
    x, network = node_of(program, "x"), program.network
    for i in range(200):
        u = stream.uniform(i, x, 1, Purpose.ROUTE + REDRAW)
        expected = ("a",) if u < 0.4 else ("b", "c")
        mine = found.items[found.items["order"] == i]
        assert tuple(network.node_ids[node] for node in mine["node"]) == expected
        assert set(mine["enabled_s"].tolist()) == {5 * HOUR}
        assert set(mine["visit"].tolist()) == {1}
        assert found.journeys["tokens"][i] == len(expected)
        assert found.visits[i, network.nodes["visit"][x]] == 1
    assert found.items["serial"].tolist() == list(range(len(found.items)))
    assert (np.diff(found.items["order"]) >= 0).all()


def test_ways_that_were_refused_decide_nothing_later() -> None:
    """At the end of a loop that is left half the time, before a task that is skipped half the time: an order
    that is open goes back or does the task, and so does it with a chance of 2/3 in all."""
    structure = Sequence(
        (Loop("in", "out", Leaf("a", "A"), (Empty(),)), Choice("x", "y", (Leaf("b", "B"), Empty())))
    )
    model = process(structure, Constant(60.0), weights={"out": [0.5, 0.5], "x": [0.5, 0.5]})
    place = Position("out", AT, after="A")
    n = 6000
    orders = tuple(OpenOrder(Order(str(i), 0.0), (place,), ("A",), {"a": 1, "out": 1}) for i in range(n))
    run = engines.run(lower(model, (), origin=ORIGIN, state=State(AT, orders)), 5)
    did = (run.task == run.labels.index("B")).sum() / n
    assert abs(did - 2 / 3) < 3.3 * (2 / 9 / n) ** 0.5


def test_an_order_that_ends_whatever_is_drawn_is_complete() -> None:
    model = process(SPLIT, WORK, weights={"x": [0.0, 0.0, 1.0]})
    order = OpenOrder(Order("1", 0.0), (Position("x", 0.0),), ())
    found = opening(lower(model, (), origin=ORIGIN, state=State(AT, (order,))), Stream(1))
    assert len(found.items) == 0
    assert found.journeys["tokens"].tolist() == [0]


def test_branches_that_wait_at_a_merge_are_kept() -> None:
    order = OpenOrder(Order("1", 0.0), (Position("b", 0.0),), ("S", "C"), {"b": 1}, {"m": 1})
    program = lower(process(SPLIT, WORK), (), origin=ORIGIN, state=State(AT, (order,)))
    found = opening(program, Stream(1))
    assert found.journeys[["tokens", "steps"]].tolist() == [(2, 0)]
    assert found.journeys["history"][0] == program.network.history(("S", "C"))
    assert found.merged.tolist() == [[1]]


places = st.builds(
    Position,
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 10).map(lambda h: h * HOUR),
    st.one_of(st.none(), st.integers(10, 30).map(lambda h: h * HOUR)),
    st.sampled_from([None, "ann", "bob", "temp"]),
    worked_s=st.sampled_from([None, 0.0, 500.0]),
    eta_s=st.sampled_from([None, AT - 50.0, AT + 50.0]),
)


@given(st.lists(places, min_size=1, max_size=8), st.integers(0, 3))
def test_an_order_is_drawn_the_same_whoever_is_beside_it(positions: list[Position], replication: int) -> None:
    """Idle ones: their draws don't depend on how many are drawn at once, nor on what was drawn before."""
    free = [replace(p, started_s=None) for p in positions]
    _, all_, _ = opened(office_and_home(), *free, replication=replication)
    _, some, _ = opened(office_and_home(), *free[: len(free) // 2 + 1], replication=replication)
    assert all_.items[: len(some.items)].tobytes() == some.items.tobytes()
    program, _, _ = opened(office_and_home(), *free, replication=replication + 1)
    assert opening(program, Stream(3, replication)).items.tobytes() == all_.items.tobytes()


def test_an_empty_process_opens_empty() -> None:
    program = lower(office_and_home(), [Order("1", 5.0)], origin=ORIGIN)
    found = opening(program, Stream(0))
    assert len(found.items) == len(found.journeys) == 0
    assert found.present.tolist() == [1, 1]

"""Starting from open orders: what is certain stays as it would have been, the rest follows its law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.agents import Agent, Queue
from metagraph.blocks import Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.distributions import Constant, Empirical
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.routing import Level, Routing, RoutingRow
from metagraph.state import OpenOrder, Position, State
from simulation.kpis import interval
from simulation.lowering import lower
from simulation.lowering_names import names_of
from simulation.orders import as_orders
from simulation.program import Program
from simulation.reference import run
from simulation.run import Run
from simulation.streams import Stream
from tests.simulation.builders import ORIGIN, constant, expon, process, row, station

HOUR = 3600.0


def resumed(model: Metagraph, at_s: float, *opened: OpenOrder, new: tuple[Order, ...] = ()) -> Program:
    return lower(model, new, origin=ORIGIN, state=State(at_s, opened))


def opened(*positions: Position, name: str = "1", history: tuple[str, ...] = ()) -> OpenOrder:
    return OpenOrder(Order(name, 0.0), positions, history, {p.node: 1 for p in positions})


def state_at(model: Metagraph, log: Run, at_s: float) -> State:
    """What was known of a finished run at an instant, in the words of a state. Sequences only."""
    nodes = {task.label: task.id for task in model.tasks()}
    orders = []
    for i, order in enumerate(as_orders(names_of(model), log.program.orders)):
        if not log.release_s[i] <= at_s < log.completed_s[i]:
            continue
        mine = [k for k in np.flatnonzero(log.order == i) if log.enabled_s[k] <= at_s]
        done = [k for k in mine if log.end_s[k] <= at_s]
        positions = []
        for k in mine:
            if log.end_s[k] > at_s:
                begun = log.start_s[k] <= at_s
                positions.append(
                    Position(
                        nodes[log.labels[log.task[k]]],
                        float(log.enabled_s[k]),
                        float(log.start_s[k]) if begun else None,
                        log.agents[log.agent[k]] if begun and log.agent[k] >= 0 else None,
                        log.labels[log.task[done[-1]]] if done else "",
                    )
                )
        history = tuple(log.labels[log.task[k]] for k in done)
        orders.append(OpenOrder(order, tuple(positions), history, {p.node: 1 for p in positions}))
    return State(at_s, tuple(orders))


def chain(calendar: str, servers: int) -> Metagraph:
    """Three tasks served by shared and own agents, with a delay and a step that needs nobody."""
    agents = [Agent(f"x{i}", calendar) for i in range(servers)] + [Agent("y", "always")]
    return process(
        row("a", "b", "c"),
        {"a": Constant(50 * 60.0), "b": Constant(35 * 60.0), "c": Constant(2 * HOUR)},
        queues=[Queue("q", tuple(a.id for a in agents[:-1])), Queue("r", ("y",))],
        serves={"a": ["q"], "b": ["r"]},
        agents=agents,
        delays={"b": constant(20 * 60.0)},
    )


@given(
    st.sampled_from(["always", "office"]),
    st.integers(1, 3),
    st.lists(st.integers(0, 30 * 60), min_size=1, max_size=15, unique=True),
    st.integers(0, 40 * 60),
)
def test_a_deterministic_run_goes_on_as_if_never_interrupted(
    calendar: str, servers: int, minutes: list[int], at_min: int
) -> None:
    model = chain(calendar, servers)
    orders = tuple(
        Order(f"o{i}", m * 60.0, material_s={"b": m * 61.0 + 3e4, "c": 9e4} if i % 3 == 1 else {})
        for i, m in enumerate(sorted(minutes))
    )
    whole = run(lower(model, orders, origin=ORIGIN), 0)
    at_s = at_min * 60.0 + 30.0
    later = tuple(order for order in orders if order.release_s > at_s)
    rest = run(lower(model, later, origin=ORIGIN, state=state_at(model, whole, at_s)), 0)
    known = dict(zip(whole.order_ids, whole.completed_s, strict=True))
    for name, completed in zip(rest.order_ids, rest.completed_s, strict=True):
        assert completed == known[name]


def test_an_md1_queue_resumed_between_two_minutes() -> None:
    model = station(Constant(90.0))
    orders = tuple(Order(str(i), 60.0 * i) for i in range(50))
    whole = run(lower(model, orders, origin=ORIGIN), 0)
    at_s = 1234.5
    later = tuple(order for order in orders if order.release_s > at_s)
    rest = run(lower(model, later, origin=ORIGIN, state=state_at(model, whole, at_s)), 0)
    assert rest.completed_s.tolist() == whole.completed_s[whole.completed_s > at_s].tolist()


def test_an_exponential_in_service_forgets_its_elapsed_work() -> None:
    """Mean rest of an exponential is its mean, however long it has run: in its 99.9 % interval."""
    for elapsed in (0.0, HOUR, 5 * HOUR):
        program = resumed(station(expon(HOUR)), elapsed, opened(Position("a", 0.0, 0.0, "agent0")))
        rests = [float(run(program, 21, r).completed_s[0]) - elapsed for r in range(2000)]
        found = interval(rests, 0.999)
        assert found.low <= HOUR <= found.high


def test_elapsed_work_counts_in_shift_time() -> None:
    """Begun at 16:00, 8 hours of work: one is done by the next morning, seven are left."""
    model = station(Constant(8 * HOUR), calendar="office")
    program = resumed(model, 24 * HOUR, opened(Position("a", 0.0, 16 * HOUR, "agent0")))
    assert run(program, 0).completed_s[0] == (24 + 16) * HOUR


def test_only_shift_time_counts_as_elapsed() -> None:
    """An exponential begun at 16:00 has done one hour by midnight: what is left has its mean from 9:00 on."""
    model = station(expon(HOUR), calendar="office")
    program = resumed(model, 24 * HOUR, opened(Position("a", 0.0, 16 * HOUR, "agent0")))
    plan = program.network.clocks[program.network.agents["clock"][0]]
    assert plan is not None
    clock = plan.clock(Stream(0), 0.0)
    rests = [clock.between(24 * HOUR, float(run(program, 23, r).completed_s[0])) for r in range(1000)]
    found = interval(rests, 0.999)
    assert found.low <= HOUR <= found.high
    assert min(rests) > 0.0


def test_work_under_way_makes_its_queue_longer() -> None:
    model = process(
        row("a"),
        Constant(HOUR),
        queues=[Queue("q", ("x",)), Queue("r", ("y",))],
        serves={"a": ["q", "r"]},
        agents=[Agent("x", "always"), Agent("y", "always")],
    )
    for seed in range(10):
        busy = opened(Position("a", 0.0, 0.0, "y"), name="busy")
        log = run(resumed(model, 60.0, busy, new=(Order("new", 120.0),)), seed)
        assert log.agent.tolist() == [1, 0]


def test_work_that_began_long_before_the_origin() -> None:
    model = station(Constant(200 * HOUR), calendar="office")
    program = resumed(model, 0.0, opened(Position("a", -30 * 86400.0, -28 * 86400.0, "agent0")))
    assert run(program, 0).completed_s[0] == 4 * 86400.0 + 17 * HOUR  # 160 of 200 hours done, 40 a week


def test_what_is_overdue_ends_now() -> None:
    program = resumed(station(Empirical((60.0, 120.0))), 900.0, opened(Position("a", 0.0, 0.0, "agent0")))
    assert run(program, 0).completed_s[0] == 900.0


def test_who_is_busy_is_busy() -> None:
    log = run(
        resumed(
            station(Constant(HOUR)),
            1800.0,
            opened(Position("a", 0.0, 0.0, "agent0"), name="1"),
            opened(Position("a", 600.0), name="2"),
            opened(Position("a", 300.0), name="3"),
            new=(Order("4", 1800.0),),
        ),
        0,
    )
    assert dict(zip(log.order_ids, (log.completed_s / HOUR).tolist(), strict=True)) == {
        "1": 1.0,
        "3": 2.0,
        "2": 3.0,
        "4": 4.0,
    }


def test_more_at_once_than_the_agent_can_do_is_taken_as_it_is() -> None:
    items = [opened(Position("a", 0.0, 0.0, "agent0"), name=str(i)) for i in range(3)]
    log = run(resumed(station(Constant(HOUR)), 1800.0, *items, new=(Order("new", 1801.0),)), 0)
    assert log.completed_s.tolist() == [HOUR, HOUR, HOUR, 2 * HOUR]


def test_someone_the_process_does_not_know_works_in_wall_clock_time() -> None:
    model = station(Constant(HOUR), calendar="office")
    log = run(resumed(model, 1800.0, opened(Position("a", 0.0, 0.0, "temp"))), 0)
    assert log.completed_s.tolist() == [HOUR]
    assert log.agent.tolist() == [-1]


def test_a_delay_that_has_begun_goes_on() -> None:
    model = process(row("a"), Constant(60.0), delays={"a": constant(HOUR)})
    log = run(resumed(model, 1800.0, opened(Position("a", 0.0))), 0)
    assert log.start_s.tolist() == [HOUR]
    over = run(resumed(model, 2 * HOUR, opened(Position("a", 0.0))), 0)
    assert over.start_s.tolist() == [2 * HOUR]


def test_a_token_at_a_gateway_waits_since_it_came_there() -> None:
    block = Sequence((Leaf("s", "S"), Choice("x", "m", (Leaf("a", "A"), Leaf("b", "B")))))
    model = process(block, Constant(60.0), delays={"a": constant(HOUR), "b": constant(HOUR)})
    program = resumed(model, 1800.0, opened(Position("x", 600.0, after="S"), history=("S",)))
    log = run(program, 0)
    assert log.enabled_s.tolist() == [600.0]
    assert log.start_s.tolist() == [600.0 + HOUR]


def test_an_order_known_to_be_open_does_something_more() -> None:
    """Its way is drawn again until it meets a task: here 1 way in 10 does."""
    block = Sequence((Leaf("s", "S"), Choice("x", "m", (Leaf("a", "A"), Empty()))))
    model = process(block, Constant(60.0), weights={"x": [0.1, 0.9]})
    program = resumed(model, 500.0, opened(Position("x", 60.0), history=("S",)))
    done = [len(run(program, 22, r).order) for r in range(300)]
    assert np.mean(done) > 0.97
    never = process(block, Constant(60.0), weights={"x": [0.0, 1.0]})
    log = run(resumed(never, 500.0, opened(Position("x", 60.0), history=("S",))), 0)
    assert log.completed_s.tolist() == [500.0]


def test_visits_and_history_are_carried_on() -> None:
    block = Loop("l", "e", Leaf("a", "A"), (Empty(),))
    model = process(block, Constant(60.0))
    flows = model.routing[0].flows
    rows = (
        RoutingRow(0, ("3", "A"), (0.0, 1.0), 5),  # left at the third time, after A
        RoutingRow(1, (), (1.0, 0.0), 5),
    )
    model = replace(model, routing=(Routing("e", flows, (Level(visit=True, history=1), Level()), rows),))
    fresh = run(lower(model, [Order("1", 0.0)], origin=ORIGIN), 0)
    assert len(fresh.order) == 3
    standing = OpenOrder(Order("1", 0.0), (Position("a", 60.0, after="A"),), ("A",), {"a": 2, "e": 1})
    assert len(run(resumed(model, 90.0, standing), 0).order) == 2
    at_gateway = OpenOrder(Order("1", 0.0), (Position("e", 120.0, after="A"),), ("A", "A"), {"a": 2, "e": 2})
    assert len(run(resumed(model, 130.0, at_gateway), 0).order) == 1


def test_a_merge_that_has_one_branch_waits_for_the_other() -> None:
    block = Sequence((Parallel("p", "m", (Leaf("a", "A"), Leaf("b", "B"))), Leaf("c", "C")))
    model = process(block, {"a": Constant(60.0), "b": Constant(HOUR), "c": Constant(60.0)})
    standing = OpenOrder(Order("1", 0.0), (Position("b", 0.0, 0.0),), ("A",), {"a": 1, "b": 1}, {"m": 1})
    log = run(resumed(model, 600.0, standing), 0)
    assert log.completed_s.tolist() == [HOUR + 60.0]
    assert [log.labels[t] for t in log.task] == ["B", "C"]


@pytest.mark.parametrize("seed", range(3))
def test_a_lost_sale_date_in_the_past_loses_the_order_at_once(seed: int) -> None:
    order = OpenOrder(Order("1", 0.0, lost_s=100.0), (Position("a", 0.0),), (), {"a": 1})
    log = run(resumed(station(Constant(HOUR)), 200.0, order), seed)
    assert log.lost_s.tolist() == [200.0]


def test_work_that_became_ready_while_nobody_could_take_it_waits_for_people_not_for_its_delay() -> None:
    """Delays of 1 to 100 h, enabled on Monday at 16:30; office hours end at 17:00. Seen on Tuesday at 8:00 it
    may well be ready: over a third start at 9:00. Seen at 10:00 beside an idle agent, it is not."""
    model = process(
        row("a"),
        constant(60.0),
        queues=[Queue("q", ("ann",))],
        serves={"a": ["q"]},
        agents=[Agent("ann", "office")],
        delays={"a": Empirical((HOUR, HOUR, 100 * HOUR, 100 * HOUR))},
    )
    waiting = opened(Position("a", 16.5 * HOUR))
    early = resumed(model, 32 * HOUR, waiting)
    starts = [float(run(early, 1, r).start_s[0]) for r in range(400)]
    at_nine = sum(abs(s - 33 * HOUR) < 1 for s in starts) / 400
    assert 0.3 < at_nine < 0.5
    late = resumed(model, 34 * HOUR, waiting)
    assert all(float(run(late, 2, r).start_s[0]) > 34.01 * HOUR for r in range(50))

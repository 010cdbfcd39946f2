"""Work doesn't begin before its material is there, and profits go by tables where orders have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant, Empirical
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, End, Start
from metagraph.orders import Order, profit_at
from metagraph.policies import PORTFOLIO, Policy
from metagraph.state import OpenOrder, Position, State
from simulation.engines import Wanted, run
from simulation.kpis import kpis
from simulation.lowering import lower
from simulation.money import profits
from simulation.run import Run
from tests.simulation.builders import ORIGIN, fitted, process, row, station

HOUR = 3600.0
ENGINES: tuple[Wanted, ...] = ("reference", "kernel")
each_engine = pytest.mark.parametrize("engine", ENGINES)


def ran(
    model: Metagraph,
    orders: Sequence[Order],
    engine: Wanted,
    state: State | None = None,
    policy: Policy | None = None,
) -> Run:
    return run(lower(model, orders, origin=ORIGIN, state=state, policy=policy), 0, engine=engine)


def line() -> Metagraph:
    """An hour by the one agent, a delay of two hours, an hour by itself, an hour by the agent."""
    return process(
        row("a", "b", "c"),
        Constant(HOUR),
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"], "c": ["q"]},
        agents=[Agent("x", "always")],
        delays={"b": Constant(2 * HOUR)},
    )


def starts_of(found: Run) -> list[float]:
    """Hours at which work began, execution by execution."""
    assert found.log is not None
    return [float(t) / HOUR for t in found.log.start_s]


@each_engine
@pytest.mark.parametrize(
    ("material_h", "starts_h"),
    [
        ({}, [0, 3, 4]),
        ({"a": 0.5}, [0.5, 3.5, 4.5]),
        ({"b": 2}, [0, 3, 4]),  # the delay is longer
        ({"b": 3.25}, [0, 3.25, 4.25]),
        ({"a": 1, "c": 7}, [1, 4, 7]),
        ({"a": -5, "c": 4.75}, [0, 3, 4.75]),
    ],
)
def test_work_begins_when_its_material_is_there(
    engine: Wanted, material_h: dict[str, float], starts_h: list[float]
) -> None:
    order = Order("1", 0.0, material_s={task: h * HOUR for task, h in material_h.items()})
    found = ran(line(), [order], engine)
    assert starts_of(found) == starts_h
    assert found.log is not None
    assert (found.log.ready_s / HOUR).tolist() == starts_h


@each_engine
def test_others_go_first_until_it_is_there(engine: Wanted) -> None:
    orders = [Order("1", 0.0, material_s={"a": 1.5 * HOUR}), Order("2", 0.0), Order("3", 0.0)]
    assert (ran(station(Constant(HOUR)), orders, engine).completed_s / HOUR).tolist() == [3, 1, 2]


@each_engine
@pytest.mark.parametrize(
    ("position", "starts_h"),
    [
        (Position("a", 0.0), [6, 9, 10]),
        (Position("a", 0.0, ready_s=0.0, queue="q"), [6, 9, 10]),  # ready, but for its material
        (Position("a", 0.0, eta_s=5.5 * HOUR), [6, 9, 10]),
        (Position("a", 0.0, eta_s=7 * HOUR), [7, 10, 11]),
        (Position("a", 0.0, 4.5 * HOUR, "x"), [4.5, 7.5, 8.5]),  # begun: its material was there
        (Position("a", 0.0, None, "x", ready_s=0.0, begun_s=1.0, worked_s=HOUR / 2), [1 / 3600, 7.5, 8.5]),
        (Position("start", 0.0), [6, 9, 10]),
    ],
)
def test_open_orders_wait_for_material(engine: Wanted, position: Position, starts_h: list[float]) -> None:
    order = Order("1", 0.0, material_s={"a": 6 * HOUR})
    state = State(5 * HOUR, (OpenOrder(order, (position,), ()),))
    assert starts_of(ran(line(), (), engine, state)) == starts_h


def test_a_delay_may_have_ended_unseen_while_material_was_missing() -> None:
    """`b` came at 1 h with a delay of 0 to 10 h. That it isn't begun at 5 h tells nothing, as it has no
    material before 6 h: in half of all cases it begins then."""
    model, n = line(), 400
    law = Empirical(tuple(np.linspace(0.0, 10 * HOUR, 11)))
    delayed = [replace(t, delay=DelayTable(fitted(law), {})) if t.id == "b" else t for t in model.tasks()]
    model = replace(model, nodes=(Start("start"), *delayed, End("end")))
    order = Order("1", 0.0, material_s={"b": 6 * HOUR})
    state = State(5 * HOUR, (OpenOrder(order, (Position("b", HOUR),), ()),))
    program = lower(model, (), origin=ORIGIN, state=state)
    starts_h = [starts_of(run(program, 0, i, engine="kernel"))[0] for i in range(n)]
    assert min(starts_h) == 6.0
    assert abs(starts_h.count(6.0) / n - 0.5) < 4 * (0.25 / n) ** 0.5


STEEP = ((0.0, 10.0), (2 * HOUR, 10.0), (2 * HOUR, 0.0), (3 * HOUR, -8.0))
FLAT = ((0.0, 9.0),)


@each_engine
def test_profits_go_by_tables(engine: Wanted) -> None:
    """P takes the steep one first as long as it is worth more; what is lost brings the last of its table."""
    orders = [
        Order("f", 0.0, profit_points=FLAT),
        Order("s", 0.0, profit_points=STEEP),
        Order("v", 0.0, value=5.0),
        Order("l", 0.0, lost_s=2.5 * HOUR, profit_points=((0.0, 0.0), (HOUR, 0.0), (2 * HOUR, -3.0))),
    ]
    # Somebody idle takes what comes first; the others are compared as they come.
    first = [Order("0", 0.0, value=0.0)]
    found = ran(station(Constant(HOUR)), first + orders, engine, policy=PORTFOLIO["P"])
    assert (found.completed_s / HOUR)[:4].tolist() == [1, 3, 2, 4]
    money = profits(found)
    assert money is not None
    assert money.tolist() == [0.0, 9.0, 10.0, 5.0, -3.0]
    assert kpis(found).profit == 21.0
    ends = np.where(found.lost, np.inf, found.completed_s)
    assert money.tolist() == [profit_at(o, None, t) for o, t in zip(first + orders, ends, strict=True)]
    alone = ran(station(Constant(HOUR)), [Order("f", 0.0, profit_points=FLAT)], engine)
    assert kpis(alone).profit == 9.0

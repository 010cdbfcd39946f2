"""Delays counted from the order's release: in the engines, from the start and from a state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant, Distribution, Parametric
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.paces import Pace
from metagraph.state import OpenOrder, Position, State
from simulation import kernel
from simulation.lowering import lower
from simulation.opening import opening
from simulation.reference import run
from simulation.session import DELAYED, WAITING
from simulation.streams import Purpose, Stream
from simulation.tables import tabulate
from tests.simulation.builders import ORIGIN, process, row

HOUR, DAY = 3600.0, 86400.0
LAW = Parametric("expon", (20 * HOUR, 10 * HOUR))


def held(law: Distribution, pace: str | None = None) -> Metagraph:
    """a, an hour by ann, who works from 9 to 17 h, then b, which needs nobody, a while after the release."""
    made = process(
        row("a", "b"),
        Constant(HOUR),
        queues=[Queue("q", ("ann",))],
        serves={"a": ["q"], "b": []},
        agents=(Agent("ann", "office"),),
        delays={"b": law},
    )
    nodes = tuple(
        replace(node, delay=replace(node.delay, since="release", pace=pace))
        if isinstance(node, Task) and node.delay is not None
        else node
        for node in made.nodes
    )
    return replace(made, nodes=nodes, paces=(Pace("even", (1.0,) * 168),))


def test_a_timeout_runs_from_the_release() -> None:
    """Released on Monday at 6:00, done with a at 10:00: b a day after the release. On Friday at 16:30, done
    on Monday at 9:30: b at once, as the day is past."""
    orders = [Order("early", 6 * HOUR), Order("late", 4 * DAY + 16.5 * HOUR)]
    program = lower(held(Constant(DAY)), orders, origin=ORIGIN)
    for found in (run(program, 1), kernel.run(program, 1)):
        begun = {(order, activity): start for order, activity, _, start, _ in found.rows()}
        assert begun["early", "B"] == ORIGIN + timedelta(hours=30)
        assert begun["late", "B"] == ORIGIN + timedelta(days=7, hours=9.5)


def test_what_is_left_of_a_timeout() -> None:
    """Drawn given that more than the time since the release wasn't enough, whenever b was enabled; nothing is
    known of an order that came to b just now, which is ready at once if its time is past."""
    at, releases = 30 * HOUR, [0.0, 2 * HOUR, 29.5 * HOUR, -40 * HOUR]
    enabled = [28 * HOUR, 4 * HOUR, 30 * HOUR, 30 * HOUR]
    waiting = tuple(
        OpenOrder(Order(str(i), release), (Position("b", since),), ("A",))
        for i, (release, since) in enumerate(zip(releases, enabled, strict=True))
    )
    program = lower(held(LAW), (), origin=ORIGIN, state=State(at, waiting))
    stream, table = Stream(3, 0), tabulate(LAW)
    found = opening(program, stream).items
    node = program.network.node_ids.index("b")
    for i, release in enumerate(releases):
        u = stream.uniform(i, node, 1, Purpose.DELAY)
        x = table.draw_beyond(at - release, u) if enabled[i] < at else table.draw(u)
        assert found["ready_s"][i] == pytest.approx(max(release + x, enabled[i]))
    assert found["ready_s"][3] == at
    assert found["status"].tolist() == [DELAYED, DELAYED, DELAYED, WAITING]
    assert (found["ready_s"][:3] > at).all()


def test_timeouts_have_no_pace() -> None:
    with pytest.raises(DataError, match="leave the pace out"):
        lower(held(LAW, "even"), (), origin=ORIGIN)

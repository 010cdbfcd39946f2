"""Paced delays in the engine: they end when the pace says, from the start and from a state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.paces import Pace
from metagraph.state import OpenOrder, Position, State
from simulation.lowering import lower
from simulation.reference import run
from tests.simulation.builders import ORIGIN, process, row

HOUR = 3600.0
OFFICE = tuple(float(h // 24 < 5 and 9 <= h % 24 < 17) for h in range(168))


def paced(delay_s: float) -> Metagraph:
    made = process(row("a"), Constant(60.0), delays={"a": Constant(delay_s)})
    nodes = tuple(
        replace(node, delay=replace(node.delay, pace="office"))
        if isinstance(node, Task) and node.delay is not None
        else node
        for node in made.nodes
    )
    return replace(made, nodes=nodes, paces=(Pace("office", OFFICE),))


def test_a_paced_delay_waits_for_its_hours() -> None:
    """Two office hours from Monday 6:00, Monday 16:00 and Friday 16:30."""
    releases = [6 * HOUR, 16 * HOUR, 4 * 24 * HOUR + 16.5 * HOUR]
    orders = [Order(str(i), t) for i, t in enumerate(releases)]
    found = run(lower(paced(2 * HOUR), orders, origin=ORIGIN), 1)
    expected = [11 * HOUR, 24 * HOUR + 10 * HOUR, 7 * 24 * HOUR + 10.5 * HOUR]
    assert np.allclose(found.start_s, expected)


def test_what_is_left_of_a_paced_delay() -> None:
    """Enabled on Monday at 16:00 and seen at midnight: one of two office hours is over."""
    waiting = OpenOrder(Order("1", 16 * HOUR), (Position("a", 16 * HOUR),), ())
    found = run(lower(paced(2 * HOUR), (), origin=ORIGIN, state=State(24 * HOUR, (waiting,))), 1)
    assert np.allclose(found.start_s, [24 * HOUR + 10 * HOUR])

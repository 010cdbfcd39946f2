"""An order of which nothing has been seen for a while goes where it takes a while to be seen.

By Bayes' rule a branch has its weight, times the chance that what comes first on it shows nothing for so
long. With exponential delays both that and what is left of the delay have closed forms.
"""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.blocks import Block, Choice, Empty, Leaf, Parallel
from metagraph.blocks import Sequence as Row
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.state import OpenOrder, Position, State
from simulation.lowering import lower
from simulation.run import Run
from tests.laws.engines import ENGINES, Engine
from tests.simulation.builders import ORIGIN, expon, process
from tests.twin.small import HOUR

AT = 200 * HOUR
N = {"reference": 500, "kernel": 4_000}


def at_choice(engine: Engine, model: Metagraph, idle_h: float, *others: OpenOrder) -> Run:
    """Orders at the choice x since `idle_h`, and others."""
    place = Position("x", AT - idle_h * HOUR, after="S")
    orders = [
        OpenOrder(Order(str(i), 0.0), (place,), ("S",), {"s": 1, "x": 1}) for i in range(N[engine.name])
    ]
    return engine.run(lower(model, (), origin=ORIGIN, state=State(AT, (*orders, *others))))


def chosen(*branches: Block) -> Row:
    return Row((Leaf("s", "S"), Choice("x", "y", branches)))


def shares(run: Run, orders: int) -> dict[str, float]:
    """Of orders by their first activity."""
    log = run.executions
    rows = np.flatnonzero(log.order < orders)
    labels = [run.labels[task] for task in run.task[rows]]
    return {label: labels.count(label) / orders for label in labels}


def close(share: float, meant: float, n: int) -> bool:
    return bool(abs(share - meant) < 3.9 * (meant * (1 - meant) / n) ** 0.5 + 1e-3)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("idle_h", [0.0, 3.0, 8.0])
def test_the_branch_and_what_is_left_of_its_delay(name: str, idle_h: float) -> None:
    """Exponential delays of 2 and 10 hours; any time at all refutes a task without a delay, and the end."""
    engine = Engine.of(name, f"idle {idle_h}")
    weights, means = (0.2, 0.1, 0.4, 0.3), {"a": 2.0, "b": 10.0}
    model = process(
        chosen(Leaf("a", "A"), Leaf("b", "B"), Leaf("c", "C"), Empty()),
        Constant(0.0),
        weights={"x": weights},
        delays={task: expon(mean * HOUR) for task, mean in means.items()},
    )
    n = N[name]
    run = at_choice(engine, model, idle_h)
    likely = {
        "A": weights[0] * exp(-idle_h / means["a"]),
        "B": weights[1] * exp(-idle_h / means["b"]),
        "C": 0.0 if idle_h else weights[2],
    }
    found = shares(run, n)
    for label, weight in likely.items():
        assert close(found.get(label, 0.0), weight / sum(likely.values()), n), (label, found)
    left_h = {
        label: (run.executions.start_s[run.task == run.labels.index(label)] - AT) / HOUR for label in "AB"
    }
    for label, some in left_h.items():
        mean = means[label.lower()]
        assert abs(some.mean() - mean) < 3.9 * mean / len(some) ** 0.5, label


@pytest.mark.parametrize("name", ENGINES)
def test_ways_through_several_gateways(name: str) -> None:
    """Each way by all its weights; both of two branches that go on together have to remain unseen."""
    engine = Engine.of(name, "idle nested")
    inner = Choice("i", "j", (Leaf("b", "B"), Leaf("c", "C")))
    both = Parallel("p", "m", (Leaf("d", "D"), Leaf("e", "E")))
    means, idle_h = {"a": 3.0, "b": 6.0, "c": 12.0, "d": 9.0, "e": 18.0}, 6.0
    model = process(
        chosen(Leaf("a", "A"), inner, both),
        Constant(0.0),
        weights={"x": (0.3, 0.3, 0.4), "i": (0.7, 0.3)},
        delays={task: expon(mean * HOUR) for task, mean in means.items()},
    )
    n = N[name]
    found = shares(at_choice(engine, model, idle_h), n)
    unseen = {task: exp(-idle_h / mean) for task, mean in means.items()}
    likely = {
        "A": 0.3 * unseen["a"],
        "B": 0.21 * unseen["b"],
        "C": 0.09 * unseen["c"],
        "D": 0.4 * unseen["d"] * unseen["e"],
    }
    assert found["D"] == found["E"]
    for label, weight in likely.items():
        assert close(found[label], weight / sum(likely.values()), n), (label, found)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(("came_h", "possible"), [(4.0, True), (2.0, False)])
def test_who_is_busy_leaves_others_waiting(name: str, came_h: float, possible: bool) -> None:
    """The clerk took what had come `came_h` ago, one hour ago: what came 3 hours ago may wait behind that,
    but not before it."""
    engine = Engine.of(name, f"idle busy {came_h}")
    model = process(
        chosen(Leaf("a", "A"), Leaf("b", "B")),
        {"s": Constant(0.0), "a": Constant(60.0), "b": Constant(60.0)},
        queues=[Queue("desk", ("clerk",))],
        serves={"a": ["desk"]},
        agents=[Agent("clerk", "always")],
        delays={"b": expon(3 * HOUR)},
        weights={"x": (0.5, 0.5)},
    )
    work = Position("a", AT - came_h * HOUR, AT - HOUR, "clerk", "S", worked_s=10.0)
    busy = OpenOrder(Order("busy", 0.0), (work,), ("S",), {"s": 1, "x": 1, "a": 1})
    n = N[name]
    found = shares(at_choice(engine, model, 3.0, busy), n)
    assert close(found.get("A", 0.0), 1 / (1 + exp(-1)) if possible else 0.0, n), found


@pytest.mark.parametrize("name", ENGINES)
def test_what_contradicts_the_process_goes_by_the_weights(name: str) -> None:
    """Nobody would have waited for any of them: but an open order isn't over."""
    engine = Engine.of(name, "idle contradiction")
    model = process(
        chosen(Leaf("a", "A"), Leaf("b", "B"), Empty()), Constant(0.0), weights={"x": (0.1, 0.3, 0.6)}
    )
    n = N[name]
    found = shares(at_choice(engine, model, 5.0), n)
    assert close(found["A"], 0.25, n)
    assert close(found["B"], 0.75, n)


@pytest.mark.parametrize("name", ENGINES)
def test_what_waits_elsewhere_in_the_order_decides_nothing(name: str) -> None:
    """A token at a task that somebody could have begun contradicts the process, but no way of another one."""
    engine = Engine.of(name, "idle elsewhere")
    choice = Choice("x", "y", (Leaf("a", "A"), Leaf("b", "B")))
    model = process(
        Row((Leaf("s", "S"), Parallel("p", "m", (choice, Leaf("c", "C"))))),
        Constant(0.0),
        weights={"x": (0.5, 0.5)},
        delays={"b": expon(5 * HOUR)},
    )
    places = (Position("x", AT - 5 * HOUR, after="S"), Position("c", AT - 5 * HOUR, after="S"))
    orders = [OpenOrder(Order(str(i), 0.0), places, ("S",), {"s": 1, "x": 1, "c": 1}) for i in range(20)]
    run = engine.run(lower(model, (), origin=ORIGIN, state=State(AT, tuple(orders))))
    assert {run.labels[task] for task in run.task} == {"B", "C"}


@pytest.mark.parametrize("name", ENGINES)
def test_more_ways_than_can_be_gone(name: str) -> None:
    """A thousand branches alike: one of them, by the weights."""
    engine = Engine.of(name, "idle many")
    branches = [Leaf(f"t{i}", f"T{i}") for i in range(1000)]
    model = process(chosen(*branches), Constant(0.0))
    place = Position("x", AT - HOUR, after="S")
    orders = [OpenOrder(Order(str(i), 0.0), (place,), ("S",), {"x": 1}) for i in range(50)]
    run = engine.run(lower(model, (), origin=ORIGIN, state=State(AT, tuple(orders))))
    assert len(run.task) == 50
    assert len(set(run.task.tolist())) > 30

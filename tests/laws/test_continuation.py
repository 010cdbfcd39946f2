"""A forecast from a state says what the run that produced the state goes on to do, in distribution.

Each run is paused at an instant of its own, turned into what could be known then, and gone on with. If
futures from that state have the law of the continuation, the true completion of an order is as likely to come
before all of n futures' as between any two of them: its rank is uniform (Dawid 1984; Hamill 2001).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare

from metagraph.agents import Agent, Queue
from metagraph.blocks import Choice, Leaf, Loop
from metagraph.blocks import Sequence as Row
from metagraph.distributions import Constant, Parametric
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Arrivals, OrderClass, OrderModel
from metagraph.policies import PORTFOLIO, Policy
from metagraph.state import State
from simulation.arrivals import draw_orders
from simulation.engines import Wanted, run, session
from simulation.lowering import lower
from simulation.snapshots import state_of
from tests.laws.engines import ENGINES, Engine
from tests.simulation.builders import ORIGIN, expon, fitted, process, row
from tests.twin.small import HOUR
from twin.futures import Future

DAY = 24 * HOUR
FUTURES = 4
RUNS = {"reference": 40, "kernel": 160}


def memoryless() -> tuple[Metagraph, Policy | None]:
    """Two desks and one dock, all work exponential."""
    twin = process(
        row("a", "b"),
        expon(HOUR),
        queues=[Queue("desks", ("a1", "a2")), Queue("dock", ("b1",))],
        serves={"a": ["desks"], "b": ["dock"]},
        agents=[Agent(name, "always") for name in ("a1", "a2", "b1")],
        arrivals=Arrivals((0.8,) * 168),
    )
    return twin, None


def remembering() -> tuple[Metagraph, Policy | None]:
    """Office hours, a delay, a choice, a loop; lognormal work, and dear orders that interrupt cheap ones."""
    block = Row(
        (
            Leaf("a", "A"),
            Choice("way", "there", (Leaf("b", "B"), Leaf("c", "C"))),
            Loop("again", "enough", Leaf("d", "D"), (Leaf("e", "E"),)),
        )
    )
    lognormal = Parametric("lognorm", (0.4, 0.0, HOUR))
    twin = process(
        block,
        {"a": lognormal, "b": lognormal, "c": Constant(5 * HOUR), "d": lognormal, "e": Constant(HOUR)},
        queues=[Queue("office", ("x",)), Queue("floor", ("y", "z"))],
        serves={"a": ["office"], "b": ["floor"], "d": ["floor"], "e": ["floor"]},
        agents=[Agent("x", "office"), Agent("y", "always"), Agent("z", "office")],
        weights={"way": (0.6, 0.4), "enough": (0.3, 0.7)},
        delays={"d": Parametric("gamma", (3.0, 0.0, HOUR))},
        arrivals=Arrivals((0.18,) * 168),
    )
    tasks = {task.id: replace(task, preemptible=True) for task in twin.tasks()}
    value = fitted(Parametric("uniform", (0.0, 100.0)))
    return (
        replace(
            twin,
            nodes=tuple(tasks[node.id] if isinstance(node, Task) else node for node in twin.nodes),
            orders=OrderModel((OrderClass("", "", 1.0, value=value),)),
        ),
        PORTFOLIO["P"],
    )


def ranks(
    made: tuple[Metagraph, Policy | None],
    engine: Engine,
    runs: int,
    told: Callable[[State], State] = lambda state: state,
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """[run, oldest or newest]: how many futures' completions of the order lie before the true one."""
    twin, policy = made
    wanted: Wanted = "kernel" if engine.name == "kernel" else "reference"
    found = []
    for r in range(runs):
        at_s = (4 + 3 * np.random.default_rng([engine.seed, r]).random()) * DAY
        orders = draw_orders(
            twin, ORIGIN, origin=ORIGIN, seed=engine.seed, replication=r, until_s=at_s + 3 * DAY
        )
        going = session(lower(twin, orders, origin=ORIGIN, policy=policy), engine.seed, r, engine=wanted)
        going.run_to(at_s)
        state = state_of(going.program, going.snapshot())
        if not state.orders:
            continue
        going.run_to(np.inf)
        done = dict(zip(going.result().order_ids, going.result().completed_s.tolist(), strict=True))
        future = Future(twin, told(state), ORIGIN, engine.seed + 1 + r, at_s + 3 * DAY, policy=policy)
        ends = np.array(
            [
                run(future(k), future.seed, k, engine=wanted).completed_s[[0, len(state.orders) - 1]]
                for k in range(FUTURES)
            ]
        )
        truth = [done[state.orders[i].order.id] for i in (0, -1)]
        found.append((ends < truth).sum(axis=0))
    return np.array(found)


def p_values(found: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> list[float]:
    """Of uniform ranks, for the oldest and for the newest order."""
    return [
        float(chisquare(np.bincount(found[:, i], minlength=FUTURES + 1)).pvalue)
        for i in range(found.shape[1])
    ]


@pytest.mark.parametrize("made", [memoryless, remembering])
@pytest.mark.parametrize("name", ENGINES)
def test_the_truth_is_one_more_future(name: str, made: Callable[[], tuple[Metagraph, Policy | None]]) -> None:
    engine = Engine.of(name, f"continuation {made.__name__}")
    found = ranks(made(), engine, RUNS[name])
    assert len(found) > 0.6 * RUNS[name]
    assert min(p_values(found)) > 0.001, np.apply_along_axis(np.bincount, 0, found, minlength=FUTURES + 1)


def test_a_state_that_forgets_what_was_done_is_found_out() -> None:
    """The law above is no formality: work begun anew ends later than the truth."""
    lognormal = Parametric("lognorm", (0.4, 0.0, 5 * HOUR))
    twin = process(row("a"), lognormal, arrivals=Arrivals((0.5,) * 168))

    def forgetful(state: State) -> State:
        anew = [
            replace(one, positions=tuple(replace(p, started_s=state.at_s) for p in one.positions))
            for one in state.orders
        ]
        return replace(state, orders=tuple(anew))

    engine = Engine.of("kernel", "continuation forgetful")
    assert min(p_values(ranks((twin, None), engine, 60))) > 0.001
    assert min(p_values(ranks((twin, None), engine, 60, forgetful))) < 1e-6

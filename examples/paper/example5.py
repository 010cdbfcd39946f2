"""Example 5 of Perez, Wassick and Grossmann: what lead time a customer can be told.

    python -m examples.paper.example5 [--weeks 800] [--instances 10] [--states 200] [--out docs]

The network of Example 3 with an order every 45 minutes, worth 0 to 1,000 uniformly, without dates and
penalties, under the highest-profit heuristic. 800 weeks are simulated: what an order takes by them, all
orders alike or by profit class, stands beside what the twin says of a new order that comes when seven others
are open. Writes docs/example5.md with Table 3's layout and Figures 22 and 23.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from examples.by_hand import CLASSES, HOUR, HOURS_A_WEEK, by_hand
from examples.paper.example3_day import NETWORKS, ORIGIN, process
from metagraph.distributions import Parametric
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, Order, OrderClass, OrderModel
from metagraph.policies import PORTFOLIO
from metagraph.state import State

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run

ROOT = Path(__file__).resolve().parents[2]
Floats = NDArray[np.float64]
BETWEEN_MIN = 45.0
PRICE = 1000.0
SEGMENTS = ("low", "medium", "high")
"""Profit classes, each a third of the prices."""
ASKED = {"low": 250.0, "medium": 500.0, "high": 750.0}
OTHERS = {"high": 5, "medium": 1, "low": 1}
"""Orders that are open when the new one comes."""
STATES = 40
"""So many states with these orders are looked at; the paper doesn't say where in the network they were."""
MIDDLE = "B"
"""The class of the new order, which says how long work on it takes; the paper says nothing of it."""
COV = 0.3
POLICY = PORTFOLIO["P"]
WEEK_S = HOURS_A_WEEK * HOUR
FORTNIGHT_S = 2 * WEEK_S
HORIZON_S = 36 * HOUR
REPLICATIONS = 20
SEED = 5
HISTORY, NOW = 0, 1
"""Replications: the weeks that are history, and the ones after, in which the new order comes."""
PUBLISHED = {
    "low": ((6.7, 4.7), (10.0, 6.4), (6.6, 0.8)),
    "medium": ((6.7, 4.7), (5.8, 2.5), (4.1, 0.6)),
    "high": ((6.7, 4.7), (4.3, 1.2), (3.7, 0.6)),
}
"""Table 3: mean and deviation, hours, of aggregated history, segmented history, and the twin."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Weeks of simulated orders."""

    lead_h: Floats
    """Per completed order."""
    segment: NDArray[np.int64]
    """Per completed order, index into SEGMENTS."""
    period: NDArray[np.int64]
    """Per completed order: the fortnight of its release."""
    wip: NDArray[np.int64]
    """[fortnight, instant]: open orders every two hours."""
    most_open: int


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What the twin says of the new order with one price."""

    lead_h: Floats
    """[instance, replication]"""


@dataclass(frozen=True, slots=True, eq=False)
class Missed:
    """How far each way of telling a lead time was from what came, for orders that came at different times."""

    segment: NDArray[np.int64]
    aggregated_h: Floats
    """Absolute error per order."""
    segmented_h: Floats
    twin_h: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Example5:
    """All of it under one network."""

    network: str
    weeks: int
    history: History
    state: State
    """Of all that were looked at, the first with the orders at the most different tasks."""
    told: dict[str, Told]
    elsewhere_h: dict[str, Floats]
    """By profit class, what the twin says on average in each of the states."""
    missed: Missed


def twin_of(network: str) -> Metagraph:
    """The process of Example 3 with the changes of Example 5."""
    third = PRICE / len(SEGMENTS)
    classes = tuple(
        OrderClass(
            cls,
            segment,
            1 / (len(CLASSES) * len(SEGMENTS)),
            value=by_hand(Parametric("uniform", (i * third, third))),
        )
        for cls in CLASSES
        for i, segment in enumerate(SEGMENTS)
    )
    return replace(
        process(COV, "clip", network),
        arrivals=Arrivals((60.0 / BETWEEN_MIN,) * HOURS_A_WEEK),
        orders=OrderModel(classes),
    )


def simulated(twin: Metagraph, weeks: int, replication: int) -> Run:
    """So many weeks from an empty start; orders that are open then stay open."""
    from simulation.engines import run
    from simulation.session import Options

    program, options = _program(twin, weeks, replication), Options(log=False)
    return run(program, SEED, replication, weeks * WEEK_S, options=options)


def _program(twin: Metagraph, weeks: float, replication: int) -> Program:
    from simulation.arrivals import draw_orders
    from simulation.lowering import lower

    orders = draw_orders(
        twin,
        ORIGIN,
        origin=ORIGIN,
        seed=SEED,
        replication=replication,
        until_s=weeks * WEEK_S,
        first_at_start=False,
    )
    return lower(twin, orders, origin=ORIGIN, policy=POLICY)


def segments_of(run: Run) -> NDArray[np.int64]:
    """Per order, index into SEGMENTS."""
    codes = np.array([run.program.network.segments[name] for name in SEGMENTS])
    found: NDArray[np.int64] = np.argmax(run.program.orders.table["segment"][:, None] == codes, axis=1)
    return found


def history_of(run: Run) -> History:
    """Lead times and open orders."""
    done = ~np.isnan(run.completed_s)
    times, counts = run.wip()
    grid = np.arange(0.0, run.until_s, 2 * HOUR)
    found = np.concatenate([[0], counts])[np.searchsorted(times, grid, "right")]
    whole = int(run.until_s // FORTNIGHT_S) * int(FORTNIGHT_S // (2 * HOUR))
    return History(
        lead_h=(run.completed_s - run.release_s)[done] / HOUR,
        segment=segments_of(run)[done],
        period=(run.release_s[done] // FORTNIGHT_S).astype(np.int64),
        wip=found[:whole].reshape(-1, int(FORTNIGHT_S // (2 * HOUR))),
        most_open=int(counts.max()),
    )


def instants(run: Run) -> Iterator[float]:
    """Instants, an hour apart, at which exactly OTHERS are open."""
    segment = segments_of(run)
    for at_s in np.arange(WEEK_S, run.until_s, HOUR):
        open_ = (run.release_s <= at_s) & ~(run.completed_s <= at_s)
        if open_.sum() == sum(OTHERS.values()) and all(
            (segment[open_] == SEGMENTS.index(name)).sum() == n for name, n in OTHERS.items()
        ):
            yield float(at_s)


def states_with_seven(twin: Metagraph, weeks: int, most: int) -> list[State]:
    """The first states of the weeks that follow the history in which OTHERS are open, a day apart or more.

    Raises ValueError if there is none.
    """
    from simulation.engines import session
    from simulation.snapshots import state_of

    going = session(_program(twin, weeks, NOW), SEED, NOW)
    found: list[State] = []
    for at_s in instants(simulated(twin, weeks, NOW)):
        if not found or at_s - found[-1].at_s >= 24 * HOUR:
            going.run_to(at_s)
            found.append(state_of(going.program, going.snapshot()))
        if len(found) == most:
            break
    if not found:
        raise ValueError(f"in {weeks} weeks it never happens that {OTHERS} are open: simulate more")
    return found


def places(state: State) -> int:
    """At how many different tasks its orders are."""
    return len({position.node for order in state.orders for position in order.positions})


def told(twin: Metagraph, state: State, order: Order, seed: int, replications: int) -> Floats:
    """Lead times of a new order, hours, one a future."""
    from twin.futures import Future
    from twin.quote import done_s, quoted

    future = Future(twin, state, ORIGIN, seed, state.at_s + HORIZON_S, (order,), POLICY)
    return (done_s(quoted(future, replications, workers=1).values) - order.release_s) / HOUR


def told_of(twin: Metagraph, state: State, segment: str, instances: int) -> Told:
    """The paper's Monte Carlo simulations of a price, 20 futures each."""
    order = Order("new", state.at_s, MIDDLE, segment, value=ASKED[segment])
    return Told(np.array([told(twin, state, order, SEED + 1 + i, REPLICATIONS) for i in range(instances)]))


def missed(twin: Metagraph, history: History, states: int) -> Missed:
    """Orders that come a day apart in the weeks after the history: what was told of each, and what came."""
    from simulation.engines import session
    from simulation.snapshots import order_of, state_of

    weeks = states / 7 + 2
    going = session(_program(twin, weeks, NOW), SEED, NOW)
    rows = []
    means = [float(history.lead_h[history.segment == i].mean()) for i in range(len(SEGMENTS))]
    overall, expected = float(history.lead_h.mean()), []
    release_s = going.program.orders.table["release_s"]
    for k in range(states):
        i = int(np.searchsorted(release_s, WEEK_S + k * 24 * HOUR))
        before_s = float(np.nextafter(release_s[i], 0.0))
        going.run_to(before_s)
        state = replace(state_of(going.program, going.snapshot()), at_s=before_s)
        order = replace(order_of(going.program, i), id="new")
        expected.append(float(told(twin, state, order, 1000 + k, REPLICATIONS).mean()))
        rows.append(i)
    going.run_to(np.inf)
    run = going.result()
    lead_h = ((run.completed_s - run.release_s) / HOUR)[rows]
    segment = segments_of(run)[rows]
    return Missed(
        segment=segment,
        aggregated_h=np.abs(lead_h - overall),
        segmented_h=np.abs(lead_h - np.array(means)[segment]),
        twin_h=np.abs(lead_h - np.array(expected)),
    )


def run_example(network: str, weeks: int, instances: int, states: int) -> Example5:
    """All of it under one network."""
    twin = twin_of(network)
    history = history_of(simulated(twin, weeks, HISTORY))
    states_there = states_with_seven(twin, min(weeks, 300), STATES)
    state = max(states_there, key=places)
    return Example5(
        network=network,
        weeks=weeks,
        history=history,
        state=state,
        told={segment: told_of(twin, state, segment, instances) for segment in SEGMENTS},
        elsewhere_h={
            segment: np.array([told_of(twin, one, segment, 1).lead_h.mean() for one in states_there])
            for segment in SEGMENTS
        },
        missed=missed(twin, history, states),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it, and write the page."""
    from examples.paper.example5_page import write

    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--weeks", type=int, default=800, help="of history")
    options.add_argument("--instances", type=int, default=10, help="Monte Carlo simulations of 20 futures")
    options.add_argument(
        "--states", type=int, default=200, help="orders on which the three ways are compared"
    )
    options.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    options.add_argument("--out", type=Path, default=ROOT / "docs")
    asked = options.parse_args(arguments)
    found = [run_example(name, asked.weeks, asked.instances, asked.states) for name in asked.networks]
    print(write(found, asked.out))


if __name__ == "__main__":
    main()

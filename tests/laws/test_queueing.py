"""Queueing theory of single stations and networks, on both engines; each test's seed follows from its name.

Means over 20 replications must lie in their 99.9 % t-interval around theory.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
import pytest

from metagraph.agents import Agent, Breakdowns, Queue
from metagraph.blocks import Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.distributions import Constant, Distribution, Parametric, ZeroInflated
from metagraph.model import Metagraph
from metagraph.orders import Arrivals
from simulation.arrivals import generate_orders
from simulation.kpis import interval
from simulation.lowering import lower
from simulation.run import Run
from tests.laws.engines import (
    ENGINES,
    REPLICATIONS,
    Engine,
    Floats,
    assert_theory,
    log_of,
    middle,
    response_of,
    wait_of,
)
from tests.laws.theory import (
    erlang_c_wait,
    lost_share,
    pollaczek_khinchine,
    two_way_fork_join,
    visits,
    with_breakdowns,
)
from tests.simulation.builders import ORIGIN, expon, fitted, process, row, station, tandem

MEAN_S = 100.0


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine.of(request.param, request.node.name)


def test_mm1(engine: Engine) -> None:
    rate = 0.7 / MEAN_S
    assert_theory(engine.sample(station(expon(MEAN_S)), rate, wait_of), erlang_c_wait(rate, 1 / MEAN_S, 1))


def test_mm1_with_orders_from_the_twin_s_own_arrivals(engine: Engine) -> None:
    rate, n = 0.6 / MEAN_S, 2000
    model = replace(station(expon(MEAN_S)), arrivals=Arrivals((rate * 3600,) * 168))
    found = []
    for replication in range(REPLICATIONS):
        made = generate_orders(
            model, ORIGIN, origin=ORIGIN, seed=engine.seed, replication=replication, cases=n
        )
        found.append(wait_of(engine.run(lower(model, made, origin=ORIGIN), replication)))
    assert_theory(found, erlang_c_wait(rate, 1 / MEAN_S, 1))


@pytest.mark.parametrize("servers", [2, 5])
def test_mmc(engine: Engine, servers: int) -> None:
    rate = 0.75 * servers / MEAN_S
    found = engine.sample(station(expon(MEAN_S), servers), rate, wait_of, length=2)
    assert_theory(found, erlang_c_wait(rate, 1 / MEAN_S, servers))


def test_many_servers_are_drawn_by_tries_and_wait_as_erlang_says(engine: Engine) -> None:
    rate = 0.9 * 24 / MEAN_S
    found = engine.sample(station(expon(MEAN_S), 24), rate, wait_of, length=2)
    assert_theory(found, erlang_c_wait(rate, 1 / MEAN_S, 24), width=1.2)


def test_one_agent_with_capacity_is_as_good_as_several(engine: Engine) -> None:
    rate = 0.75 * 3 / MEAN_S
    found = engine.sample(station(expon(MEAN_S), servers=1, capacity=3), rate, wait_of, length=2)
    assert_theory(found, erlang_c_wait(rate, 1 / MEAN_S, 3))


SIGMA = sqrt(log(2.0))  # a lognormal as variable as an exponential
MG1: dict[str, tuple[Distribution, float]] = {
    "deterministic": (Constant(MEAN_S), 0.0),
    "uniform": (Parametric("uniform", (0.0, 2 * MEAN_S)), (2 * MEAN_S) ** 2 / 12),
    "lognormal": (Parametric("lognorm", (SIGMA, 0.0, MEAN_S * exp(-(SIGMA**2) / 2))), MEAN_S**2),
}


@pytest.mark.parametrize("law", MG1)
def test_mg1(engine: Engine, law: str) -> None:
    rate = 0.7 / MEAN_S
    found = engine.sample(station(MG1[law][0]), rate, wait_of)
    assert_theory(found, pollaczek_khinchine(rate, MEAN_S, MG1[law][1]))


def test_customers_who_lose_patience(engine: Engine) -> None:
    """M/M/2+M at a load above 1, which only the losses make stable."""
    rate, patience_s = 2.4 / MEAN_S, 3 * MEAN_S

    def dates(rng: np.random.Generator, releases: Floats) -> dict[str, object]:
        return {"lost_s": releases + rng.exponential(patience_s, len(releases))}

    def lost(run: Run) -> float:
        return float(run.lost[middle(run)].mean())

    found = engine.sample(station(expon(MEAN_S), 2), rate, lost, columns=dates)
    assert_theory(found, lost_share(rate, 1 / MEAN_S, 2, 1 / patience_s))


def test_jackson_each_station_of_a_tandem_is_mm1(engine: Engine) -> None:
    rate = 0.7 / MEAN_S
    found = engine.sample(tandem(expon(MEAN_S), tasks=2), rate, wait_of)
    assert_theory(found, erlang_c_wait(rate, 1 / MEAN_S, 1))


def jackson() -> Metagraph:
    """Two stations in a loop, of which the second one is passed by a part only."""
    body = Sequence((Leaf("a", "A"), Choice("x", "x_end", (Leaf("b", "B"), Empty()))))
    return process(
        Loop("l", "e", body, (Empty(),)),
        {"a": expon(MEAN_S), "b": expon(1.5 * MEAN_S)},
        queues=[Queue("qa", ("ann",)), Queue("qb", ("bob", "bea"))],
        serves={"a": ["qa"], "b": ["qb"]},
        agents=[Agent(name, "always") for name in ("ann", "bob", "bea")],
        weights={"x": [0.6, 0.4], "e": [0.3, 0.7]},
    )


def test_a_jackson_network_with_loops(engine: Engine) -> None:
    """Product form: each station is as an M/M/c of its own, however often orders come back."""
    rate, model = 0.5 / MEAN_S, jackson()
    passes = visits(model)
    theory = passes["a"] * (MEAN_S + erlang_c_wait(rate * passes["a"], 1 / MEAN_S, 1))
    theory += passes["b"] * (1.5 * MEAN_S + erlang_c_wait(rate * passes["b"], 1 / (1.5 * MEAN_S), 2))
    assert_theory(engine.sample(model, rate, response_of), theory)


def test_visits_are_those_of_an_absorbing_chain(engine: Engine) -> None:
    again = Loop("m", "n", Leaf("c", "C"), (Empty(),))
    body = Sequence((Leaf("a", "A"), Choice("x", "y", (Leaf("b", "B"), again))))
    weights = {"x": [0.35, 0.65], "n": [0.45, 0.55], "e": [0.2, 0.15, 0.65]}
    model = process(Loop("l", "e", body, (Leaf("d", "D"), Empty())), Constant(1.0), weights=weights)
    theory = visits(model)

    def passes(run: Run) -> list[float]:
        counts = np.bincount(log_of(run).node, minlength=len(model.nodes)) / len(run.program.orders)
        return [float(count) for count in counts]

    found = engine.sample(model, 1.0, passes, length=0.5)
    for node, counts in zip(model.nodes, zip(*found, strict=True), strict=True):
        if node.id in "abcd":
            assert_theory(counts, theory[node.id], width=0.2)


def fork(branches: int) -> Metagraph:
    names = [f"t{i}" for i in range(branches)]
    return process(
        Parallel("p", "m", tuple(Leaf(name, name) for name in names)),
        expon(MEAN_S),
        queues=[Queue(name, (f"{name}.x",)) for name in names],
        serves={name: [name] for name in names},
        agents=[Agent(f"{name}.x", "always") for name in names],
    )


def test_two_branches_that_meet_again(engine: Engine) -> None:
    rate = 0.6 / MEAN_S
    assert_theory(engine.sample(fork(2), rate, response_of), two_way_fork_join(rate, 1 / MEAN_S))


def test_four_branches_lie_between_one_and_four_independent_ones(engine: Engine) -> None:
    """Baccelli and Makowski: R_1 <= R_k <= H_k R_1, as responses of the branches are associated."""
    rate = 0.6 / MEAN_S
    one = 1 / (1 / MEAN_S - rate)
    found = interval(engine.sample(fork(4), rate, response_of), 0.999)
    assert 1.2 * one < found.low < found.high < (1 + 1 / 2 + 1 / 3 + 1 / 4) * one


SHAPES: dict[str, Distribution] = {
    "deterministic": Constant(MEAN_S),
    "exponential": expon(MEAN_S),
    "mostly nothing": ZeroInflated(0.6, expon(MEAN_S / 0.4)),
}


@pytest.mark.parametrize("law", SHAPES)
def test_processor_sharing_is_insensitive(engine: Engine, law: str) -> None:
    """M/G/1-PS: E[T] = E[S] / (1 - rho), whatever the law."""
    model = station(SHAPES[law])
    shared = replace(model, agents=(Agent("agent0", "always", capacity=3000, sharing="shared"),))
    rate = 0.65 / MEAN_S
    assert_theory(engine.sample(shared, rate, response_of), MEAN_S / (1 - rate * MEAN_S))


def test_breakdowns_that_come_busy_or_not(engine: Engine) -> None:
    mean_s = 20 * MEAN_S
    up_s, down_s = 5 * mean_s, 1.5 * mean_s
    failing = Agent("agent0", "always", breakdowns=Breakdowns(fitted(expon(up_s)), fitted(expon(down_s))))
    model = replace(station(expon(mean_s)), agents=(failing,))
    rate = 0.45 / mean_s
    theory = with_breakdowns(rate, 1 / mean_s, 1 / up_s, 1 / down_s)
    assert_theory(engine.sample(model, rate, response_of), theory, width=0.6)


def test_lindley_path_wise(engine: Engine) -> None:
    """W(n+1) = max(W(n) + S(n) - A(n), 0), order by order: starts are max(release, previous end), exactly."""

    def one(run: Run) -> float:
        found = log_of(run)
        release = run.program.orders.table["release_s"][found.order]
        assert (found.start_s[1:] == np.maximum(release[1:], found.end_s[:-1])).all()
        assert found.start_s[0] == release[0]
        return len(found)

    assert sum(engine.sample(station(expon(80.0)), 1 / MEAN_S, one)) > 0


def test_little(engine: Engine) -> None:
    """Number in the system, integrated over time, = sum of times in it; and so in each queue."""

    def one(run: Run) -> float:
        found = log_of(run)
        inside = float((run.completed_s - run.program.orders.table["release_s"]).sum())
        assert run.tally.wip_s == pytest.approx(inside)
        for queue, waiting_s in enumerate(run.tally.waiting_s):
            mine = found.queue == queue
            assert waiting_s == pytest.approx(float((found.start_s - found.ready_s)[mine].sum()))
        return inside

    assert min(engine.sample(jackson(), 0.5 / MEAN_S, one)) > 0


def test_a_row_of_tasks_without_anybody_takes_the_sum_of_their_means(engine: Engine) -> None:
    """Delays only: M/G/infinity, where nobody ever waits."""
    model = process(row("a", "b"), {"a": expon(MEAN_S), "b": expon(2 * MEAN_S)}, delays={"b": expon(MEAN_S)})
    assert_theory(engine.sample(model, 5 / MEAN_S, response_of), 4 * MEAN_S)

"""Queueing theory, through arrivals, lowering and engine: every law with a seed of its own, never changed.

Means over 20 replications must lie in their 99.9 % t-interval around theory.
"""

from __future__ import annotations

from dataclasses import replace
from math import exp, factorial, log, sqrt

import numpy as np
import pytest

from metagraph.distributions import Constant, Distribution, Parametric
from metagraph.model import Metagraph
from metagraph.orders import Arrivals
from simulation.arrivals import generate_orders
from simulation.kpis import interval
from simulation.program import lower
from simulation.reference import run
from simulation.run import Run
from tests.simulation.builders import ORIGIN, expon, orders, station, tandem

REPLICATIONS = 20
ORDERS = 4000
WARM_UP = 500
MEAN_S = 100.0


def waits(model: Metagraph, rate_per_s: float, seed: int) -> list[float]:
    """Mean wait of each replication, after a warm-up, with Poisson arrivals."""
    model = replace(model, arrivals=Arrivals((rate_per_s * 3600,) * 168))
    means = []
    for replication in range(REPLICATIONS):
        arrivals = generate_orders(
            model, ORIGIN, origin=ORIGIN, seed=seed, replication=replication, cases=ORDERS
        )
        log_ = run(lower(model, arrivals, origin=ORIGIN), seed, replication)
        late = log_.order >= WARM_UP
        means.append(float((log_.start_s - log_.ready_s)[late].mean()))
    return means


def assert_theory(means: list[float], theory: float) -> None:
    found = interval(means, 0.999)
    assert found.low <= theory <= found.high, (found, theory)
    assert found.high - found.low < 0.4 * theory  # an interval that admits anything proves nothing


def erlang_c_wait(arrival: float, service: float, servers: int) -> float:
    """E[W] = C(c, a) / (c mu - lambda)."""
    a = arrival / service
    tail = a**servers / factorial(servers) / (1 - a / servers)
    c = tail / (sum(a**k / factorial(k) for k in range(servers)) + tail)
    return c / (servers * service - arrival)


def pollaczek_khinchine(arrival: float, mean: float, variance: float) -> float:
    """E[W] = lambda E[S^2] / (2 (1 - rho))."""
    return arrival * (variance + mean**2) / (2 * (1 - arrival * mean))


def test_mm1() -> None:
    rate = 0.7 / MEAN_S
    assert_theory(waits(station(expon(MEAN_S)), rate, seed=1101), erlang_c_wait(rate, 1 / MEAN_S, 1))


@pytest.mark.parametrize("servers", [2, 5])
def test_mmc(servers: int) -> None:
    rate = 0.75 * servers / MEAN_S
    model = station(expon(MEAN_S), servers)
    assert_theory(waits(model, rate, seed=1200 + servers), erlang_c_wait(rate, 1 / MEAN_S, servers))


def test_one_agent_with_capacity_is_as_good_as_several() -> None:
    rate = 0.75 * 3 / MEAN_S
    model = station(expon(MEAN_S), servers=1, capacity=3)
    assert_theory(waits(model, rate, seed=1301), erlang_c_wait(rate, 1 / MEAN_S, 3))


SIGMA = sqrt(log(2.0))  # a lognormal as variable as an exponential
MG1: list[tuple[str, Distribution, float, int]] = [
    ("deterministic", Constant(MEAN_S), 0.0, 1401),
    ("uniform", Parametric("uniform", (0.0, 2 * MEAN_S)), (2 * MEAN_S) ** 2 / 12, 1402),
    ("lognormal", Parametric("lognorm", (SIGMA, 0.0, MEAN_S * exp(-(SIGMA**2) / 2))), MEAN_S**2, 1403),
]


@pytest.mark.parametrize(("law", "variance", "seed"), [case[1:] for case in MG1], ids=[c[0] for c in MG1])
def test_mg1(law: Distribution, variance: float, seed: int) -> None:
    rate = 0.7 / MEAN_S
    assert_theory(waits(station(law), rate, seed), pollaczek_khinchine(rate, MEAN_S, variance))


def test_jackson_each_station_of_a_tandem_is_mm1() -> None:
    rate = 0.7 / MEAN_S
    means = waits(tandem(expon(MEAN_S), tasks=2), rate, seed=1501)
    assert_theory(means, erlang_c_wait(rate, 1 / MEAN_S, 1))


def fifo_run(seed: int) -> Run:
    rng = np.random.default_rng(seed)
    program = lower(
        station(expon(80.0)), orders(np.cumsum(rng.exponential(100.0, 3000)).tolist()), origin=ORIGIN
    )
    return run(program, seed)


def test_lindley_path_wise() -> None:
    """W(n+1) = max(W(n) + S(n) - A(n), 0), order by order: starts are max(release, previous end), exactly."""
    log_ = fifo_run(1601)
    previous_end = -np.inf
    for release, start, end in zip(log_.release_s, log_.start_s, log_.end_s, strict=True):
        assert start == max(release, previous_end)
        previous_end = end


def test_little() -> None:
    """Time-integral of the number in the system = sum of cycle times, over a run from empty to empty."""
    log_ = fifo_run(1701)
    times, wip = log_.wip()
    area = float((wip[:-1] * np.diff(times)).sum())
    assert area == pytest.approx(float((log_.completed_s - log_.release_s).sum()))
    assert wip[-1] == 0

"""The flagship law: the twin found in a log of 2,000 orders is the process that made the log.

Everything below is told by the log alone. Intervals are 99.9 % ones around the known values: binomial for
probabilities, by the central limit theorem for means.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from calibration.calibrate import calibrate
from calibration.settings import OrderSpec, Settings
from discovery.miner import mine
from discovery.replay_log import replay_log
from discovery.replayed import Replayed
from eventlogs.historian import Historian
from eventlogs.mining.variants import variants
from eventlogs.snapshot import Snapshot
from examples.order_to_cash import HOLD, REWORK, SEED, SHARES, START, known_twin, log_text, structure
from metagraph.blocks import Block, skeleton
from metagraph.distributions import Distribution
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.routing import Context, Routing
from metagraph.validate import validate
from simulation.arrivals import generate_orders, monday
from tests.naive import canonical
from twin.simulate import simulate

ORDERS = 2000
Z = 3.29
"""Half-width of a 99.9 % interval in standard deviations."""
KNOWN = known_twin()
SEGMENTS = tuple(SHARES)
LABELS = tuple(task.label for task in KNOWN.tasks())
DELAYED = tuple(task.label for task in KNOWN.tasks() if task.delay)
REPLICATIONS = 12


@dataclass(frozen=True)
class Found:
    """What was found in the log."""

    snapshot: Snapshot
    blocks: dict[float, Block]
    """By noise level of the miner."""
    replayed: Replayed
    twin: Metagraph


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    folder = tmp_path_factory.mktemp("round_trip")
    text = log_text(KNOWN, START, last_arrival() + timedelta(seconds=1), SEED)
    log = folder / "orders.csv"
    log.write_text(text, encoding="utf-8")
    with Historian(folder / "orders.duckdb") as historian:
        historian.import_log(log)
        snapshot = historian.snapshot("orders", open_cases=unfinished(text))
    counted = variants(snapshot)
    blocks = {noise: mine(counted, noise) for noise in (0.0, 0.2)}
    replayed = replay_log(snapshot, blocks[0.0])
    settings = Settings(orders=OrderSpec(segment_column="segment"))
    shape = skeleton(blocks[0.0])
    twin = calibrate(snapshot, shape, replayed, settings, name="round trip", seed=0)
    return Found(snapshot, blocks, replayed, twin)


def last_arrival() -> datetime:
    origin = monday(START)
    orders = generate_orders(KNOWN, START, origin=origin, seed=SEED, replication=0, cases=ORDERS)
    return origin + timedelta(seconds=orders[-1].release_s)


def unfinished(text: str) -> set[str]:
    rows = list(csv.DictReader(io.StringIO(text)))
    done = [{r["case_id"] for r in rows if r["activity"] == last and r["end_time"]} for last in LABELS[-2:]]
    return {row["case_id"] for row in rows} - (done[0] & done[1])


def task_of(twin: Metagraph, label: str) -> Task:
    return next(task for task in twin.tasks() if task.label == label)


def routing_to(twin: Metagraph, label: str) -> tuple[Routing, int]:
    """The choice of which one branch begins with this activity, and the branch's place in it."""
    node = task_of(twin, label).id
    routings = {routing.node: routing for routing in twin.routing}
    flow = next(f for f in twin.flows if f.target == node and f.source in routings)
    return routings[flow.source], routings[flow.source].flows.index(flow.id)


def probability(twin: Metagraph, label: str, segment: str = "", visit: int = 1) -> float:
    """Of that branch, for an order of this segment at this visit."""
    routing, i = routing_to(twin, label)
    return routing.weights(Context("", segment, visit, ()))[i]


def binomial_width(p: float, n: float) -> float:
    return float(Z * np.sqrt(p * (1 - p) / n))


def spread(law: Distribution) -> float:
    return float(law.ppf((np.arange(20_000) + 0.5) / 20_000).std())


def test_the_log_has_the_orders(found: Found) -> None:
    assert found.snapshot.n_cases >= ORDERS - 20, "the last ones may not have begun"
    assert 10 <= found.snapshot.is_open.sum() <= 100
    assert np.isnan(found.snapshot.end_s).any()


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_structure_is_found(found: Found, noise: float) -> None:
    assert canonical(found.blocks[noise]) == canonical(structure())


def test_every_order_fits_and_the_twin_is_valid(found: Found) -> None:
    assert found.replayed.fitness.case_share == 1.0
    assert validate(found.twin) == ()


@pytest.mark.parametrize("label", ["Clear Credit Hold", "Correct Order"])
def test_routing_is_found(found: Found, label: str) -> None:
    (mine, i), (known, k) = routing_to(found.twin, label), routing_to(KNOWN, label)
    p, n = known.overall().weights[k], mine.overall().n
    assert n >= 0.95 * ORDERS
    assert mine.overall().weights[i] == pytest.approx(p, abs=binomial_width(p, n))


@pytest.mark.parametrize("segment", SEGMENTS)
def test_routing_of_each_segment_is_found(found: Found, segment: str) -> None:
    n = routing_to(found.twin, "Clear Credit Hold")[0].overall().n * SHARES[segment]
    p = probability(found.twin, "Clear Credit Hold", segment)
    assert p == pytest.approx(HOLD[segment], abs=binomial_width(HOLD[segment], n))


@pytest.mark.parametrize("visit", [1, 2])
def test_rework_is_found_by_visit(found: Found, visit: int) -> None:
    p = probability(found.twin, "Correct Order", visit=visit)
    n = ORDERS if visit == 1 else ORDERS * REWORK[1]
    assert p == pytest.approx(REWORK[visit], abs=binomial_width(REWORK[visit], n))


@pytest.mark.parametrize("label", LABELS)
def test_durations_are_found(found: Found, label: str) -> None:
    task, known = task_of(found.twin, label), task_of(KNOWN, label)
    by_segment = len(known.durations.rows) > 1
    for segment in SEGMENTS if by_segment else (None,):
        truth = known.durations.lookup(None, segment, None).law
        fitted = task.durations.lookup(None, segment, None)
        assert fitted.n >= 200
        assert (fitted.level == "class") == by_segment
        half_width = Z * spread(truth) / np.sqrt(fitted.n)
        assert fitted.law.mean() == pytest.approx(truth.mean(), abs=half_width), (segment, half_width / 60)
        x = truth.ppf(np.linspace(0.001, 0.999, 500))
        distance = np.abs(fitted.law.cdf(x) - truth.cdf(x)).max()
        assert distance <= 1.95 / np.sqrt(fitted.n), "Kolmogorov's 99.9 % bound for observed quantiles"


@pytest.mark.parametrize("agent", [agent.id for agent in KNOWN.agents])
def test_calendars_are_found_to_the_hour(found: Found, agent: str) -> None:
    assert hours(found.twin, agent) == hours(KNOWN, agent)


def hours(twin: Metagraph, name: str) -> tuple[tuple[float, float], ...]:
    agent = next(agent for agent in twin.agents if agent.id == name)
    return next(calendar.hours for calendar in twin.calendars if calendar.id == agent.calendar)


def test_who_does_what_is_found(found: Found) -> None:
    assert {a.id: a.capacity for a in found.twin.agents} == {a.id: 1 for a in KNOWN.agents}
    for label in LABELS:
        assert people(found.twin, label) == people(KNOWN, label), label


def people(twin: Metagraph, label: str) -> set[str]:
    queues = task_of(twin, label).queues
    return {agent for queue in twin.queues if queue.id in queues for agent in queue.agents}


def test_arrivals_are_found(found: Found) -> None:
    """An order is first seen when work on it starts, so only the weekly rate can be compared."""
    assert found.twin.arrivals is not None
    assert KNOWN.arrivals is not None
    days = (last_arrival() - START).days * 6 / 7
    relative = Z * np.sqrt(1 / ORDERS + KNOWN.arrivals.dispersion / days)
    assert sum(found.twin.arrivals.rates_per_h) == pytest.approx(80.0, rel=relative)


def test_segments_are_found(found: Found) -> None:
    shares = {c.segment: c.share for c in found.twin.orders.classes}
    assert shares == {s: pytest.approx(p, abs=binomial_width(p, ORDERS)) for s, p in SHARES.items()}


def test_tasks_without_a_delay_get_none(found: Found) -> None:
    assert {task.label for task in found.twin.tasks() if task.delay} == set(DELAYED)


@pytest.mark.parametrize("label", DELAYED)
def test_delays_are_found(found: Found, label: str) -> None:
    """When a delay ended at night only its bounds are known: its mean is held to within a fifth, or to the
    interval of a quarter as many exact observations."""
    mine, known = task_of(found.twin, label).delay, task_of(KNOWN, label).delay
    assert mine is not None
    assert known is not None
    law = known.default.law
    half_width = max(0.2 * law.mean(), Z * spread(law) / np.sqrt(mine.default.n / 4))
    assert mine.default.law.mean() == pytest.approx(law.mean(), abs=half_width)


def test_the_twin_takes_as_long_as_the_process(found: Found) -> None:
    """Mean time from an order's first start to its end, at the known rate of arrivals."""
    twin = replace(found.twin, arrivals=KNOWN.arrivals)
    known, mine = (np.array([lead_days(t, r) for r in range(REPLICATIONS)]) for t in (KNOWN, twin))
    half_width = Z * np.sqrt((known.var(ddof=1) + mine.var(ddof=1)) / REPLICATIONS)
    assert mine.mean() == pytest.approx(known.mean(), abs=half_width)
    assert mine.mean() == pytest.approx(known.mean(), rel=0.1)


def lead_days(twin: Metagraph, replication: int) -> float:
    run = simulate(twin, start=START, cases=300, seed=SEED, replication=replication)
    first = np.full(len(run.release_s), np.inf)
    np.minimum.at(first, run.order, run.start_s)
    return float((run.completed_s - first).mean() / 86400)

"""Theory of priorities at one station, with and without preemption, on both engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from metagraph.distributions import Constant, Distribution, Parametric
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task
from metagraph.orders import OrderModel
from metagraph.policies import Policy
from simulation.program import Program
from simulation.run import Run
from tests.laws.engines import (
    ENGINES,
    Engine,
    Floats,
    assert_theory,
    log_of,
    lowered,
    middle,
    response_of,
    with_orders,
)
from tests.laws.theory import cobham, preemptive_resume, shortest_remaining
from tests.simulation.builders import expon, fitted, station

CLASSES = ("first", "second", "third")
SHARES = (0.3, 0.3, 0.4)
RATE = 0.01
LAWS: tuple[Distribution, ...] = (expon(60.0), Constant(50.0), Parametric("uniform", (0.0, 140.0)))
MEANS = (60.0, 50.0, 70.0)
SECOND = (2 * 60.0**2, 50.0**2, 140.0**2 / 3)
RATES = tuple(RATE * share for share in SHARES)
URGENT = {
    "HPCS": Policy("test", "JSQ", ("HPCS",)),
    "HP": Policy("test", "JSQ", ("HP",)),
    "average": Policy("test", "JSQ", ("HPCS", "HP")),
}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine.of(request.param, request.node.name)


def three_classes(laws: Sequence[Distribution], preemptible: bool = True) -> Metagraph:
    """One agent, work by class."""
    rows = tuple(DurationRow(fitted(law), cls) for law, cls in zip(laws, CLASSES, strict=True))
    model = station(Constant(1.0))
    (task,) = (node for node in model.nodes if isinstance(node, Task))
    made = replace(
        task,
        durations=DurationTable((*rows, DurationRow(fitted(Constant(1.0))))),
        preemptible=preemptible,
    )
    return replace(
        model,
        nodes=tuple(made if node is task else node for node in model.nodes),
        orders=OrderModel(segment_priority={"any": 1.0}),
    )


def kinds(model: Metagraph) -> Any:
    """Classes of orders at random; the first is the most important one, and worth most."""
    codes = np.array([lowered(model).network.classes[cls] for cls in CLASSES])

    def columns(rng: np.random.Generator, releases: Floats) -> dict[str, Any]:
        drawn = rng.choice(3, len(releases), p=SHARES)
        return {"cls": codes[drawn], "importance": 3.0 - drawn, "value": 300.0 - 100.0 * drawn}

    return columns


def responses(run: Run) -> list[float]:
    """Mean response of each class."""
    return [response_of(run, run.program.network.classes[cls]) for cls in CLASSES]


def waits(run: Run) -> list[float]:
    """Mean wait of each class."""
    log, kept = log_of(run), middle(run)
    codes, wait = run.program.orders.table["cls"][log.order], log.start_s - log.ready_s
    mine = [kept[log.order] & (codes == run.program.network.classes[cls]) for cls in CLASSES]
    return [float(wait[of_class].mean()) for of_class in mine]


def assert_each(found: list[list[float]], theory: list[float]) -> None:
    for values, known in zip(zip(*found, strict=True), theory, strict=True):
        assert_theory(values, known, width=0.6)


@pytest.mark.parametrize("rule", URGENT)
def test_preemptive_resume(engine: Engine, rule: str) -> None:
    """Each class has the mean response of theory; what is interrupted keeps its place and loses nothing."""
    model = three_classes(LAWS)
    found = engine.sample(model, RATE, responses, policy=URGENT[rule], columns=kinds(model))
    assert_each(found, preemptive_resume(RATES, MEANS, SECOND))


@pytest.mark.parametrize("reason", ["policy", "task"])
def test_without_preemption_as_cobham(engine: Engine, reason: str) -> None:
    """Whether it is the policy or the task that allows none."""
    model = three_classes(LAWS, preemptible=reason != "task")
    policy = replace(URGENT["HPCS"], preemption=reason != "policy")
    found = engine.sample(model, RATE, waits, policy=policy, columns=kinds(model))
    assert_each(found, cobham(RATES, MEANS, SECOND))


def test_shortest_remaining_work_first(engine: Engine) -> None:
    """SERPT with sizes that are known is SRPT."""
    sizes = (20.0, 60.0, 120.0)
    model, policy = three_classes([Constant(size) for size in sizes]), Policy("test", "JSQ", ("SERPT",))
    found = engine.sample(model, RATE, responses, policy=policy, columns=kinds(model))
    assert_each(found, shortest_remaining(RATES, sizes))


def test_shortest_expected_remaining_work_of_exponentials_is_priority_by_mean(engine: Engine) -> None:
    """What is left of an exponential is as long as it ever was: SERPT interrupts for a smaller mean only."""
    means = (20.0, 60.0, 120.0)
    model, policy = three_classes([expon(mean) for mean in means]), Policy("test", "JSQ", ("SERPT",))
    found = engine.sample(model, RATE, responses, policy=policy, columns=kinds(model))
    assert_each(found, preemptive_resume(RATES, means, [2 * mean**2 for mean in means]))


def busy_periods(program: Program, run: Run) -> list[tuple[float, float]]:
    """Begin and end of the times in which something is there."""
    release = program.orders.table["release_s"]
    found: list[tuple[float, float]] = []
    for begin, end in sorted(zip(release.tolist(), run.completed_s.tolist(), strict=True)):
        if found and begin <= found[-1][1] + 1e-6:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


@pytest.mark.parametrize("calendar", ["always", "office"])
def test_work_is_conserved(engine: Engine, calendar: str) -> None:
    """Whatever goes first, interrupts, or is put back: the station is empty at the same instants."""
    model = three_classes(LAWS)
    agents = tuple(replace(agent, calendar=calendar) for agent in model.agents)
    model = replace(model, agents=agents)
    rng = np.random.default_rng(engine.seed)
    rate = RATE if calendar == "always" else RATE / 5
    releases = np.cumsum(rng.exponential(1 / rate, 500))
    columns = kinds(model)(rng, releases)
    columns["due_s"] = releases + rng.exponential(1000.0, 500)
    seen = []
    for rule in ("FIFO", "LIFO", "HP", "SDD", "SERPT", "HPCS"):
        for preemption in (True, False):
            for tie in ("keep", "back"):
                policy = Policy("test", "JSQ", (rule,), preemption=preemption, tie=tie)
                program = with_orders(lowered(model, policy), releases, **columns)
                run = engine.run(program)
                seen.append(busy_periods(program, run))
    assert len(seen[0]) > 20
    for one, other in pairwise(seen):
        assert np.allclose(one, other, rtol=0, atol=1e-3)

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
from metagraph.policies import Policy
from simulation.program import Program
from simulation.run import Run
from tests.laws.engines import (
    ENGINES,
    Engine,
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
UNIFORM = Parametric("uniform", (0.0, 2.0))
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
    return replace(model, nodes=tuple(made if node is task else node for node in model.nodes))


def kinds(model: Metagraph) -> Any:
    """Classes of orders at random; the first is the most important one, and worth most."""
    codes = np.array([lowered(model).network.classes[cls] for cls in CLASSES])

    def columns(rng: np.random.Generator, n: int) -> dict[str, Any]:
        drawn = rng.choice(3, n, p=SHARES)
        return {"cls": codes[drawn], "importance": 3.0 - drawn, "value": 300.0 - 100.0 * drawn}

    return columns


def of_class(model: Metagraph, k: int) -> int:
    return lowered(model).network.classes[CLASSES[k]]


@pytest.mark.parametrize("rule", URGENT)
def test_preemptive_resume(engine: Engine, rule: str) -> None:
    """Each class has the mean response of theory; what is interrupted keeps its place and loses nothing."""
    model, policy = three_classes(LAWS), URGENT[rule]
    theory = preemptive_resume(RATES, MEANS, SECOND)
    for k in range(3):
        found = engine.sample(
            model,
            RATE,
            lambda run, k=k: response_of(run, of_class(model, k)),  # type: ignore[misc]
            policy=policy,
            columns=kinds(model),
            length=0.5 if rule == "average" else 1,
        )
        assert_theory(found, theory[k], width=0.6)


@pytest.mark.parametrize("reason", ["policy", "task"])
def test_without_preemption_as_cobham(engine: Engine, reason: str) -> None:
    """Whether it is the policy or the task that allows none."""
    model = three_classes(LAWS, preemptible=reason != "task")
    policy = replace(URGENT["HPCS"], preemption=reason != "policy")
    theory = cobham(RATES, MEANS, SECOND)

    def wait(run: Run, k: int) -> float:
        found = log_of(run)
        mine = (middle(run) & (run.program.orders.table["cls"] == of_class(model, k)))[found.order]
        return float((found.start_s - found.ready_s)[mine].mean())

    for k in range(3):
        found = engine.sample(
            model,
            RATE,
            lambda run, k=k: wait(run, k),  # type: ignore[misc]
            policy=policy,
            columns=kinds(model),
        )
        assert_theory(found, theory[k], width=0.6)


def test_shortest_remaining_work_first(engine: Engine) -> None:
    """SERPT with sizes that are known is SRPT."""
    sizes = (20.0, 60.0, 120.0)
    model, policy = three_classes([Constant(size) for size in sizes]), Policy("test", "JSQ", ("SERPT",))
    theory = shortest_remaining(RATES, sizes)
    for k in range(3):
        found = engine.sample(
            model,
            RATE,
            lambda run, k=k: response_of(run, of_class(model, k)),  # type: ignore[misc]
            policy=policy,
            columns=kinds(model),
        )
        assert_theory(found, theory[k], width=0.6)


def test_shortest_expected_remaining_work_of_exponentials_is_priority_by_mean(engine: Engine) -> None:
    """What is left of an exponential is as long as it ever was: SERPT interrupts for a smaller mean only."""
    means = (20.0, 60.0, 120.0)
    model, policy = three_classes([expon(mean) for mean in means]), Policy("test", "JSQ", ("SERPT",))
    theory = preemptive_resume(RATES, means, [2 * mean**2 for mean in means])
    for k in range(3):
        found = engine.sample(
            model,
            RATE,
            lambda run, k=k: response_of(run, of_class(model, k)),  # type: ignore[misc]
            policy=policy,
            columns=kinds(model),
        )
        assert_theory(found, theory[k], width=0.6)


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
    columns = kinds(model)(rng, 500)
    columns["due_s"] = releases + rng.exponential(1000.0, 500)
    seen = []
    for rule in ("FIFO", "HP", "SDD", "SERPT", "HPCS"):
        for preemption in (True, False):
            for tie in ("keep", "back"):
                policy = Policy("test", "JSQ", (rule,), preemption=preemption, tie=tie)
                program = with_orders(lowered(model, policy), releases, **columns)
                run = engine.run(program)
                seen.append(busy_periods(program, run))
    assert len(seen[0]) > 20
    for one, other in pairwise(seen):
        assert np.allclose(one, other, rtol=0, atol=1e-3)

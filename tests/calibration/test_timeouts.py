"""Timeouts since the order's release are found in logs of known twins, and only where there are any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.known_logs import START, log_of
from benchmarks.known_twins import Plan, Role, Work, lognormal, random_twin, rates, twin_of, week
from calibration.calibrate import calibrate
from calibration.settings import Settings
from calibration.timeouts import ages, find_timeout, shortest
from metagraph.blocks import Block, Choice, Leaf, Sequence
from metagraph.distributions import Constant, Distribution, Parametric
from metagraph.model import Metagraph
from metagraph.nodes import DelaySince, Task
from metagraph.orders import Arrivals
from metagraph.parse_blocks import parse_blocks
from tests.calibration.builders import DAY, HOUR, Row, known, snapshot

OFFICE = week(range(5), (8, 17))
BLOCK = Sequence(
    (
        Leaf("apply", "Apply"),
        Leaf("answer", "Answer"),
        Choice("answered", "settled", (Leaf("accept", "Accept"), Leaf("cancel", "Cancel"))),
    )
)
LAW = Parametric("gamma", (4.0, 29 * DAY, 0.25 * DAY))
"""30 days, with a standard deviation of half a day."""


def bank(law: Distribution, since: DelaySince, role: str | None = None) -> Metagraph:
    """Half of the orders are cancelled a while after they came; answers take 8 days, some of them 40."""
    plan = Plan(
        "bank",
        BLOCK,
        {
            "Apply": Work(Constant(0.0)),
            "Answer": Work(lognormal(HOUR, 0.5), "clerks", lognormal(8 * DAY, 0.8)),
            "Accept": Work(lognormal(HOUR, 0.5), "clerks", lognormal(2 * DAY, 1.0)),
            "Cancel": Work(lognormal(60.0, 0.5), role, law),
        },
        {"clerks": Role(6, "office")},
        {"office": OFFICE},
        {"answered": (0.5, 0.5)},
    )
    made = twin_of(plan, Arrivals(rates(30.0, OFFICE)))
    nodes = tuple(
        replace(node, delay=replace(node.delay, since=since))
        if isinstance(node, Task) and node.delay is not None and node.label == "Cancel"
        else node
        for node in made.nodes
    )
    return replace(made, nodes=nodes)


def rebuilt(log: pd.DataFrame, block: Block, *, use_pace: bool = False) -> Metagraph:
    """The twin of a log on the known structure."""
    start, end = ((log[c] - START).dt.total_seconds() for c in ("start_time", "end_time"))
    columns = (log["case_id"], log["activity"], log["resource"], start, end)
    rows: list[Row] = [
        (str(case), activity, agent or None, float(begin), None if pd.isna(stop) else float(stop))
        for case, activity, agent, begin, stop in zip(*columns, strict=True)
    ]
    made = known(snapshot(rows), block)
    found = Settings(fast=True, use_timeouts=True, use_pace=use_pace)
    return calibrate(made.snapshot, made.skeleton, made.replayed, found, name="bank", seed=0)


def timeouts(twin: Metagraph) -> dict[str, Task]:
    return {t.label: t for t in twin.tasks() if t.delay is not None and t.delay.since == "release"}


@pytest.mark.parametrize("seed", range(5))
def test_a_timeout_is_found(seed: int) -> None:
    """Its mean within 3.5 standard errors of the sample's and its law within Kolmogorov's 99.9 % bound."""
    twin = rebuilt(log_of(bank(LAW, "release"), 600, seed, cut=False), BLOCK)
    assert set(timeouts(twin)) == {"Cancel"}
    delay = timeouts(twin)["Cancel"].delay
    assert delay is not None
    assert delay.pace is None
    assert twin.provenance is not None
    assert twin.provenance.facts["timeouts"].startswith(("Cancel 29.", "Cancel 30."))
    n = delay.default.n
    assert n >= 200
    assert delay.default.law.mean() == pytest.approx(30 * DAY, abs=3.5 * 0.5 * DAY / np.sqrt(n))
    x = LAW.ppf(np.linspace(0.001, 0.999, 500))
    assert np.abs(delay.default.law.cdf(x) - LAW.cdf(x)).max() <= 1.95 / np.sqrt(n)


@pytest.mark.parametrize("pace", [False, True])
def test_a_timeout_that_people_see_to_is_found(pace: bool) -> None:
    """When it ended at night or at a weekend only its bounds are known: its mean is held to half a day."""
    twin = rebuilt(log_of(bank(LAW, "release", "clerks"), 600, 1, cut=False), BLOCK, use_pace=pace)
    assert set(timeouts(twin)) == {"Cancel"}
    delay = timeouts(twin)["Cancel"].delay
    assert delay is not None
    assert delay.default.law.mean() == pytest.approx(30 * DAY, abs=0.5 * DAY)


@pytest.mark.parametrize("law", [LAW, lognormal(12 * DAY, 0.7), Constant(10 * DAY)])
def test_a_delay_since_what_came_before_is_none(law: Distribution) -> None:
    assert not timeouts(rebuilt(log_of(bank(law, "ready"), 600, 2, cut=False), BLOCK))


@pytest.mark.parametrize("seed", range(20))
def test_processes_without_timeouts_have_none(seed: int) -> None:
    """With delays of days in place of hours, so that the tests have something to look at."""
    twin, _ = random_twin(seed)
    assert not timeouts(rebuilt(log_of(slower(twin), 300, seed, cut=False), parse_blocks(twin)))


def slower(twin: Metagraph) -> Metagraph:
    """The twin with a delay of some days before every third task."""
    law = lognormal(5 * DAY, 0.6)
    late = [task.id for task in twin.tasks()][2::3]
    plain = bank(law, "ready").tasks()[1].delay
    assert plain is not None
    nodes = tuple(
        replace(node, delay=replace(plain, default=replace(plain.default, law=law)))
        if isinstance(node, Task) and node.id in late and node.batch is None
        else node
        for node in twin.nodes
    )
    return replace(twin, nodes=nodes)


def test_what_comes_too_late_or_again_is_no_timeout() -> None:
    n = 100
    draw = np.random.default_rng(5)
    release = draw.uniform(0, 100 * DAY, n)
    enabled = release + draw.uniform(1 * DAY, 25 * DAY, n)
    start, first = release + 30 * DAY, np.zeros(n, np.bool_)
    found = find_timeout(release, enabled, start, first)
    assert found is not None
    assert found.age_s == pytest.approx(30 * DAY)
    assert found.words() == "30.0 days after release (100 executions)"
    assert find_timeout(release, enabled, start, np.arange(n) < 20) is None, "repeated"
    late = np.where(np.arange(n) % 5 == 0, release + 40 * DAY, enabled)
    assert find_timeout(release, late, np.maximum(start, late), first) is None, "many come later"
    assert find_timeout(release[:20], enabled[:20], start[:20], first[:20]) is None, "too few"
    assert find_timeout(release, start - HOUR, start, first) is None, "an hour is no matter"


def test_ages_are_bounds() -> None:
    """Held until it began; ready before, in hours in which nobody was there; ready when it was enabled."""
    release, enabled = np.zeros(3), np.array([DAY, DAY, 4 * DAY])
    ready, start = np.array([3 * DAY, 2 * DAY, 4 * DAY]), np.array([3 * DAY, 3 * DAY, 4 * DAY])
    low, high = ages(release, enabled, ready, start)
    assert low.tolist() == [3 * DAY, 2 * DAY, 0.0]
    assert high.tolist() == [3 * DAY, 3 * DAY, 4 * DAY]


def test_the_shortest_interval() -> None:
    values = np.array([9.0, 1.0, 5.0, 5.5, 6.0, 20.0])
    assert shortest(values, 0.5) == (5.0, 6.0)
    assert shortest(values, 0.75) == (1.0, 9.0)

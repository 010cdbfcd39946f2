"""What differs between groups is told from chance, and sparse groups borrow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from calibration.duration_rows import Groups, differing
from calibration.durations import Durations
from calibration.fitting import differs
from calibration.pooling import beyond, group_effects
from calibration.settings import Settings
from eventlogs.snapshot import Snapshot
from metagraph.distributions import Empirical
from tests.calibration.builders import DAY, Row, snapshot
from tests.calibration.test_durations import durations_of, lasting

Sampler = Callable[[np.random.Generator, int], NDArray[np.float64]]


def pooled(log: Snapshot, groups: Groups | None = None) -> Durations:
    return durations_of(log, groups, Settings(pooled=True, fast=True))


def test_effects_are_nearer_to_the_truth_than_means_and_than_none() -> None:
    random = np.random.default_rng(31)
    true = random.normal(0, 0.4, 40)
    n = random.integers(1, 25, 40)
    group = np.repeat(np.arange(40), n)
    x = 5 + true[group] + random.normal(0, 0.7, len(group))
    found = group_effects(x, group, 40)
    assert found is not None
    means = np.bincount(group, x) / n - x.mean()
    missed = np.mean((found.of_group - true) ** 2)
    assert missed < 0.8 * np.mean((means - true) ** 2)
    assert missed < 0.5 * np.mean(true**2)
    # A chi-squared interval of the variance of 40 effects, 99 %.
    assert 0.4**2 * 0.5 < found.between < 0.4**2 * 1.8
    assert found.within == pytest.approx(0.49, rel=0.2)


def test_posterior_intervals_hold_what_they_promise() -> None:
    held = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        true = random.normal(0, 0.5, 30)
        group = np.repeat(np.arange(30), random.integers(2, 15, 30))
        found = group_effects(true[group] + random.normal(0, 0.6, len(group)), group, 30)
        assert found is not None
        variance = 1 / (1 / found.between + np.bincount(group) / found.within)
        held += (np.abs(found.of_group - (true - true.mean())) < 1.96 * np.sqrt(variance)).tolist()
    assert 0.9 < np.mean(held) < 0.98


@pytest.mark.parametrize(
    "draw",
    [
        lambda random, n: random.normal(0, 1, n),
        lambda random, n: np.log(random.gamma(0.3, 1, n)),
        lambda random, n: (random.uniform(size=n) < 0.05).astype(float),
    ],
    ids=["normal", "long tail", "rare zeros"],
)
def test_groups_that_are_alike_are_seldom_told_apart(draw: Sampler) -> None:
    wrong = 0
    for seed in range(400):
        random = np.random.default_rng(seed)
        group = np.repeat(np.arange(25), random.integers(1, 20, 25))
        wrong += group_effects(draw(random, len(group)), group, 25) is not None
    # 1 % is promised: 4 of 400; 12 would be beyond chance at 2.5 %.
    assert wrong <= 12


def test_too_little_says_nothing() -> None:
    assert group_effects(np.array([1.0]), np.array([0]), 1) is None
    assert group_effects(np.arange(9.0), np.arange(9), 9) is None
    assert group_effects(np.full(40, 3.0), np.arange(40) % 4, 4) is None


def test_every_agent_gets_its_speed() -> None:
    random = np.random.default_rng(32)
    speeds = {f"a{i:02}": float(s) for i, s in enumerate(random.lognormal(0, 0.4, 30))}
    rows = [
        row
        for agent, speed in speeds.items()
        for row in lasting("A", agent, speed * random.gamma(4, 150, int(random.integers(5, 25))))
    ]
    log = snapshot(rows)
    table = pooled(log).tables["A"]
    found = np.array([table.lookup("", "", a).law.mean() for a in speeds])
    true = np.array([600 * s for s in speeds.values()])
    assert {row.agent for row in table.rows} == {None, *speeds}
    assert np.mean(np.abs(np.log(found / true)) < 0.35) >= 0.9
    assert np.std(np.log(found / true)) < 0.6 * np.std(np.log(true))
    counts = np.bincount(log.resource)
    assert counts @ found == pytest.approx((log.end_s - log.start_s).sum(), rel=0.01)
    told = table.lookup("", "", "a00")
    assert told.level == "agent"
    assert told.note.startswith("the law of all of them times ")
    assert told.note.endswith(f"from {counts[0]} executions")


def test_agents_that_are_alike_get_no_rows() -> None:
    random = np.random.default_rng(33)
    log = snapshot([r for i in range(20) for r in lasting("A", f"a{i}", random.gamma(2, 300, 12))])
    assert len(pooled(log).tables["A"].rows) == 1


def test_enough_executions_of_another_law_keep_it() -> None:
    random = np.random.default_rng(34)
    rows = lasting("A", "odd", random.uniform(3000, 3100, 60))
    rows += [r for i in range(10) for r in lasting("A", f"a{i}", random.lognormal(5 + i / 5, 0.3, 12))]
    table = pooled(snapshot(rows)).tables["A"]
    odd = table.lookup("", "", "odd")
    assert isinstance(odd.law, Empirical)
    assert odd.note == ""
    assert min(odd.law.quantiles) >= 3000
    assert table.lookup("", "", "a0").law.mean() < table.lookup("", "", "a9").law.mean() / 3


def test_shares_of_zeros_are_pooled_too() -> None:
    random = np.random.default_rng(35)
    rows: list[Row] = []
    for i in range(20):
        often = i % 2 == 0
        work = np.where(random.uniform(size=15) < (0.7 if often else 0.1), 0.0, random.gamma(4, 100, 15))
        rows += lasting("A", f"{'often' if often else 'seldom'}{i}", work)
    table = pooled(snapshot(rows)).tables["A"]
    shares = {row.agent: float(row.fitted.law.cdf(0.0)) for row in table.rows if row.agent}
    assert all((s > 0.4) == a.startswith("often") for a, s in shares.items())
    assert "take no time, else the law of all of them times" in table.lookup("", "", "often0").note


def test_classes_that_are_rare_borrow_and_agents_are_told_apart_within_classes() -> None:
    random = np.random.default_rng(36)
    rows: list[Row] = []
    for i in range(320):
        kind = "rare" if i % 16 == 0 else "usual"
        mean = {"rare": 3000.0, "usual": 300.0}[kind] * (2.0 if i % 3 == 0 else 0.7)
        rows.append(
            (f"{i}{kind}", "A", f"a{i % 12}", i * DAY, i * DAY + round(float(random.gamma(6, mean / 6)), 3))
        )
    log = snapshot(rows)
    cls = tuple("rare" if case.endswith("rare") else "usual" for case in log.cases)
    table = pooled(log, Groups(cls, ("",) * log.n_cases)).tables["A"]
    rare = table.lookup("rare", "", "never seen at it")
    assert (rare.level, rare.n) == ("class", 20)
    assert rare.law.mean() == pytest.approx(3400, rel=0.3)
    assert table.lookup("usual", "", "a0").law.mean() > 2 * table.lookup("usual", "", "a1").law.mean()


def test_running_executions_slow_their_agent_down() -> None:
    random = np.random.default_rng(37)
    rows = [r for i in range(8) for r in lasting("A", f"a{i}", random.lognormal(5 + i % 2, 0.4, 14))]
    until = 40 * DAY
    running: list[Row] = [(f"open{k}", "A", "a0", until - 5000, None) for k in range(6)]
    log = snapshot(rows + running, until_s=until, open_cases=[r[0] for r in running])

    def slower(log: Snapshot) -> float:
        """Than another of the same speed."""
        table = pooled(log).tables["A"]
        return table.lookup("", "", "a0").law.mean() / table.lookup("", "", "a2").law.mean()

    assert slower(snapshot(rows, until_s=until)) < 1.15
    assert slower(log) > 1.5


def test_what_is_to_be_expected_beyond_a_bound() -> None:
    quantiles = np.arange(101.0)
    assert beyond(quantiles, np.array([-1.0, 50.0, 99.0, 100.0, 300.0])).tolist() == [
        50.0,
        75.5,
        100.0,
        100.0,
        300.0,
    ]


samples = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=60, max_size=300)


@given(samples)
def test_differing_is_the_two_sample_test_against_the_rest(
    drawn: list[tuple[int, int]],
) -> None:
    group = np.array([g for g, _ in drawn])
    values = np.array([v + 7 * (g == 2) for g, v in drawn], np.float64)
    expected = [
        int(g) for g in np.unique(group) if differs(np.sort(values[group == g]), np.sort(values[group != g]))
    ]
    assert differing(values, group) == expected

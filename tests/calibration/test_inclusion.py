"""A log that lost its unfinished cases says through weights how long cases really take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calibration.agents import fit_resources
from calibration.duration_rows import Groups
from calibration.durations import fit_durations
from calibration.inclusion import MOST_WEIGHT, case_weights, end_of_arrivals, evened
from calibration.settings import Settings
from calibration.window import open_window
from tests.calibration.builders import DAY, snapshot

SPAN_S = 100.0
MEAN_S = 20.0
WITHIN = 3.29
"""Standard errors on both sides: 99.9 %."""


def truncated(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Releases and cycle times of those of n cases, arriving evenly, that end before SPAN_S."""
    rng = np.random.default_rng(seed)
    release, cycle = rng.uniform(0, SPAN_S, n), rng.exponential(MEAN_S, n)
    seen = release + cycle <= SPAN_S
    return release[seen], cycle[seen]


@pytest.mark.parametrize("seed", range(3))
def test_weighted_cases_take_as_long_as_those_of_the_process(seed: int) -> None:
    """What is longer than the whole log cannot be seen, so the truth is the mean below SPAN_S. Its standard
    error is that of 40 samples."""
    full = MEAN_S - SPAN_S * np.exp(-SPAN_S / MEAN_S) / (1 - np.exp(-SPAN_S / MEAN_S))
    means = []
    for k in range(40):
        release, cycle = truncated(400, 100 * seed + k)
        means.append(np.average(cycle, weights=case_weights(release, cycle, SPAN_S)))
    error = np.std(means, ddof=1) / np.sqrt(len(means))
    assert abs(np.mean(means) - full) < WITHIN * error
    assert np.mean(truncated(400, seed)[1]) < full - 10 * error


def test_weights_are_those_of_the_cases_at_risk_counted_by_hand() -> None:
    """Releases 0, 0, 6 and cycle times 2, 8, 2 until 10. Of 8: 1 of 2 cases that could be seen so long took
    it, so half of the mass; of the two cases of 2 the other half, a quarter each."""
    weights = case_weights(np.array([0.0, 0.0, 6.0]), np.array([2.0, 8.0, 2.0]), 10.0)
    raw = np.array([0.5 / (2 / 3), 0.5 / (1 / 3), 0.5 / (2 / 3)])
    assert weights == pytest.approx(raw / raw.mean())


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(0, 10**6))
def test_weights_are_one_on_average_and_bounded(n: int, seed: int) -> None:
    release, cycle = truncated(n + 20, seed)
    weights = case_weights(release, cycle, SPAN_S)
    assert weights.mean() == pytest.approx(1.0)
    assert (weights > 0).all()
    assert weights.max() <= MOST_WEIGHT * (1 + 1e-9)


def test_where_all_have_time_to_end_all_weigh_the_same() -> None:
    cycle = np.array([1.0, 2.0, 2.0, 5.0])
    assert case_weights(np.zeros(4), cycle, 1e6) == pytest.approx(np.ones(4))
    assert len(case_weights(np.empty(0), np.empty(0), 1.0)) == 0


@given(
    arrays(np.float64, 12, elements=st.integers(0, 9).map(float)),
    arrays(np.int64, 12, elements=st.integers(1, 6)),
)
def test_evened_values_are_those_of_each_value_repeated(values: np.ndarray, weights: np.ndarray) -> None:
    """Oracle: with whole weights, the quantiles of the sample in which each value stands so many times."""
    repeated = np.sort(np.repeat(values, weights))
    total = len(repeated)
    wanted = [repeated[int(np.ceil((k + 0.5) / 12 * total - 1e-9)) - 1] for k in range(12)]
    assert evened(values, weights.astype(np.float64)).tolist() == wanted
    assert evened(values, np.ones(12)).tolist() == sorted(values)


def test_arrivals_of_one_instant_have_no_rate_to_judge_a_silence_by() -> None:
    assert end_of_arrivals(np.array([5.0, 5.0]), 1e6, None) == 1e6
    assert end_of_arrivals(np.array([5.0]), 1e6, None) == 1e6


def test_a_silence_too_long_for_chance_ends_the_arrivals() -> None:
    release = np.arange(100.0)
    assert end_of_arrivals(release, 101.0, None) == 101.0
    assert end_of_arrivals(release, 200.0, None) == 99.0
    gaps = np.concatenate((release, release + 160.0))
    assert end_of_arrivals(gaps, 350.0, None) == 350.0, "no longer than a silence that the log has had"


@pytest.mark.parametrize("agents", [1, 3])
def test_work_is_as_long_as_the_process_takes_though_long_cases_were_left_out(agents: int) -> None:
    """One task of 20 days on average around the clock, in a log of 100 days that lacks what ran at its end.
    The bar is a fifth of the gap that there is without weights."""
    known: list[float] = []
    seen: list[float] = []
    full = MEAN_S - SPAN_S * np.exp(-SPAN_S / MEAN_S) / (1 - np.exp(-SPAN_S / MEAN_S))
    for seed in range(8):
        release, cycle = (values * DAY for values in truncated(600, seed))
        rows = [
            (f"{i:04d}", "A", f"agent {i % agents}", float(r), float(r + c))
            for i, (r, c) in enumerate(zip(release.round(), cycle.round(), strict=True))
        ]
        log = replace(snapshot(rows), until_s=SPAN_S * DAY)
        for found, weighted in ((known, True), (seen, False)):
            window = open_window(log, 1.0, weighted)
            free = Settings(use_calendars=False, use_contention=False, fast=True)
            nothing = ("",) * log.n_cases
            laws = fit_durations(window, fit_resources(window, free), Groups(nothing, nothing), free)
            found.append(laws.tables["A"].default.law.mean() / DAY)
    assert abs(np.mean(known) - full) < 0.2 * abs(np.mean(seen) - full)

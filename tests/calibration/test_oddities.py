"""Heaps and outliers are seen where they are, kept, and named."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.fitting import fit_law
from calibration.oddities import heap_in, outliers_in
from calibration.settings import Settings
from metagraph.distributions import Empirical, Parametric
from tests.calibration.builders import snapshot
from tests.calibration.test_durations import durations_of, lasting


def heaped(
    seed: int, share: float, unit: float, exact: float = 1.0
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Log-normal values, a share of which is rounded to the unit."""
    random = np.random.default_rng(seed)
    values = random.lognormal(8, 0.7, 400)
    rounded = random.uniform(size=400) < share
    return np.where(rounded, np.maximum(np.round(values / unit), 1) * unit, np.round(values / exact) * exact)


@pytest.mark.parametrize("unit", [300.0, 900.0, 3600.0])
@pytest.mark.parametrize("exact", [1.0, 60.0])
def test_heaps_are_found_with_their_unit(unit: float, exact: float) -> None:
    found = heap_in(heaped(1, 0.5, unit, exact))
    assert found is not None
    assert found.unit_s == unit
    assert found.share == pytest.approx(0.5 + 0.5 * exact / unit, abs=0.08)


@pytest.mark.parametrize("exact", [1e-3, 1.0, 60.0])
def test_smooth_values_have_no_heaps(exact: float) -> None:
    assert not any(heap_in(heaped(seed, 0.0, 300.0, exact)) for seed in range(100))


def test_one_value_is_no_heap() -> None:
    assert heap_in(np.full(100, 900.0)) is None


def test_a_heaped_law_jumps_where_the_heaps_are() -> None:
    values = heaped(2, 0.6, 900.0)
    law = fit_law(values, "task")
    assert isinstance(law.law, Empirical)
    assert law.note.endswith("are multiples of quarters of an hour: observed quantiles")
    drawn = law.law.ppf(np.random.default_rng(3).uniform(size=5000))
    at = np.mean(np.abs(drawn / 900 - np.round(drawn / 900)) < 1e-6)
    assert at == pytest.approx(0.6, abs=0.12)
    assert isinstance(fit_law(heaped(2, 0.0, 900.0), "task").law, Parametric)


def test_an_outlier_is_named_and_kept() -> None:
    random = np.random.default_rng(4)
    usual = random.lognormal(6, 0.5, 300)
    log = snapshot(lasting("A", "ann", np.append(usual, 60000.0)))
    found = durations_of(log, settings=Settings(use_calendars=False))
    said = found.facts["outliers in A"]
    assert said.startswith("1 of 301 executions took more than ")
    assert "16.7 h in case ann300" in said
    assert found.tables["A"].default.law.mean() == pytest.approx(np.append(usual, 60000.0).mean(), rel=0.06)


def test_heavy_tails_are_no_outliers() -> None:
    named = 0
    for seed in range(100):
        values = np.random.default_rng(seed).lognormal(6, 1.5, 500)
        named += outliers_in("A", values, str) is not None
    # Twice the 1e-4 quantile is the 1e-5 quantile here: 5 of 100 by chance.
    assert named <= 8

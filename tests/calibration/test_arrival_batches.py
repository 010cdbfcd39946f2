"""Orders that come together, against streams with known batches."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.arrival_batches import bunching, fit_batches
from calibration.arrivals import fit_arrivals
from calibration.settings import Settings
from tests.calibration.builders import HOUR, WEEK
from tests.calibration.test_arrivals import PROFILE, log_of, poisson

SIZES = np.array([0.6, 0.3, 0.0, 0.1])


def batched(seed: int, spread_s: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    starts = poisson(PROFILE, 20, seed)
    draw = np.random.default_rng(seed)
    sizes = draw.choice([1, 2, 3, 4], len(starts), p=SIZES)
    times = np.repeat(starts, sizes)
    return np.sort(times + draw.uniform(0, spread_s, len(times)))


@pytest.mark.parametrize(("spread_s", "within"), [(0.0, 0.0), (0.8, 1.0), (8.0, 10.0)])
def test_batches_are_found(spread_s: float, within: float) -> None:
    release = batched(7, spread_s)
    found, gap = fit_batches(release)
    assert gap == within
    assert len(found) >= 4
    # About 2,000 batches: 4 standard errors are 0.045; some batches meet others within seconds.
    assert np.abs(np.array(found[:4]) - SIZES).max() < 0.05
    assert bunching(found) == pytest.approx((0.6 + 1.2 + 1.6) / (0.6 + 0.6 + 0.4), rel=0.1)


@pytest.mark.parametrize("unit", [0.0, 1.0, 60.0])
@pytest.mark.parametrize("busy", [1.0, 40.0])
def test_chance_makes_no_batches(unit: float, busy: float) -> None:
    """Not even a busy stream whose stamps are rounded."""
    release = poisson(PROFILE * busy, 10, 8)
    release = np.floor(release / unit) * unit if unit else release
    assert fit_batches(release) == ((), 0.0)


def test_rates_count_orders() -> None:
    release = batched(9, 0.0)
    log = log_of(release, np.full(len(release), HOUR), until_s=20 * WEEK)
    found = fit_arrivals(log, Settings(arrivals="recent"))[0]
    assert found.batches
    assert sum(found.rates_per_h) == pytest.approx(len(release) / 20, rel=0.1)
    assert found.orders_at_once() == pytest.approx(1.6, rel=0.06)

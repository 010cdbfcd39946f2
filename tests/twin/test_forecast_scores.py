"""Scores of forecasts, by hand and by laws that any scoring of forecasts must keep."""

import numpy as np
import pytest

from twin.forecast_scores import BINS, Outcomes, ratio, scores
from twin.outlook import LEVELS

HOUR = 3600.0


def outcomes(left_s: np.ndarray, limit_s: float = np.inf) -> Outcomes:
    ended = left_s <= limit_s
    n = len(left_s)
    return Outcomes(np.arange(n), np.minimum(left_s, limit_s), ended, np.full(n, limit_s))


def exponential(n: int, mean_s: float) -> np.ndarray:
    return np.tile(-mean_s * np.log1p(-np.array(LEVELS)), (n, 1))


def test_a_single_forecast_is_scored_as_by_hand() -> None:
    row = np.arange(1, 20, dtype=np.float64) * HOUR
    found = scores(outcomes(np.array([12.0 * HOUR])), row[None, :])
    assert found.mae_h.value == 2.0
    assert found.bias_h.value == -2.0
    by_hand = [max(p * (12 - q), (p - 1) * (12 - q)) for p, q in zip(LEVELS, range(1, 20), strict=True)]
    assert found.pinball_h == pytest.approx(by_hand)
    assert found.crps_h.value == pytest.approx(2 * np.mean(by_hand))
    assert found.cover50.value == 1.0, "12 lies between 5 and 15"
    assert found.width90_h.value == 18.0
    # It equals the twelfth quantile, so it lies half below and half above it.
    assert found.pit[11:13] == (0.5, 0.5)


@pytest.mark.parametrize("limit_h", [np.inf, 8.0, 2.0])
def test_a_right_forecast_is_calibrated_however_early_the_log_stops(limit_h: float) -> None:
    left = np.random.default_rng(3).exponential(5 * HOUR, 4000)
    found = scores(outcomes(left, limit_h * HOUR), exponential(len(left), 5 * HOUR))
    assert found.cover90.value == pytest.approx(0.9, abs=0.02)
    assert found.cover50.value == pytest.approx(0.5, abs=0.03)
    assert found.pit_deviation < 0.04
    assert sum(found.pit) == pytest.approx(1.0)
    assert len(found.pit) == BINS


@pytest.mark.parametrize("limit_h", [np.inf, 8.0])
def test_the_right_forecast_has_the_best_score(limit_h: float) -> None:
    left = np.random.default_rng(4).exponential(5 * HOUR, 3000)
    came = outcomes(left, limit_h * HOUR)
    right = exponential(len(left), 5 * HOUR)
    for wrong_s in (3.5 * HOUR, 7 * HOUR):
        found = ratio(came, right, exponential(len(left), wrong_s))
        assert found.value < 1
        assert found.low <= found.value <= found.high < 1


def test_forecasts_of_one_order_err_together() -> None:
    rng = np.random.default_rng(5)
    once = rng.exponential(5 * HOUR, 200)
    tenfold = np.repeat(once, 10)
    apart = scores(outcomes(tenfold), exponential(2000, 5 * HOUR))
    same = Outcomes(np.repeat(np.arange(200), 10), tenfold, np.ones(2000, bool), np.full(2000, np.inf))
    together = scores(same, exponential(2000, 5 * HOUR))
    assert together.mae_h.value == pytest.approx(apart.mae_h.value)
    width = [f.mae_h.high - f.mae_h.low for f in (apart, together)]
    assert width[1] > 2.5 * width[0], "ten rows of an order tell no more than one"

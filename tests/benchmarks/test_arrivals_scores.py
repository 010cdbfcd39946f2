"""The scores of forecasts of arrivals, on quantiles whose scores are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks.arrivals import HORIZON, LEVELS, _scores


def test_sure_and_right_is_perfect() -> None:
    came = {"1": np.arange(1.0, HORIZON + 1)}
    past = {"1": np.arange(0, 40) % 9}
    told = {"1": np.repeat(came["1"][:, None], len(LEVELS), axis=1)}
    assert _scores(told, past, came) == (0.0, 0.0, 0.0, 1.0, 1.0)


def test_scores_of_a_normal_law() -> None:
    """CRPS of a standard normal at its median is sqrt(2 / pi) - 1 / sqrt(pi) = 0.2337 (Gneiting and Raftery,
    2007); one too many each day is an error of 1 over that of repeating the week before, here 2."""
    came = {"1": np.full(HORIZON, 10.0)}
    past = {"1": np.repeat([0, 2, 0, 2], 7)}
    told = {"1": np.tile(10 + np.asarray(norm.ppf(LEVELS)), (HORIZON, 1))}
    _, crps, *_ = _scores(told, past, came)
    assert crps == pytest.approx(0.2337, rel=0.06)
    mase, _, total, inside_80, inside_95 = _scores({"1": told["1"] + 1.5}, past, came)
    assert (mase, total) == pytest.approx((0.75, 0.15))
    assert (inside_80, inside_95) == (0.0, 1.0)

"""Intervals of quantiles hold as often as they say, whatever the law."""

import numpy as np
import pytest

from twin.sampling import between, expected, quantiles, ranks


@pytest.mark.parametrize(("n", "level"), [(200, 0.95), (200, 0.5), (120, 0.05), (1000, 0.8)])
def test_the_true_quantile_lies_between_the_ranks(n: int, level: float) -> None:
    draws = np.sort(np.random.default_rng(n).random((4000, n)), axis=1)
    low, high = ranks(n, level)
    above = draws[:, low] <= level if low is not None else np.ones(4000, bool)
    below = draws[:, high] >= level if high is not None else np.ones(4000, bool)
    assert 0.945 <= (above & below).mean() <= 0.99
    assert (~above).mean() < 0.035
    assert (~below).mean() < 0.035


def test_few_values_cannot_tell() -> None:
    assert ranks(1, 0.5) == (None, None)
    assert ranks(20, 0.95)[1] is None
    assert ranks(73, 0.95)[1] == 72
    assert between(np.array([3.0]), 0.5) == (None, None)
    assert expected([3.0]).low is None


def test_an_interval_between_two_quantiles_holds_as_often_as_it_says() -> None:
    """Also with few futures: the next one lies in nine of ten."""
    draws = np.random.default_rng(3).exponential(size=(40, 20_000))
    low, high = quantiles(draws[:39], (0.05, 0.95))
    assert ((low <= draws[39]) & (draws[39] <= high)).mean() == pytest.approx(0.9, abs=0.01)

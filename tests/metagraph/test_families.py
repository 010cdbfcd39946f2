"""Families without scipy.stats: to the last bit what scipy.stats gives."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from metagraph.families import FAMILIES, law

LEVELS = np.concatenate(
    [np.geomspace(1e-9, 0.5, 200), 1 - np.geomspace(1e-9, 0.5, 200), [0.0, 1.0, -0.1, 1.1]]
)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_equals_scipy(name: str, data: st.DataObject) -> None:
    positive = st.floats(0.05, 5.0)
    shapes = [data.draw(positive) for _ in range(FAMILIES[name].shapes)]
    loc, scale = data.draw(st.one_of(st.just(0.0), st.floats(-50.0, 50.0))), data.draw(st.floats(1e-3, 1e5))
    ours = law(name, (*shapes, loc, scale))
    theirs = getattr(scipy.stats, name)(*shapes, loc, scale)
    assert ours is not None
    xs = np.concatenate([theirs.ppf(LEVELS[:400]), [loc, loc - 1.0, loc + 1e9, 0.0]])
    np.testing.assert_array_equal(ours.ppf(LEVELS), theirs.ppf(LEVELS))
    np.testing.assert_array_equal(ours.cdf(xs), theirs.cdf(xs))
    assert ours.mean() == theirs.mean()


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("norm", (0.0, 0.0)),
        ("norm", (0.0, -1.0)),
        ("gamma", (0.0, 1.0)),
        ("gamma", (-1.0, 0.0, 1.0)),
        ("expon", (0.0, float("nan"))),
        ("laplace", (0.0, 1.0)),
    ],
)
def test_leaves_the_rest_to_scipy(name: str, params: tuple[float, ...]) -> None:
    assert law(name, params) is None


def test_a_twin_is_read_without_scipy_stats() -> None:
    """It takes longer to load than all else that a simulation needs."""
    code = (
        "import sys; from metagraph.json_io import load; "
        "load('examples/example3.twin.json').tasks()[0].durations.default.law.ppf(0.3); "
        "sys.exit('scipy.stats' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_far_beyond_a_law_everything_is_over_without_a_warning() -> None:
    found = law("weibull_min", (8.0, 0.0, 1.0))
    assert found is not None
    with np.errstate(over="raise"):
        assert found.cdf(1e300) == 1.0

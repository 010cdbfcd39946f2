"""What is kept of many futures, against the obvious way to count it."""

import numpy as np
import pytest

from twin.futures import grouped_quantiles


@pytest.mark.parametrize("seed", range(5))
def test_quantiles_of_groups_are_those_of_each_group(seed: int) -> None:
    chance = np.random.default_rng(seed)
    groups = chance.integers(0, 12, 300).astype(np.int64)
    values = chance.normal(size=300) * 1e6
    levels = (0.0, 0.1, 0.5, 0.9, 1.0)
    found = np.array(grouped_quantiles(groups, values, levels))
    plain = [np.quantile(values[groups == group], levels) for group in np.unique(groups)]
    np.testing.assert_allclose(found.T, plain, rtol=1e-12)


def test_no_groups_have_no_quantiles() -> None:
    assert [q.size for q in grouped_quantiles(np.zeros(0, np.int64), np.zeros(0), (0.1, 0.5))] == [0, 0]

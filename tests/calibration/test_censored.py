"""Interval-censored durations: bounds kept, known laws found again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calibration.censored import EXACT_S, place

bounds = st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e5)), min_size=1, max_size=60)


@given(bounds)
def test_values_lie_within_their_bounds(pairs: list[tuple[float, float]]) -> None:
    low = np.array([min(pair) for pair in pairs])
    high = np.array([max(pair) for pair in pairs])
    found = place(low, high)
    vague = high - low > EXACT_S
    assert (found[~vague] == high[~vague]).all()
    assert (found[vague] <= high[vague] + 1e-6).all()
    assert ((found[vague] >= low[vague] - 1e-6) | (low[vague] <= 0)).all()


def test_no_delay_stays_no_delay_however_long_the_shift_hid_it() -> None:
    """Most executions start at once; the others only show that they waited at most one night."""
    high = np.concatenate((np.zeros(300), np.linspace(3600, 60000, 200)))
    found = place(np.zeros(500), high)
    assert (found < 1.0).mean() > 0.99


def test_a_law_seen_through_shifts_is_found_again() -> None:
    """Exponential delays from instants in an 8 h shift; of those ending off shift only the night is known."""
    draw = np.random.default_rng(11)
    begin = draw.uniform(0, 8 * 3600, 4000)
    delay = draw.exponential(12 * 3600, 4000)
    ready = begin + delay
    day, clock = np.divmod(ready, 86400)
    off = clock > 8 * 3600
    low = np.where(off, day * 86400 + 8 * 3600 - begin, delay)
    high = np.where(off, (day + 1) * 86400 - begin, delay)
    found = place(low, high)
    assert abs(found.mean() / delay.mean() - 1) < 0.05
    for q in (0.25, 0.5, 0.75, 0.9):
        assert abs(np.quantile(found, q) / np.quantile(delay, q) - 1) < 0.15
    lower_bounds_alone = low.mean() / delay.mean()
    assert lower_bounds_alone < 0.75

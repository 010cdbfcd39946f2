"""Paced time: the inverse law, the plain clock as a special case, zones, and the weeks adding up."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.local_time import WeekClock, local_time
from metagraph.paces import Pace, PaceClock

ORIGIN = datetime(2026, 3, 23, tzinfo=UTC)
WEEK_S = 7 * 86400.0
rates = st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.5]), min_size=168, max_size=168).filter(any)
instants = st.floats(-WEEK_S, 5 * WEEK_S - 1)


@given(rates, instants, st.floats(0, 3 * WEEK_S))
def test_after_inverts_between(found: list[float], t: float, amount: float) -> None:
    clock = PaceClock(Pace("p", tuple(found)), ORIGIN)
    end = clock.after(t, amount)
    assert end >= t
    assert clock.between(t, end) == pytest.approx(amount, abs=1e-4)


@given(instants, st.floats(0, 3 * WEEK_S))
def test_an_even_pace_is_the_wall_clock(t: float, amount: float) -> None:
    clock = PaceClock(Pace("p", (1.0,) * 168), ORIGIN)
    assert clock.after(t, amount) == pytest.approx(t + amount, abs=1e-4)


@given(rates, instants, instants)
def test_calibration_and_simulation_read_a_pace_alike(found: list[float], a: float, b: float) -> None:
    """Across the change to summer time in Vienna, too."""
    zone = "Europe/Vienna"
    a, b = min(a, b), max(a, b)
    clock = PaceClock(Pace("p", tuple(found), zone), ORIGIN)
    week = WeekClock(local_time(ORIGIN, -WEEK_S, 6 * WEEK_S, zone), np.repeat(np.array(found), 4))
    assert float(week.between(a, b)) == pytest.approx(clock.between(a, b), abs=1e-3)


def test_no_delay_ends_while_nothing_moves() -> None:
    """Office hours, Monday to Friday: an hour of delay from Friday 16:30 ends on Monday at 9:30."""
    office = tuple(float(h // 24 < 5 and 9 <= h % 24 < 17) for h in range(168))
    clock = PaceClock(Pace("office", office), ORIGIN)
    friday = 4 * 86400.0
    assert clock.after(friday + 16.5 * 3600, 3600.0) == friday + 3 * 86400 + 9.5 * 3600
    assert clock.after(friday + 20 * 3600, 0.0) == friday + 20 * 3600
    with pytest.raises(ValueError, match="never moves"):
        PaceClock(Pace("p", (0.0,) * 168), ORIGIN)


def test_no_delay_goes_on_on_a_holiday() -> None:
    """Good Friday and Easter Monday in office hours: an hour from Thursday 16:30 ends on Tuesday at 9:30."""
    office = tuple(float(h // 24 < 5 and 9 <= h % 24 < 17) for h in range(168))
    closed = (date(2026, 4, 3), date(2026, 4, 6))
    clock = PaceClock(Pace("office", office, "Europe/Vienna", holidays=closed), ORIGIN)
    thursday = 10 * 86400.0 - 2 * 3600
    assert clock.after(thursday + 16.5 * 3600, 3600.0) == thursday + 5 * 86400 + 9.5 * 3600

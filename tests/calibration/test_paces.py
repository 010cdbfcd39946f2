"""The pace of delays is read from the hours in which work that waited begins."""

from __future__ import annotations

import numpy as np

from calibration.paces import fit_pace
from calibration.settings import Settings
from tests.calibration.builders import DAY, HOUR, snapshot


def test_the_pace_follows_the_starts_of_work() -> None:
    """Three times as much begins from 9 to 10 as from 10 to 11, nothing at night or at the weekend."""
    starts = [w * 7 * DAY + d * DAY + 9 * HOUR + 5 * k for w in range(20) for d in range(5) for k in range(3)]
    starts += [w * 7 * DAY + d * DAY + 10 * HOUR for w in range(20) for d in range(5)]
    log = snapshot([("1", "A", "a", 0.0, 20 * 7 * DAY)])
    pace, clock = fit_pace(np.array(starts), log, Settings())
    assert pace is not None
    assert clock is not None
    rates = np.array(pace.rates).reshape(7, 24)
    assert abs(rates.mean() - 1) < 1e-3
    assert np.allclose(rates[:5, 9] / rates[:5, 10], 3.0, rtol=0.1)
    assert not rates[5:].any()
    assert not rates[:, :9].any()
    assert not rates[:, 11:].any()
    monday_to_monday = float(clock.between(7 * DAY, 14 * DAY))
    assert abs(monday_to_monday / (7 * DAY) - 1) < 1e-3
    assert float(clock.between(12 * DAY, 14 * DAY)) == 0.0


def test_without_waits_there_is_no_pace() -> None:
    assert fit_pace(np.empty(0), snapshot([("1", "A", "a", 0.0, 1.0)]), Settings()) == (None, None)

"""Holidays count neither for rates nor for paces, and simulated ones bring what the log's brought."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import holidays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.arrival_rates import steady_gap
from calibration.arrivals import fit_arrivals
from calibration.drift import changes
from calibration.local_time import OpenDays, WeekClock, local_time
from calibration.paces import fit_pace
from calibration.settings import Settings
from eventlogs.snapshot import Snapshot
from metagraph.orders import Arrivals
from simulation.arrivals import draw_orders
from tests.calibration.builders import DAY, HOUR, ORIGIN, WEEK, snapshot
from tests.calibration.test_arrivals import PROFILE, Floats, log_of
from tests.simulation.test_arrivals import twin

AUSTRIA = holidays.country_holidays("AT", years=[2024, 2025, 2026])
"""Six of the thirteen of 2024 fall on a Monday or a Thursday."""
YEARS = 104
TRUTH = Arrivals(tuple((2 * PROFILE).tolist()), holidays=tuple(sorted(AUSTRIA)))


def simulated(truth: Arrivals, seed: int = 1, weeks: int = YEARS) -> Floats:
    drawn = draw_orders(
        twin(truth),
        ORIGIN,
        origin=ORIGIN,
        seed=seed,
        replication=0,
        until_s=weeks * WEEK,
        first_at_start=False,
    )
    return np.array(drawn.table["release_s"])


def logged(truth: Arrivals, weeks: int = YEARS) -> Snapshot:
    release = simulated(truth, weeks=weeks)
    return log_of(release, np.full(len(release), 0.2 * HOUR))


def dates(t_s: Floats) -> set[date]:
    return {(ORIGIN + timedelta(seconds=t)).date() for t in t_s.tolist()}


@pytest.mark.parametrize("model", ["weekly", "recent"])
def test_the_rates_of_ordinary_days_come_back_and_no_orders_on_holidays_to_come(model: str) -> None:
    found = fit_arrivals(logged(TRUTH), Settings(arrivals=model))[0]
    per_day = np.array(found.rates_per_h).reshape(7, 24).sum(axis=1)
    true = 2 * PROFILE.reshape(7, 24).sum(axis=1)
    # 99.9 % of so many Poisson days; left in, the holidays take 8 % from Mondays and Thursdays.
    assert (np.abs(per_day - true) <= 3.3 * np.sqrt(true / 95) + 1e-9).all()
    assert found.on_holidays < 0.02
    assert {day for day in AUSTRIA if day.year == 2026 and day.weekday() < 5} <= set(found.holidays)
    again = simulated(replace(found, level=None), seed=2, weeks=3 * 52)
    # The first of January 2024 is the log's first day, with nothing before it.
    assert not dates(again) & {day for day in AUSTRIA if day > ORIGIN.date()}


def test_what_comes_on_holidays_goes_on_coming() -> None:
    """A twentieth of the usual on free days; the same weekdays are otherwise unlike them."""
    found = fit_arrivals(logged(replace(TRUTH, on_holidays=0.05)), Settings())[0]
    assert found.on_holidays == pytest.approx(0.05, abs=0.03)


def test_a_country_whose_holidays_are_worked_brings_them_as_usual() -> None:
    """Told by hand; most of the days were worked like any other."""
    found = fit_arrivals(logged(Arrivals(TRUTH.rates_per_h)), Settings(holidays="AT"))[0]
    assert found.on_holidays == pytest.approx(1.0, abs=0.15)


def test_a_week_that_is_free_is_no_change() -> None:
    """Twice a fortnight without work: the level of arrivals stays as it is. When the next one comes nobody
    knows, so each week brings a little less, and a year as many as that of the log."""
    closed = tuple(date(2024, m, 1) + timedelta(days=d) for m in (4, 9) for d in range(14))
    log = logged(replace(TRUTH, holidays=closed), weeks=52)
    found = fit_arrivals(log, Settings(arrivals="recent"))[0]
    assert sum(found.rates_per_h) * 52 == pytest.approx(log.n_cases, rel=0.02)
    assert "less 7.7% for free days" in found.note
    assert found.level is not None
    assert found.level.week_sd == 0
    assert changes(log, Settings()) == ()


def test_steady_gaps_stay_steady_over_free_days() -> None:
    """About one order a day, but for every tenth day, which is free: no gap is twice as long for that."""
    days = np.array([d for d in range(350) if d % 10 < 9])
    release = days * DAY + np.random.default_rng(5).uniform(0.3, 0.7, len(days)) * DAY
    local = local_time(ORIGIN, 0.0, 350 * DAY, "UTC")
    gap = steady_gap(release, np.full(168, 1 / 24), local, np.arange(9, 350, 10))
    assert gap is not None
    assert gap.law.ppf(0.99) < 1.5


def test_paces_leave_free_days_out() -> None:
    """Work that waited begins at ten each working day: a delay doesn't go on over a holiday."""
    days = [d for d in range(364) if d % 7 < 5 and (ORIGIN + timedelta(days=d)).date() not in AUSTRIA]
    starts = np.array([d * DAY + 10 * HOUR + k * 60 for d in days for k in range(12)])
    log = snapshot([(str(i), "A", "ann", s, s + 60) for i, s in enumerate(starts.tolist())])
    pace, clock = fit_pace(starts, log, Settings())
    assert pace is not None
    assert clock is not None
    rates = np.array(pace.rates).reshape(7, 24)[:5, 10]
    assert rates.max() / rates.min() < 1.02
    labour_day = (datetime(2024, 5, 1, tzinfo=UTC) - ORIGIN) / timedelta(seconds=1)
    assert float(clock.between(labour_day, labour_day + DAY)) == 0.0
    assert float(clock.between(labour_day - DAY, labour_day + 2 * DAY)) == pytest.approx(
        float(clock.between(labour_day + 5 * DAY, labour_day + 7 * DAY)), rel=0.02
    )
    assert date(2025, 5, 1) in pace.holidays


@given(st.sets(st.integers(0, 40), max_size=9), st.floats(-DAY, 42 * DAY), st.floats(-DAY, 42 * DAY))
def test_free_days_are_taken_from_the_time_line(days: set[int], a: float, b: float) -> None:
    """Against minutes counted one by one, across the change to summer time in Vienna."""
    origin = datetime(2026, 3, 2, tzinfo=UTC)
    local = local_time(origin, -WEEK, 7 * WEEK, "Europe/Vienna")
    week = WeekClock(local, np.repeat((np.arange(168) % 24 >= 8).astype(float), 4))
    free = np.array(sorted(days), np.int64)
    a, b = sorted((round(a / 900) * 900.0, round(b / 900) * 900.0))
    quarters = np.arange(a, b, 900.0)
    day = np.floor(local.of(quarters) / DAY).astype(int)
    expected = 900.0 * float((week.is_on(quarters) & ~np.isin(day, free)).sum())
    assert float(OpenDays(week, local, free).between(a, b)) == pytest.approx(expected)

"""Free days are found, and the country they point to, where one explains them clearly."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import numpy as np
import pytest

from calibration.agents import fit_resources
from calibration.holidays import Holidays, find_holidays, free_days, usual_counts
from calibration.local_time import local_time
from calibration.settings import Settings
from calibration.window import open_window
from eventlogs.snapshot import Snapshot
from metagraph.errors import DataError
from tests.calibration.builders import DAY, HOUR, ORIGIN, Row, snapshot

AUSTRIA = holidays.country_holidays("AT", years=[2024, 2025])
YEAR = 366


def office(off: set[date], days: int = YEAR, per_day: int = 12) -> Snapshot:
    """Work on every weekday but the days off."""
    random = np.random.default_rng(3)
    rows: list[Row] = []
    for d in range(days):
        if d % 7 < 5 and ORIGIN.date() + timedelta(days=d) not in off:
            for at in d * DAY + random.uniform(9 * HOUR, 16 * HOUR, per_day):
                rows.append((str(len(rows)), "A", "ann", float(at), float(at) + 1800.0))
    return snapshot(rows)


def found(log: Snapshot, wanted: str | None = None) -> Holidays:
    local = local_time(log.origin, float(log.start_s.min()), log.until_s, "UTC")
    return find_holidays(log, local, wanted)


def test_a_years_holidays_name_the_country_and_those_to_come() -> None:
    off = found(office(set(AUSTRIA)))
    inside = {ORIGIN.date() + timedelta(days=d) for d in range(1, YEAR - 1) if d % 7 < 5}
    assert set(off.free) == set(AUSTRIA) & inside
    assert off.country == "AT"
    assert off.coming[0] == date(2025, 1, 1)
    assert date(2025, 10, 26) in off.coming
    assert off.assumed is not None
    assert "public holidays of AT" in off.assumed.assumed


def test_nothing_is_assumed_of_days_that_no_country_explains() -> None:
    off = found(office({date(2024, 3, 12), date(2024, 6, 19), date(2024, 9, 3), date(2024, 11, 7)}))
    assert len(off.free) == 4
    assert (off.country, off.coming, off.assumed) == ("", (), None)


def test_holidays_that_neighbours_share_name_neither() -> None:
    shared = {date(2024, 4, 1), date(2024, 5, 1), date(2024, 5, 9), date(2024, 5, 20)}
    assert found(office(shared, days=150)).country == ""


def test_a_country_can_be_named_or_forbidden() -> None:
    log = office(set(AUSTRIA))
    assert found(log, "none").assumed is None
    named = found(log, "US")
    assert (named.country, named.coming[0]) == ("US", date(2025, 1, 1))
    with pytest.raises(DataError, match="holidays of 'XX' aren't known"):
        found(log, "XX")


def test_a_weekday_that_is_often_empty_has_no_holidays() -> None:
    counts = np.array([20, 20, 20, 20, 20, 12, 0] * 20)
    counts[5::21] = 0
    assert free_days(counts, usual_counts(counts)).tolist() == []
    counts = np.array([20, 20, 20, 20, 20, 0, 0] * 20)
    counts[7 * 9 + 2] = 1
    assert free_days(counts, usual_counts(counts)).tolist() == [65]


def test_calendars_get_the_holidays_to_come_and_the_report_the_free_days() -> None:
    log = office(set(AUSTRIA))
    for drawn in (False, True):
        resources = fit_resources(open_window(log, 1.0), Settings(drawn_shifts=drawn))
        assert all(date(2025, 5, 1) in calendar.holidays for calendar in resources.calendars)
        assert resources.facts["holidays"].startswith("hardly anybody worked on 2024-04-01")
        assert any("public holidays of AT" in d.assumed for d in resources.defaults)


def test_free_days_say_nothing_about_presence() -> None:
    log = office(set(AUSTRIA))
    resources = fit_resources(open_window(log, 1.0), Settings(drawn_shifts=True))
    (calendar,) = resources.calendars
    assert not calendar.shifts, "nobody is ever away"


def test_idle_days_where_the_log_begins_and_ends_are_no_holidays() -> None:
    counts = np.array([20, 20, 20, 20, 20, 0, 0] * 12)
    counts[:4] = (1, 0, 0, 0)
    counts[-7:-2] = (0, 0, 0, 0, 1)
    assert free_days(counts, usual_counts(counts)).tolist() == []


def test_days_after_the_last_case_has_come_are_no_holidays() -> None:
    """Every Thursday all of the week is paid; the last of these runs comes days after the last case."""
    rows: list[Row] = []
    for week in range(10):
        for d in range(7 * week, 7 * week + 5):
            for k in range(12):
                pay = (7 * week + 10) * DAY + 10 * HOUR
                rows.append((f"{d}.{k}", "A", "ann", d * DAY + (9 + k / 3) * HOUR, d * DAY + 14 * HOUR))
                rows.append((f"{d}.{k}", "Pay", "carl", pay, pay + HOUR))
    assert found(snapshot(rows)).free == ()


def test_days_of_weekends_on_which_few_work_are_no_holidays() -> None:
    counts = np.array([100, 100, 100, 100, 100, 11, 12] * 20)
    counts[7 * 9 + 5] = 1
    counts[7 * 12 + 2] = 3
    assert free_days(counts, usual_counts(counts)).tolist() == [7 * 12 + 2]


def test_one_closed_week_names_no_country() -> None:
    """The week of the Vietnamese new year, in a company that has nothing to do with it."""
    assert found(office({date(2024, 2, d) for d in range(8, 17)}, days=120)).country == ""
    closed = found(office({date(2024, 2, d) for d in range(8, 15)}, days=100))
    assert len(closed.free) == 5
    assert (closed.country, closed.coming, closed.assumed) == ("", (), None)

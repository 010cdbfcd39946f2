"""Now and then a Sunday: hours outside the usual ones are drawn as often as seen, and count as worked."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.agents import Resources, fit_resources
from calibration.day_clock import DayClock
from calibration.local_time import WEEK_QUARTERS, local_time
from calibration.seen_days import usual_hull
from calibration.settings import Settings
from calibration.spans import Spans
from calibration.window import open_window
from metagraph.shifts import Shift, presence
from tests.calibration.builders import DAY, HOUR, ORIGIN, WEEK, Row, snapshot
from tests.calibration.test_shifts import log_of, of

NINE_TO_FIVE = (Shift(9 * HOUR, 17 * HOUR, 1.0),)
SUNDAYS = (NINE_TO_FIVE,) * 5 + ((), (Shift(10 * HOUR, 14 * HOUR, 0.15),))
EVENINGS = ((Shift(9 * HOUR, 20 * HOUR, 0.1), Shift(9 * HOUR, 17 * HOUR, 0.9)),) * 5 + ((), ())
NIGHTS = ((Shift(22 * HOUR, 30 * HOUR, 1.0),),) * 4 + ((Shift(22 * HOUR, 30 * HOUR, 0.1),), (), ())
CRISP = (NINE_TO_FIVE,) * 5 + ((), ())
KNOWN = {"sun": SUNDAYS, "late": EVENINGS, "owl": NIGHTS, "crisp": CRISP}
WEEKS = 60


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return log_of(KNOWN, WEEKS)


@pytest.fixture(scope="module")
def found(rows: list[Row]) -> Resources:
    return fit_resources(open_window(snapshot(rows), 1.0), Settings(extra_hours=True))


@pytest.mark.parametrize(("name", "day", "share"), [("sun", 6, 0.15), ("late", 1, 0.1), ("owl", 4, 0.1)])
def test_extra_days_come_as_often_as_known(found: Resources, name: str, day: int, share: float) -> None:
    """Within four binomial standard errors; an evening more is seen on nearly every one of such days."""
    _, calendar = of(found, name)
    usual = 0.0 if name != "late" else max(s.weight for s in calendar.shifts[day])
    width = 4 * np.sqrt(share * (1 - share) / WEEKS)
    assert presence(calendar.shifts[day]) - usual == pytest.approx(share, abs=width)


@pytest.mark.parametrize("name", ["sun", "late", "owl"])
def test_the_usual_hours_stay_certain(found: Resources, name: str) -> None:
    agent, calendar = of(found, name)
    assert agent.presence == 1.0
    assert [presence(day) for day in calendar.shifts[:4]] == pytest.approx([1.0] * 4, abs=1e-6)
    most = max(calendar.shifts[2], key=lambda shift: shift.weight)
    known = max(KNOWN[name][2], key=lambda shift: shift.weight)
    assert (most.start_s, most.end_s) == pytest.approx((known.start_s, known.end_s), abs=900)


def test_who_is_never_seen_outside_keeps_plain_weekly_hours(found: Resources) -> None:
    assert of(found, "crisp")[1].shifts == ()


def test_extra_hours_are_hours_of_work(rows: list[Row]) -> None:
    """From Friday's last half hour over a Sunday's three to Monday's first half hour."""
    friday = 30 * WEEK + 4 * DAY
    others = [r for r in rows if not friday + DAY <= r[3] < friday + 3 * DAY]
    sunday = [
        ("w", "A", "sun", friday + 2 * DAY + h * HOUR, friday + 2 * DAY + h * HOUR) for h in (10, 11, 12)
    ]
    log = snapshot([*others, *sunday])
    for extra, worked_h in ((False, 1.0), (True, 3.5)):
        resources = fit_resources(open_window(log, 1.0), Settings(extra_hours=extra))
        clock = resources.timetable.clocks[log.resources.index("sun")]
        worked = clock.between(friday + 16.5 * HOUR, friday + 3 * DAY + 9.5 * HOUR)
        assert float(worked) / HOUR == pytest.approx(worked_h, abs=0.01)


def test_a_look_in_after_midnight_begins_in_the_day_before() -> None:
    """The days of those who rest in the morning go on after midnight; shifts begin before it."""
    evenings = ((Shift(13 * HOUR, 25 * HOUR, 1.0),),) * 5 + ((), ())
    rows = log_of({"ann": evenings}, 20)
    rows += [(f"x{k}", "A", "ann", k * WEEK + 144.4 * HOUR, k * WEEK + 144.5 * HOUR) for k in (3, 9)]
    log = snapshot(rows)
    found = fit_resources(open_window(log, 1.0), Settings(extra_hours=True))
    (calendar,) = found.calendars
    assert any(calendar.shifts)
    assert all(0 <= s.start_s < DAY and s.end_s <= 2 * DAY for day in calendar.shifts for s in day)


def test_usual_hours_after_midnight_begin_in_the_day_before() -> None:
    """Afternoons until two at night, and one weekday's from one to three at night alone."""
    week = np.zeros((7, 96), np.bool_)
    week[:4, 52:] = week[1:5, :8] = True
    week[6, 4:12] = True
    low, high = usual_hull(week.reshape(1, -1), np.array([40]))
    assert (low < DAY).all()
    assert (high <= 2 * DAY).all()
    assert low[0, 3] == 13 * HOUR


def test_a_day_clock_counts_its_intervals() -> None:
    week = np.zeros(WEEK_QUARTERS, np.bool_)
    week[32:68] = True
    local = local_time(ORIGIN, 0.0, 5 * DAY, "UTC")
    there = Spans(np.array([8.0, 32.0]) * HOUR, np.array([12.0, 34.0]) * HOUR)
    clock = DayClock(local, week, there)
    assert clock.between(0.0, 5 * DAY) == 6 * HOUR
    assert clock.between([9 * HOUR, DAY], [33 * HOUR, 2 * DAY]).tolist() == [4 * HOUR, 2 * HOUR]
    assert clock.is_on([8 * HOUR, 12 * HOUR, 33 * HOUR]).tolist() == [True, False, True]
    assert np.array(clock.spans()).tolist() == [[8 * HOUR, 32 * HOUR], [12 * HOUR, 34 * HOUR]]

"""Calendars: exact where stamps are plenty, borrowed and said so where they are few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.agents import Resources, fit_resources
from calibration.calendars import week_hours, worked_week
from calibration.local_time import WEEK_QUARTERS, WeekClock, local_time
from calibration.settings import Settings
from calibration.window import open_window
from metagraph.calendars import Calendar, WorkClock
from tests.calibration.builders import DAY, HOUR, ORIGIN, WEEK, Row, snapshot

OFFICE = tuple((d * DAY + 9 * HOUR, d * DAY + 17 * HOUR) for d in range(5))


def office_rows(agent: str, weeks: int, seed: int, *, shift_h: float = 0.0, per_day: int = 6) -> list[Row]:
    """Executions that start and end between 9 and 17, Monday to Friday."""
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    for week in range(weeks):
        for day in range(5):
            base = week * WEEK + day * DAY + (9 + shift_h) * HOUR
            cuts = np.sort(random.uniform(0, 8 * HOUR, 2 * per_day)).round(3)
            for start, end in zip(cuts[::2], cuts[1::2], strict=True):
                rows.append((f"{agent}{len(rows)}", "A", agent, base + float(start), base + float(end)))
    return rows


def resources_of(rows: list[Row], **settings: str) -> Resources:
    chosen = Settings(**settings)  # type: ignore[arg-type]
    return fit_resources(open_window(snapshot(rows), 1.0), chosen)


def hours_of(resources: Resources, agent: str) -> tuple[tuple[float, float], ...]:
    calendar = next(a.calendar for a in resources.agents if a.id == agent)
    return next(c.hours for c in resources.calendars if c.id == calendar)


def test_office_hours_are_recovered_exactly() -> None:
    rows = office_rows("ann", 12, 1) + office_rows("bob", 12, 2)
    rows += [("x", "A", "ann", 2 * WEEK + 5 * DAY + 11 * HOUR, 2 * WEEK + 5 * DAY + 11.2 * HOUR)]
    found = resources_of(rows)
    assert hours_of(found, "ann") == OFFICE
    assert [c.hours for c in found.calendars] == [OFFICE], "equal weeks are one calendar"
    assert found.defaults == ()


def test_the_break_at_noon_is_kept_and_half_hours_are_trimmed() -> None:
    rows: list[Row] = []
    for case, activity, agent, start, end in office_rows("ann", 60, 3, per_day=12):
        if start % DAY >= 13.5 * HOUR or (end or 0.0) % DAY < 12 * HOUR:
            rows.append((case, activity, agent, start, end))
    monday = [h for h in hours_of(resources_of(rows), "ann") if h[1] <= DAY]
    assert monday == [(9 * HOUR, 12 * HOUR), (13.5 * HOUR, 17 * HOUR)]


def test_a_night_shift_of_few_weeks_goes_on_across_midnight() -> None:
    """From Monday to Friday at 22:00 until 04:00, told by the ends of the shift alone."""
    quarters, weeks = np.zeros(WEEK_QUARTERS, np.int64), np.zeros(168, np.int64)
    for day in range(5):
        for hour in (22, 27):
            quarters[(day * 24 + hour) * 4 + 2] = 15
            weeks[day * 24 + hour] = 3
    expected = np.zeros(168, dtype=np.bool_)
    for day in range(5):
        expected[day * 24 + 22 : day * 24 + 28] = True
    assert (worked_week(quarters, weeks).reshape(168, 4).all(axis=1) == expected).all()
    around = np.roll(weeks, -12)  # the same by day: from 10 to 16
    assert (
        worked_week(np.roll(quarters, -48), around).reshape(168, 4).all(axis=1) == np.roll(expected, -12)
    ).all()


def test_hours_are_local_across_a_change_to_summer_time() -> None:
    # In Berlin clocks go forward on 31 March 2024, at the end of week 13.
    rows: list[Row] = []
    for case, activity, agent, start, end in office_rows("ann", 26, 4, shift_h=-1.0):
        earlier = HOUR if start > 13 * WEEK else 0.0
        rows.append((case, activity, agent, start - earlier, (end or 0.0) - earlier))
    assert hours_of(resources_of(rows, time_zone="Europe/Berlin"), "ann") == OFFICE


def test_few_stamps_take_the_role_then_everybody() -> None:
    rows = office_rows("ann", 12, 5) + office_rows("new", 1, 6, per_day=2)
    rows += [("b1", "B", "solo", 10 * HOUR, 11 * HOUR)] * 3
    found = resources_of(rows)
    assert hours_of(found, "new") == OFFICE
    assert hours_of(found, "solo") == OFFICE
    assert {(d.where, d.assumed) for d in found.defaults} == {
        ("agents new", "their role's calendar"),
        ("agents solo", "everybody's calendar"),
    }


def test_work_all_over_the_week_is_always() -> None:
    random = np.random.default_rng(7)
    starts = random.uniform(0, 8 * WEEK, 3000)
    starts = starts[starts % WEEK > 3 * HOUR]
    rows: list[Row] = [(str(i), "A", "system", float(s), float(s) + 60) for i, s in enumerate(starts)]
    found = resources_of(rows)
    assert [(c.id, c.always_open) for c in found.calendars] == [("always", True)]


def test_hours_are_not_read_from_next_to_nothing() -> None:
    found = resources_of([("1", "A", "ann", 9 * HOUR, 10 * HOUR)])
    assert [c.always_open for c in found.calendars] == [True]
    assert [(d.where, d.assumed) for d in found.defaults] == [("calendars", "work around the clock")]


def test_at_most_a_twentieth_of_the_stamps_lies_outside() -> None:
    random = np.random.default_rng(8)
    rows = office_rows("ann", 20, 9)
    # Overtime at all hours, none of them frequent.
    for i in range(120):
        start = float(random.uniform(0, 20 * WEEK))
        rows.append((f"o{i}", "A", "ann", start, start + 60))
    hours = hours_of(resources_of(rows), "ann")
    stamps = np.array([t for _, _, _, s, e in rows for t in (s, e - 0.001 if e else s)]) % WEEK
    inside = sum(((stamps >= a) & (stamps < b)).sum() for a, b in hours)
    assert inside >= 0.95 * len(stamps)


weeks = st.lists(st.booleans(), min_size=168, max_size=168).filter(any)


@given(weeks, st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]), st.data())
def test_the_week_clock_is_the_work_clock(week: list[bool], zone: str, data: st.DataObject) -> None:
    mask = np.repeat(np.array(week, np.bool_), 4)
    local = local_time(ORIGIN, 10 * WEEK, 14 * WEEK, zone)
    clock = WeekClock(local, mask)
    slow = WorkClock(Calendar("c", week_hours(mask), zone), ORIGIN)
    times = st.floats(10 * WEEK, 14 * WEEK)
    a, b = sorted(data.draw(st.tuples(times, times)))
    assert clock.between(a, b) == pytest.approx(slow.between(a, b), abs=1e-3)
    assert bool(clock.is_on(a)) == slow.is_on(a)


def test_the_spans_of_a_week_clock_are_its_working_time() -> None:
    local = local_time(ORIGIN, 0.0, 2.5 * WEEK, "Europe/Berlin")
    mask = np.zeros(WEEK_QUARTERS, np.bool_)
    mask[36:68] = True
    starts, ends = WeekClock(local, mask).spans()
    assert (ends - starts).tolist() == [8 * HOUR] * 3
    assert starts[0] == 8 * HOUR, "nine in Berlin is eight in UTC"


def test_an_hour_in_which_nobody_else_works_needs_more_than_a_visit() -> None:
    """Five weeks of office hours, and one early morning: open to it alone, closed beside colleagues."""
    weeks = np.zeros(168, dtype=np.int64)
    quarters = np.zeros(672, dtype=np.int64)
    for day in range(5):
        for hour in range(9, 17):
            weeks[day * 24 + hour] = 5
            quarters[(day * 24 + hour) * 4 : (day * 24 + hour) * 4 + 4] = 3
    early = 24 + 5
    weeks[early], quarters[early * 4] = 2, 12
    office = np.zeros(672, dtype=np.bool_)
    for day in range(5):
        office[(day * 24 + 9) * 4 : (day * 24 + 17) * 4] = True
    assert worked_week(quarters, weeks)[early * 4]
    assert not worked_week(quarters, weeks, office)[early * 4 : early * 4 + 4].any()
    night = np.roll(office, 12 * 4)
    assert worked_week(quarters, weeks, night)[(24 + 10) * 4]


def test_a_stray_date_costs_neither_time_nor_memory() -> None:
    rows = [*office_rows("ann", 12, 10), ("old", "A", "ann", -120 * 52 * WEEK, -120 * 52 * WEEK + 60.0)]
    assert hours_of(resources_of(rows, time_zone="Europe/Berlin"), "ann")
    clock = resources_of(rows, time_zone="Europe/Berlin").timetable.clocks[0]
    assert len(clock.spans()[0]) == pytest.approx(120 * 52 * 5, rel=0.01)


@pytest.mark.parametrize("drawn", [False, True])
def test_who_is_rare_in_the_window_keeps_the_hours_of_the_whole_log(drawn: bool) -> None:
    rows = office_rows("ann", 12, 1) + office_rows("bob", 12, 2)
    kim = [row for row in office_rows("kim", 12, 3, per_day=12) if (row[3] % WEEK) // DAY < 2]
    rows += [row for row in kim if row[3] < 3 * WEEK or (row[3] >= 11 * WEEK and row[3] % WEEK < DAY)]
    found = fit_resources(open_window(snapshot(rows), 0.15), Settings(drawn_shifts=drawn))
    assert {a // DAY for a, _ in hours_of(found, "kim")} == {0, 1}, "Mondays and Tuesdays only"
    told = [one for one in found.defaults if "kim" in one.where]
    assert "fewer than 100 start and end times in the calibration window" in {one.missing for one in told}
    assert all("own hours" in one.assumed for one in told)


@pytest.mark.parametrize("seed", range(3))
def test_hours_of_one_s_own_must_differ_beyond_chance_from_those_of_the_role(seed: int) -> None:
    """Of sixty stamps in forty hours many an hour is empty by chance; mornings only are no chance."""
    rows: list[Row] = []
    for i in range(12):
        rows += office_rows(f"clerk {i:02}", 24, 100 * seed + i, per_day=1)
    mornings = [
        r for r in office_rows("dan", 40, 100 * seed + 77, per_day=2) if (r[4] or 0.0) % DAY < 13 * HOUR
    ]
    four_days = [r for r in office_rows("eve", 30, 100 * seed + 78, per_day=1) if r[3] % WEEK < 4 * DAY]
    found = resources_of(rows + mornings + four_days)
    assert {hours_of(found, f"clerk {i:02}") for i in range(12)} == {OFFICE}
    assert max(end % DAY for _, end in hours_of(found, "dan")) <= 13 * HOUR
    assert max(end for _, end in hours_of(found, "eve")) <= 4 * DAY
    (said,) = (d for d in found.defaults if "by more than chance" in d.missing)
    assert said.assumed == "their role's calendar, too"

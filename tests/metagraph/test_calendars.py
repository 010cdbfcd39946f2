"""Work clocks against a scan of the wall clock, and the laws between their questions."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.calendars import (
    ALWAYS,
    WEEK_S,
    Calendar,
    CalendarException,
    WorkClock,
    cut,
    merge,
    without,
)
from metagraph.errors import DataError

HOUR = 3600.0
OFFICE = tuple((d * 86400 + 9 * HOUR, d * 86400 + 17 * HOUR) for d in range(5))
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
ORIGINS = [
    datetime(2024, 3, 4, tzinfo=UTC),
    datetime(2024, 3, 25, tzinfo=UTC),
    datetime(2024, 10, 21, tzinfo=UTC),
]
STEP = 900.0


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Hours on a grid of hours, as calibration finds them; holidays and exceptions near the origin."""
    edges = sorted(draw(st.sets(st.integers(0, 168), min_size=2, max_size=12)))
    hours = tuple((a * HOUR, b * HOUR) for a, b in zip(edges[::2], edges[1::2], strict=False))
    origin = draw(st.sampled_from(ORIGINS))
    days = draw(st.lists(st.integers(-7, 21), max_size=3))
    exceptions = []
    for start, length, working in draw(
        st.lists(st.tuples(st.integers(-100, 500), st.integers(1, 60), st.booleans()), max_size=3)
    ):
        begin = origin + timedelta(hours=start)
        exceptions.append(CalendarException(begin, begin + timedelta(hours=length), working))
    holidays = tuple(origin.date() + timedelta(days=d) for d in days)
    return Calendar("random", hours, draw(st.sampled_from(ZONES)), holidays, tuple(exceptions))


origins = st.sampled_from(ORIGINS)
times = st.floats(-WEEK_S, 5 * WEEK_S)
works = st.floats(0.0, 3 * WEEK_S)


def wall_clock_says(calendar: Calendar, instant: datetime) -> bool:
    """Whether the calendar works at an instant: the definition, read off a wall clock."""
    local = instant.astimezone(ZoneInfo(calendar.time_zone))
    second = local.weekday() * 86400 + local.hour * 3600 + local.minute * 60 + local.second
    on = local.date() not in calendar.holidays and any(a <= second < b for a, b in calendar.hours)
    for exception in calendar.exceptions:
        if exception.start <= instant < exception.end:
            on = exception.working
    return on


@given(calendars(), origins)
def test_every_quarter_of_an_hour_is_as_the_wall_clock_says(calendar: Calendar, origin: datetime) -> None:
    """Four weeks from one before the origin on, clock changes inside."""
    clock, worked = WorkClock(calendar, origin), 0.0
    begin = clock.worked(-WEEK_S)
    for i in range(int(-WEEK_S / STEP), int(3 * WEEK_S / STEP)):
        t = i * STEP
        on = wall_clock_says(calendar, origin + timedelta(seconds=t))
        assert clock.is_on(t) == on, t
        assert clock.worked(t) - begin == pytest.approx(worked)
        worked += STEP * on


@given(calendars(), origins, times, works)
def test_after_inverts_worked(calendar: Calendar, origin: datetime, t: float, work_s: float) -> None:
    clock = WorkClock(calendar, origin)
    done = clock.after(t, work_s)
    assert done >= t
    assert clock.between(t, done) == pytest.approx(work_s, abs=1e-6)
    if work_s > 1e-3:
        assert clock.worked(done - 5e-4) < clock.worked(done)  # no later than needed


@given(calendars(), origins, times, works, works)
def test_work_adds_up(calendar: Calendar, origin: datetime, t: float, first: float, second: float) -> None:
    clock = WorkClock(calendar, origin)
    assert clock.after(clock.after(t, first), second) == pytest.approx(
        clock.after(t, first + second), abs=1e-5
    )


@given(calendars(), origins, times)
def test_next_on_is_the_first_working_instant(calendar: Calendar, origin: datetime, t: float) -> None:
    clock = WorkClock(calendar, origin)
    on = clock.next_on(t)
    assert on >= t
    assert clock.is_on(on)
    assert clock.between(t, on) == pytest.approx(0.0, abs=1e-6)
    until = clock.on_until(on)
    assert until > on
    assert clock.between(on, until) == pytest.approx(until - on)
    if not clock.is_on(t):
        assert clock.on_until(t) == t


@given(calendars(), origins, st.lists(times, min_size=1, max_size=5))
def test_answers_dont_depend_on_what_was_asked_before(
    calendar: Calendar, origin: datetime, asked: list[float]
) -> None:
    used = WorkClock(calendar, origin)
    for t in asked:
        used.after(t, 5e5)
    fresh = pickle.loads(pickle.dumps(used))
    for t in asked:
        alone = WorkClock(calendar, origin)
        assert alone.after(t, 1e5) == used.after(t, 1e5) == fresh.after(t, 1e5)
        assert alone.worked(t) == used.worked(t)


@given(calendars(), origins, st.integers(-40 * 7 * 86400, 0))
def test_it_reaches_back_as_far_as_asked(calendar: Calendar, origin: datetime, t: int) -> None:
    clock = WorkClock(calendar, origin, earliest_s=t)
    assert clock.is_on(t) == wall_clock_says(calendar, origin + timedelta(seconds=t))
    near = WorkClock(calendar, origin)
    assert clock.between(-WEEK_S, 0.0) == pytest.approx(near.between(-WEEK_S, 0.0))


def test_earlier_than_it_reaches_is_an_error_not_a_guess() -> None:
    clock = WorkClock(Calendar("office", OFFICE), ORIGINS[0])
    assert clock.worked(-WEEK_S) == 0.0
    with pytest.raises(ValueError, match="begins 1 weeks before origin"):
        clock.worked(-WEEK_S - 1.0)


def test_a_day_with_a_clock_change_is_as_long_as_it_is() -> None:
    nights = Calendar("nights", tuple((d * 86400.0, d * 86400 + 6 * HOUR) for d in range(7)), "Europe/Berlin")
    spring = WorkClock(nights, datetime(2024, 3, 25, tzinfo=UTC))
    autumn = WorkClock(nights, datetime(2024, 10, 21, tzinfo=UTC))
    sunday = 6 * 86400.0
    assert spring.between(sunday - 2 * HOUR, sunday + 6 * HOUR) == 5 * HOUR
    assert autumn.between(sunday - 2 * HOUR, sunday + 6 * HOUR) == 7 * HOUR


def test_holidays_and_extra_work() -> None:
    saturday = datetime(2024, 3, 9, 8, tzinfo=UTC)
    calendar = Calendar(
        "office",
        OFFICE,
        holidays=(date(2024, 3, 8),),
        exceptions=(CalendarException(saturday, saturday + timedelta(hours=4), True),),
    )
    clock = WorkClock(calendar, ORIGINS[0])
    thursday = 3 * 86400.0
    assert clock.after(thursday + 16 * HOUR, 2 * HOUR) == 5 * 86400 + 9 * HOUR
    assert clock.between(0.0, WEEK_S) == (4 * 8 + 4) * HOUR


def test_work_may_end_exactly_with_the_shift() -> None:
    clock = WorkClock(Calendar("office", OFFICE), ORIGINS[0])
    assert clock.after(9 * HOUR, 8 * HOUR) == 17 * HOUR
    assert clock.after(8 * HOUR, 8 * HOUR) == 17 * HOUR
    assert clock.after(17 * HOUR, 0.0) == 17 * HOUR
    assert not clock.is_on(17 * HOUR)
    assert clock.next_on(17 * HOUR) == 33 * HOUR


def test_work_too_small_to_be_seen_waits_for_the_shift_all_the_same() -> None:
    clock = WorkClock(Calendar("office", OFFICE), ORIGINS[0])
    assert clock.after(0.0, 1e-300) == 9 * HOUR
    assert clock.after(3 * 86400 + 18 * HOUR, 1e-300) == 4 * 86400 + 9 * HOUR
    assert clock.after(10 * HOUR, 1e-300) == 10 * HOUR


def test_hours_that_a_clock_change_skips_are_no_hours() -> None:
    """On the last Sunday of March 02:00 is followed by 03:00 in Berlin."""
    night = Calendar("night", ((6 * 86400 + 2.75 * HOUR, 6 * 86400 + 3 * HOUR),), "Europe/Berlin")
    clock = WorkClock(night, datetime(2024, 3, 18, tzinfo=UTC))
    assert clock.between(0.0, WEEK_S) == 0.25 * HOUR
    assert clock.between(WEEK_S, 2 * WEEK_S) == 0.0


def test_a_clock_that_ends_is_never_on_again() -> None:
    begin = ORIGINS[0] + timedelta(days=2)
    calendar = Calendar("temp", (), exceptions=(CalendarException(begin, begin + timedelta(days=1), True),))
    clock = WorkClock(calendar, ORIGINS[0])
    assert clock.next_on(0.0) == 2 * 86400.0
    assert clock.after(0.0, 86400.0) == 3 * 86400.0
    assert clock.after(0.0, 86401.0) == inf
    assert clock.next_on(4 * 86400.0) == inf
    assert not clock.is_on(100 * WEEK_S)


def test_always_on() -> None:
    clock = WorkClock(Calendar("always"), ORIGINS[0])
    assert Calendar("always").hours == ALWAYS
    assert clock.is_on(-1e9)
    assert clock.after(5.0, 7.0) == 12.0
    assert clock.on_until(0.0) == inf


def test_always_on_but_for_a_holiday() -> None:
    clock = WorkClock(Calendar("plant", holidays=(date(2024, 3, 6),)), ORIGINS[0])
    assert clock.after(0.0, 3 * 86400.0) == 4 * 86400.0
    assert clock.after(0.0, 60 * WEEK_S) == 60 * WEEK_S + 86400.0
    assert clock.on_until(10 * WEEK_S) > 10 * WEEK_S


def test_no_hours_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no working hours"):
        WorkClock(Calendar("never", ()), ORIGINS[0])


def test_a_calendar_closed_for_centuries_is_an_error_not_a_hang() -> None:
    closed = CalendarException(ORIGINS[0], datetime(9000, 1, 1, tzinfo=UTC), False)
    clock = WorkClock(Calendar("shut", OFFICE, exceptions=(closed,)), ORIGINS[0])
    with pytest.raises(DataError, match="calendar 'shut' isn't open for 384 years"):
        clock.next_on(0.0)


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 8)).map(lambda span: (float(span[0]), float(sum(span))))
).map(merge)


@given(SPANS, SPANS)
def test_in_one_pass_is_as_one_by_one(
    spans: list[tuple[float, float]], missing: list[tuple[float, float]]
) -> None:
    left = spans
    for lo, hi in missing:
        left = cut(left, lo, hi)
    assert without(spans, missing) == left

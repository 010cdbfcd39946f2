"""Drawn shifts: their long-run share, certainty, and what they depend on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.calendars import ALWAYS, WEEK_S, Calendar
from metagraph.shifts import DAY_S, Shift, Week
from simulation.clocks import Clock, ClockPlan, DrawnDays
from simulation.streams import Stream
from tests.metagraph.test_calendars import calendars
from tests.simulation.builders import ORIGIN

HOUR = 3600.0
WEEKS = 60


def plan_of(calendar: Calendar, agent: int = 0, presence: float = 1.0) -> ClockPlan:
    days = DrawnDays(calendar, ORIGIN)
    return ClockPlan(calendar, ORIGIN, 0.0, (), None, agent, {}, days, presence)


def clock(calendar: Calendar, replication: int, agent: int = 0, presence: float = 1.0) -> Clock:
    return plan_of(calendar, agent, presence).clock(Stream(11, replication), 0.0)


MIXED: Week = (
    *((Shift(8 * HOUR, 17 * HOUR, 0.5), Shift(13 * HOUR, 20 * HOUR, 0.3)) for _ in range(5)),
    (Shift(22 * HOUR, 30 * HOUR, 0.2),),
    (Shift(12 * HOUR, 13 * HOUR, 0.05),),
)


@pytest.mark.parametrize("presence", [1.0, 0.4])
def test_in_the_long_run_a_clock_runs_as_long_as_expected(presence: float) -> None:
    """Over 60 agents of 60 weeks within four standard errors."""
    noon = Calendar("c", ((0.0, 12 * HOUR), (12.5 * HOUR, WEEK_S)), "Europe/Berlin", shifts=MIXED)
    hours = [
        clock(noon, 3, agent, presence).between(0.0, WEEKS * WEEK_S) / WEEKS / HOUR for agent in range(60)
    ]
    expected = presence * noon.weekly_hours()
    assert np.mean(hours) == pytest.approx(expected, abs=4 * np.std(hours) / np.sqrt(60))
    assert np.std(hours) > 0.0


@given(calendars(), st.integers(-300, 300))
def test_what_is_certain_is_the_week_itself_bit_for_bit(crisp: Calendar, begin: int) -> None:
    certain = tuple((Shift(0.0, DAY_S, 0.3), Shift(0.0, DAY_S, 0.7)) for _ in range(7))
    sure = plan_of(replace(crisp, shifts=certain)).clock(Stream(1), begin * 900.0)
    assert sure.grown(3 * WEEK_S) == ClockPlan(crisp, ORIGIN, 0.0).clock(Stream(1), 0.0).grown(3 * WEEK_S)


def test_every_agent_day_and_replication_is_drawn_on_its_own() -> None:
    half = Calendar("c", shifts=tuple((Shift(0.0, DAY_S, 0.5),) for _ in range(7)))

    def days(replication: int, agent: int) -> list[bool]:
        line = clock(half, replication, agent)
        return [line.is_on(k * DAY_S) for k in range(400)]

    lines = np.array([days(r, a) for r in range(3) for a in range(3)])
    agree = np.abs(np.corrcoef(lines) - np.eye(9))
    assert agree.max() < 4 / np.sqrt(400)
    assert abs(np.corrcoef(lines[0][:-1], lines[0][1:])[0, 1]) < 4 / np.sqrt(400)


def test_a_rare_weekday_comes_at_its_rate_and_lasts_as_long_as_its_shift() -> None:
    days = tuple((Shift(9 * HOUR, 17 * HOUR, 0.9),) for _ in range(6))
    rare = Calendar("c", ALWAYS, shifts=(*days, (Shift(14 * HOUR, 14.5 * HOUR, 0.02),)))
    sundays = np.array(
        [
            clock(rare, r).between(w * WEEK_S + 6 * DAY_S, (w + 1) * WEEK_S)
            for r in range(20)
            for w in range(100)
        ]
    )
    assert set(np.round(sundays, 6)) == {0.0, 1800.0}
    assert (sundays > 0).mean() == pytest.approx(0.02, abs=4 * np.sqrt(0.02 / len(sundays)))


def test_nobody_comes_on_a_holiday_nor_stays_after_its_midnight() -> None:
    night = tuple((Shift(22 * HOUR, 30 * HOUR, 1.0),) for _ in range(7))
    monday = ORIGIN.date()
    line = clock(Calendar("c", shifts=night, holidays=(date.fromordinal(monday.toordinal() + 2),)), 0)
    assert line.on_until(DAY_S + 23 * HOUR) == 2 * DAY_S
    assert line.next_on(2 * DAY_S) == 3 * DAY_S + 22 * HOUR


def test_before_the_beginning_hours_are_the_usual_ones() -> None:
    seldom = tuple((Shift(9 * HOUR, 17 * HOUR, 0.02),) for _ in range(7))
    line = plan_of(Calendar("c", shifts=seldom)).clock(Stream(0), 2 * WEEK_S)
    assert line.between(-WEEK_S, 2 * WEEK_S) == 3 * 7 * 8 * HOUR
    assert line.between(2 * WEEK_S, 4 * WEEK_S) <= 4 * 8 * HOUR


def test_the_same_day_of_another_week_of_the_year_changes_nothing() -> None:
    """Shifting everything by whole weeks shifts the draws."""
    calendar = Calendar("c", shifts=MIXED)
    later = ORIGIN + timedelta(weeks=9)
    moved = ClockPlan(calendar, later, 0.0, (), None, 0, {}, DrawnDays(calendar, later))
    assert moved.clock(Stream(5), 0.0).grown(9 * WEEK_S) == plan_of(calendar).clock(Stream(5), 0.0).grown(
        9 * WEEK_S
    )

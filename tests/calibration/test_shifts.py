"""Shifts drawn from the past: a known twin's presence and hours are found; who is rare is said to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from calibration.agents import Resources, fit_resources
from calibration.presence import SeenDays, came_and_could, exposure, work_rate
from calibration.seen_days import day_cuts
from calibration.settings import Settings
from calibration.shifts import WEEKLY, breaks, shapes
from calibration.window import open_window
from metagraph.agents import Agent
from metagraph.calendars import Calendar
from metagraph.shifts import Shift, presence
from simulation.clocks import ClockPlan, DrawnDays
from simulation.streams import Stream
from tests.calibration.builders import DAY, HOUR, ORIGIN, WEEK, Row, snapshot

NINE_TO_FIVE = Shift(9 * HOUR, 17 * HOUR, 0.8)
LATE = (Shift(9 * HOUR, 15 * HOUR, 0.4), Shift(12 * HOUR, 20 * HOUR, 0.3))
NIGHT = (Shift(22 * HOUR, 30 * HOUR, 0.7),)
KNOWN = {
    "ann": ((NINE_TO_FIVE,),) * 4 + ((Shift(9 * HOUR, 17 * HOUR, 0.4),), (), ()),
    "bob": (LATE,) * 5 + ((), (Shift(10 * HOUR, 11 * HOUR, 0.15),)),
    "eve": (NIGHT,) * 7,
}
WEEKS = 60


def log_of(
    known: Mapping[str, tuple[tuple[Shift, ...], ...]], weeks: int, *, per_h: float = 2.0
) -> list[Row]:
    """Short executions at random instants of every drawn shift."""
    rows: list[Row] = []
    random = np.random.default_rng(4)
    for number, (name, week) in enumerate(known.items()):
        days = DrawnDays(Calendar(name, shifts=week), ORIGIN)
        clock = ClockPlan(days.calendar, ORIGIN, 0.0, (), None, number, {}, days).clock(Stream(9), 0.0)
        starts, ends, _, _, _ = clock.grown(weeks * WEEK)
        for start, end in zip(starts, ends, strict=True):
            if start >= 0:
                for at in start + random.uniform(
                    0, end - start, random.poisson(per_h * (end - start) / HOUR)
                ):
                    rows.append((f"{name}{len(rows)}", "A", name, float(at), float(at) + 30.0))
    return rows


def found_in(rows: list[Row], **settings: object) -> Resources:
    chosen = Settings(drawn_shifts=True, **settings)  # type: ignore[arg-type]
    return fit_resources(open_window(snapshot(rows), 1.0), chosen)


def of(resources: Resources, name: str) -> tuple[Agent, Calendar]:
    agent = next(a for a in resources.agents if a.id == name)
    return agent, next(c for c in resources.calendars if c.id == agent.calendar)


@pytest.fixture(scope="module")
def found() -> Resources:
    # A half-life beyond the log: all of its weeks count alike, and intervals are binomial ones.
    return found_in(log_of(KNOWN, WEEKS), half_life_weeks=1e6)


@pytest.mark.parametrize("name", KNOWN)
def test_presence_is_found_on_every_weekday(found: Resources, name: str) -> None:
    """Within four binomial standard errors and what the profile of all may add."""
    agent, calendar = of(found, name)
    assert agent.presence == 1.0
    for mine, known in zip(calendar.shifts, KNOWN[name], strict=True):
        p = presence(known)
        width = 4 * np.sqrt(max(p * (1 - p), 0.01) / WEEKS) + 0.02
        assert presence(mine) == pytest.approx(p, abs=width)
        assert bool(mine) == bool(known)


@pytest.mark.parametrize("name", KNOWN)
def test_the_weeks_hours_are_found(found: Resources, name: str) -> None:
    known = Calendar(name, shifts=KNOWN[name]).weekly_hours()
    assert of(found, name)[1].weekly_hours() == pytest.approx(known, rel=0.12)


def test_begin_and_end_are_found_to_the_quarter(found: Resources) -> None:
    monday = of(found, "ann")[1].shifts[0]
    total = sum(shift.weight for shift in monday)
    assert sum(s.start_s * s.weight for s in monday) / total == pytest.approx(9 * HOUR, abs=900)
    assert sum(s.end_s * s.weight for s in monday) / total == pytest.approx(17 * HOUR, abs=900)
    ends = {round(shift.end_s / HOUR) for shift in of(found, "eve")[1].shifts[2]}
    assert ends <= {29, 30}, "a night belongs to the day on which it begins"


def test_a_look_in_on_a_sunday_stays_short(found: Resources) -> None:
    (sunday,) = {(s.start_s >= 9.5 * HOUR, s.end_s <= 11.6 * HOUR) for s in of(found, "bob")[1].shifts[6]}
    assert sunday == (True, True)


def test_few_stamps_do_not_make_absent() -> None:
    """One execution on an average day leaves 37 % of the days of presence without any."""
    week = ((Shift(9 * HOUR, 17 * HOUR, 0.9),),) * 5 + ((), ())
    resources = found_in(log_of({"ann": week, "bob": week}, 60, per_h=1 / 8), half_life_weeks=1e6)
    assert not of(resources, "ann")[1].shifts
    assert any(d.assumed == WEEKLY and "ann" in d.where for d in resources.defaults)


def test_who_is_rare_keeps_weekly_hours() -> None:
    week = ((Shift(9 * HOUR, 17 * HOUR, 0.8),),) * 5 + ((), ())
    rows = log_of({"ann": week, "bob": week}, 30)
    rows += [("n1", "A", "new", k * DAY + 10 * HOUR, k * DAY + 11 * HOUR) for k in (200, 201, 203)]
    rows += [
        ("o1", "A", "old", k * DAY + (9 + h / 4) * HOUR, k * DAY + 16 * HOUR)
        for k in (0, 1)
        for h in range(9)
    ]
    resources = found_in(rows)
    agent, calendar = of(resources, "old")
    assert not calendar.shifts
    assert agent.presence == 1.0
    assert any(d.assumed == WEEKLY and "old" in d.where for d in resources.defaults)


def test_recent_weeks_count_more() -> None:
    early, late = ((Shift(6 * HOUR, 14 * HOUR, 0.9),),) * 5, ((Shift(12 * HOUR, 20 * HOUR, 0.9),),) * 5
    rows = log_of({"ann": (*early, (), ())}, 20)
    rows += [
        (f"late{case}", a, r, s + 20 * WEEK, (e or s) + 20 * WEEK)
        for case, a, r, s, e in log_of({"ann": (*late, (), ())}, 20)
    ]
    weights = {
        half: sum(
            s.weight
            for s in of(found_in(rows, half_life_weeks=half), "ann")[1].shifts[1]
            if s.start_s > 9 * HOUR
        )
        for half in (1e6, 3.0)
    }
    assert weights[3.0] > 0.8 > 0.55 > weights[1e6]


def test_who_works_around_the_clock_goes_on_doing_so() -> None:
    """At any hour, though on a third of the days there happens to be nothing."""
    random = np.random.default_rng(7)
    starts = random.uniform(0, 30 * WEEK, 12000)
    starts = starts[random.random(210)[(starts // DAY).astype(int)] < 2 / 3]
    rows: list[Row] = [(str(i), "A", "system", float(s), float(s) + 60) for i, s in enumerate(starts)]
    resources = found_in(rows)
    assert [c.always_open for c in resources.calendars] == [True]


def test_queues_are_weighted_by_work_while_somebody_is_there() -> None:
    days = Shift(9 * HOUR, 17 * HOUR, 1.0)
    rows = log_of(
        {"full": ((days,),) * 5 + ((), ()), "half": ((replace(days, weight=0.5),),) * 5 + ((), ())}, 60
    )
    (queue,) = found_in(rows, half_life_weeks=1e6).queues
    assert queue.weights == pytest.approx((0.5, 0.5), abs=0.05)


def test_the_day_is_cut_where_an_agent_rests() -> None:
    day, night = np.zeros((7, 96), np.bool_), np.zeros((7, 96), np.bool_)
    day[:5, 36:68] = True
    night[:, 88:] = night[:, :24] = True
    cuts = day_cuts(np.stack([day.ravel(), night.ravel(), np.ones(672, np.bool_)]))
    assert cuts.tolist() == [0, 56, 0]


def test_breaks_are_the_short_gaps_of_a_day() -> None:
    week = np.zeros(672, np.bool_)
    week[36:48] = week[52:68] = week[84:90] = True
    assert np.flatnonzero(breaks(week)).tolist() == list(range(48, 52))


def test_days_free_for_everybody_say_nothing_about_presence() -> None:
    days = np.array([d for d in range(70) if d % 7 == 0 and d != 35])
    n = len(days)
    ones = np.ones(n, np.int64)
    seen = SeenDays(
        np.zeros(n, np.int64), days, 20 * ones, 40 * ones, np.full(n, 9 * HOUR), np.full(n, 17 * HOUR)
    )
    active = np.zeros(1, np.int64), np.full(1, 69)
    for free, share in ((np.zeros(0, np.int64), 0.9), (np.array([35]), 1.0)):
        exposed = exposure(seen, 0, 69, 1e9, free)
        rate = work_rate(seen, exposed, np.zeros(1, np.int64))
        came, could = came_and_could(seen, exposed, rate, active)
        assert came[0, 0] / could[0, 0] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("share", [1.0, 0.7, 1 / 3])
@pytest.mark.parametrize("n", [7, 11, 13, 29])
def test_shapes_of_a_day_add_up_to_its_share(n: int, share: float) -> None:
    """Not to a millionth more, which no metagraph may have."""
    start = np.linspace(8.0, 9.0, n) * 3600
    weights = [shift.weight for shift in shapes(start, start + 8 * 3600, np.ones(n), share)]
    assert len(weights) > 3
    assert sum(weights) == pytest.approx(share, abs=5.1e-7)

"""Work clocks of one replication against a scan of the wall clock; none depends on how far it has grown."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.agents import Absence, Agent, Breakdowns
from metagraph.calendars import ALWAYS as ALL_WEEK
from metagraph.calendars import WEEK_S, Calendar, CalendarException
from metagraph.distributions import Constant
from metagraph.paces import Pace
from metagraph.shifts import Shift
from simulation.clock_arrays import paced_after, realised
from simulation.clocks import BREAKDOWNS, DAYS, Clock, ClockPlan, DrawnDays, PacePlan, Span, merged
from simulation.lowering import lower
from simulation.program import Network
from simulation.streams import Purpose, Stream
from simulation.tables import tabulate
from tests.metagraph.test_calendars import ORIGINS, calendars, wall_clock_says
from tests.simulation.builders import ALWAYS, OFFICE, ORIGIN, expon, fitted, orders, process, row, station

HOUR, DAY, STEP = 3600.0, 86400.0, 900.0


@dataclass(frozen=True, slots=True)
class Case:
    """A plan whose every change lies on the quarter of an hour."""

    plan: ClockPlan
    begin_s: float

    def clock(self, replication: int = 0) -> Clock:
        return self.plan.clock(Stream(7, replication), self.begin_s)

    def on(self, t: float) -> bool:
        """The definition, read off a wall clock."""
        plan = self.plan
        if any(start <= t < end for start, end in plan.away):
            return False
        if plan.breakdowns is not None and t >= self.begin_s:
            run, repair = (table.xs[0] for table in plan.breakdowns)
            if (t - self.begin_s) % (run + repair) >= run:
                return False
        instant = plan.origin + timedelta(seconds=t)
        if plan.days is None:
            return wall_clock_says(plan.calendar, instant)
        if t < self.begin_s:
            return wall_clock_says(plan.calendar.usual(), instant)
        open_ = wall_clock_says(replace(plan.calendar, shifts=(), exceptions=()), instant)
        local = instant.astimezone(ZoneInfo(plan.calendar.time_zone))
        second = local.hour * HOUR + local.minute * 60 + local.second
        on = open_ and any(self.there(local.date() - timedelta(k), second + k * DAY) for k in range(2))
        for exception in plan.calendar.exceptions:
            if exception.start <= instant < exception.end:
                on = exception.working
        return on

    def there(self, day: date, second: float) -> bool:
        """Whether the shift drawn for a date holds so many seconds after its midnight."""
        plan = self.plan
        if day in plan.calendar.holidays:
            return False
        u = Stream(7, 0).uniform(plan.agent, DAYS, (day - plan.origin.date()).days, Purpose.DAY)
        for shift in plan.calendar.shifts[day.weekday()]:
            u -= shift.weight * plan.presence
            if u < 0:
                return shift.start_s <= second < shift.end_s
        return False


@st.composite
def cases(draw: st.DrawFn) -> Case:
    grid = st.integers(-600, 2000).map(lambda k: k * STEP)
    away: list[Span] = [
        (t, t + n * STEP) for t, n in draw(st.lists(st.tuples(grid, st.integers(1, 400)), max_size=3))
    ]
    if draw(st.booleans()):
        away.append((-inf, draw(grid)))
    breakdowns = None
    if draw(st.booleans()):
        breakdowns = (
            tabulate(Constant(draw(st.integers(1, 200)) * STEP)),
            tabulate(Constant(draw(st.integers(0, 40)) * STEP)),
        )
    calendar = draw(st.one_of(calendars(), st.just(Calendar("always"))))
    origin = draw(st.sampled_from(ORIGINS))
    days, presence = None, 1.0
    if draw(st.booleans()):
        calendar = replace(calendar, shifts=draw(weeks_of_shifts()))
        if calendar.weekly_hours() < 3.0:  # hardly ever on: nothing is wrong with that, but it takes long
            calendar = replace(calendar, hours=ALL_WEEK)
        days, presence = DrawnDays(calendar, origin), draw(st.sampled_from([1.0, 0.5]))
    plan = ClockPlan(calendar, origin, 0.0, merged(away), breakdowns, 3, {}, days, presence)
    return Case(plan, draw(st.integers(-300, 300)) * STEP)


@st.composite
def weeks_of_shifts(draw: st.DrawFn) -> tuple[tuple[Shift, ...], ...]:
    """Up to two shifts a day, overnight ones among them."""
    spans = st.tuples(st.integers(0, 95), st.integers(1, 96), st.sampled_from([0.2, 0.5]))
    day = st.lists(spans, max_size=2).map(
        lambda found: tuple(Shift(a * STEP, (a + n) * STEP, p) for a, n, p in found)
    )
    found = draw(st.lists(day, min_size=7, max_size=7).map(tuple))
    return ((Shift(0.0, DAY, 0.5),), *found[1:])


times = st.floats(-WEEK_S, 4 * WEEK_S)
works = st.floats(0.0, WEEK_S)


@given(cases())
def test_every_quarter_of_an_hour_is_as_the_wall_clock_says(case: Case) -> None:
    """Three weeks from one before the origin on: shifts, clock changes, absences, hiring and breakdowns."""
    clock, worked, last = case.clock(), 0.0, -inf
    begin = clock.worked(-WEEK_S)
    for i in range(int(-WEEK_S / STEP), int(2 * WEEK_S / STEP)):
        t = i * STEP
        on = case.on(t)
        assert clock.is_on(t) == on, t
        assert clock.worked(t) - begin == pytest.approx(worked)
        last = t if on else last
        assert clock.last_on(t) == (min(t, last + STEP) if last > -inf else -inf)
        worked += STEP * on


@given(cases(), times, works)
def test_work_ends_when_the_wall_clock_has_seen_so_much_of_it(case: Case, t: float, work_s: float) -> None:
    clock = case.clock()
    end = clock.after(t, work_s)
    if end == inf:
        return
    assert end >= t
    assert clock.between(t, end) == pytest.approx(work_s, abs=1e-6)
    on = clock.next_on(t)
    assert on >= t
    if on < inf:
        assert clock.is_on(on)
        assert clock.on_until(on) > on
        assert clock.between(on, clock.on_until(on)) == pytest.approx(clock.on_until(on) - on)


Question = tuple[str, float, float]
questions = st.lists(
    st.tuples(
        st.sampled_from(["is_on", "next_on", "on_until", "last_on", "worked", "between", "after"]),
        times,
        works,
    ),
    min_size=1,
    max_size=6,
)


def answer(clock: Clock, question: Question) -> float:
    name, t, work_s = question
    if name == "between":
        return clock.between(t, t + work_s)
    return clock.after(t, work_s) if name == "after" else float(getattr(clock, name)(t))


@given(cases(), questions)
def test_answers_dont_depend_on_how_far_the_line_has_grown(case: Case, asked: list[Question]) -> None:
    used = case.clock()
    used.grown(5 * WEEK_S)
    for question in asked:
        alone = case.clock()
        found = answer(alone, question)
        assert answer(used, question) == found
        for copied in (pickle.loads(pickle.dumps(alone)), copy.deepcopy(alone)):
            assert answer(copied, question) == found


@pytest.mark.parametrize(
    ("t", "work_s"),
    [
        (405116.09594352834, 1309745.2082808425),
        (331874.76916757005, 447408.14450624073),
        (5 * DAY + 0.7, 3 * DAY),
    ],
)
def test_work_across_a_weeks_end_is_the_same_for_a_line_that_ends_there(t: float, work_s: float) -> None:
    """By its sums a clock that runs on would end it a bit beside t + work."""
    plan = ClockPlan(Calendar("plant", holidays=(date(2024, 1, 2),)), ORIGIN, 0.0, ((0.0, 12345.6789),))
    fresh, grown = (plan.clock(Stream(0), 0.0) for _ in range(2))
    grown.grown(9 * WEEK_S)
    assert fresh.after(t, work_s) == grown.after(t, work_s) == t + work_s


def breaking(between: float, repair: float, calendar: Calendar = ALWAYS) -> ClockPlan:
    return ClockPlan(calendar, ORIGIN, 0.0, (), (tabulate(expon(between)), tabulate(expon(repair))), 5)


def test_breakdowns_take_the_share_that_theory_says() -> None:
    """Repair over cycle, 2 of 10 hours: over 60 machines of 20 weeks within four standard errors."""
    shares = []
    for replication in range(60):
        clock = breaking(8 * HOUR, 2 * HOUR).clock(Stream(11, replication), 0.0)
        shares.append(clock.between(0.0, 20 * WEEK_S) / (20 * WEEK_S))
    assert np.mean(shares) == pytest.approx(0.8, abs=4 * np.std(shares) / np.sqrt(60))
    assert np.std(shares) > 0.0


def test_breakdowns_are_the_draws_of_the_agent() -> None:
    stream, plan, begin = Stream(11, 3), breaking(8 * HOUR, 2 * HOUR), 5 * HOUR
    clock = plan.clock(stream, begin)
    assert plan.breakdowns is not None
    t = begin
    for k in range(5):
        failed = t + plan.breakdowns[0].draw(stream.uniform(5, BREAKDOWNS, k, Purpose.FAILURE))
        t = failed + plan.breakdowns[1].draw(stream.uniform(5, BREAKDOWNS, k, Purpose.REPAIR))
        assert clock.on_until(failed - 1e-3) == failed
        assert clock.next_on(failed) == t


def test_replications_break_down_at_other_times() -> None:
    ends = {breaking(8 * HOUR, HOUR).clock(Stream(1, r), 0.0).after(0.0, DAY) for r in range(5)}
    assert len(ends) == 5


def test_before_the_beginning_nobody_has_broken_down() -> None:
    clock = breaking(HOUR, HOUR).clock(Stream(1), 3 * WEEK_S)
    assert clock.between(-WEEK_S, 3 * WEEK_S) == 4 * WEEK_S
    assert clock.last_on(3 * WEEK_S) == 3 * WEEK_S


def test_who_has_left_never_comes_back() -> None:
    plan = ClockPlan(OFFICE, ORIGIN, 0.0, ((DAY, inf),))
    clock = plan.clock(Stream(0), 0.0)
    assert clock.after(0.0, 8 * HOUR) == 17 * HOUR
    assert clock.after(0.0, 8 * HOUR + 1) == inf
    assert clock.next_on(17 * HOUR) == inf
    assert clock.last_on(9 * WEEK_S) == 17 * HOUR
    assert not clock.is_on(50 * WEEK_S)


def agents_of(*agents: Agent) -> Network:
    from metagraph.agents import Queue

    model = process(
        row("a"),
        Constant(1.0),
        queues=[Queue("q", tuple(a.id for a in agents))],
        serves={"a": ["q"]},
        agents=agents,
    )
    return lower(model, (), origin=ORIGIN).network


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2024, 1, day, hour, tzinfo=UTC)


def test_who_shares_a_clock_and_who_does_not() -> None:
    network = agents_of(
        Agent("a", "office"),
        Agent("b", "always"),
        Agent("c", "office"),
        Agent("d", "office", absences=(Absence(at(2), at(3)),)),
        Agent("e", "always", hired=at(4)),
        Agent("f", "always", breakdowns=Breakdowns(fitted(expon(9.0)), fitted(expon(1.0)))),
        Agent("g", "always"),
    )
    assert network.agents["clock"].tolist() == [0, 1, 0, 2, 3, 4, 1]
    assert [plan is None for plan in network.clocks] == [False, True, False, False, False]


def test_coming_and_leaving() -> None:
    """Absences that hand over and the time before hiring; others only pause."""
    network = agents_of(
        Agent("a", "always", hired=at(3), absences=(Absence(at(9), None, hands_over=True),)),
        Agent("b", "always", absences=(Absence(at(5), at(6)), Absence(at(7), at(9), hands_over=True))),
        Agent("c", "always", absences=(Absence(at(1, 6), at(3), True), Absence(at(2), at(4), True))),
    )
    assert network.agents["present"].tolist() == [0, 1, 1]
    assert network.presence.tolist() == [
        (6 * HOUR, 2, 0),
        (2 * DAY, 0, 1),
        (3 * DAY, 2, 1),
        (6 * DAY, 1, 0),
        (8 * DAY, 0, 0),
        (8 * DAY, 1, 1),
    ]
    plan = network.clocks[network.agents["clock"][1]]
    assert plan is not None
    assert plan.away == ((4 * DAY, 5 * DAY), (6 * DAY, 8 * DAY))


def test_arrays_are_the_lines_themselves() -> None:
    """For all clocks and paces, up to the horizon; those without breakdowns are made once."""
    network = agents_of(
        Agent("a", "office"),
        Agent("b", "always"),
        Agent("d", "office", absences=(Absence(at(2), None),)),
        Agent("f", "always", breakdowns=Breakdowns(fitted(expon(9000.0)), fitted(expon(1000.0)))),
    )
    stream = Stream(5, 1)
    found = realised(network, stream, 100.0, 3 * WEEK_S)
    for line, plan in zip(found.clocks, network.clocks, strict=True):
        assert bool(line["always"]) == (plan is None)
        if plan is None:
            continue
        starts, ends, done, over, reach_s = plan.clock(stream, 100.0).grown(3 * WEEK_S)
        first, n, at_done = int(line["first"]), int(line["n"]), int(line["done"])
        assert found.starts[first : first + n].tolist() == starts
        assert found.ends[first : first + n].tolist() == ends
        assert found.done[at_done : at_done + n + 1].tolist() == done
        assert (bool(line["over"]), line["reach_s"]) == (over, reach_s)
        assert over or reach_s > 3 * WEEK_S
    calm = agents_of(Agent("a", "office"))
    once = realised(calm, Stream(1), 0.0, WEEK_S)
    assert realised(calm, Stream(2), 0.0, WEEK_S / 2) is once
    assert realised(calm, Stream(2), 0.0, 2 * WEEK_S) is not once


@given(
    st.lists(st.sampled_from([0.0, 0.3, 1.0, 2.5]), min_size=168, max_size=168).filter(any),
    st.lists(st.tuples(st.floats(-WEEK_S, 3 * WEEK_S), st.floats(0.0, 2 * WEEK_S)), min_size=1, max_size=9),
)
def test_paces_in_arrays_are_those_one_by_one(rates: list[float], asked: list[tuple[float, float]]) -> None:
    model = replace(station(Constant(1.0)), paces=(Pace("p", tuple(rates), "Europe/Berlin"),))
    network = lower(model, orders([0.0]), origin=ORIGIN).network
    clock = network.paces[0].clock()
    t, amount = (np.array(column) for column in zip(*asked, strict=True))
    passed = np.array([clock.passed(x) for x in t])
    found = paced_after(network, 0, t, passed, amount)
    assert found.tolist() == [network.paces[0].clock().after(*pair) for pair in asked]


def test_a_pace_reaches_back_as_far_as_asked() -> None:
    pace = Pace("p", tuple(float(h // 24 < 5) for h in range(168)))
    clock = PacePlan(pace, ORIGIN, -10 * WEEK_S).clock()
    assert clock.between(-10 * WEEK_S, 0.0) == 50 * DAY
    with pytest.raises(ValueError, match="begins 10 weeks before the origin"):
        clock.between(-11 * WEEK_S, 0.0)


def test_exceptions_and_absences_together() -> None:
    """Extra work on Saturday, of which an absence takes half."""
    extra = CalendarException(at(6, 8), at(6, 12), True)
    plan = ClockPlan(
        Calendar("office", OFFICE.hours, exceptions=(extra,)), ORIGIN, 0.0, ((5 * DAY, 5 * DAY + 10 * HOUR),)
    )
    clock = plan.clock(Stream(0), 0.0)
    assert clock.between(5 * DAY, 6 * DAY) == 2 * HOUR
    assert clock.next_on(5 * DAY) == 5 * DAY + 10 * HOUR

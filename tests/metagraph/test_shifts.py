"""Shifts from which days are drawn: what they expect, what of them is usual, what is wrong with them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from metagraph.agents import Agent
from metagraph.blocks import Leaf
from metagraph.calendars import ALWAYS, WEEK_S, Calendar
from metagraph.check_agents import agent_faults
from metagraph.shifts import DAY_S, Shift, Week, chances, usual_hours, weekly_seconds
from tests.metagraph.strategies import drawn_weeks, plain_metagraph

HOUR = 3600.0
OFF: tuple[Shift, ...] = ()


def week(**days: tuple[Shift, ...]) -> Week:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return tuple(days.get(name, OFF) for name in names)


def test_the_usual_hours_are_those_of_half_of_who_comes() -> None:
    monday = (Shift(8 * HOUR, 16 * HOUR, 0.5), Shift(10 * HOUR, 18 * HOUR, 0.3))
    nights = (Shift(22 * HOUR, 30 * HOUR, 0.6),)
    found = usual_hours(ALWAYS, week(mon=monday, wed=(Shift(0.0, HOUR, 0.1),), sun=nights))
    assert found == (
        (0.0, 6 * HOUR),  # Sunday's night
        (8 * HOUR, 16 * HOUR),
        (6 * DAY_S + 22 * HOUR, WEEK_S),
    )
    noon = ((0.0, 12 * HOUR), (13 * HOUR, WEEK_S))
    assert usual_hours(noon, week(mon=monday)) == ((8 * HOUR, 12 * HOUR), (13 * HOUR, 16 * HOUR))


def test_the_expected_week_leaves_out_breaks_and_days_off() -> None:
    shifts = week(mon=(Shift(8 * HOUR, 18 * HOUR, 0.5),), sun=(Shift(23 * HOUR, 25 * HOUR, 0.25),))
    noon = ((0.0, 12 * HOUR), (13 * HOUR, WEEK_S))
    assert weekly_seconds(noon, shifts) == 0.5 * 9 * HOUR + 0.25 * 2 * HOUR
    assert Calendar("c", noon, shifts=shifts).weekly_hours() == 5.0


@given(drawn_weeks())
def test_chances_add_up_to_the_expected_week(shifts: Week) -> None:
    expected = sum((end - start) * share for start, end, share in chances(ALWAYS, shifts))
    assert weekly_seconds(ALWAYS, shifts) == pytest.approx(expected)


WHOLE = tuple((Shift(0.0, DAY_S, 0.5),) for _ in range(7))


@pytest.mark.parametrize(
    ("shifts", "text"),
    [
        (WHOLE[:6], "calendar c, shifts: 6 days; expected 7, Monday to Sunday"),
        (
            ((Shift(0.0, DAY_S, 0.5),) * 3, *WHOLE[1:]),
            "shifts, Monday: the weights add up to 1.5",
        ),
        (((Shift(0.0, HOUR, -0.5),), *WHOLE[1:]), "the weight -0.5 is negative"),
        (
            ((Shift(2 * HOUR, HOUR, 0.5),), *WHOLE[1:]),
            "7200.0 to 3600.0 seconds; expected to begin in the day",
        ),
        (((Shift(DAY_S, DAY_S + 1.0, 0.5),), *WHOLE[1:]), "expected to begin in the day and to end in it or"),
        (tuple((Shift(0.0, DAY_S, 0.0),) for _ in range(7)), "no shift is ever drawn within the hours"),
    ],
)
def test_faults_of_shifts(shifts: Week, text: str) -> None:
    model = replace(
        plain_metagraph(Leaf("a", "A")),
        calendars=(Calendar("c", shifts=shifts),),
        agents=(Agent("ann", "c"),),
    )
    assert any(text in str(fault) for fault in agent_faults(model))


def test_a_presence_is_a_share() -> None:
    model = replace(
        plain_metagraph(Leaf("a", "A")), calendars=(Calendar("c"),), agents=(Agent("ann", "c", presence=0.0),)
    )
    (fault,) = agent_faults(model)
    assert str(fault) == "agent ann, presence: 0.0; expected a share above 0, at most 1"


def test_nobody_is_of_two_agents() -> None:
    agents = (
        Agent("ann", "c"),
        Agent("two", "c", members=("bob", "ann")),
        Agent("more", "c", members=("bob", "eve")),
    )
    model = replace(plain_metagraph(Leaf("a", "A")), calendars=(Calendar("c"),), agents=agents)
    assert [str(fault) for fault in agent_faults(model)] == [
        'agent two, members: "ann" is already of agent ann',
        'agent more, members: "bob" is already of agent two',
    ]

"""When a candidate takes the place of a simpler one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from calibration.settings import Settings
from twin.contest import TIE, UNDELAYED, beats, doubt
from twin.judging import Judge, Plan
from twin.options import EXTRA_HOURS, PRESENCE, PRIORITIES, RULES, TIME_MODEL, Matter

if TYPE_CHECKING:
    from twin.structures import Structure


class _Judged:
    """Knows the totals of plans by name."""

    seeds = 4

    def __init__(self, **totals: list[float]) -> None:
        self._totals = totals

    def totals(self, plan: Plan, weights: object, seeds: int) -> object:
        return np.array(self._totals[plan.name])

    def same(self, plan: Plan, other: Plan) -> bool:
        return self._totals[plan.name] == self._totals[other.name]


@pytest.mark.parametrize(
    ("matter", "worse_by", "taken"),
    [
        (PRESENCE, -2 * TIE, True),
        (PRESENCE, -0.5 * TIE, False),
        (RULES, -0.5 * TIE, True),
        (RULES, 0.5 * TIE, False),
        (EXTRA_HOURS, 0.5 * TIE, True),
        (EXTRA_HOURS, 2 * TIE, False),
        (PRIORITIES, 4 * TIE, True),
        (PRIORITIES, 6 * TIE, False),
    ],
)
def test_what_is_found_needs_less_and_what_is_certain_least(
    matter: Matter, worse_by: float, taken: bool
) -> None:
    structure = cast("Structure", _Structure())
    first, second = (Plan(name, structure, Settings()) for name in ("first", "second"))
    judge = cast(
        "Judge", _Judged(first=[0.0, 0.1, 0.2, 0.3], second=[x + worse_by for x in (0.0, 0.1, 0.2, 0.3)])
    )
    assert beats(second, first, matter, judge) is taken


@pytest.mark.parametrize(
    ("worse_by", "calendars", "taken"),
    [
        (0.9 * UNDELAYED, True, True),
        (1.1 * UNDELAYED, True, False),
        (0.0, True, False),  # the same model: no delay was found
        (0.9 * UNDELAYED, False, False),  # something else was taken away
    ],
)
def test_delays_that_the_log_shows_are_left_out_only_for_much(
    worse_by: float, calendars: bool, taken: bool
) -> None:
    structure = cast("Structure", _Structure())
    rival = Plan("first", structure, Settings(use_delay=False))
    plan = Plan("second", structure, Settings(use_delay=True, use_calendars=calendars))
    judge = cast(
        "Judge", _Judged(first=[0.0, 0.1, 0.2, 0.3], second=[x + worse_by for x in (0.0, 0.1, 0.2, 0.3)])
    )
    assert beats(plan, rival, TIME_MODEL, judge) is taken


class _Structure:
    class recipe:  # noqa: N801
        noise = 0.0
        free_order = False


def test_a_winner_that_is_farther_than_the_copy_is_doubted() -> None:
    assert doubt(-0.01) == doubt(0.0) == ""
    assert "farther from what happened than the copy" in doubt(0.01)

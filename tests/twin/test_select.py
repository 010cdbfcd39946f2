"""When a candidate takes the place of a simpler one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from calibration.settings import Settings
from twin.judging import Judge, Plan
from twin.options import EXTRA_HOURS, PRESENCE, PRIORITIES, RULES, Matter
from twin.select import TIE, _beats, _doubt

if TYPE_CHECKING:
    from twin.structures import Structure


class _Judged:
    """Knows the totals of plans by name."""

    seeds = 4

    def __init__(self, **totals: list[float]) -> None:
        self._totals = totals

    def totals(self, plan: Plan, weights: object, seeds: int) -> object:
        return np.array(self._totals[plan.name])


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
    assert _beats(second, first, matter, judge) is taken


class _Structure:
    class recipe:  # noqa: N801
        noise = 0.0
        free_order = False


def test_a_winner_that_is_farther_than_the_copy_is_doubted() -> None:
    assert _doubt(-0.01) == _doubt(0.0) == ""
    assert "farther from what happened than the copy" in _doubt(0.01)

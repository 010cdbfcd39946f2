"""Both engines give the same logs, tallies and snapshots, to the last bit; so does a run that was paused."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.simulation.equality import difference
from tests.simulation.programs import Case, Seeded, case, cases

PARTS = 10
"""So that several processes can share them."""


@pytest.mark.parametrize("part", range(PARTS))
def test_engines_agree_on_programs_that_shrink(part: int) -> None:
    @seed(part)
    @settings(max_examples=20, suppress_health_check=list(HealthCheck), database=None)
    @given(cases())
    def agree(found: Case) -> None:
        assert difference(found) == ""

    agree()


@pytest.mark.parametrize("part", range(PARTS))
def test_engines_agree_on_many_programs(part: int) -> None:
    for number in range(part, 400, PARTS):
        assert difference(case(Seeded(number))) == "", number

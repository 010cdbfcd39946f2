"""Both engines give the same logs, tallies and snapshots, to the last bit; so does a run that was paused."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings

from metagraph.blocks import Empty, Leaf, Loop
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.policies import Policy
from simulation import kernel, reference
from simulation.session import Limits, Options
from tests.simulation.builders import ORIGIN, expon, process, station
from tests.simulation.equality import difference, observed
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


def made(model: Metagraph, orders: int, limits: Limits) -> Case:
    """A plain case, all orders at once."""
    released = tuple(Order(f"o{i}", 0.0) for i in range(orders))
    return Case(model, Policy(), ORIGIN, released, None, 1, 0, Options(limits=limits), None, ())


def test_an_endless_loop_is_the_same_error_in_both() -> None:
    model = process(Loop("l", "e", Leaf("a", "A"), (Empty(),)), Constant(1.0), weights={"e": [1.0, 0.0]})
    case = made(model, 2, Limits())
    assert difference(case) == ""
    for engine in (reference, kernel):
        ((name, says),) = observed(engine, case.program(), case)
        assert name == "error"
        assert "10000 nodes" in says["says"]


@pytest.mark.parametrize(
    ("limits", "stopped"),
    [(Limits(executions=7), "executions"), (Limits(open_orders=4), "open orders"), (Limits(), "end")],
)
def test_limits_end_both_at_the_same_event(limits: Limits, stopped: str) -> None:
    case = made(station(expon(60.0), servers=2), 20, limits)
    assert difference(case) == ""
    for engine in (reference, kernel):
        assert engine.run(case.program(), 1, 0, None, case.options).stopped == stopped

"""What is said of simulated runs beside their figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metagraph.distributions import Constant
from metagraph.orders import Order, OrderModel
from metagraph.policies import PORTFOLIO, Policy
from simulation.program import Program
from simulation.reference import run
from simulation.session import Limits, Options
from tests.simulation.builders import station
from tests.simulation.small import HOUR, away, program, single
from twin.simulation_notes import noted, notes

PLAIN = Order("1", 0.0)
STATION = station(Constant(HOUR))
RANKED = replace(STATION, orders=OrderModel(segment_priority={"gold": 2.0}))
MEANT = replace(STATION, queues=tuple(replace(queue, only="cls == 'a'") for queue in STATION.queues))


def said(program: Program, options: Options | None = None) -> list[str]:
    return list(notes([noted(run(program, 0, r, options=options or Options())) for r in range(2)]))


def test_orders_that_nobody_comes_back_for() -> None:
    gone = single(Constant(2 * HOUR), absences=(away(3 * HOUR),))
    given = [Order(str(i), 0.0) for i in range(4)]
    assert said(program(gone, given)) == [
        "in 2 of 2 runs orders are never completed, 3 in the first of them: nobody who could do what is left "
        "of them comes any more"
    ]
    assert said(program(gone, given[:1])) == []


def test_a_horizon_leaves_orders_open_without_a_word() -> None:
    found = noted(run(program(STATION, [PLAIN]), 0, 0, HOUR / 2))
    assert list(notes([found])) == []


def test_limits() -> None:
    given = [Order(str(i), 0.0) for i in range(4)]
    [note] = said(program(STATION, given), Options(limits=Limits(2, 100)))
    assert note == (
        "2 of 2 runs were broken off because there were too many executions, the first of them at "
        "2024-01-01T02:00:00Z, 2.0 hours after the beginning: their figures are of what happened until then"
    )
    [note] = said(program(STATION, given), Options(limits=Limits(100, 2)))
    assert note == (
        "2 of 2 runs were broken off because orders piled up, the first of them at 2024-01-01T00:00:00Z, "
        "0.0 hours after the beginning: their figures are of what happened until then; --max-open lets more "
        "orders be open at once"
    )


@pytest.mark.parametrize(
    ("policy", "seen", "note"),
    [
        (PORTFOLIO["P"], Order("1", 0.0, value=3.0), "goes by profit, but no order has a value"),
        (PORTFOLIO["PS"], Order("1", 0.0, value=3.0), "goes by profit, but no order has a value"),
        (PORTFOLIO["D"], Order("1", 0.0, due_s=9.0), "goes by due dates, but no order has one"),
        (PORTFOLIO["HPCS"], Order("1", 0.0, segment="gold"), "goes by the importance of segments"),
        (Policy(assignment="JDQ"), Order("1", 0.0, cls="a"), "no queue is designated for any order"),
    ],
    ids=["P", "PS", "D", "HPCS", "JDQ"],
)
def test_what_a_policy_looks_at_and_no_order_has(policy: Policy, seen: Order, note: str) -> None:
    model = RANKED if "HPCS" in policy.priorities else MEANT
    [found] = said(program(model, [PLAIN], policy))
    assert note in found
    assert said(program(model, [seen, Order("2", 0.0, cls="b")], policy)) == []


@pytest.mark.parametrize("name", ["own", "S", "F1", "F2", "F3"])
def test_policies_that_need_nothing_of_orders(name: str) -> None:
    assert said(program(STATION, [PLAIN], PORTFOLIO.get(name, Policy()))) == []

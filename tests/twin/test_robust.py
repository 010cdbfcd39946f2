"""Schedules on common scenarios: by hand, and what must hold whatever the scenarios are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metagraph.distributions import Constant, Empirical
from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable
from metagraph.orders import Order, OrderModel, ProfitShape
from metagraph.policies import PORTFOLIO, Policy
from metagraph.schedule import Assignment, Schedule
from metagraph.state import OpenOrder, Position, State
from tests.simulation.builders import ORIGIN, fitted
from tests.simulation.small import HOUR, by_class, single, with_tasks
from twin.progress import CancelledError, Progress
from twin.robust import Candidate, Robust, choose

SHARP = OrderModel(profit=ProfitShape(1.0, 1.0, 0.0, 0.0, 0.0))
"""All of the value until the due date, nothing after it."""


def first(*names: str) -> Candidate:
    """Orders go in this order."""
    made = tuple(Assignment(name, "a", "x", float(rank)) for rank, name in enumerate(names))
    return Candidate(" ".join(names), Policy("schedule", priorities=("RANK",), schedule=Schedule(made)))


def compared(*candidates: Candidate, model: Metagraph, orders: list[Order], **how: object) -> Robust:
    asked = {"measure": "flow time", "scenarios": 4, **how}
    return choose(candidates, model, None, orders, ORIGIN, **asked)  # type: ignore[arg-type]


def test_flow_times_are_those_of_the_schedules() -> None:
    model = by_class(single(preemptible=False), {"long": 3 * HOUR})
    orders = [Order("l", 0.0, "long"), Order("s", 0.0)]
    found = compared(first("l", "s"), first("s", "l"), model=model, orders=orders)
    assert [(one.name, one.mean.mean) for one in found.scored] == [("s l", 5.0), ("l s", 7.0)]
    assert found.best.name == "s l"
    assert found.scored[0].behind is None
    behind = found.scored[1].behind
    assert behind is not None
    assert (behind.mean, behind.low, behind.high) == (2.0, 2.0, 2.0)
    assert found.told_apart
    assert found.better_by("s l", "l s").mean == 2.0 == -found.better_by("l s", "s l").mean
    assert (found.measure, found.unit, found.scenarios) == ("flow time", "h", 4)


def test_what_was_open_counts_from_its_release() -> None:
    opened = OpenOrder(Order("1", -HOUR), (Position("a", -HOUR, -HOUR / 2, "x"),), ())
    state = State(0.0, (opened,))
    found = choose(
        [first("2")],
        single(Constant(HOUR), preemptible=False),
        state,
        [Order("2", 0.0)],
        ORIGIN,
        measure="flow time",
        scenarios=2,
    )
    assert found.scored[0].values == (1.5 + 1.5, 3.0)


def test_the_best_mean_wins_where_the_plan_by_means_loses() -> None:
    """The risky order takes 0.2 or 3.8 h. By its mean of 2 h both orders can be done by their due dates if it
    goes first; in half of the scenarios neither is then."""
    model = single(preemptible=False)
    rows = (
        *model.tasks()[0].durations.rows,
        DurationRow(fitted(Empirical((0.2 * HOUR,) * 2 + (3.8 * HOUR,) * 2)), cls="risky"),
    )
    model = replace(with_tasks(model, durations=DurationTable(rows)), orders=SHARP)
    orders = [
        Order("r", 0.0, "risky", value=10.0, due_s=2.0 * HOUR, lost_s=50 * HOUR),
        Order("s", 0.0, value=10.0, due_s=3.0 * HOUR, lost_s=50 * HOUR),
    ]
    found = compared(
        first("r", "s"), first("s", "r"), model=model, orders=orders, measure="profit", scenarios=200
    )
    assert found.best.name == "s r"
    by_name = {one.name: one for one in found.scored}
    risky = np.array(by_name["r s"].values)
    assert set(risky) <= {0.0, 10.0, 20.0}
    assert by_name["s r"].mean.mean >= 10.0
    assert by_name["s r"].on_time == by_name["s r"].mean.mean / 20.0


def test_scenarios_are_common_to_all() -> None:
    model = single(Empirical(tuple(np.linspace(0.0, 4 * HOUR, 9))), preemptible=False)
    orders = [Order(str(i), 0.0) for i in range(4)]
    one = first("0", "1", "2", "3")
    found = compared(one, replace(one, name="again"), model=model, orders=orders, scenarios=10)
    assert found.scored[0].values == found.scored[1].values
    assert len(set(found.scored[0].values)) > 5
    assert [s.name for s in found.scored] == [one.name, "again"]
    assert not found.told_apart
    other = compared(one, model=model, orders=orders, scenarios=10, seed=1)
    assert other.scored[0].values != found.scored[0].values


def test_profits_of_lost_orders_own_tables_and_bought_hours() -> None:
    model = replace(
        single(Constant(2 * HOUR), preemptible=False), orders=OrderModel(profit=ProfitShape(lost=-0.5))
    )
    orders = [
        Order("t", 0.0, value=1.0, profit_points=((0.0, 8.0), (4 * HOUR, 0.0))),
        Order("g", 0.0, value=100.0, due_s=HOUR, lost_s=HOUR),
    ]
    bought = replace(first("t", "g"), name="bought", price=3.0)
    found = compared(first("t", "g"), bought, model=model, orders=orders, measure="profit")
    assert [one.mean.mean for one in found.scored] == [4.0 - 50.0, 4.0 - 50.0 - 3.0]


def test_interruptions_cost_what_they_are_said_to() -> None:
    """The second comes when the first has been worked on for an hour, and goes first."""
    orders = [Order("1", 0.0, value=10.0), Order("2", HOUR, value=10.0)]
    dear = replace(first("2", "1"), name="dear", per_interruption=3.0)
    found = compared(first("2", "1"), dear, model=single(Constant(3 * HOUR)), orders=orders, measure="profit")
    assert [one.mean.mean for one in found.scored] == [20.0, 17.0]


def test_lateness_counts_beyond_due_dates_only() -> None:
    orders = [Order("1", 0.0, due_s=0.0), Order("2", 0.0, due_s=9 * HOUR), Order("3", 0.0)]
    found = compared(
        first("1", "2", "3"), first("3", "2", "1"), model=single(), orders=orders, measure="lateness"
    )
    assert [one.mean.mean for one in found.scored] == [1.0, 3.0]
    assert [one.on_time for one in found.scored] == [0.5, 0.5]


def test_rules_can_be_candidates() -> None:
    model = by_class(single(preemptible=False), {"long": 3 * HOUR})
    orders = [Order("l", 0.0, "long"), Order("s", 0.0), Order("s2", 0.0)]
    found = compared(
        Candidate("F1", PORTFOLIO["F1"]), Candidate("S", PORTFOLIO["S"]), model=model, orders=orders
    )
    assert found.best.name == "S"


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 2 scenarios"):
        compared(first("1"), model=single(), orders=[Order("1", 0.0)], scenarios=1)
    with pytest.raises(UsageError, match="0 schedules"):
        compared(model=single(), orders=[Order("1", 0.0)])


def test_it_tells_how_far_it_is_and_can_be_stopped() -> None:
    told: list[tuple[str, float]] = []
    progress = Progress(lambda name, share: told.append((name, share)))
    compared(first("1"), first("1"), model=single(), orders=[Order("1", 0.0)], progress=progress)
    assert told[-1] == ("1: scenario 4 of 4", 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)
    stop = Progress(cancelled=lambda: True)
    with pytest.raises(CancelledError):
        compared(first("1"), model=single(), orders=[Order("1", 0.0)], progress=stop)

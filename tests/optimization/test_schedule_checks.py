"""Plans hold on real instants, by a second reckoning; what is wrong with a schedule is told."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scheduler_instances import Variant, snapshot
from metagraph.instances import Instance, instance_of
from metagraph.overtime import Overtime, with_overtime
from metagraph.schedule import Assignment, Schedule
from optimization.checks import check
from optimization.generation import Generator, Priorities
from optimization.outcome_agents import Clocks
from optimization.plan_schedule import schedule_of
from optimization.problem import Problem
from optimization.schedule_checks import CheckedSchedule, check_schedule
from optimization.settings import Settings
from optimization.stn import build_problem
from tests.optimization.test_outcome_agents import HOUR, LATE, SHOP, plan_for, shop


def planned(found: Instance, settings: Settings) -> tuple[Problem, Schedule, float]:
    """A plan by due dates, and its profit."""
    problem = build_problem(
        found.metagraph, found.state, found.orders, found.origin, settings, start_s=found.start_s
    )
    dues = [problem.jobs[op.job].order.due_s or 0.0 for op in problem.ops]
    plan = Generator(problem).plan(Priorities(np.array(dues)))
    clocks = Clocks(with_overtime(found.metagraph, settings.overtime, found.origin), problem, found.origin)
    return problem, schedule_of(problem, plan, clocks.first_there), check(problem, plan).values[0]


def checked(found: Instance, schedule: Schedule, *overtime: Overtime) -> CheckedSchedule:
    return check_schedule(
        found.metagraph,
        found.state,
        found.orders,
        found.origin,
        schedule,
        start_s=found.start_s,
        overtime=overtime,
    )


@pytest.mark.parametrize("variant", ["plain", "balanced", "heterogeneous"])
@pytest.mark.parametrize("dt_s", [300.0, 900.0])
def test_plans_hold_on_real_instants(variant: Variant, dt_s: float) -> None:
    for seed in range(3):
        found = snapshot(12, seed, dt_s=dt_s, variant=variant)
        _, schedule, profit = planned(found, Settings(dt_s=dt_s))
        again = checked(found, schedule)
        assert again.faults == ()
        assert again.profit == pytest.approx(profit)


SCHEDULE = {
    ("2", "pack"): ("Jim", 8.0, 9.0),
    ("1", "cut"): ("Ida", 9.0, 11.0),
    ("1", "pack"): ("Jim", 12.0, 13.0),
}
"""For SHOP, at 8:30: order 2 is being packed by Jim; order 1 comes at 8:45, Ida at 9."""


def by_hand(**changes: tuple[str, float, float] | None) -> Schedule:
    """SCHEDULE with tasks of order 1 by another agent or at other hours; None: not named."""
    rows = {**SCHEDULE, **{("1", task): row for task, row in changes.items()}}
    return Schedule(
        tuple(
            Assignment(order, task, row[0], float(i), row[1] * HOUR, row[2] * HOUR)
            for i, ((order, task), row) in enumerate(rows.items())
            if row is not None
        )
    )


def test_a_schedule_by_hand() -> None:
    found, _ = shop()
    again = checked(found, by_hand())
    assert again.faults == ()
    assert [(one.order, one.completed_s) for one in again.orders] == [("2", 9 * HOUR), ("1", 13 * HOUR)]
    assert again.profit == pytest.approx(200.0)
    assert again.on_time == 1.0


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"cut": ("Ida", 8.75, 11.0)}, "task cut: it begins at 0.25 h, when Ida isn't there until 0.5 h"),
        (
            {"cut": ("Ida", 12.0, 15.0), "pack": ("Jim", 16, 17)},
            "cut: it begins at 3.5 h, when Ida isn't there until",
        ),
        (
            {"cut": ("Ida", 10.0, 12.0), "pack": ("Jim", 12.5, 13.5)},
            "pack: it begins at 4 h; it can't before 4.5 h",
        ),
        (
            {"cut": ("Ida", 11.0, 13.5), "pack": ("Jim", 15, 16)},
            "Ida works 1.5 h on it until 5 h; it takes 2 h",
        ),
        ({"cut": None}, "Order 1, task cut: nobody does it, though others of the order are done"),
        ({"pack": ("Joe", 12.0, 12.5)}, "Joe works 0.5 h on it until 4 h; it takes 1 h"),
    ],
)
def test_what_is_wrong_is_told(changes: dict[str, tuple[str, float, float] | None], fault: str) -> None:
    found, _ = shop()
    again = checked(found, by_hand(**changes))
    assert any(fault in one for one in again.faults), again.faults
    assert len(again.faults) == 1


def three(preemptible: bool = True) -> Instance:
    """SHOP with a third order that can be packed at once."""
    third = {"id": "3", "value": 50, "T_r": 0, "T_d": 20, "done": ["cut", "dry"]}
    pack = {**SHOP["tasks"]["pack"], "preemptible": preemptible}
    tasks = {**SHOP["tasks"], "pack": pack}
    return instance_of({**SHOP, "tasks": tasks, "orders": [*SHOP["orders"], third]}, "shop.json")


def third_packed(agent: str, begin: float, end: float) -> Schedule:
    more = Assignment("3", "pack", agent, 9.0, begin * HOUR, end * HOUR)
    return Schedule((*by_hand().assignments, more))


def test_one_thing_at_a_time() -> None:
    assert checked(three(), third_packed("Joe", 8.5, 9.5)).faults == ()
    assert checked(three(), third_packed("Jim", 9, 10)).faults == ()
    assert checked(three(), third_packed("Jim", 8.5, 9.5)).faults == (
        "Jim: 2 things at once at 0 h, 1 can be: order 2, task pack, order 3, task pack.",
    )
    assert "order 1, task pack" in checked(three(), third_packed("Jim", 12.5, 13.5)).faults[0]


def test_work_under_way_goes_on_or_is_interrupted_if_it_can_be() -> None:
    rest = by_hand().assignments[1:]
    # Not named it goes on until 9, as does what can't be interrupted of an order that is given up.
    for preemptible, faults in ((False, 1), (True, 0)):
        found = three(preemptible)
        stands = checked(found, Schedule(rest)).orders[0].standing
        assert stands == ("left out" if preemptible else "on time")
        packed = Assignment("3", "pack", "Jim", 9.0, 8.5 * HOUR, 9.5 * HOUR)
        assert len(checked(found, Schedule((*rest, packed))).faults) == faults
        later = Assignment("2", "pack", "Jim", 9.0, 10 * HOUR, 10.5 * HOUR)
        told = checked(found, Schedule((*rest, later))).faults
        assert told == (
            () if preemptible else ("Order 2, task pack: Jim works on it, and it can't be interrupted.",)
        )
    short = Assignment("2", "pack", "Joe", 9.0, 10 * HOUR, 10.25 * HOUR)
    assert "Joe works 0.25 h on it" in checked(three(), Schedule((*rest, short))).faults[0]


def test_orders_that_are_not_named_are_left_out_and_strangers_are_a_fault() -> None:
    found = three()
    again = checked(found, by_hand())
    assert [one.standing for one in again.orders] == ["on time", "left out", "on time"]
    assert again.profit == pytest.approx(200.0)
    stranger = Schedule((*by_hand().assignments, Assignment("9", "pack", "Joe", 1.0, 0.0, HOUR)))
    assert checked(found, stranger).faults == ("Order 9: it isn't one of those to be done.",)


def test_bought_hours_are_worked_and_paid() -> None:
    found, problem = shop(overtime=(LATE,))
    plan = plan_for(problem, {("1", "cut"): 9, ("1", "dry"): 11, ("1", "pack"): 12}, bought=True)
    clocks = Clocks(with_overtime(found.metagraph, (LATE,), found.origin), problem, found.origin)
    schedule = schedule_of(problem, plan, clocks.first_there)
    assert "isn't there" in checked(found, schedule).faults[0]
    again = checked(found, schedule, LATE)
    assert again.faults == ()
    assert again.spent == LATE.price
    assert again.profit == pytest.approx(check(problem, plan).values[0])

"""Plans hold on real instants, by a second reckoning; what is wrong with a schedule is told."""

from __future__ import annotations

from dataclasses import replace

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


def changed(orders: dict[str, dict[str, object]], **tasks: dict[str, object]) -> Instance:
    """SHOP with these fields of orders and tasks."""
    raw = {
        **SHOP,
        "tasks": {name: {**task, **tasks.get(name, {})} for name, task in SHOP["tasks"].items()},
        "orders": [{**order, **orders.get(order["id"], {})} for order in SHOP["orders"]],
    }
    return instance_of(raw, "shop.json")


def named(*tasks: tuple[str, str]) -> Schedule:
    """Part of SCHEDULE."""
    return Schedule(tuple(one for one in by_hand().assignments if (one.order, one.task) in tasks))


FIRST = (("1", "cut"), ("1", "pack"))
CUTTING: dict[str, object] = {"done": [], "in_progress": [{"task": "cut", "agent": "Ida", "started_h": 8.2}]}


def test_what_cannot_be_interrupted_of_an_order_given_up_keeps_its_agent() -> None:
    """Order 2 is being cut, until 10:42 by Ida's shifts."""
    for preemptible in (False, True):
        found = changed({"2": CUTTING}, cut={"preemptible": preemptible})
        again = checked(found, named(*FIRST))
        assert [one.standing for one in again.orders] == ["left out", "on time"]
        assert [fault.split(" at ")[0] for fault in again.faults] == (
            [] if preemptible else ["Ida: 2 things"]
        )


def test_strangers_hold_nobody_and_their_work_goes_on() -> None:
    found = changed({"2": {"in_progress": [{"task": "pack", "agent": "Jim", "started_h": 8}]}})
    assert found.state is not None
    (one,) = found.state.orders
    unknown = replace(one, positions=tuple(replace(place, agent="Zoe") for place in one.positions))
    zoes = replace(found, state=replace(found.state, orders=(unknown,)))
    again = checked(zoes, named(*FIRST))
    assert again.faults == ()
    assert [(one.order, one.completed_s) for one in again.orders] == [("2", 9 * HOUR), ("1", 13 * HOUR)]


def test_what_is_done_or_has_no_instants_is_told() -> None:
    twice = Schedule((*by_hand().assignments, Assignment("2", "cut", "Ida", 9.0, 14 * HOUR, 16 * HOUR)))
    assert checked(shop()[0], twice).faults == ("Order 2, task cut: it is done already.",)
    first, *rest = by_hand().assignments
    for missing in (replace(rest[0], start_s=None), replace(rest[0], end_s=None)):
        told = checked(shop()[0], Schedule((first, missing, *rest[1:]))).faults
        assert told[0] == "Order 1, task cut: start or end isn't told."


def test_what_orders_bring_that_are_left_out_late_or_without_a_value() -> None:
    first = named(("2", "pack"))
    fined = {**SHOP["profit_rule"], "p_ls": -0.2}
    raw = {**SHOP, "profit_rule": fined}
    assert checked(instance_of(raw, "shop.json"), first).profit == pytest.approx(100.0 - 20.0)
    late = changed({"1": {"T_d": 10}})
    again = checked(late, by_hand())
    assert again.on_time == 0.5
    assert again.orders[1].standing == "late"
    # Half the value less is lost over 38 h, from nine tenths on: 3 h of that have passed.
    assert again.orders[1].profit == pytest.approx(90.0 - 40.0 * 3 / 38)
    plain = checked(changed({"1": {"value": None, "T_d": None, "T_ls": None}}), by_hand())
    assert plain.profit == pytest.approx(100.0)
    assert plain.on_time == 1.0
    assert plain.orders[1].profit is None


def test_hours_that_nobody_works_in_are_not_paid() -> None:
    found, _ = shop()
    again = checked(found, by_hand(), LATE)
    assert (again.faults, again.spent) == ((), 0.0)
    assert again.profit == pytest.approx(200.0)


WORKSHOP = {
    "tasks": {"cut": {"agents": ["Ida"], "h": 2}},
    "agents": {"Ida": {"calendar": "day"}},
    "calendars": {"day": {"week_h": [[8, 16], [32, 40]]}},
    "overtime": [{"agent": "Ida", "start_h": 17, "end_h": 20, "price": 5}],
    "orders": [{"id": name, "T_r": 8, "value": 10} for name in "12"],
}


@pytest.mark.parametrize(("second", "clash"), [((17, 19), False), ((32.5, 34.5), True)])
def test_bought_hours_may_hold_other_work_while_that_of_the_day_pauses(
    second: tuple[float, float], clash: bool
) -> None:
    found = instance_of(WORKSHOP, "workshop.json")
    spans = {"1": (15, 33), "2": second}
    schedule = Schedule(
        tuple(Assignment(o, "cut", "Ida", b, b * HOUR, e * HOUR) for o, (b, e) in spans.items())
    )
    faults = checked(found, schedule, *found.overtime).faults
    assert [fault for fault in faults if "at once" not in fault] == []
    assert bool(faults) == clash


def test_bought_hours_hold_one_thing_at_a_time() -> None:
    found = instance_of(WORKSHOP, "workshop.json")
    schedule = Schedule(tuple(Assignment(o, "cut", "Ida", 17, 17 * HOUR, 19 * HOUR) for o in "12"))
    assert "2 things at once" in checked(found, schedule, *found.overtime).faults[0]

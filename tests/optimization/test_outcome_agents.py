"""Who does what under a plan, against calendars and bought hours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metagraph.instances import Instance, instance_of
from metagraph.overtime import Overtime, with_overtime
from optimization.outcome_agents import Clocks, agent_outcomes, bought_hours, work_outcomes
from optimization.problem import NOBODY, Plan, Problem
from optimization.settings import Settings
from optimization.stn import build_problem
from tests.optimization.handmade import plan_of

HOUR = 3600.0
SHOP: dict[str, Any] = {
    "at_h": 8.5,
    "tasks": {
        "cut": {"agents": ["Ida"], "h": 2},
        "dry": {"h": 1, "preds": ["cut"]},
        "pack": {"agents": ["Joe", "Jim"], "h": 1, "preds": ["dry"]},
    },
    "agents": {"Ida": {"calendar": "day"}},
    "calendars": {"day": {"week_h": [[9, 12], [13, 17]]}},
    "profit_rule": {"p_e": 1, "p_d": 1, "p_l": 0.9, "p_f": 0.5, "p_ls": 0, "T_ls": 48},
    "orders": [
        {"id": "1", "value": 100, "T_r": 8.75, "T_d": 20},
        {"id": "2", "value": 100, "T_r": 0, "T_d": 20, "done": ["cut", "dry"],
         "in_progress": [{"task": "pack", "agent": "Jim", "started_h": 8}]},
    ],
}  # fmt: skip
LATE = Overtime("Ida", 17.5 * HOUR, 19.5 * HOUR, 30.0)


def shop(**settings: Any) -> tuple[Instance, Problem]:
    found = instance_of(SHOP, "shop.json")
    chosen = Settings(dt_s=HOUR, **settings)
    return found, build_problem(found.metagraph, found.state, found.orders, found.origin, chosen)


def plan_for(problem: Problem, starts: dict[tuple[str, str], int], bought: bool = False) -> Plan:
    """The plan with these starts; operations that are held go on."""
    found = [
        0 if op.held is not None else starts[problem.jobs[op.job].order.id, op.task] for op in problem.ops
    ]
    modes = [
        next(
            m
            for m, mode in enumerate(op.modes)
            if mode.pool == NOBODY or bool(problem.pools[mode.pool].price) == (bought and op.task == "cut")
        )
        if op.held is None
        else op.held
        for op in problem.ops
    ]
    return plan_of(found, modes)


def test_work_begins_when_the_shift_opens_and_busy_time_is_working_time() -> None:
    found, problem = shop()
    # Point 0 is 8:30: the period holds half an hour of the shift, so the cut is over at 11:30, by the grid.
    plan = plan_for(problem, {("1", "cut"): 3, ("1", "dry"): 7, ("1", "pack"): 8})
    clocks = Clocks(found.metagraph, problem, found.origin)
    work = work_outcomes(problem, plan, clocks.first_there)
    held, cut, pack = work
    assert (held.order, held.agent, held.start_s, held.running) == ("2", "Jim", 8.5 * HOUR, True)
    assert (cut.agent, cut.start_s, cut.end_s) == ("Ida", 11.5 * HOUR, 14.5 * HOUR)
    assert pack.task == "pack", "nobody's work isn't listed"
    by_name = {one.agent: one for one in agent_outcomes(found.metagraph, problem, work, (), clocks)}
    ida = by_name["Ida"]
    assert (ida.tasks, ida.busy_s, ida.bought) == (1, 2 * HOUR, False)
    # The plan ends at 17:30: Ida is there from 9 to 12 and from 13 to 17.
    assert ida.there_s == 7 * HOUR
    assert ida.off == ((8.5 * HOUR, 9 * HOUR), (12 * HOUR, 13 * HOUR), (17 * HOUR, 17.5 * HOUR))
    assert (by_name["Jim"].off, by_name["Joe"].tasks + by_name["Jim"].tasks) == ((), 2)


def test_a_start_before_the_shift_opens_is_told_at_its_opening() -> None:
    found, problem = shop()
    plan = plan_for(problem, {("1", "cut"): 1, ("1", "dry"): 5, ("1", "pack"): 6})
    clocks = Clocks(found.metagraph, problem, found.origin)
    assert clocks.first_there("Ida", 8.5 * HOUR) == 9 * HOUR
    assert clocks.first_there("Ida", 12 * HOUR) == 13 * HOUR
    assert clocks.first_there("Joe", 8.5 * HOUR) == 8.5 * HOUR
    assert [one.start_s for one in work_outcomes(problem, plan, clocks.first_there)][1] == 9.5 * HOUR
    # Point 4 is 12:30; the break lasts until 13:00.
    noon = plan_for(problem, {("1", "cut"): 4, ("1", "dry"): 8, ("1", "pack"): 9})
    assert [one.start_s for one in work_outcomes(problem, noon, clocks.first_there)][1] == 13 * HOUR


def test_hours_are_bought_if_something_begins_in_them() -> None:
    found, problem = shop(overtime=(LATE, replace(LATE, start_s=20 * HOUR, end_s=22 * HOUR)))
    plan = plan_for(problem, {("1", "cut"): 9, ("1", "dry"): 12, ("1", "pack"): 13}, bought=True)
    bought = bought_hours(problem, plan, (LATE, replace(LATE, start_s=20 * HOUR, end_s=22 * HOUR)))
    assert bought == (LATE,)
    clocks = Clocks(with_overtime(found.metagraph, bought, found.origin), problem, found.origin)
    work = work_outcomes(problem, plan, clocks.first_there)
    ida = next(a for a in agent_outcomes(found.metagraph, problem, work, bought, clocks) if a.agent == "Ida")
    assert ida.bought
    assert ida.busy_s == pytest.approx(2 * HOUR)
    assert (
        bought_hours(problem, plan_for(problem, {("1", "cut"): 1, ("1", "dry"): 5, ("1", "pack"): 6}), bought)
        == ()
    )

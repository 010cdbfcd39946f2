"""The problem on its grid, against what can be reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from metagraph.agents import UNLIMITED, Agent
from metagraph.errors import InfeasibleError
from metagraph.instances import Instance, instance_of
from optimization.alone import earliest
from optimization.checks import check
from optimization.problem import NOBODY, Problem
from optimization.settings import Preemption, Settings
from optimization.solve import solve
from optimization.stn import build_problem
from optimization.work import places

WORKSHOP: dict[str, Any] = {
    "tasks": {
        "saw": {"agents": ["Ida"], "h": {"small": 1, "*": 2}},
        "drill": {"agents": ["Ida", "Joe", "Jim"], "h": 1.5, "preds": ["saw"]},
        "paint": {"agents": ["Kim", "Lea"], "preemptible": False, "h": 1, "preds": ["saw"]},
        "dry": {"h": 6, "preds": ["paint"]},
        "pack": {"agents": ["Joe"], "h": 0.5, "preds": ["drill", "dry"], "delay_h": 1},
    },
    "agents": {"Ida": {"calendar": "day"}},
    "calendars": {"day": {"week_h": [[8, 12], [13, 17], [32, 41]]}},
    "profit_rule": {"p_e": 1, "p_d": 1, "p_l": 0.9, "p_f": 0.5, "p_ls": 0},
    "orders": [{"id": "1", "value": 100, "T_r": 0, "T_d": 20, "T_ls": 30}],
}


def instance(**changes: Any) -> Instance:
    return instance_of({**WORKSHOP, **changes}, "workshop.json")


def built(found: Instance, settings: Settings) -> Problem:
    return build_problem(
        found.metagraph, found.state, found.orders, found.origin, settings, start_s=found.start_s
    )


def hours(dt: float = 1.0, **more: Any) -> Settings:
    return Settings(dt_s=dt * 3600, **more)


def test_agents_who_are_alike_form_pools() -> None:
    problem = built(instance(), hours())
    # Joe also packs, and Ida has hours of her own.
    assert [pool.units for pool in problem.pools] == [("Ida",), ("Joe",), ("Jim",), ("Kim", "Lea")]
    assert problem.grid.periods == 30
    # Work may end with the horizon.
    assert problem.ops[4].modes[0].ends[28:].tolist() == [29, 30, problem.grid.never]
    pace = [{"h": 1, "agent": who, "class": "small"} for who in ("Kim", "Lea")]
    for of_lea in (2, 3):
        more = [{"h": h, "agent": who, "class": "big"} for who, h in (("Kim", 2), ("Lea", of_lea))]
        paint = {"agents": ["Kim", "Lea"], "h": [{"h": 1.5}, *pace, *more], "preds": ["saw"]}
        found = built(instance(tasks={**WORKSHOP["tasks"], "paint": paint}), hours())
        assert (("Kim", "Lea") in [pool.units for pool in found.pools]) == (of_lea == 2)


def test_who_does_several_things_at_once_is_as_many_units() -> None:
    found = instance(agents={"Joe": {"capacity": 2}, "Jim": {"capacity": 3, "sharing": "shared"}})
    held = instance(**STANDING, agents={"Lea": {"capacity": 2}, "Kim": {"capacity": 2}})
    pools = built(found, hours()).pools
    assert [pool.units for pool in pools[:3]] == [("Ida",), ("Joe", "Joe"), ("Jim",)]
    assert [set(pool.capacity.tolist()) for pool in pools[:3]] == [{1}, {2}, {1}]
    for part, told in (
        ({"sharing": "shared", "capacity": 2}, "share their time"),
        ({"presence": 0.5}, "some days only"),
    ):
        agents = tuple(replace(a, **part) if a.id == "Jim" else a for a in found.metagraph.agents)
        notes = built(replace(found, metagraph=replace(found.metagraph, agents=agents)), hours()).notes
        assert sum(told in note for note in notes) == 1
    assert places(Agent("x", "always", capacity=UNLIMITED, sharing="shared")) == UNLIMITED
    painters = built(held, hours()).pools[-1]
    assert [painters.units, painters.capacity[:2].tolist()] == [("Kim", "Kim", "Lea", "Lea"), [3, 4]]


def test_who_alone_may_go_on_is_told_from_others_like_them() -> None:
    """Whether by their own name or by that of one for whom they stand; not what they don't do any more."""
    tasks = {**WORKSHOP["tasks"], "paint": {"agents": ["Kim", "Lea"], "h": 1, "preds": ["saw"]}}
    for name, alone in (("Lea", True), ("Zoe", True), ("Joe", False)):
        begun = {"task": "paint", "agent": "Lea", "started_h": 9.5}
        raw = instance(
            orders=[WORKSHOP["orders"][0] | {"done": ["saw"], "in_progress": [begun]}], at_h=10, tasks=tasks
        )
        assert raw.state is not None
        (one,) = raw.state.orders
        places = tuple(replace(p, agent=name) if p.agent == "Lea" else p for p in one.positions)
        agents = tuple(replace(a, members=("Zoe",)) if a.id == "Lea" else a for a in raw.metagraph.agents)
        found = replace(
            raw,
            metagraph=replace(raw.metagraph, agents=agents),
            state=replace(raw.state, orders=(replace(one, positions=places),)),
        )
        problem = built(found, hours(preemption=Preemption(same_agent=True)))
        assert (("Lea",) in [pool.units for pool in problem.pools]) == alone
        assert [len(op.modes) for op in problem.ops if op.task == "paint"] == ([1] if alone else [])
        assert ("Work under way by agents whom" in " ".join(problem.notes)) == (not alone)
        free = built(found, hours()).pools
        assert ("Kim", "Lea") in [pool.units for pool in free]


def test_work_runs_while_the_agent_is_there() -> None:
    problem = built(instance(), hours())
    saw = problem.ops[0]
    never = problem.grid.never
    assert [saw.task, saw.modes[0].work_s] == ["saw", 7200.0]
    # Two hours from 8, 9, 10 end at 10, 11, 12; from 11 the break lies between; from 16 the night.
    assert saw.modes[0].ends[7:18].tolist() == [never, 10, 11, 12, 14, never, 15, 16, 17, never, never]


def test_what_fits_a_part_of_a_period_is_done_in_it() -> None:
    """A shift begins at half past eight: twenty minutes fit the rest of that hour, forty don't."""
    for work_h, ends in ((1 / 3, [9, 10]), (2 / 3, [10, 10])):
        found = instance(
            tasks={"saw": {"agents": ["Ida"], "h": work_h}}, calendars={"day": {"week_h": [[8.5, 12]]}}
        )
        assert built(found, hours()).ops[0].modes[0].ends[8:10].tolist() == ends


def test_a_coarser_grid_rounds_durations_up() -> None:
    found = instance(agents={}, calendars={})
    drill = built(found, hours(1)).ops[1]
    assert drill.modes[0].ends[:3].tolist() == [2, 3, 4]
    drill = built(found, hours(0.5)).ops[1]
    assert drill.modes[0].ends[:3].tolist() == [3, 4, 5]


def test_delays_and_what_needs_nobody() -> None:
    problem = built(instance(), hours())
    dry, pack = problem.ops[3], problem.ops[4]
    assert dry.modes[0].pool == NOBODY
    assert dry.modes[0].ends[:3].tolist() == [6, 7, 8]
    assert pack.preds == (1, 3)
    assert pack.lag is not None
    assert pack.lag[:3].tolist() == [1, 2, 3]
    assert pack.lag[-1] == problem.grid.never
    assert problem.jobs[0].sinks == (4,)


def test_profit_descends_from_the_due_date_to_the_lost_sale() -> None:
    worth = built(instance(), hours()).levels[0].worth[0]
    assert worth[[0, 20, 25, 30, 31]].tolist() == pytest.approx([100, 100, 70, 50, 0])
    assert (np.diff(worth) <= 0).all()


STANDING = {
    "at_h": 10,
    "orders": [
        {
            "id": "1",
            "value": 100,
            "T_r": 0,
            "T_d": 20,
            "T_ls": 30,
            "done": ["saw"],
            "in_progress": [
                {"task": "drill", "agent": "Jim", "started_h": 9.5},
                {"task": "paint", "agent": "Lea", "started_h": 9.5},
            ],
        }
    ],
}


def test_what_is_under_way_goes_on_or_is_left_to_the_plan() -> None:
    problem = built(instance(**STANDING), hours())
    drill, dry, pack = problem.ops
    # Painting can't be interrupted: half an hour is left, so Lea is free again at the next point.
    assert [(work.task, work.unit, work.end) for work in problem.running] == [("paint", "Lea", 1)]
    painters = next(pool for pool in problem.pools if pool.units[0] in ("Kim", "Lea"))
    assert [painters.units, painters.capacity[:2].tolist()] == [("Kim", "Lea"), [1, 2]]
    assert [dry.preds, dry.ready] == [(), 1]
    # Of drilling an hour is left; it may go on, or wait, or move.
    assert drill.held is not None
    assert [drill.held_unit, problem.pools[drill.modes[drill.held].pool].units] == ["Jim", ("Jim",)]
    assert [mode.ends[0] for mode in drill.modes] == [1, 1, 1]
    assert pack.preds == (0, 1)


def test_preemption_can_be_made_dear_or_forbidden() -> None:
    dear = built(
        instance(**STANDING),
        hours(preemption=Preemption(resume_penalty_s=3600, same_agent=True, most=0, penalty=5)),
    )
    drill = dear.ops[0]
    assert [len(drill.modes), drill.held, dear.most_preempted] == [1, 0, 0]
    # An hour is left, two after an interruption.
    assert drill.modes[0].ends[:3].tolist() == [1, 3, 4]
    assert dear.levels[0].per_preemption == 5
    for forbidden in (
        Preemption(allowed=False),
        Preemption(forbidden=("drill",)),
        Preemption(most_per_item=0),
    ):
        problem = built(instance(**STANDING), hours(preemption=forbidden))
        assert [work.task for work in problem.running] == ["drill", "paint"]
        assert problem.ops[-1].preds == (0,)
        assert problem.ops[-1].ready == 2  # drilled at 11, and an hour's delay


def test_horizons() -> None:
    def reach(**more: Any) -> int:
        return built(instance(), hours(7, **more)).grid.periods

    assert reach() == 5
    assert reach(horizon="fixed", horizon_s=20 * 3600) == 2
    assert reach(horizon="shrinking", horizon_s=22 * 3600) == 3
    with pytest.raises(InfeasibleError, match="finer grid"):
        reach(horizon="fixed", horizon_s=3600)


def test_without_lost_sale_dates_the_horizon_holds_all_the_work() -> None:
    orders = [{"id": str(i), "T_r": 0} for i in range(8)]
    problem = built(instance(orders=orders), hours(1))
    worth = problem.levels[0].worth
    assert problem.levels[0].name == "flow time"
    # Ida saws for 16 h, 8 h on Monday and 8 of the 9 h on Tuesday, which begins at 32.
    assert problem.grid.periods >= 32 + 8 + 1 + 6 + 1
    assert worth[0, :3].tolist() == [0, -1, -2]
    assert "no values" in problem.notes[0]


def test_the_horizon_holds_work_that_takes_longer_the_longer_it_lasts() -> None:
    """What is left of it after 20 h is more than all of it was expected to take."""
    law = {"kind": "parametric", "family": "lognorm", "params": [1.5, 0, 1]}
    tasks = {
        "check": {"agents": ["Joe"], "h": law, "preemptible": False},
        "pack": {"agents": ["Joe"], "h": 0.5, "preds": ["check"]},
    }
    begun = {"id": "1", "T_r": 0, "in_progress": [{"task": "check", "agent": "Joe", "started_h": 0}]}
    found = instance(tasks=tasks, agents={}, at_h=20, orders=[begun])
    problem = built(found, hours(1))
    left = problem.running[0].end
    assert left > 8
    assert earliest(problem, 0) <= problem.grid.periods
    assert problem.grid.periods <= 3 * left


def test_tasks_that_take_no_time_are_passed_through() -> None:
    tasks = {**WORKSHOP["tasks"], "paint": {"agents": ["Kim"], "h": 0, "preds": ["saw"]}}
    problem = built(instance(tasks=tasks), hours())
    assert [op.task for op in problem.ops] == ["saw", "drill", "dry", "pack"]
    assert problem.ops[2].preds == (0,)


def test_absences_stop_work() -> None:
    agents = {"Joe": {"absences": [{"start_h": 2, "end_h": 5}, {"start_h": 20}]}}
    problem = built(instance(agents=agents, calendars={}), hours(0.5))
    joe = next(i for i, pool in enumerate(problem.pools) if pool.units == ("Joe",))
    mode = next(mode for mode in problem.ops[1].modes if mode.pool == joe)
    # An hour and a half from 1 on: one hour before, half an hour after.
    assert mode.ends[2] == 11
    assert mode.ends[4:10].tolist() == [problem.grid.never] * 6
    # Joe leaves at 20 and doesn't come back.
    assert mode.ends[36:40].tolist() == [39, 40, problem.grid.never, problem.grid.never]
    hired = built(instance(agents={"Joe": {"hired_h": 3}}, calendars={}), hours(0.5))
    assert hired.ops[1].modes[1].ends[4:8].tolist() == [problem.grid.never] * 2 + [9, 10]


def test_more_work_under_way_than_an_agent_does_at_once() -> None:
    order = {"value": 100, "T_r": 0, "T_d": 20, "T_ls": 30, "done": ["saw"]}
    held = {"in_progress": [{"task": "drill", "agent": "Joe", "started_h": 9}]}
    orders = [{"id": "1", **order, **held}, {"id": "2", **order, **held}]
    found = instance(orders=orders, at_h=9.5)
    problem = built(found, hours(0.5))
    drills = [op for op in problem.ops if op.task == "drill"]
    assert [op.held_unit for op in drills] == ["Joe", ""]
    assert [op.modes[1].work_s for op in drills] == [3600.0, 3600.0]
    assert [note for note in problem.notes if "at once" in note] == [
        "Joe is said to be at 2 things at once and does 1: the others count as waiting, with what is left of "
        "them."
    ]
    found_by_solving = solve(problem)
    check(problem, found_by_solving.plan)
    assert found_by_solving.status == "optimal"

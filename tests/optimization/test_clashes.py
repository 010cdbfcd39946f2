"""Orders that can't be done in time are named with the least that stands against them."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from metagraph.errors import InfeasibleError, UsageError
from metagraph.instances import Instance, instance_of
from optimization.alone import Alone, Limit, earliest
from optimization.clashes import MOST_TOLD, Clash, clashes, notes_of, smallest
from optimization.problem import Problem, fulfilled
from optimization.settings import Preemption, Settings
from optimization.stn import build_problem
from tests.optimization.handmade import HOUR
from tests.optimization.problems import Kind, plans, small_problem

DOCK: dict[str, Any] = {
    "origin": "2026-11-23T00:00:00Z",
    "tasks": {
        "create": {"label": "Create order", "agents": ["Cleo"], "h": 0.5},
        "load": {"label": "Load goods", "agents": ["Ann", "Bob"], "h": 32 / 60, "preds": ["create"]},
    },
    "agents": {"Ann": {"calendar": "day"}, "Bob": {"calendar": "day"}},
    "calendars": {"day": {"week_h": [[6, 14], [16, 22], [30, 38]]}},
    "at_h": 14,
    "profit_rule": {"p_e": 1, "p_d": 1, "p_l": 0.9, "p_f": 0.5, "p_ls": 0},
}
QUARTER = Settings(dt_s=900.0)
CREATED = {"done": ["create"], "waiting": [{"task": "load", "enabled_h": 13}]}


def made(orders: list[dict[str, Any]], settings: Settings = QUARTER, **raw: Any) -> tuple[Problem, Instance]:
    rows = [{"value": 100, "T_r": 0, **order} for order in orders]
    found = instance_of({**DOCK, **raw, "orders": rows}, "dock.json")
    problem = build_problem(
        found.metagraph, found.state, found.orders, found.origin, settings, start_s=found.start_s
    )
    return problem, found


def told(orders: list[dict[str, Any]], settings: Settings = QUARTER, **raw: Any) -> tuple[Clash, ...]:
    problem, found = made(orders, settings, **raw)
    return clashes(problem, found.metagraph, found.origin)


FINE = {"id": "fine", "T_d": 30, "T_ls": 40}
"""Keeps the others from being all there is."""


@pytest.mark.parametrize(
    ("order", "raw", "sentence"),
    [
        (
            {"T_d": 15, "T_ls": 15.5, **CREATED},
            {},
            "needs Load goods (32 min) by Ann or Bob; neither is on shift between 14:00 and its lost-sale "
            "date 15:30: it counts as lost.",
        ),
        (
            {"T_d": 15, "T_ls": 16.3, **CREATED},
            {},
            "needs Load goods (32 min) by Ann or Bob, on shift for 18 min between 14:00 and its lost-sale "
            "date 16:18: it counts as lost.",
        ),
        (
            {"T_d": 15, "T_ls": 15.5, **CREATED},
            {"agents": {"Ann": {"absences": [{"start_h": 9}]}, "Bob": {"absences": [{"start_h": 9}]}}},
            "needs Load goods (32 min) by Ann or Bob; neither is on shift from 14:00 on: it counts as lost.",
        ),
        (
            {"T_d": 16, "T_ls": 17, **CREATED, "material_h": {"load": 16.5}},
            {},
            "has no material for Load goods before 16:30; needs Load goods (32 min); its lost-sale date is "
            "17:00: it counts as lost.",
        ),
        (
            {"T_r": 16.2, "T_d": 17, "T_ls": 17.1},
            {},
            "is released at 16:12; needs Create order (30 min) and Load goods (32 min); its lost-sale date "
            "is 17:06: it counts as lost.",
        ),
        (
            {"T_d": 14.2, "T_ls": 14.4},
            {"agents": {}, "calendars": {}},
            "needs Load goods (32 min); its lost-sale date is 14:24: it counts as lost.",
        ),
        (
            {"T_d": 14.8, "T_ls": 15.1},
            {"agents": {}, "calendars": {}},
            "needs Create order (30 min) and Load goods (32 min); each piece of work takes whole periods of "
            "15 min; its lost-sale date is 15:06: it counts as lost.",
        ),
        ({"T_d": 13, "T_ls": 13.5}, {}, "its lost-sale date 13:30 was 30 min ago: it counts as lost."),
        ({"T_d": 13, "T_ls": 39}, {}, "its due date 13:00 was 1 h ago: it can't be on time."),
        (
            {"T_d": 16.4, "T_ls": 39},
            {},
            "needs Load goods (32 min) by Ann or Bob, on shift for 24 min between 14:00 and its due date "
            "16:24: it can't be on time.",
        ),
    ],
)
def test_an_order_is_told_with_the_least_that_stands_against_it(
    order: dict[str, Any], raw: dict[str, Any], sentence: str
) -> None:
    everyone = {**FINE, "done": ["create"]} if "agents" not in raw else FINE
    if raw.get("agents"):  # Nobody loads any more, so that there is no order that can be done.
        with pytest.raises(InfeasibleError) as caught:
            told([{"id": "17", **order}], **raw)
        assert str(caught.value) == f"nothing can be planned. Order 17 {sentence}"
        return
    found = told([{"id": "17", **order}, everyone], **raw)
    assert [clash.sentence.replace("Order 17: ", "Order 17 ") for clash in found] == [f"Order 17 {sentence}"]


def test_work_that_goes_on_keeps_others_waiting() -> None:
    tasks = {**DOCK["tasks"], "load": {**DOCK["tasks"]["load"], "agents": ["Ann"], "preemptible": False}}
    agents: dict[str, Any] = {"Ann": {}}
    busy = {"id": "3", "T_d": 20, "T_ls": 30, "done": ["create"]}
    busy["in_progress"] = [{"task": "load", "agent": "Ann", "started_h": 13.9}]
    waits = {"id": "17", "T_d": 14.5, "T_ls": 14.9, **CREATED}
    (lost,) = told([waits, busy], tasks=tasks, agents=agents)
    assert lost.sentence == (
        "Order 17 needs Load goods (32 min) by Ann, busy until 14:30 with what isn't interrupted (Load goods "
        "of order 3); its lost-sale date is 14:54: it counts as lost."
    )
    (lost,) = told([{**busy, "T_d": 14.2, "T_ls": 14.3}, FINE], tasks=tasks, agents=agents)
    assert lost.sentence == (
        "Order 3 has Load goods by Ann under way until 14:30; its lost-sale date is 14:18: it counts as lost."
    )


def test_work_that_nobody_may_do_is_told() -> None:
    """Such as begun work that only who began it may resume, and who doesn't do it any more."""
    problem, found = made([{"id": "17", "T_d": 20, "T_ls": 30}, FINE])
    first = problem.jobs[0].ops[1] if problem.jobs[0].order.id == "17" else problem.jobs[1].ops[1]
    ops = [replace(op, modes=()) if i == first else op for i, op in enumerate(problem.ops)]
    (lost,) = clashes(replace(problem, ops=tuple(ops)), found.metagraph, found.origin)
    assert lost.sentence == "Order 17 has nobody who may do Load goods: it counts as lost."


def test_orders_that_can_be_done_are_not_named() -> None:
    assert told([FINE, {"id": "2", "T_d": 20, "T_ls": 20}]) == ()


def test_lost_orders_come_first_and_many_are_counted() -> None:
    late = [{"id": f"l{i}", "T_d": 13, "T_ls": 39} for i in range(MOST_TOLD + 2)]
    found = told([*late, {"id": "17", "T_d": 13, "T_ls": 13}, FINE])
    assert [clash.verdict for clash in found] == ["lost"] + ["late"] * (MOST_TOLD + 2)
    notes = notes_of(found)
    assert len(notes) == 1 + MOST_TOLD + 1
    assert notes[0].startswith("Order 17")
    assert notes[-1] == "2 more orders can't be on time."


def test_a_horizon_that_is_too_short_is_told() -> None:
    near = Settings(dt_s=900.0, horizon="fixed", horizon_s=HOUR)
    with pytest.raises(InfeasibleError) as caught:
        told([{"id": "1", "T_d": 30, "T_ls": 40}, {"id": "2", "T_d": 30}], near)
    assert str(caught.value) == (
        "nothing can be planned: none of the 2 orders can be done. "
        "Order 1 needs Load goods (32 min) by Ann or Bob; neither is on shift between 14:00 and the "
        "horizon's end 15:00: it isn't done within the horizon. "
        "Order 2 needs Load goods (32 min) by Ann or Bob; neither is on shift between 14:00 and the "
        "horizon's end 15:00: it isn't done within the horizon."
    )


def test_nobody_who_ever_comes_is_told_and_no_horizon_waits_for_them() -> None:
    away = {"Ann": {"absences": [{"start_h": 9}]}, "Bob": {"absences": [{"start_h": 9}]}}
    with pytest.raises(InfeasibleError, match=r"neither is on shift from 14:00 on: it isn't done within"):
        told([{"id": "1"}], agents=away)
    alone = {"id": "2", **CREATED, "in_progress": None}
    problem, found = made([{"id": "1"}, alone], agents={"Ann": away["Ann"]})
    assert problem.grid.periods < 400
    assert clashes(problem, found.metagraph, found.origin) == ()


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        (
            Settings(dt_s=2 * HOUR, horizon="fixed", horizon_s=HOUR),
            InfeasibleError,
            "the horizon of 1 h holds no period of 2 h: take a finer grid",
        ),
        (
            Settings(dt_s=HOUR, horizon="shrinking", horizon_s=12 * HOUR),
            UsageError,
            "the horizon ends 2 h before now: name a later end",
        ),
        (
            Settings(dt_s=24 * HOUR),
            InfeasibleError,
            r"each piece of work takes whole periods of 24 h; its lost-sale date is 20:00",
        ),
    ],
)
def test_a_grid_coarser_than_what_there_is_to_plan(
    settings: Settings, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        told([{"id": "1", "T_d": 19, "T_ls": 20}], settings)


def test_more_interruptions_than_may_be_are_told() -> None:
    held = [
        {**FINE, "id": f"h{i}", "done": ["create"]}
        | {"in_progress": [{"task": "load", "agent": who, "started_h": 13.9}]}
        for i, who in enumerate(("Ann", "Bob"))
    ]
    wanted = Settings(dt_s=900.0, horizon="fixed", horizon_s=2 * HOUR, preemption=Preemption(most=1))
    with pytest.raises(InfeasibleError) as caught:
        told(held, wanted)
    assert str(caught.value) == (
        "of the work under way 2 can't go on and would be interrupted, as the horizon ends or its agent has "
        "other work under way, but 1 may be: "
        "Load goods of order h0 (Ann) and Load goods of order h1 (Bob); allow more interruptions or look "
        "further ahead"
    )


def test_who_does_one_thing_after_the_other_can_t_go_on_with_two() -> None:
    held = [
        {**FINE, "id": f"h{i}", "done": ["create"]}
        | {"in_progress": [{"task": "load", "agent": "Ann", "started_h": 13.9}]}
        for i in range(2)
    ]
    shared = {"Ann": {"capacity": 2, "sharing": "shared"}}
    assert told(held, Settings(dt_s=900.0, preemption=Preemption(most=1)), agents=shared) == ()
    with pytest.raises(InfeasibleError, match=r"none may be: Load goods of order h1 \(Ann\); allow"):
        told(held, Settings(dt_s=900.0, preemption=Preemption(most=0)), agents=shared)


def test_work_that_is_paused_goes_on_without_the_penalty_of_an_interruption() -> None:
    held = {"done": ["create"], "in_progress": [{"task": "load", "agent": "Ann", "started_h": 13.8}]}
    wanted = Settings(dt_s=900.0, preemption=Preemption(resume_penalty_s=4 * HOUR))
    problem, _ = made([{**FINE, **held}], wanted)
    assert earliest(problem, 0) == 10  # 20 min are left from 16:00 on: half past four.


def test_without_other_orders_the_earliest_point_is_that_of_the_best_plan() -> None:
    """Among all plans of an order; later only where its parallel operations want the same units."""
    equal = 0
    for seed in range(250):
        problem = small_problem(seed, Kind(most_orders=1, most_ops=2, most_periods=7))
        best = min(int(fulfilled(problem, plan)[0]) for plan in plans(problem))
        found = earliest(problem, 0)
        assert found <= best, seed
        pools = [{mode.pool for mode in op.modes} for op in problem.ops]
        if len(pools) == 1 or problem.ops[1].preds or not pools[0] & pools[1]:
            assert found == best, seed
            equal += best <= problem.grid.periods
    assert equal > 50


def drawn(seed: int) -> tuple[Problem, Instance]:
    """Orders at any stage, with material, shifts and work that isn't interrupted."""
    random = Random(seed)
    week = [[a, a + random.choice([2, 5, 8])] for a in (8, 20, 32, 56)]
    tasks: dict[str, Any] = {}
    for k in range(random.randint(1, 3)):
        who = random.sample(["A", "B", "C"], random.randint(0 if k else 1, 2))
        tasks[f"t{k}"] = {
            "agents": who,
            "h": random.choice([0.25, 0.7, 1, 2.6]),
            "preds": [f"t{p}" for p in range(k) if random.random() < 0.7],
            "preemptible": bool(who) and random.random() < 0.5,
        }
        if random.random() < 0.3:
            tasks[f"t{k}"]["delay_h"] = random.choice([0.4, 3])
    able = {agent for task in tasks.values() for agent in task["agents"]}
    orders = []
    for i in range(4):
        due = random.uniform(8, 30)
        order: dict[str, Any] = {"id": str(i), "T_r": random.choice([0, 5, 11.3]), "T_d": max(due, 12)}
        order |= {"T_ls": order["T_d"] + random.choice([0, 1, 6, 20]), "value": 10}
        if random.random() < 0.4:
            order["material_h"] = {random.choice([*tasks]): random.uniform(8, 20)}
        first = tasks["t0"]["agents"][0]
        if i == 0 and random.random() < 0.7:
            order |= {"T_r": 0, "in_progress": [{"task": "t0", "agent": first, "started_h": 9.1}]}
        orders.append(order)
    found = instance_of(
        {
            "tasks": tasks,
            "agents": {agent: {"calendar": "c"} for agent in able if random.random() < 0.6},
            "calendars": {"c": {"week_h": week}},
            "profit_rule": {"p_e": 1, "p_d": 1, "p_l": 0.9, "p_f": 0.5, "p_ls": 0},
            "at_h": 10,
            "orders": orders,
        },
        "drawn.json",
    )
    wanted = Settings(dt_s=random.choice([900.0, 1800.0, 3600.0]))
    problem = build_problem(found.metagraph, found.state, found.orders, found.origin, wanted)
    return problem, found


def test_none_of_the_reasons_can_be_left_out_and_together_they_are_enough() -> None:
    sizes = set[int]()
    for seed in range(120):
        problem, found = drawn(seed)
        alone = Alone(problem, found.metagraph, found.origin)
        grid = problem.grid
        for j, job in enumerate(problem.jobs):
            whole = frozenset(alone.limits(j))
            point = earliest(problem, j)
            if point <= grid.periods:
                assert alone.done_s(j, whole) == pytest.approx(grid.at(point)), (seed, j)
            else:
                assert alone.done_s(j, whole) > grid.at(grid.periods), (seed, j)
            date_s = job.order.due_s
            assert date_s is not None
            if point <= grid.down(date_s):
                continue
            kept = smallest(alone, j, date_s)
            sizes.add(len(kept))
            assert Limit("date") in kept
            assert alone.done_s(j, kept) > date_s
            for limit in kept - {Limit("date")}:
                assert alone.done_s(j, kept - {limit}) <= date_s + 1e-3, (seed, j, limit)
    assert sizes >= {2, 3, 4, 5}

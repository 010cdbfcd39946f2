"""Worklists: ranks, dates and stakes of states that can be told by hand, and of a known twin's log."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from metagraph.agents import Absence, Queue
from metagraph.orders import ProfitShape, profit_at
from metagraph.policies import PORTFOLIO, Policy
from metagraph.state import State
from optimization.optimize import optimize
from optimization.settings import Settings, SolveOptions
from simulation import kernel, reference
from simulation.lowering import lower
from tests.simulation.builders import ORIGIN
from tests.simulation.small import with_tasks
from tests.simulation.test_waiting_lists import HOUR, NOW, POLICIES, queued, two_queues
from twin.worklist import Asked, worklist
from twin.worklist_command import by_plan, firsts_explained
from twin.worklist_words import COLUMNS, to_csv
from twin.worklists import Worklist

WORK_H = {"small": 1, "middle": 2, "large": 3}


def at(hours: float) -> datetime:
    return ORIGIN + timedelta(seconds=NOW + hours * HOUR)


def lists(policy: Any, state: Any = None, model: Any = None, **more: Any) -> Worklist:
    asked = Asked(policy, "named", NOW + 86400.0, replications=3, seed=5, **more)
    return worklist(model or two_queues(), state or queued(0, False), ORIGIN, asked)


@pytest.mark.parametrize("name", POLICIES)
def test_the_top_of_an_idle_agent_s_list_is_what_the_engines_take_next(name: str) -> None:
    state = queued(4, False)
    (mine,) = lists(POLICIES[name], state).agents
    program = lower(two_queues(), (), origin=ORIGIN, state=state, policy=POLICIES[name])
    for engine in (reference,) if name == "Python" else (reference, kernel):
        log = engine.run(program, 5, 0).executions
        first = [program.orders.ids[i] for i in log.order[log.start_s == NOW]]
        assert first == [mine.rows[0].order]
    assert mine.rows[0].start == (at(0),) * 3
    assert mine.rows[0].takes == 1.0


def test_dates_slack_and_stakes_of_a_list_without_chance() -> None:
    state, shape = queued(0, False), ProfitShape(due=0.9, late=0.6, final=0.1)
    found = lists(PORTFOLIO["D"], state)
    orders = {one.order.id: one.order for one in state.orders}
    elapsed = 0
    for rank, row in enumerate(found.agents[0].standing("waiting"), 1):
        order, told = orders[row.order], found.order(row.order)
        elapsed += WORK_H[order.cls]
        done_s = NOW + elapsed * HOUR
        assert (row.rank, row.finish) == (rank, (at(elapsed),) * 3)
        assert told.done == (at(elapsed),) * 3
        assert order.due_s is not None
        assert told.slack_h == pytest.approx(((order.due_s - done_s) / HOUR,) * 3, abs=1e-6)
        assert told.late == float(done_s > order.due_s)
        assert told.late_more == float(done_s + 86400 > order.due_s) - told.late
        costs = profit_at(order, shape, done_s) - profit_at(order, shape, done_s + 86400)
        assert told.day_costs is not None
        assert told.day_costs.mean == pytest.approx(costs)
        assert row.reason.startswith("soonest due date: due ")
    assert elapsed == sum(WORK_H[order.cls] for order in orders.values())


def test_who_works_is_listed_first_and_who_shares_the_queue_is_named() -> None:
    model = two_queues()
    model = replace(
        model,
        agents=(model.agents[0], replace(model.agents[0], id="night", calendar="office")),
        queues=tuple(replace(queue, agents=("x", "night")) for queue in model.queues),
    )
    found = lists(Policy(), queued(0, True), model)
    x, night = found.agents
    assert [row.stands for row in x.rows] == ["working"] + 12 * ["waiting"]
    assert x.rows[0].order == "12"
    assert {row.shared_with for row in x.rows[1:]} == {("night",)}
    assert [row.order for row in night.rows] == [row.order for row in x.rows[1:]]
    assert (x.on_shift, x.until, night.on_shift) == (True, None, False)
    assert night.until == ORIGIN + timedelta(days=4, hours=9)
    takes = {row.order: row.takes for row in x.rows[1:]}
    for row in night.rows:
        assert takes[row.order] + row.takes == pytest.approx(1.0)


def test_an_agent_on_leave_is_away_until_the_leave_ends() -> None:
    model = two_queues()
    back = ORIGIN + timedelta(days=6)
    leave = Absence(ORIGIN + timedelta(days=3), back, hands_over=True)
    away = replace(model.agents[0], id="gone", absences=(leave,))
    model = replace(model, agents=(*model.agents, away))
    gone = lists(Policy(), model=model).agents[1]
    assert (gone.away, gone.on_shift, gone.until, gone.rows) == (True, False, back, ())


def test_the_table_has_every_row_of_the_lists() -> None:
    found = lists(PORTFOLIO["PDS"])
    rows = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["order"] for row in rows] == [row.order for row in found.agents[0].rows]
    assert [int(row["rank"]) for row in rows] == list(range(1, 13))
    first = found.order(rows[0]["order"])
    assert first.day_costs is not None
    assert float(rows[0]["day_costs"]) == pytest.approx(first.day_costs.mean, rel=1e-5)
    assert rows[0]["reason"].count(", ") == 2  # profit, due date, work


def test_what_the_policy_interrupts_waits_behind_what_is_more_urgent() -> None:
    model = with_tasks(two_queues(), preemptible=True)
    state = queued(0, True)
    running = state.orders[12]
    late = replace(running, order=replace(running.order, due_s=NOW + 1e6))
    state = State(NOW, (*state.orders[:12], late))
    (mine,) = lists(PORTFOLIO["D"], state, model).agents
    assert not mine.standing("working")
    program = lower(model, (), origin=ORIGIN, state=state, policy=PORTFOLIO["D"])
    log = kernel.run(program, 5, 0).executions
    first = [program.orders.ids[i] for i in log.order[log.start_s == NOW]]
    assert [row.order for row in mine.rows[:1]] == first
    stopped = next(row for row in mine.rows if row.order == "12")
    assert stopped.reason.startswith("under way, but interrupted for what goes first; soonest due date")
    lists_ = [row.order for row in lists(PORTFOLIO["F1"], state, model).agents[0].standing("working")]
    assert lists_ == ["12"]


def test_of_two_queues_an_order_is_listed_in_the_likelier_one_only() -> None:
    model = two_queues()
    model = replace(
        model,
        agents=(model.agents[0], replace(model.agents[0], id="y")),
        queues=(Queue("qa", ("x",)), Queue("qb", ("y",))),
        nodes=tuple(replace(n, queues=("qa", "qb")) if n.kind == "task" else n for n in model.nodes),
    )
    found = lists(PORTFOLIO["F3"], queued(3, False), model)
    listed = [(agent.agent, row.order) for agent in found.agents for row in agent.rows]
    assert sorted(order for _, order in listed) == sorted(str(i) for i in range(12))
    assert {agent for agent, _ in listed} == {"x", "y"}
    for agent in found.agents:
        assert [row.rank for row in agent.rows] == list(range(1, len(agent.rows) + 1))
        assert all(row.takes >= 0.5 for row in agent.rows)


def test_nothing_open_is_an_empty_list() -> None:
    found = lists(Policy(), State(NOW, ()))
    assert (found.orders, found.agents[0].rows) == ((), ())
    assert to_csv(found) == ",".join(COLUMNS) + "\n"


def test_a_policy_that_looks_at_what_no_order_has_is_told() -> None:
    state = queued(0, False)
    bare = tuple(replace(one, order=replace(one.order, value=None)) for one in state.orders)
    told = lists(PORTFOLIO["P"], replace(state, orders=bare)).notes
    assert told == ("the policy goes by profit, but no order has a value: all orders are alike to it",)
    assert lists(PORTFOLIO["P"], state).notes == ()


def test_a_plan_s_ranks_are_the_list_and_its_first_order_is_explained() -> None:
    state = queued(2, False)
    state = State(NOW, state.orders[:4])
    plan = optimize(two_queues(), state, (), ORIGIN, Settings(dt_s=HOUR), SolveOptions(time_limit_s=5.0))
    (mine,) = lists(by_plan(plan), state).agents
    planned = sorted(plan.schedule.assignments, key=lambda one: one.rank)
    assert [row.order for row in mine.rows] == [one.order for one in planned]
    assert [row.start[1] for row in mine.rows] == [
        ORIGIN + timedelta(seconds=one.start_s or 0.0) for one in planned
    ]
    assert mine.rows[0].reason == f"rank {planned[0].rank:g} in the plan: x at Fri 01-05 04:00"
    (text,) = firsts_explained(plan, two_queues(), state, ORIGIN, frozenset({"x"}))
    assert text.startswith(f"Order {planned[0].order} begins ")
    assert firsts_explained(plan, two_queues(), state, ORIGIN, frozenset()) == ()

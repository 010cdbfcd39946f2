"""Plans as events in a run: what is planned, when it counts, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant
from metagraph.errors import InfeasibleError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order, ProfitShape
from metagraph.policies import Policy
from optimization.settings import Preemption, Settings, SolveOptions
from simulation.engines import Wanted, session
from simulation.lowering import lower
from simulation.money import profits
from simulation.triggers import Announcement, News
from tests.simulation.builders import ORIGIN, process, row, station
from twin.reschedule import Rescheduled, Rescheduling, Scheduler, forbidding, reschedule

ENGINES: tuple[Wanted, ...] = ("reference", "kernel")
each_engine = pytest.mark.parametrize("engine", ENGINES)
MINUTE = 60.0
SETTINGS = Settings(dt_s=5 * MINUTE)
NOTHING_LATE = ProfitShape(early=1.0, due=1.0, late=0.0, final=0.0)


def desk(minutes: float = 10.0, *, preemptible: bool = False) -> Metagraph:
    """One clerk; an order is worth its value until it is due, and nothing later."""
    model = station(Constant(minutes * MINUTE))
    nodes = tuple(replace(n, preemptible=preemptible) if isinstance(n, Task) else n for n in model.nodes)
    return replace(model, nodes=nodes, orders=replace(model.orders, profit=NOTHING_LATE))


def wanted(name: str, release_min: float, value: float, due_min: float, lost_min: float = 500.0) -> Order:
    return Order(
        name,
        release_min * MINUTE,
        value=value,
        due_s=due_min * MINUTE,
        lost_s=max(lost_min, due_min) * MINUTE,
    )


def how(**more: object) -> Rescheduling:
    told = {"settings": SETTINGS, "solve": SolveOptions(gap=0.0, threads=1), "charged": 0.0, **more}
    return Rescheduling(**told)  # type: ignore[arg-type]


def run(
    model: Metagraph,
    orders: list[Order],
    wished: Rescheduling,
    *,
    until_s: float | None = None,
    engine: Wanted = "kernel",
) -> Rescheduled:
    scheduler = Scheduler(model, ORIGIN, wished)
    program = lower(model, orders, origin=ORIGIN, policy=wished.policy())
    if wished.at_beginning:
        program = scheduler.begin(program, None)
    return reschedule(session(program, 0, engine=engine), scheduler, wished.control(), until_s=until_s)


def earned(found: Rescheduled) -> float:
    money = profits(found.run)
    assert money is not None
    return float(np.nansum(money))


@each_engine
def test_a_run_follows_its_plan_where_nothing_is_random(engine: Wanted) -> None:
    """Of 1 and 2 only one is in time: 2 is worth more. First come, first served earns 1 and 3."""
    orders = [wanted("1", 0, 10.0, 10), wanted("2", 0, 30.0, 10), wanted("3", 0, 20.0, 30)]
    found = run(desk(preemptible=True), orders, how(), engine=engine)
    assert earned(found) == 50.0
    first, again = found.optimizations
    assert (first.because, again.because) == (("beginning",), ("arrival",))
    for plan in (first, again):
        assert (plan.asked_s, plan.effective_s, plan.orders, plan.operations) == (0.0, 0.0, 3, 3)
        assert (plan.status, plan.objective, plan.gap) == ("optimal", 50.0, 0.0)
    assert [one.order for one in found.schedule.assignments[:2]] == ["2", "3"]


@each_engine
def test_plans_and_runs_know_the_same_of_material_and_tables(engine: Wanted) -> None:
    """1 is worth most, but has no material for half an hour; 2 is worth something at 10 to 20 min only."""
    points = ((5 * MINUTE, 0.0), (10 * MINUTE, 40.0), (20 * MINUTE, 40.0), (20 * MINUTE, 0.0))
    orders = [
        replace(wanted("1", 0, 60.0, 40), material_s={"a": 30 * MINUTE}),
        Order("2", 0.0, value=40.0, profit_points=points),
        wanted("3", 0, 30.0, 30),
        wanted("4", 5, 1.0, 15),
    ]
    found = run(desk(), orders, how(), engine=engine)
    assert [one.status for one in found.optimizations] == ["optimal"] * 3
    assert earned(found) == found.optimizations[-1].objective == 130.0
    assert found.run.completed_s.tolist() == [2400.0, 600.0, 1200.0, 1800.0]


@each_engine
def test_the_run_goes_on_while_a_plan_is_computed(engine: Wanted) -> None:
    """The plan would begin with 3; it counts 15 minutes later, when 1 is done and 2 worked on."""
    orders = [wanted(name, 0, value, 30) for name, value in (("1", 1.0), ("2", 1.0), ("3", 9.0), ("4", 5.0))]
    found = run(desk(), orders, how(at_beginning=False, charged=15 * MINUTE), engine=engine)
    (plan,) = found.optimizations
    assert (plan.computing_s, plan.effective_s) == (900.0, 900.0)
    assert found.run.completed_s.tolist() == [600.0, 1200.0, 1800.0, 2400.0]
    assert earned(found) == 11.0
    assert earned(run(desk(), orders, how(), engine=engine)) == 15.0


def test_computing_takes_what_is_measured_a_time_or_a_function() -> None:
    orders = [wanted("1", 0, 1.0, 60), wanted("2", 0, 1.0, 60)]

    def took(charged: object) -> float:
        return run(desk(), orders, how(charged=charged)).optimizations[1].computing_s

    assert took(7.0) == 7.0
    assert took(lambda plan: 2.0 * plan.orders) == 4.0
    assert 0.0 < took(None) < 60.0


@each_engine
def test_who_came_after_the_plan_goes_last_until_the_next(engine: Wanted) -> None:
    """3 comes at 5 min and is worth more than 2, but only the plan at 60 min would know of it."""
    orders = [wanted("1", 0, 1.0, 60), wanted("2", 0, 1.0, 60), wanted("3", 5, 9.0, 20)]
    late = run(desk(), orders, how(on_arrival=False, at_s=(3600.0,)), engine=engine)
    assert late.run.completed_s.tolist() == [600.0, 1200.0, 1800.0]
    soon = run(desk(), orders, how(), engine=engine)
    assert soon.run.completed_s[2] == 1200.0
    assert [plan.because for plan in soon.optimizations] == [("beginning",), ("arrival",), ("arrival",)]


def test_a_plan_is_made_from_time_to_time_and_where_an_eta_changes() -> None:
    model = process(
        row("wait", "work"),
        Constant(600.0),
        queues=[Queue("q", ("x",))],
        serves={"work": ["q"]},
        agents=[Agent("x", "always")],
    )
    orders = [Order("1", 0.0, value=1.0, due_s=9000.0), Order("2", 0.0, value=1.0, due_s=9000.0)]
    news = (News(300.0, Announcement("1", "wait", 3000.0)),)
    found = run(model, orders, how(at_beginning=False, on_arrival=False, every_s=1000.0, news=news))
    assert [(plan.asked_s, plan.because) for plan in found.optimizations] == [
        (300.0, ("eta",)),
        (1000.0, ("period",)),
        (2000.0, ("period",)),
        (3000.0, ("period",)),
    ]
    assert found.run.completed_s.tolist() == [3600.0, 1200.0]


def test_no_plan_is_made_without_orders_or_beyond_a_shrinking_horizon() -> None:
    orders = [wanted("1", 0, 1.0, 100), wanted("2", 45, 1.0, 100), wanted("3", 47, 1.0, 100)]
    end = replace(SETTINGS, horizon="shrinking", horizon_s=50 * MINUTE)
    found = run(desk(), orders, how(settings=end, at_s=(1800.0,)))
    assert [plan.asked_s for plan in found.optimizations] == [0.0, 0.0, 2700.0]
    assert found.run.completed_s.tolist() == [600.0, 3300.0, 3900.0]


def test_where_no_plan_can_be_made_the_last_one_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    import optimization.stn

    made = optimization.stn.build_problem

    def once(metagraph, state, *rest):  # type: ignore[no-untyped-def]
        if state.at_s > 0:
            raise InfeasibleError("nobody is there")
        return made(metagraph, state, *rest)

    monkeypatch.setattr(optimization.stn, "build_problem", once)
    orders = [wanted("1", 0, 1.0, 10), wanted("2", 0, 9.0, 10), wanted("3", 5, 9.0, 500)]
    found = run(desk(preemptible=True), orders, how())
    assert [plan.status for plan in found.optimizations] == ["optimal", "optimal", "infeasible"]
    assert found.optimizations[2].notes == ("nobody is there",)
    assert found.run.completed_s[1] == 600.0


def test_what_is_planned_may_differ_from_what_runs() -> None:
    """The clerk is thought to take an hour: nothing is worth beginning but the order that can wait."""
    orders = [wanted("1", 0, 5.0, 10), wanted("2", 0, 1.0, 90)]
    quick, thought = (desk(minutes, preemptible=True) for minutes in (10.0, 60.0))
    slow = Scheduler(quick, ORIGIN, how(), known=lambda at_s: thought)
    program = slow.begin(lower(quick, orders, origin=ORIGIN, policy=how().policy()), None)
    found = reschedule(session(program, 0), slow, how().control())
    assert found.run.completed_s.tolist() == [1200.0, 600.0]


def test_the_policy_interrupts_as_the_plans_may() -> None:
    none = how(settings=replace(SETTINGS, preemption=Preemption(allowed=False))).policy()
    assert not none.preemption
    some = Preemption(most_per_item=2, resume_penalty_s=30.0, same_agent=True, forbidden=("a",))
    policy = how(settings=replace(SETTINGS, preemption=some)).policy()
    assert isinstance(policy, Policy)
    assert (policy.preemption, policy.max_preemptions) == (True, 2)
    assert (policy.resume_penalty_s, policy.same_agent) == (30.0, True)
    assert [n.preemptible for n in forbidding(desk(preemptible=True), some).tasks()] == [False]
    assert [n.preemptible for n in forbidding(desk(preemptible=True), Preemption()).tasks()] == [True]


@each_engine
@pytest.mark.parametrize(
    ("preemption", "done"),
    [
        (Preemption(), [3000.0, 900.0]),
        (Preemption(allowed=False), [2400.0, 3000.0]),
        (Preemption(forbidden=("a",)), [2400.0, 3000.0]),
        (Preemption(penalty=100.0), [2400.0, 3000.0]),
        (Preemption(most=0), [2400.0, 3000.0]),
        (Preemption(resume_penalty_s=60.0), [3060.0, 900.0]),
    ],
)
def test_urgent_work_interrupts_only_as_settings_say(
    engine: Wanted, preemption: Preemption, done: list[float]
) -> None:
    """1 takes 40 minutes and can wait; 2 comes at 5 and takes 10."""
    wished = how(settings=replace(SETTINGS, preemption=preemption))
    model = desk(40.0, preemptible=True)
    short = replace(model.tasks()[0].durations.rows[0], cls="short")
    short = replace(short, fitted=replace(short.fitted, law=Constant(600.0)))
    task = model.tasks()[0]
    task = replace(task, durations=replace(task.durations, rows=(*task.durations.rows, short)))
    nodes = tuple(task if isinstance(n, Task) else n for n in model.nodes)
    model = forbidding(replace(model, nodes=nodes), preemption)
    orders = [wanted("1", 0, 1.0, 90), replace(wanted("2", 5, 9.0, 30), cls="short")]
    assert run(model, orders, wished, engine=engine).run.completed_s.tolist() == done


def test_same_input_same_run() -> None:
    orders = [wanted(str(i), 7.0 * i, 1.0 + i % 5, 7.0 * i + 30 + 11 * (i % 7)) for i in range(12)]
    first, second = (run(desk(), orders, how(charged=60.0)) for _ in range(2))
    assert first.run.completed_s.tolist() == second.run.completed_s.tolist()
    assert first.schedule == second.schedule

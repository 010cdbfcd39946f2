"""Control points: what a controller sees, when its answer counts, and for what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import nan

import numpy as np
import pytest

from metagraph.agents import Agent, Queue
from metagraph.blocks import Empty, Leaf, Loop
from metagraph.blocks import Parallel as Both
from metagraph.blocks import Sequence as Row
from metagraph.distributions import Constant
from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.policies import Policy
from metagraph.routing import Level
from metagraph.schedule import Assignment, Schedule
from metagraph.state import Position
from simulation.control import Answer, View, steer
from simulation.engines import Wanted, session
from simulation.lowering import lower
from simulation.lowering_orders import ranks_of
from simulation.program import Program
from simulation.run import Run
from simulation.snapshots import state_of
from simulation.triggers import Announcement, Control, News
from tests.simulation.builders import ORIGIN, expon, orders, process, row, station, tandem

RANKED = Policy(priorities=("RANK",), schedule=Schedule(()))
ENGINES: Sequence[Wanted] = ("reference", "kernel")
each_engine = pytest.mark.parametrize("engine", ENGINES)


def ranked(*names: str, task: str = "a", agent: str = "agent0") -> Schedule:
    """These orders, first ones first."""
    return Schedule(tuple(Assignment(name, task, agent, float(i)) for i, name in enumerate(names)))


def columns(run: Run) -> list[list[float]]:
    log = run.executions
    parts = (log.order, log.node, log.agent, log.queue, log.enabled_s, log.ready_s, log.start_s, log.end_s)
    return [np.nan_to_num(part, nan=-1.0).tolist() for part in (*parts, run.completed_s, run.lost_s)]


def same(ours: Run, theirs: Run) -> bool:
    mine, others = ours.tally, theirs.tally
    sums = [
        np.array_equal(getattr(mine, name), getattr(others, name))
        for name in ("started", "wait_s", "busy_s", "on_s", "finished", "preempted", "waiting_s", "longest")
    ]
    ends = [getattr(ours, name) == getattr(theirs, name) for name in ("begin_s", "until_s", "stopped")]
    return all([*sums, *ends, mine.wip_s == others.wip_s, columns(ours) == columns(theirs)])


def busy_model() -> Metagraph:
    """Three stations that can't keep up for a while: parts done at once, interruptions, shifts, delays."""
    block = Row((Leaf("a", "A"), Both("split", "merge", (Leaf("b", "B"), Leaf("c", "C"))), Leaf("d", "D")))
    names = ("a", "b", "c", "d")
    model = process(
        block,
        expon(1500.0),
        queues=[Queue(name, (f"{name}0", f"{name}1")) for name in names],
        serves={name: [name] for name in names},
        agents=[
            Agent(f"{name}{k}", "office" if name == "b" else "always") for name in names for k in range(2)
        ],
        delays={"d": expon(300.0)},
    )
    nodes = tuple(replace(n, preemptible=True) if isinstance(n, Task) else n for n in model.nodes)
    return replace(model, nodes=nodes)


def busy(policy: Policy | None = None) -> Program:
    gaps = np.random.default_rng(1901).exponential(900.0, 60)
    given = [
        Order(str(i), float(t), value=1.0 + i % 7, due_s=float(t) + 1e4 * (1 + i % 3), lost_s=float(t) + 6e4)
        for i, t in enumerate(8 * 3600.0 + gaps.cumsum())
    ]
    return lower(busy_model(), given, origin=ORIGIN, policy=policy)


@each_engine
@pytest.mark.parametrize("policy", [None, Policy(priorities=("SERPT",)), RANKED])
@pytest.mark.parametrize("until_s", [None, 70_000.0, 1e7])
def test_who_says_nothing_changes_nothing(
    engine: Wanted, policy: Policy | None, until_s: float | None
) -> None:
    program = busy(policy)
    alone = session(program, 1907, engine=engine)
    alone.run_to(np.inf if until_s is None else until_s)
    asked: list[View] = []
    every = Control(every_s=777.0, at_s=(program.begin_s, 40_000.0))
    found = steer(session(program, 1907, engine=engine), every, silent(asked), until_s=until_s)
    assert same(found.run, alone.result(until_s))
    assert found.decisions == ()
    assert {reason for view in asked for reason in view.because} == {"arrival", "period", "instant"}
    assert [view.now_s for view in asked] == sorted({view.now_s for view in asked})


def silent(asked: list[View]) -> Callable[[View], None]:
    def controller(view: View) -> None:
        assert view.state.at_s == view.now_s
        asked.append(view)

    return controller


@each_engine
def test_an_answer_at_once_is_a_new_schedule_at_that_instant(engine: Wanted) -> None:
    program, at_s = busy(RANKED), 45_000.0
    plan = Schedule(
        tuple(
            Assignment(str(i), task, f"{task}{i % 2}", float(-i))
            for i in range(60)
            for task in ("a", "b", "d")
        )
    )
    by_hand = session(program, 1913, engine=engine)
    by_hand.run_to(at_s)
    by_hand.reschedule(*ranks_of(program.network, program.orders.ids, plan))
    by_hand.run_to(np.inf)
    untouched = session(program, 1913, engine=engine)
    untouched.run_to(np.inf)
    found = steer(
        session(program, 1913, engine=engine),
        Control(on_arrival=False, at_s=(at_s,)),
        lambda view: Answer(plan, computing_s=0.0),
    )
    assert same(found.run, by_hand.result())
    assert not same(found.run, untouched.result())
    (decision,) = found.decisions
    assert (decision.asked_s, decision.effective_s, decision.because) == (at_s, at_s, ("instant",))


@each_engine
def test_the_run_goes_on_while_the_controller_computes(engine: Wanted) -> None:
    """Ten minutes of work each; 1 is at work and 2, 3, 4 wait. Put backwards at 0, after 15 minutes of
    computing: 2 has begun by then, and 4 goes before 3."""
    program = lower(station(Constant(600.0)), orders([0.0] * 4), origin=ORIGIN, policy=RANKED)
    found = steer(
        session(program, 0, engine=engine),
        Control(),
        lambda view: Answer(ranked("4", "3", "2", "1")),
        computing_s=900.0,
    )
    assert found.run.completed_s.tolist() == [600.0, 1200.0, 2400.0, 1800.0]
    (decision,) = found.decisions
    assert (decision.asked_s, decision.computing_s, decision.effective_s) == (0.0, 900.0, 900.0)
    assert decision.applied == (("4", "a"), ("3", "a"), ("2", "a"))
    assert decision.gone == (("1", "a"),)


@each_engine
def test_what_it_missed_is_asked_for_when_its_answer_counts(engine: Wanted) -> None:
    program = lower(station(Constant(500.0)), orders([0.0, 30.0, 60.0]), origin=ORIGIN, policy=RANKED)
    times: list[float] = []

    def controller(view: View) -> Answer:
        times.append(view.now_s)
        return Answer(Schedule(()))

    found = steer(session(program, 0, engine=engine), Control(), controller, computing_s=100.0)
    assert times == [0.0, 100.0]
    assert [(d.asked_s, d.effective_s) for d in found.decisions] == [(0.0, 100.0), (100.0, 200.0)]


@each_engine
def test_computing_time_is_stated_or_given_or_measured(engine: Wanted) -> None:
    program = lower(station(Constant(600.0)), orders([0.0] * 3), origin=ORIGIN, policy=RANKED)

    def taken(stated: float | None, given: float | Callable[[View, Answer], float] | None) -> float:
        found = steer(
            session(program, 0, engine=engine),
            Control(),
            lambda view: Answer(Schedule(()), computing_s=stated),
            computing_s=given,
        )
        return found.decisions[0].computing_s

    assert taken(7.0, 5.0) == 7.0
    assert taken(None, 5.0) == 5.0
    assert taken(None, lambda view, answer: 10.0 * len(view.state.orders)) == 30.0
    assert 0.0 < taken(None, None) < 5.0
    for wrong in (-1.0, nan, np.inf):
        with pytest.raises(UsageError, match="give 0 or more"):
            taken(wrong, None)


@each_engine
def test_an_answer_that_comes_too_late_never_counts(engine: Wanted) -> None:
    program = lower(station(Constant(600.0)), orders([0.0] * 2), origin=ORIGIN, policy=RANKED)
    found = steer(
        session(program, 0, engine=engine), Control(), lambda view: Answer(ranked("2", "1")), computing_s=1e6
    )
    assert found.run.until_s == 1200.0
    assert [d.effective_s for d in found.decisions] == [None]


@each_engine
def test_announced_ends_and_beginnings(engine: Wanted) -> None:
    """A delay of 100 s is announced to take 300, then work to begin at 1,000 only."""
    model = process(
        row("wait", "work"),
        Constant(100.0),
        queues=[Queue("q", ("x",))],
        serves={"work": ["q"]},
        agents=[Agent("x", "always")],
    )
    program = lower(model, orders([0.0, 50.0]), origin=ORIGIN)
    said = {
        10.0: Announcement("1", "wait", 300.0),
        170.0: Announcement("2", "work", 9000.0),
        320.0: Announcement("1", "wait", 5000.0),
    }
    found = steer(
        session(program, 0, engine=engine),
        Control(on_arrival=False, at_s=tuple(said)),
        lambda view: Answer(announcements=(said[view.now_s],), computing_s=0.0),
    )
    assert found.run.completed_s.tolist() == [400.0, 250.0]
    assert [d.applied for d in found.decisions] == [(("1", "wait"),), (), ()]
    assert [d.gone for d in found.decisions] == [(), (("2", "work"),), (("1", "wait"),)]


@each_engine
def test_news_are_heard_at_once_and_ask_the_controller_where_they_change_something(engine: Wanted) -> None:
    """A delay of 100 s is told at 10 to take 300, while an answer is computed until 60; that of order 2 has
    ended when it is told, and nobody is asked."""
    program = lower(process(row("wait"), Constant(100.0)), orders([0.0, 20.0]), origin=ORIGIN, policy=RANKED)
    news = (News(200.0, Announcement("2", "wait", 900.0)), News(10.0, Announcement("1", "wait", 300.0)))
    asked: list[tuple[float, tuple[str, ...], list[float | None]]] = []

    def controller(view: View) -> Answer:
        etas = [place.eta_s for order in view.state.orders for place in order.positions]
        asked.append((view.now_s, view.because, etas))
        return Answer(computing_s=60.0)

    control = Control(on_arrival=False, at_s=(0.0,), news=news)
    found = steer(session(program, 0, engine=engine), control, controller)
    assert found.run.completed_s.tolist() == [300.0, 120.0]
    assert asked == [(0.0, ("instant",), [None]), (60.0, ("eta",), [300.0, None])]
    assert found.unheard == news[:1]


@each_engine
def test_the_state_knows_what_was_announced(engine: Wanted) -> None:
    program = lower(process(row("wait"), Constant(100.0)), orders([0.0]), origin=ORIGIN)
    seen: list[Position] = []

    def controller(view: View) -> Answer | None:
        seen.extend(p for o in view.state.orders for p in o.positions)
        return Answer(announcements=(Announcement("1", "wait", 70.0),), computing_s=0.0)

    steer(session(program, 0, engine=engine), Control(on_arrival=False, at_s=(10.0, 20.0)), controller)
    assert [p.eta_s for p in seen] == [None, 70.0]


@each_engine
def test_faults(engine: Wanted) -> None:
    plain = lower(station(Constant(600.0)), orders([5.0] * 2), origin=ORIGIN)
    program = lower(station(Constant(600.0)), orders([5.0] * 2), origin=ORIGIN, policy=RANKED)

    def answered(answer: Answer, of: Program = program) -> None:
        steer(session(of, 0, engine=engine), Control(), lambda view: answer, computing_s=1.0)

    with pytest.raises(UsageError, match="aren't ordered by one"):
        answered(Answer(ranked("1")), plain)
    with pytest.raises(DataError, match="no order '9'"):
        answered(Answer(ranked("9")))
    with pytest.raises(DataError, match="which isn't there"):
        answered(Answer(announcements=(Announcement("1", "b", 9.0),)))
    for never in (float("nan"), float("inf")):
        with pytest.raises(DataError, match=f"announced 'a' of order 1 for {never:g} s: give an instant"):
            answered(Answer(announcements=(Announcement("1", "a", never),)))
    with pytest.raises(UsageError, match="before the run's beginning at 5 s"):
        steer(session(program, 0, engine=engine), Control(at_s=(1.0,)), lambda view: None)
    with pytest.raises(UsageError, match="give a time above 0"):
        steer(session(program, 0, engine=engine), Control(every_s=0.0), lambda view: None)
    early = Control(news=(News(1.0, Announcement("1", "a", 9.0)),))
    with pytest.raises(UsageError, match="news at 1 s, before the run's beginning at 5 s"):
        steer(session(program, 0, engine=engine), early, lambda view: None)


@each_engine
def test_a_state_says_where_everything_stands(engine: Wanted) -> None:
    """Ten minutes each at b, then c: at 900 s order 2 is worked on since 600, 3 waits since 10, 1 is at c."""
    model = tandem(Constant(600.0), tasks=2)
    program = lower(model, orders([0.0, 0.0, 10.0]), origin=ORIGIN)
    going = session(program, 0, engine=engine)
    going.run_to(900.0)
    state = state_of(program, going.snapshot())
    assert state.at_s == 900.0
    assert [o.order.id for o in state.orders] == ["1", "2", "3"]
    assert [o.history for o in state.orders] == [("T0",), (), ()]
    first, second, third = (o.positions[0] for o in state.orders)
    assert first == Position("t1", 600.0, 600.0, "t1.0", "T0", 600.0, "t1", worked_s=300.0)
    assert second == Position("t0", 0.0, 600.0, "t0.0", "", 0.0, "t0", worked_s=300.0)
    assert third == Position("t0", 10.0, None, None, "", 10.0, "t0")


@each_engine
def test_a_state_counts_what_was_done(engine: Wanted) -> None:
    """Visits and the last activities in a loop, as the log has them."""
    shape = Loop("again", "enough", Row((Leaf("a", "A"), Leaf("b", "B"))), (Empty(),))
    model = process(shape, Constant(60.0), weights={"enough": (0.99, 0.01)})
    (routing,) = model.routing
    rows = tuple(replace(row, level=1) for row in routing.rows)
    looks_back = replace(routing, levels=(Level(history=3), Level()), rows=rows)
    going = session(
        lower(replace(model, routing=(looks_back,)), orders([0.0, 30.0, 70.0]), origin=ORIGIN),
        1951,
        engine=engine,
    )
    going.run_to(215.0)
    state = state_of(going.program, going.snapshot())
    log = going.result()
    ids, labels = log.order_ids, log.labels
    assert len(state.orders) == 3
    for order in state.orders:
        mine = [i for i, o in enumerate(log.order) if ids[o] == order.order.id]
        done = [labels[log.task[i]] for i in mine if log.end_s[i] <= 215.0]
        assert order.history == tuple(done)[-3:]
        assert order.visits["a"] == sum(labels[log.task[i]] == "A" for i in mine)
        assert order.visits.get("enough", 0) == done.count("B")
    assert max(o.visits["a"] for o in state.orders) == 2


@each_engine
def test_a_state_knows_what_waits_at_a_merge(engine: Wanted) -> None:
    both = Both("split", "merge", (Leaf("b", "B"), Leaf("c", "C")))
    model = process(both, {"b": Constant(60.0), "c": Constant(100.0)})
    going = session(lower(model, orders([0.0, 50.0]), origin=ORIGIN), 0, engine=engine)
    going.run_to(70.0)
    state = state_of(going.program, going.snapshot())
    assert [o.merged for o in state.orders] == [{"merge": 1}, {}]
    assert [[p.node for p in o.positions] for o in state.orders] == [["c"], ["b", "c"]]


@each_engine
@pytest.mark.parametrize("at_s", [31_000.0, 50_000.0, 90_000.0])
def test_a_state_begins_a_program(engine: Wanted, at_s: float) -> None:
    """What it says of dates, places and work done is what the program that begins from it begins with."""
    policy = Policy(priorities=("SDD",))
    going = session(busy(policy), 1931, engine=engine)
    going.run_to(at_s)
    state = state_of(going.program, going.snapshot())
    assert any(p.worked_s for o in state.orders for p in o.positions)
    again = session(lower(busy_model(), (), origin=ORIGIN, state=state, policy=policy), 1933, engine=engine)
    assert state_of(again.program, again.snapshot()) == state

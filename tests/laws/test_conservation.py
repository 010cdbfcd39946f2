"""What holds in every run, whatever the process: nothing is lost, made up, done twice or done off shift."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metagraph.agents import Agent, Queue
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, Sequence, skeleton
from metagraph.calendars import Calendar
from metagraph.distributions import Constant, Distribution, Empirical, ZeroInflated
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from simulation.lowering import lower
from simulation.program import Program
from simulation.run import Run
from simulation.streams import Stream
from tests.laws.engines import ENGINES, Engine, log_of
from tests.simulation.builders import ALWAYS, OFFICE, ORIGIN, expon, process
from tests.simulation.programs import Case, cases

NIGHTS = Calendar("nights", tuple((d * 86400.0, d * 86400 + 6 * 3600.0) for d in range(7)))
CALENDARS = (ALWAYS, OFFICE, NIGHTS)
HOUR = 3600.0
engines = pytest.mark.parametrize("name", ENGINES)


def run(name: str, program: Program, seed: int, replication: int = 0, until_s: float | None = None) -> Run:
    return Engine(name, seed).run(program, replication, until_s)


@dataclass
class Names:
    """Hands out task and gateway names, each once."""

    n: int = 0

    def next(self, prefix: str) -> str:
        self.n += 1
        return f"{prefix}{self.n}"


def block(draw: st.DrawFn, names: Names, depth: int) -> Block:
    kind = draw(st.sampled_from(["leaf"] if depth == 0 else ["leaf", "sequence", "xor", "and", "loop"]))
    if kind == "leaf":
        name = names.next("t")
        return Leaf(name, name.upper())
    if kind == "loop":
        start, end = names.next("loop"), names.next("loop_end")
        return Loop(start, end, block(draw, names, depth - 1), (Empty(),))
    parts = tuple(block(draw, names, depth - 1) for _ in range(draw(st.integers(2, 3))))
    if kind == "sequence":
        return Sequence(parts)
    split, merge = names.next(kind), names.next(kind)
    return Choice(split, merge, parts) if kind == "xor" else Parallel(split, merge, parts)


laws: st.SearchStrategy[Distribution] = st.sampled_from(
    [
        Constant(0.0),
        Constant(HOUR),
        expon(HOUR),
        Empirical((0.0, 600.0, 9 * HOUR)),
        ZeroInflated(0.5, Constant(2 * HOUR)),
    ]
)


@st.composite
def processes(draw: st.DrawFn) -> Metagraph:
    """Small block-structured processes, every task with queues or without, agents on three calendars."""
    shape = block(draw, Names(), draw(st.integers(0, 3)))
    agents = [
        Agent(f"agent{i}", draw(st.sampled_from(CALENDARS)).id, capacity=draw(st.integers(1, 2)))
        for i in range(draw(st.integers(1, 4)))
    ]
    crews = st.sets(st.sampled_from([a.id for a in agents]), min_size=1).map(sorted)
    queues = [Queue(f"q{i}", tuple(draw(crews))) for i in range(draw(st.integers(1, 3)))]
    tasks = [node for node, _ in skeleton(shape).tasks]
    served = st.lists(st.sampled_from([q.id for q in queues]), max_size=2, unique=True)
    return process(
        shape,
        {task: draw(laws) for task in tasks},
        queues=queues,
        serves={task: draw(served) for task in tasks},
        agents=agents,
        calendars=CALENDARS,
        delays={task: draw(laws) for task in tasks if draw(st.booleans())},
    )


releases = st.lists(st.integers(0, 4 * 24).map(lambda h: h * HOUR / 2), min_size=1, max_size=12)


@st.composite
def programs(draw: st.DrawFn, lost: bool = False) -> Program:
    patience = st.integers(0, 30).map(lambda h: h * HOUR) if lost else st.none()
    given_orders = []
    for i, release in enumerate(draw(releases)):
        wait = draw(patience)
        given_orders.append(Order(f"o{i}", release, lost_s=None if wait is None else release + wait))
    return lower(draw(processes()), given_orders, origin=ORIGIN)


seeds = st.integers(0, 99)


@engines
@given(programs(), seeds)
def test_every_order_leaves_once_with_all_its_work_done(name: str, program: Program, seed: int) -> None:
    found = run(name, program, seed)
    log = log_of(found)
    assert not np.isnan(found.completed_s).any()
    assert not np.isnan(log.end_s).any()
    for i, completed in enumerate(found.completed_s):
        assert completed == log.end_s[log.order == i].max()


@engines
@settings(max_examples=80)
@given(cases())
def test_each_order_is_completed_lost_or_open(name: str, case: Case) -> None:
    """Never two of them; and what is open at the end has a token somewhere."""
    engine, program = import_module(f"simulation.{name}"), case.program()
    session = engine.session(program, case.seed, case.replication, case.options)
    horizon_s = case.horizon_s(program)
    session.run_to(np.inf if horizon_s is None else horizon_s)
    found, standing = session.result(), session.snapshot()
    completed, lost = ~np.isnan(found.completed_s), ~np.isnan(found.lost_s)
    open_ = np.isin(np.arange(len(program.orders)), standing.journeys["order"])
    assert (standing.journeys["tokens"] > 0).all()
    released = program.orders.table["release_s"] <= found.until_s
    released[: len(program.standing)] = True
    if found.stopped in ("end", "horizon"):
        assert (completed.astype(int) + lost + open_ == released).all()
    else:
        assert (completed.astype(int) + lost + open_ <= released).all()
    assert np.isin(standing.items["order"], standing.journeys["order"]).all()


@engines
@given(programs(), seeds, st.integers(0, 200))
def test_a_run_that_is_cut_is_the_beginning_of_the_whole(
    name: str, program: Program, seed: int, hours: int
) -> None:
    until_s = max(hours * HOUR, program.begin_s)
    everything, beginning = run(name, program, seed), run(name, program, seed, until_s=until_s)
    whole, part = log_of(everything), log_of(beginning)
    begun = whole.start_s <= until_s
    assert part.start_s.tolist() == whole.start_s[begun].tolist()
    ends = np.where(whole.end_s <= until_s, whole.end_s, np.nan)[begun]
    assert np.array_equal(part.end_s, ends, equal_nan=True)
    completed = np.where(everything.completed_s <= until_s, everything.completed_s, np.nan)
    assert np.array_equal(beginning.completed_s, completed, equal_nan=True)


@engines
@given(programs(lost=True), seeds)
def test_with_lost_orders_each_one_is_done_or_lost(name: str, program: Program, seed: int) -> None:
    found = run(name, program, seed)
    log = log_of(found)
    assert (np.isnan(found.completed_s) == found.lost).all()
    for i, limit in enumerate(program.orders.table["lost_s"]):
        assert found.completed_s[i] <= limit or found.lost_s[i] == limit
        assert (log.end_s[log.order == i] <= limit).all()
    check_agents(found, seed)


@engines
@given(programs(), seeds)
def test_work_is_done_in_time_in_order_and_on_shift(name: str, program: Program, seed: int) -> None:
    found = run(name, program, seed)
    log = log_of(found)
    assert (program.orders.table["release_s"][log.order] <= log.enabled_s).all()
    assert (log.enabled_s <= log.ready_s).all()
    assert (log.ready_s <= log.start_s).all()
    assert (log.start_s <= log.end_s).all()
    check_agents(found, seed)
    check_queues(found, seed)


def clocks_of(found: Run, seed: int) -> list[Any]:
    """Per agent; None for those who are always there."""
    network, stream = found.program.network, Stream(seed)
    plans = [network.clocks[agent["clock"]] for agent in network.agents]
    return [None if plan is None else plan.clock(stream, found.begin_s) for plan in plans]


def check_agents(found: Run, seed: int) -> None:
    """Nobody does more than allowed at once, or begins off shift."""
    log, clocks = log_of(found), clocks_of(found, seed)
    for agent, capacity in enumerate(found.program.network.agents["capacity"]):
        mine, clock = log.agent == agent, clocks[agent]
        if clock is not None:
            assert all(clock.is_on(t) for t in log.start_s[mine])
        for t in log.start_s[mine]:
            assert (mine & (log.start_s <= t) & (log.end_s > t)).sum() <= capacity


def check_queues(found: Run, seed: int) -> None:
    """In a queue nobody overtakes, and nothing waits while somebody could take it."""
    log = log_of(found)
    for queue in range(len(found.program.network.queues)):
        rows = np.flatnonzero(log.queue == queue)
        for i, j in pairwise(rows[np.lexsort((log.start_s[rows], log.ready_s[rows]))]):
            assert log.ready_s[i] == log.ready_s[j] or log.start_s[i] <= log.start_s[j]
        for i in rows[log.start_s[rows] > log.ready_s[rows]]:
            nobody_could(found, seed, queue, float(log.ready_s[i]), float(log.start_s[i]))


def nobody_could(found: Run, seed: int, queue: int, begin: float, end: float) -> None:
    """Looked at whenever an agent may have become able to: at the begin, at ends of work, on the hour."""
    network, log, clocks = found.program.network, log_of(found), clocks_of(found, seed)
    hours = np.arange(np.ceil(begin / HOUR), np.ceil(end / HOUR)) * HOUR
    members = network.queues[queue]
    for t in {begin, *hours.tolist(), *log.end_s[(log.end_s >= begin) & (log.end_s < end)].tolist()}:
        for agent in network.queue_agents[members["agent"] : members["agent"] + members["agents"]]:
            busy = ((log.agent == agent) & (log.start_s <= t) & (log.end_s > t)).sum()
            off = clocks[agent] is not None and not clocks[agent].is_on(t)
            assert busy >= network.agents["capacity"][agent] or off, (t, agent)


@engines
@given(programs(), seeds)
def test_work_takes_the_working_time_that_was_drawn(name: str, program: Program, seed: int) -> None:
    """Each execution's working time under its agent's clock is a value of its law."""
    found = run(name, program, seed)
    network, log, clocks = program.network, log_of(found), clocks_of(found, seed)
    for node, agent, start, end in zip(log.node, log.agent, log.start_s, log.end_s, strict=True):
        clock = clocks[agent] if agent >= 0 else None
        work = end - start if clock is None else clock.between(start, end)
        law = network.laws[network.durations[network.nodes["law"][node]]]
        values = network.xs[law["first"] : law["first"] + law["n"]]
        assert values[0] - 1e-6 <= work <= values[-1] + 1e-6


@engines
@settings(max_examples=80)
@given(cases())
def test_little_holds_in_every_run(name: str, case: Case) -> None:
    """Orders open, integrated over time, = time that each was open."""
    program = case.program()
    found = Engine(name, case.seed).run(program, case.replication, case.horizon_s(program))
    table = program.orders.table
    came = np.maximum(table["release_s"], found.begin_s)
    came[: len(program.standing)] = found.begin_s
    left = np.fmin(np.fmin(found.completed_s, found.lost_s), found.until_s)
    assert found.tally.wip_s == pytest.approx(float(np.maximum(left - came, 0.0).sum()), abs=1e-3)


@engines
@given(programs(), seeds)
def test_little_holds_in_every_queue(name: str, program: Program, seed: int) -> None:
    """Without interruptions, items that wait, integrated over time, = sum of their waits."""
    found = run(name, program, seed)
    log = log_of(found)
    for queue, waiting_s in enumerate(found.tally.waiting_s):
        mine = log.queue == queue
        assert waiting_s == pytest.approx(float((log.start_s - log.ready_s)[mine].sum()), abs=1e-3)
    assert found.tally.executions == len(log)
    finished = np.bincount(log.agent[log.agent >= 0], minlength=len(program.network.agents))
    assert found.tally.finished.tolist() == finished.tolist()
    started = np.bincount(log.node, minlength=len(program.network.nodes))
    assert found.tally.started.tolist() == started.tolist()


@engines
@given(programs(), seeds)
def test_the_same_seed_gives_the_same_log(name: str, program: Program, seed: int) -> None:
    assert run(name, program, seed, 3).rows() == run(name, program, seed, 3).rows()


@engines
@given(seeds)
def test_another_seed_or_replication_gives_another_log(name: str, seed: int) -> None:
    model = process(Sequence((Leaf("a", "A"), Leaf("b", "B"))), expon(HOUR))
    program = lower(model, [Order("1", 0.0)], origin=ORIGIN)
    logs = [run(name, program, s, r).rows() for s, r in ((seed, 0), (seed + 1, 0), (seed, 1))]
    assert logs[0] != logs[1]
    assert logs[0] != logs[2]
    assert logs[1] != logs[2]


@engines
@given(processes(), seeds)
def test_each_order_walks_the_graph(name: str, model: Metagraph, seed: int) -> None:
    """A task is enabled by the end of one before it in the graph, or at release: gateways take no time."""
    program = lower(model, [Order(f"o{i}", i * HOUR) for i in range(4)], origin=ORIGIN)
    log = log_of(run(name, program, seed))
    before = predecessors(model)
    labels = [node.label if isinstance(node, Task) else "" for node in model.nodes]
    for i in range(len(log)):
        mine = log.order == log.order[i]
        label = labels[log.node[i]]
        ends = [(labels[log.node[k]], log.end_s[k]) for k in np.flatnonzero(mine)]
        options = [end for activity, end in ends if activity in before[label]]
        if "" in before[label]:
            options.append(program.orders.table["release_s"][log.order[i]])
        assert log.enabled_s[i] in options


def predecessors(model: Metagraph) -> dict[str, set[str]]:
    """Per activity: those from which gateways alone lead to it; '' for the start."""
    labels = {n.id: n.label for n in model.nodes if isinstance(n, Task)}
    sources: dict[str, list[str]] = {n.id: [] for n in model.nodes}
    for flow in model.flows:
        sources[flow.target].append(flow.source)
    found = {}
    for node, label in labels.items():
        seen, todo, names = set(), list(sources[node]), set()
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            if here in labels:
                names.add(labels[here])
            elif here == "start":
                names.add("")
            else:
                todo += sources[here]
        found[label] = names
    return found

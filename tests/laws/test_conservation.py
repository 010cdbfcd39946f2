"""What holds in every run, whatever the process: nothing is lost, made up, done twice or done off shift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

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
from simulation.program import Program, lower
from simulation.reference import run
from simulation.run import Run
from tests.simulation.builders import ALWAYS, OFFICE, ORIGIN, expon, process

NIGHTS = Calendar("nights", tuple((d * 86400.0, d * 86400 + 6 * 3600.0) for d in range(7)))
CALENDARS = (ALWAYS, OFFICE, NIGHTS)
HOUR = 3600.0


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


@given(programs(), seeds)
def test_every_order_leaves_once_with_all_its_work_done(program: Program, seed: int) -> None:
    log = run(program, seed)
    assert not np.isnan(log.completed_s).any()
    assert not np.isnan(log.end_s).any()
    for i, completed in enumerate(log.completed_s):
        assert completed == log.end_s[log.order == i].max()


@given(programs(), seeds, st.integers(0, 200))
def test_a_run_that_is_cut_is_the_beginning_of_the_whole(program: Program, seed: int, hours: int) -> None:
    until_s = hours * HOUR
    whole, part = run(program, seed), run(program, seed, until_s=until_s)
    begun = whole.start_s <= until_s
    assert part.start_s.tolist() == whole.start_s[begun].tolist()
    ends = np.where(whole.end_s <= until_s, whole.end_s, np.nan)[begun]
    assert np.array_equal(part.end_s, ends, equal_nan=True)
    completed = np.where(whole.completed_s <= until_s, whole.completed_s, np.nan)
    assert np.array_equal(part.completed_s, completed, equal_nan=True)


@given(programs(lost=True), seeds)
def test_with_lost_orders_each_one_is_done_or_lost(program: Program, seed: int) -> None:
    log = run(program, seed)
    assert (np.isnan(log.completed_s) == log.lost).all()
    for i, order in enumerate(program.orders):
        limit = order.lost_s
        assert limit is not None
        assert log.completed_s[i] <= limit or log.lost_s[i] == limit
        assert (log.end_s[log.order == i] <= limit).all()
    check_agents(program, log)


@given(programs(), seeds)
def test_work_is_done_in_time_in_order_and_on_shift(program: Program, seed: int) -> None:
    log = run(program, seed)
    assert (log.release_s[log.order] <= log.enabled_s).all()
    assert (log.enabled_s <= log.ready_s).all()
    assert (log.ready_s <= log.start_s).all()
    assert (log.start_s <= log.end_s).all()
    check_agents(program, log)
    check_queues(program, log)


def check_agents(program: Program, log: Run) -> None:
    """Nobody starts off shift, or does more at once than they can."""
    network = program.network
    for agent, capacity in enumerate(network.capacities):
        mine = log.agent == agent
        clock = network.clocks[network.agent_clocks[agent]]
        if clock is not None:
            assert all(clock.is_on(t) for t in log.start_s[mine])
        for t in log.start_s[mine]:
            assert (mine & (log.start_s <= t) & (log.end_s > t)).sum() <= capacity


def check_queues(program: Program, log: Run) -> None:
    """In a queue nobody overtakes, and nothing waits while somebody could take it."""
    network = program.network
    served = [w.queues for w in network.works if w is not None]
    rows_of = {w.row: w.queues for w in network.works if w is not None}
    for queue in {q for queues in served for q in queues}:
        only = [row for row, queues in rows_of.items() if queues == (queue,)]
        rows = np.flatnonzero(np.isin(log.task, only))
        for i, j in pairwise(rows[np.lexsort((log.start_s[rows], log.ready_s[rows]))]):
            assert log.ready_s[i] == log.ready_s[j] or log.start_s[i] <= log.start_s[j]
        for i in rows[log.start_s[rows] > log.ready_s[rows]]:
            nobody_could(program, log, queue, float(log.ready_s[i]), float(log.start_s[i]))


def nobody_could(program: Program, log: Run, queue: int, begin: float, end: float) -> None:
    """Looked at whenever an agent may have become able to: at the begin, at ends of work, on the hour."""
    network = program.network
    hours = np.arange(np.ceil(begin / HOUR), np.ceil(end / HOUR)) * HOUR
    for t in {begin, *hours.tolist(), *log.end_s[(log.end_s >= begin) & (log.end_s < end)].tolist()}:
        for agent in network.pools[queue].agents:
            clock = network.clocks[network.agent_clocks[agent]]
            busy = ((log.agent == agent) & (log.start_s <= t) & (log.end_s > t)).sum()
            assert busy >= network.capacities[agent] or (clock is not None and not clock.is_on(t)), (t, agent)


@given(programs(), seeds)
def test_work_takes_the_working_time_that_was_drawn(program: Program, seed: int) -> None:
    """Each execution's working time under its agent's clock is a value of its law."""
    network, log = program.network, run(program, seed)
    tables = {w.row: w.durations[-1, -1, -1] for w in network.works if w is not None}
    for task, agent, start, end in zip(log.task, log.agent, log.start_s, log.end_s, strict=True):
        clock = network.clocks[network.agent_clocks[agent]] if agent >= 0 else None
        work = end - start if clock is None else clock.between(start, end)
        assert tables[task].xs[0] - 1e-6 <= work <= tables[task].xs[-1] + 1e-6
        if tables[task].xs[0] == tables[task].xs[-1]:
            assert work == pytest.approx(tables[task].xs[0], abs=1e-6)


@given(programs(), seeds)
def test_the_same_seed_gives_the_same_log(program: Program, seed: int) -> None:
    assert run(program, seed, 3).log() == run(program, seed, 3).log()


@given(seeds)
def test_another_seed_or_replication_gives_another_log(seed: int) -> None:
    model = process(Sequence((Leaf("a", "A"), Leaf("b", "B"))), expon(HOUR))
    program = lower(model, [Order("1", 0.0)], origin=ORIGIN)
    logs = [run(program, s, r).log() for s, r in ((seed, 0), (seed + 1, 0), (seed, 1))]
    assert logs[0] != logs[1]
    assert logs[0] != logs[2]
    assert logs[1] != logs[2]


@settings(max_examples=30)
@given(processes(), releases, seeds, st.integers(-60, 60))
def test_whole_weeks_later_everything_is_the_same(
    model: Metagraph, times: list[float], seed: int, weeks: int
) -> None:
    given_orders = [Order(str(i), t) for i, t in enumerate(times)]
    shift = timedelta(weeks=weeks)
    now = run(lower(model, given_orders, origin=ORIGIN), seed).log()
    then = run(lower(model, given_orders, origin=ORIGIN + shift), seed).log()
    assert [(*row[:3], row[3] + shift, None if row[4] is None else row[4] + shift) for row in now] == then


@given(processes(), seeds)
def test_each_order_walks_the_graph(model: Metagraph, seed: int) -> None:
    """A task is enabled by the end of one before it in the graph, or at release: gateways take no time."""
    program = lower(model, [Order(f"o{i}", i * HOUR) for i in range(4)], origin=ORIGIN)
    log = run(program, seed)
    before = predecessors(model)
    for i in range(len(log.order)):
        mine = log.order == log.order[i]
        label = log.labels[log.task[i]]
        ends = [(log.labels[log.task[k]], log.end_s[k]) for k in np.flatnonzero(mine)]
        options = [end for name, end in ends if name in before[label]]
        if "" in before[label]:
            options.append(log.release_s[log.order[i]])
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

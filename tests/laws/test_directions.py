"""What must change in one direction only, or not at all, when something else is changed; on both engines.

All comparisons are path by path: common random numbers give each execution the same work in both worlds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metagraph.agents import Agent, Queue
from metagraph.calendars import Calendar
from metagraph.distributions import Constant, Distribution, Empirical, ZeroInflated
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task
from metagraph.orders import Order
from metagraph.routing import Routing, RoutingRow
from simulation.lowering import lower
from simulation.run import Run
from simulation.streams import Stream
from tests.laws.engines import ENGINES, Engine, Floats, log_of
from tests.simulation.builders import ORIGIN, expon, fitted, process, row
from tests.simulation.programs import Case, Seeded, cases, from_nothing
from tests.simulation.programs import case as drawn

HOUR = 3600.0
LAWS: tuple[Distribution, ...] = (
    Constant(HOUR),
    expon(HOUR),
    Empirical((0.0, 600.0, 6 * HOUR)),
    ZeroInflated(0.5, Constant(2 * HOUR)),
)
LONG = Calendar("c", tuple((d * 86400 + 6 * HOUR, d * 86400 + 20 * HOUR) for d in range(7)))
"""All others are parts of these hours."""
SHORTER = tuple(
    Calendar("c", tuple((d * 86400 + begin * HOUR, d * 86400 + end * HOUR) for d in days))
    for days, begin, end in ((range(7), 6, 20), (range(7), 9, 17), (range(5), 9, 17), (range(7), 19, 20))
)
engines = pytest.mark.parametrize("name", ENGINES)
releases = st.lists(st.integers(0, 80).map(lambda h: h * HOUR / 4), min_size=1, max_size=25)


def station(law: Distribution, agents: int, calendar: Calendar) -> Metagraph:
    names = tuple(f"x{i}" for i in range(agents))
    return process(
        row("a"),
        law,
        queues=[Queue("q", names)],
        serves={"a": ["q"]},
        agents=[Agent(name, "c") for name in names],
        calendars=[calendar],
    )


def waits(engine: Engine, model: Metagraph, times: list[float]) -> Floats:
    """Of each order."""
    given_orders = [Order(str(i), t) for i, t in enumerate(times)]
    log = log_of(engine.run(lower(model, given_orders, origin=ORIGIN)))
    assert sorted(log.order.tolist()) == list(range(len(times)))
    found = np.empty(len(times))
    found[log.order] = log.start_s - log.ready_s
    return found


@engines
@given(st.sampled_from(LAWS), st.integers(1, 4), st.sampled_from((Calendar("c"), *SHORTER)), releases)
def test_one_more_agent_never_raises_a_wait(
    name: str, law: Distribution, agents: int, calendar: Calendar, times: list[float]
) -> None:
    """One station, a common queue, first come first served, identical agents (Kiefer and Wolfowitz)."""
    engine = Engine(name, len(times))
    few, more = (waits(engine, station(law, n, calendar), times) for n in (agents, agents + 1))
    assert (more <= few + 1e-6).all()


@engines
@given(st.sampled_from(LAWS), st.integers(1, 3), st.sampled_from(SHORTER), releases)
def test_shorter_shifts_never_lower_a_wait(
    name: str, law: Distribution, agents: int, shorter: Calendar, times: list[float]
) -> None:
    engine = Engine(name, len(times))
    long, short = (waits(engine, station(law, agents, calendar), times) for calendar in (LONG, shorter))
    assert (long <= short + 1e-6).all()


@engines
def test_in_a_network_one_more_agent_can_raise_waits_and_that_is_right(name: str) -> None:
    """A short first step lets an order come before another one to a second step, where it stays for long."""

    def two_steps(first: int) -> Metagraph:
        crew = tuple(f"x{i}" for i in range(first))
        model = process(
            row("a", "b"),
            Constant(HOUR),
            queues=[Queue("qa", crew), Queue("qb", ("y",))],
            serves={"a": ["qa"], "b": ["qb"]},
            agents=[Agent(agent, "always") for agent in (*crew, "y")],
        )
        work = {"a": {"light": 10.0, "heavy": 1.0}, "b": {"light": 1.0, "heavy": 100.0}}
        return replace(
            model, nodes=tuple(by_class(n, work[n.id]) if isinstance(n, Task) else n for n in model.nodes)
        )

    def outcome(first: int) -> tuple[list[float], float]:
        given_orders = [Order("1", 0.0, "light"), Order("2", 0.0, "heavy")]
        run = Engine(name, 1).run(lower(two_steps(first), given_orders, origin=ORIGIN))
        log = log_of(run)
        return (run.completed_s / HOUR).tolist(), float((log.start_s - log.ready_s).sum() / HOUR)

    assert outcome(1) == ([11.0, 111.0], 10.0)
    assert outcome(2) == ([102.0, 101.0], 91.0)


def by_class(task: Task, hours: Mapping[str, float]) -> Task:
    rows = [DurationRow(fitted(Constant(h * HOUR)), cls) for cls, h in hours.items()]
    return replace(task, durations=DurationTable((*rows, *task.durations.rows)))


def spent(run: Run, seed: int, replication: int, *, alone: bool) -> Floats:
    """Per agent: working seconds from the log by the agents' clocks: of each execution on its own or, where
    agents do one thing at a time (`alone`), of all instants with an execution, however many share it."""
    network, log, stream = run.program.network, log_of(run), Stream(seed, replication)
    ends = np.where(np.isnan(log.end_s), run.until_s, log.end_s)
    found, counted = np.zeros(len(network.agents)), np.full(len(network.agents), run.begin_s)
    for i in np.argsort(log.start_s, kind="stable").tolist():
        agent = int(log.agent[i])
        if agent < 0:
            continue
        begin, end = min(max(log.start_s[i], counted[agent]), ends[i]), ends[i]
        if alone:
            counted[agent] = max(counted[agent], end)
        plan = network.clocks[network.agents["clock"][agent]]
        clock = None if plan is None else plan.clock(stream, run.begin_s)
        found[agent] += end - begin if clock is None else clock.between(begin, end)
    return found


@engines
@settings(max_examples=60)
@given(cases())
@example(drawn(Seeded(7)))  # both have batches that several orders share
@example(drawn(Seeded(109)))
def test_utilisation_by_two_formulas(name: str, case: Case) -> None:
    """From the tally, and from the log by the agents' clocks; it is between 0 and 1.

    Work that is done together is busy time once, though it is a row of the log for each order: which rows
    these are is plain only where nobody does anything else meanwhile.
    """
    case = from_nothing(case)
    policy = replace(case.policy, preemption=False, resume_penalty_s=0.0)
    together = any(
        isinstance(node, Task) and node.batch is not None and node.batch.kind == "simultaneous"
        for node in case.model.nodes
    )
    agents = tuple(
        replace(
            a,
            sharing="parallel",
            capacity=1 if together else a.capacity,
            absences=tuple(replace(x, hands_over=False) for x in a.absences),
            hired=None,
        )
        for a in case.model.agents
    )
    program = replace(case, policy=policy, model=replace(case.model, agents=agents)).program()
    run = Engine(name, case.seed).run(program, case.replication, case.horizon_s(program))
    capacity = program.network.agents["capacity"]
    by_log = spent(run, case.seed, case.replication, alone=together)
    assert run.tally.busy_s == pytest.approx(by_log, abs=1e-3)
    assert (run.tally.busy_s <= run.tally.on_s * capacity + 1e-3).all()
    assert (run.tally.busy_s >= 0.0).all()


@engines
@settings(max_examples=60)
@given(cases())
@example(drawn(Seeded(3)))  # its process has a rule, and the next choices by rule, that name a class
@example(drawn(Seeded(5)))
def test_names_of_classes_mean_nothing(name: str, case: Case) -> None:
    """Other names in another order: the same log."""
    case = replace(from_nothing(case), recorded=None)  # what is recorded names laws by number
    renamed = {"a": "zebra", "b": "aardvark"}
    tasks = [
        replace(n, durations=renamed_rows(n.durations, renamed)) if isinstance(n, Task) else n
        for n in case.model.nodes
    ]
    model = replace(
        case.model,
        nodes=tuple(tasks),
        routing=tuple(renamed_routing(routing, renamed) for routing in case.model.routing),
        queues=tuple(replace(q, only=q.only.replace("'a'", "'zebra'")) for q in case.model.queues),
        orders=replace(case.model.orders, rule=case.model.orders.rule.replace("'a'", "'zebra'")),
    )
    policy = replace(case.policy, rule=case.policy.rule.replace("'a'", "'zebra'"))
    orders = tuple(replace(order, cls=renamed.get(order.cls, order.cls)) for order in case.orders)
    other = replace(case, model=model, policy=policy, orders=orders)
    before, after = (run_of(name, c) for c in (case, other))
    assert before.rows() == after.rows()


def renamed_rows(table: DurationTable, names: Mapping[str, str]) -> DurationTable:
    rows = [replace(row, cls=names.get(row.cls or "", row.cls)) for row in table.rows]
    return DurationTable(tuple(reversed(rows)))


def renamed_routing(routing: Routing, names: Mapping[str, str]) -> Routing:
    def renamed(row: RoutingRow) -> RoutingRow:
        by_class = routing.levels[row.level].cls
        return replace(row, key=(names.get(row.key[0], row.key[0]), *row.key[1:])) if by_class else row

    rules = tuple(replace(rule, when=rule.when.replace("'a'", "'zebra'")) for rule in routing.rules)
    return replace(routing, rows=tuple(map(renamed, reversed(routing.rows))), rules=rules)


@engines
@settings(max_examples=40)
@given(cases(), st.integers(-60, 60))
def test_whole_weeks_later_everything_is_the_same(name: str, case: Case, weeks: int) -> None:
    """Where no clock changes to daylight saving: the log is shifted, and nothing else."""
    shift = timedelta(weeks=weeks)
    now = replace(from_nothing(case), model=in_utc(case.model, timedelta(0)))
    then = replace(now, model=in_utc(case.model, shift), origin=case.origin + shift)
    before, after = (run_of(name, c) for c in (now, then))
    assert [
        (*r[:3], r[3] + shift, None if r[4] is None else r[4] + shift) for r in before.rows()
    ] == after.rows()
    assert np.array_equal(before.completed_s, after.completed_s, equal_nan=True)
    assert before.tally.busy_s.tolist() == after.tally.busy_s.tolist()


def run_of(name: str, case: Case) -> Run:
    program = case.program()
    return Engine(name, case.seed).run(program, case.replication, case.horizon_s(program))


def in_utc(model: Metagraph, shift: timedelta) -> Metagraph:
    """All that has a date shifted, all zones UTC."""
    calendars = tuple(
        replace(
            c,
            time_zone="UTC",
            holidays=tuple(day + shift for day in c.holidays),
            exceptions=tuple(replace(e, start=e.start + shift, end=e.end + shift) for e in c.exceptions),
        )
        for c in model.calendars
    )
    agents = tuple(
        replace(
            a,
            hired=None if a.hired is None else a.hired + shift,
            absences=tuple(
                replace(x, start=x.start + shift, end=None if x.end is None else x.end + shift)
                for x in a.absences
            ),
        )
        for a in model.agents
    )
    paces = tuple(
        replace(pace, time_zone="UTC", holidays=tuple(day + shift for day in pace.holidays))
        for pace in model.paces
    )
    return replace(model, calendars=calendars, agents=agents, paces=paces)

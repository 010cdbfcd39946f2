"""What a plan decided, why it is to be believed, and what it rests on; as the command prints it in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from metagraph.model import Metagraph
from twin.explained import Explained
from twin.planned_robust import PlannedRobust

if TYPE_CHECKING:
    from metagraph.orders import Order
    from optimization.outcome import Outcome
    from optimization.settings import SolveOptions

Standing = Literal["on time", "late", "planned", "lost", "left out"]
"""Planned: it has no due date. Lost: not before its lost-sale date. Left out: not within the horizon."""


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """One order under the plan."""

    order: str
    cls: str
    segment: str
    standing: Standing
    release: datetime
    due: datetime | None
    lost: datetime | None
    done: datetime | None
    """When all its work is over; None: not within the horizon."""
    delivered: datetime | None
    """Later than that where it is worth more later."""
    slack_h: float | None
    """Hours from its delivery to its due date, on the clock on the wall; below 0: late."""
    profit: float | None
    """None: it has no value."""
    at_best: float | None
    """What it could yield if nothing else stood in its way."""
    why: str = ""
    """What stands against it being on time, or done at all, even if it were alone."""


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """One task of one order, by an agent."""

    order: str
    task: str
    activity: str
    agent: str
    rank: float | None
    """What goes first with its agent; -1: it goes on."""
    start: datetime
    end: datetime
    running: bool
    """It is under way now."""


@dataclass(frozen=True, slots=True)
class PlannedAgent:
    """One agent under the plan."""

    agent: str
    tasks: int
    busy_h: float
    there_h: float
    """Working hours from now to the end of the plan, times the items that the agent works on at once."""
    bought: bool
    """Whether it comes in bought hours only, and the plan buys them."""
    off: tuple[tuple[datetime, datetime], ...]
    """When it isn't there, from now to the end of the plan."""


@dataclass(frozen=True, slots=True)
class PlannedByRule:
    """What a priority rule would have done."""

    rule: str
    values: Mapping[str, float]
    """By what counts, more is better."""
    on_time: float | None


@dataclass(frozen=True, slots=True)
class Model:
    """Of the formulation that gave the bound."""

    formulation: str
    rows: int
    columns: int
    binaries: int
    continuous: int
    too_large: int = 0
    """Columns of a formulation that was too large to be built; 0: none was."""


@dataclass(frozen=True, slots=True)
class Improvement:
    """A plan that was better than all before it."""

    at_s: float
    objective: float
    bound: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A checked plan."""

    name: str
    """Of the instance or the twin."""
    at: datetime
    """Now: the first instant of the grid."""
    until: datetime
    """The last instant of the grid."""
    dt_s: float
    periods: int
    hours: bool
    """Whether times read better as hours since `at`: the instance knows no instants."""
    status: Literal["optimal", "gap", "time", "cancelled"]
    values: Mapping[str, float]
    """By what counts, first things first; more is better."""
    units: Mapping[str, str]
    objective: float
    """The first of them."""
    bound: float
    """No plan on this grid has more of it."""
    gap: float
    asked_gap: float
    better_by: float | None
    """Share by which the plan is better than the best rule."""
    on_time: float | None
    """Share of the orders with a due date."""
    preemptions: int
    orders: tuple[PlannedOrder, ...]
    work: tuple[PlannedWork, ...]
    agents: tuple[PlannedAgent, ...]
    rules: tuple[PlannedByRule, ...]
    """Best first."""
    model: Model
    improvements: tuple[Improvement, ...]
    build_s: float
    solve_s: float
    cpu_s: float
    seed: int
    notes: tuple[str, ...]
    """What was assumed."""
    explanations: tuple[Explained, ...] = ()
    """Of orders that were asked for."""
    robust: PlannedRobust | None = None
    """What it was compared with in simulated scenarios; None: it wasn't."""


def planned(
    found: Outcome,
    metagraph: Metagraph,
    origin: datetime,
    options: SolveOptions,
    *,
    name: str,
    hours: bool,
    notes: tuple[str, ...] = (),
    robust: PlannedRobust | None = None,
) -> Planned:
    """The outcome with instants for seconds and names for numbers."""
    from optimization.outcome import on_time_share
    from optimization.result import TOO_LARGE

    problem, result = found.problem, found.result
    names = [level.name for level in problem.levels]
    model = Model(
        options.formulation,
        result.rows,
        result.columns,
        result.binaries,
        result.columns - result.binaries,
        int(result.statistics.get(TOO_LARGE, 0)),
    )
    return Planned(
        name=name,
        at=_instant(origin, problem.grid.start_s),
        until=_instant(origin, problem.grid.at(problem.grid.periods)),
        dt_s=problem.grid.dt_s,
        periods=problem.grid.periods,
        hours=hours,
        status=result.status,
        values=dict(zip(names, result.values, strict=True)),
        units={level.name: level.unit for level in problem.levels},
        objective=result.objective,
        bound=result.bound,
        gap=result.gap,
        asked_gap=options.gap,
        better_by=found.better_by,
        on_time=on_time_share(found.orders),
        preemptions=found.preemptions,
        orders=_orders(found, origin),
        work=_work(found, metagraph, origin),
        agents=_agents(found, origin),
        rules=tuple(
            PlannedByRule(rule.rule, dict(zip(names, rule.values, strict=True)), rule.on_time)
            for rule in found.rules
        ),
        model=model,
        improvements=tuple(
            Improvement(one.at_s, one.objective, one.bound, one.source) for one in result.incumbents
        ),
        build_s=result.build_s,
        solve_s=result.solve_s,
        cpu_s=result.cpu_s,
        seed=options.seed,
        notes=(*found.notes, *notes),
        robust=robust,
    )


def _orders(found: Outcome, origin: datetime) -> tuple[PlannedOrder, ...]:
    """By delivery; those without one last."""

    def one_of(order: Order, i: int) -> PlannedOrder:
        mine = found.orders[i]
        slack_s = mine.slack_s
        return PlannedOrder(
            order=order.id,
            cls=order.cls,
            segment=order.segment,
            standing=mine.standing,
            release=_instant(origin, order.release_s),
            due=_maybe(origin, order.due_s),
            lost=_maybe(origin, order.lost_s),
            done=_maybe(origin, mine.done_s),
            delivered=_maybe(origin, mine.delivered_s),
            slack_h=None if slack_s is None else slack_s / 3600.0,
            profit=mine.profit,
            at_best=mine.at_best,
            why=mine.why,
        )

    rows = [one_of(mine.order, i) for i, mine in enumerate(found.orders)]
    return tuple(sorted(rows, key=lambda row: (row.delivered is None, row.delivered or row.release)))


def _work(found: Outcome, metagraph: Metagraph, origin: datetime) -> tuple[PlannedWork, ...]:
    """By beginning; ranks are those of the schedule."""
    labels = {task.id: task.label for task in metagraph.tasks()}
    ranks = {(a.order, a.task): a.rank for a in found.schedule.assignments}
    return tuple(
        PlannedWork(
            order=one.order,
            task=one.task,
            activity=labels.get(one.task, one.task),
            agent=one.agent,
            rank=ranks.get((one.order, one.task)),
            start=_instant(origin, one.start_s),
            end=_instant(origin, one.end_s),
            running=one.running,
        )
        for one in found.work
    )


def _agents(found: Outcome, origin: datetime) -> tuple[PlannedAgent, ...]:
    return tuple(
        PlannedAgent(
            agent=one.agent,
            tasks=one.tasks,
            busy_h=one.busy_s / 3600.0,
            there_h=one.there_s / 3600.0,
            bought=one.bought,
            off=tuple((_instant(origin, a), _instant(origin, b)) for a, b in one.off),
        )
        for one in found.agents
    )


def _instant(origin: datetime, seconds: float) -> datetime:
    return origin + timedelta(seconds=seconds)


def _maybe(origin: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else _instant(origin, seconds)

"""Known processes, drawn at random: what a twin that is built from their logs is held against.

Structures are nested sequences, choices, loops and parallel blocks of visible, differently named tasks; each
twin has its own roles, hours, work, delays and crowding. `visits` and `load` say what they come to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from benchmarks.known_structures import RandomStructure
from metagraph.agents import Agent, Queue
from metagraph.batches import Batch, BatchKind
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, skeleton
from metagraph.blocks import Sequence as Row
from metagraph.calendars import ALWAYS, Calendar
from metagraph.distributions import Constant, Distribution, Fitted, Parametric
from metagraph.model import Metagraph
from metagraph.nodes import DelayTable, DurationRow, DurationTable, End, Start, Task
from metagraph.orders import Arrivals
from metagraph.routing import Level, Routing, RoutingRow

HOUR, DAY = 3600.0, 86400.0
Hours = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Work:
    """A task: its law, the role that does it (None: nobody), the delay before it, how it is collected."""

    law: Distribution
    role: str | None = None
    delay: Distribution | None = None
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """Agents alike, who share a queue."""

    agents: int
    calendar: str
    capacity: int = 1
    shared: bool = False
    """Items at once slow each other down."""
    priority: str = "FIFO"


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a process but its arrivals."""

    name: str
    block: Block
    work: Mapping[str, Work]
    """By label."""
    roles: Mapping[str, Role]
    calendars: Mapping[str, Hours]
    weights: Mapping[str, Sequence[float]]
    """By gateway: of its outgoing flows."""
    by_visit: Mapping[str, Mapping[int, Sequence[float]]] = field(default_factory=dict)


def twin_of(plan: Plan, arrivals: Arrivals) -> Metagraph:
    """The metagraph of a plan."""
    shape = skeleton(plan.block)
    outgoing: dict[str, list[str]] = {}
    for flow in shape.flows:
        outgoing.setdefault(flow.source, []).append(flow.id)
    routing = tuple(
        _routing(g.id, tuple(outgoing[g.id]), plan.weights[g.id], plan.by_visit.get(g.id, {}))
        for g in shape.gateways
        if g.routes
    )
    return Metagraph(
        name=plan.name,
        nodes=(Start("start"), *(_task(*t, plan) for t in shape.tasks), *shape.gateways, End("end")),
        flows=shape.flows,
        routing=routing,
        agents=tuple(
            Agent(who, role.calendar, name, role.capacity, "shared" if role.shared else "parallel")
            for name, role in plan.roles.items()
            for who in people(name, role)
        ),
        queues=tuple(
            Queue(name, people(name, role), priority=role.priority) for name, role in plan.roles.items()
        ),
        calendars=tuple(Calendar(name, hours) for name, hours in plan.calendars.items()),
        arrivals=arrivals,
    )


def people(name: str, role: Role) -> tuple[str, ...]:
    """The ids of a role's agents."""
    return tuple(f"{name} {i + 1}" for i in range(role.agents))


def _task(node: str, label: str, plan: Plan) -> Task:
    work = plan.work[label]
    delay = None if work.delay is None else DelayTable(_by_hand(work.delay), {})
    return Task(
        node,
        label,
        DurationTable((DurationRow(_by_hand(work.law)),)),
        () if work.role is None else (work.role,),
        delay,
        batch=work.batch,
    )


def _by_hand(law: Distribution) -> Fitted:
    return Fitted(law, 0, "human")


def _routing(
    node: str, flows: tuple[str, ...], weights: Sequence[float], by_visit: Mapping[int, Sequence[float]]
) -> Routing:
    levels = (Level(visit=True), Level()) if by_visit else (Level(),)
    rows = [RoutingRow(0, (str(visit),), tuple(w), 0) for visit, w in by_visit.items()]
    return Routing(node, flows, levels, (*rows, RoutingRow(len(levels) - 1, (), tuple(weights), 0)))


def visits(plan: Plan) -> dict[str, float]:
    """Expected executions of each label per order."""
    found: dict[str, float] = {}

    def walk(block: Block, times: float) -> None:
        match block:
            case Leaf(_, label):
                found[label] = found.get(label, 0.0) + times
            case Row(items):
                for item in items:
                    walk(item, times)
            case Parallel(_, _, branches):
                for branch in branches:
                    walk(branch, times)
            case Choice(split, _, branches):
                for share, branch in zip(plan.weights[split], branches, strict=True):
                    walk(branch, times * share)
            case Loop(_, end, body, redos):
                passes = times / plan.weights[end][-1]
                walk(body, passes)
                for share, redo in zip(plan.weights[end], redos, strict=False):
                    walk(redo, passes * share)
            case Empty():
                pass

    walk(plan.block, 1.0)
    return found


def load(plan: Plan) -> dict[str, float]:
    """Utilisation of each role at one order a week."""
    often = visits(plan)
    busy = dict.fromkeys(plan.roles, 0.0)
    for label, work in plan.work.items():
        if work.role is not None:
            busy[work.role] += often.get(label, 0.0) * work.law.mean() / HOUR
    return {name: hours / _capacity_h(plan, plan.roles[name]) for name, hours in busy.items()}


def _capacity_h(plan: Plan, role: Role) -> float:
    """Working hours of a role in a week: of agents, times what they do at once at full rate."""
    open_h = sum(end - start for start, end in plan.calendars[role.calendar]) / HOUR
    return open_h * role.agents * (1 if role.shared else role.capacity)


def rates(per_week: float, hours: Hours, peak: float = 1.0) -> tuple[float, ...]:
    """168 hourly rates, even over these hours, Mondays `peak` times as busy."""
    share = [
        max(0.0, min(b, (h + 1) * HOUR) - max(a, h * HOUR)) * (peak if h < 24 else 1.0)
        for h in range(168)
        for a, b in [next(((a, b) for a, b in hours if a < (h + 1) * HOUR and b > h * HOUR), (0.0, 0.0))]
    ]
    return tuple(per_week * s / sum(share) for s in share)


def week(days: Sequence[int], *hours: tuple[float, float]) -> Hours:
    """The same hours on each of the days (0: Monday)."""
    return tuple((d * DAY + a * HOUR, d * DAY + b * HOUR) for d in days for a, b in hours)


def lognormal(mean_s: float, spread: float) -> Parametric:
    """`spread`: standard deviation of the logarithm."""
    return Parametric("lognorm", (spread, 0.0, mean_s * math.exp(-(spread**2) / 2)))


def gamma(mean_s: float, shape: float) -> Parametric:
    return Parametric("gamma", (shape, 0.0, mean_s / shape))


WEEKDAYS = range(5)
CONTESTED = (0.5, 0.7)
"""Utilisations of the busiest role at which it has something to choose from, and nothing waits for good."""
OFFICES: Mapping[str, Hours] = {
    "office": week(WEEKDAYS, (9, 17)),
    "early": week(WEEKDAYS, (6, 14)),
    "late": week(WEEKDAYS, (12, 20)),
    "with lunch": week(WEEKDAYS, (8, 12), (13, 17)),
    "with Saturday": (*week(WEEKDAYS, (8, 16)), *week((5,), (8, 12))),
    "mornings": week(WEEKDAYS, (8, 13)),
    "always": ALWAYS,
}


# At random


def random_plan(seed: int) -> tuple[Plan, tuple[str, ...], float]:
    """A process, what is special about it, and the utilisation of its busiest role."""
    dice = Random(seed)
    block, weights, by_visit = RandomStructure(dice).draw()
    labels = [label for _, label in skeleton(block).tasks]
    special: list[str] = []
    roles: dict[str, Role] = {}
    for i in range(dice.randint(2, min(5, len(labels)))):
        capacity = dice.choice((2, 3)) if dice.random() < 0.15 else 1
        shared = capacity > 1 and dice.random() < 0.5
        calendar = dice.choice(list(OFFICES))
        roles[f"role{i}"] = Role(dice.randint(1, 4), calendar, capacity, shared)
        if capacity > 1:
            special.append("shared" if shared else "multitasking")
    work = {}
    for i, label in enumerate(labels):
        role = list(roles)[i] if i < len(roles) else dice.choice(list(roles))
        work[label] = _work(dice, role, special)
    plan = Plan(f"known {seed}", block, work, roles, OFFICES, weights, by_visit)
    crowded = dice.choice((0.2, 0.5, 0.7, 0.85))
    special.append("calm" if crowded < 0.3 else "crowded" if crowded > 0.6 else "busy")
    return plan, tuple(dict.fromkeys(special)), crowded


def random_twin(seed: int) -> tuple[Metagraph, tuple[str, ...]]:
    """A known twin and what is special about it, in words."""
    plan, special, crowded = random_plan(seed)
    dice = Random(seed + 1_000_003)
    per_week = dice.choice((40.0, 80.0, 150.0))
    faster = min(3.0, crowded / (per_week * max(load(plan).values())))
    plan = replace(plan, work={label: _faster(work, faster) for label, work in plan.work.items()})
    if dice.random() < 0.25:
        plan, special = _collected(plan, dice), (*special, "batches")
    if crowded in CONTESTED and Random(seed + 2_000_003).random() < 0.3:
        plan, special = _last_come_first(plan), (*special, "last come first")
    hours = dice.choice((week(WEEKDAYS, (8, 18)), week(range(7), (0, 24)), week(range(6), (7, 15))))
    arrivals = Arrivals(rates(per_week, hours, dice.choice((1.0, 1.5))), dispersion=dice.choice((0.0, 0.05)))
    used = {role.calendar for role in plan.roles.values()}
    plan = replace(plan, calendars={name: h for name, h in plan.calendars.items() if name in used})
    return twin_of(plan, arrivals), special


def _last_come_first(plan: Plan) -> Plan:
    """The plan with the busiest role taking what came last first."""
    busy = load(plan)
    name = max(busy, key=lambda role: busy[role])
    return replace(plan, roles={**plan.roles, name: replace(plan.roles[name], priority="LIFO")})


def _faster(work: Work, factor: float) -> Work:
    """The same task with its work times `factor`."""
    if work.role is None or not isinstance(work.law, Parametric):
        return work
    shape, at, scale = work.law.params
    return replace(work, law=Parametric(work.law.family, (shape, at, scale * factor)))


def _work(dice: Random, role: str, special: list[str]) -> Work:
    mean_s = 60.0 * dice.choice((10, 20, 40, 60, 120))
    law: Distribution = dice.choice(
        (lognormal(mean_s, 0.4), lognormal(mean_s, 0.9), gamma(mean_s, 3.0), gamma(mean_s, 1.0))
    )
    delay: Distribution | None = None
    if dice.random() < 0.2:
        delay = lognormal(HOUR * dice.choice((3, 12, 48)), dice.choice((0.4, 0.8)))
        special.append("delays")
    if dice.random() < 0.1:
        special.append("unattended")
        return Work(dice.choice((Constant(0.0), law)), None, delay)
    return Work(law, role, delay)


def _collected(plan: Plan, dice: Random) -> Plan:
    """The plan with one of the tasks that have no delay collected, the first one excepted."""
    able = [label for label, work in list(plan.work.items())[1:] if work.role and work.delay is None]
    if not able:
        return plan
    label = dice.choice(able)
    return replace(plan, work={**plan.work, label: replace(plan.work[label], batch=_batch(dice))})


def _batch(dice: Random) -> Batch:
    """Collected up to a number, or until a time of the working day."""
    kind: BatchKind = dice.choice(("sequential", "simultaneous"))
    if dice.random() < 0.5:
        return Batch(kind, _by_hand(Constant(float(dice.choice((4, 6, 10))))), wait_s=2 * DAY)
    return Batch(kind, times=tuple(d * DAY + dice.choice((9, 14)) * HOUR for d in WEEKDAYS))

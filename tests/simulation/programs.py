"""Random cases for two engines to agree on: a program, how to run it, and what is done to it on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from hypothesis import strategies as st

from metagraph.blocks import Skeleton, skeleton
from metagraph.model import Metagraph
from metagraph.nodes import End, Start, Task
from metagraph.orders import Order, OrderModel
from metagraph.policies import PORTFOLIO, Policy
from metagraph.routing import Routing
from metagraph.rules import AVERAGED
from metagraph.schedule import Assignment, Schedule
from metagraph.state import OpenOrder, Position, State
from simulation.lowering import lower
from simulation.program import RECORDED, Kind, Program
from simulation.session import Limits, Options
from tests.simulation.ingredients import (
    HOUR,
    ORIGINS,
    PACES,
    SHAPES,
    Dice,
    Names,
    agent,
    batch,
    calendars,
    chance,
    delay,
    durations,
    order,
    pick,
    queues,
    routing,
    several,
    some,
    structure,
    subsets,
)


@dataclass(frozen=True)
class Stop:
    """What happens to a run at an instant: it is paused, and perhaps steered."""

    at_s: float
    steer: str = ""
    """'announce' or 'reschedule'; '' only looks at it and forks it."""
    number: int = 0
    """Decides which item and what."""


@dataclass(frozen=True)
class Case:
    """One program and one way to run it."""

    model: Metagraph
    policy: Policy
    origin: datetime
    orders: tuple[Order, ...]
    state: State | None
    seed: int
    replication: int
    options: Options
    until_s: float | None
    stops: tuple[Stop, ...]
    paused_s: float | None = None
    """The run begins from a state that another run left at this instant."""

    recorded: int | None = None
    """Decides what is known of the orders beforehand; None: nothing."""

    def program(self) -> Program:
        found = lower(self.model, self.orders, origin=self.origin, policy=self.policy, state=self.state)
        return found if self.recorded is None else recorded(Seeded(self.recorded), found)

    def horizon_s(self, program: Program) -> float | None:
        """Where the run is to end: not before it begins."""
        return None if self.until_s is None else max(self.until_s, program.begin_s)


def from_nothing(case: Case) -> Case:
    """The same orders, without those that a state has."""
    schedule, known = case.policy.schedule, {order.id for order in case.orders}
    if schedule is not None:
        schedule = replace(schedule, assignments=tuple(a for a in schedule.assignments if a.order in known))
    return replace(case, state=None, policy=replace(case.policy, schedule=schedule))


def case(dice: Dice) -> Case:
    """A small program, in which much happens at the same instants."""
    origin = pick(dice, ORIGINS)
    model, rule = process(dice, origin)
    lost = chance(dice, 40)
    orders = tuple(order(dice, f"o{i}", lost) for i in range(dice.integer(1, 9)))
    if chance(dice, 4):
        orders = crowd(dice, orders)
    state = None
    if chance(dice, 30):
        state = by_hand(dice, model, [order(dice, f"s{i}", lost) for i in range(dice.integer(1, 4))])
        orders = tuple(replace(o, release_s=o.release_s + state.at_s) for o in orders)
    known = (*orders, *(o.order for o in state.orders)) if state else orders
    policy = pick_policy(dice, model, known, rule)
    found = Case(
        model,
        policy,
        origin,
        orders,
        state,
        dice.integer(0, 9),
        dice.integer(0, 3),
        Options(
            log=not chance(dice, 5),
            antithetic=chance(dice, 20),
            limits=Limits(dice.integer(1, 12) if chance(dice, 5) else 10**6, 3 if chance(dice, 5) else 10**6),
        ),
        dice.integer(0, 80) * HOUR / 2 if chance(dice, 25) else None,
        stops(dice, policy.priorities == ("RANK",)),
        dice.integer(1, 60) * HOUR / 4 if state is None and chance(dice, 35) else None,
        dice.integer(0, 99) if chance(dice, 35) else None,
    )
    return with_extras(dice, found) if chance(dice, 30) else found


def with_extras(dice: Dice, found: Case) -> Case:
    """Some of its orders wait for material, some have a table of profits."""
    tasks = [task.id for task in found.model.tasks()]

    def more(o: Order) -> Order:
        wanted = some(dice, tasks, 3) if chance(dice, 60) else ()
        material = {task: o.release_s + dice.integer(-2, 30) * HOUR / 2 for task in wanted}
        at_s = sorted(o.release_s + dice.integer(-2, 40) * HOUR / 2 for _ in range(dice.integer(0, 4)))
        points = tuple((t, pick(dice, (-30.0, 0.0, 70.0, 110.0))) for t in dict.fromkeys(at_s))
        points += points[-1:] and ((points[-1][0], 5.0),) * chance(dice, 30)
        return replace(o, material_s=material, profit_points=points)

    state = found.state
    if state is not None:
        state = replace(state, orders=tuple(replace(o, order=more(o.order)) for o in state.orders))
    return replace(found, state=state, orders=tuple(more(o) for o in found.orders))


def recorded(dice: Dice, program: Program) -> Program:
    """The program with ways, work, delays, agents and queues of some visits known beforehand."""
    network = program.network
    first, rows = [0], []
    for _ in program.orders.ids:
        mine = {(-1, 0): (-1, -1, -1, -1, 0.0, 0.0, 0.0)} if chance(dice, 20) else {}
        for node, record in enumerate(network.nodes):
            ways = int(max(record["targets"], record["outcomes"]))
            ways = int(record["outcomes"]) if record["kind"] == Kind.SOME else ways
            for visit in range(1, dice.integer(0, 2) + 1):
                mine[node, visit] = (
                    dice.integer(-1, ways - 1) if record["kind"] in (Kind.ROUTE, Kind.SOME) else -1,
                    dice.integer(-1, len(network.agents) - 1),
                    dice.integer(-1, len(network.queues) - 1),
                    dice.integer(-1, len(network.tables) - 1),
                    pick(dice, (0.0, HOUR / 4, HOUR, float("nan"))),
                    pick(dice, (0.0, 0.25, 0.9)),
                    pick(dice, (0.0, HOUR / 2, float("nan"))),
                )
        rows += [(*key, *values) for key, values in sorted(mine.items())]
        first.append(len(rows))
    known = replace(
        program.orders, recorded=np.array(rows, RECORDED), recorded_first=np.array(first, np.int64)
    )
    return replace(program, orders=known)


def crowd(dice: Dice, orders: Sequence[Order]) -> tuple[Order, ...]:
    """The same orders again and again, all at once or over weeks: what an engine has room for must grow."""
    gap_s = pick(dice, (0.0, HOUR / 2, 30 * HOUR))
    return tuple(later(o, f"{o.id} of {k}", k * gap_s) for k in range(dice.integer(10, 40)) for o in orders)


def later(o: Order, name: str, by_s: float) -> Order:
    early_s, due_s, lost_s = (
        None if date is None else date + by_s for date in (o.early_s, o.due_s, o.lost_s)
    )
    return replace(o, id=name, release_s=o.release_s + by_s, early_s=early_s, due_s=due_s, lost_s=lost_s)


def stops(dice: Dice, ranked: bool) -> tuple[Stop, ...]:
    def one() -> Stop:
        at_s = dice.integer(0, 120) * HOUR / 4
        ways = ["", "", "announce", "reschedule" if ranked else ""]
        return Stop(at_s, pick(dice, ways), dice.integer(0, 99))

    return tuple(sorted(several(dice, 0, 3, one), key=lambda stop: stop.at_s))


def process(dice: Dice, origin: datetime) -> tuple[Metagraph, str]:
    """A process, and the rule that all its queues have."""
    names = Names(dice)
    shape = skeleton(structure(dice, names, pick(dice, (0, 1, 2, 2))))
    rough = chance(dice, 40)
    many = 18 if chance(dice, 4) else dice.integer(1, 5)
    crew = [agent(dice, f"x{i}", origin, rough) for i in range(many)]
    rule = pick(dice, ("FIFO", "HP", "SDD", "SERPT", "HPCS", "LIFO", "RULE"))
    pools = queues(dice, [a.id for a in crew], rule)
    tasks = [
        Task(
            node,
            label,
            durations(dice, [a.id for a in crew]),
            () if chance(dice, 15) else some(dice, [q.id for q in pools], 3),
            delay(dice, names.labels),
            not chance(dice, 25),
        )
        for node, label in shape.tasks
    ]
    tasks = [replace(task, batch=batch(dice, task.preemptible)) for task in tasks]
    return Metagraph(
        name="random",
        nodes=(Start("start"), *tasks, *shape.gateways, End("end")),
        flows=shape.flows,
        routing=tuple(choices(dice, shape, names.labels)),
        agents=tuple(crew),
        queues=pools,
        calendars=calendars(origin),
        paces=PACES,
        orders=OrderModel(
            profit=pick(dice, SHAPES),
            segment_priority={"north": 2.0, "south": 1.0},
            rule=pick(dice, EXPRESSIONS),
        ),
    ), rule


def choices(dice: Dice, shape: Skeleton, labels: Sequence[str]) -> Iterator[Routing]:
    for gateway in shape.gateways:
        if gateway.routes:
            flows = tuple(f.id for f in shape.flows if f.source == gateway.id)
            taken = subsets(dice, flows) if gateway.kind == "or_split" else ()
            yield routing(dice, gateway.id, flows, labels, gateway.kind == "loop_end", taken)


EXPRESSIONS = ("5 * (segment == 'north') + (cls == 'a')", "-release_h", "value if has(value) else 0")


def pick_policy(dice: Dice, model: Metagraph, orders: Sequence[Order], rule: str) -> Policy:
    """One of the paper's, or one put together by chance."""
    if chance(dice, 40):
        return pick(dice, tuple(PORTFOLIO.values()))
    kinds = (
        (),
        (),
        (pick(dice, (*AVERAGED, "FIFO", "LIFO")),),
        some(dice, AVERAGED, 4),
        ("RANK",),
        ("RULE",),
    )
    priorities = pick(dice, kinds)
    return Policy(
        "made",
        pick(dice, ("JSQ", "JFQ", "JAQ", "JDQ")),
        priorities,
        rule=pick(dice, EXPRESSIONS) if priorities == ("RULE",) else "",
        schedule=schedule(dice, model, orders) if priorities == ("RANK",) else None,
        preemption=not chance(dice, 20),
        tie=pick(dice, ("keep", "back")),
        max_preemptions=dice.integer(0, 2) if chance(dice, 25) else None,
        resume_penalty_s=pick(dice, (600.0, HOUR)) if chance(dice, 25) else 0.0,
        same_agent=chance(dice, 25),
    )


def schedule(dice: Dice, model: Metagraph, orders: Sequence[Order]) -> Schedule:
    serving = {q.id: q.agents for q in model.queues}
    made = []
    for o in orders:
        for task in model.tasks():
            if task.queues and chance(dice, 70):
                who = pick(dice, serving[pick(dice, task.queues)])
                made.append(Assignment(o.id, task.id, who, float(dice.integer(0, 3))))
    return Schedule(tuple(made))


def by_hand(dice: Dice, model: Metagraph, orders: Sequence[Order]) -> State:
    """Orders that stand anywhere, whether or not they could have come there."""
    at_s = dice.integer(12, 60) * HOUR / 2
    opened = []
    for o in orders:
        came = replace(o, release_s=at_s - dice.integer(0, 10) * HOUR)
        positions = tuple(position(dice, model, came.release_s, at_s) for _ in range(dice.integer(1, 2)))
        history = tuple(several(dice, 0, 3, lambda: pick(dice, [t.label for t in model.tasks()])))
        visits = {p.node: dice.integer(1, 2) for p in positions if not p.node.endswith("_end")}
        merges = [g.id for g in model.gateways() if g.kind == "and_merge"]
        merged = {pick(dice, merges): 1} if merges and chance(dice, 30) else {}
        opened.append(OpenOrder(came, positions, history, visits, merged))
    return State(at_s, tuple(opened))


def position(dice: Dice, model: Metagraph, release_s: float, at_s: float) -> Position:
    """At a task: delayed, waiting, interrupted or worked on; or at a gateway."""
    gateways = [g.id for g in model.gateways()]
    enabled_s = release_s + dice.integer(0, int((at_s - release_s) / HOUR * 2)) * HOUR / 2
    if gateways and chance(dice, 15):
        return Position(pick(dice, gateways), enabled_s)
    task = pick(dice, model.tasks())
    after = pick(dice, ("", *(t.label for t in model.tasks())))
    serving = {q.id: q.agents for q in model.queues}
    queue = pick(dice, task.queues) if task.queues else None
    who = pick(dice, serving[queue]) if queue else None
    eta_s = at_s + dice.integer(-2, 8) * HOUR / 2 if chance(dice, 15) and task.batch is None else None
    if task.batch is not None and chance(dice, 30):
        return Position(task.id, enabled_s, after=after, collected_s=enabled_s)
    match pick(dice, ("open", "waiting", "interrupted", "working", "working")):
        case "working":
            worked = pick(dice, (None, 0.0, HOUR / 2))
            return Position(task.id, enabled_s, enabled_s, who, after, queue=queue, worked_s=worked)
        case "waiting" if queue:
            found = pick(dice, (None, queue))
            return Position(task.id, enabled_s, after=after, ready_s=enabled_s, queue=found)
        case "interrupted" if queue:
            return Position(
                task.id,
                enabled_s,
                None,
                who,
                after,
                enabled_s,
                queue,
                begun_s=enabled_s,
                worked_s=HOUR / 4,
                preemptions=1,
            )
    return Position(task.id, enabled_s, after=after, eta_s=eta_s)


class Seeded:
    """Dice for very many cases."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        return self._random.randint(low, high)


class Drawn:
    """Hypothesis's dice, which shrink."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    return case(Drawn(draw))

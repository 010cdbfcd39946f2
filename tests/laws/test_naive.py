"""Both engines against a simulator that looks at everything in every tick, on small cases full of ties."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from metagraph.agents import Agent, Queue
from metagraph.blocks import Block, Choice, Leaf, Parallel, Sequence, skeleton
from metagraph.calendars import Calendar
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.nodes import DurationRow, DurationTable, Task
from metagraph.orders import Order, OrderModel, ProfitShape
from metagraph.policies import Policy
from metagraph.routing import Level, Routing, RoutingRow
from simulation.lowering import lower
from tests.laws.engines import ENGINES, Engine, log_of
from tests.naive import Crew, Route, Shop
from tests.simulation.builders import ORIGIN, fitted, process

TICK_S = 1800.0
DAY = 48
"""Ticks."""
Ways = dict[str, tuple[str, ...]]
"""The tasks of an order, each with those that must be done before it."""


class Case:
    """A process, orders that each have durations and a route of their own, and the same for the oracle."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.n = 0
        self.block = self.make(2)
        self.tasks = [node for node, _ in skeleton(self.block).tasks]
        self.crews = [self.crew(i) for i in range(self.dice.randint(1, 3))]
        queues = [queue for crew in self.crews for queue in crew.queues]
        self.served = {task: self.dice.choice(queues) for task in self.tasks}
        self.chosen: list[dict[str, int]] = []
        self.routes = [self.route() for _ in range(self.dice.randint(2, 7))]

    def make(self, depth: int) -> Block:
        self.n += 1
        kind = self.dice.choice(["leaf", "sequence", "and", "xor"]) if depth else "leaf"
        if kind == "leaf":
            return Leaf(f"t{self.n}", f"T{self.n}")
        name, parts = f"{kind}{self.n}", tuple(self.make(depth - 1) for _ in range(self.dice.randint(2, 3)))
        if kind == "sequence":
            return Sequence(parts)
        return (Parallel if kind == "and" else Choice)(name, f"{name}_end", parts)

    def crew(self, i: int) -> Crew:
        begin, end = self.dice.choice([(0, DAY), (16, 36), (4, 10)])
        queues = tuple(f"q{i}.{k}" for k in range(self.dice.randint(1, 2)))
        return Crew(self.dice.randint(1, 3), queues, lambda t: begin <= t % DAY < end)

    def route(self) -> Route:
        choices: dict[str, int] = {}
        ways: Ways = {}
        self.walk(self.block, (), choices, ways)
        self.chosen.append(choices)
        tasks = {task: (self.dice.randint(1, 6), self.served[task], before) for task, before in ways.items()}
        release = self.dice.choice([0, 0, self.dice.randint(0, 60)])
        return Route(release, tasks, self.dice.choice([1.0, 2.0, 3.0]), release + self.dice.randint(1, 80))

    def walk(
        self, block: Block, before: tuple[str, ...], choices: dict[str, int], ways: Ways
    ) -> tuple[str, ...]:
        """Add the block's tasks on this route; what must be done before what comes next."""
        match block:
            case Leaf(node, _):
                ways[node] = before
                return (node,)
            case Sequence(items):
                for item in items:
                    before = self.walk(item, before, choices, ways)
                return before
            case Parallel(_, _, branches):
                return tuple(t for branch in branches for t in self.walk(branch, before, choices, ways))
            case Choice(split, _, branches):
                choices[split] = self.dice.randrange(len(branches))
                return self.walk(branches[choices[split]], before, choices, ways)
        raise AssertionError(block)

    def metagraph(self) -> Metagraph:
        """Each order is a class of its own, which routes and durations look at."""
        agents, calendars, queues = [], [], []
        for i, crew in enumerate(self.crews):
            hours = [t for t in range(DAY) if crew.open(t)]
            open_s = [(d * 86400 + hours[0] * TICK_S, d * 86400 + (hours[-1] + 1) * TICK_S) for d in range(7)]
            calendars.append(Calendar(f"c{i}", tuple(open_s) if len(hours) < DAY else ((0.0, 7 * 86400.0),)))
            names = tuple(f"x{i}.{k}" for k in range(crew.agents))
            agents += [Agent(name, f"c{i}") for name in names]
            queues += [Queue(queue, names) for queue in crew.queues]
        made = process(
            self.block,
            Constant(TICK_S),
            queues=queues,
            serves={task: [queue] for task, queue in self.served.items()},
            agents=agents,
            calendars=calendars,
        )
        nodes = tuple(self.timed(node) if isinstance(node, Task) else node for node in made.nodes)
        return replace(
            made,
            nodes=nodes,
            routing=tuple(self.routed(routing) for routing in made.routing),
            orders=OrderModel(profit=ProfitShape(1.0, 1.0, 0.5, 0.5, 0.5)),
        )

    def timed(self, task: Task) -> Task:
        rows = [DurationRow(fitted(Constant(TICK_S)))]
        for i, route in enumerate(self.routes):
            if task.id in route.tasks:
                rows.append(DurationRow(fitted(Constant(route.tasks[task.id][0] * TICK_S)), str(i)))
        return replace(task, durations=DurationTable(tuple(rows)), preemptible=True)

    def routed(self, routing: Routing) -> Routing:
        rows = [RoutingRow(1, (), routing.rows[0].weights, 1)]
        for i, chosen in enumerate(self.chosen):
            if routing.node in chosen:
                weights = tuple(float(k == chosen[routing.node]) for k in range(len(routing.flows)))
                rows.append(RoutingRow(0, (str(i),), weights, 1))
        return replace(routing, levels=(Level(cls=True), Level()), rows=tuple(rows))

    def orders(self) -> list[Order]:
        return [
            Order(str(i), r.release * TICK_S, str(i), value=r.value, due_s=r.due * TICK_S)
            for i, r in enumerate(self.routes)
        ]


RULES = ("FIFO", "HP", "SDD", "SERPT")


@pytest.mark.parametrize("tie", ["keep", "back"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ENGINES)
def test_the_oracle_agrees(name: str, rule: str, tie: str) -> None:
    interruptions = 0
    for seed in range(25):
        made = Case(seed)
        preemption = seed % 5 > 0
        policy = Policy("test", "JSQ", (rule,), preemption=preemption, tie=tie)  # type: ignore[arg-type]
        jobs = Shop(made.routes, made.crews, rule, preemption=preemption, back=tie == "back").run(30 * DAY)
        model = made.metagraph()
        log = log_of(Engine(name, 1).run(lower(model, made.orders(), origin=ORIGIN, policy=policy)))
        found = list(
            zip(
                log.order.tolist(),
                [model.nodes[n].id for n in log.node],
                *(ticks(column) for column in (log.ready_s, log.start_s, log.end_s)),
                log.preemptions.tolist(),
                strict=True,
            )
        )
        assert found == [(j.order, j.task, j.ready, j.start, j.end, j.preemptions) for j in jobs], seed
        interruptions += sum(job.preemptions for job in jobs)
    assert interruptions > 0 or rule == "FIFO"


ticks: Callable[..., list[float]] = lambda column: [round(t / TICK_S, 9) for t in column]

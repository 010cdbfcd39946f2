"""One order's steps as operations on the grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING

from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.state import OpenOrder, Position
from optimization.delays import Delays
from optimization.grid import Grid
from optimization.problem import NOBODY, Ints, Job, Mode, Operation, Running
from optimization.routes import Route, Step
from optimization.settings import Settings
from optimization.work import Expected, law_of, wall_ends

if TYPE_CHECKING:
    from optimization.pools import Crew

INSTANT_S = 1.0
"""Work expected to take less has no operation: what waits for it waits for what comes before it."""
STRANGERS = "Work under way by agents whom the twin doesn't know goes on to its end."


@dataclass(frozen=True, slots=True)
class Todo:
    """An order and what is left to do."""

    order: Order
    standing: OpenOrder | None
    route: Route


@dataclass(frozen=True, slots=True)
class Made:
    """A job and what belongs to it."""

    job: Job
    ops: tuple[Operation, ...]
    running: tuple[Running, ...]


@dataclass(frozen=True, slots=True)
class _Behind:
    """What a step waits for, once steps that are no operations are taken out."""

    preds: tuple[int, ...]
    """Indices of operations."""
    ready: int
    """The point at which the rest of what it waits for is over."""


class JobBuilder:
    """Makes jobs; keeps what was assumed in `notes`."""

    def __init__(
        self,
        metagraph: Metagraph,
        grid: Grid,
        origin: datetime,
        settings: Settings,
        crew: Crew,
        expected: Expected,
    ) -> None:
        self._metagraph, self._grid, self._settings = metagraph, grid, settings
        self._crew, self._expected = crew, expected
        self._delays = Delays(metagraph.paces, grid, origin)
        self.notes: list[str] = []

    def job(self, number: int, first: int, todo: Todo) -> Made:
        """The job with this number, whose first operation has the number `first`."""
        behind: list[_Behind] = []
        """By step: what comes after it waits for that."""
        ops: list[Operation] = []
        running: list[Running] = []
        released = self._grid.up(todo.order.release_s)
        for given in todo.route.steps:
            step = self._by_whom(given)
            before = _united([behind[i] for i in step.preds], released)
            work = self._running(todo.order, step)
            if work is not None:
                running.append(work)
                behind.append(_Behind((), work.end))
                continue
            found = self._operation(number, todo.order, step, before)
            if found is None:
                behind.append(before)
                continue
            behind.append(_Behind((first + len(ops),), 0))
            ops.append(found)
        waited = {pred for op in ops for pred in op.preds}
        sinks = tuple(first + i for i in range(len(ops)) if first + i not in waited)
        shape = todo.order.profit or self._metagraph.orders.profit
        floor = min(max([released, *(b.ready for b in behind)]), self._grid.never)
        job = Job(todo.order, shape, range(first, first + len(ops)), sinks, floor)
        return Made(job, tuple(ops), tuple(running))

    def _by_whom(self, step: Step) -> Step:
        """The step; work by somebody who doesn't do this task in the metagraph is nobody's."""
        if step.position is None or step.position.agent is None or not step.task.queues:
            return step
        agent = self._crew.agent_of(step.position, step.task)
        if agent is None:
            self.notes.append(STRANGERS)
        return replace(step, position=replace(step.position, agent=agent))

    def _running(self, order: Order, step: Step) -> Running | None:
        """Work that is under way and won't be interrupted. Whom the process doesn't know works by the clock
        on the wall and takes nobody's place, as in the simulator."""
        position, grid = step.position, self._grid
        if position is None or position.started_s is None:
            return None
        if step.task.queues and position.agent and self._interruptible(step.task, position):
            return None
        agent = position.agent
        if not step.task.queues or agent is None:
            end_s = position.eta_s
            if end_s is None:
                law = law_of(step.task, order.cls, order.segment, None)
                end_s = grid.start_s + self._expected.left(law, grid.start_s - position.started_s)
            return Running(order.id, step.task.id, "", position.started_s, _at_least(grid, end_s))
        left_s = self._left(order, step, position)
        if position.agent is None:
            end_s = grid.start_s + left_s
            return Running(order.id, step.task.id, "", position.started_s, _at_least(grid, end_s))
        end_s = self._crew.presence(position.agent).after(grid.start_s, left_s)
        return Running(order.id, step.task.id, position.agent, position.started_s, _at_least(grid, end_s))

    def _interruptible(self, task: Task, position: Position) -> bool:
        wanted = self._settings.preemption
        often = wanted.most_per_item is not None and position.preemptions >= wanted.most_per_item
        free = task.preemptible and wanted.allowed and task.id not in wanted.forbidden and not often
        return free and position.agent is not None

    def _left(self, order: Order, step: Step, position: Position) -> float:
        """Working seconds left of what was begun, by whom it was begun."""
        law = law_of(step.task, order.cls, order.segment, position.agent)
        further = (step.visits - 1.0) * self._expected.mean(law)
        return self._expected.left(law, self._worked(position)) + further

    def _worked(self, position: Position) -> float:
        """Working seconds done."""
        if position.worked_s is not None:
            return position.worked_s
        if position.started_s is None:
            return 0.0
        if position.agent is None:
            return self._grid.start_s - position.started_s
        clock = self._crew.presence(position.agent)
        return clock.worked(self._grid.start_s) - clock.worked(position.started_s)

    def _operation(self, job: int, order: Order, step: Step, before: _Behind) -> Operation | None:
        """None for what takes no time."""
        ready, lag = self._readiness(order, step, before)
        task, position = step.task, step.position
        begun = position is not None and (position.worked_s or position.started_s is not None)
        if task.id in order.material_s and not begun:
            ready = max(ready, self._grid.up(order.material_s[task.id]))
        if not task.queues:
            law = law_of(task, order.cls, order.segment, None)
            seconds = step.visits * self._expected.mean(law)
            if position is not None and position.eta_s is not None:
                ready, seconds = max(ready, self._grid.up(position.eta_s)), 0.0
            if seconds < INSTANT_S and lag is None and ready <= before.ready:
                return None
            modes: tuple[Mode, ...] = (Mode(NOBODY, seconds, wall_ends(seconds, self._grid)),)
            return Operation(job, task.id, before.preds, ready, modes, lag)
        if position is not None and begun:
            return self._begun(job, order, step, position, before, ready, lag)
        modes = tuple(
            Mode(pool, work_s, self._crew.ends(pool, work_s)) for pool, work_s in self._pools(order, step)
        )
        if lag is None and ready <= before.ready and max(mode.work_s for mode in modes) < INSTANT_S:
            return None
        return Operation(job, task.id, before.preds, ready, modes, lag)

    def _pools(self, order: Order, step: Step) -> list[tuple[int, float]]:
        """Pools that can do a step, with the expected working seconds."""
        found = []
        for pool, agent in self._crew.pools_for(step.task).items():
            law = law_of(step.task, order.cls, order.segment, agent)
            found.append((pool, step.visits * self._expected.mean(law)))
        return found

    def _begun(
        self,
        job: int,
        order: Order,
        step: Step,
        position: Position,
        before: _Behind,
        ready: int,
        lag: Ints | None,
    ) -> Operation:
        """What is left of work that was begun: it goes on, or waits and is resumed, maybe by another agent,
        to whom the share that is done carries over."""
        wanted = self._settings.preemption
        left_s = max(self._left(order, step, position), 2 * INSTANT_S)
        share = left_s / (left_s + self._worked(position))
        modes: list[Mode] = []
        held = None
        for pool, work_s in self._pools(order, step):
            mine = self._crew.belongs(pool, position.agent)
            if wanted.same_agent and position.agent is not None and not mine:
                continue
            rest_s = left_s if mine else share * work_s
            ends = self._crew.ends(pool, max(rest_s, 2 * INSTANT_S) + wanted.resume_penalty_s)
            own = position.agent is not None and self._crew.pool_of.get(position.agent) == pool
            if own and position.started_s is not None:
                held = len(modes)
                ends = ends.copy()
                ends[0] = self._goes_on(position, left_s)
            modes.append(Mode(pool, rest_s, ends))
        unit = position.agent if held is not None and position.agent is not None else ""
        return Operation(job, step.task.id, before.preds, ready, tuple(modes), lag, held, unit)

    def _goes_on(self, position: Position, left_s: float) -> int:
        """When held work is over that isn't interrupted; it may be paused now, off shift."""
        assert position.agent is not None
        end_s = self._crew.presence(position.agent).after(self._grid.start_s, left_s)
        return _at_least(self._grid, end_s)

    def _readiness(self, order: Order, step: Step, before: _Behind) -> tuple[int, Ints | None]:
        """From when on it can begin, and the delay after its predecessors."""
        grid, position, delay = self._grid, step.position, step.task.delay
        if position is not None:
            ready = 0 if position.started_s is not None else self._ready_at(order, step, position)
            if position.eta_s is not None and step.task.queues:
                ready = grid.up(position.eta_s)
            return max(ready, before.ready), None
        if delay is None:
            return before.ready, None
        mean_s = self._expected.mean(delay.lookup(step.after).law)
        if delay.since == "release":
            return max(before.ready, grid.up(order.release_s + mean_s)), None
        mean_s *= step.visits
        if mean_s < INSTANT_S:
            return before.ready, None
        lag = self._delays.lag(delay.pace, mean_s)
        if not before.preds:
            return int(lag[min(before.ready, grid.never)]), None
        return int(lag[before.ready]), lag

    def _ready_at(self, order: Order, step: Step, position: Position) -> int:
        """When what waits can begin: now, if its delay is known to be over."""
        delay, grid = step.task.delay, self._grid
        if position.ready_s is not None:
            return grid.up(position.ready_s)
        if delay is None or position.worked_s:
            return 0
        law = delay.lookup(position.after).law
        if delay.since == "release":
            passed_s = max(grid.start_s - order.release_s, 0.0)
            return grid.up(grid.start_s + self._expected.left(law, passed_s))
        if delay.pace is not None:
            clock = self._delays.clocks[delay.pace]
            passed_s = clock.between(position.enabled_s, grid.start_s)
            return grid.up(clock.after(grid.start_s, self._expected.left(law, passed_s)))
        return grid.up(grid.start_s + self._expected.left(law, grid.start_s - position.enabled_s))


def _united(found: list[_Behind], released: int) -> _Behind:
    preds = tuple(dict.fromkeys(pred for one in found for pred in one.preds))
    return _Behind(preds, max([released, *(one.ready for one in found)]))


def _at_least(grid: Grid, t: float) -> int:
    """A point above 0: what is under way isn't over now."""
    return grid.never if t == inf else max(grid.up(t), 1)

"""A schedule recomputed on real instants: whether it can be followed, and what it yields.

It is held against metagraph, state and orders alone: no grid, no problem, no solver. Durations are as
expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf

from metagraph.model import Metagraph
from metagraph.orders import Order, profit_at
from metagraph.overtime import Overtime, with_overtime
from metagraph.schedule import Assignment, Schedule
from metagraph.state import OpenOrder, State
from optimization.outcome import Standing, standing_at
from optimization.routes import Route, Step, routes_of
from optimization.schedule_steps import PASSED_THROUGH_S, Needs

SLACK_S = 1.0
"""By which instants may differ: files round them."""


@dataclass(frozen=True, slots=True)
class CheckedOrder:
    """One order under a schedule."""

    order: str
    standing: Standing
    """"left out" where the schedule names nothing of it and it could still be done."""
    completed_s: float | None
    profit: float | None
    """None: it has no value."""


@dataclass(frozen=True, slots=True)
class CheckedSchedule:
    """What a schedule comes to, if there are no faults."""

    faults: tuple[str, ...]
    orders: tuple[CheckedOrder, ...]
    profit: float | None
    """Of all orders, less what bought hours cost; None: no order has a value."""
    spent: float
    """For bought hours."""
    on_time: float | None
    """Share of the orders with a due date."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Somebody at work."""

    agent: str
    begin_s: float
    end_s: float
    what: str


def check_schedule(
    metagraph: Metagraph,
    state: State | None,
    orders: Sequence[Order],
    origin: datetime,
    schedule: Schedule,
    *,
    start_s: float = 0.0,
    overtime: Sequence[Overtime] = (),
    told: Callable[[float], str] | None = None,
) -> CheckedSchedule:
    """Check a schedule for the orders of the state and those still to come.

    Now is the state's instant, without a state `start_s`. `told` puts an instant into words. Every fault is a
    sentence; none is raised.
    """
    return _Checker(metagraph, state, orders, origin, schedule, start_s, overtime, told).checked()


class _Checker:
    def __init__(
        self,
        metagraph: Metagraph,
        state: State | None,
        orders: Sequence[Order],
        origin: datetime,
        schedule: Schedule,
        start_s: float,
        overtime: Sequence[Overtime],
        told: Callable[[float], str] | None,
    ) -> None:
        self._now_s = start_s if state is None else state.at_s
        self._metagraph, self._overtime = metagraph, overtime
        self._usual = Needs(metagraph, origin, self._now_s)
        self._needs = Needs(with_overtime(metagraph, overtime, origin), origin, self._now_s)
        self._told = told or (lambda t: f"{(t - self._now_s) / 3600:.4g} h")
        self._standing: list[tuple[Order, OpenOrder | None]] = [
            *((found.order, found) for found in (state.orders if state is not None else ())),
            *((order, None) for order in orders),
        ]
        self._named: dict[str, dict[str, Assignment]] = {}
        for one in schedule.assignments:
            self._named.setdefault(one.order, {})[one.task] = one
        self._faults: list[str] = []
        self._spans: list[_Span] = []

    def checked(self) -> CheckedSchedule:
        known = {order.id for order, _ in self._standing}
        self._faults += [
            f"Order {name}: it isn't one of those to be done." for name in {*self._named} - known
        ]
        routes = routes_of(self._metagraph, self._standing).routes
        found = [self._order(order, route) for (order, _), route in zip(self._standing, routes, strict=True)]
        self._faults += self._crowded()
        bought = [hours for hours in self._overtime if self._used(hours)]
        spent = sum(hours.price for hours in bought)
        valued = [one.profit for one in found if one.profit is not None]
        dated = [o for o, (order, _) in zip(found, self._standing, strict=True) if order.due_s is not None]
        return CheckedSchedule(
            faults=tuple(self._faults),
            orders=tuple(found),
            profit=sum(valued) - spent if valued else None,
            spent=spent,
            on_time=sum(one.standing == "on time" for one in dated) / len(dated) if dated else None,
        )

    def _used(self, hours: Overtime) -> bool:
        return any(
            span.agent == hours.agent and hours.start_s - SLACK_S <= span.begin_s < hours.end_s
            for span in self._spans
        )

    def _order(self, order: Order, route: Route) -> CheckedOrder:
        mine = dict(self._named.get(order.id, {}))
        given_up = self._given_up(order, route, mine)
        ends: list[float] = []
        for step in route.steps:
            if given_up and step.task.id not in mine:
                self._goes_on_alone(order, step)
                ends.append(self._now_s)
                continue
            before = max([order.release_s, self._now_s, *(ends[i] for i in step.preds)])
            ends.append(self._step(order, step, before, mine))
        choices = any(gateway.routes for gateway in self._metagraph.gateways())
        if not choices:
            self._faults += [f"{self._where(order, task)} it is done already." for task in mine]
        shape = order.profit or self._metagraph.orders.profit
        if given_up:
            lost = profit_at(order, shape, inf)
            profit = None if order.value is None else lost if order.lost_s is not None else min(lost, 0.0)
            return CheckedOrder(order.id, "left out", None, profit)
        done = max(ends, default=max(order.release_s, self._now_s))
        profit = None if order.value is None else _best(order, done, lambda t: profit_at(order, shape, t))
        return CheckedOrder(order.id, standing_at(order, done, SLACK_S), done, profit)

    def _given_up(self, order: Order, route: Route, mine: Mapping[str, Assignment]) -> bool:
        """Whether nothing of an order is done but what is under way, though more is left to do; or not even
        that, if it may be interrupted."""
        begun = [s for s in route.steps if s.position is not None and s.position.started_s is not None]
        under_way = {step.task.id for step in begun}
        left = any(s.task.id not in under_way and not self._quick(order, s) for s in route.steps)
        if not mine and begun and not left:
            return any(self._interruptible(step) for step in begun)
        return left and under_way.issuperset(mine)

    def _interruptible(self, step: Step) -> bool:
        """Whether work under way can be: by somebody whom the process has, and the task allows it."""
        by = step.position.agent if step.position is not None else None
        return step.task.preemptible and bool(step.task.queues) and self._needs.knows(by)

    def _quick(self, order: Order, step: Step) -> bool:
        """Whether it takes no time of anybody."""
        able = self._needs.able(step.task)
        return max((self._needs.work_s(order, step, agent) for agent in able), default=0.0) < PASSED_THROUGH_S

    def _goes_on_alone(self, order: Order, step: Step) -> None:
        """Work under way of an order that is given up keeps its agent unless it may be interrupted."""
        position = step.position
        if position is None or position.started_s is None or step.task.preemptible:
            return
        if self._needs.knows(position.agent) and position.agent is not None and step.task.queues:
            self._going(order, step, position.agent)

    def _going(self, order: Order, step: Step, agent: str) -> float:
        """Work that goes on though nobody names it; when it is over."""
        end_s = self._needs.there(agent).after(self._now_s, self._needs.work_s(order, step, agent))
        self._spans.append(_Span(agent, self._now_s, end_s, self._what(order, step.task.id)))
        return end_s

    def _step(self, order: Order, step: Step, before_s: float, mine: dict[str, Assignment]) -> float:
        """When a step is over."""
        needs, position = self._needs, step.position
        started = position is not None and position.started_s is not None
        ready_s = needs.ready_s(order, step, before_s)
        one = mine.pop(step.task.id, None)
        if not step.task.queues or (started and position is not None and not needs.knows(position.agent)):
            return needs.alone_s(order, step, ready_s)
        if one is None:
            if started and position is not None and position.agent is not None:
                return self._going(order, step, position.agent)
            return self._unnamed(order, step, before_s)
        if one.start_s is None or one.end_s is None:
            self._faults.append(f"{self._where(order, step.task.id)} start or end isn't told.")
            return before_s
        if one.agent not in needs.able(step.task):
            return one.end_s  # Reading the schedule has named this fault.
        goes_on = position is not None and started and one.agent == position.agent
        goes_on = goes_on and one.start_s <= self._now_s + SLACK_S
        self._faults += self._timed(order, step, one, ready_s, goes_on)
        begin_s = max(one.start_s, self._now_s) if goes_on else one.start_s
        self._spans.append(_Span(one.agent, begin_s, one.end_s, self._what(order, step.task.id)))
        return one.end_s

    def _unnamed(self, order: Order, step: Step, before_s: float) -> float:
        """A task that takes no time, or that comes again, needn't be named; others must."""
        again = any(step.task.id == name for name in self._named.get(order.id, {}))
        if not again and not self._quick(order, step):
            self._faults.append(
                f"{self._where(order, step.task.id)} nobody does it, though others of the order are done."
            )
        return before_s

    def _timed(
        self, order: Order, step: Step, one: Assignment, ready_s: float, goes_on: bool
    ) -> Iterator[str]:
        """What is wrong with when it begins and how long it takes."""
        assert one.start_s is not None
        assert one.end_s is not None
        needs, position, where = self._needs, step.position, self._where(order, step.task.id)
        begin_s = max(one.start_s, self._now_s) if goes_on else one.start_s
        if not goes_on:
            if position is not None and position.started_s is not None and not step.task.preemptible:
                yield f"{where} {position.agent} works on it, and it can't be interrupted."
            if one.start_s < ready_s - SLACK_S:
                begins, can = self._told(one.start_s), self._told(ready_s)
                yield f"{where} it begins at {begins}; it can't before {can}."
            there_s = needs.first_there(one.agent, one.start_s)
            if there_s > one.start_s + SLACK_S:
                back = f"until {self._told(there_s)}" if there_s < inf else "any more"
                yield f"{where} it begins at {self._told(one.start_s)}, when {one.agent} isn't there {back}."
        work_s = needs.work_s(order, step, one.agent)
        clock = needs.there(one.agent)
        worked_s = clock.worked(one.end_s) - clock.worked(begin_s)
        if worked_s < work_s - SLACK_S:
            yield (
                f"{where} {one.agent} works {worked_s / 3600:.4g} h on it until {self._told(one.end_s)}; it "
                f"takes {work_s / 3600:.4g} h."
            )

    def _crowded(self) -> Iterator[str]:
        """Agents with more at once than they can take, each told once. In bought hours others of their work
        can be done while that of their own hours pauses."""
        groups: dict[tuple[str, bool], list[_Span]] = {}
        for span in self._spans:
            groups.setdefault((span.agent, self._bought(span)), []).append(span)
        told: set[str] = set()
        for (agent, _), mine in groups.items():
            mine.sort(key=lambda s: (s.begin_s, s.end_s))
            for i, span in enumerate(mine):
                here = [other for other in mine[: i + 1] if other.end_s > span.begin_s + SLACK_S]
                if len(here) > self._needs.places(agent) and agent not in told:
                    told.add(agent)
                    what = ", ".join(other.what for other in here)
                    yield (
                        f"{agent}: {len(here)} things at once at {self._told(span.begin_s)}, "
                        f"{self._needs.places(agent)} can be: {what}."
                    )

    def _bought(self, span: _Span) -> bool:
        """Whether work lies in bought hours from its beginning to its end, and outside its agent's own."""
        within = any(
            span.agent == hours.agent
            and hours.start_s - SLACK_S <= span.begin_s
            and span.end_s <= hours.end_s + SLACK_S
            for hours in self._overtime
        )
        own = self._usual.there(span.agent)
        return within and own.worked(span.end_s) - own.worked(span.begin_s) < SLACK_S

    def _where(self, order: Order, task: str) -> str:
        return f"Order {order.id}, task {task}:"

    def _what(self, order: Order, task: str) -> str:
        return f"order {order.id}, task {task}"


def _best(order: Order, done_s: float, worth: Callable[[float], float]) -> float:
    """The most from then on: profit is linear between these dates."""
    dates = [order.early_s, order.due_s, *(t for t, _ in order.profit_points)]
    return max(worth(t) for t in [done_s, *(t for t in dates if t is not None and t > done_s)])

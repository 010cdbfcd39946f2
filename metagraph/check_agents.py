"""Faults of agents, queues, calendars, arrivals and orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from metagraph.agents import Agent, Queue
from metagraph.calendars import WEEK_S, Calendar
from metagraph.check_graph import share_faults
from metagraph.check_laws import fitted_faults
from metagraph.faults import Fault, shown
from metagraph.model import ClosingFact, Metagraph
from metagraph.orders import Arrivals, OrderModel
from metagraph.rules import RULES

HOURS_A_WEEK = 168


def agent_faults(metagraph: Metagraph) -> Iterator[Fault]:
    """Faults of who works, when, and from which queues."""
    agents = {agent.id for agent in metagraph.agents}
    calendars = {calendar.id for calendar in metagraph.calendars}
    for agent in metagraph.agents:
        yield from _agent(agent, calendars)
    for queue in metagraph.queues:
        yield from _queue(queue, agents)
    for calendar in metagraph.calendars:
        yield from _calendar(calendar)
    for pace in metagraph.paces:
        yield from _weekly(pace.rates, f"pace {pace.id}, rates")
        yield from _zone(pace.time_zone, f"pace {pace.id}")
        if not any(rate > 0 for rate in pace.rates):
            yield Fault(f"pace {pace.id}, rates", "no rate is above 0: no delay would ever end")


def order_faults(metagraph: Metagraph) -> Iterator[Fault]:
    """Faults of arrivals, orders and the rule that closes them."""
    if metagraph.arrivals is not None:
        yield from _arrivals(metagraph.arrivals)
    yield from _orders(metagraph.orders)
    if metagraph.closing is not None:
        yield from _closing(metagraph.closing)


def _agent(agent: Agent, calendars: set[str]) -> Iterator[Fault]:
    where = f"agent {agent.id}"
    if agent.calendar not in calendars:
        yield Fault(f"{where}, calendar", f"{shown(agent.calendar)} is no calendar of this twin")
    if agent.capacity < 1:
        yield Fault(f"{where}, capacity", f"{agent.capacity}; an agent works on at least 1 item at once")
    if agent.cost_per_h < 0:
        yield Fault(f"{where}, cost_per_h", f"{agent.cost_per_h} is negative")


def _queue(queue: Queue, agents: set[str]) -> Iterator[Fault]:
    where = f"queue {queue.id}"
    if not queue.agents:
        yield Fault(f"{where}, agents", "none; work in it would wait for ever")
    for agent, n in Counter(queue.agents).items():
        if agent not in agents:
            yield Fault(f"{where}, agents", f"{shown(agent)} is no agent of this twin")
        if n > 1:
            yield Fault(f"{where}, agents", f"{shown(agent)} is listed {n} times")
    if queue.priority not in RULES:
        yield Fault(f"{where}, priority", f"{shown(queue.priority)}; expected one of {', '.join(RULES)}")
    if queue.weights and len(queue.weights) != len(queue.agents):
        yield Fault(f"{where}, weights", f"{len(queue.weights)} weights for {len(queue.agents)} agents")
    if queue.weights:
        yield from share_faults(queue.weights, where, "weights")


def _calendar(calendar: Calendar) -> Iterator[Fault]:
    where = f"calendar {calendar.id}"
    if not calendar.hours and not any(exception.working for exception in calendar.exceptions):
        yield Fault(f"{where}, hours", "none; whoever has it would never work")
    last = 0.0
    for start, end in calendar.hours:
        span = f"{start} to {end} seconds"
        if start < 0 or end > WEEK_S:
            yield Fault(f"{where}, hours", f"{span} lies outside the week, which is 0 to {WEEK_S:.0f}")
        if end <= start:
            yield Fault(f"{where}, hours", f"{span} ends before it begins")
        elif start < last:
            yield Fault(f"{where}, hours", f"{span} overlaps the interval before, or they don't ascend")
        last = max(last, end)
    yield from _zone(calendar.time_zone, where)
    for exception in calendar.exceptions:
        naive = [at for at in (exception.start, exception.end) if at.tzinfo is None]
        yield from (instant_fault(at, f"{where}, exceptions") for at in naive)
        if not naive and exception.end <= exception.start:
            yield Fault(f"{where}, exceptions", f"{exception.start} to {exception.end} ends before it begins")


def _zone(name: str, where: str) -> Iterator[Fault]:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        yield Fault(f"{where}, time_zone", f"{shown(name)} is no time zone; expected one like Europe/Vienna")


def instant_fault(at: datetime, where: str) -> Fault:
    """The fault of an instant without a zone."""
    return Fault(where, f"{at.isoformat()} has no time zone; append Z for UTC")


def _weekly(rates: tuple[float, ...], where: str) -> Iterator[Fault]:
    if len(rates) != HOURS_A_WEEK:
        yield Fault(where, f"{len(rates)} rates; expected {HOURS_A_WEEK}, one an hour of the week")
    for hour, rate in enumerate(rates):
        if rate < 0:
            yield Fault(f"{where}, hour {hour}", f"{rate} is negative")


def _arrivals(arrivals: Arrivals) -> Iterator[Fault]:
    yield from _weekly(arrivals.rates_per_h, "arrivals, rates_per_h")
    if arrivals.gap is not None:
        yield from fitted_faults(arrivals.gap, "arrivals, gap")
    if arrivals.dispersion < 0:
        yield Fault("arrivals, dispersion", f"{arrivals.dispersion} is negative")
    if arrivals.n < 0:
        yield Fault("arrivals, n", f"{arrivals.n} is negative")
    yield from _zone(arrivals.time_zone, "arrivals")


def _orders(orders: OrderModel) -> Iterator[Fault]:
    for (cls, segment), n in Counter((c.cls, c.segment) for c in orders.classes).items():
        if n > 1:
            yield Fault(
                "orders, classes", f"class {shown(cls)} in segment {shown(segment)} is given {n} times"
            )
    if orders.classes:
        yield from share_faults(tuple(c.share for c in orders.classes), "orders, classes", "shares")
    for c in orders.classes:
        where = f"orders, class {shown(c.cls)} in segment {shown(c.segment)}"
        if c.n < 0:
            yield Fault(f"{where}, n", f"{c.n} is negative")
        if c.value is not None:
            yield from fitted_faults(c.value, f"{where}, value", signed=True)
        for name, fitted in (("due_after", c.due_after), ("patience", c.patience)):
            if fitted is not None:
                yield from fitted_faults(fitted, f"{where}, {name}")
        if c.due_working_days is not None and c.due_after is not None:
            yield Fault(where, "both due_after and due_working_days; only one can hold")
        if c.due_working_days is not None and c.due_working_days < 0:
            yield Fault(f"{where}, due_working_days", f"{c.due_working_days} is negative")


def _closing(closing: ClosingFact) -> Iterator[Fault]:
    for activity, share in (*closing.end_activities.items(), ("", closing.min_share)):
        if not 0 <= share <= 1:
            what = f"end_activities, {shown(activity)}" if activity else "min_share"
            yield Fault(f"closing, {what}", f"{share} is no share; expected 0 to 1")
    for ending in closing.endings:
        if not 0 <= ending.share <= 1:
            what = " > ".join(shown(activity) for activity in ending.after)
            yield Fault(f"closing, endings, {what}", f"{ending.share} is no share; expected 0 to 1")
    for activity, limit_s in (*closing.idle_after_s.items(), ("", closing.idle_s)):
        if limit_s < 0:
            what = f"idle_after_s, {shown(activity)}" if activity else "idle_s"
            yield Fault(f"closing, {what}", f"{limit_s} is negative")

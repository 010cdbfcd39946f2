"""Faults of agents, queues, calendars and paces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from metagraph.agents import Absence, Agent, Breakdowns, Queue
from metagraph.calendars import WEEK_S, Calendar
from metagraph.check_graph import share_faults
from metagraph.check_laws import fitted_faults
from metagraph.distributions import Fitted
from metagraph.errors import DataError
from metagraph.expressions import parse
from metagraph.faults import Fault, shown
from metagraph.model import Metagraph
from metagraph.rules import RULES
from metagraph.shifts import DAY_S, LONGEST_S, weekly_seconds

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEIGHTS_OFF = 1e-6
"""Rounding of weights that is no fault."""
HOURS_A_WEEK = 168
OWN_RULES = tuple(rule for rule in RULES if rule != "RANK")
"""What a queue can be ordered by on its own; the other needs a schedule."""


def agent_faults(metagraph: Metagraph) -> Iterator[Fault]:
    """Faults of who works, when, and from which queues."""
    agents = {agent.id for agent in metagraph.agents}
    calendars = {calendar.id for calendar in metagraph.calendars}
    for agent in metagraph.agents:
        yield from _agent(agent, calendars)
    yield from _members(metagraph.agents)
    for queue in metagraph.queues:
        yield from _queue(queue, agents, bool(metagraph.orders.rule.strip()))
    for calendar in metagraph.calendars:
        yield from _calendar(calendar)
    for pace in metagraph.paces:
        yield from weekly_faults(pace.rates, f"pace {pace.id}, rates")
        yield from zone_faults(pace.time_zone, f"pace {pace.id}")
        if not any(rate > 0 for rate in pace.rates):
            yield Fault(f"pace {pace.id}, rates", "no rate is above 0: no delay would ever end")


def _agent(agent: Agent, calendars: set[str]) -> Iterator[Fault]:
    where = f"agent {agent.id}"
    if agent.calendar not in calendars:
        yield Fault(f"{where}, calendar", f"{shown(agent.calendar)} is no calendar of this twin")
    if agent.capacity < 1:
        yield Fault(f"{where}, capacity", f"{agent.capacity}; an agent works on at least 1 item at once")
    if agent.cost_per_h < 0:
        yield Fault(f"{where}, cost_per_h", f"{agent.cost_per_h} is negative")
    if not 0 < agent.presence <= 1:
        yield Fault(f"{where}, presence", f"{agent.presence}; expected a share above 0, at most 1")
    if agent.hired is not None and agent.hired.tzinfo is None:
        yield instant_fault(agent.hired, f"{where}, hired")
    yield from _absences(agent, where)
    if agent.breakdowns is not None:
        yield from _breakdowns(agent.breakdowns, f"{where}, breakdowns")


def _members(agents: tuple[Agent, ...]) -> Iterator[Fault]:
    """Nobody is of two agents, or an agent and of another one."""
    of: dict[str, str] = {agent.id: agent.id for agent in agents if not agent.members}
    for agent in agents:
        for person in agent.members:
            other = of.setdefault(person, agent.id)
            if other != agent.id:
                yield Fault(f"agent {agent.id}, members", f"{shown(person)} is already of agent {other}")


def _own_rules() -> str:
    return f"expected one of {', '.join(OWN_RULES)}"


def _absences(agent: Agent, where: str) -> Iterator[Fault]:
    """They go by time and don't overlap; one without an end can only be the last."""
    before: Absence | None = None
    for i, absence in enumerate(agent.absences):
        spot = f"{where}, absences, item {i}"
        naive = [at for at in (absence.start, absence.end) if at is not None and at.tzinfo is None]
        if naive:
            yield from (instant_fault(at, spot) for at in naive)
            return
        if absence.end is not None and absence.end <= absence.start:
            yield Fault(spot, f"{absence.start} to {absence.end} ends before it begins")
        if before is not None and before.end is None:
            yield Fault(spot, "it follows an absence for good; give that one an end, or remove this one")
        elif before is not None and before.end is not None and absence.start < before.end:
            yield Fault(spot, f"it begins at {absence.start}, before the one before it ends at {before.end}")
        if agent.hired is not None and agent.hired.tzinfo is not None and absence.start < agent.hired:
            yield Fault(spot, f"it begins at {absence.start}, before the agent is hired at {agent.hired}")
        before = absence


def _breakdowns(breakdowns: Breakdowns, where: str) -> Iterator[Fault]:
    for name in ("between", "repair"):
        fitted: Fitted = getattr(breakdowns, name)
        faults = tuple(fitted_faults(fitted, f"{where}, {name}"))
        yield from faults
        if not faults and name == "between" and not fitted.law.mean() > 0:
            yield Fault(f"{where}, between", "always 0; the agent would never work")


def _queue(queue: Queue, agents: set[str], ruled: bool) -> Iterator[Fault]:
    where = f"queue {queue.id}"
    if not queue.agents:
        yield Fault(f"{where}, agents", "none; work in it would wait for ever")
    for agent, n in Counter(queue.agents).items():
        if agent not in agents:
            yield Fault(f"{where}, agents", f"{shown(agent)} is no agent of this twin")
        if n > 1:
            yield Fault(f"{where}, agents", f"{shown(agent)} is listed {n} times")
    if queue.priority in RULES and queue.priority not in OWN_RULES:
        yield Fault(f"{where}, priority", f"{queue.priority} belongs to policies; {_own_rules()}")
    elif queue.priority not in RULES:
        yield Fault(f"{where}, priority", f"{shown(queue.priority)}; {_own_rules()}")
    elif queue.priority == "RULE" and not ruled:
        yield Fault(
            f"{where}, priority", "RULE, but no rule is given: say in 'orders', 'rule' what goes first"
        )
    if queue.only:
        try:
            parse(queue.only, f"{where}, only")
        except DataError as error:
            yield Fault("", str(error))
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
    yield from zone_faults(calendar.time_zone, where)
    if calendar.shifts:
        yield from shift_faults(calendar)
    for exception in calendar.exceptions:
        naive = [at for at in (exception.start, exception.end) if at.tzinfo is None]
        yield from (instant_fault(at, f"{where}, exceptions") for at in naive)
        if not naive and exception.end <= exception.start:
            yield Fault(f"{where}, exceptions", f"{exception.start} to {exception.end} ends before it begins")


def shift_faults(calendar: Calendar) -> Iterator[Fault]:
    """Faults of a calendar's drawn shifts."""
    where = f"calendar {calendar.id}, shifts"
    if len(calendar.shifts) != len(DAY_NAMES):
        yield Fault(where, f"{len(calendar.shifts)} days; expected 7, Monday to Sunday")
        return
    for name, day in zip(DAY_NAMES, calendar.shifts, strict=True):
        total = sum(shift.weight for shift in day)
        if total > 1 + WEIGHTS_OFF:
            yield Fault(f"{where}, {name}", f"the weights add up to {total:g}; expected at most 1")
        for shift in day:
            span = f"{shift.start_s} to {shift.end_s} seconds"
            if not 0 <= shift.start_s < DAY_S or not shift.start_s < shift.end_s <= LONGEST_S:
                wanted = "expected to begin in the day and to end in it or the next"
                yield Fault(f"{where}, {name}", f"{span}; {wanted}")
            if shift.weight < 0:
                yield Fault(f"{where}, {name}", f"the weight {shift.weight} is negative")
    if weekly_seconds(calendar.hours, calendar.shifts) <= 0:
        yield Fault(where, "no shift is ever drawn within the hours; whoever has it would never work")


def zone_faults(name: str, where: str) -> Iterator[Fault]:
    """The fault of a time zone that nobody knows."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        yield Fault(f"{where}, time_zone", f"{shown(name)} is no time zone; expected one like Europe/Vienna")


def instant_fault(at: datetime, where: str) -> Fault:
    """The fault of an instant without a zone."""
    return Fault(where, f"{at.isoformat()} has no time zone; append Z for UTC")


def weekly_faults(rates: tuple[float, ...], where: str) -> Iterator[Fault]:
    """Faults of 168 rates."""
    if len(rates) != HOURS_A_WEEK:
        yield Fault(where, f"{len(rates)} rates; expected {HOURS_A_WEEK}, one an hour of the week")
    for hour, rate in enumerate(rates):
        if rate < 0:
            yield Fault(f"{where}, hour {hour}", f"{rate} is negative")

"""Hours of agents that can be bought: read, written, checked, and worked once they are bought."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import inf
from typing import Any

from metagraph.agents import Agent
from metagraph.calendars import Calendar, CalendarException, WorkClock
from metagraph.faults import Fault, listed, shown
from metagraph.model import Metagraph
from metagraph.records import Record
from metagraph.timelines import TimeLine


@dataclass(frozen=True, slots=True)
class Overtime:
    """An agent comes if a plan gives work to them in these hours, for the whole price."""

    agent: str
    start_s: float
    """Seconds since the origin."""
    end_s: float
    price: float
    """Money."""


def overtime_of(record: Record, line: TimeLine) -> Overtime:
    """The hours in a record; faults go to it."""
    price = record.number("price", None, 0.0)
    if price is None and not record.has("price"):
        record.fault("price", "missing; it is needed (0 for hours that cost nothing more)")
    found = Overtime(
        agent=record.text("agent"),
        start_s=record.needed_time("start", line),
        end_s=record.needed_time("end", line),
        price=price or 0.0,
    )
    record.close()
    return found


def overtime_row(overtime: Overtime, line: TimeLine) -> dict[str, Any]:
    """The hours as plain values; `overtime_of` gives them back."""
    return {
        "agent": overtime.agent,
        f"start{line.suffix}": line.shown(overtime.start_s),
        f"end{line.suffix}": line.shown(overtime.end_s),
        "price": overtime.price,
    }


def overtime_faults(overtime: Sequence[Overtime], metagraph: Metagraph, origin: datetime) -> Iterator[Fault]:
    """Every fault: unknown agents, hours that end before they begin, and hours in which the agent is there
    anyway, is known to be away, or has been sold twice."""
    agents = {agent.id: agent for agent in metagraph.agents}
    calendars = {calendar.id: calendar for calendar in metagraph.calendars}
    for i, hours in enumerate(overtime):
        where = f"overtime, item {i}"
        if hours.agent not in agents:
            known = listed([*agents]) or "none"
            yield Fault(f"{where}, agent", f"{shown(hours.agent)} is no agent; there are {known}")
        elif not hours.start_s < hours.end_s:
            yield Fault(f"{where}, end", "not after the start; expected hours that last some time")
        else:
            agent = agents[hours.agent]
            yield from _clashes(hours, agent, calendars[agent.calendar], origin, where)
    yield from _sold_twice(overtime)


def _clashes(
    hours: Overtime, agent: Agent, calendar: Calendar, origin: datetime, where: str
) -> Iterator[Fault]:
    hired_s = -inf if agent.hired is None else (agent.hired - origin).total_seconds()
    if hours.end_s > hired_s:
        clock = WorkClock(calendar, origin, earliest_s=min(hours.start_s, 0.0))
        if clock.between(max(hours.start_s, hired_s), hours.end_s) > 0:
            yield Fault(
                where, f"{agent.id} works in some of these hours anyway; name only those beyond the calendar"
            )
    for absence in agent.absences:
        start_s = (absence.start - origin).total_seconds()
        end_s = inf if absence.end is None else (absence.end - origin).total_seconds()
        if start_s < hours.end_s and hours.start_s < end_s:
            yield Fault(where, f"{agent.id} is absent in some of these hours; name others")


def _sold_twice(overtime: Sequence[Overtime]) -> Iterator[Fault]:
    by_agent: dict[str, list[Overtime]] = {}
    for hours in overtime:
        by_agent.setdefault(hours.agent, []).append(hours)
    for agent, mine in by_agent.items():
        mine.sort(key=lambda hours: hours.start_s)
        if any(later.start_s < earlier.end_s for earlier, later in pairwise(mine)):
            yield Fault("overtime", f"hours of {agent} overlap; each hour can be bought once")


def with_overtime(metagraph: Metagraph, bought: Collection[Overtime], origin: datetime) -> Metagraph:
    """The process in which agents work in the hours that were bought, each by a calendar of its own."""
    calendars = {calendar.id: calendar for calendar in metagraph.calendars}
    agents = []
    for agent in metagraph.agents:
        mine = [hours for hours in bought if hours.agent == agent.id]
        if mine:
            own = calendars[agent.calendar]
            name = f"{own.id}, {agent.id}"
            more = tuple(
                CalendarException(_at(origin, hours.start_s), _at(origin, hours.end_s), True)
                for hours in mine
            )
            calendars[name] = replace(own, id=name, exceptions=(*own.exceptions, *more))
            agent = replace(agent, calendar=name)
        agents.append(agent)
    return replace(metagraph, agents=tuple(agents), calendars=tuple(calendars.values()))


def _at(origin: datetime, seconds: float) -> datetime:
    return origin + timedelta(seconds=seconds)

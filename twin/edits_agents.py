"""Edits of who works, when, on what, and for how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from calibration.graph_edits import free_id
from metagraph.agents import Absence, Agent
from metagraph.calendars import Calendar, CalendarException
from metagraph.model import Metagraph
from twin.calendar_text import parse_hours
from twin.edit_tools import Place, dated, with_agents, with_tasks
from twin.scenario_sections import (
    Away,
    CalendarSection,
    CapacitySection,
    CostSection,
    OvertimeSection,
)
from twin.words import few, hours_text, instant, number

LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(9999, 1, 1, tzinfo=UTC)

Edit = tuple[Metagraph, list[str]]
"""The changed graph, and what changed in words."""


def away(graph: Metagraph, said: Away, place: Place) -> Edit:
    """Agents who leave, for good or for a time."""
    start, end = place.span(said.since, said.until)
    handed = said.work == "handed over"
    changed, words = [], []
    for agent in place.agents(graph, said.agents):
        absences = _with_absence(agent, Absence(start or LONG_AGO, end, handed, "what-if"))
        if _spans(absences) == _spans(agent.absences):
            raise place.nothing(f"{agent.id} is away{dated(start, end) or ' all along'} anyway")
        changed.append(replace(agent, absences=absences))
        what = "its work goes to others" if handed else "its work waits"
        words.append(f"agent {agent.id}: at work → away{dated(start, end) or ' all along'}, {what}")
    return with_agents(graph, changed), words


def _spans(absences: tuple[Absence, ...]) -> list[tuple[datetime, datetime, bool]]:
    """Joined where they touch and are alike."""
    found: list[tuple[datetime, datetime, bool]] = []
    for one in absences:
        end = one.end or FAR_OFF
        if found and found[-1][1] == one.start and found[-1][2] == one.hands_over:
            found[-1] = (found[-1][0], end, one.hands_over)
        else:
            found.append((one.start, end, one.hands_over))
    return found


def _with_absence(agent: Agent, new: Absence) -> tuple[Absence, ...]:
    """The agent's absences with one more, which comes before those that it overlaps."""
    start = new.start if agent.hired is None else max(new.start, agent.hired)
    end = new.end or FAR_OFF
    if end <= start:
        return agent.absences
    parts = [replace(new, start=start)]
    for old in agent.absences:
        old_end = old.end or FAR_OFF
        if old.start < start:
            parts.append(replace(old, end=min(old_end, start)))
        if old_end > end:
            parts.append(replace(old, start=max(old.start, end)))
    return tuple(sorted(parts, key=lambda one: one.start))


def nobody_left(graph: Metagraph) -> Iterator[str]:
    """Activities whose work waits for good from an instant on, as all who could do it have left."""
    agents = {agent.id: agent for agent in graph.agents}
    for task in graph.tasks():
        crew = {a for queue in graph.queues if queue.id in task.queues for a in queue.agents}
        left = [_gone_for_good(agents[a]) for a in crew]
        if crew and all(at is not None for at in left):
            last = max(at for at in left if at is not None)
            when = f"from {instant(last)} on " if last > LONG_AGO else ""
            yield f"{when}nobody is left who does {task.label}: its orders wait there"


def _gone_for_good(agent: Agent) -> datetime | None:
    return agent.absences[-1].start if agent.absences and agent.absences[-1].end is None else None


def calendars(graph: Metagraph, said: CalendarSection, place: Place) -> Edit:
    """Other weekly hours; holidays and exceptions stay, days drawn from the past don't."""
    hours, words = parse_hours(said.hours), []
    for agent in place.agents(graph, said.agents):
        old = calendar_of(graph, agent)
        new = replace(old, hours=hours, shifts=(), time_zone=said.time_zone or old.time_zone, note="what-if")
        if replace(new, note=old.note) == old and agent.presence == 1.0:
            raise place.nothing(f"{agent.id} works {hours_text(old)} anyway")
        graph = with_calendar(graph, replace(agent, presence=1.0), new)
        words.append(
            f"agent {agent.id}: {hours_text(old)} ({number(old.weekly_hours())} h a week) → "
            f"{hours_text(new)} ({number(new.weekly_hours())} h a week)"
        )
    return graph, words


def overtime(graph: Metagraph, said: OvertimeSection, place: Place) -> Edit:
    """Hours worked beyond the calendar, once."""
    start, end = place.span(said.since, said.until)
    if start is None or end is None:
        raise place.wrong("overtime has a beginning and an end")
    words = []
    for agent in place.agents(graph, said.agents):
        old = calendar_of(graph, agent)
        if old.always_open:
            raise place.nothing(f"{agent.id} is always there anyway")
        new = replace(old, exceptions=(*old.exceptions, CalendarException(start, end, True)))
        graph = with_calendar(graph, agent, new)
        words.append(f"agent {agent.id}: its usual hours → at work{dated(start, end)} as well")
    return graph, words


def calendar_of(graph: Metagraph, agent: Agent) -> Calendar:
    """The agent's calendar."""
    return next(calendar for calendar in graph.calendars if calendar.id == agent.calendar)


def with_calendar(graph: Metagraph, agent: Agent, calendar: Calendar) -> Metagraph:
    """The graph with this agent in a calendar of its own; one that nobody has any more stays, which does no
    harm and keeps names as they were."""
    name = free_id(f"{agent.id} (what-if)", (c.id for c in graph.calendars))
    graph = replace(graph, calendars=(*graph.calendars, replace(calendar, id=name)))
    return with_agents(graph, [replace(agent, calendar=name)])


def capacity(graph: Metagraph, said: CapacitySection, place: Place) -> Edit:
    """How many items agents work on at once."""
    agents = place.agents(graph, said.agents)
    changed = [replace(agent, capacity=said.at_once) for agent in agents if agent.capacity != said.at_once]
    if not changed:
        raise place.nothing(f"{few(said.agents)} work on {said.at_once} at once anyway")
    words = [
        f"agent {agent.id}: {agent.capacity} at once → {said.at_once} at once"
        for agent in agents
        if agent.capacity != said.at_once
    ]
    return with_agents(graph, changed), words


def costs(graph: Metagraph, said: CostSection, place: Place) -> Edit:
    """What hours and executions cost."""
    before, words = graph, []
    if said.agents is not None and said.per_h is not None:
        agents = place.agents(graph, said.agents)
        graph = with_agents(graph, [replace(agent, cost_per_h=said.per_h) for agent in agents])
        words += [
            f"agent {a.id}: {number(a.cost_per_h)} an hour → {number(said.per_h)} an hour" for a in agents
        ]
    if said.activities is not None and said.per_execution is not None:
        tasks = place.tasks(graph, said.activities)
        graph = with_tasks(graph, [replace(task, cost=said.per_execution) for task in tasks])
        cost = number(said.per_execution)
        words += [f"activity {t.label}: {number(t.cost)} an execution → {cost} an execution" for t in tasks]
    if graph == before:
        raise place.nothing("they cost that anyway")
    return graph, words

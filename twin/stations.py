"""Agents and roles as stations of a line: when each was there, and when it made others wait.

An agent is active while it is on shift and works on as many items as it can; a role while all of its agents
who are on shift are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metagraph.agents import UNLIMITED
from metagraph.calendars import WorkClock, clipped, merge, without
from metagraph.model import Metagraph
from twin.active_periods import Period, Shares, Span, periods_of, shares, within

Floats = NDArray[np.float64]
Clocks = Callable[[int], "WorkClock | None"]
"""By the agent's number; None: always on."""


@dataclass(frozen=True, slots=True)
class Spans:
    """One agent over a time."""

    on: list[Span]
    full: list[Span]
    """On shift and at capacity."""
    work_s: Floats
    """Per window: seconds of its items, on shift, each item's counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What was seen of some stations: [station, window]."""

    names: tuple[str, ...]
    shares: Shares
    used: Floats
    """Work over capacity on shift; NaN where it wasn't there."""


def agents_of(metagraph: Metagraph) -> tuple[int, ...]:
    """Numbers of the agents who can be short: those with a limit."""
    return tuple(i for i, agent in enumerate(metagraph.agents) if agent.capacity < UNLIMITED)


def roles_of(metagraph: Metagraph) -> dict[str, tuple[int, ...]]:
    """Numbers of the agents of each role; who has none is a role of their own."""
    found: dict[str, list[int]] = {}
    for i in agents_of(metagraph):
        agent = metagraph.agents[i]
        found.setdefault(agent.role or agent.id, []).append(i)
    return {name: tuple(numbers) for name, numbers in found.items()}


def watch(
    metagraph: Metagraph,
    who: NDArray[np.int64],
    start_s: Floats,
    end_s: Floats,
    clocks: Clocks,
    edges: Floats,
    there: Mapping[int, Span] | None = None,
) -> tuple[Watched, Watched]:
    """Agents and roles within the windows between `edges`, from executions and who did them (-1: nobody).

    `there`: agents of whom it is known when they came and left; else they are there all along.
    """
    spans: dict[int, Spans] = {}
    made: dict[int, list[Span]] = {}
    for agent in agents_of(metagraph):
        mine = who == agent
        clock = clocks(agent)
        if id(clock) not in made:
            made[id(clock)] = _on(clock, edges)
        shift = made[id(clock)]
        low, high = (there or {}).get(agent, (-np.inf, np.inf))
        shift = clipped(shift, low, high)
        spans[agent] = _spans(shift, start_s[mine], end_s[mine], metagraph.agents[agent].capacity, edges)
    capacity = np.array([agent.capacity for agent in metagraph.agents], np.float64)
    names = tuple(metagraph.agents[a].id for a in spans)
    alone = _watched(names, [[a] for a in spans], spans, capacity, edges)
    roles = roles_of(metagraph)
    if all(len(team) == 1 for team in roles.values()):
        return alone, Watched(tuple(roles), alone.shares, alone.used)
    return alone, _watched(tuple(roles), list(roles.values()), spans, capacity, edges)


def _on(clock: WorkClock | None, edges: Floats) -> list[Span]:
    """When a clock runs between the first and the last edge."""
    low, high = float(edges[0]), float(edges[-1])
    if clock is None:
        return [(low, high)]
    found: list[Span] = []
    at = clock.next_on(low)
    while at < high:
        until = min(clock.on_until(at), high)
        found.append((at, until))
        at = clock.next_on(until)
    return merge(found)


def _spans(on: list[Span], start_s: Floats, end_s: Floats, capacity: int, edges: Floats) -> Spans:
    """One agent's, from its executions."""
    times = np.concatenate([start_s, end_s])
    steps = np.concatenate([np.ones(len(start_s)), -np.ones(len(end_s))])
    order = np.lexsort((-steps, times))  # what begins as something ends leaves no gap
    times, count = times[order], np.cumsum(steps[order])
    work_s, full = np.zeros(len(edges) - 1), []
    for level in range(1, capacity + 1):
        busy = both(_above(times, count, level), on)
        if not busy:
            break
        work_s += within([busy], edges)[0]
        full = busy if level == capacity else []
    return Spans(on, full, work_s)


def _above(times: Floats, count: Floats, level: int) -> list[Span]:
    """When a step function is at least `level`."""
    high = count >= level
    turns = np.flatnonzero(np.diff(np.concatenate([[False], high])))
    if len(turns) % 2:
        turns = turns[:-1]
    spans = [(float(times[a]), float(times[b])) for a, b in turns.reshape(-1, 2)]
    return merge([span for span in spans if span[0] < span[1]])


def both(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Where intervals of both lie; each ascending and disjoint."""
    return without(one, without(one, other))


def _watched(
    names: tuple[str, ...],
    teams: Sequence[Sequence[int]],
    spans: Mapping[int, Spans],
    capacity: Floats,
    edges: Floats,
) -> Watched:
    periods: list[Period] = []
    ons: list[list[Span]] = []
    used = np.full((len(teams), len(edges) - 1), np.nan)
    for station, team in enumerate(teams):
        on = merge([span for agent in team for span in spans[agent].on])
        idle = merge([span for agent in team for span in without(spans[agent].on, spans[agent].full)])
        ons.append(on)
        periods += periods_of(station, without(on, idle), on)
        offered = sum(capacity[agent] * within([spans[agent].on], edges)[0] for agent in team)
        work = sum(spans[agent].work_s for agent in team)
        np.divide(work, offered, out=used[station], where=np.asarray(offered) > 0)
    return Watched(names, shares(periods, ons, edges), used)

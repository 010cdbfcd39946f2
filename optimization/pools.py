"""Agents as pools of units that are alike, on the grid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil

import numpy as np

from metagraph.agents import Agent
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.overtime import Overtime
from metagraph.state import Position
from optimization.grid import Grid
from optimization.operations import Todo
from optimization.problem import Floats, Ints, Pool, Running
from optimization.settings import Settings
from optimization.work import Presence, able, ends_at, likeness, places, presence

PARTS = 15
"""Of a period: work is rounded up to them where shifts begin or end within periods."""
BACK_S = 60 * 86400.0
"""How far back work that is under way may have begun for its progress to be counted by its agent's clock."""


class Crew:
    """Who is there when: pools by agent, and when work in a pool ends."""

    def __init__(
        self, metagraph: Metagraph, grid: Grid, origin: datetime, settings: Settings, todo: Sequence[Todo]
    ) -> None:
        self._metagraph, self._grid, self._origin = metagraph, grid, origin
        self._agents = {agent.id: agent for agent in metagraph.agents}
        self._presences: dict[str, Presence] = {}
        self._on: dict[str, Floats] = {}
        self._ends: dict[tuple[int, int], Ints] = {}
        alike = likeness(metagraph, metagraph.tasks())
        bound = {
            self.agent_of(step.position, step.task)
            for one in todo
            for step in one.route.steps
            if settings.preemption.same_agent and step.position is not None
        }
        """Agents who alone may go on with what they began."""
        groups: dict[tuple[object, ...], list[str]] = {}
        needed = {agent for one in todo for step in one.route.steps for agent in able(metagraph, step.task)}
        for agent in metagraph.agents:
            if agent.id in needed:
                alone = agent.id if agent.id in bound else ""
                key = (alone, self.on(agent.id).tobytes(), *alike[agent.id])
                groups.setdefault(key, []).append(agent.id)
        self._members = tuple(tuple(members) for members in groups.values())
        self._bought = _offered(settings, todo, needed, grid)
        """Of pools that come after those."""
        self._pool_on = [
            *(self.on(members[0]) for members in self._members),
            *(Presence((h.start_s,), (h.end_s,), (0.0,)).on(grid) for h in self._bought),
        ]
        self._steps_s = [_step_s(on, grid) for on in self._pool_on]
        self.pool_of = {agent: i for i, members in enumerate(self._members) for agent in members}
        """Index of its pool in its own hours, by agent."""
        self.notes = tuple(
            dict.fromkeys(
                note for agent in metagraph.agents if agent.id in needed for note in _left_out(agent)
            )
        )
        """What of agents a plan leaves out."""
        if self._bought:
            self.notes += ("Hours that can be bought hold only work that begins and ends in them.",)
        elif settings.overtime and not _money(settings, todo):
            self.notes += (
                "No overtime is planned: what it costs can't be weighed, as profit doesn't count.",
            )

    def on(self, agent: str) -> Floats:
        """[point] working seconds of an agent since point 0."""
        if agent not in self._on:
            self._on[agent] = self.presence(agent).on(self._grid)
        return self._on[agent]

    def presence(self, agent: str) -> Presence:
        if agent not in self._presences:
            grid = self._grid
            self._presences[agent] = presence(
                self._agents[agent],
                self._metagraph,
                self._origin,
                grid.start_s - BACK_S,
                grid.at(grid.periods) + grid.dt_s,
            )
        return self._presences[agent]

    def agent_of(self, position: Position, task: Task) -> str | None:
        """Who works or has worked on something; None if they don't do this task."""
        return position.agent if position.agent in able(self._metagraph, task) else None

    def pools_for(self, task: Task) -> dict[int, str]:
        """Pools that can do a task, each with one of its agents."""
        found: dict[int, str] = {}
        for agent in able(self._metagraph, task):
            found.setdefault(self.pool_of[agent], agent)
        served = set(able(self._metagraph, task))
        for k, hours in enumerate(self._bought):
            if hours.agent in served:
                found[len(self._members) + k] = hours.agent
        return found

    def belongs(self, pool: int, agent: str | None) -> bool:
        """Whether an agent is one of a pool, in their own hours or in bought ones."""
        k = pool - len(self._members)
        return agent is not None and (
            self._bought[k].agent == agent if k >= 0 else self.pool_of.get(agent) == pool
        )

    def ends(self, pool: int, work_s: float) -> Ints:
        """Mode.ends of so much work in a pool."""
        step_s = self._steps_s[pool]
        key = (pool, max(ceil(work_s / step_s - 1e-6), 1))
        if key not in self._ends:
            self._ends[key] = ends_at(self._pool_on[pool], key[1] * step_s, self._grid)
        return self._ends[key]

    def pools(self, running: Sequence[Running]) -> tuple[Pool, ...]:
        """With their capacity, less what is held by work that goes on to its end."""
        taken = [np.zeros(self._grid.periods, np.int64) for _ in self._members]
        for work in running:
            if work.unit in self.pool_of:
                taken[self.pool_of[work.unit]][: work.end] += 1
        pools = []
        for i, members in enumerate(self._members):
            units = tuple(agent for agent in members for _ in range(places(self._agents[agent])))
            pools.append(Pool(units, np.maximum(len(units) - taken[i], 0)))
        for hours in self._bought:
            units = (hours.agent,) * places(self._agents[hours.agent])
            capacity = np.full(self._grid.periods, len(units), np.int64)
            pools.append(Pool(units, capacity, hours.price, "bought hours"))
        return tuple(pools)


def _step_s(on: Floats, grid: Grid) -> float:
    """To multiples of what work is rounded up. Where a period is worked wholly or not at all, those of the
    period give the same ends; where shifts begin within periods, fractions of it keep the loss small."""
    part = np.diff(on) / grid.dt_s
    whole = bool((np.minimum(part, 1.0 - part) < 1e-6).all())
    return grid.dt_s if whole else grid.dt_s / PARTS


def _money(settings: Settings, todo: Sequence[Todo]) -> bool:
    """Whether profit counts."""
    return "profit" in settings.levels or (
        not settings.levels and any(one.order.value is not None for one in todo)
    )


def _offered(settings: Settings, todo: Sequence[Todo], needed: set[str], grid: Grid) -> tuple[Overtime, ...]:
    """Hours worth looking at: of who is needed, and not all of them past or beyond the horizon."""
    if not _money(settings, todo):
        return ()
    return tuple(
        hours
        for hours in settings.overtime
        if hours.agent in needed and hours.end_s > grid.start_s and hours.start_s < grid.at(grid.periods)
    )


def _left_out(agent: Agent) -> list[str]:
    found = []
    if agent.breakdowns is not None:
        found.append("Breakdowns of agents aren't foreseen: agents are planned as if none came.")
    if agent.presence < 1.0:
        found.append("Agents who come on some days only are planned with their usual hours on every day.")
    if agent.sharing == "shared" and agent.capacity > 1:
        found.append("Agents who share their time among several items are planned to do one after the other.")
    return found

"""Who does what under a plan, and how much of their time that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from metagraph.model import Metagraph
from metagraph.overtime import Overtime
from optimization.outcome import AgentOutcome, WorkOutcome
from optimization.problem import NOBODY, Plan, Problem, ends_of
from optimization.units import units_of
from optimization.work import Presence, places, presence


def bought_hours(problem: Problem, plan: Plan, offered: Sequence[Overtime]) -> tuple[Overtime, ...]:
    """The hours that a plan buys: those in which it begins something in a pool with a price, or for which
    nothing is asked."""
    used: set[Overtime] = set()
    for i, op in enumerate(problem.ops):
        if plan.mode[i] == NOBODY or op.modes[int(plan.mode[i])].pool == NOBODY:
            continue
        pool = problem.pools[op.modes[int(plan.mode[i])].pool]
        begin_s = problem.grid.at(int(plan.start[i]))
        used |= {
            hours
            for hours in offered
            if pool.price == hours.price
            and pool.units[0] == hours.agent
            and hours.start_s < begin_s + problem.grid.dt_s
            and begin_s < hours.end_s
        }
    return tuple(hours for hours in offered if hours in used)


class Clocks:
    """When agents are there from now to the end of the grid."""

    def __init__(self, metagraph: Metagraph, problem: Problem, origin: datetime) -> None:
        self._agents = {agent.id: agent for agent in metagraph.agents}
        self._metagraph, self._origin = metagraph, origin
        self._low, self._high = problem.grid.start_s, problem.grid.at(problem.grid.never)
        self._found: dict[str, Presence] = {}

    def of(self, agent: str) -> Presence:
        if agent not in self._found:
            self._found[agent] = presence(
                self._agents[agent], self._metagraph, self._origin, self._low, self._high
            )
        return self._found[agent]

    def first_there(self, agent: str, t: float) -> float:
        """The first instant at or after `t` at which an agent is there; `t` if that is beyond the grid."""
        there = self.of(agent)
        return next(
            (max(start, t) for start, end in zip(there.starts, there.ends, strict=True) if end > t), t
        )

    def places(self, agent: str) -> int:
        return places(self._agents[agent])


def work_outcomes(
    problem: Problem, plan: Plan, first_there: Callable[[str, float], float]
) -> tuple[WorkOutcome, ...]:
    """All operations that need somebody, and what goes on, by beginning."""
    grid, ends = problem.grid, ends_of(problem, plan)
    found = [
        WorkOutcome(
            work.order, work.task, work.unit, work.begun_s, grid.at(min(work.end, grid.periods)), True
        )
        for work in problem.running
        if work.unit
    ]
    for i, (op, unit) in enumerate(zip(problem.ops, units_of(problem, plan), strict=True)):
        if not unit:
            continue
        start = int(plan.start[i])
        goes_on = op.held is not None and start == 0 and int(plan.mode[i]) == op.held
        start_s = grid.at(start) if goes_on else max(first_there(unit, grid.at(start)), grid.at(start))
        end_s = max(grid.at(int(ends[i])), start_s)
        found.append(WorkOutcome(problem.jobs[op.job].order.id, op.task, unit, start_s, end_s, goes_on))
    return tuple(sorted(found, key=lambda one: (one.start_s, one.end_s, one.agent, one.order)))


def agent_outcomes(
    metagraph: Metagraph,
    problem: Problem,
    work: Sequence[WorkOutcome],
    bought: Sequence[Overtime],
    clocks: Clocks,
) -> tuple[AgentOutcome, ...]:
    """Each agent's work from now on, against the time that they are there."""
    now_s = problem.grid.start_s
    last_s = max((one.end_s for one in work), default=now_s)
    known = {unit for pool in problem.pools for unit in pool.units}
    found = []
    for agent in metagraph.agents:
        mine = [one for one in work if one.agent == agent.id]
        if agent.id not in known and not mine:
            continue
        there = clocks.of(agent.id)
        busy = [there.worked(one.end_s) - there.worked(max(one.start_s, now_s)) for one in mine]
        found.append(
            AgentOutcome(
                agent=agent.id,
                tasks=len(mine),
                busy_s=float(sum(busy)),
                there_s=there.worked(last_s) * clocks.places(agent.id),
                bought=any(hours.agent == agent.id for hours in bought),
                off=_off(there, now_s, last_s),
            )
        )
    return tuple(found)


def _off(there: Presence, low: float, high: float) -> tuple[tuple[float, float], ...]:
    """What lies between the working times."""
    edges = [low, *(t for span in zip(there.starts, there.ends, strict=True) for t in span), high]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((max(a, low), min(b, high)) for a, b in pairs if min(b, high) > max(a, low))

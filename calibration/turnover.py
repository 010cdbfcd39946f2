"""Agents who left, and agents who came, while the log went on.

An agent without a stamp at the end of the log may have had nothing to do. Its clock therefore runs by what
others of its role begin (see others.py), and its days with stamps are taken as Poisson events on it: the gap
at the end is no chance if one so long has a probability below CHANCE, over all agents asked, is longer than
LONGER times any gap before, and than LEAST_DAYS days. Turned round, the same tells who came late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from calibration.local_time import Floats, LocalTime
from calibration.others import find_others
from calibration.presence import Ints
from calibration.window import Window
from eventlogs.snapshot import NO_RESOURCE, Snapshot
from metagraph.agents import Absence, Agent, Queue
from metagraph.shifts import DAY_S

CHANCE = 1e-3
"""Probability of calling anybody of a log gone or new by mistake, if days come as at random."""
LONGER = 2.0
"""A gap must be so many times as long as the longest other one of the agent."""
LEAST_DAYS = 28
"""And last so many days."""
FEWEST_DAYS = 5
"""Days with stamps from which an agent's gaps are known."""


@dataclass(frozen=True, slots=True, eq=False)
class Turnover:
    """Who left and who came, by resource, in seconds since the log's origin."""

    left_s: Mapping[int, float]
    """The last stamps of those who left."""
    came_s: Mapping[int, float]
    """The first stamps of those who came."""
    share: Floats
    """Of each resource: the part of the others' work that was begun since it came."""

    def words(self, snapshot: Snapshot) -> dict[str, str]:
        """The facts, for the report."""

        def named(found: Mapping[int, float], what: str) -> str:
            ones = [
                f"{snapshot.resources[i]} ({what} {snapshot.origin + timedelta(seconds=at):%Y-%m-%d})"
                for i, at in sorted(found.items(), key=lambda pair: pair[1])
            ]
            return ", ".join(ones)

        facts = {}
        if self.left_s:
            facts["agents who left"] = f"{named(self.left_s, 'last seen')}: they are given no more work"
        if self.came_s:
            facts["agents who came"] = f"{named(self.came_s, 'first seen')}: their work counts from then on"
        return facts


def nobody(agents: int) -> Turnover:
    """All of them were there all along."""
    return Turnover({}, {}, np.ones(agents))


def find_turnover(window: Window, local: LocalTime, roles: Ints) -> Turnover:
    """Of the whole log, whatever the window."""
    snapshot = window.snapshot
    others, n = find_others(window, local, roles), len(snapshot.resources)
    used = np.flatnonzero(snapshot.resource != NO_RESOURCE)
    who, start = snapshot.resource[used].astype(np.int64), snapshot.start_s[used]
    end = np.fmax(snapshot.end_s[used], start)
    agent, at = np.concatenate((who, who)), np.concatenate((start, end))
    order = np.lexsort((at, agent))
    agent, at = agent[order], at[order]
    parts = np.split(at, np.searchsorted(agent, np.arange(1, n)))
    first_s, last_s = float(at.min(initial=0.0)), max(float(at.max(initial=0.0)), snapshot.until_s)
    left, came, share = {}, {}, np.ones(n)
    pools = window.pools
    for i, mine in enumerate(parts):
        days = np.unique(np.floor(local.of(mine) / DAY_S))
        if len(days) < FEWEST_DAYS or pools[i]:
            continue
        clock = others.until(
            i, np.concatenate((local.of([first_s]), (days + 0.5) * DAY_S, local.of([last_s])))
        )
        gaps = np.maximum(np.diff(clock), 0.0)
        if last_s - mine[-1] >= LEAST_DAYS * DAY_S and _too_long(gaps[-1], gaps[1:-1], n):
            left[i] = float(mine[-1])
        if mine[0] - first_s >= LEAST_DAYS * DAY_S and _too_long(gaps[0], gaps[1:-1], n):
            came[i] = float(mine[0])
            share[i] = 1 - gaps[0] / max(float(clock[-1] - clock[0]), 1e-9)
    return Turnover(left, came, share)


def _too_long(gap: float, others: Floats, agents: int) -> bool:
    """Whether chance doesn't explain a gap beside the agent's others."""
    mean = max(float(others.mean()), 1e-9)
    return bool(np.exp(-gap / mean) < CHANCE / agents and gap > LONGER * others.max())


def without_left(
    agents: Sequence[Agent], queues: Sequence[Queue], turnover: Turnover, snapshot: Snapshot
) -> tuple[Agent, ...]:
    """The agents, those who left absent for good from their last stamp on; but who is the last to have been
    seen of all who do a task stays, as nobody else would do it."""
    gone = {snapshot.resources[i]: at for i, at in turnover.left_s.items()}
    for queue in queues:
        if all(name in gone for name in queue.agents):
            gone.pop(max(queue.agents, key=lambda name: gone[name]))
    return tuple(
        replace(
            agent,
            absences=(
                Absence(snapshot.origin + timedelta(seconds=gone[agent.id]), hands_over=True, note="left"),
            ),
        )
        if agent.id in gone
        else agent
        for agent in agents
    )

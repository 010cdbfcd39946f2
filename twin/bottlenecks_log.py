"""A log's side: what its agents did, week by week, and what its orders waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.calendars import WorkClock
from metagraph.model import Metagraph
from simulation.kpis import interval
from twin.bottleneck_findings import QueueShare, Side, Source, Verdict
from twin.bottleneck_verdicts import usages, verdict
from twin.bottleneck_waits import PARTS, Waits, waits_of
from twin.renames import in_twin_words, unshared
from twin.stations import Watched, roles_of, watch

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]
WEEK_S = 7 * 86400.0
STRANGERS = "The log doesn't tell who is the bottleneck: none of its resources is an agent of the twin."
FEWEST = 8
"""A log of fewer weeks is cut into so many periods: with fewer, intervals say little."""


def edges_of(start_s: float, end_s: float) -> Floats:
    """Ends of periods of equal length, about weeks, at least FEWEST."""
    n = max(FEWEST, round((end_s - start_s) / WEEK_S))
    return np.linspace(start_s, max(end_s, start_s + 1.0), n + 1)


def log_side(metagraph: Metagraph, snapshot: Snapshot) -> tuple[Side, tuple[str, ...]]:
    """What a log shows, and notes on what was assumed.

    Agents are there in the hours of the twin's calendars, from their first to their last work in the log.
    Raises DataError for the log of another process.
    """
    unshared(metagraph, snapshot)
    known = in_twin_words(metagraph, snapshot)
    numbers = {agent.id: i for i, agent in enumerate(metagraph.agents)}
    of_resource = np.array([numbers.get(name, -1) for name in known.resources] + [-1])
    who = of_resource[known.resource].astype(np.int64)
    end_s = np.where(np.isnan(known.end_s), known.until_s, known.end_s)
    edges = edges_of(float(known.start_s.min()), known.until_s)
    calendars = {calendar.id: calendar for calendar in metagraph.calendars}
    made: dict[str, WorkClock | None] = {}

    def clock(agent: int) -> WorkClock | None:
        name = metagraph.agents[agent].calendar
        if name not in made:
            calendar = calendars[name]
            made[name] = None if calendar.always_open else WorkClock(calendar, known.origin)
        return made[name]

    there = {
        agent: (float(known.start_s[who == agent].min()), float(end_s[who == agent].max()))
        for agent in np.unique(who[who >= 0]).tolist()
    }
    there |= {agent: (0.0, 0.0) for agent in range(len(metagraph.agents)) if agent not in there}
    agents, roles = watch(metagraph, who, known.start_s, end_s, clock, edges, there)
    waits = waits_of(metagraph, known, edges)
    told = verdicts(metagraph, agents, roles, "log")
    if not (who >= 0).any():
        told = tuple(replace(one, text=STRANGERS) for one in told)
    side = Side(
        source="log",
        start=known.origin + timedelta(seconds=float(edges[0])),
        end=known.origin + timedelta(seconds=float(edges[-1])),
        samples=len(edges) - 1,
        lead_h=interval(waits.lead_s / 3600),
        agents=usages(agents),
        roles=usages(roles),
        verdicts=told,
        queues=queue_shares([waits]),
    )
    return side, tuple(_notes(known, who, end_s, clock))


def _notes(
    snapshot: Snapshot, who: NDArray[np.int64], end_s: Floats, clock: Callable[[int], WorkClock | None]
) -> Iterator[str]:
    strangers = int((who[snapshot.resource >= 0] < 0).sum())
    if strangers:
        yield (
            f"{strangers:,} of {snapshot.n_events:,} executions of the log are by resources that the twin "
            "doesn't have: nobody's utilisation counts them"
        )
    total = outside = 0
    for agent in np.unique(who[who >= 0]).tolist():
        line, rows = clock(agent), (who == agent) & (end_s > snapshot.start_s)
        total += int(rows.sum())
        if line is not None:
            spans = zip(snapshot.start_s[rows].tolist(), end_s[rows].tolist(), strict=True)
            outside += sum(line.between(a, b) <= 0.0 for a, b in spans)
    if outside > 0.05 * total:
        yield (
            f"{100 * outside / total:.0f} % of the log's executions lie wholly outside the hours of the "
            "twin's calendars: they aren't counted as work"
        )


def verdicts(metagraph: Metagraph, agents: Watched, roles: Watched, source: Source) -> tuple[Verdict, ...]:
    """Of roles first, where any has several agents."""
    found = [verdict(agents, "agent", source)]
    if any(len(team) > 1 for team in roles_of(metagraph).values()):
        found.insert(0, verdict(roles, "role", source))
    return tuple(found)


def queue_shares(found: list[Waits]) -> tuple[QueueShare, ...]:
    """Of one log over its windows, or of several over the logs."""
    first = found[0]
    rows = []
    for i, activity in enumerate(first.activities):
        n = int(sum(one.n[i] for one in found))
        if not n:
            continue
        weights = np.array([one.n[i] for one in found], np.float64)
        parts = sum(w * np.nan_to_num(one.parts_s[i]) for w, one in zip(weights, found, strict=True)) / n
        means = [float(np.nansum(one.parts_s[i])) for one in found] if len(found) > 1 else first.window_s[i]
        spread = interval(means)
        rows.append(
            QueueShare(
                activity=activity,
                n=n,
                wait_s=spread,
                of_lead=float(np.nanmean([one.of_lead[i] for one in found])),
                parts_s=dict(zip(PARTS, np.asarray(parts).tolist(), strict=True)),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.of_lead, row.activity)))

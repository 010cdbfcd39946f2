"""What a change would bring: an hour more of an agent's week, an activity that nobody has to do any more.

Each change is simulated on the same orders with the same draws as the twin as it is (common random numbers),
so that the difference, replication by replication, is that of the change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from metagraph.calendars import WEEK_S, Calendar, merge
from metagraph.model import Metagraph
from simulation.kpis import Interval, interval
from twin.bottleneck_findings import Gain
from twin.bottleneck_runs import Count, Source, Yield
from twin.edits import edited
from twin.edits_agents import calendar_of, with_calendar
from twin.progress import Progress
from twin.scenario_sections import AutomateSection, Scenario
from twin.words import number

_NEAR = 0.02
"""A longer week may miss the hours that were asked for by this share of them."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change, and the process with it."""

    name: str
    text: str
    metagraph: Metagraph


def longer_weeks(
    metagraph: Metagraph, agents: Sequence[str], hours: float, most: int
) -> tuple[list[Change], list[str]]:
    """The process with an agent's week so many hours longer, for the first `most` agents that have room for
    them; and those before these that have none."""
    known = {agent.id: agent for agent in metagraph.agents}
    found: list[Change] = []
    full: list[str] = []
    for name in agents:
        if len(found) == most:
            break
        agent = known[name]
        old = calendar_of(metagraph, agent)
        new = longer(old, hours)
        if new is None:
            full.append(name)
            continue
        costs = f"; an hour of theirs costs {number(agent.cost_per_h)}" if agent.cost_per_h else ""
        text = (
            f"{number(old.weekly_hours())} h a week → {number(new.weekly_hours())} h, spread over the ends "
            f"of the working times{costs}"
        )
        found.append(Change(name, text, with_calendar(metagraph, agent, new)))
    return found, full


def longer(calendar: Calendar, hours: float) -> Calendar | None:
    """The calendar with every working time of the week longer at its end, by `hours` in sum; None if they
    don't fit in."""
    if calendar.shifts:
        weight = sum(shift.weight for day in calendar.shifts for shift in day)
        if not weight:
            return None
        more = hours * 3600 / weight
        shifts = tuple(
            tuple(replace(shift, end_s=shift.end_s + more) for shift in day) for day in calendar.shifts
        )
        new = replace(calendar, shifts=shifts)
    else:
        spans = _longer(merge(calendar.hours), hours * 3600)
        if spans is None:
            return None
        new = replace(calendar, hours=spans)
    gained = new.weekly_hours() - calendar.weekly_hours()
    return new if abs(gained - hours) <= _NEAR * hours else None


def _longer(spans: Sequence[tuple[float, float]], seconds: float) -> tuple[tuple[float, float], ...] | None:
    """By equal parts, less where the next working time or the week's end is near."""
    room = [(spans[i + 1][0] if i + 1 < len(spans) else WEEK_S) - end for i, (_, end) in enumerate(spans)]
    if sum(room) < seconds:
        return None
    added, left = [0.0] * len(spans), seconds
    while left > 1e-6:
        able = [i for i in range(len(spans)) if room[i] - added[i] > 1e-9]
        each = left / len(able)
        for i in able:
            part = min(each, room[i] - added[i])
            added[i] += part
            left -= part
    return tuple(merge([(start, end + more) for (start, end), more in zip(spans, added, strict=True)]))


def automated(metagraph: Metagraph, activities: Sequence[str]) -> Iterator[Change]:
    """The process with each of these activities done at once and by nobody; delays before them stay."""
    labels = {task.label for task in metagraph.tasks() if task.queues}
    for activity in activities:
        if activity in labels:
            section = AutomateSection(activity=activity, constant_min=0.0)
            found = edited(metagraph, Scenario(name=f"{activity} automated", automate=(section,)))
            yield Change(activity, found.changes[0].text, found.metagraph)


def gains(
    what: str,
    changes: Sequence[Change],
    source: Source,
    before: Sequence[Yield],
    per: float,
    workers: int | None,
    progress: Progress,
) -> tuple[tuple[Gain, ...], int]:
    """Gains a week, divided by `per`, the most valuable first; and how many runs were broken off."""
    from calibration.drift_tests import holm
    from twin.running import many

    weeks, count, cut = source.span.weeks * per, Count(source.span.begin_s), 0
    dear = any(one.dear for one in before)
    found: list[tuple[Gain, Sequence[float]]] = []
    for i, change in enumerate(changes):
        part = progress.part(i / len(changes), (i + 1) / len(changes))
        made = many(
            replace(source, metagraph=change.metagraph), source.seed, len(before),
            reduce=count, workers=workers, progress=part, what=f"{change.name}: run",
        )  # fmt: skip
        cut += sum(one.cut for one in made.values)
        pairs = list(zip(before, made.values, strict=True))
        hours = [(old.lead_s - new.lead_s) / 3600 / weeks for old, new in pairs]
        money = [(new.profit or 0.0) - (old.profit or 0.0) for old, new in pairs]
        worth = [amount / weeks for amount in money] if dear else None
        gain = Gain(
            what="hour" if what == "hour" else "automation",
            name=change.name,
            text=change.text,
            saved_h=interval(hours),
            profit=None if worth is None else interval(worth),
            p=two_sided(hours if worth is None else worth),
        )
        found.append((gain, hours))
    if not found:
        return (), 0
    adjusted = holm(np.array([gain.p for gain, _ in found])).tolist()
    ranked = [replace(gain, p=p) for (gain, _), p in zip(found, adjusted, strict=True)]
    return tuple(sorted(ranked, key=_worth)), cut


def _worth(gain: Gain) -> tuple[float, float, str]:
    def size(one: Interval) -> float:
        return -float(np.nan_to_num(one.mean))

    return size(gain.value), size(gain.saved_h), gain.name


def two_sided(changes: Sequence[float]) -> float:
    """p value of a mean other than 0, by the t-test; 1 where nothing changes."""
    values = np.asarray(changes, np.float64)
    n = len(values)
    spread = float(values.std(ddof=1)) if n > 1 else 0.0
    if spread == 0.0:
        return 1.0 if n < 2 or not values.any() else 0.0
    from scipy.special import stdtr

    return float(2 * stdtr(n - 1, -abs(float(values.mean())) / (spread / np.sqrt(n))))

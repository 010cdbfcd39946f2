"""How the people of two twins differ: who is there, who does what, and when they work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from metagraph.calendars import Calendar
from metagraph.model import Metagraph
from twin.diff import Change, Difference, Test, Verdict, both
from twin.diff_graph import executions, tasks_of
from twin.diff_tests import Basis, Logs, counts_test, share_change
from twin.words import number, percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from eventlogs.snapshot import Snapshot

HOURS_APART = 5.0
"""Hours of the week that only one of two calendars has, up to which nothing is said of them: they are read
from stamps to the hour, and under more load the edges of days are seen better."""


def differences(before: Metagraph, after: Metagraph, basis: Basis, logs: Logs | None) -> Iterator[Difference]:
    """Of agents, then of calendars."""
    yield from _staff(before, after, basis, logs)
    yield from _who(before, after, basis)
    yield from _capacities(before, after, basis)
    yield from _calendars(before, after, basis, logs)


def work_of(model: Metagraph) -> dict[str, dict[str, float]]:
    """Task -> agent -> executions in the log, as far as the twin tells."""
    queues = {queue.id: queue for queue in model.queues}
    found: dict[str, dict[str, float]] = {}
    for name, task in tasks_of(model).items():
        shares: dict[str, float] = {}
        for queue in (queues[q] for q in task.queues):
            weights = queue.weights or (1 / len(queue.agents),) * len(queue.agents)
            for agent, weight in zip(queue.agents, weights, strict=True):
                shares[agent] = shares.get(agent, 0.0) + weight / len(task.queues)
        found[name] = {agent: share * executions(task) for agent, share in shares.items()}
    return found


def _totals(model: Metagraph) -> dict[str, float]:
    totals: dict[str, float] = {agent.id: 0.0 for agent in model.agents}
    for shares in work_of(model).values():
        for agent, n in shares.items():
            totals[agent] += n
    return totals


def _people(model: Metagraph) -> dict[str, str]:
    """The log's resource -> the agent that stands for it."""
    return {person: agent.id for agent in model.agents for person in agent.members or (agent.id,)}


def _staff(before: Metagraph, after: Metagraph, basis: Basis, logs: Logs | None) -> Iterator[Difference]:
    """People whom only one of the twins knows."""
    models, known = (before, after), logs.basis if logs else basis
    people, totals = both(_people, models), both(_totals, models)
    for person in sorted(people[0].keys() ^ people[1].keys()):
        if logs is not None:
            seen = both(_stamps, logs.pair, person)
            of = both(lambda log: float(log.n_events), logs.pair)
        else:
            seen = _share_of(person, people[0], totals[0]), _share_of(person, people[1], totals[1])
            of = both(lambda total: sum(total.values()), totals)
        shares = seen[0] / max(of[0], 1.0), seen[1] / max(of[1], 1.0)
        told = _did(shares[0], person in people[0]), _did(shares[1], person in people[1])
        table = (seen[0], of[0] - seen[0]), (seen[1], of[1] - seen[1])
        test = None if logs is None and _one_of_several(person, models) else counts_test(table, known)
        # That somebody is there at all is never small.
        change = replace(share_change(shares, of, "of the work", known), scale="number")
        yield Difference("agents", person, told, change, test, "decided" if basis.same else "untested")


def _one_of_several(person: str, models: tuple[Metagraph, Metagraph]) -> bool:
    """Whether a twin has the person only as one of an agent's members, whose work it doesn't tell apart."""
    agents = (agent for model in models for agent in model.agents)
    return any(len(agent.members) > 1 and person in agent.members for agent in agents)


def _share_of(person: str, people: Mapping[str, str], totals: Mapping[str, float]) -> float:
    """Executions of a person, those of an agent for several being divided evenly among them."""
    agent = people.get(person)
    if agent is None:
        return 0.0
    return totals[agent] / sum(other == agent for other in people.values())


def _did(share: float, there: bool) -> str:
    return f"did {percent(share)} of the work" if there else "not there"


def _stamps(snapshot: Snapshot, person: str) -> float:
    if person not in snapshot.resources:
        return 0.0
    return float((snapshot.resource == snapshot.resources.index(person)).sum())


def _who(before: Metagraph, after: Metagraph, basis: Basis) -> Iterator[Difference]:
    """Who does which task."""
    old, new = work_of(before), work_of(after)
    for task in sorted(old.keys() & new.keys()):
        agents = sorted(old[task].keys() & new[task].keys())
        if len(agents) < 2:
            continue
        # Those who came or left are told once, not at each of their tasks.
        counts = [old[task][agent] for agent in agents], [new[task][agent] for agent in agents]
        shares = both(lambda part: [n / (sum(part) or 1.0) for n in part], counts)
        most = max(range(len(agents)), key=lambda i: abs(shares[1][i] - shares[0][i]))
        was, now = shares[0][most], shares[1][most]
        told = f"{percent(was)} by {agents[most]}", f"{percent(now)} by {agents[most]}"
        change = share_change((was, now), both(sum, counts), agents[most], basis)
        test = counts_test(counts, basis)
        if test is not None:
            yield Difference("shares", task, told, change, test)
        elif basis.same and abs(now - was) >= 0.005:
            yield Difference("shares", task, told, change, verdict="decided")


def _capacities(before: Metagraph, after: Metagraph, basis: Basis) -> Iterator[Difference]:
    from twin.model_words import capacity_text

    old, new = ({agent.id: agent for agent in model.agents} for model in (before, after))
    for name in sorted(old.keys() & new.keys()):
        if old[name].capacity != new[name].capacity:
            told = both(lambda agent: f"{capacity_text(agent.capacity)} at once", (old[name], new[name]))
            yield Difference("agents", name, told, verdict="decided" if basis.same else "untested")


def _calendars(before: Metagraph, after: Metagraph, basis: Basis, logs: Logs | None) -> Iterator[Difference]:
    """Agents whose hours of the week differ."""
    old, new = (_hours(model) for model in (before, after))
    for name in sorted(old.keys() & new.keys()):
        apart = _apart(old[name], new[name])
        if apart <= HOURS_APART:
            continue
        was, now = both(lambda calendar: calendar.weekly_hours(), (old[name], new[name]))
        told = both(lambda hours: f"{number(hours)} h a week", (was, now))
        note = f"{number(apart)} hours of the week that only one of the two calendars has"
        by_hand = "set by hand" in (old[name].note, new[name].note)
        test = None if by_hand else _days_test(logs, name, new[name].time_zone)
        verdict: Verdict = "decided" if by_hand or basis.same else "untested"
        change = Change("number", was, now, "h a week", now - was)
        yield Difference("calendars", name, told, change, test, verdict, note)


def _hours(model: Metagraph) -> Mapping[str, Calendar]:
    calendars = {calendar.id: calendar for calendar in model.calendars}
    return {agent.id: calendars[agent.calendar] for agent in model.agents}


def _apart(old: Calendar, new: Calendar) -> float:
    """Hours of the week that one has and the other hasn't."""
    import numpy as np

    from metagraph.shifts import chances

    def open_share(calendar: Calendar) -> NDArray[np.float64]:
        edges = np.arange(0, 168 * 4 + 1) * 900.0
        shares = np.zeros(168 * 4)
        parts = (
            chances(calendar.hours, calendar.shifts)
            if calendar.shifts
            else [(start, end, 1.0) for start, end in calendar.hours]
        )
        for start, end, share in parts:
            shares += share * (np.clip(edges[1:], start, end) - np.clip(edges[:-1], start, end)) / 900.0
        return shares

    return float(np.abs(open_share(old) - open_share(new)).sum() / 4)


def _days_test(logs: Logs | None, person: str, zone: str) -> Test | None:
    """Whether its days are other weekdays, or begin or end at another hour (the likeliest, corrected).

    Days are counted, not stamps: those of one day are not independent of each other.
    """
    if logs is None or logs.basis.same:
        return None
    known = both(_days, logs.pair, person, zone)
    tables = zip(*known, strict=True)
    made = [test for table in tables if (test := counts_test(table, logs.basis)) is not None]
    if not made:
        return None
    best = min(made, key=lambda test: test.p)
    what = f"{best.name} of its days by weekday, first and last hour"
    return Test(what, best.n_before, best.n_after, min(1.0, len(made) * best.p))


def _days(snapshot: Snapshot, person: str, zone: str) -> tuple[list[float], list[float], list[float]]:
    """How many of a person's days are which weekday, begin in which hour and end in which, local time."""
    import numpy as np
    import pandas as pd

    rows = np.zeros(snapshot.n_events, bool)
    if person in snapshot.resources:
        rows = snapshot.resource == snapshot.resources.index(person)
    stamps = pd.Timestamp(snapshot.origin) + pd.to_timedelta(snapshot.start_s[rows], unit="s")
    local = pd.DatetimeIndex(stamps).tz_convert(zone)
    hours = pd.Series(local.hour, index=local.normalize()).groupby(level=0).agg(["min", "max"])
    weekdays = pd.DatetimeIndex(hours.index).dayofweek
    return (
        np.bincount(weekdays, minlength=7).astype(float).tolist(),
        np.bincount(hours["min"], minlength=24).astype(float).tolist(),
        np.bincount(hours["max"], minlength=24).astype(float).tolist(),
    )

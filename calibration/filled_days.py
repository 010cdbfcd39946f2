"""The days on which agents were there, those without any stamp included, from when to when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.day_edges import Edges, Spells, find_edges
from calibration.held_over import Filled, Gaps, fill
from calibration.local_time import QUARTER_S, Floats, LocalTime, Mask
from calibration.others import Others
from calibration.presence import Ints, SeenDays
from calibration.seen_days import STEP_S, widened
from calibration.window import Window
from metagraph.shifts import DAY_S


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Days of presence, as equally long columns sorted by agent and day."""

    agent: Ints
    day: Ints
    start_s: Floats
    end_s: Floats
    """In seconds since the midnight that begins the day."""
    held: Mask
    """Whether there is no stamp: something was in hand all day, and the agent was there nevertheless."""
    told_agent: Ints
    told_day: Ints
    """All usual days between stamps over which something was in hand, worked or not."""
    alike: Mask
    """Of each agent of the log: whether all its usual weekdays have the same hours."""


def filled_days(
    seen: SeenDays,
    window: Window,
    local: LocalTime,
    cut: Ints,
    hull: tuple[Floats, Floats],
    chance: Floats,
    free: Ints,
    others: Others,
) -> Days:
    """The days of the agents that `seen` holds, in the whole log.

    `chance` is how often each agent comes on a usual day, as far as stamps alone tell; `free` days are
    nobody's.
    """
    agents = np.unique(seen.agent).tolist()
    rows = {agent: np.flatnonzero(seen.agent == agent) for agent in agents}
    held, within = _executions(window, local, cut, seen)
    spells = _spells(window, local, cut, seen, others)
    gaps = {
        a: _gaps(seen.of(seen.agent == a), a, hull, free, held.of(held.agent == a), spells[a], others)
        for a in agents
    }
    filled = fill(gaps, {a: float(chance[a]) for a in agents}, within, len(window.snapshot.activities))
    alike = np.zeros(len(cut), np.bool_)
    for agent, found in gaps.items():
        alike[agent] = all(
            len(np.unique(h[found.usual_day])) < 2 for h in (found.usual_begin_s, found.usual_end_s)
        )
    start_s, end_s = widened(seen, hull)
    more: list[tuple[Ints, Ints]] = []
    told: list[tuple[Ints, Ints]] = []
    for agent, mine in rows.items():
        usual = (hull[1][agent] > hull[0][agent])[seen.day[mine] % 7]
        _set_edges(start_s, end_s, mine, usual, gaps[agent], filled[agent], seen)
        between = _between(seen.day[mine], hull[1][agent] > hull[0][agent], free)
        for k in np.flatnonzero(filled[agent].known).tolist():
            days, n = between[k], int(filled[agent].worked[k])
            told.append((np.full(len(days), agent), days))
            at = ((np.arange(n) + 0.5) * len(days) / max(n, 1)).astype(np.int64)
            more.append((np.full(n, agent), days[at]))
    extra_agent, extra_day = _joined(more)
    start = np.concatenate((start_s, hull[0][extra_agent, extra_day % 7]))
    end = np.concatenate((end_s, hull[1][extra_agent, extra_day % 7]))
    agent, day = np.concatenate((seen.agent, extra_agent)), np.concatenate((seen.day, extra_day))
    order = np.lexsort((day, agent))
    without = np.arange(len(agent)) >= len(seen.agent)
    return Days(agent[order], day[order], start[order], end[order], without[order], *_joined(told), alike)


def _set_edges(
    start_s: Floats, end_s: Floats, mine: Ints, usual: Mask, gaps: Gaps, filled: Filled, seen: SeenDays
) -> None:
    """Begins and ends of an agent's days with stamps; of unusual weekdays they stay as they are."""
    first, last = seen.first_s[mine], seen.last_s[mine]
    begin = gaps.usual_begin_s + np.append(0.0, filled.begin_s)
    end = gaps.usual_end_s + np.append(filled.end_s, 0.0)
    begin = np.clip(np.minimum(begin, first), 0.0, DAY_S - STEP_S)
    end = np.minimum(np.maximum(end, last), 2 * DAY_S)
    start_s[mine] = np.where(usual, np.floor(begin / STEP_S) * STEP_S, start_s[mine])
    end_s[mine] = np.where(usual, np.ceil(end / STEP_S) * STEP_S, end_s[mine])


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Executions that began on one day with stamps and ended on another, as columns."""

    agent: Ints
    activity: Ints
    begun_on: Ints
    ended_on: Ints
    start_s: Floats
    end_s: Floats
    """Since the midnights of those days."""

    def of(self, members: Mask) -> _Held:
        return _Held(*(getattr(self, name)[members] for name in self.__slots__))


def _executions(
    window: Window, local: LocalTime, cut: Ints, seen: SeenDays
) -> tuple[_Held, tuple[Ints, Floats]]:
    """Executions held over the end of a day; activity and length of those within one."""
    snapshot = window.snapshot
    present = np.isin(snapshot.resource, np.unique(seen.agent))
    whole = present & (snapshot.end_s > snapshot.start_s)
    whole[snapshot.pauses.row] = False
    used = np.flatnonzero(whole)
    who = snapshot.resource[used].astype(np.int64)
    began, ended = local.of(snapshot.start_s[used]), local.of(snapshot.end_s[used] - 1e-3)
    days = [np.floor((at - cut[who] * float(QUARTER_S)) / DAY_S).astype(np.int64) for at in (began, ended)]
    activity = snapshot.activity[used].astype(np.int64)
    over = days[1] > days[0]
    held = _Held(
        who[over],
        activity[over],
        days[0][over],
        days[1][over],
        (began - days[0] * DAY_S)[over],
        (ended - days[1] * DAY_S)[over],
    )
    return held, (activity[~over], (ended - began)[~over])


def _spells(window: Window, local: LocalTime, cut: Ints, seen: SeenDays, others: Others) -> dict[int, Spells]:
    """What passed between consecutive stamps of a day, of each agent, idle and with something in hand."""
    snapshot = window.snapshot
    used = np.flatnonzero(np.isin(snapshot.resource, np.unique(seen.agent)))
    who = snapshot.resource[used].astype(np.int64)
    start, end = snapshot.start_s[used], np.fmax(snapshot.end_s[used], snapshot.start_s[used])
    done = ~np.isnan(snapshot.end_s[used])
    agent = np.concatenate((who, who[done]))
    at = local.of(np.concatenate((start, end[done])))
    change = np.concatenate((np.ones(len(who)), -np.ones(int(done.sum()))))
    order = np.lexsort((-change, at, agent))
    agent, at, level = agent[order], at[order], np.cumsum(change[order])
    level -= np.append(0.0, level)[np.searchsorted(agent, agent)]
    day = np.floor((at - 1e-3 - cut[agent] * float(QUARTER_S)) / DAY_S)
    same = (agent[1:] == agent[:-1]) & (day[1:] == day[:-1]) & (at[1:] > at[:-1])
    found = {}
    for number in np.unique(seen.agent).tolist():
        mine = np.flatnonzero(same & (agent[:-1] == number))
        busy = level[mine] > 0
        idle = mine[~busy]
        passed = others.until(number, at[idle + 1]) - others.until(number, at[idle])
        total = np.array([passed.sum(), (at[mine + 1] - at[mine])[busy].sum()])
        found[number] = Spells(np.array([len(idle), busy.sum()], np.float64), total)
    return found


def _gaps(
    seen: SeenDays,
    agent: int,
    hull: tuple[Floats, Floats],
    free: Ints,
    held: _Held,
    spells: Spells,
    others: Others,
) -> Gaps:
    """The gaps between the days with stamps of an agent.

    Times are those since the usual begin and end of the day, so that weekdays with different hours have edges
    in common; of the weekday, or of the whole week where that is likelier.
    """
    low, high = (edge[agent] for edge in hull)
    usual = high > low
    at, until = np.searchsorted(seen.day, held.begun_on), np.searchsorted(seen.day, held.ended_on)
    over = np.zeros(len(seen.day) + 1)
    np.add.at(over, at, 1)
    np.add.at(over, until, -1)
    in_hand = np.cumsum(over)[:-1] > 0
    before = np.append(False, in_hand[:-1])
    midnight = np.asarray(seen.day * DAY_S, np.float64)
    sides = []
    for stamp, of_day, open_, sign in (
        (seen.last_s, high[seen.day % 7], in_hand, 1),
        (seen.first_s, low[seen.day % 7], before, -1),
    ):
        sides.append(_edges(stamp, of_day, usual[seen.day % 7], open_, spells, sign, midnight, others, agent))
    (end, ends), (begin, begins) = sides
    single = until == at + 1
    at, held = at[single], held.of(single)
    days = _between(seen.day, usual, free)
    return Gaps(
        (seen.last_s - end)[:-1],
        (seen.first_s - begin)[1:],
        np.array([len(d) for d in days], np.int64),
        at,
        held.activity,
        held.start_s - end[at],
        held.end_s - begin[at + 1],
        ends,
        begins,
        float((high - low)[usual].mean()) if usual.any() else DAY_S,
        begin,
        end,
        usual[seen.day % 7],
    )


def _edges(
    stamp: Floats,
    of_day: Floats,
    usual: Mask,
    held: Mask,
    spells: Spells,
    sign: int,
    midnight: Floats,
    others: Others,
    agent: int,
) -> tuple[Floats, Edges]:
    """The usual hour of each day, and the edges as seen from it."""

    def passed(of: Floats) -> Callable[[Floats], Floats]:
        now = others.until(agent, midnight + stamp)
        return lambda grid: (
            sign * (others.until(agent, (midnight + of)[:, None] + sign * grid[None, :]) - now[:, None])
        )

    hours = [np.where(usual, of_day, stamp)]
    if usual.any():
        common = float((sign * of_day[usual]).max() * sign)
        hours.append(np.where(usual, common, stamp))
    found = [(of, find_edges(sign * (stamp - of), held, passed(of), spells)) for of in hours]
    return max(found, key=lambda pair: pair[1].score)


def _between(days: Ints, usual: Mask, free: Ints) -> list[Ints]:
    """The usual days between each day and the next one."""
    whole = np.arange(days[0], days[-1] + 1)
    whole = whole[usual[whole % 7] & ~np.isin(whole, free) & ~np.isin(whole, days)]
    return np.split(whole, np.searchsorted(whole, days))[1:-1]


def _joined(parts: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    none = np.zeros(0, np.int64)
    agent, day = (np.concatenate([none, *(part[k] for part in parts)]) for k in (0, 1))
    return agent.astype(np.int64), day.astype(np.int64)

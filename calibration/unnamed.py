"""Executions without a resource at tasks that people do: who did them, most likely.

Left as they are, they would be done by nobody: those who did them would look free meanwhile, what waited for
them would look delayed by something else, and their work would count around the clock. Each is therefore
attributed to one of those who are named at the task, drawn by how likely each began it just then. By Bayes'
rule that is the product of

    how often the agent does this task among all that it does,
    how much it began within half a day around that instant, and in that hour of the day,
    how often what it does is among so many that it has in hand at once, over how often so many would be,

all counted from the executions that have a resource (multiple imputation with one draw; Rubin, 1987).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats, Mask
from eventlogs.snapshot import NO_RESOURCE, Snapshot

MISSING = 0.5
"""A task with a larger share of executions without a resource needs nobody."""
AROUND_S = 12 * 3600.0
"""An agent who began something so long before or after was there on that day."""
ABSENT = 0.05
"""What an agent counts who began nothing around that instant, in mean numbers of what it begins around."""
MOST_HELD = 8
"""More items in hand count as this many."""
JUST_S = 60.0
"""Who begins something so soon after the last goes on with what waits."""
TICK_S = 1e-3
LINKS = 4
SEEN = 0.99
UNBOUND = int(np.iinfo(np.int64).max)
PRIOR = 10.0
"""Executions of all agents that count towards how much each has in hand."""
CELLS = 1_000_000
"""Executions times agents that are looked at together."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Unnamed:
    """What is assumed of the executions without a resource."""

    rows: Mask
    """Per execution: the log names nobody."""
    resource: NDArray[np.int32]
    """Per execution: the resource, or who is taken to have done it; NO_RESOURCE where nobody is."""
    alone: Mask
    """Per execution: attributed, though none of those who do its task began anything within half a day."""
    most: Ints
    """Per resource: what it has in hand at most in all but 1 - SEEN of its named executions. Attributed ones
    that find nobody with a hand free must not make it more."""


def attribute(snapshot: Snapshot) -> Unnamed:
    """A resource for every execution without one whose task mostly has one.

    The same log gives the same resources.
    """
    rows = snapshot.resource == NO_RESOURCE
    unbound = np.full(len(snapshot.resources), UNBOUND)
    found = Unnamed(rows, snapshot.resource.copy(), np.zeros(len(rows), np.bool_), unbound)
    share = missing_shares(snapshot, np.ones(len(rows), np.bool_))
    wanted = np.flatnonzero(rows & (share[snapshot.activity] <= MISSING))
    if not len(wanted):
        return found
    wanted = wanted[np.argsort(snapshot.start_s[wanted], kind="stable")]
    named = _Named.of(snapshot, np.flatnonzero(~rows))
    drawn = np.random.default_rng(0).random(len(wanted))
    ends = _ends(snapshot)
    # Each agent's ends of what was attributed to it, as many as may be in its hands at once.
    until = np.full((len(snapshot.resources), MOST_HELD), -np.inf)
    step = max(CELLS // max(len(snapshot.resources), 1), 1)
    for first in range(0, len(wanted), step):
        part = wanted[first : first + step]
        start, end = snapshot.start_s[part], ends[part]
        for i, signs in named.signs(snapshot.activity[part], start, end):
            sums = np.cumsum(signs.weights(i, until[signs.able] - start[signs.rows[i]]))
            k = signs.rows[i]
            at = int(np.searchsorted(sums, drawn[first + k] * sums[-1], side="right"))
            who = int(signs.able[min(at, len(sums) - 1)])
            until[who, int(np.argmin(until[who]))] = end[k]
            found.resource[part[k]], found.alone[part[k]] = who, signs.alone[i]
    return replace(found, most=named.most)


def missing_shares(snapshot: Snapshot, rows: Mask) -> Floats:
    """Per activity: the share of those of its executions in `rows` that have no resource; 0 without any."""
    m = len(snapshot.activities)
    nobody = np.bincount(snapshot.activity[rows & (snapshot.resource == NO_RESOURCE)], minlength=m)
    return np.asarray(nobody / np.maximum(np.bincount(snapshot.activity[rows], minlength=m), 1), np.float64)


def _ends(snapshot: Snapshot) -> Floats:
    ends = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)
    return np.asarray(np.maximum(ends, snapshot.start_s), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Named:
    """What is known of the agents, by index."""

    work: Ints
    """Executions per agent and activity."""
    starts: _Instants
    around: Floats
    """How many executions each agent begins within AROUND_S of an instant, on average."""
    hours: Floats
    """Share of what each agent begins, by hour of the day (UTC)."""
    hands: _Hands
    most: Ints
    held: Floats
    """Per agent: the share of its executions that lasted among which at most 1, 2, ... were in hand."""
    linked: Floats
    """Per agent: the shares of those that lasted by what they follow and precede, see `_links`."""
    ends: _Instants
    """Of what lasted."""
    begins: _Instants

    @staticmethod
    def of(snapshot: Snapshot, rows: Ints) -> _Named:
        n, m = len(snapshot.resources), len(snapshot.activities)
        who, start, end = (
            snapshot.resource[rows].astype(np.int64),
            snapshot.start_s[rows],
            _ends(snapshot)[rows],
        )
        work = np.bincount(who * m + snapshot.activity[rows], minlength=n * m).reshape(n, m)
        hours = np.bincount(who * 24 + _hour(start), minlength=n * 24).reshape(n, 24).astype(np.float64)
        hours += 0.5 * (np.roll(hours, 1, axis=1) + np.roll(hours, -1, axis=1)) + 0.01
        lasts = end > start
        hands = _Hands.of(who[lasts], start[lasts], end[lasts], n)
        level = np.minimum(hands.most(who[lasts], start[lasts], end[lasts]), MOST_HELD)
        held = np.bincount(who[lasts] * MOST_HELD + level - 1, minlength=n * MOST_HELD).reshape(n, MOST_HELD)
        sums = np.cumsum(held, axis=1)
        most = (sums < SEEN * sums[:, -1:]).sum(axis=1) + 1
        begins, ends = _Instants.of(who[lasts], start[lasts]), _Instants.of(who[lasts], end[lasts])
        links = _links(begins, ends, who[lasts], start[lasts], end[lasts])
        linked = np.bincount(who[lasts] * LINKS + links, minlength=n * LINKS)
        days = 2 * AROUND_S / max(float(np.ptp(start)) if len(start) else 0.0, 2 * AROUND_S)
        return _Named(
            work,
            _Instants.of(who, start),
            work.sum(axis=1) * days,
            hours / hours.sum(axis=1, keepdims=True),
            hands,
            np.where(most < MOST_HELD, most, UNBOUND),
            _towards_all(held.astype(np.float64)),
            _towards_all(linked.reshape(n, LINKS).astype(np.float64)),
            ends,
            begins,
        )

    def signs(self, activity: NDArray[np.int32], start: Floats, end: Floats) -> Iterator[tuple[int, _Signs]]:
        """For each of some executions, in their order, its place in what speaks for whom."""
        place = np.zeros(len(activity), np.int64)
        of: dict[int, _Signs] = {}
        for a in np.unique(activity).tolist():
            rows = np.flatnonzero(activity == a)
            place[rows] = np.arange(len(rows))
            of[a] = self._signs(rows, a, start[rows], end[rows])
        for a, i in zip(activity.tolist(), place.tolist(), strict=True):
            yield i, of[a]

    def _signs(self, rows: Ints, activity: int, start: Floats, end: Floats) -> _Signs:
        able = np.flatnonzero(self.work[:, activity])
        shape = len(able), len(start)
        who, begin, stop = np.repeat(able, len(start)), np.tile(start, len(able)), np.tile(end, len(able))
        around = self.starts.before(who, begin + AROUND_S) - self.starts.before(who, begin - AROUND_S)
        there = around.reshape(shape) + ABSENT * self.around[able, None]
        often = self.work[able, activity] / self.work[able].sum(axis=1)
        weight = often[:, None] * there * self.hours[able][:, _hour(start)]
        level = np.minimum(self.hands.most(who, begin, stop).reshape(shape), MOST_HELD - 1)
        link = _links(self.begins, self.ends, who, begin, stop).reshape(shape)
        return _Signs(
            rows,
            able,
            weight,
            level,
            link,
            self.held[able] / _by_chance(weight, level, MOST_HELD),
            self.linked[able] / _by_chance(weight, link, LINKS),
            end > start,
            np.asarray(~around.reshape(shape).any(axis=0), np.bool_),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Signs:
    """What speaks for whom in some executions of one activity; tables are agents x executions."""

    rows: Ints
    able: Ints
    """Who does the activity."""
    weight: Floats
    level: Ints
    """The most that an agent has in hand meanwhile."""
    link: Ints
    of_level: Floats
    """Agents x levels: how much likelier the level is if the agent does the execution."""
    of_link: Floats
    lasts: Mask
    """Per execution."""
    alone: Mask
    """Per execution: none of them began anything around."""

    def weights(self, i: int, left: Floats) -> Floats:
        """How likely each agent did the i-th, when what was attributed to it ends so much (agents x items)
        after the begin."""
        if not self.lasts[i]:
            return np.asarray(self.weight[:, i], np.float64)
        agents = np.arange(len(self.able))
        level = np.minimum(self.level[:, i] + (left > 0).sum(axis=1), MOST_HELD - 1)
        freed = ((left <= 0) & (left >= -JUST_S)).any(axis=1)
        link = self.link[:, i] | freed
        return np.asarray(
            self.weight[:, i] * self.of_level[agents, level] * self.of_link[agents, link], np.float64
        )


def _by_chance(weight: Floats, kind: Ints, kinds: int) -> Floats:
    """Agents x kinds: the shares of the kinds among all executions, whoever did them."""
    found = np.stack([np.where(kind == k, weight, 0.0).sum(axis=1) for k in range(kinds)], axis=1)
    return _towards_all(found * (weight.shape[1] / np.maximum(found.sum(axis=1, keepdims=True), 1e-300)))


def _links(begins: _Instants, ends: _Instants, who: Ints, start: Floats, end: Floats) -> Ints:
    """1 if an agent ended something within JUST_S before `start`, plus 2 if it begins something so soon after
    `end`."""
    freed = ends.before(who, start + TICK_S) > ends.before(who, start - JUST_S)
    goes_on = begins.before(who, end + JUST_S) > begins.before(who, end - TICK_S)
    return freed.astype(np.int64) + 2 * goes_on


def _hour(start: Floats) -> Ints:
    return np.floor(start / 3600).astype(np.int64) % 24


def _towards_all(counts: Floats) -> Floats:
    """Shares per row, drawn towards the shares of all rows as by PRIOR counts; none is quite 0."""
    total = counts.sum(axis=0) + 1e-3
    found = counts + PRIOR * total / total.sum()
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Instants:
    """Instants of each agent, ascending: one array in which agents lie further apart than any instants."""

    keys: Floats
    apart: float

    @staticmethod
    def of(who: Ints, t: Floats) -> _Instants:
        apart = 4 * float(np.abs(t).max(initial=0.0)) + 1e8
        return _Instants(np.sort(who * apart + t), apart)

    def before(self, who: Ints, t: Floats) -> Ints:
        """How many instants lie before t of that agent, those of agents with lower indices included."""
        return np.asarray(np.searchsorted(self.keys, who * self.apart + t), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Hands:
    """How much each agent has in hand, as a step function, with the maxima over 1, 2, 4, ... steps."""

    keys: Floats
    apart: float
    maxima: tuple[NDArray[np.int8], ...]

    @staticmethod
    def of(who: Ints, start: Floats, end: Floats, n: int) -> _Hands:
        apart = 4 * float(np.abs(end).max(initial=0.0)) + 1e8
        # Each agent begins with a step to nothing; at one instant what ends does so first.
        who = np.concatenate((np.arange(n), who, who))
        keys = who * apart + np.concatenate((np.full(n, -1e7), end, start))
        change = np.repeat([0, -1, 1], [n, len(end), len(start)])
        order = np.lexsort((change, keys))
        level = np.minimum(np.cumsum(change[order]), 127).astype(np.int8)
        maxima, width = [level], 1
        while 2 * width <= len(level):
            maxima.append(np.maximum(maxima[-1][:-width], maxima[-1][width:]))
            width *= 2
        return _Hands(keys[order], apart, tuple(maxima))

    def most(self, who: Ints, start: Floats, end: Floats) -> Ints:
        """The most that each agent has in hand from start to end; range maxima of a sparse table (Bender and
        Farach-Colton, 2000)."""
        first = np.searchsorted(self.keys, who * self.apart + start, side="right") - 1
        last = np.maximum(np.searchsorted(self.keys, who * self.apart + end) - 1, first)
        size = np.floor(np.log2(last - first + 1)).astype(np.int64)
        found = np.zeros(len(who), np.int64)
        for k in np.unique(size).tolist():
            mine = size == k
            table = self.maxima[k]
            found[mine] = np.maximum(table[first[mine]], table[last[mine] - (1 << k) + 1])
        return found

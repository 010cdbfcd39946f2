"""Values in time order, told apart at the instant up to which a twin was learnt: what tests of drift compare.

What the end of a log hides must not look like a change. Work that runs counts by what it is expected to come
to, given how long it has run. Waits and decisions that take longer than usual are left out on both sides, and
so is the time before the end in which they could not be seen: what is left has the same law in both parts if
nothing changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from calibration.inclusion import EndOfLog, closed_bounds, end_of_arrivals, fit_inclusion
from calibration.local_time import Floats
from eventlogs.bounds import case_bounds

if TYPE_CHECKING:
    from discovery.replayed import Replayed
    from eventlogs.snapshot import Snapshot

DAY_S = 86400.0
USUAL = 0.95
"""Waits and decisions that take longer than this quantile of those before are left out."""
SEEN = 0.9
"""Of a log that lacks its unfinished cases, the time is judged in which so many of its cases are there."""
FEWEST = 40
"""Values before, without which nothing is compared."""
WAYS_SHARE = 0.02
"""Ways that fewer take, before and since, are not looked at one by one."""

Kind = Literal["arrivals", "routing", "durations", "waits", "structure", "agents"]
KINDS: tuple[Kind, ...] = ("arrivals", "routing", "durations", "waits", "structure", "agents")
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """One thing that is watched: a value an execution, a decision, a case or a day."""

    kind: Kind
    what: str
    """The activity, the gateway; empty for arrivals."""
    way: int
    """Of a gateway: which of its flows; -1 for all else."""
    at_s: Floats
    """When, ascending."""
    score: Floats
    """What is averaged: normal scores of times, 0 or 1 of shares, orders a day."""
    raw: Floats
    """The same in its own unit: seconds, 0 or 1, orders; NaN where it isn't known yet."""
    expected: Floats
    """Orders expected a day; ones for all else."""
    until_s: float
    """What is later can't be seen whole."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The log that is searched, and where the twin's knowledge of it ends."""

    snapshot: Snapshot
    from_s: float
    """The twin was learnt from here on."""
    since_s: float
    """And up to here."""
    end: EndOfLog
    time_zone: str = "UTC"
    holidays: Collection[date] = ()
    """Days that are unlike others of their weekday: left out of arrivals."""

    @property
    def until_s(self) -> float:
        """The end of what is judged."""
        snapshot = self.snapshot
        if not self.end.cut:
            return snapshot.until_s
        inclusion = fit_inclusion(*closed_bounds(snapshot), snapshot.until_s)
        reach = inclusion.points[min(int(np.searchsorted(inclusion.share, SEEN)), len(inclusion.points) - 1)]
        return snapshot.until_s - float(reach)

    @property
    def arrivals_until_s(self) -> float:
        """The end of what is judged of arrivals: in logs of the cases of some period, followed to their end,
        they stop before the log does."""
        release, _ = case_bounds(self.snapshot)
        inclusion = (
            fit_inclusion(*closed_bounds(self.snapshot), self.snapshot.until_s) if self.end.cut else None
        )
        return min(end_of_arrivals(release, self.snapshot.until_s, inclusion), self.until_s)

    def rows(self) -> Flags:
        """Executions of cases that are judged: of a log without its unfinished cases, those that began while
        nearly all can be seen."""
        snapshot = self.snapshot
        if not self.end.cut:
            return np.ones(snapshot.n_events, np.bool_)
        release, _ = case_bounds(snapshot)
        return np.asarray((release <= self.until_s)[snapshot.case_of_row()], np.bool_)


def streams(log: Watched, replayed: Replayed, labels: dict[str, str]) -> Iterator[Stream]:
    """Everything that is watched but agents and new activities; `labels` are the tasks' by id."""
    yield from _arrivals(log)
    yield from _work(log)
    yield from _waits(log, replayed, labels)
    yield from _decisions(log, replayed)
    yield from _misfits(log, replayed)


def _arrivals(log: Watched) -> Iterator[Stream]:
    """Orders a day, beside those that the weekday had before."""
    release, _ = case_bounds(log.snapshot)
    zone = ZoneInfo(log.time_zone)
    midnight = (log.snapshot.origin + timedelta(seconds=log.from_s)).astimezone(zone)
    first = midnight.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    days = []
    until_s = log.arrivals_until_s
    while (begin := (first - log.snapshot.origin).total_seconds()) + DAY_S <= until_s:
        days.append((begin, first.weekday(), first.date() in log.holidays))
        first += timedelta(days=1)
    if len(days) < 2:
        return
    starts = np.array([day[0] for day in days])
    weekday = np.array([day[1] for day in days])
    count = np.histogram(release, np.append(starts, starts[-1] + DAY_S))[0].astype(np.float64)
    before = (starts + DAY_S <= log.since_s) & ~np.array([day[2] for day in days])
    if before.sum() < 14:
        return
    times = np.bincount(weekday[before], minlength=7)
    usual = np.bincount(weekday[before], count[before], minlength=7) / np.maximum(times, 1)
    kept = ~np.array([day[2] for day in days]) & (times[weekday] > 0)
    expected = usual[weekday]
    yield Stream("arrivals", "", -1, starts[kept], count[kept], count[kept], expected[kept], until_s)


def _work(log: Watched) -> Iterator[Stream]:
    """The length of executions, by activity; those that run by what they are expected to come to."""
    snapshot = log.snapshot
    if snapshot.single_timestamp:
        return
    usable = log.rows() & (snapshot.start_s >= log.from_s)
    work = snapshot.end_s - snapshot.start_s - snapshot.paused_s
    elapsed = snapshot.until_s - snapshot.start_s - snapshot.paused_s
    for a, name in enumerate(snapshot.activities):
        mine = usable & (snapshot.activity == a)
        at, raw, so_far = snapshot.start_s[mine], work[mine], elapsed[mine]
        before = at < log.since_s
        known = np.sort(raw[before & np.isfinite(raw)])
        if len(known) < FEWEST or known[0] == known[-1]:
            continue
        score = np.where(np.isfinite(raw), _score(known, raw), _score_beyond(known, so_far))
        yield _ordered("durations", name, -1, at, score, raw, log.until_s)


def _waits(log: Watched, replayed: Replayed, labels: dict[str, str]) -> Iterator[Stream]:
    """From when an execution could begin until it did, by task."""
    snapshot = log.snapshot
    usable = log.rows() & (replayed.enabled_s >= log.from_s)
    wait = np.maximum(snapshot.start_s - replayed.enabled_s, 0.0)
    for t, node in enumerate(replayed.tasks):
        mine = usable & (replayed.task == t)
        at, raw = replayed.enabled_s[mine], wait[mine]
        before = at < log.since_s
        if before.sum() < FEWEST:
            continue
        longest = float(np.quantile(raw[before], USUAL))
        kept = (raw <= longest) & (at <= log.until_s - longest)
        known = np.sort(raw[before & kept])
        if len(known) < FEWEST or known[0] == known[-1]:
            continue
        yield _ordered(
            "waits",
            labels[node],
            -1,
            at[kept],
            _score(known, raw[kept]),
            raw[kept],
            log.until_s - longest,
        )


def _decisions(log: Watched, replayed: Replayed) -> Iterator[Stream]:
    """Which way orders went at a gateway: for each way that enough take, whether they took it."""
    snapshot, found = log.snapshot, replayed.decisions
    if not len(found.case):
        return
    offset, size = snapshot.offsets[found.case], np.diff(snapshot.offsets)[found.case]
    release, last = case_bounds(snapshot)
    before_it = np.clip(offset + found.position - 1, 0, snapshot.n_events - 1)
    at = np.where(found.position > 0, snapshot.end_s[before_it], release[found.case])
    after_it = np.clip(offset + found.position, 0, snapshot.n_events - 1)
    seen = np.where(found.position < size, snapshot.start_s[after_it], last[found.case])
    delay = np.maximum(seen - at, 0.0)
    usable = (release[found.case] <= log.until_s) & np.isfinite(at) & (at >= log.from_s)
    for g, node in enumerate(replayed.gateways):
        mine = usable & (found.gateway == g)
        before = mine & (at < log.since_s)
        if before.sum() < FEWEST:
            continue
        longest = float(np.quantile(delay[before], USUAL))
        kept = mine & (delay <= longest) & (at <= log.until_s - longest)
        yield from _ways(node, at[kept], found.flow[kept], log.since_s, log.until_s - longest)


def _ways(node: str, at: Floats, flow: NDArray[np.int32], since_s: float, until_s: float) -> Iterator[Stream]:
    ways = np.unique(flow)
    for way in ways.tolist():
        took = (flow == way).astype(np.float64)
        parts = [took[at < since_s], took[at >= since_s]]
        if max((float(part.mean()) if len(part) else 0.0) for part in parts) >= WAYS_SHARE:
            yield _ordered("routing", node, way, at, took, took, until_s)
        if len(ways) == 2:  # the other one says the same
            break


def _misfits(log: Watched, replayed: Replayed) -> Iterator[Stream]:
    """Whether a case did something that the twin's structure has no place for."""
    snapshot = log.snapshot
    release, _ = case_bounds(snapshot)
    odd = np.zeros(snapshot.n_cases)
    odd[snapshot.case_of_row()[replayed.task < 0]] = 1.0
    kept = (release >= log.from_s) & (release <= log.until_s)
    yield _ordered("structure", "", -1, release[kept], odd[kept], odd[kept], log.until_s)


def _ordered(
    kind: Kind, what: str, way: int, at: Floats, score: Floats, raw: Floats, until_s: float
) -> Stream:
    order = np.argsort(at, kind="stable")
    return Stream(kind, what, way, at[order], score[order], raw[order], np.ones(len(at)), until_s)


def _score(known: Floats, values: Floats) -> Floats:
    """Normal scores of values by the mean of their lowest and highest rank among the (sorted) known ones."""
    from scipy.special import ndtri

    finite = np.where(np.isfinite(values), values, known[-1])
    rank = (np.searchsorted(known, finite, "left") + np.searchsorted(known, finite, "right")) / 2
    return np.asarray(ndtri((rank + 0.5) / (len(known) + 1)), np.float64)


def _score_beyond(known: Floats, so_far: Floats) -> Floats:
    """The mean normal score of values above what has passed: phi(z) / (1 - Phi(z))."""
    from scipy.stats import norm

    above = 1 - np.searchsorted(known, so_far, "right") / (len(known) + 1)
    z = norm.isf(np.clip(above, 0.5 / (len(known) + 1), 1.0))
    z = np.where(np.isfinite(z), z, -8.0)
    return np.asarray(norm.pdf(z) / np.maximum(norm.sf(z), 1e-12), np.float64)

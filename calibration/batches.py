"""Batches in a log: work on which waits for other orders although somebody could do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from calibration.agents import Resources
from calibration.availability import GAP_S, find_availability
from calibration.local_time import Floats, LocalTime, local_time
from calibration.releases import FEWEST, TOLERANCE_S, Release, Seen, fit_release, sizes_alone
from calibration.settings import Settings
from calibration.spans import Spans, union
from calibration.together import NO_BATCH, Rows, Together
from calibration.window import Window
from discovery.replayed import Replayed
from eventlogs.snapshot import Snapshot
from metagraph.batches import Batch, BatchKind

MOST = 0.6
"""Share of the executions that are in batches of two or more, where sequential batches are believed."""
EMPTIED = 0.95
"""Share of what waits at the release of such a batch that is in it."""
IDLE = 0.9
"""Share of batches of two or more for whose first order somebody was free before the release."""
ALL_IDLE = 0.75
"""The same of all batches, singles included."""


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """What is collected."""

    of: Mapping[str, Batch]
    """By activity."""
    of_row: Rows
    """Per row of the snapshot its batch, or NO_BATCH."""
    release_s: Floats
    """Per row the instant at which its batch was released, NaN without one."""


def no_batches(n: int) -> Batches:
    """Nothing is collected; the columns are views of one value, as a build keeps dozens of them."""
    return Batches({}, np.broadcast_to(np.int64(NO_BATCH), n), np.broadcast_to(np.float64(np.nan), n))


def fit_batches(window: Window, replayed: Replayed, resources: Resources, settings: Settings) -> Batches:
    """Batches of the executions that the replay found a place for.

    Simultaneous ones are those of `resources.together`. Sequential ones are found by what tells them from
    queues, nights and delays (cf. Lashkevich, Milani, Chapela-Campa, Suvorau and Dumas, "Why am I waiting?",
    CAiSE 2023, and Pika, Ouyang and ter Hofstede, "Configurable batch-processing discovery from event logs",
    ACM TMIS 2022): orders wait although people of the task's pool are on shift and free, which no queue and
    no night explains; then all that wait are begun one after the other with nobody idle in between, and
    nothing is left, which delays of their own don't explain. Without a clear law of release nothing is said.
    """
    snapshot = window.snapshot
    n = snapshot.n_events
    if not settings.use_batching or snapshot.single_timestamp:
        return no_batches(n)
    of_row, release_s = np.full(n, NO_BATCH, np.int64), np.full(n, np.nan)
    availability = find_availability(snapshot, resources)
    index = {name: i for i, name in enumerate(snapshot.resources)}
    pools = {q.id: tuple(index[name] for name in q.agents) for q in resources.queues}
    usable = window.rows & ~np.isnan(replayed.enabled_s)
    last_s = max(snapshot.until_s, float(np.max(snapshot.start_s, initial=0.0)))
    local = local_time(
        snapshot.origin, float(np.min(snapshot.start_s, initial=last_s)), last_s, settings.time_zone
    )
    of: dict[str, Batch] = {}
    count = 0
    for a, label in enumerate(snapshot.activities):
        rows = np.flatnonzero(usable & (snapshot.activity == a))
        pool = pools.get(label)
        free = None if pool is None else availability.pool(pool)
        busy = union([availability.busy[i] for i in pool or ()])
        work = _Work.of(snapshot, rows, replayed.enabled_s[rows], free, busy)
        done_together = a in resources.together.activities
        one = _simultaneous(work, resources.together, local) if done_together else _sequential(work, local)
        if one is None:
            continue
        kind, batch, seen, release = one
        of[label] = _batch(kind, release, seen, settings)
        of_row[work.rows] = np.where(batch >= 0, batch + count, NO_BATCH)
        release_s[work.rows[batch >= 0]] = seen.release_s[batch[batch >= 0]]
        count += len(seen.size)
    return Batches(of, of_row, release_s) if of else no_batches(n)


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """Executions of one activity, by start."""

    rows: Rows
    enabled: Floats
    start: Floats
    end: Floats
    free: Spans | None
    """When somebody of the pool was free; None: nobody is needed."""
    busy: Spans
    """When somebody of it was busy."""

    @staticmethod
    def of(snapshot: Snapshot, rows: Rows, enabled: Floats, free: Spans | None, busy: Spans) -> _Work:
        start = snapshot.start_s[rows]
        order = np.lexsort((enabled, start))
        rows, enabled, start = rows[order], np.minimum(enabled, start)[order], start[order]
        return _Work(rows, enabled, start, snapshot.end_s[rows], free, busy)

    def idle(self, t0: Floats, t1: Floats) -> Floats:
        """Seconds between instants at which somebody was free."""
        return t1 - t0 if self.free is None else self.free.covered(t0, t1)

    def last_free(self, t: Floats) -> Floats:
        return t if self.free is None else self.free.last_before(t)


_One = tuple[BatchKind, Rows, Seen, Release]


def _seen(work: _Work, batch: Rows, *, opening: bool = False) -> Seen:
    """The batches that executions are in, by number; those of none have a negative one.

    `opening`: what begins when somebody comes on shift was released just then.
    """
    inside = batch >= 0
    n = int(batch.max()) + 1
    first, start = np.full(n, np.inf), np.full(n, np.inf)
    last = np.full(n, -np.inf)
    np.minimum.at(first, batch[inside], work.enabled[inside])
    np.maximum.at(last, batch[inside], work.enabled[inside])
    np.minimum.at(start, batch[inside], work.start[inside])
    last = np.minimum(last, start)
    free = work.last_free(start)
    if opening:
        free = np.where(work.busy.last_before(start) < start - TOLERANCE_S, start, free)
    release = np.clip(free, last, start)
    # Where everybody was busy until the start, the release may lie anywhere before it.
    exact = free >= start - TOLERANCE_S
    return Seen(first, last, start, release, exact, np.bincount(batch[inside], minlength=n))


def _simultaneous(work: _Work, together: Together, local: LocalTime) -> _One | None:
    numbers = together.of_row[work.rows]
    inside = numbers != NO_BATCH
    if inside.sum() < FEWEST:
        return None
    batch = np.full(len(numbers), NO_BATCH, np.int64)
    batch[inside] = np.unique(numbers[inside], return_inverse=True)[1].reshape(-1)
    for opening in (False, True):
        seen = _seen(work, batch, opening=opening)
        release = fit_release(seen, local)
        if release is not None:
            return "simultaneous", batch, seen, release
    seen = _seen(work, batch)
    return "simultaneous", batch, seen, sizes_alone(seen)


def _sequential(work: _Work, local: LocalTime) -> _One | None:
    if len(work.rows) < 2 * FEWEST or (work.idle(work.enabled, work.start) > GAP_S).mean() < 1 - MOST:
        return None
    batch = _runs(work)
    seen = _seen(work, batch)
    several = seen.size > 1
    if several.sum() < FEWEST or seen.size[several].sum() < MOST * len(batch):
        return None
    waited = work.idle(seen.first_s, seen.release_s) > GAP_S
    if waited[several].mean() < IDLE or waited.mean() < ALL_IDLE:
        return None
    begun = np.concatenate(([0], np.cumsum(seen.size)[:-1]))
    release = work.start[begun]
    there = np.searchsorted(np.sort(work.enabled), release, side="right") - begun
    if seen.size[several].sum() < EMPTIED * there[several].sum():
        return None
    law = fit_release(seen, local)
    return None if law is None or _coincide(work, batch) else ("sequential", batch, seen, law)


def _coincide(work: _Work, batch: Rows) -> bool:
    """Whether most that lasts has one beginning and end with others: it may be done as one piece."""
    keys = np.column_stack((batch, np.floor(work.start), np.floor(work.end)))
    _, group, size = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    together = (size[group.reshape(-1)] > 1) & (work.end > work.start)
    return bool(together.mean() > 1 - MOST)


def _runs(work: _Work) -> Rows:
    """A number for each execution: a run goes on with what was enabled before it began, as long as nobody of
    the pool is idle in between."""
    idle = work.idle(np.full(len(work.start), work.start[0]), work.start).tolist()
    enabled, start = work.enabled.tolist(), work.start.tolist()
    found, number, begun, before = [], -1, -np.inf, -np.inf
    for came, began, passed in zip(enabled, start, idle, strict=True):
        if came > begun + TOLERANCE_S or passed - before > TOLERANCE_S:
            number, begun, before = number + 1, began, passed
        found.append(number)
    return np.array(found, np.int64)


def _batch(kind: BatchKind, release: Release, seen: Seen, settings: Settings) -> Batch:
    several = seen.size > 1
    return Batch(
        kind,
        release.size,
        release.wait_s,
        release.times,
        settings.time_zone,
        executions=int(seen.size[several].sum()),
        batches=int(several.sum()),
        note=release.note,
    )

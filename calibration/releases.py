"""By what batches are released: enough orders, the longest wait, or times of the week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats, LocalTime, Mask
from metagraph.distributions import Constant, Empirical, Fitted

TOLERANCE_S = 1.0
FEWEST = 10
"""Batches of which the release is known to the second."""
AT_A_TIME = 0.9
"""Share of those that nothing else released, within a minute of the times of the day."""
MOST_TIMES = 4
EXPLAINED = 0.9
"""Share of all batches that can have been released in the ways that were found."""
LEAST_USES = 3
"""Batches that began at or after a time of the week, of orders from before it."""
FULL = 0.2
"""Share of the batches that begin when their last order comes, above which enough orders release them."""
LEFT = 0.2
"""Share of batches that may be released by nothing that is known."""
SPREAD = 0.1
"""The middle four fifths of longest waits lie within this share of their median."""
SAME_SIZE = 0.9
_DAY_S, _WEEK_S, _MINUTE_S = 86400.0, 604800.0, 60.0

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Batches, as columns."""

    first_s: Floats
    """When the first order came."""
    last_s: Floats
    start_s: Floats
    release_s: Floats
    exact: Mask
    """Somebody was free just before the release, so work began with it."""
    size: Counts


@dataclass(frozen=True, slots=True)
class Release:
    """Fields as in metagraph.batches.Batch."""

    size: Fitted | None
    wait_s: float | None
    times: tuple[float, ...]
    note: str


def fit_release(seen: Seen, local: LocalTime) -> Release | None:
    """What released these batches; None where it isn't clear.

    A batch that begins when its last order comes was full. Others began at one of few times of the day, or as
    long after their first order as all others. What those that weren't full say of the size is that it is
    larger: the estimate is that of Kaplan and Meier (1958).
    """
    if seen.exact.sum() < FEWEST:
        return None
    full = seen.exact & (seen.release_s - seen.last_s <= TOLERANCE_S)
    rest = seen.exact & ~full
    times, timed = _times(seen, rest, local)
    rest = rest & ~timed
    waited = seen.release_s - seen.first_s
    size, wait_s = None, None
    if full.sum() >= FULL * seen.exact.sum():
        size = _size(seen.size[full], seen.size[seen.exact & ~full])
    elif full.sum() > LEFT * seen.exact.sum():
        return None
    if rest.sum() >= FEWEST / 2 and _alike(waited[rest]):
        wait_s = float(np.round(np.median(waited[rest]), 3))
    elif rest.sum() > LEFT * seen.exact.sum():
        return None
    elif not times and size is not None:
        wait_s = float(np.round(waited.max(), 3))
    if wait_s is None and not times:
        return None
    told = [
        f"{int(full.sum())} full" if size else "",
        f"{int((seen.exact & timed).sum())} at times of the week" if times else "",
        f"{int(rest.sum())} after the longest wait" if wait_s is not None and rest.any() else "",
    ]
    known = f"of {int(seen.exact.sum())} releases known to the second: "
    release = Release(size, wait_s, times, known + ", ".join(filter(None, told)))
    return release if _explained(seen, release, local) >= EXPLAINED else None


def sizes_alone(seen: Seen) -> Release:
    """Sizes as they were, where what released the batches isn't clear."""
    law = Fitted(_law(np.bincount(seen.size).astype(np.float64)), len(seen.size), "task")
    longest = float(np.round(max((seen.last_s - seen.first_s).max(), 1.0), 3))
    return Release(law, longest, (), "what releases them isn't clear: sizes as observed")


def _alike(waited: Floats) -> bool:
    low, middle, high = np.quantile(waited, (0.1, 0.5, 0.9))
    return bool(high - low <= max(SPREAD * middle, TOLERANCE_S) and middle > TOLERANCE_S)


def _times(seen: Seen, rest: Mask, local: LocalTime) -> tuple[tuple[float, ...], Mask]:
    """Times of the week at which nearly all of the rest were released, and which of them that were.

    What begins when a shift does may have been released in the night: then that is taken for its time.
    """
    nothing = (), np.zeros(len(rest), np.bool_)
    if rest.sum() < FEWEST:
        return nothing
    begun = local.of(np.where(seen.exact, seen.release_s, seen.start_s))
    day = np.mod(begun, _DAY_S)
    minute = np.floor(day / _MINUTE_S).astype(np.int64)
    open_ = rest | ~seen.exact
    counts = np.bincount(minute[open_], minlength=1440)
    chosen = [m for m in np.argsort(-counts, kind="stable")[:MOST_TIMES].tolist() if counts[m] >= LEAST_USES]
    times: list[float] = []
    timed = np.zeros(len(rest), np.bool_)
    for one in chosen:
        at = float(np.floor(np.median(day[open_ & (minute == one)])))
        used = [d * _DAY_S + at for d in range(7) if _used(seen, d * _DAY_S + at, local)]
        if used:
            times += used
            timed |= rest & (np.abs(day - at) <= _MINUTE_S)
    dates = np.unique(np.floor(begun[timed] / _DAY_S))
    if len(dates) < FEWEST or timed.sum() < AT_A_TIME * rest.sum():
        return nothing
    return tuple(sorted(times)), timed


def _used(seen: Seen, at: float, local: LocalTime) -> bool:
    """Whether batches end with a time of the week: hardly any has orders from before and after it."""
    following = _next(local.of(seen.first_s), at)
    last = local.of(seen.last_s) - TOLERANCE_S
    passed = int((following < last).sum())
    ended = int(((following >= last) & (following <= local.of(seen.start_s) + TOLERANCE_S)).sum())
    return ended >= LEAST_USES and passed <= LEFT * ended


def _next(t: Floats, at: float) -> Floats:
    """The first instant of local time not before `t` that is this time of the week."""
    found: Floats = np.ceil((t - at - TOLERANCE_S) / _WEEK_S) * _WEEK_S + at
    return found


def _explained(seen: Seen, release: Release, local: LocalTime) -> float:
    """Share of the batches that could have been released in this way."""
    last, until = seen.last_s - TOLERANCE_S, seen.start_s + TOLERANCE_S
    found = np.zeros(len(last), np.bool_)
    if release.size is not None:
        found |= ~seen.exact | (seen.release_s - seen.last_s <= TOLERANCE_S)
    if release.wait_s is not None:
        latest = seen.first_s + release.wait_s
        found |= (latest >= last) & (latest <= until)
    for at in release.times:
        following = _next(local.of(seen.first_s), at)
        found |= (following >= local.of(last)) & (following <= local.of(until))
    return float(found.mean())


def _size(full: Counts, others: Counts) -> Fitted:
    """The law of the size; batches that were released before they were full say that theirs was larger."""
    most = int(full.max())
    seen = np.bincount(full, minlength=most + 1)[: most + 1].astype(np.float64)
    at_least = np.cumsum(seen[::-1])[::-1]
    larger = np.array([(others >= k).sum() for k in range(most + 1)], np.float64)
    hazard = seen / np.maximum(at_least + larger, 1.0)
    hazard[most] = 1.0
    alive = np.concatenate(([1.0], np.cumprod(1 - hazard)[:-1]))
    return Fitted(_law(alive * hazard), len(full), "task")


def _law(mass: Floats) -> Constant | Empirical:
    """A law of whole numbers, by their masses."""
    mass = mass / mass.sum()
    usual = int(np.argmax(mass))
    if mass[usual] >= SAME_SIZE:
        return Constant(float(usual))
    levels = (np.arange(201) + 0.5) / 201
    values = np.searchsorted(np.cumsum(mass), levels * (1 - 1e-12))
    return Empirical(tuple(np.minimum(values, len(mass) - 1).astype(np.float64).tolist()))

"""Past instants of a log, what was known then, and what came of the orders that were open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.errors import DataError, UsageError

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]
TAIL = 0.3
"""Instants lie in the last part of the log of this length, unless told: before it a twin knows too little."""
LEAST_AFTER, MOST_AFTER = 0.05, 0.15
"""Shares of the log's span that stay after the last instant, so that outcomes are known: as much as nine of
ten orders take, within these."""
FEWEST_KNOWN = 20
"""Finished cases that have to be known at an instant."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the whole log says of its cases; instants in seconds since the log's origin."""

    first_s: Mapping[str, float]
    last_s: Mapping[str, float]
    """Of finished cases."""
    until_s: float
    """Where the log stops."""

    def in_process(self, at_s: float) -> int:
        """Orders in process at an instant."""
        return sum(first <= at_s < self.last_s.get(case, np.inf) for case, first in self.first_s.items())


def truth_of(log: Snapshot) -> Truth:
    """From the log as it is known today; its open cases have no end yet."""
    from eventlogs.bounds import case_bounds

    first, last = case_bounds(log)
    ended = ~log.is_open
    names = np.array(log.cases, dtype=object)
    return Truth(
        dict(zip(names.tolist(), first.tolist(), strict=True)),
        dict(zip(names[ended].tolist(), last[ended].tolist(), strict=True)),
        log.until_s,
    )


def origins(
    log: Snapshot, n: int, begin: datetime | None = None, end: datetime | None = None
) -> tuple[datetime, ...]:
    """`n` instants, evenly among the log's events (so that none falls into a night without work).

    Raises UsageError for a period without events, DataError where too few cases had ended before.
    """
    from eventlogs.bounds import case_bounds

    first, last = case_bounds(log)
    ended = ~log.is_open
    if ended.sum() < FEWEST_KNOWN:
        raise DataError(
            f"log {log.name!r} has {int(ended.sum())} finished cases; forecasts of the past need at least "
            f"{FEWEST_KNOWN} before the first instant"
        )
    span = log.until_s - float(first.min())
    typical = float(np.quantile((last - first)[ended], 0.9))
    guard = min(max(typical, LEAST_AFTER * span), MOST_AFTER * span)
    low = _since(log, begin) if begin else log.until_s - TAIL * span
    high = _since(log, end) if end else log.until_s - guard
    low = max(low, float(np.sort(last[ended])[FEWEST_KNOWN - 1]))
    stamps = np.concatenate([log.start_s, log.end_s[~np.isnan(log.end_s)]])
    stamps = np.unique(stamps[(stamps >= low) & (stamps <= min(high, log.until_s))])
    if len(stamps) < n:
        raise UsageError(
            f"--origins {n}: only {len(stamps)} instants with events lie between {_told(log, low)} and "
            f"{_told(log, high)}; ask for fewer, or for a longer period with --from and --to"
        )
    chosen = stamps[np.linspace(0, len(stamps) - 1, n).astype(np.int64)] if n > 1 else stamps[-1:]
    # Whole seconds after the event, so that it is known.
    return tuple(log.origin + timedelta(seconds=float(np.floor(s)) + 1.0) for s in chosen)


def _since(log: Snapshot, instant: datetime) -> float:
    return (instant - log.origin).total_seconds()


def _told(log: Snapshot, at_s: float) -> str:
    return f"{log.origin + timedelta(seconds=at_s):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The orders that were taken to be open at an instant, a row each, in the order of the snapshot."""

    at: datetime
    ids: tuple[str, ...]
    age_s: Floats
    standing: tuple[str, ...]
    """The activity that runs, or after which it waits, in words."""
    left_s: Floats
    """Until it ended, or until the log stopped: what came, which no forecast has read."""
    ended: NDArray[np.bool_]
    over: NDArray[np.bool_]
    """It had ended already, and nobody knew: nothing more came."""
    limit_s: float
    """How long the log goes on."""
    missed: int
    """Orders that went on although they were taken for finished: nothing was forecast for them."""


def asked(known: Snapshot, at: datetime, truth: Truth) -> Asked:
    """The open orders of a snapshot of what was known at `at`, and what came of them."""
    from eventlogs.bounds import case_bounds

    t = (at - known.origin).total_seconds()
    first, _ = case_bounds(known)
    rows = np.flatnonzero(known.is_open)
    ids = tuple(known.cases[i] for i in rows)
    ends = np.array([truth.last_s.get(case, np.inf) for case in ids])
    closed = [known.cases[i] for i in np.flatnonzero(~known.is_open)]
    return Asked(
        at=at,
        ids=ids,
        age_s=t - first[rows],
        standing=tuple(_standing(known, int(case)) for case in rows),
        left_s=np.maximum(np.minimum(ends, truth.until_s) - t, 0.0),
        ended=np.isfinite(ends),
        over=ends <= t,
        limit_s=truth.until_s - t,
        missed=sum(truth.last_s.get(case, np.inf) > t for case in closed),
    )


def _standing(known: Snapshot, case: int) -> str:
    rows = slice(int(known.offsets[case]), int(known.offsets[case + 1]))
    running = np.isnan(known.end_s[rows])
    last = known.activities[known.activity[rows][-1]]
    # Running executions come last, and of several the one that began last.
    return f"{last} runs" if running.any() else f"after {last}"

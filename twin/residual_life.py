"""Simple forecasts that know what the twin knows: how long cases went on that were as old, or stood alike.

Cases that are still open count with what they have lived (Kaplan and Meier, 1958): left out, only short cases
would remain of the newest ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.outlook import LEVELS

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]
FEWEST = 5
"""Cases that a residual life is read from, by any activity: with fewer, those of all activities are taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """The product-limit estimate of a lifetime's distribution."""

    times: Floats
    """Ascending instants of known ends."""
    alive: Floats
    """The share that lives on after each."""
    at_risk: NDArray[np.int64]
    """How many were watched just before each."""

    def left(self, age: float) -> Floats:
        """Quantiles at LEVELS of what is left of a life of `age`, up to the longest known.

        Where fewer than FEWEST were watched so long: what was left at the highest age that so many reached.
        """
        if not len(self.times):
            return np.full(len(LEVELS), age)
        enough = np.flatnonzero(self.at_risk >= FEWEST)
        oldest = self.times[enough[-1]] if len(enough) else 0.0
        age = min(age, float(np.nextafter(oldest, 0.0)))
        after = int(np.searchsorted(self.times, age, side="right"))
        start = 1.0 if after == 0 else float(self.alive[after - 1])
        wanted = (1.0 - np.array(LEVELS)) * start
        # The first time at which no more than `wanted` live on; `alive` falls.
        at = np.searchsorted(-self.alive[after:], -wanted - 1e-12, side="left")
        left: Floats = self.times[after:][np.minimum(at, len(self.times) - after - 1)] - age
        return left


def survival(lived: Floats, over: NDArray[np.bool_]) -> Survival:
    """From lifetimes, of which those not `over` still go on."""
    times, deaths = np.unique(lived[over], return_counts=True)
    at_risk = len(lived) - np.searchsorted(np.sort(lived), times, side="left")
    alive: Floats = np.cumprod(1.0 - deaths / np.maximum(at_risk, 1)).astype(np.float64)
    return Survival(times, alive, at_risk.astype(np.int64))


def by_age(snapshot: Snapshot) -> Floats:
    """Quantiles at LEVELS of the seconds for which each open case still goes on: [open case, level]."""
    from eventlogs.bounds import case_bounds

    first, last = case_bounds(snapshot)
    lived = np.where(snapshot.is_open, snapshot.until_s, last) - first
    whole = survival(lived, ~snapshot.is_open)
    found = [whole.left(age) for age in lived[snapshot.is_open].tolist()]
    return np.array(found).reshape(-1, len(LEVELS))


def by_last(snapshot: Snapshot) -> Floats:
    """The same, by what happened last: from the lives after each start or end of the same activity, counted
    from that event and longer than this case has waited since."""
    steps = _steps(snapshot)
    everyone = survival(steps.left_s, steps.over)
    lives: dict[int, Survival] = {}
    for kind in np.unique(steps.kind).tolist():
        mine = steps.kind == kind
        enough = int((mine & steps.over).sum()) >= FEWEST
        lives[kind] = survival(steps.left_s[mine], steps.over[mine]) if enough else everyone
    now = [steps.now[case] for case in np.flatnonzero(snapshot.is_open).tolist()]
    found = [lives[int(steps.kind[row])].left(float(steps.left_s[row])) for row in now]
    return np.array(found).reshape(-1, len(LEVELS))


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Every event after which a case was still open."""

    kind: NDArray[np.int64]
    """Activity, and whether it was its start."""
    left_s: Floats
    """Until the case's end, or until now."""
    over: NDArray[np.bool_]
    now: dict[int, int]
    """Open case -> its latest event."""


def _steps(snapshot: Snapshot) -> _Steps:
    from eventlogs.bounds import case_bounds

    case = snapshot.case_of_row()
    lasts = ~(snapshot.end_s <= snapshot.start_s)
    ended = ~np.isnan(snapshot.end_s)
    at = np.concatenate([snapshot.start_s[lasts], snapshot.end_s[ended]])
    cases = np.concatenate([case[lasts], case[ended]])
    kind = np.concatenate([2 * snapshot.activity[lasts] + 1, 2 * snapshot.activity[ended]]).astype(np.int64)
    # Of events at one instant the ends come last: what begins then is told by what follows.
    order = np.lexsort((kind % 2 == 0, at, cases))
    at, cases, kind = at[order], cases[order], kind[order]
    is_open = snapshot.is_open[cases]
    gone = np.where(snapshot.is_open, snapshot.until_s, case_bounds(snapshot)[1])[cases]
    last = np.append(cases[1:] != cases[:-1], True)
    kept = is_open | (at < gone)
    place = np.cumsum(kept) - 1
    now = {int(cases[i]): int(place[i]) for i in np.flatnonzero(last & is_open)}
    return _Steps(kind[kept], (gone - at)[kept], ~is_open[kept], now)

"""Simple forecasts that know what the twin knows: how long cases went on that were as old, or stood alike.

Cases that are still open count with what they have lived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.lifetimes import FEWEST, product_limit
from twin.outlook import LEVELS

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]


def by_age(snapshot: Snapshot) -> Floats:
    """Quantiles at LEVELS of the seconds for which each open case still goes on: [open case, level]."""
    from eventlogs.bounds import case_bounds

    first, last = case_bounds(snapshot)
    lived = np.where(snapshot.is_open, snapshot.until_s, last) - first
    whole = product_limit(lived, ~snapshot.is_open)
    return whole.left(lived[snapshot.is_open][:, None], np.array(LEVELS)[None])


def by_last(snapshot: Snapshot) -> Floats:
    """The same, by what happened last: from the lives after each start or end of the same activity, counted
    from that event and longer than this case has waited since; of all activities where too few cases tell."""
    steps, levels = _steps(snapshot), np.array(LEVELS)[None]
    now = np.array([steps.now[case] for case in np.flatnonzero(snapshot.is_open).tolist()], np.int64)
    found = product_limit(steps.left_s, steps.over).left(steps.left_s[now][:, None], levels)
    for kind in np.unique(steps.kind[now]).tolist():
        mine = steps.kind == kind
        if (mine & steps.over).sum() >= FEWEST:
            lives, here = product_limit(steps.left_s[mine], steps.over[mine]), steps.kind[now] == kind
            found[here] = lives.left(steps.left_s[now[here]][:, None], levels)
    return found


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

"""How far a forecast looks: instants to count at, and until when new orders matter."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from metagraph.model import Metagraph

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

HOUR = 3600.0
MOST_POINTS = 28
STEPS_H = (1.0, 2.0, 3.0, 6.0, 12.0, 24.0)
LONGEST_H = MOST_POINTS * STEPS_H[-1]
_UNKNOWN_S = 30 * 24 * HOUR
"""How long orders take where no case was ever closed."""


def typical_s(snapshot: Snapshot) -> float:
    """The time in which 95 % of past orders were over."""
    from eventlogs.bounds import case_bounds

    if not snapshot.n_cases:
        return _UNKNOWN_S
    last = np.fmax.reduceat(snapshot.end_s, snapshot.offsets[:-1])
    cycle = (last - case_bounds(snapshot)[0])[~snapshot.is_open]
    return float(np.nanquantile(cycle, 0.95)) if len(cycle) else _UNKNOWN_S


def usual_horizons(typical_s: float) -> tuple[float, ...]:
    """Hours from now on in even steps of an hour to a day, at most MOST_POINTS of them: as long as orders
    mostly take, at least a day, at most four weeks."""
    span_h = min(max(typical_s / HOUR, 24.0), LONGEST_H)
    step_h = next(step for step in STEPS_H if span_h <= step * MOST_POINTS)
    return tuple(step_h * (k + 1) for k in range(ceil(span_h / step_h)))


def arrivals_until(metagraph: Metagraph, snapshot: Snapshot, horizons_h: Sequence[float]) -> float:
    """New orders arrive for as long as they can matter: the horizons, and the q95 of past cycle times."""
    return snapshot.until_s + max([typical_s(snapshot), 24 * HOUR, *(h * HOUR for h in horizons_h)])

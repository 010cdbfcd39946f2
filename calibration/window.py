"""The part of a log that a calibration looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.inclusion import case_bounds, case_weights
from eventlogs.snapshot import Snapshot
from metagraph.distributions import ENOUGH

__all__ = ["ENOUGH", "Window", "open_window"]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The last share of a log's cases, with the whole log for what they say too little about."""

    snapshot: Snapshot
    first_case: int
    """Cases from this index on are in the window."""
    rows: NDArray[np.bool_]
    """Rows used: those of the window's cases, and all rows of activities with fewer than ENOUGH there."""
    widened: tuple[str, ...]
    """Activities for which the whole log is used."""
    weights: NDArray[np.float64]
    """Per case of the snapshot: for how many cases of the process it stands; see inclusion.py."""

    @property
    def first_s(self) -> float:
        """The window's first arrival."""
        snapshot = self.snapshot
        start = snapshot.offsets[self.first_case]
        return float(np.min(snapshot.start_s[start:])) if start < snapshot.n_events else snapshot.until_s


def open_window(snapshot: Snapshot, share: float, unfinished_missing: bool = False) -> Window:
    """The window of the last `share` of the cases (by first start), at least one case.

    `unfinished_missing`: cases that were unfinished at the end were left out of the log, so that the window's
    cases have weights.
    """
    first = min(int(np.floor((1 - share) * snapshot.n_cases + 1e-9)), max(snapshot.n_cases - 1, 0))
    rows = snapshot.case_of_row() >= first
    counts = np.bincount(snapshot.activity[rows], minlength=len(snapshot.activities))
    widened = (counts < ENOUGH) & (first > 0)
    rows |= widened[snapshot.activity]
    weights = np.ones(snapshot.n_cases)
    if unfinished_missing:
        release, last = case_bounds(snapshot)
        mine = np.arange(snapshot.n_cases) >= first
        weights[mine] = case_weights(release[mine], (last - release)[mine], snapshot.until_s)
    return Window(snapshot, first, rows, tuple(np.array(snapshot.activities, dtype=object)[widened]), weights)

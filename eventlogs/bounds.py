"""When cases begin and end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]


def case_bounds(snapshot: Snapshot) -> tuple[Floats, Floats]:
    """First start and last end of every case; the last start where that is later, as of what still runs."""
    if not snapshot.n_cases:
        return np.empty(0), np.empty(0)
    begin = snapshot.offsets[:-1]
    last = np.fmax.reduceat(np.fmax(snapshot.end_s, snapshot.start_s), begin)
    return np.minimum.reduceat(snapshot.start_s, begin), last

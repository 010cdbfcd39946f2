"""Cases taken for open in a log from which unfinished cases were left out."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np

from calibration.inclusion import fit_inclusion
from calibration.local_time import WEEK_S
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot

WEEKS = 3
"""Earlier weeks that are needed to tell how many cases should have begun in the log's last days."""
MOST_WEEKS = 12
ENDED = 0.9
"""Earlier weeks are those from which this share of cases ended in time to be in the log either way."""
SIGMAS = 1.64
"""One in twenty by chance, if it were the only sign."""
OPEN_SHARE = 0.5
"""Of the cases that should be open by Little's law, from which those taken for open may be all of them."""


def looks_left_out(snapshot: Snapshot) -> bool:
    """Whether a log lacks unfinished cases although a rule takes some for open: these ended unusually.

    Both must hold: far fewer are taken for open than Little's law expects, and so few cases begin in the
    log's last days (as many as a case takes on average) beside the same days of earlier weeks that it isn't
    chance, and nearer to the number that would have ended by now than to all. Never where something runs.
    """
    n_open = int(snapshot.is_open.sum())
    if not n_open or np.isnan(snapshot.end_s).any():
        return False
    release, last = case_bounds(snapshot)
    cycle = last - release
    mean_s, span_s = float(cycle.mean()), float(np.ptp(release))
    if span_s <= 0 or n_open > OPEN_SHARE * len(release) / span_s * mean_s:
        return False
    first_week = max(1, ceil((mean_s + float(np.quantile(cycle, ENDED))) / WEEK_S))
    until_s = snapshot.until_s
    shifts = np.arange(first_week, first_week + MOST_WEEKS) * WEEK_S
    shifts = shifts[until_s - mean_s - shifts >= release.min()]
    if len(shifts) < WEEKS:
        return False
    seen = fit_inclusion(release, cycle, until_s)
    release = np.sort(release)
    edges = np.searchsorted(release, [until_s - shifts - mean_s, until_s - shifts], side="right")
    earlier = (edges[1] - edges[0]).astype(np.float64)
    recent = float((release > until_s - mean_s).sum())
    usual = float(earlier.mean())
    error = sqrt(max(float(earlier.var(ddof=1)), usual) * (1 + 1 / len(shifts)))
    in_time = float(seen.chance((np.arange(100) + 0.5) * mean_s / 100).mean())
    return recent < usual - SIGMAS * error and recent < usual * sqrt(in_time)

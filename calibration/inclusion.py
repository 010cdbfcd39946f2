"""What the end of a log hides: cases that were unfinished then may be missing from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from calibration.local_time import Floats
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot

FLOOR = 0.2
"""Arrivals are judged up to the instant from which at least this share of cases ends in time to be seen."""
MOST_WEIGHT = 5.0
"""No case stands for more than so many, however long it took."""
EXPECTED_OPEN = 5.0
"""If so many cases should be open at the end and none is, they were left out of the log (chance: e^-5)."""
EXPECTED_COMING = 8.0
"""If so many orders should have come since the last one and none has, none was recorded (chance: e^-8)."""
RECENT_S = 28 * 86400.0
OTHERWISE = "set arrivals_corrected = {} under [build] in twin.toml"


@dataclass(frozen=True, slots=True, eq=False)
class EndOfLog:
    """What the end of the log shows: are cases that were unfinished then missing from it?"""

    cut: bool
    words: str


def judge_end(snapshot: Snapshot, wanted: bool | None) -> EndOfLog:
    """Whether to correct for cases left out because they were unfinished at the end.

    With open cases in the log nothing is missing, nor in a log of the cases of some period, followed to their
    end: no case began in so long a time before the log's end that some would have been seen. Else Little's
    law tells how many should be open: arrival rate times mean cycle time.
    """
    release, cycle = closed_bounds(snapshot)
    n_open = int(snapshot.is_open.sum())
    span = float(np.ptp(release)) if len(release) > 1 else 0.0
    expected = len(release) / span * float(cycle.mean()) if span > 0 else 0.0
    if wanted is not None:
        return EndOfLog(
            wanted and len(release) > 1, "corrected for cases left out at the end" if wanted else "as seen"
        )
    if n_open:
        return EndOfLog(False, f"{n_open} cases are open at the end: nothing is missing")
    if expected >= EXPECTED_OPEN:
        seen = fit_inclusion(release, cycle, snapshot.until_s)
        last = end_of_arrivals(release, snapshot.until_s, seen)
        if last < snapshot.until_s:
            day = (snapshot.origin + timedelta(seconds=last)).date()
            return EndOfLog(
                False,
                f"no case began after {day}, so all were followed to their end: nothing is missing "
                f"({OTHERWISE.format('true')} if unfinished ones were left out)",
            )
        return EndOfLog(
            True,
            f"no case is open at the end though about {expected:.0f} should be: they seem to have been left "
            f"out ({OTHERWISE.format('false')} if all were followed to their end)",
        )
    return EndOfLog(False, f"no case is open at the end, and no more than {expected:.1f} would be expected")


def closed_bounds(snapshot: Snapshot) -> tuple[Floats, Floats]:
    """Release and cycle time of every closed case."""
    release, last = case_bounds(snapshot)
    closed = ~snapshot.is_open
    return release[closed], (last - release)[closed]


def end_of_arrivals(release: Floats, until_s: float, seen: Inclusion | None) -> float:
    """The instant up to which arrivals were recorded: `until_s`, or the last arrival where so long a silence
    after it can't be chance. Logs of the cases that started in some period, followed to their end, end so.

    `seen`: of cases that would have come in the silence, only those would be in the log that ended in time.
    """
    last = float(release.max())
    silence, longest = until_s - last, float(np.diff(np.sort(release)).max(initial=0.0))
    if silence <= 2 * longest or longest == 0.0:
        return until_s
    span = min(RECENT_S, last - float(release.min()))
    rate = float((release > last - span).sum()) / span
    steps = (np.arange(100) + 0.5) * silence / 100
    chance = 1.0 if seen is None else float(seen.chance(steps).mean())
    return last if rate * silence * chance >= EXPECTED_COMING else until_s


@dataclass(frozen=True, slots=True, eq=False)
class Inclusion:
    """The distribution F of cycle times, by which a case that has `left` until the log's end is in it.

    F is itself seen only through that filter. The product-limit estimator for right truncation (Lynden-Bell,
    1971) undoes it: F(t) = prod over c_j > t of (1 - d_j / n_j), d_j cases having taken c_j and n_j being
    those with c_i <= c_j <= until - release_i. What takes longer than the whole log can't be known: F is 1 at
    the longest cycle time seen.
    """

    points: Floats
    """Cycle times seen, ascending."""
    share: Floats
    """F at each."""

    def chance(self, left: Floats) -> Floats:
        """F(left)."""
        at = np.searchsorted(self.points, left, side="right") - 1
        return np.where(at >= 0, self.share[np.maximum(at, 0)], 0.0)

    @property
    def reach(self) -> float:
        """The time from which F is at least FLOOR."""
        return float(self.points[min(int(np.searchsorted(self.share, FLOOR)), len(self.points) - 1)])


def fit_inclusion(release: Floats, cycle: Floats, until_s: float) -> Inclusion:
    """F from the cases that are in the log because they ended by `until_s`; at least one is needed."""
    left = np.sort(until_s - release)
    points, deaths = np.unique(cycle, return_counts=True)
    at_risk = np.cumsum(deaths) - np.searchsorted(left, points, side="left")
    stays = 1 - deaths / np.maximum(at_risk, 1)
    # Where all at risk left at once (the shortest of a few) the product would be 0 from there down.
    stays = np.where(stays > 0, stays, 0.5)
    return Inclusion(points, np.append(np.cumprod(stays[::-1])[::-1][1:], 1.0))


def inclusion_weights(release: Floats, cycle: Floats, until_s: float) -> tuple[Floats, float]:
    """Weights 1 / F(until - release) of cases that are in the log only if they ended by `until_s`, and the
    instant up to which F is at least FLOOR."""
    seen = fit_inclusion(release, cycle, until_s)
    return 1 / np.maximum(seen.chance(until_s - release), FLOOR), until_s - seen.reach


def case_weights(release: Floats, cycle: Floats, until_s: float) -> Floats:
    """For how many cases of the process each case stands that is in the log because it ended by `until_s`, on
    average 1: the mass of F at its cycle time by the share of the cases seen that took so long.

    Long cases had to arrive early to be seen, so those that were seen count for more: at most MOST_WEIGHT.
    """
    if not len(cycle):
        return np.ones(0)
    whole = fit_inclusion(release, cycle, until_s)
    at = np.searchsorted(whole.points, cycle)
    seen = np.bincount(at, minlength=len(whole.points)) / len(cycle)
    weights = np.asarray((np.diff(whole.share, prepend=0.0) / seen)[at], np.float64)
    return _capped(np.maximum(weights, np.finfo(np.float64).tiny))


def _capped(weights: Floats) -> Floats:
    """In proportion as given, but at most MOST_WEIGHT, and on average 1."""
    weights = weights / weights.mean()
    while weights.max() > MOST_WEIGHT * (1 + 1e-9):
        free = weights < MOST_WEIGHT
        left = len(weights) - MOST_WEIGHT * float((~free).sum())
        weights = np.where(free, weights * (left / weights[free].sum()), MOST_WEIGHT)
    return weights


def evened(values: Floats, weights: Floats) -> Floats:
    """As many values as given, all alike in weight, with the weighted distribution: its quantiles at the
    middles of equal steps. Ascending."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    steps = (np.arange(len(values)) + 0.5) / len(values) * reached[-1]
    return np.asarray(values[order][np.minimum(np.searchsorted(reached, steps), len(values) - 1)], np.float64)

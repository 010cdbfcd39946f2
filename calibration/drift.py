"""Change points of a log: when arrivals, structure, work or waits began to differ, and from when to learn.

Cases are put into bins by their start. Of a log that lacks its unfinished cases, arrivals are corrected for
them, and the rest is judged only by bins nearly all of whose cases are there: else the last cases would
always look shorter and simpler than those before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from calibration.drift_series import CLIP, Series, series_of
from calibration.inclusion import judge_end
from calibration.local_time import Floats
from calibration.settings import Settings
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot

ALPHA = 0.05
"""Chance of any change point at all in a log without change, about."""
FEWEST = 3
"""Bins on each side of a change."""
NOTABLE = {"arrivals": 0.1, "work": 0.1, "wait": 0.1, "structure": 0.05}
"""Smaller changes are not told: relative ones, of shares absolute ones."""
STEP = 2.5
"""Differences between bins that are larger than so many deviations are steps, not noise."""
SHARES = (("last half", 0.5), ("last 30 %", 0.3), ("last 20 %", 0.2))


@dataclass(frozen=True, slots=True)
class Change:
    """One change point."""

    when: datetime
    kind: str
    """arrivals, structure, work or wait."""
    what: str
    """The activity or pair of activities; empty for arrivals."""
    before: float
    """Orders a week; share of the cases; median seconds."""
    after: float
    share: float
    """Of the log's cases that started from then on."""

    @property
    def words(self) -> str:
        """The change as a sentence."""
        day = f"around {self.when:%Y-%m-%d}"
        if self.kind == "arrivals":
            return f"arrivals went from {self.before:.3g} to {self.after:.3g} a week {day}"
        if self.kind == "structure":
            return f"{self.what} went from {self.before:.0%} to {self.after:.0%} of the cases {day}"
        noun = "work on" if self.kind == "work" else "the gap before"
        way = "rose" if self.after > self.before else "fell"
        by = f" by {abs(self.after / self.before - 1):.0%}" if self.before > 0 else ""
        return f"{noun} {self.what} {way}{by} (median, {_span(self.before)} to {_span(self.after)}) {day}"


def changes(snapshot: Snapshot, settings: Settings) -> tuple[Change, ...]:
    """The change points of a log, the earliest first."""
    if snapshot.n_cases < 2:
        return ()
    end = judge_end(snapshot, settings.arrivals_corrected)
    release, _ = case_bounds(snapshot)
    series = series_of(snapshot, settings, end)
    found = []
    for one in series:
        for left, at, right in _segments(one, ALPHA / len(series)):
            change = _told(one, left, at, right, snapshot, release)
            if change is not None:
                found.append(change)
    return tuple(sorted(found, key=lambda c: (c.when, c.kind, c.what)))


SINCE = "since"
"""Begins the names of windows that begin with a change."""


def windows(snapshot: Snapshot, settings: Settings) -> tuple[tuple[str, float], ...]:
    """Names and shares of the parts of the log, from the whole of it down, that a calibration may look at:
    all of it, what came after the last change of each kind, the last half and less."""
    last = {c.kind: c for c in changes(snapshot, settings)}
    since = {f"{SINCE} {c.when:%Y-%m-%d}": c.share for c in last.values()}
    shares = sorted({**since, **dict(SHARES)}.items(), key=lambda pair: -pair[1])
    return (("whole log", 1.0), *shares)


def facts(found: tuple[Change, ...]) -> dict[str, str]:
    """What a report says of changes; nothing where there is none."""
    return {"changes": "; ".join(change.words for change in found)} if found else {}


def _segments(series: Series, alpha: float) -> list[tuple[int, int, int]]:
    """(first bin before, first bin after, end) of each change point.

    PELT (Killick, Fearnhead and Eckley, 2012) on the sum of squares in units of the noise. A change without
    reason lowers it by about a chi-squared variable with as many degrees of freedom as components; the
    penalty is what that exceeds with probability alpha at any of the bins, for a noise estimated from so few
    differences (an F quantile). It is done twice, for what the first changes leave tells whether neighbouring
    bins resemble each other: then means vary more than those of independent bins.
    """
    from scipy.stats import f

    n, d = series.values.shape
    if n < 2 * FEWEST:
        return []
    noise = np.array([_noise(series.values[:, j]) for j in range(d)])
    known = noise > 0
    if not known.any():
        return []
    z = series.values[:, known] / noise[known]
    middle = np.median(z, axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(z - middle), axis=0), 1.0)
    z = middle + np.clip(z - middle, -CLIP * spread, CLIP * spread)
    d = int(known.sum())
    penalty = d * float(f.isf(alpha / n, d, max(n - 3, 2)))
    cuts = _cuts(z, penalty)
    if len(cuts) > 1:
        cuts = _cuts(z, penalty * _inflation(z, cuts))
    edges = [0, *cuts]
    return [(edges[i - 1], edges[i], edges[i + 1]) for i in range(1, len(edges) - 1)]


def _cuts(z: Floats, penalty: float) -> list[int]:
    import ruptures

    return [int(cut) for cut in ruptures.Pelt(model="l2", min_size=FEWEST, jump=1).fit(z).predict(penalty)]


def _inflation(z: Floats, cuts: list[int]) -> float:
    """By how much the variance of means exceeds that of independent bins, in what the segments leave: for
    AR(1) noise (1 + rho) / (1 - rho)."""
    left = np.concatenate([part - part.mean(axis=0) for part in np.split(z, cuts[:-1])])
    rho = float((left[1:] * left[:-1]).sum() / max(float((left**2).sum()), 1e-300))
    # Means taken out of a few bins make their rest look opposite.
    rho = float(np.clip(rho + len(cuts) / len(z), 0.0, 0.8))
    return (1 + rho) / (1 - rho)


def _noise(x: Floats) -> float:
    """Deviation of the noise of a series that may have steps, from differences, which steps hardly touch."""
    steps = np.diff(x)
    usual = 1.4826 * float(np.median(np.abs(steps)))
    return math.sqrt(float(np.mean(np.clip(steps, -STEP * usual, STEP * usual) ** 2)) / 2)


def _told(
    series: Series, left: int, at: int, right: int, snapshot: Snapshot, release: Floats
) -> Change | None:
    """The change in the words of its feature, if it is large enough to be told."""
    before = series.raw[(series.raw_bin >= left) & (series.raw_bin < at)]
    after = series.raw[(series.raw_bin >= at) & (series.raw_bin < right)]
    when_s = float(series.starts_s[at])
    what = series.what[0] if series.what else ""
    if series.kind == "structure":
        step = after.mean(axis=0) - before.mean(axis=0)
        j = int(np.argmax(np.abs(step)))
        a, b, what = float(before[:, j].mean()), float(after[:, j].mean()), series.what[j]
        large = abs(b - a)
    else:
        middle = np.mean if series.kind == "arrivals" else np.median
        a, b = float(middle(before)), float(middle(after))
        large = abs(b - a) / max(min(a, b), 1e-9) if a != b else 0.0
    if large < NOTABLE[series.kind]:
        return None
    share = float((release >= when_s).mean())
    return Change(snapshot.origin + timedelta(seconds=when_s), series.kind, what, a, b, share)


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"

"""Arrivals, structure, work and waits of a log, bin by bin of its cases' starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.arrival_batches import bunching, fit_batches
from calibration.arrival_stream import hours_of, rates_of, weeks_of
from calibration.inclusion import EndOfLog, closed_bounds, fit_inclusion
from calibration.local_time import WEEK_S, Floats
from calibration.settings import Settings
from eventlogs.bounds import case_bounds
from eventlogs.snapshot import Snapshot

CASES = 20
"""Bins are as many whole weeks long as it takes for so many cases to start in one on average."""
OFTEN = 10
"""An activity is looked at if a bin has so many executions of it on average."""
SEEN = 0.9
"""Structure, work and waits are judged by bins of whose cases at least this share is in the log."""
PAIRS = 8
"""So many of the most frequent pairs of activities stand for the structure."""
CLIP = 4.0
"""Values count at most so many deviations from the median: one odd bin is no change."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A feature bin by bin, with its raw values."""

    kind: str
    """arrivals, structure, work or wait."""
    what: tuple[str, ...]
    """The activity, or the pairs of activities; empty for arrivals."""
    values: Floats
    """[bin, component]."""
    starts_s: Floats
    """When each bin begins."""
    raw: Floats
    """One value a case (arrivals: a week; structure: [case, component]; else an execution)."""
    raw_bin: Indices


def series_of(snapshot: Snapshot, settings: Settings, end: EndOfLog) -> list[Series]:
    """All series of a log, empty for logs that are too short."""
    found = [_arrivals(snapshot, settings, end)]
    release, _ = case_bounds(snapshot)
    until = snapshot.until_s
    if end.cut:
        inclusion = fit_inclusion(*closed_bounds(snapshot), until)
        reach = inclusion.points[min(int(np.searchsorted(inclusion.share, SEEN)), len(inclusion.points) - 1)]
        until -= float(reach)
    last = min(until, float(release.max()) + 1.0)
    first = float(release.min())
    per_week = (release <= last).sum() / max((last - first) / WEEK_S, 1e-9)
    width = WEEK_S * max(1.0, np.ceil(CASES / max(per_week, 1e-9)))
    n = int((last - first) // width)
    if n >= 2:
        # Bins end with what is seen, so that the latest change is told with whole bins.
        edges = last - width * np.arange(n, -1, -1.0)
        of_case = np.searchsorted(edges, release, side="right") - 1
        of_case[of_case >= n] = -1
        found += [*_structure(snapshot, of_case, edges[:-1]), *_times(snapshot, of_case, edges[:-1])]
    return [series for series in found if len(series.values) >= 6]


def _arrivals(snapshot: Snapshot, settings: Settings, end: EndOfLog) -> Series:
    """The log of arrivals a week over what is expected; weeks of which little is seen are left out."""
    hours = hours_of(snapshot, settings, end)
    rates = rates_of(hours)
    batches, _ = fit_batches(case_bounds(snapshot)[0])
    weeks, _ = weeks_of(hours, rates, np.zeros(0), bunching(batches))
    level = np.log((weeks.count + 0.5) / (weeks.expected + 0.5))
    n = len(level)
    starts = hours.until_s - WEEK_S * np.arange(n, 0, -1.0)
    seen = weeks.expected >= 0.5 * np.median(weeks.expected)
    # Only the end is cut off; a gap elsewhere would put weeks side by side that were not.
    keep = np.arange(n) <= np.flatnonzero(seen).max()
    per_week = np.exp(level) * float(rates.sum())
    return Series(
        "arrivals", (), level[keep][:, None], starts[keep], per_week[keep], np.arange(int(keep.sum()))
    )


def _structure(snapshot: Snapshot, of_case: Indices, starts: Floats) -> list[Series]:
    """In what share of the cases the most frequent pairs of activities follow each other, bin by bin."""
    case = snapshot.case_of_row()
    k = len(snapshot.activities)
    same = case[1:] == case[:-1]
    pair = snapshot.activity[:-1].astype(np.int64) * k + snapshot.activity[1:]
    codes, counts = np.unique(pair[same], return_counts=True)
    top = codes[np.argsort(-counts, kind="stable")[:PAIRS]]
    raw = np.zeros((snapshot.n_cases, len(top)))
    for j, code in enumerate(top.tolist()):
        raw[case[1:][same & (pair == code)], j] = 1.0
    if not len(top):  # a single activity: nothing follows anything
        return []
    mine = of_case >= 0
    size = np.maximum(np.bincount(of_case[mine], minlength=len(starts)), 1)
    sums = np.array(
        [np.bincount(of_case[mine], raw[mine, j], minlength=len(starts)) for j in range(len(top))]
    )
    shares = (sums / size).T
    names = tuple(f"{snapshot.activities[c // k]} → {snapshot.activities[c % k]}" for c in top.tolist())
    varies = (shares.mean(axis=0) > 0.05) & (shares.mean(axis=0) < 0.95)
    if not varies.any():
        return []
    kept = tuple(name for name, v in zip(names, varies, strict=True) if v)
    return [Series("structure", kept, shares[:, varies], starts, raw[mine][:, varies], of_case[mine])]


def _times(snapshot: Snapshot, of_case: Indices, starts: Floats) -> list[Series]:
    """Mean normal scores of the work and of the gap before it, for each activity that is frequent enough."""
    case = snapshot.case_of_row()
    bins = of_case[case]
    work = snapshot.end_s - snapshot.start_s
    before = np.concatenate(([np.nan], snapshot.end_s[:-1]))
    before[snapshot.offsets[:-1]] = np.nan
    wait = np.maximum(snapshot.start_s - before, 0.0)
    found = []
    for a, name in enumerate(snapshot.activities):
        of_a = (snapshot.activity == a) & (bins >= 0)
        for kind, values in (("work", work), ("wait", wait)):
            rows = of_a & np.isfinite(values)
            if (kind == "work" and snapshot.single_timestamp) or rows.sum() < OFTEN * len(starts):
                continue
            x, b = values[rows], bins[rows]
            size = np.bincount(b, minlength=len(starts))
            if np.ptp(x) > 0 and (size >= OFTEN / 2).all():
                means = np.bincount(b, _scores(x), minlength=len(starts)) / size
                found.append(Series(kind, (name,), means[:, None], starts, x, b))
    return found


def _scores(x: Floats) -> Floats:
    """Normal scores: quantiles of the normal law at the ranks, ties at their mean rank."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri((rankdata(x) - 0.5) / len(x)), np.float64)

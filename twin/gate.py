"""The gate: a challenger replaces the champion only if it is closer to the newest part of the log.

Both simulate the held-out part with common random numbers and are scored by the distances that validation
reports; both forecast the orders that were open at instants in it. The challenger that is judged knows
nothing of that part; what it was fitted to ends where the part begins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from twin.forecast_scores import crps
from twin.progress import Progress

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from twin.quick_distances import Columns

SEEDS = 10
"""Simulated logs of each."""
MARGIN = 0.03
"""By so much the challenger's distances have to be smaller, as a mean logarithm of ratios."""
CONFIDENCE = 0.95
"""One-sided, of the paired differences."""
FEWEST_CASES = 30
"""Finished orders of the held-out part, without which nothing is judged."""
NEWEST = 0.3
"""Of the orders that began since the champion was learnt: held out."""
MOST_CASES = 1000
FORECAST_CUTS = 4
FORECAST_REPLICATIONS = 100
FEWEST_FORECASTS = 20
"""Forecasts of orders that ended, without which forecasts don't count."""
METRIC_FLOOR = 0.05
"""Of the champion's mean distance: added on both sides, so that no distance near zero decides alone."""

ALONE = (
    "Forecasts are those of the simulation alone: what tracetwin forecast learns from the log besides is the "
    "same for both, so the dates that it tells differ by less."
)
"""What the forecasts of the gate are."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paired:
    """A score of both, lower is better, and by how much the challenger's is lower."""

    name: str
    unit: str
    champion: float
    challenger: float
    gain: float
    """Mean logarithm of champion / challenger."""
    low: float
    """Bounds of its 90 % interval, so that `low` is the one-sided 95 % bound."""
    high: float
    n: int
    """Pairs: simulated logs, or orders with forecasts."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate measured and what follows."""

    begin: datetime
    """The held-out part begins here."""
    end: datetime
    cases: int
    runs: int
    challenger: str
    """Which way to build it was judged, in words."""
    overall: Paired
    """Of all distances."""
    distances: tuple[Paired, ...]
    forecasts: Paired | None
    """Of CRPS; None where too few orders were open and ended."""
    passed: bool
    reason: str


def held_out(snapshot: Snapshot, since: datetime) -> float | None:
    """The instant, in seconds, from which the newest part of what came since is held out; None if too few
    orders have begun and ended since.

    It holds NEWEST of the orders begun since, or as many as make FEWEST_CASES that have ended; at most half
    of them, so that the challenger has something new to learn from.
    """
    from eventlogs.bounds import case_bounds

    release, _ = case_bounds(snapshot)
    new = np.flatnonzero(release >= (since - snapshot.origin).total_seconds())
    if len(new) < 2 * FEWEST_CASES:
        return None
    ended = np.cumsum(~snapshot.is_open[new][::-1])[::-1]
    if ended[0] < FEWEST_CASES:
        return None
    enough = int(np.flatnonzero(ended >= FEWEST_CASES)[-1])
    first = max(min(enough, int((1 - NEWEST) * len(new))), len(new) // 2)
    if ended[first] < FEWEST_CASES:
        return None
    return float(release[new[first]])


def judge(
    champion: Metagraph,
    challenger: Metagraph,
    snapshot: Snapshot,
    begin_s: float,
    *,
    name: str,
    seed: int,
    progress: Progress,
) -> Gate:
    """Both twins on what came from `begin_s` on; the challenger was fitted to what was known then."""
    from eventlogs.bounds import case_bounds
    from eventlogs.split import first_finished, subset
    from twin.frames import frame_of_snapshot
    from twin.quick_distances import columns
    from twin.renames import in_twin_words

    release, _ = case_bounds(snapshot)
    part = first_finished(subset(snapshot, release >= begin_s), MOST_CASES)
    observed = frame_of_snapshot(in_twin_words(champion, part))
    start = observed["start_time"].min().to_pydatetime()
    measure = _Measure(columns(observed), start, part.n_cases, seed)
    runs: list[list[Mapping[str, float]]] = []
    for k, model in enumerate((champion, challenger)):
        runs.append(measure(model, progress.part(0.3 * k, 0.3 * (k + 1))))
    overall, distances = _compared(*runs)
    forecasts = _forecasts(champion, challenger, snapshot, begin_s, seed, progress.part(0.6, 1.0))
    passed, reason = _verdict(overall, forecasts)
    begin, end = (snapshot.origin + timedelta(seconds=s) for s in (begin_s, snapshot.until_s))
    return Gate(begin, end, part.n_cases, SEEDS, name, overall, distances, forecasts, passed, reason)


@dataclass(frozen=True, slots=True)
class _Measure:
    """Distances of a twin's simulated logs to the held-out part."""

    observed: Columns
    start: datetime
    cases: int
    seed: int

    def __call__(self, model: Metagraph, progress: Progress) -> list[Mapping[str, float]]:
        from twin.observed import simulated_log
        from twin.quick_distances import columns, quick_distances
        from twin.validation import METRICS

        found: list[Mapping[str, float]] = []
        for i in range(SEEDS):
            progress.step(f"gate: simulated log {i + 1} of {SEEDS}", i / SEEDS)
            log = simulated_log(
                model, "instant", start=self.start, cases=self.cases, seed=self.seed, replication=i
            )
            measured = quick_distances(self.observed, columns(log.frame))
            found.append({metric: measured[metric] for metric in METRICS})
        return found


def _compared(
    champion: Sequence[Mapping[str, float]], challenger: Sequence[Mapping[str, float]]
) -> tuple[Paired, tuple[Paired, ...]]:
    from twin.validation import METRICS

    gains: list[Floats] = []
    told: list[Paired] = []
    for metric, unit in METRICS.items():
        x, y = (np.array([run[metric] for run in runs]) for runs in (champion, challenger))
        floor = METRIC_FLOOR * float(x.mean()) + 1e-9
        gain = np.log((x + floor) / (y + floor))
        gains.append(gain)
        told.append(_paired(metric, unit, float(x.mean()), float(y.mean()), gain))
    overall = np.mean(gains, axis=0)
    means = [math.exp(fmean(math.log(max(getattr(p, who), 1e-9)) for p in told)) for who in SIDES]
    return _paired("all distances", "geometric mean", means[0], means[1], overall), tuple(told)


SIDES = ("champion", "challenger")


def _paired(name: str, unit: str, champion: float, challenger: float, gains: Floats) -> Paired:
    from scipy.stats import t

    n = len(gains)
    half = float(t.isf(1 - CONFIDENCE, n - 1) * gains.std(ddof=1) / math.sqrt(n)) if n > 1 else math.inf
    mean = float(gains.mean())
    return Paired(name, unit, champion, challenger, mean, mean - half, mean + half, n)


def _forecasts(
    champion: Metagraph,
    challenger: Metagraph,
    snapshot: Snapshot,
    begin_s: float,
    seed: int,
    progress: Progress,
) -> Paired | None:
    """The CRPS of orders that were open at instants in the held-out part and have ended since.

    One value an order, the mean over the instants at which it was open, so that pairs are independent.
    """
    from eventlogs.bounds import case_bounds
    from eventlogs.split import known_at
    from twin.forecast import forecast

    _, last = case_bounds(snapshot)
    ended = {
        case: float(t) for case, t, o in zip(snapshot.cases, last, snapshot.is_open, strict=True) if not o
    }
    scores: tuple[dict[str, list[float]], dict[str, list[float]]] = ({}, {})
    cuts = begin_s + (snapshot.until_s - begin_s) * np.arange(FORECAST_CUTS) / FORECAST_CUTS
    for i, cut in enumerate(cuts.tolist()):
        progress.step(f"gate: forecasts {i + 1} of {FORECAST_CUTS}", i / FORECAST_CUTS)
        known = known_at(snapshot, cut)
        if not any(known.is_open[k] and case in ended for k, case in enumerate(known.cases)):
            continue
        for model, mine in zip((champion, challenger), scores, strict=True):
            made = forecast(
                model,
                known,
                open_rule="as it turned out",
                replications=FORECAST_REPLICATIONS,
                seed=seed,
                workers=1,
            )
            for order in made.orders:
                if order.case_id in ended:
                    quantiles = [(q - snapshot.origin).total_seconds() for q in order.quantiles]
                    score = crps(np.array([ended[order.case_id]]), np.array([quantiles]))
                    mine.setdefault(order.case_id, []).append(float(score[0]))
    both = [case for case in scores[0] if case in scores[1]]
    if len(both) < FEWEST_FORECASTS:
        return None
    x, y = (np.array([fmean(mine[case]) for case in both]) / 3600 for mine in scores)
    return _ratio_of_means(x, y)


def _ratio_of_means(x: Floats, y: Floats) -> Paired:
    """log(mean x / mean y) with its interval by the delta method on pairs."""
    from scipy.stats import t

    a, b, n = float(x.mean()), float(y.mean()), len(x)
    gain = math.log(max(a, 1e-9) / max(b, 1e-9))
    each = x / max(a, 1e-9) - y / max(b, 1e-9)
    half = float(t.isf(1 - CONFIDENCE, n - 1)) * float(each.std(ddof=1)) / math.sqrt(n)
    return Paired("forecasts", "CRPS, hours", a, b, gain, gain - half, gain + half, n)


def _verdict(overall: Paired, forecasts: Paired | None) -> tuple[bool, str]:
    """Better by the margin and by more than chance in one of both, worse by more than chance in neither."""
    closer = overall.gain >= MARGIN and overall.low > 0
    sooner = forecasts is not None and forecasts.gain >= MARGIN and forecasts.low > 0
    worse = [one for one in (overall, forecasts) if one is not None and one.high < 0]
    told = f"distances are {_by(overall)}" + (f", forecasts {_by(forecasts)}" if forecasts else "")
    if worse:
        return False, f"the challenger is worse in {' and '.join(one.name for one in worse)}: {told}"
    if closer or sooner:
        return True, f"the challenger is better: {told}"
    return False, f"the challenger isn't better by {MARGIN:.0%} and by more than chance: {told}"


def smaller(one: Paired) -> str:
    """'+12.0 % (+8.1 to +15.7)': by how much the challenger's is smaller, with its 90 % interval."""
    gain, low, high = (100 * (1 - math.exp(-value)) for value in (one.gain, one.low, one.high))
    return f"{gain:+.1f} % ({low:+.1f} to {high:+.1f})"


def _by(one: Paired) -> str:
    """'12.0% smaller (8.1% to 15.7%)', or larger; the interval in the same direction."""
    gain, low, high = (1 - math.exp(-value) for value in (one.gain, one.low, one.high))
    if gain >= 0:
        return f"{gain:.1%} smaller ({low:.1%} to {high:.1%})"
    return f"{-gain:.1%} larger ({-high:.1%} to {-low:.1%})"

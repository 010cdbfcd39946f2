"""From what was seen of stations to shares with intervals, and to a sentence that says no more than that."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from simulation.kpis import interval
from twin.bottleneck_findings import SURE, Kind, Side, Source, Usage, Verdict
from twin.stations import Watched
from twin.words import few, percent

Floats = NDArray[np.float64]
IDLE = 0.5
"""A bottleneck that is used less isn't one in any useful sense."""


def usages(seen: Watched) -> tuple[Usage, ...]:
    """One a station, the largest share first; intervals over the windows."""
    sole, shifting = _shares(seen)
    found = [
        Usage(
            name,
            interval(seen.used[i]),
            interval(sole[i]),
            interval(shifting[i]),
            interval(sole[i] + shifting[i]),
        )
        for i, name in enumerate(seen.names)
    ]
    return tuple(sorted(found, key=lambda one: (-_number(one.share.mean), one.name)))


def _shares(seen: Watched) -> tuple[Floats, Floats]:
    """[station, window]; NaN in windows in which nobody was active."""
    some = np.where(seen.shares.any_s > 0, seen.shares.any_s, nan)
    return seen.shares.sole_s / some, seen.shares.shifting_s / some


def verdict(seen: Watched, kind: Kind, source: Source) -> Verdict:
    """The station with the largest share, and those that might as well have the largest.

    Paired differences of shares over the windows, one-sided t-tests. To be the bottleneck a station must have
    passed all of them (Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24,
    1982: that needs no correction), but any of the stations might have: p values are multiplied by their
    number, so that the probability to name one wrongly is SURE at most.
    """
    sole, shifting = _shares(seen)
    share = (sole + shifting)[:, seen.shares.any_s > 0]
    if not share.size:
        return Verdict(kind, source, "", nan, nan, (), f"In the {source} no {kind} was ever at capacity.")
    means = share.mean(axis=1)
    best = int(means.argmax())
    others = [i for i in range(len(means)) if i != best]
    p = [min(len(means) * _larger(share[best] - share[i]), 1.0) for i in others]
    rivals = tuple(
        seen.names[i]
        for i, value in sorted(zip(others, p, strict=True), key=lambda pair: -means[pair[0]])
        if not value < SURE
    )
    worst = max(p, default=0.0)
    text = _text(seen, kind, source, best, rivals, share)
    return Verdict(kind, source, seen.names[best], float(means[best]), float(worst), rivals, text)


def _larger(change: Floats) -> float:
    """One-sided p value of a mean above 0; of changes that don't vary, 0 or 1."""
    n = len(change)
    spread = float(change.std(ddof=1)) if n > 1 else 0.0
    mean = float(change.mean())
    if n < 2:
        return 1.0
    if spread == 0.0:
        return 0.0 if mean > 0 else 1.0
    from scipy.special import stdtr

    return float(stdtr(n - 1, -mean / (spread / np.sqrt(n))))


def _text(seen: Watched, kind: Kind, source: Source, best: int, rivals: Sequence[str], share: Floats) -> str:
    name, mean = seen.names[best], float(share[best].mean())
    told = interval(share[best])
    between = f" ({percent(max(told.low, 0))} to {percent(min(told.high, 1))})" if isfinite(told.low) else ""
    used = interval(seen.used[best]).mean
    if len(seen.names) == 1:
        return f"In the {source} {name} is the only {kind}, and used {percent(used)} of the time."
    if rivals:
        return (
            f"In the {source} it can't be told which {kind} is the bottleneck: {name} is it in "
            f"{percent(mean)} of the time{between}, but that isn't surely more than {few(rivals, 3)}."
        )
    idle = f", though it is used only {percent(used)} of its time" if used < IDLE else ""
    return (
        f"In the {source} the bottleneck is {name}: in {percent(mean)} of the time{between}, surely more "
        f"than every other {kind}{idle}."
    )


def sentence(sides: Sequence[Side]) -> str:
    """The bottleneck by log and twin, and whether they agree."""
    mains = [side.verdicts[0] for side in sides]
    text = " ".join(one.text for one in mains)
    if len(mains) < 2:
        return text
    log, twin = mains
    if not (log.name and twin.name):
        return text
    if log.sure and twin.sure:
        far = "They disagree: see with 'tracetwin validate' how far the twin is from the log first."
        return f"{text} {'Both agree.' if log.name == twin.name else far}"
    alike = {log.name, *log.rivals} & {twin.name, *twin.rivals}
    return f"{text} {'Neither contradicts the other.' if alike else 'They disagree.'}"


def _number(value: float) -> float:
    return value if isfinite(value) else -1.0

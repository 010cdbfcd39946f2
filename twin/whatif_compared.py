"""Played replications made into figures, paired differences, courses and recovery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, isfinite, nan

import numpy as np
from numpy.typing import NDArray

from simulation.kpis import Interval, interval
from twin.whatif_figures import COSTS, HEADLINE
from twin.whatif_found import Compared, Course, CourseCompared, Recovery
from twin.whatif_runs import LOST, WAITING, WIP, Played

Floats = NDArray[np.float64]
TOGETHER = 0.95
DRAWN = 4
"""Activities whose queues are shown: those that change most."""
_BAND = (0.05, 0.95)
TELLING = 0.05
"""Of the largest change: smaller ones aren't worth a picture."""
SAME = 1e-12
LASTING = 6
"""Instants for which a course must be back before it counts as back."""


@dataclass(frozen=True, slots=True)
class Family:
    """How sure each interval must be so that all of a kind hold together."""

    headline: float
    others: float


def columns(runs: Sequence[Sequence[Played]]) -> list[dict[str, Floats]]:
    """Of each contender every figure, one value a replication; NaN where a run hasn't got it.

    Left out are figures that no run of the contender has, costs that are 0 for all contenders, and with them
    the profit after cost.
    """
    found = [_columns(one) for one in runs]
    nothing = {name for name in COSTS if not any(one[name].any() for one in found)}
    nothing |= {"net"} if "cost" in nothing else set()
    return [{name: values for name, values in one.items() if name not in nothing} for one in found]


def _columns(runs: Sequence[Played]) -> dict[str, Floats]:
    names = {name: None for run in runs for name in run.figures}
    found = {name: np.array([run.figures.get(name, nan) for run in runs]) for name in names}
    return {name: values for name, values in found.items() if not np.isnan(values).all()}


def family(baseline: Mapping[str, Floats], scenarios: Sequence[Mapping[str, Floats]]) -> Family:
    """Confidences by Bonferroni: over headline figures and scenarios, and over all others."""
    both = [[name for name in baseline if name in found] for found in scenarios]
    headline = sum(name in HEADLINE for names in both for name in names)
    others = sum(name not in HEADLINE for names in both for name in names)
    return Family(*(1 - (1 - TOGETHER) / max(n, 1) for n in (headline, others)))


def compared(
    baseline: Mapping[str, Floats], scenario: Mapping[str, Floats], sure: Family
) -> Iterator[tuple[str, Compared]]:
    """Every figure that both have, those of HEADLINE first."""
    names = [name for name in HEADLINE if name in baseline and name in scenario]
    names += [name for name in scenario if name in baseline and name not in HEADLINE]
    for name in names:
        change = scenario[name] - baseline[name]
        # What sums in another order differ by is no difference.
        change = np.where(np.abs(change) <= SAME * np.abs(baseline[name]), 0.0, change)
        difference = interval(change, sure.headline if name in HEADLINE else sure.others)
        yield (
            name,
            Compared(interval(baseline[name]), interval(scenario[name]), difference, *_told(difference)),
        )


def _told(one: Interval) -> tuple[bool | None, int | None]:
    """Whether a difference is real, and how many more runs would tell one of the size seen.

    The half width of an interval falls with the root of the number of runs.
    """
    if not isfinite(one.low):
        return None, None
    if one.low > 0 or one.high < 0:
        return True, None
    if one.mean == 0:
        return False, None
    needed = one.n * ((one.high - one.mean) / abs(one.mean)) ** 2
    return False, max(ceil(needed) - one.n, 1) if isfinite(needed) else None


def stacked(runs: Sequence[Played]) -> NDArray[np.int32]:
    """Courses, [replication, series, instant]."""
    return np.array([run.courses for run in runs])


def shown(
    series: Sequence[str], baseline: NDArray[np.int32], others: Sequence[NDArray[np.int32]]
) -> list[str]:
    """Series worth a picture: orders in process, orders lost if any are, and the queues that change most;
    without any change the longest ones."""
    lost = series.index(LOST)
    found = [WIP, *([LOST] if any(one[:, lost].any() for one in (baseline, *others)) else [])]
    change = np.max([np.abs((one - baseline).mean(axis=0)).max(axis=1) for one in others], axis=0)
    level = np.max([one.mean(axis=0).max(axis=1) for one in (baseline, *others)], axis=0)
    queues = [i for i, name in enumerate(series) if name.startswith(WAITING) and level[i] > 0]
    queues.sort(key=lambda i: (-change[i], -level[i]))
    most = change[queues[0]] if queues else 0.0
    return [*found, *(series[i] for i in queues[:DRAWN] if change[i] >= TELLING * most)]


def course(counts: NDArray[np.int32]) -> Course:
    """Mean and band of one series, [replication, instant]."""
    low, high = np.quantile(counts, _BAND, axis=0)
    return Course(_rounded(counts.mean(axis=0)), _rounded(low), _rounded(high))


def course_compared(scenario: NDArray[np.int32], baseline: NDArray[np.int32]) -> CourseCompared:
    """One series of a scenario with its paired difference, [replication, instant]."""
    mean, low, high = _difference(scenario, baseline)
    return CourseCompared(course(scenario), _rounded(mean), _rounded(low), _rounded(high))


def _difference(scenario: NDArray[np.int32], baseline: NDArray[np.int32]) -> tuple[Floats, Floats, Floats]:
    """Mean and interval at each instant; intervals hold for all instants together."""
    change = (scenario - baseline).astype(np.float64)
    n, instants = change.shape
    mean = change.mean(axis=0)
    if n < 2:
        return mean, np.full(instants, -np.inf), np.full(instants, np.inf)
    from scipy.special import stdtrit

    sure = 1 - (1 - TOGETHER) / instants
    half = float(stdtrit(n - 1, (1 + sure) / 2)) * change.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half


def recovery(
    name: str, scenario: NDArray[np.int32], baseline: NDArray[np.int32], at: Sequence[datetime]
) -> Recovery:
    """When a series left the baseline's and was back."""
    mean, low, high = _difference(scenario, baseline)
    real = np.flatnonzero((low > 0) | (high < 0))
    # Of the instants at which it differs: elsewhere a larger mean may be chance.
    most = int(max(real, key=lambda i: abs(mean[i])) if len(real) else np.argmax(np.abs(mean)))
    last = int(real[-1]) if len(real) else -1
    return Recovery(
        series=name,
        left=at[int(real[0])] if len(real) else None,
        largest=float(mean[most]),
        largest_at=at[most],
        back=at[last + 1] if 0 <= last < len(at) - LASTING else None,
    )


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(np.round(values, 4).tolist())

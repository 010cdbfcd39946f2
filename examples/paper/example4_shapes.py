"""What the paper says of Example 4, held against our runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.paper.example3_day import ORIGIN
from examples.paper.example4_units import APPROACHES, BASELINE, BEFORE_H, SERIES, Row
from simulation.kpis import Interval, interval
from twin.whatif_compared import recovery

Counts = NDArray[np.int32]
QUEUE, WIP, LOST = SERIES
DISRUPTION, RESTORE, INVEST = APPROACHES
HIRED_H = 48.0
"""After the disturbance."""


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs of one case, by approach; paired by instance and simulation."""

    figures: Mapping[str, Mapping[str, NDArray[np.float64]]]
    courses: Mapping[str, Mapping[str, Counts]]
    """[run, instant]"""
    hours: NDArray[np.float64]
    """Of the instants, from the disturbance on."""

    @property
    def n(self) -> int:
        return len(next(iter(self.figures[BASELINE].values())))

    def mean(self, approach: str, figure: str) -> Interval:
        return interval(self.figures[approach][figure])

    def gap(self, figure: str, ours: str, theirs: str) -> Interval:
        """Ours minus theirs, paired."""
        return interval(self.figures[ours][figure] - self.figures[theirs][figure])


def runs_of(rows: Sequence[Row]) -> Runs:
    """Rows of one case, put together."""
    who = (BASELINE, *APPROACHES)
    figures = {
        name: {
            figure: np.array([one[figure] for row in rows for one in row["figures"][name]], np.float64)
            for figure in rows[0]["figures"][name][0]
        }
        for name in who
    }
    courses = {
        name: {
            series: np.array([one for row in rows for one in row["courses"][name][series]])
            for series in SERIES
        }
        for name in who
    }
    points = courses[BASELINE][QUEUE].shape[1]
    return Runs(figures, courses, np.linspace(0.0, rows[0]["after_h"], points))


@dataclass(frozen=True, slots=True)
class Shape:
    """A claim of the paper, and what we see."""

    claim: str
    seen: str
    holds: bool


def shapes(runs: Runs) -> Iterator[Shape]:
    """The paper's claims, in its order."""
    yield _stabilizes(runs)
    yield _ratio(runs)
    yield _dip(runs)
    yield _slope(runs)
    yield _same_profile(runs)
    yield _gap(runs)
    yield _load(runs)
    yield _little(runs)


def _stabilizes(runs: Runs) -> Shape:
    at = [ORIGIN + timedelta(hours=BEFORE_H + float(h)) for h in runs.hours]
    ours, theirs = runs.courses[RESTORE][QUEUE], runs.courses[BASELINE][QUEUE]
    found = recovery(QUEUE, ours, theirs, at)
    claim = "*Restore* is back at the baseline's queue within three hours of the hiring"
    if found.back is None:
        return Shape(claim, "not within these days" if found.left else "it never left it", False)
    gap = (ours - theirs).mean(axis=0)
    at_hiring = float(gap[runs.hours >= HIRED_H][0])
    after = runs.hours >= HIRED_H
    last = float(runs.hours[-1])
    parts = [
        min([*runs.hours[after & (gap <= share * at_hiring)].tolist(), last]) - HIRED_H
        for share in (0.5, 0.1)
    ]
    hours = (found.back - at[0]).total_seconds() / 3600 - HIRED_H
    seen = (
        f"of the gap at the hiring half is gone after {parts[0]:.1f} h, nine tenths after {parts[1]:.1f} h; "
        f"no difference can be told any more after {hours:.1f} h"
    )
    return Shape(claim, seen, parts[1] <= 3.0)


def _ratio(runs: Runs) -> Shape:
    ours, theirs = (runs.courses[name][QUEUE].mean() for name in (DISRUPTION, BASELINE))
    times = float(ours / theirs) if theirs > 0 else np.inf
    return Shape(
        "under *Disruption* the mean queue is more than twice the baseline's",
        f"{ours:.2f} orders instead of {theirs:.2f}: {times:.1f} times",
        times > 2.0,
    )


def _dip(runs: Runs) -> Shape:
    """Orders in process at the ends of days four and five, and before, on average over half a day."""
    wip = runs.courses[DISRUPTION][WIP].mean(axis=0)
    before, dip, after = (_around(runs, wip, hours) for hours in (36.0, 54.0, 78.0))
    return Shape(
        "under *Disruption* orders in process drop at the end of day four, and rebound after day five",
        f"{before:.1f} in the middle of day four, {dip:.1f} after its end, {after:.1f} a day later",
        dip < 0.9 * before and after > 1.1 * dip,
    )


def _around(runs: Runs, course: NDArray[np.float64], hours: float) -> float:
    return float(course[np.abs(runs.hours - hours) <= 6.0].mean())


def _slope(runs: Runs) -> Shape:
    late = runs.hours >= HIRED_H + 12.0
    slopes = {
        name: float(np.polyfit(runs.hours[late], runs.courses[name][LOST].mean(axis=0)[late], 1)[0])
        for name in (BASELINE, RESTORE, DISRUPTION)
    }
    offset = runs.gap("lost", RESTORE, BASELINE)
    worse = abs(slopes[DISRUPTION] - slopes[BASELINE])
    return Shape(
        "after *Restore* orders are lost as fast as in the baseline, with an offset of about 25 orders",
        f"{24 * slopes[RESTORE]:.1f} a day instead of {24 * slopes[BASELINE]:.1f} (*Disruption* "
        f"{24 * slopes[DISRUPTION]:.1f}), offset {offset.mean:.1f} ± {offset.high - offset.mean:.1f}",
        abs(slopes[RESTORE] - slopes[BASELINE]) <= 0.25 * worse and 15.0 <= offset.mean <= 35.0,
    )


def _same_profile(runs: Runs) -> Shape:
    changes = [
        float(np.abs((runs.courses[INVEST][name] - runs.courses[RESTORE][name]).mean(axis=0)).max())
        for name in (QUEUE, WIP)
    ]
    largest = float(np.abs((runs.courses[DISRUPTION][WIP] - runs.courses[BASELINE][WIP]).mean(axis=0)).max())
    return Shape(
        "*Invest* follows the same profiles as *Restore*",
        f"their queues differ by {changes[0]:.1f} at most, their orders in process by {changes[1]:.1f} "
        f"(*Disruption* from the baseline by {largest:.1f})",
        max(changes) <= 0.25 * largest,
    )


def _gap(runs: Runs) -> Shape:
    falls = [
        -100 * runs.gap(figure, INVEST, BASELINE).mean / runs.mean(BASELINE, figure).mean
        for figure in ("profit_k", "on_time", "total")
    ]
    order = all(
        runs.mean(DISRUPTION, figure).mean < runs.mean(RESTORE, figure).mean <= runs.mean(INVEST, figure).mean
        for figure in ("profit_k", "on_time", "total")
    )
    return Shape(
        "*Invest* has the smallest gap to the baseline: 10 to 20 % in each figure",
        f"{falls[0]:.1f} % of profit, {falls[1]:.1f} % of orders on time, {falls[2]:.1f} % of those fulfilled"
        + ("" if order else "; it isn't the smallest"),
        order and all(10.0 <= fall <= 20.0 for fall in falls),
    )


def _load(runs: Runs) -> Shape:
    loads: dict[str, Any] = {name: runs.mean(name, "load").mean for name in (RESTORE, INVEST)}
    lower = 100 * (1 - loads[INVEST] / loads[RESTORE])
    return Shape(
        "*Invest* lets Load Goods operate with a load that is 17 % lower on average",
        f"{loads[INVEST]:.0f} % instead of {loads[RESTORE]:.0f} %: {lower:.0f} % lower",
        12.0 <= lower <= 22.0,
    )


def _little(runs: Runs) -> Shape:
    more = [
        100 * runs.gap(figure, INVEST, RESTORE).mean / runs.mean(RESTORE, figure).mean
        for figure in ("profit_k", "on_time", "total")
    ]
    return Shape(
        "*Invest* yields less than 2 % more than *Restore*",
        f"{more[0]:.1f} % more profit, {more[1]:.1f} % more on time, {more[2]:.1f} % more fulfilled",
        all(abs(one) < 2.0 for one in more),
    )

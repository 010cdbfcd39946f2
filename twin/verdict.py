"""How real a twin is, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from twin.validation import METRICS, Validation
from twin.words import number, percent, span

COPIED = "last period copied"

_SAYS = {
    "NGD": "{share} of the sequences of three activities would have to be exchanged for the logs to agree.",
    "AEDD": "On the calendar, a simulated event lies {time} from its real counterpart on average.",
    "CADD": "Simulated orders arrive {time} too early or too late on average.",
    "CEDD": "Within the hours of a weekday, events are shifted by {time} on average.",
    "REDD": "Counted from the start of its case, an event comes {time} too early or too late on average.",
    "CTDD": "The time a case takes from start to end is {time} off on average.",
}


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """One distance in words. Lower is better."""

    metric: str
    title: str
    unit: str
    ours: str
    """Mean ± one standard deviation over the runs."""
    references: tuple[tuple[str, str], ...]
    """Name and mean of each reference."""
    sentence: str
    against_copy: int | None
    """1 better than the copied period, -1 worse, 0 not told apart; None where it was not copied."""


def metric_verdicts(validation: Validation) -> tuple[MetricVerdict, ...]:
    """One row a metric that was measured, in the order of METRICS."""
    return tuple(
        _metric_verdict(validation, metric) for metric in METRICS if validation.distances.get(metric)
    )


def _metric_verdict(validation: Validation, metric: str) -> MetricVerdict:
    title, _, unit = METRICS[metric].rpartition(", ")
    ours = validation.distances[metric]
    mean = float(np.mean(ours))
    says = _SAYS[metric].format(share=percent(min(mean, 1.0)), time=span(mean * 3600))
    copied = validation.references.get(COPIED, {}).get(metric, ())
    names = validation.references
    return MetricVerdict(
        metric,
        title,
        "0 to 1" if metric == "NGD" else unit,
        spread(ours),
        tuple((name, spread(names[name].get(metric, ()))) for name in names),
        says,
        compare(ours, copied) if copied else None,
    )


def spread(values: Sequence[float]) -> str:
    """'1.25 ± 0.08': mean ± one standard deviation; the mean alone of a single value."""
    if not values:
        return "–"
    mean = float(np.mean(values))
    if len(values) < 2:
        return number(mean)
    return f"{number(mean)} ± {number(float(np.std(values, ddof=1)))}"


def compare(ours: Sequence[float], theirs: Sequence[float]) -> int:
    """1 where ours is lower by more than two standard errors of the difference, -1 where higher, else 0."""

    def squared_error(values: Sequence[float]) -> float:
        return float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else 0.0

    gap = float(np.mean(theirs) - np.mean(ours))
    margin = 2 * sqrt(squared_error(ours) + squared_error(theirs))
    return 0 if abs(gap) <= margin else (1 if gap > 0 else -1)


def verdict(validation: Validation) -> str:
    """One sentence on whether the twin beats a copy of the last period."""
    found = {v.metric: v.against_copy for v in metric_verdicts(validation) if v.against_copy is not None}
    if not found:
        return "Nothing to compare with: no training log was given, so no last period could be copied."
    better, worse = ([m for m, sign in found.items() if sign == s] for s in (1, -1))
    level = len(found) - len(better) - len(worse)
    counts = f"better on {len(better)} of {len(found)} distances{_names(better)}"
    if worse:
        counts += f", worse on {len(worse)}{_names(worse)}"
    if level:
        counts += f", not told apart on {level}"
    lead = len(better) - len(worse)
    says = (
        "does not beat" if lead < 0 else "is about as real as" if lead == 0 else "is a little more real than"
    )
    if 3 * len(better) >= 2 * len(found) and len(worse) <= 1:
        says = "beats"
    return f"On {validation.cases:,} test cases the twin {says} a plain copy of the last period: {counts}."


def tested_log(validation: Validation) -> str:
    """What was simulated and compared with: a log, or the last fifth of one."""
    return f"the last fifth of {validation.log}" if validation.held_out else validation.log


_ENDS = {
    "none": "No case counts as missing at the end (if unfinished ones are: validate --log-end instant).",
    "instant": "Orders unfinished at the log's end are left out of both.",
    "unknown": (
        "Whether the log's cases were followed to their end can't be told from it: simulated logs end "
        "half-way between that and leaving unfinished orders out (validate --log-end none or instant says "
        "which is right)."
    ),
}
"""By how simulated logs are cut, observed.Cut."""


def measured_on(validation: Validation) -> str:
    """Which twin was measured on what."""
    against = f"{validation.runs:,} simulated logs of as many cases"
    size = f"{validation.cases:,} cases, {validation.events:,} task executions"
    if not validation.held_out:
        return f"Measured on {validation.log} ({size}) against {against}. {_ENDS[validation.cut]}"
    return (
        f"Measured on {tested_log(validation)} ({size}; cases that cross the cut are left out) against "
        f"{against}. A second twin simulated them, built in the same way from the first four fifths alone; "
        "this twin is built from the whole log."
    )


def _names(metrics: Sequence[str]) -> str:
    return f" ({', '.join(metrics)})" if metrics else ""

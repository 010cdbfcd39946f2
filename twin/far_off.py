"""Tasks whose times, or numbers, are so different in a twin and in a log that it can't be chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from twin.validation import Validation
from twin.words import mean_span

FACTOR = 1.25
"""A mean that differs by less isn't told: no use of a twin hangs on it."""
SHARE = 0.02
"""And so much of what all tasks and gaps of an order add up to, at least."""
NAMED = 3
Kind = Literal["work", "gap", "count"]
_Mean = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class FarOff:
    """A mean of one task in the log and in the twin, with half of its 95 % interval."""

    activity: str
    what: Kind
    """Time from start to end, or the gap before it, in seconds; or executions in a case."""
    observed: tuple[float, float | None]
    simulated: tuple[float, float | None]
    order_s: float
    """What it makes for an order."""


def far_off(validation: Validation) -> tuple[FarOff, ...]:
    """The means that are off by more than a quarter and whose 95 % intervals lie apart, worst first.

    Worst is what makes most for an order; what is known without an interval (a single run of a task, say)
    is not told.
    """
    least_s = SHARE * _order_s(validation)
    found = [
        off for off in _all(validation) if off.order_s >= least_s and _ratio(off) >= FACTOR and _apart(off)
    ]
    return tuple(sorted(found, key=lambda off: -off.order_s))


def far_off_text(validation: Validation) -> str:
    """The worst of them in words, with both means and their intervals; or that there are none."""
    found = far_off(validation)
    if not any(check.observed_work_half_s is not None for check in validation.tasks):
        return ""
    if not found:
        return (
            "No task's mean time from start to end, gap before it or number per case is off by more than a "
            "quarter and by more than chance explains."
        )
    more = f"; {len(found) - NAMED} more stand in the table" if len(found) > NAMED else ""
    named = "; ".join(_told(off) for off in found[:NAMED])
    return f"Far off, worst first (means, with 95 % intervals): {named}{more}."


def _told(off: FarOff) -> str:
    if off.what == "count":
        twins, seen = (f"{mean:.2f} ± {half or 0.0:.2f}" for mean, half in (off.simulated, off.observed))
        return f"a case has {twins} executions of {off.activity} in the twin, {seen} in the log"
    what = f"the gap before {off.activity}" if off.what == "gap" else f"{off.activity} from start to end"
    return f"{what} is {mean_span(*off.simulated)} in the twin, {mean_span(*off.observed)} in the log"


def _all(validation: Validation) -> Iterator[FarOff]:
    for t in validation.tasks:
        often = max(t.observed_per_case, t.simulated_per_case)
        work = (t.observed_work_s, t.observed_work_half_s), (t.simulated_work_s, t.simulated_work_half_s)
        gap = (t.observed_wait_s, t.observed_wait_half_s), (t.simulated_wait_s, t.simulated_wait_half_s)
        times: tuple[tuple[Kind, _Mean, _Mean], ...] = (("work", *work), ("gap", *gap))
        for what, (seen, seen_half), (twins, twins_half) in times:
            if seen is not None and twins is not None:
                order_s = abs(seen - twins) * often
                yield FarOff(t.activity, what, (seen, seen_half), (twins, twins_half), order_s)
        time_s = (t.observed_work_s or 0.0) + (t.observed_wait_s or 0.0)
        counts = t.observed_per_case, t.simulated_per_case
        yield FarOff(
            t.activity,
            "count",
            (counts[0], t.observed_per_case_half),
            (counts[1], t.simulated_per_case_half),
            abs(counts[0] - counts[1]) * time_s,
        )


def _order_s(validation: Validation) -> float:
    """What tasks and gaps of an order add up to in the log."""
    return sum(
        t.observed_per_case * ((t.observed_work_s or 0.0) + (t.observed_wait_s or 0.0))
        for t in validation.tasks
    )


def _ratio(off: FarOff) -> float:
    low, high = sorted((off.observed[0], off.simulated[0]))
    return high / low if low > 0 else float("inf")


def _apart(off: FarOff) -> bool:
    halves = off.observed[1], off.simulated[1]
    return None not in halves and abs(off.observed[0] - off.simulated[0]) > sum(h or 0.0 for h in halves)

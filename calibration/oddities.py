"""What looks odd in durations: heaps at round numbers, and values far beyond all others. Both are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import Floats

ROUND_S = {3600.0: "whole hours", 900.0: "quarters of an hour", 300.0: "five minutes"}
"""Round numbers in which people think, the coarsest first."""
STAMPS_S = (1e-3, 1.0, 60.0)
"""What stamps are exact to."""
HEAP = 0.1
"""Share of the values beyond chance that makes a heap."""
NEARLY = 0.8
"""A coarser round number must hold so much of the heaps."""
DISTINCT = 5
"""Different values without which there is nothing to be round among."""
FEWEST = 30
TAIL = 3.719
"""Standard deviations of the 1e-4 quantile of a normal law."""
FAR = 2.0
"""An outlier is beyond this multiple of that quantile."""
SPREAD = 1.2816
"""Standard deviations between the median and the 90 % quantile."""
TOLD = 10
"""So many tasks with outliers are told, those whose means they move most."""


@dataclass(frozen=True, slots=True)
class Heap:
    """Values at multiples of a round number, more than chance would put there."""

    unit_s: float
    share: float
    """Of all values."""

    @property
    def words(self) -> str:
        return f"{self.share:.0%} are multiples of {ROUND_S[self.unit_s]}"


def heap_in(values: Floats) -> Heap | None:
    """The coarsest round number at whose multiples nearly all of the heaps lie; None where there is none.

    With stamps exact to r seconds, chance puts r / unit of the values at multiples of the unit (Roberts and
    Brewer, Measures and tests of heaping in discrete quantitative distributions, 2001, compare with the
    neighbours in the same way). The share must exceed that by HEAP and by 3.29 standard errors.
    """
    values = values[values > 0]
    if len(values) < FEWEST or len(np.unique(values)) < DISTINCT:
        return None
    exact = max((r for r in STAMPS_S if np.mean(_at(values, r)) >= 0.99), default=STAMPS_S[0])
    share = {unit: float(np.mean(_at(values, unit))) for unit in ROUND_S}
    excess = {unit: share[unit] - exact / unit for unit in ROUND_S}
    if max(excess.values()) <= HEAP:
        return None
    unit = next(unit for unit in ROUND_S if excess[unit] >= NEARLY * max(excess.values()))
    chance = exact / unit
    error = float(np.sqrt(chance * (1 - chance) / len(values)))
    return Heap(unit, share[unit]) if excess[unit] > 3.29 * error else None


def _at(values: Floats, unit: float) -> NDArray[np.bool_]:
    """Whether each is a multiple of the unit, to the millisecond."""
    times = np.round(values / unit)
    return np.asarray((np.abs(values - times * unit) < 1e-3) & (times >= 1), np.bool_)


@dataclass(frozen=True, slots=True)
class Outliers:
    """Values of a task that lie far beyond what the others let expect."""

    label: str
    count: int
    n: int
    limit_s: float
    longest_s: float
    case: str
    mean_s: float
    mean_without_s: float

    @property
    def words(self) -> str:
        return (
            f"{self.count} of {self.n} executions took more than {span(self.limit_s)}, the longest "
            f"{span(self.longest_s)} in case {self.case}; they are kept: the mean is {span(self.mean_s)}, "
            f"without them it would be {span(self.mean_without_s)}"
        )


def outliers_in(label: str, values: Floats, case_of: Callable[[int], str]) -> Outliers | None:
    """Values beyond FAR times the 1e-4 quantile of a log-normal law with the same median and 90 % quantile as
    the positive values; None without any. `case_of` names the case of a value.

    That law's quantile comes from the body of the data, so that the outliers don't hide themselves.
    """
    positive = values > 0
    if positive.sum() < FEWEST:
        return None
    middle, upper = np.quantile(np.log(values[positive]), (0.5, 0.9))
    if upper <= middle:
        return None
    limit = FAR * float(np.exp(middle + TAIL * (upper - middle) / SPREAD))
    far = values > limit
    if not far.any():
        return None
    longest = int(np.argmax(values))
    return Outliers(
        label,
        int(far.sum()),
        len(values),
        limit,
        float(values[longest]),
        case_of(longest),
        float(values.mean()),
        float(values[~far].mean()),
    )


def outlier_facts(found: Sequence[Outliers]) -> Mapping[str, str]:
    """In words, those that move the mean most."""
    worst = sorted(found, key=lambda o: -(o.mean_s / max(o.mean_without_s, 1e-9)))
    facts = {f"outliers in {o.label}": o.words for o in worst[:TOLD]}
    if len(worst) > TOLD:
        facts["outliers elsewhere"] = (
            f"{sum(o.count for o in worst[TOLD:])} in {len(worst) - TOLD} more tasks"
        )
    return facts


def span(seconds: float) -> str:
    """A length of time in its own unit."""
    for unit, name in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} s"

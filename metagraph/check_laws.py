"""Faults of distributions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from metagraph import families
from metagraph.distributions import Constant, Distribution, Empirical, Fitted, Parametric, ZeroInflated
from metagraph.faults import Fault, shown

_SLIVER = 1e-6
"""So little of a law doesn't matter."""


def fitted_faults(fitted: Fitted, where: str, *, signed: bool = False) -> Iterator[Fault]:
    """Faults of a fitted law; values below zero are allowed only where `signed`."""
    yield from _law_faults(fitted.law, f"{where}, law", signed)
    if fitted.n < 0:
        yield Fault(f"{where}, n", f"{fitted.n} observations; a count can't be negative")
    if any(b < a for a, b in pairwise(fitted.observed)):
        yield Fault(f"{where}, observed", "the quantiles don't ascend")


def shifted_faults(fitted: Fitted, where: str) -> Iterator[Fault]:
    """Faults of a law that may lie on both sides of 0, such as an error: fitted families have no values below
    0, they count as 0."""
    faults = tuple(fitted_faults(fitted, where, signed=True))
    yield from faults
    law = fitted.law.positive if isinstance(fitted.law, ZeroInflated) else fitted.law
    if not faults and isinstance(law, Parametric) and law.below(0.0) > _SLIVER:
        yield Fault(
            f"{where}, law", f"{law.family} reaches below 0, where a family counts as 0; use an empirical law"
        )


def _law_faults(law: Distribution, where: str, signed: bool) -> Iterator[Fault]:
    match law:
        case Constant(value):
            if value < 0 and not signed:
                yield Fault(where, f"the constant {value} is negative")
        case Empirical(quantiles):
            yield from _quantile_faults(quantiles, where, signed)
        case Parametric():
            yield from _family_faults(law, where)
        case ZeroInflated(p_zero, positive):
            if not 0 <= p_zero <= 1:
                yield Fault(f"{where}, p_zero", f"{p_zero} is no probability; expected 0 to 1")
            yield from _law_faults(positive, f"{where}, positive", signed)


def _quantile_faults(quantiles: tuple[float, ...], where: str, signed: bool) -> Iterator[Fault]:
    if len(quantiles) < 2:
        yield Fault(f"{where}, quantiles", f"{len(quantiles)} given; at least two are needed")
        return
    for a, b in pairwise(quantiles):
        if b < a:
            yield Fault(f"{where}, quantiles", f"{b} follows {a}; quantiles must ascend")
            break
    if quantiles[0] < 0 and not signed:
        yield Fault(f"{where}, quantiles", f"the first is {quantiles[0]}; none may be negative")


def _family_faults(law: Parametric, where: str) -> Iterator[Fault]:
    found = families.law(law.family, law.params)
    if found is not None:
        yield from _value_faults(law, float(found.ppf(0.5)), where)
        return
    import scipy.stats

    family: Any = getattr(scipy.stats, law.family, None)
    if not isinstance(family, scipy.stats.rv_continuous):
        yield Fault(f"{where}, family", f"{shown(law.family)} is no continuous distribution of scipy.stats")
        return
    needed = (len(family.shapes.split(",")) if family.shapes else 0) + 2
    if len(law.params) != needed:
        names = ", ".join(filter(None, (family.shapes, "loc", "scale")))
        yield Fault(f"{where}, params", f"{len(law.params)} given; {law.family} takes {needed}: {names}")
        return
    if law.params[-1] <= 0:
        yield Fault(f"{where}, params", f"the scale (the last one) is {law.params[-1]}; it must be positive")
        return
    yield from _value_faults(law, float(family.ppf(0.5, *law.params)), where)


def _value_faults(law: Parametric, median: float, where: str) -> Iterator[Fault]:
    if not math.isfinite(median):
        yield Fault(f"{where}, params", f"{law.family} isn't defined for {list(law.params)}")
    elif law.upper is not None and not replace(law, upper=None).below(law.upper) > 0:
        yield Fault(f"{where}, upper", f"{law.family} has no values below {law.upper}")

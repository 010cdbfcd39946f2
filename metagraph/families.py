"""The families that twins are mostly made of, by scipy's own formulas, without loading scipy.stats.

That takes a second and 50 MB, which is more than all else that a simulation needs before it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Standard:
    """A family at loc 0 and scale 1; each function takes the shapes after its argument."""

    shapes: int
    ppf: Callable[..., Floats]
    cdf: Callable[..., Floats]
    """For arguments in the support."""
    mean: Callable[..., float]
    top: float = np.inf
    """Where the support ends; it begins at 0, or nowhere for `norm`."""
    bottom: float = 0.0


def _special() -> Any:
    import scipy.special

    return scipy.special


FAMILIES: Mapping[str, Standard] = {
    "norm": Standard(
        0,
        lambda u: _special().ndtri(u),
        lambda x: _special().ndtr(x),
        lambda: 0.0,
        bottom=-np.inf,
    ),
    "uniform": Standard(0, lambda u: u, lambda x: x, lambda: 0.5, top=1.0),
    "expon": Standard(0, lambda u: -_special().log1p(-u), lambda x: -_special().expm1(-x), lambda: 1.0),
    "lognorm": Standard(
        1,
        lambda u, s: np.exp(s * _special().ndtri(u)),
        lambda x, s: _special().ndtr(np.log(x) / s),
        lambda s: float(np.sqrt(np.exp(s * s))),
    ),
    "gamma": Standard(
        1,
        lambda u, a: _special().gammaincinv(a, u),
        lambda x, a: _special().gammainc(a, x),
        float,
    ),
    "weibull_min": Standard(
        1,
        lambda u, c: np.power(-_special().log1p(-u), 1.0 / c),
        lambda x, c: -_special().expm1(-np.power(x, c)),
        lambda c: float(_special().gamma(1.0 + 1.0 / c)),
    ),
}


@dataclass(frozen=True, slots=True)
class Law:
    """A member of one of FAMILIES, with those methods of a frozen distribution of scipy that are needed."""

    family: Standard
    shapes: tuple[float, ...]
    loc: float
    scale: float

    def ppf(self, u: ArrayLike) -> Floats:
        """NaN outside of [0, 1]."""
        u = np.asarray(u, np.float64)
        inside = np.clip(u, 0.0, 1.0)
        with np.errstate(divide="ignore", over="ignore"):
            found = self.family.ppf(inside, *self.shapes) * self.scale + self.loc
        return np.where(inside == u, found, np.nan)

    def cdf(self, x: ArrayLike) -> Floats:
        x = (np.asarray(x, np.float64) - self.loc) / self.scale
        inside = np.clip(x, self.family.bottom, self.family.top)
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(self.family.cdf(inside, *self.shapes), np.float64)

    def mean(self) -> float:
        return self.family.mean(*self.shapes) * self.scale + self.loc


def law(family: str, params: tuple[float, ...]) -> Law | None:
    """The law, if the family is one of FAMILIES and its parameters are shapes, loc and scale."""
    known = FAMILIES.get(family)
    if known is None or len(params) != known.shapes + 2:
        return None
    *shapes, loc, scale = params
    if not (scale > 0.0 and all(shape > 0.0 for shape in shapes) and np.isfinite(params).all()):
        return None
    return Law(known, tuple(shapes), loc, scale)

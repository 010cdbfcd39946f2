"""How long orders live: the product-limit estimate (Kaplan and Meier, 1958), with orders that still go on.

Left out, those would leave only the short ones among the newest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RECENT = 0.25
"""Share of the log's time, at its end, whose ends tell how long orders lately live."""
FEWEST = 10
"""So many ends must lie beyond an age before what is left of a life is read from them."""


@dataclass(frozen=True, slots=True, eq=False)
class Lifetimes:
    """The estimate; times in seconds."""

    lives: Floats
    """Ascending, at which orders ended."""
    deaths: NDArray[np.int64]
    """How many ended at each."""
    alive: Floats
    """The share that lives on after each."""

    def outlive(self, ages_s: Floats) -> Floats:
        """The share of orders that live longer than each of these ages; none is gone at a negative one."""
        shares: Floats = np.append(1.0, self.alive)[np.searchsorted(self.lives, ages_s, side="right")]
        return shares

    def left(self, ages_s: Floats, levels: Floats) -> Floats:
        """What is left of lives of these ages at these levels (of one shape), up to the longest known.

        Where fewer than FEWEST ended later: what was left at the highest age that so many outlived. Without
        any end: as much as has been lived.
        """
        if not len(self.lives):
            return np.asarray(ages_s + 0.0 * levels, np.float64)
        later = np.cumsum(self.deaths[::-1])[::-1]
        enough = np.flatnonzero(later >= FEWEST)
        oldest = float(np.nextafter(self.lives[enough[-1]], 0.0)) if len(enough) else 0.0
        ages = np.minimum(ages_s, oldest)
        wanted = self.outlive(ages) * (1.0 - levels)
        # The first time at which no more than `wanted` live on; `alive` falls.
        place = np.searchsorted(-self.alive, -wanted - 1e-12, side="left")
        return np.maximum(self.lives[np.minimum(place, len(self.lives) - 1)] - ages, 0.0)


def product_limit(lived_s: Floats, over: NDArray[np.bool_], entered_s: Floats | None = None) -> Lifetimes:
    """From lifetimes, of which those not `over` still go on; `entered_s`: the ages from which on they were
    watched, if not from birth (truncated from the left)."""
    lives, deaths = np.unique(lived_s[over], return_counts=True)
    entered = np.zeros(len(lived_s)) if entered_s is None else entered_s
    watched = np.searchsorted(np.sort(entered), lives, side="left") if entered.any() else len(lived_s)
    at_risk = np.maximum(watched - np.searchsorted(np.sort(lived_s), lives, side="left"), deaths)
    gone = deaths / np.maximum(at_risk, 1)
    if entered.any():
        # Where entries are late, a few orders may be all at risk long before the oldest end: they take half.
        gone = np.where(lives < lived_s.max(), np.minimum(gone, 0.5), gone)
    return Lifetimes(lives, deaths, np.cumprod(1.0 - gone))


def lifetimes(first_s: Floats, last_s: Floats, until_s: float) -> Lifetimes:
    """Of orders by their first start and their end (infinite, or beyond `until_s`: it hadn't ended by then),
    as they ended in the last quarter of the time: those that were there before enter at the age they had at
    its beginning."""
    begin = until_s - RECENT * (until_s - first_s.min())
    end = np.minimum(last_s, until_s)
    here = end > begin
    entered = np.maximum(begin - first_s[here], 0.0)
    return product_limit((end - first_s)[here], last_s[here] <= until_s, entered)

"""How long orders live, as they ended lately: Kaplan and Meier's estimate, with orders that still go on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RECENT = 0.25
"""Share of the log's time, at its end, whose ends tell how long orders live."""


@dataclass(frozen=True, slots=True, eq=False)
class Lifetimes:
    """The product-limit estimate, seconds."""

    lives: Floats
    """Ascending: of orders that ended, and of those that went on at least so long."""
    ended: NDArray[np.bool_]
    alive: Floats
    """The share that lives on after each."""

    def outlive(self, ages_s: Floats) -> Floats:
        """The share of orders that live longer than each of these ages; none is gone at a negative one."""
        shares: Floats = np.append(1.0, self.alive)[np.searchsorted(self.lives, ages_s, side="right")]
        return shares


def lifetimes(first_s: Floats, last_s: Floats, until_s: float) -> Lifetimes:
    """Of orders by their first start and their end (infinite, or beyond `until_s`: it hadn't ended by then),
    as they ended in the last quarter of the time: those that were there before enter at the age they had at
    its beginning (truncated from the left)."""
    begin = until_s - RECENT * (until_s - first_s.min())
    end = np.minimum(last_s, until_s)
    here = end > begin
    entry, life = np.maximum(begin - first_s[here], 0.0), (end - first_s)[here]
    ended = last_s[here] <= until_s
    order = np.lexsort((~ended, life))
    life, ended = life[order], ended[order]
    at_risk = np.maximum(np.searchsorted(np.sort(entry), life, side="left") - np.arange(len(life)), 1)
    # Where entries are late, one single order may be at risk long before the oldest end: it takes half.
    alive = np.cumprod(1 - np.where(ended, np.minimum(1 / at_risk, 0.5), 0.0))
    return Lifetimes(life, ended, alive)

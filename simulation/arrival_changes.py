"""Arrivals that change at an instant: by how much, and of which classes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import inf

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from metagraph.orders import ArrivalChange, Arrivals, OrderClass, OrderModel
from simulation.program import Floats

_WHOLE = OrderClass("", "", 1.0, 0)
Factors = NDArray[np.float64]
"""[instant, class]"""


class Changes:
    """The factors of `arrivals.changes` over time; times in seconds since the origin."""

    def __init__(self, arrivals: Arrivals, classes: Sequence[OrderClass], origin: datetime) -> None:
        self._spans = [
            (
                (change.start - origin).total_seconds(),
                inf if change.end is None else (change.end - origin).total_seconds(),
                np.array([change.factor if _of(change, kind) else 1.0 for kind in classes]),
            )
            for change in arrivals.changes
        ]
        self._mix = mixed(classes)
        self.edges = sorted({t for start, end, _ in self._spans for t in (start, end) if t < inf})
        """Instants at which something changes."""

    def next_edge(self, t: float) -> float:
        """The first of `edges` after t; infinite without any."""
        return next((edge for edge in self.edges if edge > t), inf)

    def rate(self, t: float, week_hour: int) -> float:
        """By how much more orders of all classes together come at t, in this hour of the week."""
        mix = self._mix[week_hour]
        total = float(mix.sum())
        return float((mix * self.factors(np.array([t]))[0]).sum()) / total if total > 0 else 1.0

    def factors(self, t_s: Floats) -> Factors:
        """By how much more orders of each class come at these instants."""
        found = np.ones((len(t_s), self._mix.shape[1]))
        for start, end, factors in self._spans:
            found[(t_s >= start) & (t_s < end)] *= factors
        return found


def _of(change: ArrivalChange, kind: OrderClass) -> bool:
    return change.cls in (None, kind.cls) and change.segment in (None, kind.segment)


def mixed(classes: Sequence[OrderClass]) -> Factors:
    """How often orders of each class come in each hour of the week, [hour, class]; up to a factor."""
    usual = np.array([c.share for c in classes])
    found = (usual[:, None] * np.array([c.by_hour or (1.0,) * 168 for c in classes])).T
    # An hour in which no class ever comes tells nothing.
    return np.where(found.any(axis=1, keepdims=True), found, usual)


def drawn_from(orders: OrderModel) -> list[OrderClass]:
    """The classes that new orders are of."""
    return [c for c in orders.classes if c.share > 0] or [_WHOLE]


def changes_of(metagraph: Metagraph, origin: datetime) -> Changes | None:
    """Those of a process; None if nothing changes."""
    arrivals = metagraph.arrivals
    if arrivals is None or not arrivals.changes:
        return None
    return Changes(arrivals, drawn_from(metagraph.orders), origin)

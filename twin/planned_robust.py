"""How a plan was chosen among several, as the command prints it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.alternatives import Held


@dataclass(frozen=True, slots=True)
class PlannedScore:
    """What a schedule, or a rule that is followed as orders come, came to in simulated scenarios."""

    name: str
    chosen: bool
    mean: float
    """Money, or hours of which fewer are better."""
    low: float
    """Of the interval of the mean (95 %)."""
    high: float
    behind: float | None
    """By how much it is worse than the best one, scenario by scenario; None: it is the best."""
    behind_low: float | None
    behind_high: float | None
    on_time: float | None
    """Mean share of the orders with a due date."""


@dataclass(frozen=True, slots=True)
class PlannedRobust:
    """The scenarios, and all that was simulated in them."""

    measure: str
    """profit, flow time or lateness: of all orders together."""
    unit: str
    scenarios: int
    scores: tuple[PlannedScore, ...]
    """Best first."""


def planned_robust(held: Held) -> PlannedRobust:
    """Of a choice."""
    scores = tuple(
        PlannedScore(
            name=one.name,
            chosen=one.name == held.name,
            mean=one.mean.mean,
            low=one.mean.low,
            high=one.mean.high,
            behind=None if one.behind is None else one.behind.mean,
            behind_low=None if one.behind is None else one.behind.low,
            behind_high=None if one.behind is None else one.behind.high,
            on_time=one.on_time,
        )
        for one in held.robust.scored
    )
    return PlannedRobust(held.robust.measure, held.robust.unit, held.robust.scenarios, scores)

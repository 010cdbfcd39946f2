"""What forecasts and quotes say: quantiles of instants, and of counts at horizons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""Quantile levels of every forecast: 0.05, 0.10, ..., 0.95."""


def median(quantiles: tuple[datetime, ...]) -> datetime:
    """The 50 % quantile of a forecast's quantiles."""
    return quantiles[LEVELS.index(0.5)]


@dataclass(frozen=True, slots=True)
class TaskOutlook:
    """One remaining task of an order; 10, 50 and 90 % quantiles over the replications where it happens."""

    activity: str
    probability: float
    """Share of replications in which it happens (at least once)."""
    running: bool
    start: tuple[datetime, datetime, datetime]
    end: tuple[datetime, datetime, datetime]


@dataclass(frozen=True, slots=True)
class OrderOutlook:
    """When one open order completes."""

    case_id: str
    standing: str
    """Where it stands, in words: 'Credit Check running since ...'."""
    quantiles: tuple[datetime, ...]
    """Completion instants at LEVELS."""
    tasks: tuple[TaskOutlook, ...]
    due: datetime | None = None
    late_probability: float | None = None
    """Only where the order has a due date; lost orders count as late."""
    lost_probability: float | None = None
    """Only where the order has a lost-sale date. The quantiles of one that is lost are of its leaving."""


@dataclass(frozen=True, slots=True)
class SystemOutlook:
    """A count at a horizon, at LEVELS."""

    horizon_h: float
    metric: str
    """'wip', 'completions' or 'arrivals' (the last two counted since the as-of instant)."""
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AgentLoad:
    """Work that waits for an agent or runs with it over the open orders: hours, 10/50/90 % quantiles."""

    agent: str
    work_h: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Forecast:
    """All open orders as of an instant."""

    as_of: datetime
    replications: int
    open_rule: str
    """How the open orders were told: the ids that were given, or the model's closing rule in words."""
    orders: tuple[OrderOutlook, ...]
    system: tuple[SystemOutlook, ...]
    agents: tuple[AgentLoad, ...]
    notes: tuple[str, ...] = ()
    """Orders that didn't fit the model, and what was assumed of them."""
    engine: str = ""
    """Which engine simulated it, and why."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A task's part in the quoted lead time: mean hours, with 95 % half-widths."""

    activity: str
    wait_h: float
    work_h: float
    wait_half_width_h: float
    work_half_width_h: float


@dataclass(frozen=True, slots=True)
class Quote:
    """When a new order could be promised."""

    at: datetime
    cls: str
    segment: str
    replications: int
    dates: Mapping[str, datetime]
    """Confidence '50', '80', '95' (percent) -> promise date."""
    drivers: tuple[Driver, ...]
    history_lead_h: Mapping[str, float]
    """The same confidences read from past lead times, hours; empty without history."""
    engine: str = ""
    """Which engine simulated it, and why."""

"""What a simulation found: its figures with intervals, and how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from simulation.kpis import Interval


@dataclass(frozen=True, slots=True)
class Simulated:
    """Figures over the runs of one simulation."""

    twin: str
    policy: str
    engine: str
    """'kernel' or 'reference'."""
    why: str
    """Why that one, a sentence."""
    backend: str
    """Where the runs ran."""
    seed: int
    replications: int
    begin: datetime
    figures: Mapping[str, Interval]
    """By name, with 95 % intervals; times in seconds, shares from 0 to 1, money in the log's currency."""
    precision_met: bool | None = None
    """Whether the interval that was asked for is narrow enough; None: nothing was asked for."""
    notes: tuple[str, ...] = ()

"""When agents work, for one replication: calendars, absences, hiring and random breakdowns as one time line each.

A plan is what a metagraph says; `clock` makes of it the time line of one replication, which grows as it is asked and
never depends on how far it has grown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from metagraph.calendars import Calendar
from metagraph.paces import Pace
from simulation.tables import Table


@dataclass(frozen=True, slots=True)
class ClockPlan:
    """The work clock of one agent, or of all agents who share a calendar and nothing else."""

    calendar: Calendar
    origin: datetime
    earliest_s: float
    away: tuple[tuple[float, float], ...] = ()
    """Absences, and the time before hiring."""
    breakdowns: tuple[Table, Table] | None = None
    """Between failures, and repair."""
    agent: int = -1
    """Whose breakdowns; keys their random numbers."""


@dataclass(frozen=True, slots=True)
class PacePlan:
    """The time line of a pace."""

    pace: Pace
    origin: datetime

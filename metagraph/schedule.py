"""What a scheduler decided: who does which task of which order, in which order and when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assignment:
    """One task of one order."""

    order: str
    task: str
    """Id of the task's node."""
    agent: str
    rank: float
    """Lower goes first among what waits in the same queue."""
    start_s: float | None = None
    """When work on it is planned, seconds since the simulation's origin."""
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Assignments by (order, task); what isn't named is assigned by rule and comes last, first come first."""

    assignments: tuple[Assignment, ...]
    at_s: float = 0.0
    """The instant of the state that it was made for; nothing is computed from it."""

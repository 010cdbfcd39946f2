"""Who works, and from which queues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from metagraph.distributions import Fitted

UNLIMITED = 10_000
"""Capacity of an agent for whom nobody ever waits."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which an agent isn't there: maintenance, an outage, a leave."""

    start: datetime
    end: datetime | None = None
    """None: for good."""
    hands_over: bool = False
    """The agent leaves: what it works on and what waits for it alone goes to others. Else it waits."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Breakdowns:
    """Failures at random; work in progress waits for the repair. Wall-clock seconds; the agent begins a run
    just repaired."""

    between: Fitted
    """From a repair to the next failure."""
    repair: Fitted


@dataclass(frozen=True, slots=True)
class Agent:
    """A person or machine that works on tasks."""

    id: str
    calendar: str
    """Id of its Calendar."""
    role: str = ""
    capacity: int = 1
    """Items it works on at once."""
    sharing: Literal["parallel", "shared"] = "parallel"
    """`parallel`: each item at full rate; `shared`: k items at rate 1/k each."""
    cost_per_h: float = 0.0
    """Money per working hour."""
    note: str = ""
    hired: datetime | None = None
    """Works from then on; None: all along."""
    absences: tuple[Absence, ...] = ()
    breakdowns: Breakdowns | None = None
    presence: float = 1.0
    """Share of the days on which its calendar draws a shift that the agent does come. A calendar without
    shifts draws nothing."""
    members: tuple[str, ...] = ()
    """The log's resources that it stands for, where these are several."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Work waiting for any of its agents; an agent may serve several queues."""

    id: str
    agents: tuple[str, ...]
    weights: tuple[float, ...] = ()
    """How often each agent took work from it in the log, summing to 1: the draw among idle agents.
    Empty: all alike."""
    priority: str = "FIFO"
    """Rule by which the next item is taken; see rules.py."""
    only: str = ""
    """Orders that it is designated for, as an expression on them (see expressions.py); used by JDQ."""

"""Who works, and from which queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UNLIMITED = 10_000
"""Capacity of an agent for whom nobody ever waits."""


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

"""What is asked when an order is quoted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

CONFIDENCES = ("50", "80", "95")
QUOTED = "quoted order"
"""Its id in the simulation."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The new order, and how work is done."""

    cls: str = ""
    segment: str = ""
    value: float | None = None
    """Money; None: that of an order of the past, if any."""
    due: datetime | None = None
    policy: Any = None
    """A Policy or an object written in Python; None: the twin's own rules."""
    named: str = "own"
    """The policy's name."""
    against: tuple[tuple[str, Any], ...] = ()
    """Other policies to compare with, by name."""
    alternatives: bool = True
    """Say also what another priority and one more agent would change."""

"""What solving gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from optimization.problem import Plan

Status = Literal["optimal", "gap", "time", "cancelled"]
"""Optimal: no plan is better. Gap: proven to be as good as was asked for. Time, cancelled: the best plan when
the search ended, and a bound that no plan passes."""


TOO_LARGE = "columns of the model that was too large"
"""Name of a statistic."""


@dataclass(frozen=True, slots=True)
class Incumbent:
    """A plan that was better than all before it."""

    at_s: float
    """Wall-clock seconds since the beginning."""
    objective: float
    bound: float | None
    """None: none was known yet."""
    source: str
    """Who found it: a heuristic's name, "LP-guided", "improvement", "MIP"."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A checked plan, and how good it is at least."""

    status: Status
    plan: Plan
    values: tuple[float, ...]
    """On each level of the problem."""
    objective: float
    """On the first level."""
    bound: float
    """No plan has more on the first level."""
    build_s: float
    """Wall-clock seconds of building the model."""
    solve_s: float
    cpu_s: float
    columns: int
    rows: int
    """Of the model that gave the bound."""
    binaries: int
    incumbents: tuple[Incumbent, ...] = ()
    statistics: dict[str, float] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """(bound - objective) / |objective|; 0 where they are the same."""
        missing = max(self.bound - self.objective, 0.0)
        return missing / max(abs(self.objective), 1e-9) if missing > 1e-9 * max(1.0, abs(self.bound)) else 0.0

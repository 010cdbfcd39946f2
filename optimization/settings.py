"""What a user says of a plan: grid and horizon, what counts, what may be interrupted, how long to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from metagraph.overtime import Overtime

Horizon = Literal["rolling", "fixed", "shrinking"]
"""Rolling: up to the last lost-sale date of the orders there are (Perez, Wassick and Grossmann, 3.4.1), or
until all of them can be done; fixed: a given time from now; shrinking: up to a given instant. Under the last
two nothing is fulfilled beyond the horizon."""

Formulation = Literal["step", "paper"]
LevelName = Literal["profit", "flow time", "lateness", "preemptions"]


@dataclass(frozen=True, slots=True)
class Preemption:
    """The paper's five ways to keep interruptions low (section 4.3). Planned are only interruptions of work
    that is under way now."""

    allowed: bool = True
    """False: none at all."""
    forbidden: tuple[str, ...] = ()
    """Ids of tasks that are never interrupted, beside those that the process says."""
    most: int | None = None
    """Interruptions in one plan."""
    most_per_item: int | None = None
    """An item that was interrupted so often isn't any more."""
    penalty: float = 0.0
    """Money per interruption, subtracted from the profit."""
    resume_penalty_s: float = 0.0
    """Working seconds that an interruption adds to the work that is left."""
    same_agent: bool = False
    """Interrupted work is resumed by who began it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the problem is made from metagraph, state and orders."""

    dt_s: float | None = None
    """The grid; None: the coarsest that makes the work little longer."""
    horizon: Horizon = "rolling"
    horizon_s: float | None = None
    """Fixed: from the state on. Shrinking: the instant, seconds since the origin. Rolling: the longest look
    ahead; None: no limit."""
    levels: tuple[LevelName, ...] = ()
    """What counts, first things first; none: profit if orders have values, else flow time."""
    ways: int = 0
    """Which ways orders are planned to take where gateways are still to choose: 0: the one that stands
    best for all; 1, 2, ...: others, drawn."""
    seed: int = 0
    """Of the ways that orders may take."""
    preemption: Preemption = Preemption()
    overtime: tuple[Overtime, ...] = ()


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """How a plan is looked for."""

    formulation: Formulation = "step"
    gap: float = 0.01
    """Relative; the search ends when the plan is proven to be as good as that."""
    time_limit_s: float = 60.0
    """Of wall-clock time, for building and solving together."""
    threads: int = 2
    seed: int = 0

"""What to plan, as the options say it: grid, horizon, what counts, what may be interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import get_args

from metagraph.errors import UsageError
from metagraph.faults import listed
from metagraph.model import Metagraph
from metagraph.overtime import Overtime
from optimization.settings import Formulation, Horizon, LevelName, Preemption, Settings, SolveOptions
from twin.source import instant
from twin.spans import seconds_of

UNTIL = "until:"
LEVELS = {"profit": "profit", "flow": "flow time", "flow time": "flow time"} | {
    name: name for name in ("lateness", "preemptions")
}
"""What can count, by the names that people use."""
TABLES = (".json", ".csv")


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """How to plan, and where to write it."""

    dt: str = ""
    """A time such as 15m; '': the instance's, else one that makes the work little longer."""
    horizon: str = ""
    """rolling, a time such as 12h, until:INSTANT; '': rolling, no further than the instance says."""
    objective: str = ""
    """Names joined by commas; '': profit if orders have values, else flow time."""
    preemption: Preemption = field(default_factory=Preemption)
    """`forbidden` by ids or labels of tasks."""
    formulation: Formulation = "step"
    gap: float = 0.01
    time_limit_s: float = 60.0
    seed: int = 0
    out: Path | None = None
    """The schedule, as JSON or CSV."""
    gantt: Path | None = None
    robust: int = 0
    """Scenarios in which several plans are simulated, of which the best is taken; 0: the plan alone."""
    explain: tuple[str, ...] = ()
    """Orders to explain, as ORDER or ORDER:TASK."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an instance says of its plan."""

    dt_s: float | None = None
    horizon_s: float | None = None
    overtime: tuple[Overtime, ...] = ()


def settings_of(wanted: PlanRequest, metagraph: Metagraph, origin: datetime, told: Told) -> Settings:
    """Settings of a problem. Raises UsageError for what can't be meant."""
    dt_s = seconds_of(wanted.dt, "--dt") if wanted.dt else told.dt_s
    kind, horizon_s = _horizon(wanted.horizon, origin, told)
    forbidden = _task_ids(wanted.preemption.forbidden, metagraph)
    return Settings(
        dt_s=dt_s,
        horizon=kind,
        horizon_s=horizon_s,
        levels=levels_of(wanted.objective),
        preemption=replace(wanted.preemption, forbidden=forbidden),
        overtime=told.overtime,
    )


def options_of(wanted: PlanRequest) -> SolveOptions:
    """How long to look, and for how good a plan."""
    return SolveOptions(
        formulation=wanted.formulation,
        gap=wanted.gap,
        time_limit_s=wanted.time_limit_s,
        seed=wanted.seed,
    )


def _horizon(text: str, origin: datetime, told: Told) -> tuple[Horizon, float | None]:
    if not text or text == "rolling":
        return "rolling", None if text else told.horizon_s
    if text.startswith(UNTIL):
        until = instant(text.removeprefix(UNTIL), "--horizon until:")
        return "shrinking", (until - origin).total_seconds()
    return "fixed", seconds_of(text, "--horizon")


def levels_of(text: str) -> tuple[LevelName, ...]:
    """What counts, first things first. Raises UsageError for a name that is unknown or told twice."""
    known = {word: name for name in get_args(LevelName) for word, meant in LEVELS.items() if meant == name}
    found: list[LevelName] = []
    for part in text.split(",") if text.strip() else ():
        word = part.strip().lower()
        if word not in known:
            raise UsageError(
                f"--objective {text}: {word!r} is unknown; join some of profit, flow, lateness and "
                "preemptions by commas, first things first"
            )
        if known[word] in found:
            raise UsageError(f"--objective {text}: {word!r} is named twice")
        found.append(known[word])
    return tuple(found)


def _task_ids(names: Sequence[str], metagraph: Metagraph) -> tuple[str, ...]:
    """Ids of the tasks with these ids or labels."""
    found: list[str] = []
    for name in names:
        mine = [task.id for task in metagraph.tasks() if name in (task.id, task.label)]
        if not mine:
            there = listed([task.label for task in metagraph.tasks()])
            raise UsageError(f"--forbid {name}: no such task; there are {there}")
        found += mine
    return tuple(dict.fromkeys(found))


def check_schedule_name(out: Path | None) -> None:
    """Raise UsageError for a schedule's name that ends in something else."""
    if out is not None and out.suffix not in TABLES:
        raise UsageError(f"--out {out}: expected a name that ends in .json or .csv")

"""What `tracetwin reschedule` does: plans made again and again in a simulation, beside policies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from metagraph.errors import UsageError
from simulation.kpis import Interval
from twin.files import check_writable, write_text
from twin.planning_request import PlanRequest, Told, options_of, settings_of
from twin.progress import Progress
from twin.simulation_request import SimulationRequest, begin_of
from twin.source import instant
from twin.spans import seconds_of

if TYPE_CHECKING:
    from twin.compared import Comparison
    from twin.reschedule import Optimization, Rescheduling

UNTIL_END = "until-end"
MEASURED = "measured"
NOW = ("0", "0s")


@dataclass(frozen=True, slots=True)
class ReschedulingOptions:
    """What to simulate, when plans are made in it and how, and what to set beside them."""

    simulation: SimulationRequest
    plans: PlanRequest
    """Its `out` takes every plan as a row; its `horizon` may be until-end, too."""
    on_arrival: bool = True
    every: str = ""
    at: tuple[str, ...] = ()
    computing: str = MEASURED
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanMade:
    """One plan of a run, and how it came about."""

    replication: int
    asked: datetime
    because: str
    """arrival, period, instant, eta, beginning; several joined by +."""
    orders: int
    operations: int
    periods: int
    status: str
    objective: float
    bound: float
    gap: float
    columns: int
    rows: int
    binaries: int
    preemptions: int
    build_s: float
    solve_s: float
    computing_s: float
    """Simulated seconds until it took effect."""
    effective: datetime | None
    """None: the run ended before."""
    applied: int
    gone: int


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """Figures of rescheduling and of the policies beside it, over the same runs."""

    twin: str
    begin: datetime
    seed: int
    replications: int
    figures: Mapping[str, Mapping[str, Interval]]
    """By contender, the rescheduled first, and figure; 95 % intervals."""
    differences: Mapping[str, Mapping[str, Interval]]
    """By policy: the rescheduled minus it, run by run."""
    plans: tuple[PlanMade, ...]
    notes: tuple[str, ...]


def rescheduling_command(asked: ReschedulingOptions, progress: Progress) -> Rescheduled:
    """Simulate, and write the plans that were made where that was asked for.

    Raises UsageError and DataError for what can't be simulated or planned.
    """
    from twin.compared import ReschedulingRequest, compare_policies

    out = asked.plans.out
    if out is not None and out.suffix != ".csv":
        raise UsageError(f"--out {out}: expected a name that ends in .csv")
    check_writable(out)
    wanted = ReschedulingRequest(asked.simulation, _how(asked), asked.against)
    found = compare_policies(wanted, progress)
    plans = tuple(_made(found, k, one) for k, run in enumerate(found.optimizations) for one in run)
    if out is not None:
        write_text(out, plans_csv(plans))
    return Rescheduled(
        twin=found.twin,
        begin=found.begin,
        seed=found.seed,
        replications=found.replications,
        figures=found.figures,
        differences=found.differences,
        plans=plans,
        notes=(*asked.simulation.given.notes, *alike(found.notes)),
    )


def _how(asked: ReschedulingOptions) -> Rescheduling:
    """When plans are made, and how. Raises UsageError for what can't be meant."""
    from simulation.arrivals import monday
    from twin.reschedule import Rescheduling

    given = asked.simulation.given
    origin = given.origin if given.origin is not None else monday(begin_of(asked.simulation))
    to_the_end = asked.plans.horizon == UNTIL_END
    plans = replace(asked.plans, horizon="rolling") if to_the_end else asked.plans
    settings = settings_of(plans, given.metagraph, origin, Told())
    if to_the_end:
        settings = replace(settings, horizon="shrinking", horizon_s=None)
    return Rescheduling(
        on_arrival=asked.on_arrival,
        every_s=seconds_of(asked.every, "--every") if asked.every else None,
        at_s=tuple((instant(text, "--at") - origin).total_seconds() for text in asked.at),
        settings=settings,
        solve=options_of(plans),
        charged=_charged(asked.computing),
    )


def _charged(text: str) -> float | None:
    if text == MEASURED:
        return None
    return 0.0 if text in NOW else seconds_of(text, "--computing")


def _made(found: Comparison, replication: int, one: Optimization) -> PlanMade:
    def at(seconds: float) -> datetime:
        return found.origin + timedelta(seconds=seconds)

    return PlanMade(
        replication=replication,
        asked=at(one.asked_s),
        because="+".join(one.because),
        orders=one.orders,
        operations=one.operations,
        periods=one.periods,
        status=one.status,
        objective=one.objective,
        bound=one.bound,
        gap=one.gap,
        columns=one.columns,
        rows=one.rows,
        binaries=one.binaries,
        preemptions=one.preemptions,
        build_s=one.build_s,
        solve_s=one.solve_s,
        computing_s=one.computing_s,
        effective=None if one.effective_s is None else at(one.effective_s),
        applied=one.applied,
        gone=one.gone,
    )


def alike(notes: Sequence[str]) -> tuple[str, ...]:
    """Notes of many plans: of those that differ in their numbers only, the first, and how many there are."""
    kinds: dict[str, list[str]] = {}
    for note in notes:
        kinds.setdefault(re.sub(r"\d[\d.,]*", "#", note), []).append(note)
    return tuple(
        found[0] if len(found) == 1 else f"{found[0]} (One of {len(found)} such notes, with other numbers.)"
        for found in kinds.values()
    )


def plans_csv(plans: tuple[PlanMade, ...]) -> str:
    """A row a plan; instants in ISO 8601 UTC with milliseconds."""
    import csv
    import io

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(PlanMade)]
    table.writerow(names)
    for plan in plans:
        table.writerow([_cell(getattr(plan, name)) for name in names])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return f"{value:.6g}" if isinstance(value, float) else str(value)

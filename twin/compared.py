"""Rescheduling beside dispatching by rules: all under common random numbers, their differences paired."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metagraph.errors import UsageError
from metagraph.policies import Policy
from twin.policies import Wanted, policy_of
from twin.progress import Progress
from twin.reschedule import Optimization, Rescheduling, Scheduler, forbidding, reschedule
from twin.running import counted
from twin.simulation_request import SimulationRequest, begin_of, source_of

if TYPE_CHECKING:
    from simulation.kpis import Interval, Kpis
    from simulation.program import Program
    from simulation.run import Run

PLANNED = "rescheduled"
"""The name of the runs that are planned anew."""


@dataclass(frozen=True, slots=True)
class ReschedulingRequest:
    """What to run, how plans are made in it, and which policies to set beside them."""

    simulation: SimulationRequest
    """Orders, horizon, replications, seed, workers; its policy, engine, precision and files aren't asked."""
    how: Rescheduling
    """A shrinking horizon without a time ends with the simulation."""
    against: tuple[str, ...] = ()
    """Policies by name, as --policy takes them."""


@dataclass(frozen=True, slots=True)
class Played:
    """One replication of one contender."""

    kpis: Kpis
    optimizations: tuple[Optimization, ...] = ()
    stopped: str = "end"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Figures of rescheduling and of what was set beside it, over the same replications."""

    twin: str
    origin: datetime
    """Instants of optimizations count from here."""
    begin: datetime
    seed: int
    replications: int
    runs: Mapping[str, tuple[Played, ...]]
    """By contender, the rescheduled first; one a replication."""
    figures: Mapping[str, Mapping[str, Interval]]
    """By contender and figure."""
    differences: Mapping[str, Mapping[str, Interval]]
    """By the other contender: the rescheduled minus it, paired by replication."""
    notes: tuple[str, ...] = ()

    @property
    def optimizations(self) -> tuple[tuple[Optimization, ...], ...]:
        """Those of each replication."""
        return tuple(one.optimizations for one in self.runs[PLANNED])


def compare_policies(
    wanted: ReschedulingRequest, progress: Progress, *, folder: Path | None = None
) -> Comparison:
    """Run the rescheduling and the policies beside it on the same replications.

    `folder`: where policies written in Python are looked for. Raises UsageError and DataError for what can't
    be simulated or planned.
    """
    from simulation.kpis import differences, summary

    simulation = wanted.simulation
    begin = begin_of(simulation)
    contenders = _contenders(wanted, begin, folder or Path.cwd())
    job = _Job(simulation, begin, contenders)
    played: dict[str, list[Played]] = {name: [] for name, _, _ in contenders}
    for i, found in enumerate(_played(job, simulation, progress)):
        progress.step(f"run {i + 1} of {simulation.replications}", (i + 1) / simulation.replications)
        for name, one in zip(played, found, strict=True):
            played[name].append(one)
    kpis = {name: [one.kpis for one in found] for name, found in played.items()}
    return Comparison(
        twin=simulation.given.metagraph.name,
        origin=job.origin(),
        begin=begin,
        seed=simulation.seed,
        replications=simulation.replications,
        runs={name: tuple(found) for name, found in played.items()},
        figures={name: summary(found) for name, found in kpis.items()},
        differences={
            name: differences(kpis[PLANNED], found) for name, found in kpis.items() if name != PLANNED
        },
        notes=tuple(_notes(played)),
    )


Contender = tuple[str, Policy | Any, Rescheduling | None]
"""A name; how queues are served; and for one that is planned anew, how."""


def _contenders(wanted: ReschedulingRequest, begin: datetime, folder: Path) -> tuple[Contender, ...]:
    how = _until_the_end(wanted, begin)
    names = list(dict.fromkeys(wanted.against))
    if PLANNED in names:
        raise UsageError(f"--compare {PLANNED}: that is the name of the rescheduled runs; name policies")
    others: list[Contender] = [(name, policy_of(Wanted(policy=name), folder), None) for name in names]
    return ((PLANNED, how.policy(), how), *others)


def _until_the_end(wanted: ReschedulingRequest, begin: datetime) -> Rescheduling:
    """A shrinking horizon ends where the simulation does."""
    settings = wanted.how.settings
    if settings.horizon != "shrinking" or settings.horizon_s is not None:
        return wanted.how
    _, until_s = source_of(wanted.simulation, begin)
    if until_s is None:
        raise UsageError("a horizon until the end needs an end: say with --until when the simulation stops")
    return replace(wanted.how, settings=replace(settings, horizon_s=until_s))


@dataclass(frozen=True, slots=True)
class _Job:
    """All contenders on one replication; a plain value, so that it can go to another process."""

    simulation: SimulationRequest
    begin: datetime
    contenders: tuple[Contender, ...]

    def __call__(self, replication: int) -> tuple[Played, ...]:
        return tuple(self._play(replication, policy, how) for _, policy, how in self.contenders)

    def origin(self) -> datetime:
        """Time 0 of all programs."""
        from simulation.arrivals import monday

        given = self.simulation.given
        return given.origin if given.origin is not None else monday(self.begin)

    def _play(self, replication: int, policy: Policy | Any, how: Rescheduling | None) -> Played:
        from simulation.engines import session
        from simulation.kpis import kpis
        from simulation.session import Limits, Options

        simulation = self.simulation
        if how is not None:
            metagraph = forbidding(simulation.given.metagraph, how.settings.preemption)
            simulation = replace(simulation, given=replace(simulation.given, metagraph=metagraph))
        source, until_s = source_of(replace(simulation, policy=policy), self.begin)
        program: Program = source(replication) if callable(source) else source
        options = Options(log=False, limits=Limits(open_orders=simulation.max_open))
        scheduler = None if how is None else Scheduler(simulation.given.metagraph, program.origin, how)
        if scheduler is not None and how is not None and how.at_beginning:
            program = scheduler.begin(program, simulation.given.state)
        going = session(program, simulation.seed, replication, options=options)
        if scheduler is not None and how is not None:
            found = reschedule(going, scheduler, how.control(), until_s=until_s)
            return Played(kpis(found.run), found.optimizations, found.run.stopped)
        going.run_to(float("inf") if until_s is None else until_s)
        run: Run = going.result(until_s)
        return Played(kpis(run), (), run.stopped)


def _played(job: _Job, simulation: SimulationRequest, progress: Progress) -> Iterator[tuple[Played, ...]]:
    """All replications, in order; in other processes where more than one worker may work."""
    from simulation import backends

    numbers = range(simulation.replications)
    if (simulation.workers or 1) == 1 or len(numbers) == 1:
        for number in numbers:
            progress.step(f"run {number + 1} of {len(numbers)}", number / len(numbers))
            yield job(number)
        return
    tell = counted(progress, "run")
    portable = backends.Portable(job)
    yield from backends.processes(
        portable, numbers, simulation.workers or 1, 1.0, lambda: tell(0, len(numbers))
    )


def _notes(played: Mapping[str, Sequence[Played]]) -> Iterator[str]:
    """What was assumed in plans, and what went wrong."""
    made = [one for run in played[PLANNED] for one in run.optimizations]
    alike: dict[str, list[str]] = {}
    for one in made:
        for note in one.notes if one.status != "infeasible" else ():
            alike.setdefault(re.sub(r"\d+(?:\.\d+)?", "#", note), []).append(note)
    for notes in alike.values():
        same = len(set(notes)) == 1
        yield notes[0] if same else f"{notes[0]} (Of the first of {len(notes)} plans that say so.)"
    failed = [one for one in made if one.status == "infeasible"]
    if failed:
        yield (
            f"{len(failed)} of {len(made)} optimizations found no plan, and the one before held on; the "
            f"first: {failed[0].notes[0]}"
        )
    for name, runs in played.items():
        cut = sum(run.stopped not in ("end", "horizon") for run in runs)
        if cut:
            yield f"{cut} of {len(runs)} runs of {name} were broken off because orders piled up."

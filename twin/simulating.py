"""What `tracetwin simulate` does: a process, its orders and a policy in; figures, logs and pictures out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import UsageError
from twin.courses import Grid, courses, grid_of
from twin.files import check_writable, write_frame, write_whole
from twin.frames import frame_of_run
from twin.mine import check_table_name
from twin.progress import Progress
from twin.running import counted
from twin.simulation_request import SimulationRequest, begin_of, source_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulation.kpis import Kpis
    from simulation.precision import Precision
    from simulation.program import Program
    from simulation.replicate import Replications
    from simulation.run import Run
    from simulation.session import Options
    from twin.simulated import Simulated

PICTURES = (".svg", ".png", ".html")
LIMITS = {"open orders": "orders piled up", "executions": "there were too many executions"}


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What is kept of one run."""

    kpis: Kpis
    stopped: str
    counts: NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class _Keep:
    """Reduces a run to what is kept, where it was made."""

    grid: Grid | None

    def __call__(self, run: Run) -> _Kept:
        from simulation.kpis import kpis

        return _Kept(kpis(run), run.stopped, None if self.grid is None else self.grid(run))


def simulate_command(wanted: SimulationRequest, progress: Progress) -> Simulated:
    """Simulate, and write the log and the picture that were asked for.

    Raises UsageError and DataError for what can't be simulated or written.
    """
    from simulation.kpis import summary
    from twin.simulated import Simulated

    _check_files(wanted)
    count = _count(wanted)
    begin = begin_of(wanted)
    source, until_s = source_of(wanted, begin)
    first = _first(wanted, source, until_s, progress) if wanted.csv or wanted.chart else None
    grid = grid_of(first) if first is not None and wanted.chart else None
    made = _all(wanted, source, until_s, count, _Keep(grid), progress)
    if first is not None and wanted.csv:
        write_frame(wanted.csv, frame_of_run(first))
    if first is not None and grid is not None and wanted.chart:
        from twin.drawing_tools import write_picture
        from twin.simulation_charts import courses_chart

        counts = [kept.counts for kept in made.values if kept.counts is not None]
        write_picture(wanted.chart, courses_chart(courses(grid, first, counts)))
    return Simulated(
        twin=wanted.given.metagraph.name,
        policy=wanted.named,
        engine=made.engine.name,
        why=made.engine.why,
        backend=made.backend,
        seed=wanted.seed,
        replications=len(made.values),
        begin=begin,
        figures=summary([kept.kpis for kept in made.values], antithetic=wanted.antithetic),
        precision_met=made.met,
        notes=tuple(_notes(made.values)),
    )


def _check_files(wanted: SimulationRequest) -> None:
    check_writable(wanted.out, wanted.chart)
    check_table_name(wanted.out)
    if wanted.chart is not None and wanted.chart.suffix not in PICTURES:
        raise UsageError(f"--chart {wanted.chart}: expected a name that ends in {', '.join(PICTURES)}")


def _count(wanted: SimulationRequest) -> int | Precision:
    """How many runs."""
    if not wanted.precision:
        return wanted.replications
    from simulation.kpis import figures
    from simulation.precision import Precision

    asked = Precision.parse(wanted.precision)

    def value(kept: _Kept) -> float:
        known = figures(kept.kpis)
        if asked.figure not in known:
            few = ", ".join(name for name in known if " " not in name)
            raise UsageError(
                f"--precision {wanted.precision}: no such figure; take one of {few}, or one of an agent, a "
                "task or a queue as --json names it"
            )
        return known[str(asked.figure)]

    return replace(asked, figure=value)


def _options(wanted: SimulationRequest, *, log: bool) -> Options:
    from simulation.session import Options

    return Options(log=log, paths=wanted.chart is not None, antithetic=wanted.antithetic)


def _first(
    wanted: SimulationRequest,
    source: Program | Callable[[int], Program],
    until_s: float | None,
    progress: Progress,
) -> Run:
    """Replication 0 with its log."""
    from simulation.engines import run

    progress.step("the first run", 0.0)
    program = source(0) if callable(source) else source
    return run(
        program,
        wanted.seed,
        0,
        until_s,
        options=_options(wanted, log=wanted.csv is not None),
        engine=wanted.engine,
        tell=lambda sentence: progress.step(sentence, 0.0),
    )


def _all(
    wanted: SimulationRequest,
    source: Program | Callable[[int], Program],
    until_s: float | None,
    count: int | Precision,
    keep: _Keep,
    progress: Progress,
) -> Replications[_Kept]:
    """All replications; their logs go to a Parquet file if one was asked for, which is whole or absent."""
    from simulation.replicate import replicate

    def to(log_to: Path | None) -> Replications[_Kept]:
        return replicate(
            source,
            wanted.seed,
            count,
            reduce=keep,
            engine=wanted.engine,
            backend=wanted.backend,
            workers=wanted.workers,
            until_s=until_s,
            options=_options(wanted, log=log_to is not None),
            log_to=log_to,
            progress=counted(progress, "run"),
            tell=lambda sentence: progress.step(sentence, 0.0),
        )

    if wanted.parquet is None:
        return to(None)
    made: list[Replications[_Kept]] = []
    write_whole(wanted.parquet, lambda beside: made.append(to(beside)))
    return made[0]


def _notes(found: Sequence[_Kept]) -> Iterator[str]:
    for limit in ("open orders", "executions"):
        n = sum(kept.stopped == limit for kept in found)
        if n:
            yield (
                f"{n} of {len(found)} runs were broken off because {LIMITS[limit]}: their figures are of "
                "what happened until then"
            )

"""What `tracetwin simulate` does: a process, its orders and a policy in; figures, logs and pictures out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from metagraph.errors import UsageError
from twin.courses import courses, grid_of
from twin.files import check_picture_name, check_writable, write_frame, write_whole
from twin.frames import frame_with_outcomes
from twin.mine import check_table_name
from twin.progress import Progress
from twin.running import counted
from twin.simulation_notes import Noted, noted, notes, notes_on_orders
from twin.simulation_request import SimulationRequest, begin_of, listed_orders, read_names, source_of

if TYPE_CHECKING:
    from simulation.kpis import Kpis
    from simulation.precision import Precision
    from simulation.program import Program
    from simulation.replicate import Replications
    from simulation.run import Run
    from simulation.session import Options
    from twin.simulated import Simulated

T = TypeVar("T")

DRAWN = 50
"""A picture shows so many runs at most: more of them hardly change a band."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of one run."""

    kpis: Kpis
    noted: Noted


def _keep(run: Run) -> _Kept:
    from simulation.kpis import kpis

    return _Kept(kpis(run), noted(run))


def simulate_command(wanted: SimulationRequest, progress: Progress) -> Simulated:
    """Simulate, and write the log and the picture that were asked for.

    Raises UsageError and DataError for what can't be simulated or written.
    """
    from simulation.kpis import summary
    from twin.simulated import Simulated

    _check_files(wanted)
    count = _count(wanted)
    begin = begin_of(wanted)
    runs = _Runs(wanted, *source_of(wanted, begin))
    made = runs.all(count, progress.part(0.0, 0.7 if wanted.chart else 1.0))
    if wanted.csv:
        write_frame(wanted.csv, frame_with_outcomes(runs.first(log=True)))
    if wanted.chart:
        _draw(wanted.chart, runs, len(made), progress.part(0.7, 1.0))
    return Simulated(
        twin=wanted.given.metagraph.name,
        policy=wanted.named,
        engine=made.engine.name,
        why=made.engine.why,
        backend=made.backend,
        seed=wanted.seed,
        replications=len(made),
        begin=begin,
        figures=summary([kept.kpis for kept in made], antithetic=wanted.antithetic),
        precision_met=made.met,
        notes=(
            *notes([kept.noted for kept in made]),
            *wanted.given.notes,
            *notes_on_orders(wanted.given.metagraph, listed_orders(wanted), read_names(wanted)),
        ),
    )


def _check_files(wanted: SimulationRequest) -> None:
    check_writable(wanted.out, wanted.chart)
    check_table_name(wanted.out)
    check_picture_name(wanted.chart)


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


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of one simulation."""

    wanted: SimulationRequest
    source: Program | Callable[[int], Program]
    until_s: float | None
    """Seconds since the origin."""

    def first(self, *, log: bool = False, paths: bool = False) -> Run:
        """Replication 0."""
        from simulation.engines import run

        options = self._options(log=log, paths=paths)
        program = self.source(0) if callable(self.source) else self.source
        engine = self._able(paths)
        return run(program, self.wanted.seed, 0, self.until_s, options=options, engine=engine)

    def all(self, count: int | Precision, progress: Progress) -> Replications[_Kept]:
        """All replications; their logs go to a Parquet file if one was asked for, whole or absent."""
        if self.wanted.parquet is None:
            return self.replicate(count, _keep, progress)
        made: list[Replications[_Kept]] = []
        write_whole(
            self.wanted.parquet,
            lambda beside: made.append(self.replicate(count, _keep, progress, log_to=beside)),
        )
        return made[0]

    def replicate(
        self,
        count: int | Precision,
        reduce: Callable[[Run], T],
        progress: Progress,
        *,
        paths: bool = False,
        log_to: Path | None = None,
    ) -> Replications[T]:
        """What `reduce` makes of each replication."""
        from simulation.replicate import replicate

        return replicate(
            self.source,
            self.wanted.seed,
            count,
            reduce=reduce,
            engine=self._able(paths),
            backend=self.wanted.backend,
            workers=self.wanted.workers,
            until_s=self.until_s,
            options=self._options(log=log_to is not None, paths=paths),
            log_to=log_to,
            progress=counted(progress, "drawn run" if paths else "run"),
            tell=lambda sentence: progress.step(sentence, 0.0),
        )

    def _options(self, *, log: bool, paths: bool) -> Options:
        from simulation.session import Limits, Options

        limits = Limits(open_orders=self.wanted.max_open)
        return Options(log=log, paths=paths, antithetic=self.wanted.antithetic, limits=limits)

    def _able(self, paths: bool) -> Literal["auto", "reference", "kernel"]:
        """The engine that was asked for, unless it keeps no paths; their runs are the same."""
        return "auto" if paths and self.wanted.engine == "kernel" else self.wanted.engine


def _draw(path: Path, runs: _Runs, n: int, progress: Progress) -> None:
    """The picture of the first runs."""
    from twin.drawing_tools import write_picture
    from twin.simulation_charts import courses_chart

    first = runs.first(paths=True)
    grid = grid_of(first)
    counts = runs.replicate(min(n, DRAWN), grid, progress, paths=True)
    write_picture(path, courses_chart(courses(grid, first, counts.values)))

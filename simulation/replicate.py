"""Many replications, reduced where they are run and handed on in their order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from metagraph.errors import UsageError
from simulation.backends import BEAT_S
from simulation.engines import Engine, Tell, Wanted
from simulation.kpis import Kpis, kpis
from simulation.precision import Precision
from simulation.run import Run
from simulation.session import Options
from simulation.spread import Source, Spread, Work

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
Progress = Callable[[int, int], None]
NO_LOG = Options(log=False)


@dataclass(frozen=True, slots=True)
class Replications(Generic[T]):
    """What `reduce` made of replications 0, 1, ..., and how they were run."""

    values: tuple[T, ...]
    engine: Engine
    """Of replication 0."""
    backend: str
    antithetic: bool
    met: bool | None = None
    """Whether the precision that was asked for was reached; None: none was."""

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> T:
        return self.values[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self.values)


@overload
def replicate(
    source: Source,
    seed: int,
    replications: int | Precision,
    *,
    backend: str = ...,
    workers: int | None = ...,
    until_s: float | None = ...,
    options: Options = ...,
    engine: Wanted = ...,
    log_to: Path | None = ...,
    progress: Progress | None = ...,
    compile_now: bool = ...,
    tell: Tell | None = ...,
) -> Replications[Kpis]: ...


@overload
def replicate(
    source: Source,
    seed: int,
    replications: int | Precision,
    *,
    reduce: Callable[[Run], T],
    backend: str = ...,
    workers: int | None = ...,
    until_s: float | None = ...,
    options: Options = ...,
    engine: Wanted = ...,
    log_to: Path | None = ...,
    progress: Progress | None = ...,
    compile_now: bool = ...,
    tell: Tell | None = ...,
) -> Replications[T]: ...


def replicate(
    source: Source,
    seed: int,
    replications: int | Precision,
    *,
    reduce: Callable[[Run], Any] = kpis,
    backend: str = "auto",
    workers: int | None = None,
    until_s: float | None = None,
    options: Options = NO_LOG,
    engine: Wanted = "auto",
    log_to: Path | None = None,
    progress: Progress | None = None,
    compile_now: bool = True,
    tell: Tell | None = None,
) -> Replications[Any]:
    """Replications 0, 1, ... of a program under a seed: so many, or until a precision is met.

    `source` is a Program, or makes that of a replication (so that arrivals can differ). Runs keep no log
    unless `options` say so. `log_to`: a Parquet file of all executions (see parquet_log.py). `engine`,
    `compile_now` and `tell`: see `engines.choose`.

    `backend`: "serial"; "threads" or "processes" (`workers` of them, one a core); "dask", "ray" or another
    one of joblib's; "auto": threads for the kernel, processes for the reference where they are worth it.
    Nothing depends on it, nor on `workers`, but the time it takes.

    `progress(done, total)` is called as results come in, some times a second, and while they don't (on a
    cluster only as they do). Raising from it is the way to stop: everything ends and the error goes on, as do
    errors of a run and Ctrl-C.

    Raises UsageError for a number that isn't positive, an odd one of antithetic replications, a backend that
    isn't there, and what engines.choose says.
    """
    total = replications.last(options.antithetic) if isinstance(replications, Precision) else replications
    if total < 1 or (workers is not None and workers < 1):
        raise UsageError(
            f"{total} replications by {workers or 1} workers were asked for: give positive numbers"
        )
    if options.antithetic and total % 2:
        raise UsageError(
            f"{total} antithetic replications were asked for: they come in pairs, give an even number"
        )
    options = replace(options, log=True) if log_to is not None else options
    work = Work(source, seed, until_s, options, engine, reduce, log_to is not None, compile_now)
    watch = _Watch(progress, total)
    values: list[Any] = []
    met: bool | None = None
    with ExitStack() as stack:
        spread = Spread(work, total, backend, workers, watch.beat, tell)
        write = _writer(stack, log_to)
        done = stack.enter_context(closing(spread.results()))
        looks = replications.looks(options.antithetic) if isinstance(replications, Precision) else iter(())
        look = next(looks, total)
        for value, batch in done:
            if write is not None:
                write(batch)
            values.append(value)
            watch.came(len(values))
            if isinstance(replications, Precision) and len(values) == look:
                met = replications.met(values, options.antithetic)
                if met:
                    break
                look = next(looks, total)
    watch.ended(len(values))
    assert spread.engine is not None
    return Replications(tuple(values), spread.engine, spread.used, options.antithetic, met)


class _Watch:
    """Tells how far it is, not too often."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = self._told = 0
        self._next_s = 0.0

    def came(self, done: int) -> None:
        self._done = done
        if self._progress is not None and time.perf_counter() >= self._next_s:
            self.beat()

    def beat(self) -> None:
        """Say it again: the caller may want to stop."""
        if self._progress is not None:
            self._told = self._done
            self._progress(self._done, self._total)
            self._next_s = time.perf_counter() + BEAT_S / 2

    def ended(self, done: int) -> None:
        if self._told < done:
            self._done = done
            self.beat()


def _writer(stack: ExitStack, log_to: Path | None) -> Callable[[pa.RecordBatch], None] | None:
    if log_to is None:
        return None
    from simulation.parquet_log import ParquetLog

    return stack.enter_context(ParquetLog(log_to)).write

"""One replication's work, and which backend does it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metagraph.errors import UsageError
from simulation import backends
from simulation.engines import Engine, Tell, Wanted, choose, run_on
from simulation.program import Program
from simulation.run import Run
from simulation.session import Options

if TYPE_CHECKING:
    import pyarrow as pa

Source = Program | Callable[[int], Program]

WORTH_S = 4.0
"""Work, in seconds of one process, below which starting others takes longer than it saves."""
_TRIED = 2
"""Replications run here before others help: the first one may have to load what the second finds loaded."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one replication does; a plain value, so that it can go to another process."""

    source: Source
    seed: int
    until_s: float | None
    options: Options
    engine: Wanted
    reduce: Callable[[Run], Any]
    logged: bool
    compile_now: bool

    def __call__(self, replication: int) -> tuple[Any, pa.RecordBatch | None]:
        return self.first(replication, None)[1:]

    def first(self, replication: int, tell: Tell | None) -> tuple[Engine, Any, pa.RecordBatch | None]:
        """The engine, what `reduce` makes of the run, and its log if that is wanted."""
        program = self.source if isinstance(self.source, Program) else self.source(replication)
        engine = choose(program, self.engine, options=self.options, compile_now=self.compile_now, tell=tell)
        run = run_on(engine, program, self.seed, replication, self.until_s, self.options)
        if not self.logged:
            return engine, self.reduce(run), None
        from simulation.parquet_log import batch_of

        return engine, self.reduce(run), batch_of(run, replication)


class Spread:
    """Runs replications where that is best; the first ones here, to see how long they take."""

    def __init__(
        self,
        work: Work,
        total: int,
        backend: str,
        workers: int | None,
        beat: backends.Beat,
        tell: Tell | None,
    ) -> None:
        self.engine: Engine | None = None
        self.used = "serial"
        self._work = work
        self._total = total
        self._backend = backend
        self._asked = workers
        self._workers = min(workers or os.cpu_count() or 1, total)
        self._beat = beat
        self._tell = tell

    def results(self) -> Generator[tuple[Any, Any], None, None]:
        """(reduced, log) of each replication, in order."""
        least_s, done = float("inf"), 0
        while done < self._total:
            begun = time.perf_counter()
            if done == 0:
                self.engine, *first = self._work.first(0, self._tell)
                result = (first[0], first[1])
            else:
                result = self._work(done)
            least_s = min(least_s, time.perf_counter() - begun)
            yield result
            done += 1
            if done == self._total:
                return
            self.used = self._best(done, least_s)
            if self.used != "serial":
                yield from self._elsewhere(range(done, self._total), least_s)
                return

    def _best(self, done: int, one_s: float) -> str:
        """Where the replications after the first `done` are run."""
        if self._backend != "auto":
            return self._backend
        assert self.engine is not None
        if self._workers == 1 or done < _TRIED:
            return "serial"
        if self.engine.name == "kernel":
            return "threads"
        return "processes" if one_s * (self._total - done) > WORTH_S else "serial"

    def _elsewhere(self, numbers: Sequence[int], one_s: float) -> Iterator[Any]:
        if self.used == "threads":
            return backends.threads(self._work, numbers, self._workers, one_s, self._beat)
        try:
            portable = backends.Portable(self._work, far=self.used != "processes")
        except UsageError:
            if self._backend != "auto":
                raise
            self.used = "serial"
            return backends.serial(self._work, numbers)
        if self.used == "processes":
            return backends.processes(portable, numbers, self._workers, one_s, self._beat)
        return backends.cluster(self.used, portable, numbers, self._asked)

"""Many replications: in this process while that is quicker, else in several."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar, overload

from simulation.program import Program
from simulation.reference import run
from simulation.run import Run

T = TypeVar("T")
Source = Program | Callable[[int], Program]
Progress = Callable[[int, int], None]

_WORTH_S = 4.0
"""Work, in seconds of one process, below which starting others takes longer than it saves."""


class Cancelled(Exception):  # noqa: N818
    """The caller asked to stop."""


@overload
def replicate(
    source: Source,
    seed: int,
    replications: int,
    *,
    workers: int | None = ...,
    until_s: float | None = ...,
    reduce: None = ...,
    progress: Progress | None = ...,
    cancel: Callable[[], bool] | None = ...,
) -> list[Run]: ...


@overload
def replicate(
    source: Source,
    seed: int,
    replications: int,
    *,
    workers: int | None = ...,
    until_s: float | None = ...,
    reduce: Callable[[Run], T],
    progress: Progress | None = ...,
    cancel: Callable[[], bool] | None = ...,
) -> list[T]: ...


def replicate(
    source: Source,
    seed: int,
    replications: int,
    *,
    workers: int | None = None,
    until_s: float | None = None,
    reduce: Callable[[Run], Any] | None = None,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Any]:
    """Runs 0 .. replications - 1, or what `reduce` makes of each where it was run, in this order.

    `source` is a Program, or makes that of a replication (so that arrivals can differ). The results don't
    depend on `workers` (default: one a core); what can't be pickled runs in this process. `progress(done,
    total)` is called as they come in; once `cancel()` is true, Cancelled is raised. Errors of a run are
    raised as they are.
    """
    job = _Job(source, seed, until_s, reduce)
    results: list[Any] = []
    begun = time.perf_counter()
    workers = min(workers or os.cpu_count() or 1, replications)
    portable: bytes | None = None
    while len(results) < replications:
        if cancel is not None and cancel():
            raise Cancelled
        results.append(job(len(results)))
        if progress is not None:
            progress(len(results), replications)
        left_s = (time.perf_counter() - begun) / len(results) * (replications - len(results))
        if workers > 1 and left_s > _WORTH_S:
            portable = _pickled(job) if portable is None else portable
            if portable:
                return results + _spread(portable, len(results), replications, workers, progress, cancel)
    return results


class _Job:
    """What one replication does; a plain value, so that it can go to another process."""

    def __init__(
        self, source: Source, seed: int, until_s: float | None, reduce: Callable[[Run], Any] | None
    ) -> None:
        self.source = source
        self.seed = seed
        self.until_s = until_s
        self.reduce = reduce

    def __call__(self, replication: int) -> Any:
        program = self.source if isinstance(self.source, Program) else self.source(replication)
        result = run(program, self.seed, replication, self.until_s)
        return result if self.reduce is None else self.reduce(result)


def _pickled(job: _Job) -> bytes:
    try:
        return pickle.dumps(job)
    except (pickle.PicklingError, AttributeError, TypeError):
        return b""


_job: _Job | None = None


def _receive(portable: bytes) -> None:
    global _job  # noqa: PLW0603
    # Ctrl-C reaches every process of the terminal; the one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _job = pickle.loads(portable)


def _run(replication: int) -> Any:
    assert _job is not None
    return _job(replication)


def _spread(
    portable: bytes,
    first: int,
    replications: int,
    workers: int,
    progress: Progress | None,
    cancel: Callable[[], bool] | None,
) -> list[Any]:
    """Replications `first` .. in other processes; in this one if they can't be started here."""
    results: dict[int, Any] = {}
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _receive, (portable,))
    try:
        # A few at a time: what is asked for can't be taken back.
        pending: dict[Future[Any], int] = {}
        upcoming = iter(range(first, replications))
        while len(results) < replications - first:
            for replication in upcoming:
                pending[pool.submit(_run, replication)] = replication
                if len(pending) >= 2 * workers:
                    break
            done, _ = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                results[pending.pop(future)] = future.result()
            if done and progress is not None:
                progress(first + len(results), replications)
            if cancel is not None and cancel():
                raise Cancelled
    except BrokenProcessPool:
        # A script without `if __name__ == "__main__"` can't be imported by the processes it starts.
        job: _Job = pickle.loads(portable)
        for replication in range(first, replications):
            if replication not in results:
                results[replication] = job(replication)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [results[replication] for replication in range(first, replications)]

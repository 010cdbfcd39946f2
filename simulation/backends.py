"""Where replications run: here, on threads, in other processes, or on a cluster. The numbers are the same."""

from __future__ import annotations

import pickle
import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from hashlib import sha256
from multiprocessing import get_context
from threading import Event
from typing import Any, Protocol

from metagraph.errors import UsageError

BEAT_S = 0.1
"""How often the caller hears that there is nothing new: it may raise to stop."""
_CHUNK_S = 0.25
_CHUNK = 64
_ROUND_S = 2.0
_CONNECT_S = 5
_AHEAD = 3
"""Chunks handed out per worker: what was handed out can't be taken back, and is held until its turn."""


class Job(Protocol):
    """Runs one replication; can be called from several threads at once."""

    def __call__(self, replication: int) -> Any: ...


Beat = Callable[[], None]


def serial(job: Job, numbers: Sequence[int]) -> Iterator[Any]:
    """In this thread."""
    return map(job, numbers)


def threads(job: Job, numbers: Sequence[int], workers: int, spent_s: float, beat: Beat) -> Iterator[Any]:
    """On threads of this process, which helps where the engine lets go of the interpreter.

    `spent_s`: about how long one takes.
    """
    stop = Event()

    def work(chunk: Sequence[int]) -> list[Any]:
        found = []
        for replication in chunk:
            if stop.is_set():
                break
            found.append(job(replication))
        return found

    pool = ThreadPoolExecutor(workers, "replication")
    try:
        yield from _in_order(pool, work, _chunks(numbers, workers, spent_s), workers, beat)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def processes(
    portable: Portable, numbers: Sequence[int], workers: int, spent_s: float, beat: Beat
) -> Iterator[Any]:
    """In processes of their own; here after all where those can't be started."""
    done = 0
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _prepare)
    try:
        chunks = _chunks(numbers, workers, spent_s)
        for result in _in_order(pool, _Work(portable), chunks, workers, beat):
            done += 1
            yield result
    except BrokenProcessPool:
        if done:
            raise UsageError(
                "a process that ran replications was ended from outside, perhaps for want of memory: "
                "choose fewer workers"
            ) from None
        # A script without `if __name__ == "__main__"` can't be imported by the processes it starts.
        yield from map(portable.job(), numbers)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def cluster(name: str, portable: Portable, numbers: Sequence[int], workers: int | None) -> Iterator[Any]:
    """On joblib's backend of that name, which must be registered or connected: "dask" to a client, "ray".

    Raises UsageError with what is missing.
    """
    from joblib import Parallel, delayed, effective_n_jobs, parallel_config

    one = delayed(_one)
    with _connected(name), parallel_config(backend=name, n_jobs=workers or -1):
        try:
            parallel = Parallel(return_as="generator")
        except ValueError:
            # Ray's backend, and others that stand on process pools, give all results at once.
            for some in _rounds(numbers, effective_n_jobs()):
                yield from Parallel()(one(portable, replication) for replication in some)
            return
        results = parallel(one(portable, replication) for replication in numbers)
        try:
            yield from results
        finally:
            # It warns of what is still under way: that was the point.
            with warnings.catch_warnings(action="ignore"):
                results.close()


def _rounds(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Twice as many each time, until a round is so long that its end, when some wait, doesn't matter."""
    first = 0
    while first < len(numbers):
        begun = time.perf_counter()
        yield numbers[first : first + size]
        first += size
        size *= 2 if time.perf_counter() - begun < _ROUND_S else 1


@contextmanager
def _connected(name: str) -> Iterator[None]:
    """Says what a backend lacks."""
    if name == "ray":
        try:
            from ray.util.joblib import register_ray
        except ImportError:
            raise UsageError(
                "backend ray needs Ray, which isn't installed: install the package 'ray' into this "
                "environment, or choose backend threads, processes or dask"
            ) from None
        register_ray()
    if name == "dask":
        with _dask_client():
            yield
        return
    from joblib.parallel import BACKENDS, EXTERNAL_BACKENDS

    if name not in BACKENDS and name not in EXTERNAL_BACKENDS:
        raise UsageError(
            f"backend {name!r} is unknown: choose auto, serial, threads, processes, dask, ray or one that is "
            "registered with joblib"
        )
    yield


@contextmanager
def _dask_client() -> Iterator[None]:
    """The client that there is, or one to the scheduler that Dask's configuration names, meanwhile."""
    try:
        from dask import config
        from distributed import Client, get_client
    except ImportError:
        raise UsageError(
            "backend dask needs Dask, which isn't installed: install the package 'distributed' into this "
            "environment, or choose backend threads or processes"
        ) from None
    try:
        get_client()
    except ValueError:
        address = config.get("scheduler-address", None)
        if address is None:
            raise UsageError(
                "backend dask isn't connected to a cluster: name its scheduler in the environment, "
                "DASK_SCHEDULER_ADDRESS=tcp://HOST:8786, or make a distributed.Client first"
            ) from None
        try:
            client = Client(address, timeout=_CONNECT_S)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as fault:
            raise UsageError(
                f"backend dask can't reach the scheduler {address} ({fault}): start it, or correct "
                "DASK_SCHEDULER_ADDRESS"
            ) from None
        with client:
            yield
    else:
        yield


class Portable:
    """A job as bytes, made once, so that it can be sent many times."""

    __slots__ = ("__weakref__", "content", "digest")

    def __init__(self, job: Job, *, far: bool = False) -> None:
        """`far`: to where the script that was started isn't known. Raises UsageError if it can't be sent."""
        try:
            self.content = _by_value(job) if far else pickle.dumps(job)
        except (pickle.PicklingError, AttributeError, TypeError):
            self.content = _by_value(job)
        self.digest = sha256(self.content).hexdigest()

    def __sizeof__(self) -> int:
        # Dask asks, and hands large things out once instead of with each task.
        return len(self.content)

    def job(self) -> Job:
        """The job, once in each process."""
        job = _jobs.get(self.digest)
        if job is None:
            job = pickle.loads(self.content)
            _jobs.clear()
            _jobs[self.digest] = job
        return job


_jobs: dict[str, Job] = {}


def _by_value(job: Job) -> bytes:
    """With the functions and classes that only this script knows."""
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(job))
    except (pickle.PicklingError, AttributeError, TypeError) as fault:
        raise UsageError(
            f"the replications can't be sent to other processes ({fault}): choose backend threads or serial"
        ) from None


def _one(portable: Portable, replication: int) -> Any:
    return portable.job()(replication)


class _Work:
    """A chunk's replications, in another process."""

    def __init__(self, portable: Portable) -> None:
        self.portable = portable

    def __call__(self, chunk: Sequence[int]) -> list[Any]:
        return [_one(self.portable, replication) for replication in chunk]


def _prepare() -> None:
    # Ctrl-C reaches every process of the terminal; the one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _chunks(numbers: Sequence[int], workers: int, spent_s: float) -> Iterator[Sequence[int]]:
    """So large that handing them out costs little, so small that all workers end together."""
    size = min(_CHUNK, int(_CHUNK_S / max(spent_s, 1e-6)), len(numbers) // (_AHEAD * workers))
    size = max(size, 1)
    return (numbers[i : i + size] for i in range(0, len(numbers), size))


def _in_order(
    pool: Executor,
    work: Callable[[Sequence[int]], list[Any]],
    chunks: Iterator[Sequence[int]],
    workers: int,
    beat: Beat,
) -> Iterator[Any]:
    """Results of all chunks, in order; at most `_AHEAD` chunks a worker are under way or held."""
    pending: deque[Future[list[Any]]] = deque()
    for chunk in chunks:
        pending.append(pool.submit(work, chunk))
        if len(pending) >= _AHEAD * workers:
            yield from _await(pending.popleft(), beat)
    while pending:
        yield from _await(pending.popleft(), beat)


def _await(future: Future[list[Any]], beat: Beat) -> list[Any]:
    while True:
        try:
            return future.result(BEAT_S)
        except NotYet:
            if future.done():
                return future.result()
            beat()

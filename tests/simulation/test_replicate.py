"""Many runs: the same numbers wherever they are run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, Order
from simulation import spread
from simulation.engines import Wanted
from simulation.kpis import figures, interval, pair_means
from simulation.lowering import lower
from simulation.precision import Precision
from simulation.program import Program
from simulation.reference import run
from simulation.replicate import replicate
from simulation.run import Run
from simulation.session import Options
from tests.simulation.builders import ORIGIN, expon, orders, process, row, tandem

LOGGED = Options()


@dataclass(frozen=True)
class Source:
    """Orders of their own for each replication."""

    model: Metagraph

    def __call__(self, replication: int) -> Program:
        gaps = np.random.default_rng([1801, replication]).exponential(600.0, 40)
        return lower(
            self.model, [Order(str(i), float(t)) for i, t in enumerate(gaps.cumsum())], origin=ORIGIN
        )


def source() -> Source:
    return Source(process(row("a", "b"), expon(600.0), arrivals=Arrivals((6.0,) * 168)))


def last_completion(log: Run) -> float:
    return float(np.nanmax(log.completed_s))


def alone(replications: int) -> list[float]:
    return list(replicate(source(), 5, replications, workers=1, reduce=last_completion, engine="reference"))


def completions(log: Run) -> tuple[float, ...]:
    return tuple(log.completed_s.tolist())


@pytest.fixture(scope="module")
def dask() -> Iterator[None]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
        Client(cluster),  # type: ignore[no-untyped-call]
    ):
        yield


@pytest.mark.parametrize(
    ("backend", "workers"),
    [("threads", 1), ("threads", 3), ("processes", 2), ("multiprocessing", 2), ("dask", None)],
)
@pytest.mark.parametrize("engine", ["reference", "kernel"])
def test_every_backend_gives_the_same_numbers_in_the_same_order(
    backend: str, workers: int | None, engine: Wanted, request: pytest.FixtureRequest
) -> None:
    if backend == "dask":
        request.getfixturevalue("dask")
    alone = replicate(source(), 5, 25, backend="serial", reduce=completions, engine="reference")
    found = replicate(source(), 5, 25, backend=backend, workers=workers, reduce=completions, engine=engine)
    assert found.values == alone.values
    assert len(set(alone)) == 25
    assert (alone.backend, found.backend) == ("serial", backend)
    assert (alone.engine.name, found.engine.name) == ("reference", engine)


def test_a_cluster_can_be_named_by_its_address(
    dask: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By Dask's own variable, for those who only type commands."""
    from distributed import default_client

    address = default_client().scheduler.address  # type: ignore[no-untyped-call]
    code = (
        "from tests.simulation.test_replicate import last_completion, replicate, source\n"
        "found = replicate(source(), 5, 3, backend='dask', reduce=last_completion, engine='reference')\n"
        "print(list(found))"
    )
    for where, says in ((address, f"{alone(3)}\n"), (None, ""), ("tcp://127.0.0.1:1", "")):
        names = {} if where is None else {"DASK_SCHEDULER_ADDRESS": where}
        ended = subprocess.run(
            [sys.executable, "-c", code],
            check=False,
            cwd=Path(__file__).parents[2],
            env={**os.environ, **names},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.stdout == says
        if not says:
            told = "can't reach the scheduler tcp://127.0.0.1:1" if where else "name its scheduler in the env"
            assert told in ended.stderr


def test_what_is_worth_it_goes_to_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = replicate(source(), 5, 12, workers=2, reduce=last_completion, engine="reference")
    monkeypatch.setattr(spread, "WORTH_S", 0.0)
    slow = replicate(source(), 5, 12, workers=2, reduce=last_completion, engine="reference")
    one = replicate(source(), 5, 12, workers=1, reduce=last_completion, engine="reference")
    assert quick.values == slow.values == one.values
    assert (quick.backend, slow.backend, one.backend) == ("serial", "processes", "serial")


def test_the_kernel_goes_on_threads() -> None:
    found = replicate(source(), 5, 12, workers=2)
    assert (found.engine.name, found.backend) == ("kernel", "threads")
    alone = replicate(source(), 5, 12, engine="reference", workers=1)
    assert [figures(k) for k in found] == [pytest.approx(figures(k), abs=0, nan_ok=True) for k in alone]


def test_each_replication_is_the_run_of_its_number() -> None:
    program = source()(0)
    logs = replicate(program, 7, 3, reduce=Run.rows, options=LOGGED, engine="reference")
    assert list(logs) == [run(program, 7, r).rows() for r in range(3)]


def test_functions_without_a_name_can_be_sent_too() -> None:
    there = replicate(
        source(),
        5,
        4,
        backend="processes",
        workers=2,
        reduce=lambda log: last_completion(log) / 60,
        engine="reference",
    )
    assert list(there) == [t / 60 for t in alone(4)]


def test_what_cannot_be_sent_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "WORTH_S", 0.0)
    lock = threading.Lock()

    def locked(log: Run) -> float:
        with lock:
            return last_completion(log)

    here = replicate(source(), 5, 4, workers=2, reduce=locked, engine="reference")
    assert list(here) == alone(4)
    assert here.backend == "serial"
    with pytest.raises(UsageError, match="can't be sent to other processes"):
        replicate(source(), 5, 4, backend="processes", reduce=locked, engine="reference")


def never(replication: int) -> Program:
    if replication == 5:
        raise DataError("no")
    return source()(replication)


@pytest.mark.parametrize("backend", ["serial", "threads", "dask"])
def test_faults_come_through(backend: str, request: pytest.FixtureRequest) -> None:
    if backend == "dask":
        request.getfixturevalue("dask")
    with pytest.raises(DataError, match="no"):
        replicate(never, 5, 20, backend=backend, workers=2, engine="reference")


class Stop(Exception):  # noqa: N818
    """The caller wants no more."""


@pytest.mark.parametrize(
    ("backend", "reason"),
    [("serial", Stop), ("threads", KeyboardInterrupt), ("processes", KeyboardInterrupt)],
)
def test_raising_from_progress_stops_it(backend: str, reason: type[BaseException]) -> None:
    seen: list[int] = []

    def enough(done: int, total: int) -> None:
        assert total == 100_000
        seen.append(done)
        if done >= 3:
            raise reason

    with pytest.raises(reason):
        replicate(source(), 5, 100_000, backend=backend, workers=2, progress=enough, engine="reference")
    assert seen[-1] < 100_000
    assert not [t for t in threading.enumerate() if t.name.startswith("replication")]


def slow(log: Run) -> float:
    import time

    time.sleep(1.0)
    return last_completion(log)


def test_progress_is_heard_while_nothing_comes() -> None:
    seen: list[int] = []
    replicate(
        source(),
        5,
        3,
        backend="threads",
        workers=1,
        reduce=slow,
        progress=lambda done, _: seen.append(done),
        engine="reference",
    )
    assert seen[-1] == 3
    assert seen.count(1) > 2
    assert all(a <= b for a, b in pairwise(seen))


def test_progress_tells_the_first_and_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.replicate.BEAT_S", 1e9)
    seen: list[tuple[int, int]] = []
    replicate(source(), 5, 20, workers=1, progress=lambda *now: seen.append(now), engine="reference")
    assert seen == [(1, 20), (20, 20)]


def test_backends_that_are_not_there() -> None:
    with pytest.raises(UsageError, match="unknown: choose auto, serial"):
        replicate(source(), 5, 3, backend="cloud", engine="reference")
    with pytest.raises(UsageError, match="install the package 'ray'"):
        replicate(source(), 5, 3, backend="ray", engine="reference")


def test_numbers_that_cannot_be_meant() -> None:
    for replications, workers in ((0, None), (3, 0)):
        with pytest.raises(UsageError, match="give positive numbers"):
            replicate(source(), 5, replications, workers=workers)
    with pytest.raises(UsageError, match="even number"):
        replicate(source(), 5, 3, options=Options(antithetic=True))


def mean_cycle(log: Run) -> float:
    return float((log.completed_s - log.release_s).mean())


@pytest.mark.parametrize(("backend", "workers"), [("serial", 1), ("threads", 2), ("threads", 5)])
def test_a_precision_is_met_with_as_few_as_it_takes(backend: str, workers: int) -> None:
    wanted = Precision(mean_cycle_of, 0.03, at_least=8, at_most=500)
    found = replicate(
        source(), 1811, wanted, backend=backend, workers=workers, reduce=mean_cycle, engine="reference"
    )
    assert found.met
    looks = [n for n in wanted.looks() if n <= len(found)]
    assert looks[-1] == len(found) < 500
    widths = [(interval(list(found)[:n]), n) for n in looks]
    for got, n in widths:
        assert (got.high - got.mean <= 0.03 * got.mean) == (n == len(found))


def mean_cycle_of(value: float) -> float:
    return value


def test_a_precision_that_is_out_of_reach_is_said() -> None:
    found = replicate(source(), 5, Precision("cycle_mean_s", 1e-6, at_most=12), engine="reference")
    assert (len(found), found.met) == (12, False)
    assert replicate(source(), 5, 3, engine="reference").met is None
    with pytest.raises(UsageError, match="unknown: choose one of orders, completed"):
        replicate(source(), 5, Precision("speed", 0.1), engine="reference")


def test_how_a_precision_is_written() -> None:
    assert Precision.parse("profit=5%") == Precision("profit", 0.05)
    assert Precision.parse("cycle_mean_s = 600") == Precision("cycle_mean_s", 600.0, relative=False)
    for text in ("profit", "profit=", "profit=many", "=5%", "profit=0%", "profit=-3", "profit=nan"):
        with pytest.raises(UsageError):
            Precision.parse(text)
    with pytest.raises(UsageError, match="precision 'profit=-5%': -5% must be above 0"):
        Precision.parse("profit=-5%")
    with pytest.raises(UsageError, match="precision 'profit=inf': expected FIGURE=NUMBER"):
        Precision.parse("profit=inf")


@pytest.mark.parametrize("antithetic", [False, True])
def test_looks_grow_by_a_quarter(antithetic: bool) -> None:
    looks = list(Precision("profit", 0.1, at_least=11, at_most=1001).looks(antithetic))
    assert looks[0] == (12 if antithetic else 11)
    assert looks[-1] == (1000 if antithetic else 1001)
    assert looks == sorted(set(looks))
    assert len(looks) < 30
    assert not antithetic or all(n % 2 == 0 for n in looks)


def test_antithetic_precision_is_of_pairs() -> None:
    wanted, values = Precision(mean_cycle_of, 0.5), [1.0, 7.0, 4.2, 3.8, 2.0, 6.0]
    assert wanted.interval(values, antithetic=True) == interval([4.0, 4.0, 4.0])
    assert wanted.met(values, antithetic=True)
    assert not wanted.met(values)
    assert not wanted.met(values[:2], antithetic=True)


def test_antithetic_pairs_say_more_of_the_mean() -> None:
    """The mean cycle time of a single queue falls and rises with its work: pairs balance each other."""
    program = lower(tandem(expon(500.0), tasks=2), orders([i * 600.0 for i in range(60)]), origin=ORIGIN)

    def means(*, antithetic: bool) -> list[float]:
        options = Options(log=False, antithetic=antithetic)
        return list(
            replicate(program, 1823, 60, reduce=mean_cycle, options=options, workers=1, engine="reference")
        )

    plain, paired = means(antithetic=False), means(antithetic=True)
    assert paired[0::2] == plain[0::2]
    assert np.corrcoef(paired[0::2], paired[1::2])[0, 1] < -0.3
    assert pair_means(paired).var() < 0.7 * pair_means(plain).var()


def test_logs_go_to_one_file(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    files = {}
    for name, backend in (("here", "serial"), ("there", "multiprocessing")):
        files[name] = tmp_path / f"{name}.parquet"
        replicate(
            source(), 5, 6, backend=backend, workers=2, log_to=files[name], engine="reference", until_s=9000.0
        )
    table = pq.read_table(files["here"])
    assert all(pq.read_table(file).equals(table) for file in files.values())
    assert pq.ParquetFile(files["here"]).metadata.num_row_groups == 6
    wanted = [
        (r, case, activity, resource, start, end)
        for r in range(6)
        for case, activity, resource, start, end in run(source()(r), 5, r, 9000.0).rows()
    ]
    columns = ("replication", "case_id", "activity", "resource", "start_time", "end_time")
    assert [tuple(one[c] for c in columns) for one in table.to_pylist()] == wanted
    assert any(end is None for *_, end in wanted)


def test_a_file_that_was_not_finished_is_gone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no"):
        replicate(never, 5, 20, workers=1, log_to=tmp_path / "log.parquet", engine="reference")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="can't be written"):
        replicate(source(), 5, 2, log_to=tmp_path / "no" / "log.parquet", engine="reference")

"""The queue of jobs, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from eventlogs.historian import Historian
from eventlogs.keeping import jobs
from eventlogs.keeping.jobs import Job, back_off_s
from metagraph.errors import DataError

T0 = datetime(2026, 1, 5, 8, tzinfo=UTC)
LEASE_S = 60.0


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@pytest.fixture
def con() -> Iterator[DuckDBPyConnection]:
    with Historian(":memory:") as historian:
        yield historian._con


def put(con: DuckDBPyConnection, what: str = "forecast", key: str | None = None, due_s: float = 0.0) -> Job:
    return jobs.enqueue(con, [what], T0, key=key, due_at=at(due_s), most_attempts=2)


def take(con: DuckDBPyConnection, seconds: float, worker: str = "w") -> Job | None:
    return jobs.take(con, worker, at(seconds), LEASE_S)


def end(
    con: DuckDBPyConnection, job: Job, seconds: float, *, failed: bool = False, again: bool = False
) -> bool:
    return jobs.end(
        con, job.id, job.lease, at(seconds), exit_code=int(failed), result="", message="m",
        failed=failed, again=again, lines=(),
    )  # fmt: skip


def test_jobs_are_taken_once_in_the_order_in_which_they_are_due(con: DuckDBPyConnection) -> None:
    later, sooner = put(con, "later", due_s=10.0), put(con, "sooner")
    assert take(con, 5.0) == jobs.find(con, sooner.id)
    assert take(con, 5.0) is None
    found = take(con, 20.0)
    assert found is not None
    assert (found.id, found.state, found.attempts) == (later.id, "running", 1)


def test_a_key_is_queued_once_whatever_became_of_it(con: DuckDBPyConnection) -> None:
    first = put(con, key="night")
    assert put(con, key="night") == first
    job = take(con, 0.0)
    assert job is not None
    assert end(con, job, 1.0)
    assert put(con, key="night").state == "done"
    assert put(con).id != put(con).id


def test_of_a_series_one_job_waits_at_a_time(con: DuckDBPyConnection) -> None:
    """What takes longer than the time to the next one doesn't pile up; another series isn't held up."""

    def due(key: str) -> Job:
        series = key.split(" @ ", maxsplit=1)[0] + " @ "
        return jobs.enqueue(con, ["forecast"], T0, key=key, due_at=T0, most_attempts=2, series=series)

    first = due("night @ 1")
    assert due("night @ 2") == first
    assert due("nights @ 2").id != first.id
    job = take(con, 0.0)
    assert job is not None
    second = due("night @ 3")
    assert second.key == "night @ 3", "the first one runs"
    assert due("night @ 4") == second
    assert due("night @ 1").id == first.id


def test_heartbeats_keep_a_job_and_silence_loses_it(con: DuckDBPyConnection) -> None:
    put(con)
    mine = take(con, 0.0, "ann")
    assert mine is not None
    assert jobs.beat(con, mine.id, mine.lease, at(50.0), LEASE_S, ["half"]) == "go on"
    assert take(con, 100.0, "bob") is None
    theirs = take(con, 111.0, "bob")
    assert theirs is not None
    assert (theirs.id, theirs.attempts, theirs.worker) == (mine.id, 2, "bob")
    assert jobs.beat(con, mine.id, mine.lease, at(112.0), LEASE_S, []) == "lost"
    assert not end(con, mine, 113.0)
    assert end(con, theirs, 114.0)
    told = [line.line for line in jobs.lines(con, mine.id)]
    assert told == ["half", "ann stopped telling that it lives"]


def test_a_job_is_given_up_after_its_last_attempt(con: DuckDBPyConnection) -> None:
    put(con)
    assert take(con, 0.0) is not None
    assert take(con, 61.0) is not None
    assert take(con, 122.0) is None
    (job,) = jobs.listed(con)
    assert (job.state, job.message) == (
        "failed",
        "w stopped telling that it lives, and it was the last attempt",
    )


def test_failures_are_tried_again_after_a_while_where_that_may_help(con: DuckDBPyConnection) -> None:
    put(con)
    job = take(con, 0.0)
    assert job is not None
    assert end(con, job, 10.0, failed=True, again=True)
    assert take(con, 10.0 + back_off_s(1) - 1) is None
    job = take(con, 10.0 + back_off_s(1))
    assert job is not None
    assert end(con, job, 50.0, failed=True, again=True)
    assert jobs.find(con, job.id).state == "failed"
    other = put(con)
    job = take(con, 60.0)
    assert job is not None
    assert end(con, job, 61.0, failed=True)
    assert jobs.find(con, other.id).state == "failed"
    assert [back_off_s(n) for n in (1, 2, 3, 20)] == [30.0, 60.0, 120.0, 3600.0]


def test_cancelling_takes_from_the_queue_or_asks_the_worker(con: DuckDBPyConnection) -> None:
    waiting = put(con, due_s=99.0)
    assert jobs.cancel(con, waiting.id, T0).state == "cancelled"
    put(con)
    job = take(con, 0.0)
    assert job is not None
    assert jobs.cancel(con, job.id, at(1.0)).state == "running"
    assert jobs.beat(con, job.id, job.lease, at(2.0), LEASE_S, []) == "cancel"
    assert end(con, job, 3.0, failed=True, again=True)
    assert jobs.find(con, job.id).state == "cancelled"
    with pytest.raises(DataError, match="cancelled already"):
        jobs.cancel(con, job.id, at(4.0))
    with pytest.raises(DataError, match="no job 77"):
        jobs.find(con, 77)


def test_two_sessions_never_get_one_job() -> None:
    """Transactions that overlap: the second to write one row is refused, or waits for its turn."""
    from concurrent.futures import ThreadPoolExecutor

    with Historian(":memory:") as historian:
        for _ in range(20):
            historian.enqueue_job(["forecast"])

        def work(name: str) -> list[int]:
            taken = []
            with historian.session() as mine:
                while job := mine.take_job(name, 60.0):
                    taken.append(job.id)
            return taken

        with ThreadPoolExecutor(4) as pool:
            found = [job for jobs in pool.map(work, "abcd") for job in jobs]
        assert sorted(found) == list(range(1, 21))
        assert isinstance(historian._con, duckdb.DuckDBPyConnection)

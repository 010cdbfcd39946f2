"""The queue of jobs: taken with a lease, kept by heartbeats, tried again after a while, cancelled when asked.

Whoever takes a job has it until the lease ends; a heartbeat renews it. A worker that dies stops renewing, and
the next one that asks gets the job. An attempt that lost its lease can't end the job any more: it belongs to
another one then. All of it happens in transactions that take turns, so that no two workers get one job.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from duckdb import DuckDBPyConnection

from metagraph.errors import DataError

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Order = Literal["go on", "cancel", "lost"]
"""What a heartbeat is answered: `lost` means that the attempt has no lease any more."""
OPEN: tuple[JobState, ...] = ("queued", "running")
BACK_OFF_S = 30.0
"""Before the second attempt; before each further one twice as long."""
LONGEST_BACK_OFF_S = 3600.0
MOST_ATTEMPTS = 3
MOST_LINES = 1000
"""Lines that are kept of one job, the newest."""
_COLUMNS = (
    "id, key, command, state, due_at, attempts, most_attempts, worker, lease, lease_until, cancelling, "
    "created_at, begun_at, ended_at, exit_code, result, message"
)


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stands."""

    id: int
    key: str | None
    command: tuple[str, ...]
    """The command's words, without the program's name."""
    state: JobState
    due_at: datetime
    """Not before."""
    attempts: int
    """Begun so far."""
    most_attempts: int
    worker: str
    """Who has it, or had it last."""
    lease: str
    """Names the attempt; needed to end it."""
    lease_until: datetime | None
    cancelling: bool
    """Somebody asked to stop it while it ran."""
    created_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    result: str
    """What it printed."""
    message: str
    """One sentence, where it failed."""


@dataclass(frozen=True, slots=True)
class JobLine:
    """Something that a job told."""

    attempt: int
    told_at: datetime
    line: str


def enqueue(
    con: DuckDBPyConnection,
    command: Sequence[str],
    now: datetime,
    *,
    key: str | None,
    due_at: datetime | None,
    most_attempts: int,
    series: str | None = None,
) -> Job:
    """Put a job into the queue; where there is one of this key, that one is returned, and where one of this
    series waits, that one: a job that takes longer than the time to the next one doesn't pile up."""
    if key is not None:
        known = _select(con, "WHERE key = ?", [key])
        if known:
            return known[0]
    if series is not None:
        waiting = _select(con, "WHERE state = 'queued' AND starts_with(key, ?) ORDER BY id LIMIT 1", [series])
        if waiting:
            return waiting[0]
    row = con.execute(
        "INSERT INTO jobs (key, command, state, due_at, attempts, most_attempts, worker, lease, cancelling, "
        "created_at, result, message) VALUES (?, ?, 'queued', ?, 0, ?, '', '', false, ?, '', '') "
        "RETURNING id",
        [key, json.dumps(list(command)), due_at or now, most_attempts, now],
    ).fetchall()
    return find(con, int(row[0][0]))


def take(con: DuckDBPyConnection, worker: str, now: datetime, lease_s: float) -> Job | None:
    """The next job that is due, leased to this worker; None if there is none.

    Jobs whose lease ended are first put back into the queue, or given up after their last attempt.
    """
    _expire(con, now)
    due = _select(con, "WHERE state = 'queued' AND due_at <= ? ORDER BY due_at, id LIMIT 1", [now])
    if not due:
        return None
    con.execute(
        "UPDATE jobs SET state = 'running', attempts = attempts + 1, worker = ?, lease = ?, lease_until = ?, "
        "begun_at = ?, cancelling = false WHERE id = ?",
        [worker, f"{due[0].id}.{due[0].attempts + 1}", now + timedelta(seconds=lease_s), now, due[0].id],
    )
    return find(con, due[0].id)


def beat(
    con: DuckDBPyConnection, number: int, lease: str, now: datetime, lease_s: float, lines: Sequence[str]
) -> Order:
    """Renew the lease and keep what the job told; what the worker has to do."""
    job = _mine(con, number, lease)
    if job is None:
        return "lost"
    _tell(con, job, now, lines)
    con.execute("UPDATE jobs SET lease_until = ? WHERE id = ?", [now + timedelta(seconds=lease_s), number])
    return "cancel" if job.cancelling else "go on"


def end(
    con: DuckDBPyConnection,
    number: int,
    lease: str,
    now: datetime,
    *,
    exit_code: int,
    result: str,
    message: str,
    failed: bool,
    again: bool,
    lines: Sequence[str],
) -> bool:
    """Note how an attempt ended; `again`: one that failed may be tried again. False if its lease was lost."""
    job = _mine(con, number, lease)
    if job is None:
        return False
    _tell(con, job, now, lines)
    if job.cancelling:
        _close(con, job, "cancelled", now, exit_code, result, "cancelled while it ran")
    elif failed and again and job.attempts < job.most_attempts:
        _put_back(con, job, now, message)
    else:
        _close(con, job, "failed" if failed else "done", now, exit_code, result, message)
    return True


def cancel(con: DuckDBPyConnection, number: int, now: datetime) -> Job:
    """Take a job out of the queue, or ask the worker that runs it to stop. Raises DataError if it is over."""
    job = find(con, number)
    if job.state not in OPEN:
        raise DataError(f"job {number} is {job.state} already; nothing is left to cancel")
    if job.state == "queued":
        _close(con, job, "cancelled", now, None, "", "cancelled before it began")
    else:
        con.execute("UPDATE jobs SET cancelling = true WHERE id = ?", [number])
    return find(con, number)


def find(con: DuckDBPyConnection, number: int) -> Job:
    """One job. Raises DataError when there is none of this number."""
    found = _select(con, "WHERE id = ?", [number])
    if not found:
        raise DataError(f"there is no job {number}; tracetwin jobs list shows those that there are")
    return found[0]


def listed(con: DuckDBPyConnection) -> tuple[Job, ...]:
    """All jobs, the newest first."""
    return tuple(_select(con, "ORDER BY id DESC", []))


def lines(con: DuckDBPyConnection, number: int) -> tuple[JobLine, ...]:
    """What a job told, oldest first."""
    rows = con.execute(
        "SELECT attempt, told_at, line FROM job_lines WHERE job_id = ? ORDER BY attempt, told_at, rowid",
        [number],
    ).fetchall()
    return tuple(JobLine(*row) for row in rows)


def back_off_s(attempts: int) -> float:
    """Seconds to wait after so many attempts."""
    return min(BACK_OFF_S * 2.0 ** (attempts - 1), LONGEST_BACK_OFF_S)


def _select(con: DuckDBPyConnection, where: str, values: list[object]) -> list[Job]:
    rows = con.execute(f"SELECT {_COLUMNS} FROM jobs {where}", values).fetchall()
    return [Job(row[0], row[1], tuple(json.loads(row[2])), *row[3:]) for row in rows]


def _mine(con: DuckDBPyConnection, number: int, lease: str) -> Job | None:
    found = _select(con, "WHERE id = ? AND lease = ? AND state = 'running'", [number, lease])
    return found[0] if found else None


def _expire(con: DuckDBPyConnection, now: datetime) -> None:
    for job in _select(con, "WHERE state = 'running' AND lease_until < ?", [now]):
        why = f"{job.worker} stopped telling that it lives"
        _tell(con, job, now, [why])
        if job.cancelling:
            _close(con, job, "cancelled", now, None, "", f"cancelled; {why}")
        elif job.attempts < job.most_attempts:
            con.execute(
                "UPDATE jobs SET state = 'queued', lease = '', due_at = ?, message = ? WHERE id = ?",
                [now, why, job.id],
            )
        else:
            _close(con, job, "failed", now, None, "", f"{why}, and it was the last attempt")


def _put_back(con: DuckDBPyConnection, job: Job, now: datetime, message: str) -> None:
    due = now + timedelta(seconds=back_off_s(job.attempts))
    con.execute(
        "UPDATE jobs SET state = 'queued', lease = '', due_at = ?, message = ? WHERE id = ?",
        [due, message, job.id],
    )


def _close(
    con: DuckDBPyConnection,
    job: Job,
    state: JobState,
    now: datetime,
    exit_code: int | None,
    result: str,
    message: str,
) -> None:
    con.execute(
        "UPDATE jobs SET state = ?, ended_at = ?, exit_code = ?, result = ?, message = ?, lease = '', "
        "lease_until = NULL WHERE id = ?",
        [state, now, exit_code, result, message, job.id],
    )


def _tell(con: DuckDBPyConnection, job: Job, now: datetime, told: Sequence[str]) -> None:
    if not told:
        return
    con.executemany(
        "INSERT INTO job_lines VALUES (?, ?, ?, ?)",
        [[job.id, job.attempts, now, line] for line in told[-MOST_LINES:]],
    )

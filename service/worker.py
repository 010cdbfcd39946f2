"""A worker: queues what is due by its schedules, and runs queued jobs one after the other.

A job runs as a command in a process of its own, supervised so that it ends when the worker does. While it
runs the worker renews its lease and keeps what it tells; if the lease is lost (the machine slept, the
database couldn't be reached) the job is stopped, for another worker has it by then.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING

from metagraph.errors import DataError
from service.attempt import Attempt
from service.schedules import Schedule

if TYPE_CHECKING:
    from eventlogs.historian import Historian
    from eventlogs.keeping.jobs import Job

LEASE_S = 60.0
POLL_S = 2.0
"""Between two looks for work."""
FINAL = frozenset({0, 2, 3, 4, 5})
"""Exit codes that another attempt wouldn't change: done, wrong usage, wrong data, rejected, infeasible."""
REJECTED = 4
"""A gate's no is an answer, not a failure."""
LOOK_BACK_S = 3600.0
"""Instants that a schedule missed for so long, because no worker lived, are made up for."""


@dataclass(frozen=True, slots=True)
class Working:
    """How a worker works."""

    db: str
    schedules: tuple[Schedule, ...] = ()
    lease_s: float = LEASE_S
    poll_s: float = POLL_S
    once: bool = False
    """End when nothing is due."""
    program: tuple[str, ...] = (sys.executable, "-m", "cli")
    """What runs a command's words."""
    name: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")


def work(working: Working, tell: Callable[[str], None]) -> int:
    """Work until SIGTERM or SIGINT, or with `once` until nothing is due; how many jobs were run."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    done = 0
    with _scheduling(working, tell):
        while not stopping.is_set():
            job = _taken(working, tell)
            if job is not None:
                _run(job, working, stopping, tell)
                done += 1
            elif working.once:
                break
            else:
                stopping.wait(working.poll_s)
    return done


@contextmanager
def _opened(db: str) -> Iterator[Historian]:
    from eventlogs.owner.opening import open_historian

    with open_historian(db) as historian:
        yield historian


def _taken(working: Working, tell: Callable[[str], None]) -> Job | None:
    try:
        with _opened(working.db) as historian:
            return historian.take_job(working.name, working.lease_s)
    except DataError as error:
        # The file is busy or its owner restarts: later, then.
        tell(str(error))
        return None


@contextmanager
def _scheduling(working: Working, tell: Callable[[str], None]) -> Iterator[None]:
    """Queue commands as their schedules say, in a thread; first what was due a short while ago."""
    if not working.schedules:
        yield
        return
    from apscheduler.schedulers.background import BackgroundScheduler

    waiting: set[int] = set()

    def enqueue(schedule: Schedule, due: datetime) -> None:
        key, begun = schedule.key(due), datetime.now(UTC)
        try:
            with _opened(working.db) as historian:
                job = historian.enqueue_job(
                    list(schedule.command), key, due, schedule.attempts, schedule.series
                )
        except DataError as error:
            tell(f"{schedule.name} couldn't be queued: {error}")
            return
        if job.key != key:
            if job.id not in waiting:
                tell(f"{schedule.name}: job {job.id} still waits, so none is queued until it runs")
            waiting.add(job.id)
        elif job.created_at >= begun:  # else another worker queued it
            tell(f"{schedule.name}: due at {due:%H:%M:%S %Z}, queued as job {job.id}")

    def now_due(schedule: Schedule) -> None:
        due = last_due(schedule, datetime.now(UTC))
        if due is not None:
            enqueue(schedule, due)

    for schedule in working.schedules:
        now_due(schedule)
    scheduler = BackgroundScheduler(timezone=UTC)
    for schedule in working.schedules:
        scheduler.add_job(
            now_due, schedule.trigger(), [schedule], coalesce=True, misfire_grace_time=None, max_instances=1
        )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)


def last_due(schedule: Schedule, now: datetime) -> datetime | None:
    """The last instant of a schedule, at most LOOK_BACK_S ago; None if there was none."""
    from datetime import timedelta

    trigger, found = schedule.trigger(), None
    at = trigger.get_next_fire_time(None, now - timedelta(seconds=LOOK_BACK_S))
    while at is not None and at <= now:
        found = at
        at = trigger.get_next_fire_time(at, at + timedelta(microseconds=1))
    return found


def _run(job: Job, working: Working, stopping: threading.Event, tell: Callable[[str], None]) -> None:
    """One attempt at a job, from the lease to its end."""
    tell(f"job {job.id}, attempt {job.attempts}: tracetwin {' '.join(job.command)}")
    attempt = Attempt(job, working)
    try:
        lost = attempt.mind(stopping)
    finally:
        attempt.close()
    if lost:
        tell(f"job {job.id}: the lease was lost, the attempt was stopped")
        return
    code, stopped = attempt.exit_code, stopping.is_set()
    message = "the worker was stopped" if stopped and code not in FINAL else attempt.sentence()
    printed, lines = attempt.printed(), attempt.lines()

    def end(historian: Historian) -> bool:
        return historian.end_job(
            *(job.id, job.lease, code, printed, message),
            failed=code not in (0, REJECTED), again=code not in FINAL, lines=lines,
        )  # fmt: skip

    _ended(working, end, tell)
    tell(f"job {job.id}: exit code {code}")


def _ended(working: Working, end: Callable[[Historian], bool], tell: Callable[[str], None]) -> None:
    """Note the end, also if the file is busy at the moment: until the lease is over somebody else waits."""
    until = time.monotonic() + working.lease_s
    while True:
        try:
            with _opened(working.db) as historian:
                if not end(historian):
                    tell("the lease was lost before the end was noted")
            return
        except DataError as error:
            tell(str(error))
            if time.monotonic() > until:
                return
            time.sleep(working.poll_s)

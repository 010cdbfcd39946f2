"""A worker: queues what is due by its schedules, and runs queued jobs one after the other.

A job runs as a command in a process of its own, supervised so that it ends when the worker does. While it
runs the worker renews its lease and keeps what it tells; if the lease is lost (the machine slept, the
database couldn't be reached) the job is stopped, for another worker has it by then.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType
from typing import IO, TYPE_CHECKING

from metagraph.errors import DataError
from service.schedules import Schedule

if TYPE_CHECKING:
    from eventlogs.historian import Historian
    from eventlogs.keeping.jobs import Job

LEASE_S = 60.0
POLL_S = 2.0
"""Between two looks for work."""
BEATS = 3
"""Heartbeats in a lease."""
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

    def enqueue(schedule: Schedule, due: datetime) -> None:
        try:
            with _opened(working.db) as historian:
                job = historian.enqueue_job(list(schedule.command), schedule.key(due), due, schedule.attempts)
            tell(f"{schedule.name}: job {job.id}")
        except DataError as error:
            tell(f"{schedule.name} couldn't be queued: {error}")

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
    attempt = _Attempt(job, working)
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


class _Attempt:
    """The process of one attempt, and what it tells."""

    def __init__(self, job: Job, working: Working) -> None:
        self._job, self._working = job, working
        command = [*job.command, "--json"] if "--json" not in job.command else [*job.command]
        if "--db" not in command:
            command += ["--db", working.db]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.supervised", *working.program, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._all: list[str] = []
        self._out: list[bytes] = []
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_out, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_err, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def exit_code(self) -> int:
        """Of the command, once it ended."""
        return self._process.wait()

    def printed(self) -> str:
        """What it wrote to standard output."""
        for reader in self._readers:
            reader.join(timeout=5.0)
        return b"".join(self._out).decode(errors="replace")

    def sentence(self) -> str:
        """What the command said at its end, where it failed."""
        if not self.exit_code:
            return ""
        ours = [line for line in self._all if line.startswith("tracetwin: ")]
        said = (ours or self._all or [f"it ended with exit code {self.exit_code}"])[-1]
        return said.removeprefix("tracetwin: ")

    def lines(self) -> Sequence[str]:
        """What it told since the last time."""
        found: list[str] = []
        while True:
            try:
                found.append(self._told.get_nowait())
            except queue.Empty:
                return found

    def mind(self, stopping: threading.Event) -> bool:
        """Wait for the end, renewing the lease; whether it was lost."""
        until = time.monotonic() + self._working.lease_s
        next_beat = time.monotonic() + self._working.lease_s / BEATS
        while self._process.poll() is None:
            if stopping.is_set():
                self._stop()
                break
            if time.monotonic() >= next_beat:
                answer = self._beat()
                if answer is not None:
                    until = time.monotonic() + self._working.lease_s
                if answer in ("cancel", "lost") or time.monotonic() >= until:
                    self._stop()
                    return answer != "cancel"
                next_beat = time.monotonic() + self._working.lease_s / BEATS
            stopping.wait(min(0.1, self._working.lease_s / BEATS))
        return False

    def _beat(self) -> str | None:
        """What the historian answers to a heartbeat; None if it can't be reached."""
        lines = self.lines()
        try:
            with _opened(self._working.db) as historian:
                return historian.beat_job(self._job.id, self._job.lease, self._working.lease_s, lines)
        except DataError as error:
            for line in lines:
                self._told.put(line)
            self._told.put(str(error))
            return None

    def close(self) -> None:
        """Nothing of the attempt is left running."""
        if self._process.poll() is None:
            self._stop()

    def _stop(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _read_out(self, stream: IO[bytes]) -> None:
        while piece := stream.read1(65536):  # type: ignore[attr-defined]
            self._out.append(piece)

    def _read_err(self, stream: IO[bytes]) -> None:
        for line in stream:
            text = line.decode(errors="replace").rstrip()
            if text:
                self._all.append(text)
                self._told.put(text)

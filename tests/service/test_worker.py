"""Workers as real processes: one job is run once, and by another one where its worker was killed."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventlogs.historian import Historian
from eventlogs.keeping.jobs import Job
from eventlogs.owner.opening import open_historian
from metagraph.errors import DataError
from service.schedules import load_schedules
from service.worker import last_due
from tests.service.serving import PATIENCE_S, serving, start

pytestmark = pytest.mark.timeout(2 * PATIENCE_S)
SCHEDULE = """
[[schedule]]
name = "night"
command = ["recalibrate", "orders", "--log", "orders"]
cron = "15 2 * * *"
time_zone = "Europe/Paris"

[[schedule]]
name = "often"
command = ["recalibrate", "orders", "--log", "orders"]
every = "90s"
"""


def job_of(db: Path, number: int) -> Job:
    with open_historian(db) as historian:
        return historian.job(number)


def waits(db: Path, number: int, state: str) -> Job:
    """The job as soon as it is in this state."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        job = job_of(db, number)
        if job.state == state:
            return job
        time.sleep(0.1)
    raise AssertionError(f"job {number} is {job.state}, not {state}")


def test_two_workers_run_each_job_once_beside_an_owner(tmp_path: Path) -> None:
    """Through the process that owns the file; what a job can't do is told and not tried again."""
    db = tmp_path / "x.duckdb"
    with Historian(db) as historian:
        for _ in range(4):
            historian.enqueue_job(["worklist", "nobody", "--log", "none", "--as-of", "2024-01-01"])
    with serving(db):
        workers = [start("worker", "--once", "--db", db, "--json", cwd=tmp_path) for _ in range(2)]
        told = [worker.communicate(timeout=PATIENCE_S) for worker in workers]
        assert [worker.returncode for worker in workers] == [0, 0]
        assert sum(json.loads(out)["jobs"] for out, _ in told) == 4
        with open_historian(db) as historian:
            found = historian.jobs()
        assert [(job.state, job.attempts, job.exit_code) for job in found] == [("failed", 1, 3)] * 4
        assert "nobody" in found[0].message


WORKER = """
import sys
from service.worker import Working, work
program = (sys.executable, sys.argv[2])
work(Working(db=sys.argv[1], lease_s=3.0, poll_s=0.2, program=program), print)
"""
SLEEPER = """
import os, sys, time
from pathlib import Path
Path(sys.argv[0]).with_name(f"ran.{os.getpid()}").touch()
time.sleep(600)
"""


def test_a_killed_worker_takes_its_job_along_and_another_one_gets_it(tmp_path: Path) -> None:
    """The job is a process that would go on for minutes: it is gone soon after its worker."""
    db = tmp_path / "x.duckdb"
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text(SLEEPER)
    with Historian(db) as historian:
        historian.enqueue_job(["forecast"], most_attempts=2)
    options = ("-c", WORKER, db, sleeper)
    first = start(*options, cwd=tmp_path)
    second = None
    try:
        ran = _files(tmp_path, 1)
        second = start(*options, cwd=tmp_path)
        assert waits(db, 1, "running").attempts == 1
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=PATIENCE_S)
        again = _files(tmp_path, 2)
        assert waits(db, 1, "running").attempts == 2
        assert not _lives(next(iter(ran)))
        second.send_signal(signal.SIGTERM)
        second.communicate(timeout=PATIENCE_S)
        assert not any(map(_lives, again))
        assert job_of(db, 1).state == "failed"
    finally:
        for worker in (first, second):
            if worker is not None and worker.poll() is None:
                worker.kill()
                worker.communicate()


def _files(folder: Path, n: int) -> set[int]:
    """Process ids of the attempts, once there are n."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = {int(path.suffix[1:]) for path in folder.glob("ran.*")}
        if len(found) >= n:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{n} attempts were expected")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]


def test_schedules_are_read_and_tell_when_they_were_due(tmp_path: Path) -> None:
    file = tmp_path / "schedules.toml"
    file.write_text(SCHEDULE)
    night, often = load_schedules(file)
    at = datetime(2026, 7, 1, 0, 20, tzinfo=UTC)
    assert last_due(night, at) == datetime(2026, 7, 1, 0, 15, tzinfo=UTC)
    assert last_due(night, at + timedelta(hours=2)) is None
    due = last_due(often, at + timedelta(seconds=59))
    assert due is not None
    assert due == last_due(often, at + timedelta(seconds=20)), "all workers agree on the instant"
    assert night.key(at) == "night @ 2026-07-01T00:20:00Z"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('cron = "15 2 * * *"', "", "either cron or every"),
        ('cron = "15 2 * * *"', 'cron = "15 2 * *"', "Wrong number of fields"),
        ("Europe/Paris", "Europe/Atlantis", "Atlantis"),
        ('["recalibrate", "orders", "--log", "orders"]\ncron', '["serve"]\ncron', "serve can't be queued"),
        ('every = "90s"', 'every = "soon"', "expected a time"),
        ('name = "often"', 'name = "night"', "the same name"),
        ('every = "90s"', 'each = "90s"', "each"),
    ],
)
def test_wrong_schedules_are_refused_in_a_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "schedules.toml"
    assert old in SCHEDULE
    file.write_text(SCHEDULE.replace(old, new))
    with pytest.raises(DataError, match=said) as caught:
        load_schedules(file)
    assert str(caught.value).startswith(str(file))

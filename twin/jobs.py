"""The queue of jobs, as commands and pages ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eventlogs.keeping.jobs import Job, JobLine
from metagraph.errors import DataError, UsageError

if TYPE_CHECKING:
    from eventlogs.historian import Historian

COMMANDS = frozenset({"backtest", "build", "forecast", "recalibrate", "validate", "whatif", "worklist"})
"""What may be queued: work that ends by itself."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A job and what it told."""

    job: Job
    lines: tuple[JobLine, ...]


def check_command(command: Sequence[str]) -> None:
    """Raise UsageError for a command that can't be queued."""
    if not command or command[0] not in COMMANDS:
        what = f"{command[0]} can't be queued" if command else "there is nothing to queue"
        raise UsageError(f"{what}; expected one of {', '.join(sorted(COMMANDS))}, with its options")


def queued(db: str, command: Sequence[str], key: str | None, attempts: int) -> Shown:
    """The job that the command became, or the one of this key. Raises UsageError for what can't be queued."""
    from eventlogs.owner.opening import open_historian

    check_command(command)
    with open_historian(db) as historian:
        job = historian.enqueue_job(list(command), key, None, attempts)
        return Shown(job, historian.job_lines(job.id))


def listed(db: str) -> tuple[Job, ...]:
    """All jobs, the newest first. Raises DataError if there is no database."""
    with _read(db) as historian:
        return historian.jobs()


def found(db: str, number: int) -> Shown:
    """One job. Raises DataError if there is none of this number."""
    with _read(db) as historian:
        return Shown(historian.job(number), historian.job_lines(number))


def cancelled(db: str, number: int) -> Shown:
    """The job, cancelled or about to be. Raises DataError if there is none, or it is over."""
    from eventlogs.owner.opening import open_historian

    _existing(db)
    with open_historian(db) as historian:
        job = historian.cancel_job(number)
        return Shown(job, historian.job_lines(number))


def _read(db: str) -> Historian:
    from eventlogs.owner.opening import open_historian

    _existing(db)
    return open_historian(db, read_only=True)


def _existing(db: str) -> None:
    if not Path(db).exists():
        raise DataError(f"{db}: no such database; name the file with --db")

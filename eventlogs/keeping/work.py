"""What the historian keeps of work that goes on by itself: jobs, runs of recalibrations, backtests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from eventlogs.keeping import backtests, jobs, recalibrations, snapshots
from eventlogs.keeping.backtests import KeptBacktest, Tried
from eventlogs.keeping.jobs import MOST_ATTEMPTS, Job, JobLine, Order
from eventlogs.keeping.models import By
from eventlogs.keeping.reading import one_moment
from eventlogs.keeping.recalibrations import Learnt, Look, NewModel, RecalibrationInfo
from eventlogs.owner.opened import OpenFile


class Work(OpenFile):
    """Jobs, recalibrations and backtests in the file."""

    def enqueue_job(
        self,
        command: Sequence[str],
        key: str | None = None,
        due_at: datetime | None = None,
        most_attempts: int = MOST_ATTEMPTS,
        series: str | None = None,
    ) -> Job:
        """Put a command into the queue, to be run at `due_at` (default: now) or after.

        Where there is a job of this `key`, in whatever state, or one waits whose key begins with `series`,
        that one is returned and nothing is added.
        """
        with self._transaction():
            now = datetime.now(UTC)
            return jobs.enqueue(
                *(self._con, command, now),
                key=key, due_at=due_at, most_attempts=most_attempts, series=series,
            )  # fmt: skip

    def take_job(self, worker: str, lease_s: float) -> Job | None:
        """The next job that is due, for this worker alone as long as it renews the lease; None if none is."""
        with self._transaction():
            return jobs.take(self._con, worker, datetime.now(UTC), lease_s)

    def beat_job(self, number: int, lease: str, lease_s: float, lines: Sequence[str] = ()) -> Order:
        """Renew a job's lease and keep what it told; whether to go on, to stop, or that the lease is lost."""
        with self._transaction():
            return jobs.beat(self._con, number, lease, datetime.now(UTC), lease_s, lines)

    def end_job(
        self,
        number: int,
        lease: str,
        exit_code: int,
        result: str = "",
        message: str = "",
        failed: bool = False,
        again: bool = False,
        lines: Sequence[str] = (),
    ) -> bool:
        """Note how a job ended; one that `failed` is tried again later if `again` and attempts are left.

        False if the lease was lost: then nothing is noted.
        """
        with self._transaction():
            now = datetime.now(UTC)
            return jobs.end(
                *(self._con, number, lease, now),
                exit_code=exit_code, result=result, message=message, failed=failed, again=again, lines=lines,
            )  # fmt: skip

    def cancel_job(self, number: int) -> Job:
        """Take a job out of the queue, or have the worker that runs it stop it.

        Raises DataError for an unknown job and one that is over.
        """
        with self._transaction():
            return jobs.cancel(self._con, number, datetime.now(UTC))

    def jobs(self) -> tuple[Job, ...]:
        """All jobs, the newest first."""
        return jobs.listed(self._con)

    def job(self, number: int) -> Job:
        """One job. Raises DataError when there is none of this number."""
        return jobs.find(self._con, number)

    def job_lines(self, number: int) -> tuple[JobLine, ...]:
        """What a job told while it was at work, oldest first. Raises DataError for an unknown job."""
        with one_moment(self._con):
            jobs.find(self._con, number)
            return jobs.lines(self._con, number)

    def keep_recalibration(
        self,
        look: Look,
        as_of: datetime,
        verdict: str,
        told: str,
        new: NewModel | None = None,
        learnt: Learnt | None = None,
        who: str = "",
    ) -> RecalibrationInfo:
        """Enter a run of a recalibration, with the challenger, what it was learnt from and its promotion: all
        of it, or nothing. `told` is the report as JSON.

        Raises DataError where another version became champion since the run began.
        """
        with self._transaction():
            if learnt is not None:
                snapshots.keep(self._con, self.path, learnt.snapshot, learnt.report, learnt.open_rule)
            by = By(who, f"recalibration: {verdict}", datetime.now(UTC))
            return recalibrations.keep(self._con, look, as_of, verdict, told, new, by)

    def recalibration_of(self, look: Look) -> RecalibrationInfo | None:
        """The last run that looked at the same, if there was one."""
        return recalibrations.found(self._con, look)

    def recalibrations(self, twin: str | None = None) -> tuple[RecalibrationInfo, ...]:
        """All runs, or those of one twin, oldest first."""
        return recalibrations.listed(self._con, twin)

    def keep_backtest(self, tried: Tried, told: str, learnt: Learnt) -> KeptBacktest:
        """Keep what a backtest found, with the snapshot of the log that it rests on; `told` is the report as
        JSON."""
        with self._transaction():
            snapshots.keep(self._con, self.path, learnt.snapshot, learnt.report, learnt.open_rule)
            return backtests.keep(self._con, tried, told, datetime.now(UTC))

    def backtests(self, twin: str | None = None) -> tuple[KeptBacktest, ...]:
        """All kept backtests, or those of a twin by its name, oldest first."""
        return backtests.listed(self._con, twin)

    def backtest(self, number: int) -> KeptBacktest:
        """One kept backtest. Raises DataError when there is none of this number."""
        return backtests.find(self._con, number)

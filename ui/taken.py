"""A log that the pages take: the work, done in a job, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eventlogs.quality.quality import QualityReport
from eventlogs.report import ImportReport
from twin.imports import mend_command, quality_command, quarantined_command, take_command
from twin.progress import Progress
from twin.source import LogRequest


@dataclass(frozen=True, slots=True)
class Taken:
    """A log after it was taken."""

    report: ImportReport
    quality: QualityReport


def take(request: LogRequest, quarantined: Path, progress: Progress) -> Taken:
    """Take a file, judge the log, and write the rows that were set aside, if any, to `quarantined`."""
    return _judged(take_command(request, None, progress.part(0.0, 0.6)), request.db, quarantined, progress)


def mend(db: str, log: str, fixed: Path, quarantined: Path, progress: Progress) -> Taken:
    """Take a log again with the rows corrected in `fixed`; what is still set aside goes to `quarantined`."""
    report = mend_command(db, log, fixed, None, progress.part(0.0, 0.6))
    return _judged(report, db, quarantined, progress)


def _judged(report: ImportReport, db: str, quarantined: Path, progress: Progress) -> Taken:
    judged = quality_command(LogRequest(report.log, db), progress.part(0.6, 0.9))
    if report.rows_quarantined:
        quarantined_command(db, report.log, quarantined)
    progress.step("done", 1.0)
    return Taken(report, judged)

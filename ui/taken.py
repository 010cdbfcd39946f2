"""A log that the pages take: the work, done in a job, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eventlogs.quality.quality import QualityReport
from eventlogs.report import ImportReport
from twin.imports import quality_command, quarantined_command, take_command
from twin.progress import Progress
from twin.source import LogRequest


@dataclass(frozen=True, slots=True)
class Taken:
    """A log after it was taken."""

    report: ImportReport
    quality: QualityReport


def take(request: LogRequest, quarantined: Path, progress: Progress) -> Taken:
    """Take a file, judge the log, and write the rows that were set aside, if any, to `quarantined`."""
    report = take_command(request, None, progress.part(0.0, 0.6))
    of_log = LogRequest(report.log, request.db)
    judged = quality_command(of_log, progress.part(0.6, 0.9))
    if report.rows_quarantined:
        quarantined_command(request.db, report.log, quarantined)
    progress.step("done", 1.0)
    return Taken(report, judged)

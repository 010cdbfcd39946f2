"""Files taken into the database as logs: looked at, taken, undone, mended and forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError, UsageError
from twin.files import check_writable
from twin.progress import Progress
from twin.source import LogRequest, opened, take_file

if TYPE_CHECKING:
    from eventlogs.historian import Historian
    from eventlogs.keeping.forgetting import Forgotten
    from eventlogs.keeping.retention import Archive
    from eventlogs.keeping.undoing import Dropped, ImportInfo, Undone
    from eventlogs.live.account import LiveEvents
    from eventlogs.quality.quality import QualityReport
    from eventlogs.report import ImportReport
    from eventlogs.taking.looked import Look


def look_command(request: LogRequest, progress: Progress) -> Look:
    """How the file would be read. Raises DataError when it can't be read at all."""
    from eventlogs.taking.looking import LookOptions, look

    progress.step("reading", 0.0)
    options = LookOptions(
        *(request.mapping, request.time_format, request.time_zone, request.decimal, request.object_type)
    )
    return look(Path(request.log), options)


def take_command(request: LogRequest, name: str | None, progress: Progress) -> ImportReport:
    """Take the file into the database; the report says what was found."""
    with _historian(request.db, progress, new=True) as historian:
        return take_file(historian, request, name, progress.step)


def quality_command(request: LogRequest, progress: Progress) -> QualityReport:
    """What is doubtful in a log; a file is taken first."""
    with opened(request, progress.part(0.0, 0.5).step, _waiting(progress)) as (historian, name):
        progress.step("judging", 0.5)
        return historian.quality(name, request.until)


@dataclass(frozen=True, slots=True)
class ListedLog:
    """A log of the database with its history."""

    name: str
    cases: int
    executions: int
    first: datetime
    last: datetime
    imports: tuple[ImportInfo, ...]
    """Latest first; none for a log of live events alone."""
    live: LiveEvents
    live_executions: int


def list_command(db: str) -> tuple[ListedLog, ...]:
    """Every log by name, with all its imports."""
    with _historian(db, read_only=True) as historian:
        return listed(historian)


def listed(historian: Historian) -> tuple[ListedLog, ...]:
    """Every log that the historian holds, by name."""
    return tuple(
        ListedLog(
            *(info.name, r.cases, r.events, r.first, r.last, _imports(historian, info.name)),
            *(info.live, info.live_executions),
        )
        for info in historian.logs()
        for r in (info.report,)
    )


def _imports(historian: Historian, name: str) -> tuple[ImportInfo, ...]:
    try:
        return historian.imports(name)
    except DataError:  # Live events alone.
        return ()


def undo_command(db: str, name: str) -> Undone:
    """Take back a log's current import."""
    with _historian(db) as historian:
        return historian.undo_import(name)


def restore_command(db: str, name: str, number: int) -> ImportInfo:
    """Make an import of a log's history current again."""
    with _historian(db) as historian:
        return historian.restore_import(name, number)


@dataclass(frozen=True, slots=True)
class SetAside:
    """What of a log was set aside, and where it was written to."""

    log: str
    rows: int
    """Of its import."""
    out: Path | None
    events: int
    """Live events."""
    events_out: Path | None


def quarantined_command(db: str, name: str, out: Path) -> SetAside:
    """Write the rows that were set aside to `out`, the live events to OUT.live.csv beside it."""
    beside = out.with_name(f"{out.stem}.live{out.suffix}")
    check_writable(out)
    with _historian(db, read_only=True) as historian:
        events = historian.export_set_aside_events(name, beside)
        reports = [info.report for info in historian.logs() if info.name == name]
        imported = any(report.mapping and report.rows_quarantined for report in reports)
        rows = historian.export_quarantine(name, out) if imported or not events else 0
    return SetAside(name, rows, out if rows else None, events, beside if events else None)


def mend_command(db: str, name: str, fixed: Path, original: Path | None, progress: Progress) -> ImportReport:
    """Take a log's file again with the rows as they were corrected."""
    with _historian(db, progress) as historian:
        return historian.mend(name, fixed, original, progress.step)


def retain_command(db: str, name: str, days: float) -> Archive:
    """Move closed cases without an event for so many days out of the database."""
    with _historian(db) as historian:
        return historian.retain(name, days)


def forget_command(
    db: str, case: str | None, person: str | None, superseded: str | None
) -> Forgotten | Dropped:
    """Delete what exactly one of the three names. Raises UsageError for none or several."""
    if sum(wanted is not None for wanted in (case, person, superseded)) != 1:
        raise UsageError("import forget: give one of --case ID, --person NAME and --superseded LOG")
    with _historian(db) as historian:
        if superseded is not None:
            return historian.drop_superseded(superseded)
        return historian.forget_case(case) if case is not None else historian.forget_person(str(person))


def _waiting(progress: Progress) -> Callable[[str], None]:
    return lambda text: progress.step(text, 0.0)


def _historian(
    db: str, progress: Progress | None = None, *, read_only: bool = False, new: bool = False
) -> Historian:
    """The database's historian. Raises DataError if there is no such file, unless it may be `new`."""
    from eventlogs.owner.opening import open_historian

    if not new and not Path(db).exists():
        raise DataError(f"{db}: no such database; take a log first, or name the file with --db")
    return open_historian(db, read_only, on_wait=_waiting(progress or Progress()))

"""The imports of each log: which one is current, and taking the next one in."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs.keeping.undoing import make_current, was_undone
from eventlogs.live.account import LiveEvents, live_events, live_only, with_live
from eventlogs.readers.archives import identify, open_bytes
from eventlogs.readers.staging import Staged
from eventlogs.report import ImportReport
from eventlogs.taking.importing import clear, take
from eventlogs.taking.parsing import BadRows, TakeOptions
from metagraph.errors import DataError

PARSER_VERSION = 2

Progress = Callable[[str, float], None]
"""Called with what is being done and the share done so far, 0 to 1."""


@dataclasses.dataclass(frozen=True, slots=True)
class LogInfo:
    """One log the database holds."""

    name: str
    imported_at: datetime
    report: ImportReport
    live: LiveEvents
    live_executions: int
    """Executions that live events make; the report counts them only where there is no import."""


def listed(con: DuckDBPyConnection) -> tuple[LogInfo, ...]:
    """The logs by name, each with the report of its current import and its live events."""
    rows = con.execute(
        "SELECT log, arg_min(imported_at, kind) FROM uploads WHERE NOT superseded GROUP BY log ORDER BY log"
    ).fetchall()
    executions = dict(
        con.execute("SELECT log, count(*) FROM log_executions WHERE live GROUP BY log").fetchall()
    )
    return tuple(
        LogInfo(log, at, current(con, log)[1], live_events(con, log), executions.get(log, 0))
        for log, at in rows
    )


def current(con: DuckDBPyConnection, name: str) -> tuple[int, ImportReport]:
    """Id and report of the import that a log's name means, or of its live events if there is none.

    The executions of both are in the view log_executions. Raises DataError naming the logs there are.
    """
    require(con, name)
    found = con.execute(
        "SELECT kind, id, report FROM uploads WHERE log = ? AND NOT superseded ORDER BY kind", [name]
    ).fetchall()
    kind, upload, text = found[0]
    if kind == "live":
        return upload, live_only(con, name)
    report = ImportReport.from_json(text)
    return upload, with_live(con, name, report) if len(found) > 1 else report


def require(con: DuckDBPyConnection, name: str) -> None:
    """Raise DataError naming the logs there are, unless `name` is one of them."""
    rows = con.execute("SELECT DISTINCT log FROM uploads WHERE NOT superseded ORDER BY log").fetchall()
    if (name,) not in rows:
        known = ", ".join(repr(log) for (log,) in rows) or "none"
        raise DataError(f"there is no log {name!r} in the database; it holds: {known}")


def meant_by(con: DuckDBPyConnection, name: str) -> list[tuple[int]]:
    """Ids of what a log's name means now: its current import and its live events, as far as it has them."""
    return con.execute(
        "SELECT id FROM uploads WHERE log = ? AND NOT superseded ORDER BY id", [name]
    ).fetchall()


@dataclasses.dataclass(frozen=True, slots=True)
class Before:
    """How a content was read last."""

    log: str
    at: datetime
    options: TakeOptions

    def sentence(self) -> str:
        """For who takes it under another name."""
        options = self.options
        columns = ", ".join(f"{role}={column}" for role, column in options.mapping.by_role().items())
        aside = ", unusable rows set aside" if options.on_bad_rows == "quarantine" else ""
        return (
            f"The same content was taken as log {self.log!r} at {self.at:%Y-%m-%d %H:%M} UTC, and was read "
            f"as it was then: {columns}, times without a zone as {options.tz or 'UTC'}{aside}; give --map or "
            "--tz to have it read otherwise."
        )


def before(con: DuckDBPyConnection, content_hash: str, name: str) -> Before | None:
    """How the same content was read last, as log `name` or else under any name."""
    found = con.execute(
        "SELECT log, imported_at, options, report FROM uploads WHERE content_hash = ? "
        "ORDER BY log <> ?, superseded, id DESC LIMIT 1",
        [content_hash, name],
    ).fetchall()
    if not found:
        return None
    log, at, options, report = found[0]
    return Before(log, at, TakeOptions.from_json(options, ImportReport.from_json(report).confidence))


def object_type_before(con: DuckDBPyConnection, path: Path, name: str) -> str | None:
    """The object type with which the content of an object-centric log was taken last, as `before` tells."""
    if identify(path).kind not in ("json", "sqlite"):
        return None
    with open_bytes(path) as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    known = before(con, digest, name)
    return known.options.object_type if known else None


def take_in(
    con: DuckDBPyConnection, staged: Staged, name: str, options: TakeOptions, say: Progress
) -> ImportReport:
    """Make the staged file the current import of log `name`, inside the caller's transaction.

    The same content with the same options is taken only once; how bad rows are treated makes no difference
    where there are none. The report returned, not the one kept, says what it replaces. Raises as
    `importing.take` does.
    """
    replaced = _replaced(con, staged, name)
    known = con.execute(
        "SELECT id, superseded, report FROM uploads WHERE log = ? AND content_hash = ? "
        "AND parser_version = ? AND (options = ? OR options = ? AND report->>'rows_quarantined' = '0') "
        "ORDER BY superseded, id DESC",
        [name, staged.content_hash, PARSER_VERSION, options.to_json(), _other_way(options).to_json()],
    ).fetchall()
    if known:
        clear(con)
        upload, superseded, text = known[0]
        report = ImportReport.from_json(text)
        if superseded:
            how = "undone" if was_undone(con, upload) else "superseded"
            make_current(con, name, upload)
            again = (
                f"The same content had been taken before and {how}; it is current again, nothing was read."
            )
            return dataclasses.replace(report, notes=(again, *replaced, *report.notes))
        return dataclasses.replace(report, already_known=True)
    say("parsing", 0.4)
    upload = con.execute("SELECT nextval('upload_ids')").fetchall()[0][0]
    report = take(con, staged, name, upload, options)
    clear(con)
    say("keeping", 0.9)
    con.execute(
        "INSERT INTO uploads (id, log, source, content_hash, options, parser_version, report, superseded, "
        "imported_at) VALUES (?, ?, ?, ?, ?, ?, ?, true, ?)",
        [
            *(upload, name, staged.source, staged.content_hash, options.to_json(), PARSER_VERSION),
            *(report.to_json(), datetime.now(UTC)),
        ],
    )
    make_current(con, name, upload)
    return dataclasses.replace(report, notes=(*replaced, *report.notes))


def _other_way(options: TakeOptions) -> TakeOptions:
    """The options with bad rows treated the other way."""
    other: BadRows = "refuse" if options.on_bad_rows == "quarantine" else "quarantine"
    return dataclasses.replace(options, on_bad_rows=other)


def _replaced(con: DuckDBPyConnection, staged: Staged, name: str) -> tuple[str, ...]:
    """What is to be said of the import that a log's name means so far, if there is one."""
    found = con.execute(
        "SELECT u.source, max(t.taken_at) FROM uploads u JOIN takings t ON t.upload_id = u.id "
        "WHERE u.log = ? AND u.kind = 'import' AND NOT u.superseded AND NOT t.undone GROUP BY u.source",
        [name],
    ).fetchall()
    if not found:
        return ()
    source, at = found[0]
    said = (
        f"It replaces the import of {source} of {at:%Y-%m-%d %H:%M} UTC as log {name!r} ('tracetwin import "
        f"undo {shlex.quote(name)}' brings that back)."
    )
    if source == staged.source:
        return (said,)
    return (f"{said} To have both as logs, undo it and take this file under another name with --log.",)

"""The history of a log's imports, walked back one import at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from duckdb import DuckDBPyConnection

from eventlogs.live.standing import refresh
from eventlogs.report import ImportReport
from metagraph.errors import DataError

State = Literal["current", "superseded", "undone"]

_OF_UPLOADS = ("events", "case_attributes", "quarantine", "fixes")
"""Tables whose rows belong to an import."""


@dataclass(frozen=True, slots=True)
class ImportInfo:
    """One time that a log's name came to mean an import."""

    id: int
    """Later ones have higher numbers; the same import taken again has a new one."""
    log: str
    taken_at: datetime
    source: str
    content_hash: str
    options: str
    """JSON: mapping, time format, zone, treatment of bad rows."""
    rows: int
    """Rows read."""
    executions: int
    mended: int
    """Rows that were mended by hand."""
    state: State

    def read_as(self) -> str:
        """Zone, columns and the rest of the options in words."""
        options = json.loads(self.options)
        mapping = options["mapping"]
        columns = {**mapping, **mapping["of_case"]}
        said = [f"{role}={column}" for role, column in columns.items() if column and role != "of_case"]
        said.append(options["tz"] or "UTC assumed")
        said += [str(options[key]) for key in ("time_format", "object_type") if options.get(key)]
        said += ["bad rows set aside"] if options["on_bad_rows"] == "quarantine" else []
        said += [f"{self.mended} mended"] if self.mended else []
        return ", ".join(said)


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing an import did."""

    undone: ImportInfo
    current: ImportInfo | None
    """What the log's name means now; None: no import."""
    live: bool = False
    """The log has live events, which stay."""

    def sentence(self) -> str:
        what = f"The import of {self.undone.source} as log {self.undone.log!r} was undone"
        if self.current is None and self.live:
            return f"{what}; it was the only one, so the log now consists of its live events."
        if self.current is None:
            return f"{what}; it was the only one, so there is no such log now."
        at = f"{self.current.taken_at:%Y-%m-%d %H:%M} UTC"
        return f"{what}; the log is the import of {self.current.source} of {at} again."


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was removed for good."""

    imports: int
    executions: int


def make_current(con: DuckDBPyConnection, name: str, upload: int) -> None:
    """Let a log's name mean this import from now on."""
    con.execute(
        "INSERT INTO takings (log, upload_id, taken_at, undone) VALUES (?, ?, ?, false)",
        [name, upload, datetime.now(UTC)],
    )
    _point(con, name, upload)


def imports(con: DuckDBPyConnection, name: str) -> tuple[ImportInfo, ...]:
    """The history of a log, latest first. Raises DataError when nothing was ever taken under this name."""
    rows = con.execute(
        "SELECT t.id, t.log, t.taken_at, u.source, u.content_hash, u.options, u.report, "
        "(SELECT count(*) FROM fixes f WHERE f.upload_id = u.id), t.undone "
        "FROM takings t JOIN uploads u ON u.id = t.upload_id WHERE t.log = ? ORDER BY t.id DESC",
        [name],
    ).fetchall()
    if not rows and _has_live(con, name):
        raise DataError(f"log {name!r} consists of its live events alone; nothing was imported as that log")
    if not rows:
        known = (
            ", ".join(
                repr(row[0])
                for row in con.execute("SELECT DISTINCT log FROM takings ORDER BY log").fetchall()
            )
            or "none"
        )
        raise DataError(f"nothing was ever imported as log {name!r}; imported logs: {known}")
    current = _current_taking(con, name)
    found = []
    for number, log, at, source, content, options, text, mended, undone in rows:
        state: State = "undone" if undone else "current" if number == current else "superseded"
        report = ImportReport.from_json(text)
        found.append(
            ImportInfo(
                *(number, log, at, source, content, options, report.rows_read, report.events, mended, state)
            )
        )
    return tuple(found)


def undo(con: DuckDBPyConnection, name: str) -> Undone:
    """Take back the import that a log's name means; the one before it is current again, if there is one.

    Nothing is removed, so the same file can be taken again at once. Raises DataError when there is no such
    log, or none of its imports is current.
    """
    before = imports(con, name)
    taken_back = next((info for info in before if info.state == "current"), None)
    if taken_back is None:
        raise DataError(
            f"every import of log {name!r} is undone already; take its file again to have it back"
        )
    con.execute("UPDATE takings SET undone = true WHERE id = ?", [taken_back.id])
    taking = _current_taking(con, name)
    _point(con, name, None if taking is None else _upload_of(con, taking))
    after = {info.id: info for info in imports(con, name)}
    return Undone(after[taken_back.id], None if taking is None else after[taking], _has_live(con, name))


def restore(con: DuckDBPyConnection, name: str, number: int) -> ImportInfo:
    """Make an import of a log's history current again, also one that was undone or mended.

    Raises DataError when the history has no such number.
    """
    history = imports(con, name)
    if all(info.id != number for info in history):
        known = ", ".join(str(info.id) for info in history)
        raise DataError(f"log {name!r} has no import {number}; its imports are {known}")
    if all(info.id != number or info.state != "current" for info in history):
        make_current(con, name, _upload_of(con, number))
    return next(info for info in imports(con, name) if info.state == "current")


def drop_superseded(con: DuckDBPyConnection, name: str) -> Dropped:
    """Remove every import of a log but the current one for good; they can't come back then.

    Raises DataError when nothing was ever taken under this name.
    """
    imports(con, name)
    old = [
        row[0]
        for row in con.execute(
            "SELECT id FROM uploads WHERE log = ? AND superseded AND kind = 'import'", [name]
        ).fetchall()
    ]
    executions = con.execute(
        "SELECT count(*) FROM events WHERE upload_id IN (SELECT unnest(?::INTEGER[]))", [old]
    ).fetchall()[0][0]
    remove(con, old)
    con.execute("DELETE FROM takings WHERE log = ? AND id <> ?", [name, _current_taking(con, name) or 0])
    return Dropped(len(old), executions)


def remove(con: DuckDBPyConnection, uploads: list[int]) -> None:
    """Delete these imports with everything that is theirs."""
    for table in (*_OF_UPLOADS, "takings"):
        con.execute(f"DELETE FROM {table} WHERE upload_id IN (SELECT unnest(?::INTEGER[]))", [uploads])
    con.execute("DELETE FROM uploads WHERE id IN (SELECT unnest(?::INTEGER[]))", [uploads])


def was_undone(con: DuckDBPyConnection, upload: int) -> bool:
    """Whether the import was last taken back, not superseded."""
    return bool(
        con.execute(
            "SELECT undone FROM takings WHERE upload_id = ? ORDER BY id DESC LIMIT 1", [upload]
        ).fetchall()[0][0]
    )


def _has_live(con: DuckDBPyConnection, name: str) -> bool:
    """Whether a log's name means live events, beside an import or alone."""
    return bool(
        con.execute(
            "SELECT EXISTS (FROM uploads WHERE log = ? AND kind = 'live' AND NOT superseded)", [name]
        ).fetchall()[0][0]
    )


def _current_taking(con: DuckDBPyConnection, name: str) -> int | None:
    found = con.execute("SELECT max(id) FROM takings WHERE log = ? AND NOT undone", [name]).fetchall()
    return found[0][0]  # type: ignore[no-any-return]


def _upload_of(con: DuckDBPyConnection, taking: int) -> int:
    return int(con.execute("SELECT upload_id FROM takings WHERE id = ?", [taking]).fetchall()[0][0])


def _point(con: DuckDBPyConnection, name: str, upload: int | None) -> None:
    con.execute(
        "UPDATE uploads SET superseded = (id IS DISTINCT FROM ?) WHERE log = ? AND kind = 'import'",
        [upload, name],
    )
    refresh(con, name)

"""Rows that were set aside, out as CSV and in again once somebody mended them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs import uploads
from eventlogs.keeping.csv_files import write_csv
from eventlogs.readers.read import read
from eventlogs.readers.staging import AS_IT_STOOD, Staged
from eventlogs.report import ImportReport
from eventlogs.taking.parsing import TakeOptions
from eventlogs.uploads import Progress
from metagraph.errors import DataError

_Fields = Mapping[str, str | None]


def export(con: DuckDBPyConnection, name: str, path: Path) -> int:
    """Write a log's quarantined rows to a CSV file; returns how many there are.

    Columns: `row` (of the file, from 1), `reason`, then the file's own with their text exactly as it was
    read; where the file has such a column itself, ours is called `quarantined row` or `quarantined reason`.
    Raises DataError when there is no such log or nothing was quarantined.
    """
    upload, report = uploads.current(con, name)
    rows = _quarantined(con, upload)
    if not rows:
        raise DataError(f"log {name!r} has no quarantined rows, so there is nothing to export")
    columns = _columns(report, rows)
    if any(AS_IT_STOOD in fields for _, _, fields in rows):
        columns = (*columns, AS_IT_STOOD)
    write_csv(
        *(path, (*_headings(columns), *columns)),
        ([row, reason, *(fields.get(c) for c in columns)] for row, reason, fields in rows),
    )
    return len(rows)


def quarantined(con: DuckDBPyConnection, name: str) -> list[tuple[int, str, str]]:
    """Row, reason and JSON of every row of a log that was set aside. Raises DataError for an unknown log."""
    return _set_aside(con, uploads.current(con, name)[0])


def mend(
    con: DuckDBPyConnection, name: str, fixed: Path, original: Path | None, say: Progress
) -> ImportReport:
    """Take a log's file again with the mended rows laid over it, inside the caller's transaction.

    `fixed` is a file as `export` writes it; rows missing from it, and those still bad, stay quarantined. The
    file is read from where it was or from `original`, and must have the content that was taken then. Raises
    DataError naming what doesn't fit: the file, a row, a column.
    """
    upload, before = uploads.current(con, name)
    if con.execute("SELECT deleted_from FROM uploads WHERE id = ?", [upload]).fetchall()[0][0]:
        raise DataError(
            f"log {name!r} had cases moved out or deleted since it was taken, which its file still holds; "
            "take a file without them instead of mending this one"
        )
    earlier = _fixes_before(con, upload)
    fixes, repeated = _read_fixes(con, fixed, before, _quarantined(con, upload), earlier)
    say("reading", 0.1)
    staged = _staged_again(con, upload, before, original)
    fixes = {row: dict(versions[0]) for row, versions in earlier.items()} | fixes
    staged = _lay_over(con, staged, fixes)
    text = json.dumps(sorted(fixes.items()), ensure_ascii=False, sort_keys=True)
    both = hashlib.sha256(f"{staged.content_hash}\n{text}".encode()).hexdigest()
    report = uploads.take_in(
        con, dataclasses.replace(staged, content_hash=both), name, _options(con, upload, before), say
    )
    mended, _ = uploads.current(con, name)
    con.execute("UPDATE uploads SET original_hash = ? WHERE id = ?", [staged.content_hash, mended])
    con.execute("DELETE FROM fixes WHERE upload_id = ?", [mended])
    con.executemany(
        "INSERT INTO fixes VALUES (?, ?, ?)",
        [[mended, row, json.dumps(fields, ensure_ascii=False)] for row, fields in fixes.items()],
    )
    if not repeated:
        return report
    rows = "1 row was" if repeated == 1 else f"{repeated} rows were"
    said = f"{rows} mended before and not changed in {fixed} since; what was mended then stays."
    return dataclasses.replace(report, notes=(said, *report.notes))


def _fixes_before(con: DuckDBPyConnection, upload: int) -> dict[int, list[_Fields]]:
    """Each row that was mended before: as it was mended, then as it was set aside in other imports."""
    found: dict[int, list[_Fields]] = {}
    for row, raw in con.execute(
        """
        SELECT row, raw FROM (
            SELECT 0 AS age, row, raw FROM fixes WHERE upload_id = $upload
            UNION ALL
            SELECT 1, q.row, q.raw FROM quarantine q
            JOIN uploads u ON u.id = q.upload_id
            JOIN uploads mended ON mended.id = $upload
                AND mended.original_hash IN (u.content_hash, u.original_hash)
            SEMI JOIN fixes f ON f.upload_id = $upload AND f.row = q.row
        ) ORDER BY age
        """,
        {"upload": upload},
    ).fetchall():
        found.setdefault(row, []).append(json.loads(raw))
    return found


def _quarantined(con: DuckDBPyConnection, upload: int) -> list[tuple[int, str, _Fields]]:
    return [(row, reason, json.loads(raw)) for row, reason, raw in _set_aside(con, upload)]


def _set_aside(con: DuckDBPyConnection, upload: int) -> list[tuple[int, str, str]]:
    return con.execute(
        "SELECT row, reason, raw FROM quarantine WHERE upload_id = ? ORDER BY row", [upload]
    ).fetchall()


def _columns(report: ImportReport, rows: Sequence[tuple[int, str, _Fields]]) -> tuple[str, ...]:
    """The file's columns as far as anything of them was kept; a broken row alone may lack some."""
    kept = (*report.mapping.values(), *report.case_attributes, *report.event_attributes)
    names = dict.fromkeys((*(key for _, _, fields in rows for key in fields), *kept))
    return tuple(name for name in names if name != AS_IT_STOOD)


def _headings(columns: Sequence[str]) -> tuple[str, str]:
    row, reason = (name if name not in columns else f"quarantined {name}" for name in ("row", "reason"))
    return row, reason


def _read_fixes(
    con: DuckDBPyConnection,
    fixed: Path,
    report: ImportReport,
    rows: list[tuple[int, str, _Fields]],
    earlier: Mapping[int, list[_Fields]],
) -> tuple[dict[int, dict[str, str | None]], int]:
    """The mended fields by row, and how many rows were mended before and are unchanged.

    Raises DataError for what can't be told to be a quarantined row, or mends one otherwise than before.
    """
    if not rows:
        raise DataError(f"log {report.log!r} has no quarantined rows, so there is nothing to mend")
    known = {row: fields for row, _, fields in rows}
    columns = _columns(report, rows)
    staged = read(con, fixed)
    for column in (_headings(columns)[0], *columns):
        if column not in staged.columns:
            raise DataError(
                f"{fixed}: column {column!r} is missing; export the rows again and keep every column"
            )
    wanted = ", ".join(staged.column(column) for column in columns)
    number = staged.column(_headings(columns)[0])
    fixes: dict[int, dict[str, str | None]] = {}
    repeated = set()
    for place, text, *values in con.execute(
        f"SELECT row, {number}, {wanted} FROM staging ORDER BY row"
    ).fetchall():
        row = int(text) if text and text.strip().isdecimal() else None
        if row in repeated or row in fixes:
            raise DataError(f"{staged.place(place)}: row {row} stands twice in the file; keep one of them")
        told = dict(zip(columns, values, strict=True))
        if row is not None and row in earlier and row not in known:
            if all(_differs(_mended(version, told), version) for version in earlier[row]):
                raise DataError(
                    f"{staged.place(place)}: row {row} was mended before, and otherwise; leave it out of the "
                    "file, or undo that import first"
                )
            repeated.add(row)
            continue
        if row not in known:
            raise DataError(
                f"{staged.place(place)}: row {text!r} is not among the quarantined rows of log "
                f"{report.log!r}; leave the row numbers as they were exported"
            )
        fixes[row] = _mended(known[row], told)
    changed = {row: fields for row, fields in fixes.items() if _differs(fields, known[row])}
    if not changed:
        raise DataError(f"{fixed}: no row differs from what was set aside; mend some of them first")
    return changed, len(repeated)


def _mended(before: _Fields, after: Mapping[str, str | None]) -> dict[str, str | None]:
    """The row as it is now; CSV can't tell an empty text from none, so that is no change."""
    return {
        column: before.get(column) if (text or "") == (before.get(column) or "") else text
        for column, text in after.items()
    }


def _differs(after: _Fields, before: _Fields) -> bool:
    return any(text != before.get(column) for column, text in after.items())


def _staged_again(
    con: DuckDBPyConnection, upload: int, before: ImportReport, original: Path | None
) -> Staged:
    """The file that was taken, read again. Raises DataError when it is gone or no longer the same."""
    expected, object_type = con.execute(
        "SELECT coalesce(original_hash, content_hash), options->>'object_type' FROM uploads WHERE id = ?",
        [upload],
    ).fetchall()[0]
    file = original or Path(before.source)
    if not file.exists():
        raise DataError(f"{file}, from which log {before.log!r} was taken, is not there; say where it is")
    staged = read(con, file, object_type)
    if staged.content_hash != expected:
        raise DataError(
            f"{file} is not the file that log {before.log!r} was taken from: its content differs; give that "
            "one, or take this one anew"
        )
    return dataclasses.replace(staged, source=before.source)


def _lay_over(con: DuckDBPyConnection, staged: Staged, fixes: Mapping[int, _Fields]) -> Staged:
    """The staged file with these rows as they were mended."""
    import pyarrow as pa

    columns = [
        pa.array([fields.get(name) for fields in fixes.values()], pa.string()) for name in staged.columns
    ]
    names = [staged.column(name) for name in staged.columns]
    con.register("mended", pa.table([pa.array(fixes, pa.int64()), *columns], names=["row", *names]))
    changes = ", ".join(f"{column} = mended.{column}" for column in names)
    con.execute(f"UPDATE staging SET {changes} FROM mended WHERE staging.row = mended.row")
    con.execute("INSERT INTO staging BY NAME SELECT * FROM mended WHERE row IN (SELECT row FROM broken)")
    told = con.execute("DELETE FROM broken WHERE row IN (SELECT row FROM mended)").fetchall()[0][0]
    con.unregister("mended")
    return dataclasses.replace(staged, broken=staged.broken - told)


def _options(con: DuckDBPyConnection, upload: int, before: ImportReport) -> TakeOptions:
    text = con.execute("SELECT options FROM uploads WHERE id = ?", [upload]).fetchall()[0][0]
    return TakeOptions.from_json(text, before.confidence)

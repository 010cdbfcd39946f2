"""Databases as earlier versions left them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from eventlogs.historian import Historian
from eventlogs.keeping import migrating
from eventlogs.report import ImportReport
from tests.eventlogs.logs import T0

FIRST = Path(migrating.__file__).parent / "migrations" / "0001_logs_and_models.sql"
ROWS = 3
OPTIONS = frozenset({"mapping", "on_bad_rows", "time_format", "tz"})
REPORT = frozenset(
    {
        *("log", "source", "content_hash", "mapping", "confidence", "time_formats", "tz", "zoneless_stamps"),
        *("rows_read", "rows_kept", "rows_ignored", "rows_quarantined", "quarantined", "cases", "events"),
        *("activities", "first", "last", "single_timestamp", "transitions", "completed_without_start"),
        *("running", "missing_resources", "duplicates", "case_attributes", "event_attributes", "notes"),
        "already_known",
    }
)
"""What options and reports of version 1 told."""


def version_one(path: Path, imports: int = 2) -> Path:
    """A file of schema 1 with log `log` imported several times, each time with a case more, and a twin."""
    with duckdb.connect(str(path)) as con:
        con.execute(FIRST.read_text(encoding="utf-8"))
        con.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        con.execute("INSERT INTO schema_version VALUES (1)")
        for number in range(1, imports + 1):
            fill(con, number, current=number == imports)
        con.execute("INSERT INTO models VALUES ('t', 1, ?, '{}', '', true, NULL, NULL)", [T0])
    return path


def fill(con: duckdb.DuckDBPyConnection, number: int, *, current: bool) -> None:
    upload = con.execute("SELECT nextval('upload_ids')").fetchall()[0][0]
    con.execute(
        "INSERT INTO uploads VALUES (?, 'log', ?, ?, '{}', 1, ?, ?, ?)",
        [upload, f"{number}.csv", f"hash{number}", report(number).to_json(), not current, datetime.now(UTC)],
    )
    con.execute(
        "INSERT INTO events SELECT ?, row, (row % ?)::VARCHAR, 'A', 'r', ? + row * 1000000, "
        "? + row * 1000000, NULL FROM range(1, ?) t(row)",
        [upload, number, *[int(T0.timestamp()) * 1_000_000] * 2, ROWS * number + 1],
    )


def report(number: int) -> ImportReport:
    return ImportReport(
        log="log",
        source=f"{number}.csv",
        content_hash=f"hash{number}",
        mapping={"case": "case_id", "activity": "activity", "start": "start", "end": "end"},
        confidence={},
        time_formats={},
        tz="UTC",
        zoneless_stamps=0,
        rows_read=ROWS * number,
        rows_kept=ROWS * number,
        rows_ignored=0,
        rows_quarantined=0,
        quarantined={},
        cases=number,
        events=ROWS * number,
        activities=1,
        first=T0,
        last=T0 + timedelta(seconds=ROWS * number),
        single_timestamp=False,
        transitions={},
        completed_without_start=0,
        running=0,
        missing_resources=0,
        duplicates=0,
        case_attributes=(),
        event_attributes=(),
        notes=(),
    )


def as_version_one(path: Path, historian: Historian) -> Path:
    """A file of schema 1 that holds the same imports, as that version entered them."""
    now = historian._con
    with duckdb.connect(str(path)) as con:
        con.execute(FIRST.read_text(encoding="utf-8"))
        con.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
        con.execute("INSERT INTO schema_version VALUES (1)")
        for table in ("uploads", "events", "case_attributes", "quarantine"):
            columns = ", ".join(column[0] for column in con.execute(f"FROM {table}").description or ())
            con.register("rows", now.sql(f"SELECT {columns} FROM {table}").to_arrow_table())
            con.execute(f"INSERT INTO {table} SELECT * FROM rows")
            con.unregister("rows")
        for upload, options, text in con.execute("SELECT id, options, report FROM uploads").fetchall():
            con.execute("SELECT nextval('upload_ids')")
            con.execute(
                "UPDATE uploads SET options = ?, report = ?, parser_version = 1 WHERE id = ?",
                [_only(options, OPTIONS), _old_report(text), upload],
            )
    return path


def _old_report(text: str) -> str:
    content = json.loads(text)
    formats = {column: readings[0]["format"] for column, readings in content["time_formats"].items()}
    return _only(json.dumps(content | {"time_formats": formats}), REPORT)


def _only(text: str, names: frozenset[str]) -> str:
    return json.dumps({name: value for name, value in json.loads(text).items() if name in names})

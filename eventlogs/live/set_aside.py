"""Live events that could not be applied, out as CSV."""

from __future__ import annotations

from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us
from eventlogs.keeping.csv_files import write_csv


def export(con: DuckDBPyConnection, log: str, path: Path) -> int:
    """Write the live events of a log that were set aside to a CSV file; how many, 0 of them without a file.

    Columns: `received` (UTC), `reason`, and `event` as JSON. Raises DataError when it can't be written.
    """
    rows = con.execute(
        "SELECT recorded_us, reason, raw FROM live_quarantine WHERE log = ? ORDER BY recorded_us, inbox_id",
        [log],
    ).fetchall()
    if rows:
        write_csv(
            *(path, ("received", "reason", "event")),
            ((from_us(at_us).isoformat(), reason, raw) for at_us, reason, raw in rows),
        )
    return len(rows)

"""An import's report once part of what it kept has left the database."""

from __future__ import annotations

import dataclasses

from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us
from eventlogs.report import ImportReport


def rows_of(con: DuckDBPyConnection, upload: int) -> int:
    """Rows of the file that the import's executions were made of."""
    return int(
        con.execute(
            "SELECT count(*) + count(start_row) + coalesce(sum(len(pauses)), 0) FROM events "
            "WHERE upload_id = ?",
            [upload],
        ).fetchall()[0][0]
    )


def recount(con: DuckDBPyConnection, upload: int, rows_gone: int, note: str) -> None:
    """Bring the report up to date after `rows_gone` kept rows left, and quarantined ones.

    What is in the database is counted anew, rows_read = rows_kept + rows_ignored + rows_quarantined holds for
    what is left, and `note` says what went.
    """
    text = con.execute("SELECT report FROM uploads WHERE id = ?", [upload]).fetchall()[0][0]
    report = ImportReport.from_json(text)
    cursor = con.execute(
        """
        SELECT count(*) AS events, count(DISTINCT case_id) AS cases, count(DISTINCT activity) AS activities,
            min(start_us) AS first, max(greatest(start_us, coalesce(end_us, start_us))) AS last,
            count(*) - count(end_us) AS running, count(*) - count(resource) AS missing_resources,
            count(*) - count(DISTINCT (case_id, activity, resource, start_us, end_us)) AS duplicates
        FROM events WHERE upload_id = ?
        """,
        [upload],
    )
    found = dict(zip((column[0] for column in cursor.description or ()), cursor.fetchall()[0], strict=True))
    found |= {
        name: getattr(report, name) if found[name] is None else from_us(found[name])
        for name in ("first", "last")
    }
    quarantined = dict(
        con.execute(
            "SELECT reason, count(*) FROM quarantine WHERE upload_id = ? GROUP BY reason ORDER BY reason",
            [upload],
        ).fetchall()
    )
    kept, aside = report.rows_kept - rows_gone, sum(quarantined.values())
    changed = dataclasses.replace(
        report,
        **found,
        rows_read=kept + report.rows_ignored + aside,
        rows_kept=kept,
        rows_quarantined=aside,
        quarantined=quarantined,
        completed_without_start=min(report.completed_without_start, found["events"]),
        notes=(*report.notes, note),
    )
    con.execute("UPDATE uploads SET report = ? WHERE id = ?", [changed.to_json(), upload])

"""What was on record of a log at an instant: the live events received by then, corrected as far as they were.

An import's rows don't tell when they were received: they count as recorded when they happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us, to_us, zoned
from eventlogs.live.executions import ATTRIBUTES, clear, derive
from eventlogs.taking.lifecycle import STARTS

FOREVER = 2**63 - 2


@dataclass(frozen=True, slots=True)
class Record:
    """Relations with the columns of log_executions and live_attributes, and up to when they were recorded."""

    executions: str = "log_executions"
    attributes: str = "live_attributes"
    by_us: int = FOREVER
    single_timestamp: bool | None = None
    """Whether no start was on record; None where that is as the log's report says."""


NOW = Record()


def record(con: DuckDBPyConnection, log: str, by: datetime | None) -> Record:
    """What is on record of a log, or was by an instant; then it is made anew in temp tables.

    Raises UsageError for an instant without a zone.
    """
    if by is None:
        return NOW
    by_us = to_us(zoned(by))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE affected AS SELECT DISTINCT log, case_id FROM live_events "
        "WHERE log = ? AND recorded_us <= ?",
        [log, by_us],
    )
    derive(con, by_us)
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE recorded_executions AS
        SELECT u.log, false AS live, e.upload_id, e.row, e.sequence, e.case_id, e.activity, e.resource,
            e.start_us, CASE WHEN e.end_us <= $by THEN e.end_us END AS end_us, e.paused_us,
            list_filter(e.pauses, lambda p: p <= $by) AS pauses, e.attributes,
            e.start_row
        FROM events e JOIN uploads u ON u.id = e.upload_id
        WHERE u.log = $log AND NOT u.superseded AND u.kind = 'import' AND e.start_us <= $by
            AND e.row NOT IN (SELECT replaces FROM derived WHERE replaces IS NOT NULL)
        UNION ALL
        SELECT a.log, true, a.live_id, d.row, d.sequence, a.case_id, d.activity, d.resource, d.start_us,
            d.end_us, d.paused_us, d.pauses, d.attributes, d.start_row
        FROM derived d JOIN affected a USING (key)
        """,
        {"log": log, "by": by_us},
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE recorded_attributes AS {ATTRIBUTES}")
    clear(con)
    starts_unseen, imported = con.execute(
        "SELECT NOT EXISTS (FROM live_events WHERE log = $log AND recorded_us <= $by "
        f"AND (superseded_us IS NULL OR superseded_us > $by) AND transition IN {STARTS}), "
        "EXISTS (FROM uploads WHERE log = $log AND kind = 'import' AND NOT superseded)",
        {"log": log, "by": by_us},
    ).fetchall()[0]
    single = None if imported else starts_unseen
    return Record("recorded_executions", "recorded_attributes", by_us, single)


def last_instant(con: DuckDBPyConnection, log: str, known: Record) -> datetime | None:
    """The last start or end of an execution on record, None if there is none."""
    found = con.execute(
        f"SELECT max(greatest(start_us, coalesce(end_us, start_us))) FROM {known.executions} WHERE log = ?",
        [log],
    ).fetchall()
    return None if found[0][0] is None else from_us(found[0][0])

"""What was announced of executions that have ended since: how far announced ends can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us, to_us, zoned
from eventlogs.live.recorded import FOREVER


@dataclass(frozen=True, slots=True)
class Kept:
    """An announced end, and the end that came. Instants are UTC."""

    case: str
    activity: str
    told: datetime
    eta: datetime
    ended: datetime


def kept_announcements(
    con: DuckDBPyConnection, log: str, until: datetime | None, recorded_by: datetime | None
) -> tuple[Kept, ...]:
    """Every announcement told by `until` (default: ever) whose execution ended by then, by when it was told.

    The end is the first one of the activity in its case after the announcement. Announcements that were
    revised later count too: nobody knows of one that stands whether it will be. Those of `recorded_by` are as
    in `Historian.snapshot`.
    """
    at_us = FOREVER if until is None else to_us(zoned(until))
    by_us = FOREVER if recorded_by is None else to_us(zoned(recorded_by))
    rows = con.execute(
        """
        SELECT t.case_id, t.activity, t.at_us, t.eta_us, min(e.end_us)
        FROM live_events t
        JOIN log_executions e ON e.log = t.log AND e.case_id = t.case_id AND e.activity = t.activity
        WHERE t.log = $log AND t.eta_us IS NOT NULL AND t.at_us <= $at AND t.recorded_us <= $by
            AND (t.superseded_us IS NULL OR t.superseded_us > $by)
            AND e.end_us > t.at_us AND e.end_us <= $at
        GROUP BY t.case_id, t.activity, t.at_us, t.eta_us
        ORDER BY t.at_us, t.case_id, t.activity, t.eta_us
        """,
        {"log": log, "at": at_us, "by": by_us},
    ).fetchall()
    return tuple(
        Kept(case, activity, from_us(told), from_us(eta), from_us(ended))
        for case, activity, told, eta, ended in rows
    )

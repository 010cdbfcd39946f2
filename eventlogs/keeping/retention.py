"""Closed cases that are old enough move out of the database, to Parquet beside it.

Age counts back from the log's last instant that isn't in the future, not from today: an analyst's log of some
past year doesn't age, and one mistyped year doesn't age all others. The file is on the disk before the cases
leave the database, and a log file of its own: taken again, it gives the same executions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection

from eventlogs.bounds import case_bounds
from eventlogs.freezing import known_at
from eventlogs.instants import from_us, in_words, to_us
from eventlogs.keeping import parquet_files
from eventlogs.keeping.recounting import recount, rows_of
from eventlogs.live.standing import AT_HAND
from eventlogs.report import number
from eventlogs.snapshot import Snapshot
from eventlogs.sql import quoted
from metagraph.errors import DataError, UsageError

_EVENTS = """
list_transform(
    list_concat(
        CASE WHEN start_us < end_us OR start_row IS NOT NULL
            THEN [{told: 'start', at_us: start_us}] ELSE [] END,
        list_transform(coalesce(pauses, []), lambda us, i: {
            told: CASE WHEN i % 2 = 1 THEN 'suspend' ELSE 'resume' END, at_us: us}),
        [{told: 'complete', at_us: end_us}]
    ),
    lambda event, i: {told: event.told, at_us: event.at_us, nth: i}
)
"""
"""An execution as the events that pairing makes it of: the only form in which a file can tell of pauses."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Cases that left a log for a file."""

    log: str
    before: datetime
    """They had no event after this instant."""
    cases: int
    executions: int
    file: Path | None
    """None when no case was old enough."""
    created_at: datetime
    note: str = ""
    """Said when the age isn't counted from the log's last instant."""


def folder(database: str) -> Path:
    """Where the archives of a database are."""
    return parquet_files.beside(database, "archive")


def listed(con: DuckDBPyConnection, database: str, name: str) -> tuple[Archive, ...]:
    """A log's archives, oldest first."""
    rows = con.execute(
        "SELECT log, before, cases, executions, content_hash, created_at FROM archives WHERE log = ? "
        "ORDER BY created_at",
        [name],
    ).fetchall()
    return tuple(
        Archive(log, before, cases, executions, folder(database) / f"{content}.parquet", at)
        for log, before, cases, executions, content, at in rows
    )


def retain(con: DuckDBPyConnection, database: str, name: str, older_than_days: float) -> Archive:
    """Move the closed cases of a log that had no event for so long, inside the caller's transaction.

    Raises DataError for an unknown log or one wholly in the future, UsageError for an age that isn't
    positive.
    """
    if not older_than_days > 0:
        raise UsageError(
            f"an age of {older_than_days:g} days would take what is happening now; give more than 0"
        )
    now = datetime.now(UTC)
    snapshot, ahead, note = _as_of(con, name, now)
    until = snapshot.origin + timedelta(seconds=snapshot.until_s)
    before = until - timedelta(days=older_than_days)
    limit_s = snapshot.until_s - older_than_days * 86_400
    last_s = case_bounds(snapshot)[1]
    old = [snapshot.cases[i] for i in np.flatnonzero(~snapshot.is_open & (last_s < limit_s))]
    leaving = [case for case in old if case not in ahead]
    if not leaving:
        return Archive(name, before, 0, 0, None, now, note)
    con.execute("CREATE OR REPLACE TEMP TABLE leaving AS SELECT unnest(?::VARCHAR[]) AS case_id", [leaving])
    query = _executions(con, name, single_timestamp=snapshot.single_timestamp)
    executions = con.execute(
        "SELECT count(*) FROM log_executions WHERE log = ? AND case_id IN (FROM leaving)", [name]
    ).fetchall()[0][0]
    content = parquet_files.write_query(con, query, folder(database))
    file = folder(database) / f"{content}.parquet"
    archive = Archive(name, before, len(leaving), executions, file, now, note)
    con.execute(
        "INSERT INTO archives VALUES (?, ?, ?, ?, ?, ?)",
        [name, content, before, len(leaving), executions, now],
    )
    moved = (
        f"{number(len(leaving), 'closed case')} ({number(executions, 'execution')}) without an event after "
        f"{in_words(before)} went to {archive.file}."
    )
    _remove(con, name, moved)
    con.execute("DROP TABLE leaving")
    return archive


def _as_of(con: DuckDBPyConnection, name: str, now: datetime) -> tuple[Snapshot, frozenset[str], str]:
    """The log at its last instant up to now, the cases with later ones, and a sentence if there are any."""
    whole = known_at(con, name)
    if whole.origin + timedelta(seconds=whole.until_s) <= now:
        return whole, frozenset(), ""
    stamps = "SELECT case_id, unnest([start_us, end_us]) AS us FROM log_executions WHERE log = $log"
    last_us, latest_us, cases = con.execute(
        "SELECT max(us) FILTER (us <= $now), max(us), list(DISTINCT case_id) FILTER (us > $now) "
        f"FROM ({stamps})",
        {"log": name, "now": to_us(now)},
    ).fetchall()[0]
    if last_us is None:
        raise DataError(
            f"log {name!r} lies wholly in the future (from {in_words(whole.origin)} on); mend its times"
        )
    last = from_us(last_us)
    note = (
        f"Age is counted from {in_words(last)}: what lies in the future, up to "
        f"{in_words(from_us(latest_us))}, looks like a mistake ('tracetwin quality {name}'); "
        f"{number(len(cases), 'case')} with such times left where they are."
    )
    return known_at(con, name, last), frozenset(cases), note


def _executions(con: DuckDBPyConnection, name: str, *, single_timestamp: bool) -> str:
    """The query of the leaving cases' executions, with the columns that a log file has."""
    here = f"log = {quoted(name)} AND case_id IN (SELECT case_id FROM leaving)"
    names: set[str] = set()
    columns = [f"e.{column} AS {_free(column, names)}" for column in ("case_id", "activity", "resource")]
    paused = con.execute(f"SELECT count(pauses) FROM log_executions WHERE {here}").fetchall()[0][0]
    relation = f"(FROM log_executions WHERE {here})"
    if paused:
        relation = f"(SELECT *, unnest({_EVENTS}, recursive := true) FROM log_executions WHERE {here})"
        times = {
            "lifecycle:transition": "e.told",
            "concept:instance": "e.row",
            "time:timestamp": _stamp("e.at_us"),
        }
    else:
        times = {"start_time": _stamp("e.start_us"), "end_time": _stamp("e.end_us")}
        times = {column: sql for column, sql in times.items() if column == "end_time" or not single_timestamp}
    columns += [f"{sql} AS {_free(column, names)}" for column, sql in times.items()]
    of_event = "SELECT DISTINCT unnest(json_keys(attributes)) AS name FROM log_executions"
    for (attribute,) in con.execute(f"{of_event} WHERE {here} ORDER BY name").fetchall():
        pointer = "/" + attribute.replace("~", "~0").replace("/", "~1")
        columns.append(f"e.attributes ->> {quoted(pointer)} AS {_free(attribute, names)}")
    of_case = f"SELECT DISTINCT name FROM log_attributes WHERE {here} ORDER BY name"
    for (attribute,) in con.execute(of_case).fetchall():
        columns.append(f"a.of_case[{quoted(attribute)}] AS {_free(attribute, names)}")
    return (
        "WITH a AS (SELECT case_id, map(list(name), list(value)) AS of_case FROM log_attributes "
        f"WHERE {here} GROUP BY case_id) SELECT {', '.join(columns)} "
        f"FROM {relation} e LEFT JOIN a USING (case_id) "
        f"ORDER BY e.live, e.row, e.case_id, e.start_us, e.sequence{', e.nth' if paused else ''}"
    )


def _remove(con: DuckDBPyConnection, name: str, note: str) -> None:
    """Delete the leaving cases from the log as it stands, and tell its reports."""
    uploads = con.execute("SELECT id, kind FROM uploads WHERE log = ? AND NOT superseded", [name]).fetchall()
    for upload, kind in uploads:
        before = rows_of(con, upload)
        for table in ("events", "case_attributes"):
            con.execute(f"DELETE FROM {table} WHERE upload_id = ? AND case_id IN (FROM leaving)", [upload])
        if kind == "import" and before > (after := rows_of(con, upload)):
            recount(con, upload, before - after, note)
            con.execute("UPDATE uploads SET deleted_from = true WHERE id = ?", [upload])
    for table in ("live_events", "live_attributes", "case_state", *AT_HAND):
        con.execute(f"DELETE FROM {table} WHERE log = ? AND case_id IN (FROM leaving)", [name])


def _stamp(us: str) -> str:
    return f"strftime(make_timestamp({us}), '%Y-%m-%dT%H:%M:%S.%fZ')"


def _free(name: str, taken: set[str]) -> str:
    """A column name for it that no other column has, as SQL."""
    free = name
    while free.lower() in taken:
        free += " (attribute)"
    taken.add(free.lower())
    return '"' + free.replace('"', '""') + '"'

"""From staged text to task executions: parse, judge every row, pair, keep."""

from __future__ import annotations

import dataclasses

from duckdb import DuckDBPyConnection

from eventlogs.columns import CASE_PREFIX, ColumnMapping
from eventlogs.instants import from_us
from eventlogs.lifecycle import COMPLETES, STARTS, pair
from eventlogs.parsing import TakeOptions, judge, parse, time_formats, uses_lifecycle
from eventlogs.readers.staging import Staged
from eventlogs.report import ImportReport
from metagraph.errors import DataError


def take(
    con: DuckDBPyConnection, staged: Staged, log: str, upload: int, options: TakeOptions
) -> ImportReport:
    """Fill the tables of `upload` from the staging table, inside the caller's transaction.

    Raises DataError for the first row that can't be used, unless bad rows go to quarantine.
    """
    mapping = options.mapping
    formats = time_formats(con, staged, options)
    lifecycle = uses_lifecycle(con, staged, mapping)
    parse(con, staged, options, formats, lifecycle)
    quarantined = judge(con, staged, upload, options, formats)
    if lifecycle:
        pair(con)
    else:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE executions AS SELECT row, case_id, activity, resource, start_us, "
            "end_us, NULL::BIGINT AS start_row FROM parsed WHERE reason IS NULL"
        )
    case_columns, event_columns, notes = _attributes(con, staged, mapping)
    _keep(con, staged, upload, case_columns, event_columns)
    counts = _count(con, upload)
    if not counts["events"]:
        raise DataError(f"{staged.source}: no row of the file can be used as a task execution")
    read_by = {name: formats[staged.column(name)] for name in mapping.times()}
    return ImportReport(
        log=log,
        source=staged.source,
        content_hash=staged.content_hash,
        mapping={role: name for role, name in dataclasses.asdict(mapping).items() if name},
        confidence=dict(options.confidence),
        time_formats={name: kind.describe() for name, kind in read_by.items()},
        tz=options.tz,
        zoneless_stamps=sum(kind.zoneless for kind in read_by.values()),
        rows_read=staged.rows,
        rows_quarantined=sum(quarantined.values()),
        quarantined=quarantined,
        activities=counts["activities"],
        cases=counts["cases"],
        events=counts["events"],
        rows_kept=counts["rows"],
        rows_ignored=counts["ignored"],
        first=from_us(counts["first_us"]),
        last=from_us(counts["last_us"]),
        single_timestamp=not counts["started"] if lifecycle else not (mapping.start and mapping.end),
        transitions=_transitions(con) if lifecycle else {},
        completed_without_start=counts["instant"] if lifecycle else counts["unstarted"],
        running=counts["running"],
        missing_resources=counts["unassigned"],
        duplicates=counts["events"] - counts["distinct"],
        case_attributes=case_columns,
        event_attributes=event_columns,
        notes=(*staged.notes, *notes),
    )


def clear(con: DuckDBPyConnection) -> None:
    """Give back the memory of the working tables."""
    for table in ("staging", "parsed", "executions", "waiting", "pairs"):
        con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _attributes(
    con: DuckDBPyConnection, staged: Staged, mapping: ColumnMapping
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Unmapped columns that hold one value within every case, those that don't, and what to note."""
    others = [name for name in staged.columns if name not in mapping.used()]
    if not others:
        return (), (), ()
    # A value missing in part of a case isn't constant: it may have become known only on the way.
    tests = ", ".join(
        f"sum(n{c}) > 0, bool_and(lo{c} IS NOT DISTINCT FROM hi{c} AND n{c} IN (0, n))"
        for c in (staged.column(name) for name in others)
    )
    parts = ", ".join(
        f"min({c}) AS lo{c}, max({c}) AS hi{c}, count({c}) AS n{c}"
        for c in (staged.column(name) for name in others)
    )
    flags = con.execute(
        f"SELECT {tests} FROM (SELECT count(*) AS n, {parts} FROM parsed JOIN staging USING (row) "
        "WHERE reason IS NULL GROUP BY case_id)"
    ).fetchall()[0]
    filled = [name for name, any_value in zip(others, flags[::2], strict=True) if any_value]
    constant = {name for name, same in zip(others, flags[1::2], strict=True) if same}
    of_case = tuple(n for n in filled if n in constant or n.startswith(CASE_PREFIX))
    of_event = tuple(n for n in filled if n not in of_case)
    empty = [repr(name) for name in others if name not in filled]
    return (
        of_case,
        of_event,
        (f"Columns without any value were left out: {', '.join(empty)}.",) if empty else (),
    )


def _keep(
    con: DuckDBPyConnection,
    staged: Staged,
    upload: int,
    case_columns: tuple[str, ...],
    event_columns: tuple[str, ...],
) -> None:
    attributes = staged.json(event_columns) if event_columns else "NULL"
    con.execute(
        "INSERT INTO events "
        "(upload_id, row, case_id, activity, resource, start_us, end_us, attributes, start_row) "
        f"SELECT ?, row, case_id, activity, resource, start_us, end_us, {attributes}, start_row "
        "FROM executions JOIN staging USING (row) ORDER BY row",
        [upload],
    )
    for name in case_columns:
        column = staged.column(name)
        con.execute(
            f"INSERT INTO case_attributes SELECT ?, case_id, ?, arg_min({column}, row) FROM parsed JOIN "
            f"staging USING (row) WHERE reason IS NULL AND {column} <> '' GROUP BY case_id ORDER BY case_id",
            [upload, name],
        )


def _count(con: DuckDBPyConnection, upload: int) -> dict[str, int]:
    cursor = con.execute(
        f"""
        SELECT count(*) AS events, count(DISTINCT case_id) AS cases, count(DISTINCT activity) AS activities,
            min(start_us) AS first_us, max(greatest(start_us, coalesce(end_us, start_us))) AS last_us,
            count(*) - count(end_us) AS running, count(*) - count(resource) AS unassigned,
            count(DISTINCT (case_id, activity, resource, start_us, end_us)) AS distinct,
            (SELECT count(*) + count(start_row) FROM executions) AS rows,
            (SELECT count(*) FROM parsed WHERE reason IS NULL AND transition NOT IN {STARTS + COMPLETES})
                AS ignored,
            (SELECT count(*) FROM parsed WHERE reason IS NULL AND transition IN {STARTS}) AS started,
            (SELECT count(*) FROM executions WHERE start_row IS NULL AND end_us IS NOT NULL) AS instant,
            (SELECT count(*) FROM parsed WHERE reason IS NULL AND unstarted) AS unstarted
        FROM events WHERE upload_id = ?
        """,
        [upload],
    )
    names = [column[0] for column in cursor.description or ()]
    return dict(zip(names, cursor.fetchall()[0], strict=True))


def _transitions(con: DuckDBPyConnection) -> dict[str, int]:
    return dict(
        con.execute(
            "SELECT coalesce(transition, 'none'), count(*) FROM parsed WHERE reason IS NULL GROUP BY 1 "
            "ORDER BY 1"
        ).fetchall()
    )

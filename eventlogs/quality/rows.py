"""Checks of single executions and of cases as a whole, each one query over the log."""

from __future__ import annotations

from collections.abc import Mapping

from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us, in_words
from eventlogs.quality.found import Found, Known, as_examples, counted, earliest, one_row
from eventlogs.quality.words import NEEDS_NOBODY
from eventlogs.sql import quoted
from eventlogs.taking.parsing import BACKWARDS
from metagraph.errors import DataError

BATCH = 5
"""Executions of one activity and resource that end at one instant, from which they look like a batch."""
BUSIEST = 4.0
"""How much denser than on average executions may lie by chance, as nobody works around the clock."""
SIGMAS = 6.0
FENCE = 3.0
"""Quartile distances of the logarithm beyond the upper quartile from which a case is suspiciously long."""
SPREAD = 0.5
"""Where hardly any case differs from another, the quartile distance is taken to be at least this."""
_PLACE = "case_id, activity, start_us AS at_us, row, '' AS note, 1 AS weight"


def prepare(con: DuckDBPyConnection, log: str, until_us: int | None) -> Known:
    """Make view `known` (executions begun by then, later ends unknown) and table `known_cases`.

    Column `row` is that of the imported file, NULL for live events; `place` orders both. Raises DataError if
    nothing had begun by then.
    """
    name = quoted(log)
    if until_us is None:
        (until_us,) = one_row(
            con, f"SELECT max(greatest(start_us, end_us)) FROM log_executions WHERE log = {name}"
        )
    con.execute(
        "CREATE OR REPLACE TEMP VIEW known AS SELECT CASE WHEN NOT live THEN row END AS row, "
        "(sequence, row) AS place, case_id, activity, resource, start_us, "
        f"CASE WHEN end_us <= {until_us} THEN end_us END AS end_us "
        f"FROM log_executions WHERE log = {name} AND start_us <= {until_us}"
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE known_cases AS
        SELECT case_id, min(start_us) AS first_us, max(coalesce(end_us, start_us)) AS last_us,
            count(*) > count(end_us) AS running, min_by(activity, (start_us, place)) AS first_activity,
            min_by(row, (start_us, place)) AS first_row
        FROM known GROUP BY case_id
        """
    )
    sizes = one_row(
        con,
        "SELECT (SELECT count(*) FROM known_cases), count(*), count(*) - count(end_us), "
        "count(DISTINCT activity), min(start_us), max(coalesce(end_us, start_us)) FROM known",
    )
    known = Known(log, until_us, *sizes)
    if not known.executions:
        raise DataError(
            f"log {log!r} has no event at or before {in_words(from_us(until_us))}; ask for an instant inside "
            "the log"
        )
    return known


def set_aside(
    con: DuckDBPyConnection, upload: int, log: str, mapping: Mapping[str, str], of: int
) -> dict[str, Found]:
    """What was set aside of `of` rows and live events: rows that end before they start, and all others."""

    def field(role: str) -> str:
        if role not in mapping:  # The report of live events alone has no columns.
            return "NULL::VARCHAR"
        path = '$."' + mapping[role].replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"json_extract_string(raw, {quoted(path)})"

    rows = (
        f"SELECT {field('case')} AS case_id, {field('activity')} AS activity, NULL::BIGINT AS at_us, row, "
        f"reason AS note, 1 AS weight FROM quarantine WHERE upload_id = {upload:d} AND reason "
    )
    log = quoted(log)
    events = (
        "SELECT CASE WHEN json_valid(raw) THEN coalesce(raw->>'$.case', raw->>'$.subject') END AS case_id, "
        "CASE WHEN json_valid(raw) THEN coalesce(raw->>'$.activity', raw->>'$.data.activity') END "
        "AS activity, NULL::BIGINT AS at_us, NULL::BIGINT AS row, reason AS note, 1 AS weight "
        f"FROM live_quarantine WHERE log = {log}"
    )
    return {
        "end_before_start": counted(con, f"{rows} = '{BACKWARDS}'", of),
        "unusable": counted(con, f"{rows} <> '{BACKWARDS}' UNION ALL {events}", of),
    }


def executions(con: DuckDBPyConnection, known: Known, imported_us: int) -> dict[str, Found]:
    """Checks of every execution for itself or beside its neighbours."""
    n = known.executions
    nobody = con.execute(
        "SELECT activity FROM known GROUP BY activity HAVING count(resource) < "
        f"{1 - NEEDS_NOBODY} * count(*) ORDER BY count(*) DESC, activity"
    ).fetchall()
    return {
        "duplicates": counted(
            con,
            "SELECT case_id, activity, start_us AS at_us, max(row) AS row, '' AS note, "
            "count(*) - 1 AS weight FROM known GROUP BY case_id, activity, resource, start_us, end_us "
            "HAVING count(*) > 1",
            n,
            worst="weight",
        ),
        "missing_resources": counted(
            con, f"SELECT {_PLACE} FROM known WHERE resource IS NULL", n, tuple(row[0] for row in nobody)
        ),
        "out_of_order": _out_of_order(con, n),
        "future": counted(
            con,
            f"SELECT {_PLACE}, greatest(start_us, end_us) AS late_us FROM known WHERE row IS NOT NULL "
            f"AND late_us > {imported_us}",
            n,
            worst="late_us",
        ),
        "instant": counted(con, f"SELECT {_PLACE} FROM known WHERE end_us = start_us", n),
        "overlaps": _overlaps(con, known),
        "seen_once": counted(
            con,
            "SELECT any_value(case_id) AS case_id, activity, any_value(start_us) AS at_us, "
            "any_value(row) AS row, '' AS note, 1 AS weight FROM known GROUP BY activity HAVING count(*) = 1",
            known.activities,
        ),
    }


def _out_of_order(con: DuckDBPyConnection, n: int) -> Found:
    """Executions that begin before one of their case that stands above them in the file.

    Ends take the place of starts where that leaves fewer of them: files are written in either order.
    """
    above = "OVER (PARTITION BY case_id ORDER BY row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    by_start, starts, by_end, ends = one_row(
        con,
        f"""
        SELECT count(*) FILTER (late_start), {earliest()} FILTER (late_start),
            count(*) FILTER (late_end), {earliest()} FILTER (late_end)
        FROM (
            SELECT {_PLACE}, start_us < max(start_us) {above} AS late_start,
                coalesce(end_us, start_us) < max(coalesce(end_us, start_us)) {above} AS late_end
            FROM known WHERE row IS NOT NULL
        )
        """,
    )
    return (
        Found(by_start, n, as_examples(starts)) if by_start <= by_end else Found(by_end, n, as_examples(ends))
    )


def _overlaps(con: DuckDBPyConnection, known: Known) -> Found:
    """Executions that share an instant inside with another one of their resource."""
    theirs = "OVER (PARTITION BY resource ORDER BY start_us, place"
    end = f"coalesce(end_us, {known.until_us})"
    return counted(
        con,
        f"""
        SELECT {_PLACE} FROM (
            SELECT *, max(last_us) {theirs} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS busy_us,
                lead(start_us) {theirs}) AS next_us
            FROM (SELECT *, {end} AS last_us FROM known WHERE resource IS NOT NULL AND {end} > start_us)
        ) WHERE busy_us > start_us OR next_us < last_us
        """,
        known.executions,
    )


def batches(con: DuckDBPyConnection, known: Known, resolution_s: float) -> Found:
    """Executions of several cases by one activity and resource that end at one and the same instant.

    At least BATCH of them, and more than chance puts there: stamps of `resolution_s` seconds, spread evenly
    over a part 1 / BUSIEST of the log's time, would give `expected` to an instant.
    """
    slots = max((known.last_us - known.first_us) / 1e6 / resolution_s / BUSIEST, 1.0)
    return counted(
        con,
        f"""
        WITH many AS (
            SELECT activity, coalesce(resource, '') AS resource, end_us FROM known WHERE end_us IS NOT NULL
            GROUP BY ALL HAVING count(*) >= {BATCH}
        ), groups AS (
            SELECT activity, resource, end_us AS at_us, min_by(case_id, place) AS case_id, min(row) AS row,
                count(*) AS n
            FROM known SEMI JOIN many ON many.activity = known.activity AND many.end_us = known.end_us
                AND many.resource = coalesce(known.resource, '')
            GROUP BY activity, resource, end_us
            HAVING count(*) >= {BATCH} AND min(case_id) <> max(case_id)
        ), totals AS (
            SELECT activity, resource, count(*) / {slots} AS expected FROM known GROUP BY activity, resource
        )
        SELECT case_id, groups.activity, at_us, row, n || ' at once' AS note, n AS weight
        FROM groups JOIN totals ON groups.activity = totals.activity
            AND groups.resource IS NOT DISTINCT FROM totals.resource
        WHERE n > expected + {SIGMAS} * sqrt(expected)
        """,
        known.executions,
        worst="weight",
    )


def long_cases(con: DuckDBPyConnection, known: Known) -> Found:
    """Cases whose span lies FENCE quartile distances of its logarithm beyond the upper quartile."""
    return counted(
        con,
        f"""
        WITH spans AS (SELECT *, ln((last_us - first_us) / 1e6) AS span FROM known_cases
            WHERE last_us > first_us)
        SELECT case_id, NULL AS activity, first_us AS at_us, first_row AS row,
            round(exp(span) / 86400, 1) || ' days' AS note, 1 AS weight, span
        FROM spans, (SELECT quantile_cont(span, 0.25) AS low, quantile_cont(span, 0.75) AS high FROM spans)
        WHERE span > high + {FENCE} * greatest(high - low, {SPREAD})
        """,
        known.cases,
        worst="span",
    )

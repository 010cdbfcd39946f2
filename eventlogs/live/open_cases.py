"""Temp table `open_cases`, and the queries for what is known of the cases in it."""

from __future__ import annotations

from collections.abc import Mapping

from duckdb import DuckDBPyConnection

from eventlogs.closing import ClosingRule
from eventlogs.instants import from_us, in_words, monday, to_us
from eventlogs.live.recorded import Record
from eventlogs.live.standing import standings
from eventlogs.sql import quoted
from metagraph.errors import DataError

_KNOWN_END = "CASE WHEN end_us <= $at THEN end_us END"


def open_now(con: DuckDBPyConnection, log: str, rule: ClosingRule, at_us: int) -> None:
    """The open cases at an instant not before the log's last event, from the standings that are kept."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW standing AS FROM case_state WHERE log = {quoted(log)}")
    _judge(con, "endings", rule, at_us)
    con.execute("DROP VIEW temp.standing")


def open_then(con: DuckDBPyConnection, log: str, rule: ClosingRule, at_us: int, known: Record) -> None:
    """The open cases at an instant of the past; where cases stood then is made from the log."""
    executions = (
        f"(SELECT * REPLACE ({_KNOWN_END} AS end_us) FROM {known.executions} "
        "WHERE log = $log AND start_us <= $at)"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE standings AS {standings(executions)}", {"log": log, "at": at_us}
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE endings_then AS SELECT row_number() OVER () AS id, activities "
        "FROM (SELECT DISTINCT activities FROM standings)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP VIEW standing AS SELECT s.*, e.id AS ending, false AS at_hand "
        "FROM standings s JOIN endings_then e USING (activities)"
    )
    _judge(con, "endings_then", rule, at_us)
    con.execute("DROP VIEW temp.standing")
    for table in ("standings", "endings_then"):
        con.execute(f"DROP TABLE temp.{table}")


def _judge(con: DuckDBPyConnection, endings: str, rule: ClosingRule, at_us: int) -> None:
    """The rule judges each way of ending once, and each case by the way it ended."""
    import pyarrow as pa

    first = con.execute("SELECT min(first_us) FROM standing").fetchall()[0][0]
    if first is None:
        raise DataError(f"nothing had begun by {in_words(from_us(at_us))}; ask for an instant inside the log")
    ways = con.execute(
        f"SELECT id, activities FROM {endings} WHERE id IN (SELECT ending FROM standing)"
    ).fetchall()
    lasting = [(number, rule.limit_s(last)) for number, last in ways if not rule.ends(last)]
    limits = pa.table(
        {
            "ending": pa.array([number for number, _ in lasting], pa.int32()),
            "limit_s": pa.array([limit for _, limit in lasting], pa.float64()),
        }
    )
    con.register("limits", limits)
    # The same roundings as of a snapshot, whose times are seconds since its origin.
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE open_cases AS
        SELECT case_id, first_us, last_us, running, at_hand FROM standing WHERE running > 0
        UNION ALL
        SELECT case_id, first_us, last_us, running, at_hand FROM standing JOIN limits USING (ending)
        WHERE running = 0
            AND ($at - $origin) / 1e6::DOUBLE - (last_us - $origin) / 1e6::DOUBLE <= limit_s
        """,
        {"at": at_us, "origin": to_us(monday(from_us(first)))},
    )
    con.unregister("limits")


_ORDERS = """
    SELECT case_id AS "case", make_timestamptz(first_us) AS first, make_timestamptz(last_us) AS last,
        CASE WHEN running = 0 THEN make_timestamptz(last_us) END AS waiting_since
    FROM open_cases ORDER BY first_us, case_id
"""
_WORK = f"""
    SELECT e.case_id AS "case", activity, resource, make_timestamptz(start_us) AS start,
        make_timestamptz({_KNOWN_END}) AS "end"
    FROM {{source}} e JOIN open_cases o ON o.case_id = e.case_id
    WHERE e.log = $log AND start_us <= $at
    ORDER BY first_us, e.case_id, {_KNOWN_END} NULLS LAST, start_us, sequence, row
"""
_ATTRIBUTES = """
    WITH told AS ({source})
    SELECT case_id AS "case", name, value FROM told SEMI JOIN open_cases o ON o.case_id = told.case_id
    WHERE since_us IS NULL OR since_us <= $at
    QUALIFY row_number() OVER (
        PARTITION BY case_id, name ORDER BY since_us DESC NULLS LAST, sequence DESC, arrival DESC
    ) = 1
    ORDER BY case_id, name
"""
_ETAS = """
    SELECT case_id AS "case", activity, make_timestamptz(eta_us) AS eta, make_timestamptz(at_us) AS told
    FROM live_events e SEMI JOIN open_cases o ON o.case_id = e.case_id
    WHERE log = $log AND eta_us IS NOT NULL AND at_us <= $at AND recorded_us <= {by}
        AND (superseded_us IS NULL OR superseded_us > {by})
    QUALIFY row_number() OVER (
        PARTITION BY case_id, activity ORDER BY at_us DESC, sequence DESC, arrival DESC
    ) = 1
    ORDER BY case_id, activity
"""

NOW_QUERIES: Mapping[str, str] = {
    "orders": _ORDERS,
    "work": _WORK.format(source="open_executions"),
    "attributes": _ATTRIBUTES.format(source="FROM open_attributes WHERE log = $log"),
    "etas": _ETAS,
}
"""Answered by what is kept at hand."""

THEN_QUERIES: Mapping[str, str] = {
    "orders": _ORDERS,
    "work": _WORK.format(source="{executions}"),
    "attributes": _ATTRIBUTES.format(
        source="""
        SELECT case_id, name, value, NULL AS since_us, NULL AS sequence, NULL AS arrival
        FROM case_attributes a JOIN uploads u ON u.id = a.upload_id WHERE u.log = $log AND NOT u.superseded
        UNION ALL
        SELECT case_id, name, value, since_us, sequence, arrival FROM {attributes} WHERE log = $log"""
    ),
    "etas": _ETAS,
}
"""Answered by the log itself; to be formatted with a record's relations."""

"""Task executions made of live events, case by case, with the pairing of imports.

An import speaks for its cases up to its last stamp, as far as events recorded before it was taken are
concerned: those are covered by it and make no execution. An event recorded later counts, unless the import
holds the same transition of the same activity at the same instant. A completion may find its start among the
import's executions that are still running; the live execution then counts instead of that one.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from eventlogs.taking.columns import CASE_PREFIX
from eventlogs.taking.lifecycle import RESUMES, STARTS, SUSPENDS, pair

_COLUMNS = "sequence, activity, resource, start_us, end_us, paused_us, pauses, attributes, start_row"
_WORKING = (
    *(
        "affected",
        "taken",
        "taken_pauses",
        "marks",
        "numbered",
        "parsed",
        "waiting",
        "pairs",
        "executions",
        "derived",
    ),
    *("worked", "pause_marks", "paused", "existing", "unchanged"),
)


def derive(con: DuckDBPyConnection, recorded_by_us: int | None = None) -> None:
    """Make temp table `derived` for the cases of temp table `affected` (log, case_id), as recorded by then.

    Its columns are those of `events` with the case's key, and `replaces`, the row of the import's running
    execution that it counts instead of; `affected` gets a key and the ids of the log's uploads. `taken` holds
    the import's executions of the same cases, `marks` the live events with `covering`.
    """
    _number(con)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE taken AS SELECT a.key, e.* FROM events e JOIN affected a "
        "ON e.upload_id = a.import_id AND e.case_id = a.case_id"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE taken_pauses AS SELECT *, CASE nth % 2 WHEN 1 THEN 'suspend' ELSE "
        "'resume' END AS transition FROM (SELECT *, unnest(pauses) AS at_us, generate_subscripts(pauses, 1) "
        "AS nth FROM taken WHERE pauses IS NOT NULL)"
    )
    _mark(con, recorded_by_us)
    _pair(con)
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE derived AS
        SELECT m.key, CASE WHEN m.live THEN m.row ELSE -m.row END AS row, m.sequence, m.activity, x.resource,
            x.start_us, x.end_us, x.paused_us, x.pauses, m.attributes,
            CASE WHEN s.live THEN s.row END AS start_row,
            CASE WHEN NOT s.live THEN s.row WHEN NOT m.live THEN m.row END AS replaces
        FROM executions x JOIN numbered m ON m.number = x.row LEFT JOIN numbered s ON s.number = x.start_row
        LEFT JOIN taken t ON t.key = m.key AND t.row = m.row AND NOT m.live
        WHERE m.live OR x.pauses IS DISTINCT FROM t.pauses
        """
    )


def clear(con: DuckDBPyConnection) -> None:
    """Give back the memory of the working tables."""
    for table in _WORKING:
        con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _number(con: DuckDBPyConnection) -> None:
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE affected AS
        SELECT row_number() OVER () AS key, c.log, c.case_id, l.id AS live_id, i.id AS import_id,
            epoch_us((i.report ->> 'last')::TIMESTAMPTZ) AS covered_to_us, epoch_us(i.imported_at) AS taken_us
        FROM (SELECT DISTINCT log, case_id FROM affected) c
        JOIN uploads l ON l.log = c.log AND l.kind = 'live'
        LEFT JOIN uploads i ON i.log = c.log AND i.kind = 'import' AND NOT i.superseded
        """
    )


def _mark(con: DuckDBPyConnection, recorded_by_us: int | None) -> None:
    """Temp table `marks`: every event, and why its transition is not counted if it isn't."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE marks AS
        WITH held AS (
            SELECT DISTINCT key, activity, 'completion' AS kind, end_us AS at_us FROM taken
            UNION ALL
            SELECT DISTINCT key, activity, 'start', start_us FROM taken
            WHERE end_us IS NULL OR end_us > start_us OR start_row IS NOT NULL
            UNION ALL
            SELECT DISTINCT key, activity, transition, at_us FROM taken_pauses
        ), told AS (
            SELECT a.key, a.covered_to_us, a.taken_us, e.*,
                CASE WHEN e.transition IN {STARTS} THEN 'start' WHEN e.transition IN {SUSPENDS} THEN 'suspend'
                    WHEN e.transition IN {RESUMES} THEN 'resume' ELSE 'completion' END AS kind
            FROM live_events e JOIN affected a ON a.log = e.log AND a.case_id = e.case_id
            WHERE e.recorded_us <= $by AND (e.superseded_us IS NULL OR e.superseded_us > $by)
        )
        SELECT t.*, CASE
            WHEN t.eta_us IS NOT NULL AND t.transition IS NULL THEN NULL
            WHEN t.recorded_us <= t.taken_us AND t.at_us <= t.covered_to_us
                AND t.key IN (SELECT key FROM taken) THEN 'import'
            WHEN held.key IS NOT NULL THEN 'repeat' END AS covering
        FROM told t LEFT JOIN held USING (key, activity, kind, at_us)
        """,
        {"by": 2**63 - 2 if recorded_by_us is None else recorded_by_us},
    )


def _pair(con: DuckDBPyConnection) -> None:
    """Temp table `executions` of the marks that count and of the import's starts still waiting."""
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE numbered AS
        SELECT row_number() OVER (ORDER BY at_us, live, sequence, row) AS number, * FROM (
            SELECT key, true AS live, arrival AS row, sequence, activity, transition, resource, instance,
                at_us, attributes
            FROM marks
            WHERE covering IS NULL AND activity IS NOT NULL AND (transition IS NOT NULL OR eta_us IS NULL)
            UNION ALL
            SELECT key, false, row, sequence, activity, 'start', resource, NULL, start_us, NULL
            FROM taken WHERE end_us IS NULL
            UNION ALL
            SELECT key, false, row, sequence, activity, transition, resource, NULL, at_us, NULL
            FROM taken_pauses WHERE end_us IS NULL
        )
        """
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE parsed AS SELECT number AS row, key::VARCHAR AS case_id, activity, "
        "resource, instance, transition, false AS unstarted, at_us AS start_us, at_us AS end_us, "
        "NULL::VARCHAR AS reason FROM numbered"
    )
    pair(con)


def store(con: DuckDBPyConnection) -> None:
    """Let `events` hold what `derived` says of the affected cases; rows that stay the same are left alone."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE existing AS SELECT e.rowid AS id, a.key, e.* FROM events e "
        "JOIN affected a ON e.upload_id = a.live_id AND e.case_id = a.case_id"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE unchanged AS SELECT e.id, e.key, e.row FROM existing e JOIN derived d "
        f"ON d.key = e.key AND d.row = e.row WHERE {_row('e')} IS NOT DISTINCT FROM {_row('d')}"
    )
    con.execute("DELETE FROM events WHERE rowid IN (SELECT id FROM existing EXCEPT SELECT id FROM unchanged)")
    con.execute(
        f"INSERT INTO events (upload_id, case_id, row, {_COLUMNS}) SELECT a.live_id, a.case_id, d.row, "
        f"{_row('d', '')} FROM derived d JOIN affected a USING (key) "
        "ANTI JOIN unchanged u ON u.key = d.key AND u.row = d.row ORDER BY d.row"
    )
    _replace(con)
    _tell_covered(con)
    _keep_attributes(con)


def _row(table: str, kind: str = "row") -> str:
    columns = ", ".join(f"{table}.{name.strip()}" for name in _COLUMNS.split(","))
    return f"{kind}({columns})" if kind else columns


def _replace(con: DuckDBPyConnection) -> None:
    """Mark the import's running executions that live ones count instead of."""
    con.execute(
        """
        UPDATE events SET replaced = c.now FROM (
            SELECT t.key, a.import_id, t.row, t.case_id, d.replaces IS NOT NULL AS now
            FROM taken t JOIN affected a USING (key)
            LEFT JOIN derived d ON d.key = t.key AND d.replaces = t.row
            WHERE t.replaced IS DISTINCT FROM (d.replaces IS NOT NULL)
        ) c
        WHERE events.upload_id = c.import_id AND events.row = c.row AND events.case_id = c.case_id
        """
    )


def _tell_covered(con: DuckDBPyConnection) -> None:
    con.execute(
        "UPDATE live_events SET covered = m.covering FROM marks m WHERE live_events.source = m.source "
        "AND live_events.event_id = m.event_id AND m.covered IS DISTINCT FROM m.covering"
    )


def _keep_attributes(con: DuckDBPyConnection) -> None:
    con.execute(
        "DELETE FROM live_attributes WHERE rowid IN (SELECT t.rowid FROM live_attributes t "
        "JOIN affected a ON a.log = t.log AND a.case_id = t.case_id)"
    )
    con.execute(f"INSERT INTO live_attributes {ATTRIBUTES}")


ATTRIBUTES = f"""
    WITH told AS (
        SELECT a.import_id, m.*,
            unnest(map_entries(from_json(m.attributes, '"MAP(VARCHAR, VARCHAR)"'))) AS entry
        FROM marks m JOIN affected a USING (key)
        WHERE m.attributes IS NOT NULL AND m.covering IS DISTINCT FROM 'import'
    )
    SELECT log, case_id, entry.key AS name, entry.value AS value, at_us AS since_us, sequence, arrival
    FROM told
    WHERE starts_with(entry.key, '{CASE_PREFIX}') OR (import_id, entry.key) IN (
        SELECT (id, unnest(from_json(report -> 'case_attributes', '["VARCHAR"]'))) FROM uploads
        WHERE id IN (SELECT import_id FROM affected)
    )
    ORDER BY arrival
"""
"""Case attributes told in `marks`: those named so, and those that are the case's in the log's import."""

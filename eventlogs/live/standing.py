"""Where each case of a log stands after its last event, kept in `case_state`."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from eventlogs.closing import LONGEST
from eventlogs.live.executions import clear, derive, store

_FOREVER = 2**63 - 1


def refresh(con: DuckDBPyConnection, log: str) -> None:
    """Make a log's live executions and standings anew, after its current import has changed or gone."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE affected AS SELECT log, case_id FROM live_events WHERE log = ?", [log]
    )
    derive(con)
    store(con)
    clear(con)
    con.execute("DELETE FROM case_state WHERE log = ?", [log])
    con.execute("DELETE FROM closing_rules WHERE log = ?", [log])
    _keep(con, "log_executions WHERE log = $log", {"log": log})


def restand(con: DuckDBPyConnection) -> None:
    """Bring the standings of the cases that `executions.derive` was just done for up to date."""
    con.execute(
        "DELETE FROM case_state WHERE rowid IN (SELECT s.rowid FROM case_state s "
        "JOIN affected a ON a.log = s.log AND a.case_id = s.case_id)"
    )
    columns = "key, activity, start_us, end_us, sequence, row"
    _keep(
        con,
        f"(SELECT {columns} FROM taken t ANTI JOIN derived d ON d.key = t.key AND d.replaces = t.row "
        f"UNION ALL SELECT {columns} FROM derived) JOIN affected USING (key)",
    )


def standings(executions: str) -> str:
    """A query for log, case_id, first_us, last_us, running and the last activities of each case.

    `executions` is what follows FROM: a relation with the columns of the view log_executions.
    """
    return f"""
        SELECT log, case_id, min(start_us) AS first_us,
            max(greatest(start_us, coalesce(end_us, start_us))) AS last_us,
            (count(*) - count(end_us))::INTEGER AS running,
            list_reverse(arg_max(
                activity, (coalesce(end_us, {_FOREVER}), start_us, sequence, row), {LONGEST}
            )) AS activities
        FROM {executions} GROUP BY log, case_id
    """


def _keep(con: DuckDBPyConnection, executions: str, parameters: dict[str, str] | None = None) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE standing AS {standings(executions)}", parameters)
    con.execute(
        "INSERT INTO endings (activities) SELECT DISTINCT s.activities FROM standing s "
        "ANTI JOIN endings e ON e.activities = s.activities ORDER BY 1"
    )
    con.execute(
        "INSERT INTO case_state SELECT s.log, s.case_id, s.first_us, s.last_us, s.running, e.id "
        "FROM standing s JOIN endings e ON e.activities = s.activities ORDER BY s.first_us, s.case_id"
    )
    con.execute("DROP TABLE temp.standing")

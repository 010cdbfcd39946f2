"""Where each case of a log stands after its last event, kept in `case_state` once somebody asked for it.

A log has standings exactly when it has a closing rule: both are made when its state is asked for, and are
gone when its import changes. In between, what is drained keeps them up to date.
What is known of cases that may be open is kept at hand in `open_executions` and `open_attributes`: of those
that were open when the state was asked for last, and of those that had a live event since and didn't end.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from eventlogs.closing import LONGEST
from eventlogs.live.executions import clear, derive, store
from eventlogs.live.rules import rule_used

AT_HAND = ("open_executions", "open_attributes")
_EXECUTION = "activity, resource, start_us, end_us, paused_us, pauses, sequence, row"


def refresh(con: DuckDBPyConnection, log: str) -> None:
    """Make a log's live executions anew and forget its standings, after its import has changed or gone."""
    if con.execute("SELECT EXISTS (FROM live_events WHERE log = ?)", [log]).fetchall()[0][0]:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE affected AS SELECT log, case_id FROM live_events WHERE log = ?",
            [log],
        )
        derive(con)
        store(con)
        clear(con)
    for table in ("case_state", "closing_rules", *AT_HAND):
        con.execute(f"DELETE FROM {table} WHERE log = ?", [log])


def stand(con: DuckDBPyConnection, log: str) -> None:
    """Make the standings of a log that has none; the caller keeps a closing rule with them."""
    _keep(con, "log_executions WHERE log = $log", {"log": log})


def restand(con: DuckDBPyConnection) -> None:
    """Bring the standings of the cases that `executions.derive` was just done for up to date.

    Cases of logs without standings are passed over.
    """
    logs = con.execute(
        "SELECT DISTINCT log FROM affected SEMI JOIN closing_rules USING (log) ORDER BY log"
    ).fetchall()
    if not logs:
        return
    con.execute("DELETE FROM affected WHERE log NOT IN (SELECT log FROM closing_rules)")
    for table in ("case_state", *AT_HAND):
        con.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT s.rowid FROM {table} s "
            "JOIN affected a ON a.log = s.log AND a.case_id = s.case_id)"
        )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE standing_executions AS SELECT log, case_id, {_EXECUTION} FROM ("
        f"SELECT key, {_EXECUTION} FROM taken t ANTI JOIN derived d ON d.key = t.key AND d.replaces = t.row "
        f"UNION ALL SELECT key, {_EXECUTION} FROM derived) JOIN affected USING (key)"
    )
    _keep(con, "standing_executions")
    for (log,) in logs:
        if rule := rule_used(con, log):
            found = con.execute(
                "SELECT e.id, e.activities FROM endings e SEMI JOIN (case_state c JOIN affected a "
                "ON a.log = c.log AND a.case_id = c.case_id AND c.log = ?) w ON w.ending = e.id",
                [log],
            ).fetchall()
            lasting = [number for number, last in found if not rule.ends(last)]
            con.execute(
                "CREATE OR REPLACE TEMP TABLE coming AS SELECT c.log, c.case_id FROM case_state c "
                "JOIN affected a ON a.log = c.log AND a.case_id = c.case_id "
                "WHERE c.log = ? AND (c.running > 0 OR list_contains(?::INTEGER[], c.ending))",
                [log, lasting],
            )
            take_at_hand(con, "standing_executions")
    con.execute("DROP TABLE temp.standing_executions")


def forget_at_hand(con: DuckDBPyConnection, log: str) -> None:
    """Drop the copies of a log; they are made again when its state is asked for."""
    for table in AT_HAND:
        con.execute(f"DELETE FROM {table} WHERE log = ?", [log])
    con.execute("UPDATE case_state SET at_hand = false WHERE log = ? AND at_hand", [log])


def take_at_hand(con: DuckDBPyConnection, executions: str = "log_executions") -> None:
    """Copy what is known of the cases in temp table `coming` (log, case_id), which it drops."""
    con.execute(
        f"INSERT INTO open_executions SELECT e.log, e.case_id, {_EXECUTION} FROM {executions} e "
        "JOIN coming c ON c.log = e.log AND c.case_id = e.case_id"
    )
    con.execute(
        """
        INSERT INTO open_attributes
        SELECT u.log, a.case_id, a.name, a.value, NULL, NULL, NULL
        FROM case_attributes a
        JOIN uploads u ON u.id = a.upload_id AND NOT u.superseded
        JOIN coming c ON c.log = u.log AND c.case_id = a.case_id
        UNION ALL
        SELECT t.* FROM live_attributes t JOIN coming c ON c.log = t.log AND c.case_id = t.case_id
        """
    )
    con.execute(
        "UPDATE case_state SET at_hand = true FROM coming c "
        "WHERE c.log = case_state.log AND c.case_id = case_state.case_id"
    )
    con.execute("DROP TABLE temp.coming")


def standings(executions: str) -> str:
    """A query for log, case_id, first_us, last_us, running and the last activities of each case.

    `executions` is what follows FROM: a relation with the columns of the view log_executions.
    """
    # Ranks, not arg_max of the last few: those it would hold for all cases in memory, whatever its limit.
    last = ", ".join(f"max(activity) FILTER (nth = {n})" for n in range(LONGEST, 0, -1))
    return f"""
        SELECT log, case_id, min(start_us) AS first_us,
            max(greatest(start_us, coalesce(end_us, start_us))) AS last_us,
            (count(*) - count(end_us))::INTEGER AS running,
            list_filter([{last}], lambda a: a IS NOT NULL) AS activities
        FROM (
            SELECT *, row_number() OVER (
                PARTITION BY log, case_id ORDER BY end_us DESC NULLS FIRST, start_us DESC, sequence DESC,
                    row DESC
            ) AS nth
            FROM {executions}
        ) GROUP BY log, case_id
    """


def _keep(con: DuckDBPyConnection, executions: str, parameters: dict[str, str] | None = None) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE standing AS {standings(executions)}", parameters)
    con.execute(
        "INSERT INTO endings (activities) SELECT DISTINCT s.activities FROM standing s "
        "ANTI JOIN endings e ON e.activities = s.activities ORDER BY 1"
    )
    con.execute(
        "INSERT INTO case_state SELECT s.log, s.case_id, s.first_us, s.last_us, s.running, e.id, false "
        "FROM standing s JOIN endings e ON e.activities = s.activities ORDER BY s.first_us, s.case_id"
    )
    con.execute("DROP TABLE temp.standing")

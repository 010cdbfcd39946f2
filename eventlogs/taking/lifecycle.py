"""Lifecycle events (XES, IEEE 1849) paired into executions with their pauses.

First in, first out within (case, activity, instance): a completion or an abort takes the oldest start still
waiting, of its own resource if there is one, else of any. A completion that finds none is an execution with
a single time, an abort that finds none is nothing; a start that finds none is still running.

With level L(i) = starts - ends among the first i marks in time order, an end i finds a waiting start exactly
when L(i) >= min(0, L(1), …, L(i - 1)), and the k-th such end takes the k-th start.

A suspend or resume belongs to the execution that is running then: of its own resource if there is one, else
of any, the oldest first. A suspended execution can't be suspended again, a working one can't resume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

STARTS = ("start", "started")
COMPLETES = ("complete", "completed")
ABORTS = ("ate_abort", "pi_abort", "abort", "aborted")
SUSPENDS = ("suspend", "suspended")
RESUMES = ("resume", "resumed")
OTHERS = ("schedule", "assign", "reassign", "withdraw", "autoskip", "manualskip", "unknown")
"""Known transitions that neither begin nor end work."""
KNOWN = STARTS + COMPLETES + ABORTS + SUSPENDS + RESUMES + OTHERS


@dataclass(frozen=True, slots=True)
class Paired:
    """What became of the events."""

    marks: int
    """Suspends and resumes that fell into an execution."""
    ignored: Mapping[str, int]
    """Good rows of no execution, by what they are: other transitions, ends and pauses of what never began."""
    aborted: int
    paused: int
    left_suspended: int


def pair(con: DuckDBPyConnection) -> Paired:
    """Make temp table `executions` from `parsed`'s good rows, whose `transition` is lower case or NULL.

    Columns as `parsed` plus `start_row`, `paused_us` and `pauses` (instants of suspending and resuming in
    turn; NULL where there are none).
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE waiting AS SELECT row, case_id, activity, coalesce(resource, '') AS "
        "resource, coalesce(instance, '') AS instance, end_us AS at_us, "
        f"CASE WHEN transition IN {STARTS} THEN 1 ELSE -1 END AS kind "
        f"FROM parsed WHERE reason IS NULL AND (transition IS NULL OR transition IN "
        f"{STARTS + COMPLETES + ABORTS})"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE pairs (start_row BIGINT, end_row BIGINT, start_us BIGINT, "
        "resource VARCHAR)"
    )
    _match(con, "case_id, activity, instance, resource")
    _match(con, "case_id, activity, instance")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE worked AS "
        f"SELECT p.* REPLACE (coalesce(p.resource, pairs.resource) AS resource, "
        f"coalesce(pairs.start_us, p.start_us) AS start_us, "
        f"CASE WHEN p.transition IN {STARTS} THEN NULL ELSE p.end_us END AS end_us), pairs.start_row "
        "FROM parsed p LEFT JOIN pairs ON pairs.end_row = p.row "
        f"WHERE p.reason IS NULL AND (p.transition IS NULL OR p.transition IN {STARTS + COMPLETES} "
        f"OR p.transition IN {ABORTS} AND pairs.start_row IS NOT NULL) "
        "AND p.row NOT IN (SELECT start_row FROM pairs)"
    )
    marks = _suspend(con)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE executions AS SELECT worked.*, coalesce(paused_us, 0) AS paused_us, "
        "pauses FROM worked LEFT JOIN paused USING (row)"
    )
    return Paired(marks, _ignored(con), *_tell(con))


def _match(con: DuckDBPyConnection, keys: str) -> None:
    con.execute(
        f"""
        INSERT INTO pairs
        WITH levels AS (
            SELECT *,
                sum(kind) OVER (PARTITION BY {keys} ORDER BY at_us, row ROWS UNBOUNDED PRECEDING) AS level
            FROM waiting
        ), floors AS (
            SELECT *, min(level) OVER (
                PARTITION BY {keys} ORDER BY at_us, row ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS lowest
            FROM levels
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY {keys}, kind ORDER BY at_us, row) AS nth
            FROM floors WHERE kind = 1 OR level >= least(0, coalesce(lowest, 0))
        )
        SELECT s.row, c.row, s.at_us, nullif(s.resource, '')
        FROM (FROM ranked WHERE kind = 1) s JOIN (FROM ranked WHERE kind = -1) c USING ({keys}, nth)
        """
    )
    con.execute(
        "DELETE FROM waiting WHERE row IN (SELECT start_row FROM pairs UNION ALL SELECT end_row FROM pairs)"
    )


def _suspend(con: DuckDBPyConnection) -> int:
    """Make temp table `paused` (row, paused_us, pauses) of `worked`; the number of marks that count."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE pause_marks AS
        WITH mark AS (
            SELECT row, case_id, activity, instance, resource, end_us AS at_us,
                transition IN {SUSPENDS} AS is_suspend
            FROM parsed WHERE reason IS NULL AND transition IN {SUSPENDS + RESUMES}
        )
        SELECT mark.row, mark.at_us, mark.is_suspend, worked.row AS execution, worked.end_us
        FROM mark JOIN worked ON mark.case_id = worked.case_id AND mark.activity = worked.activity
            AND coalesce(mark.instance, '') = coalesce(worked.instance, '')
            AND (mark.at_us > worked.start_us
                OR mark.at_us = worked.start_us AND mark.row > coalesce(worked.start_row, worked.row))
            AND (worked.end_us IS NULL OR mark.at_us < worked.end_us
                OR mark.at_us = worked.end_us AND mark.row < worked.row)
        QUALIFY row_number() OVER (
            PARTITION BY mark.row
            ORDER BY (mark.resource IS NOT DISTINCT FROM worked.resource) DESC, worked.start_us,
                coalesce(worked.start_row, worked.row)
        ) = 1
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE paused AS
        WITH turns AS (
            SELECT *, lag(is_suspend, 1, false) OVER (PARTITION BY execution ORDER BY at_us, row) AS before
            FROM pause_marks
        ), changes AS (
            SELECT execution, at_us, row, is_suspend,
                coalesce(lead(at_us) OVER one, end_us, at_us) AS until
            FROM turns WHERE is_suspend <> before
            WINDOW one AS (PARTITION BY execution ORDER BY at_us, row)
        )
        SELECT execution AS row, (sum(until - at_us) FILTER (is_suspend))::BIGINT AS paused_us,
            list(at_us ORDER BY at_us, row) AS pauses
        FROM changes GROUP BY execution
        """
    )
    return int(con.execute("SELECT count(*) FROM pause_marks").fetchall()[0][0])


def _ignored(con: DuckDBPyConnection) -> dict[str, int]:
    """How many good rows are of no execution, by transition."""
    return dict(
        con.execute(
            f"SELECT CASE WHEN transition IN {ABORTS + SUSPENDS + RESUMES} THEN transition || ' without a "
            f"start' ELSE transition END, count(*) FROM parsed WHERE reason IS NULL AND transition NOT IN "
            f"{STARTS + COMPLETES} AND row NOT IN (SELECT row FROM pause_marks) AND row NOT IN (SELECT row "
            f"FROM executions WHERE transition IN {ABORTS}) GROUP BY 1"
        ).fetchall()
    )


def _tell(con: DuckDBPyConnection) -> tuple[int, int, int]:
    """Executions aborted, paused and left suspended."""
    aborted, paused, left = con.execute(
        f"SELECT count(*) FILTER (transition IN {ABORTS}), count(pauses), "
        "count(*) FILTER (len(pauses) % 2 = 1) FROM executions"
    ).fetchall()[0]
    return aborted, paused, left

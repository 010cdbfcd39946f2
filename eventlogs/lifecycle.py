"""Start and complete events paired into executions.

First in, first out within (case, activity, instance): a completion takes the oldest start still waiting, of
its own resource if there is one, else of any. A completion that finds none is an execution with a single
time; a start that finds none is still running.

With level L(i) = starts - completions among the first i marks in time order, a completion i finds a waiting
start exactly when L(i) >= min(0, L(1), …, L(i - 1)), and the k-th such completion takes the k-th start.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

STARTS = ("start", "started")
COMPLETES = ("complete", "completed")


def pair(con: DuckDBPyConnection) -> None:
    """Make temp table `executions` from `parsed`'s good rows, whose `transition` is lower case or NULL.

    Columns as `parsed` plus `start_row`. Transitions other than start and complete leave no execution.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE waiting AS SELECT row, case_id, activity, coalesce(resource, '') AS "
        "resource, coalesce(instance, '') AS instance, end_us AS at_us, "
        f"CASE WHEN transition IN {STARTS} THEN 1 ELSE -1 END AS kind "
        f"FROM parsed WHERE reason IS NULL AND (transition IS NULL OR transition IN {STARTS + COMPLETES})"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE pairs (start_row BIGINT, end_row BIGINT, start_us BIGINT)")
    _match(con, "case_id, activity, instance, resource")
    _match(con, "case_id, activity, instance")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE executions AS "
        "SELECT p.row, p.case_id, p.activity, coalesce(p.resource, s.resource) AS resource, "
        "coalesce(pairs.start_us, p.end_us) AS start_us, "
        "CASE WHEN p.transition IN ('start', 'started') THEN NULL ELSE p.end_us END AS end_us, "
        "pairs.start_row FROM parsed p LEFT JOIN pairs ON pairs.end_row = p.row LEFT JOIN parsed s ON s.row "
        f"= pairs.start_row WHERE p.reason IS NULL AND (p.transition IS NULL OR p.transition IN "
        f"{STARTS + COMPLETES}) AND p.row NOT IN (SELECT start_row FROM pairs)"
    )


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
        SELECT s.row, c.row, s.at_us
        FROM (FROM ranked WHERE kind = 1) s JOIN (FROM ranked WHERE kind = -1) c USING ({keys}, nth)
        """
    )
    con.execute(
        "DELETE FROM waiting WHERE row IN (SELECT start_row FROM pairs UNION ALL SELECT end_row FROM pairs)"
    )

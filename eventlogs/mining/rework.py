"""Activities that are done again in the same case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from eventlogs.mining.selection import Selection

if TYPE_CHECKING:
    import pyarrow as pa


def rework(con: DuckDBPyConnection, selection: Selection) -> pa.Table:
    """Per activity: cases that have it, reworked_cases that have it more than once, share (of the former),
    repeats (executions beyond the first of their case). Most repeated first."""
    return selection.ask(
        con,
        "SELECT activity, count(*) AS cases, count_if(times > 1) AS reworked_cases, count_if(times > 1) / "
        "count(*) AS share, (sum(times) - count(*))::BIGINT AS repeats FROM repeated GROUP BY activity "
        "ORDER BY repeats DESC, activity",
        "repeated AS (SELECT case_id, activity, count(*) AS times FROM executions GROUP BY case_id, "
        "activity)",
    )

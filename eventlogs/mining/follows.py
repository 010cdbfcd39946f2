"""Which activity directly follows which, how long after, and where cases start and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from eventlogs.mining.selection import END_ORDER, START_ORDER, Selection
from eventlogs.mining.statistics import seconds

if TYPE_CHECKING:
    import pyarrow as pa

ORDERS = {"end": END_ORDER, "start": START_ORDER}


def follows(con: DuckDBPyConnection, selection: Selection, by: str = "end") -> pa.Table:
    """Pairs of activities that follow each other in a case: activity, next_activity, count, and times.

    `by` is the order of a case: `end`, the order of `time:timestamp` and of variants, or `start`. Times are
    from end to end, from start to start, and from the one's end to the next one's start (negative where
    they overlap); a running execution counts, but has no end to measure from.
    """
    return selection.ask(
        con,
        "SELECT activity, next_activity, count(*) AS count, "
        f"{seconds('next_end_us - end_us', 'end_to_end')}, "
        f"{seconds('next_start_us - start_us', 'start_to_start')}, "
        f"{seconds('next_start_us - end_us', 'end_to_start')} FROM pairs WHERE next_start_us IS NOT NULL "
        "GROUP BY activity, next_activity ORDER BY count DESC, activity, next_activity",
        pairs(ORDERS[by], "activity"),
    )


def pairs(order: str, what: str) -> str:
    """Step `pairs`: every execution beside the one after it in its case, whose columns begin with next_."""
    return (
        f"pairs AS NOT MATERIALIZED (SELECT {what}, start_us, end_us, lead({what}) OVER following AS "
        f"next_{what}, lead(start_us) OVER following AS next_start_us, lead(end_us) OVER following AS "
        f"next_end_us FROM executions WINDOW following AS (PARTITION BY case_id ORDER BY {order}))"
    )


def starts(con: DuckDBPyConnection, selection: Selection) -> pa.Table:
    """First activities of cases, in order of ends: activity, cases, share."""
    return _at_the_edge(con, selection, "first")


def ends(con: DuckDBPyConnection, selection: Selection) -> pa.Table:
    """Last activities of cases, in order of ends (a running execution is after all others)."""
    return _at_the_edge(con, selection, "last")


def _at_the_edge(con: DuckDBPyConnection, selection: Selection, which: str) -> pa.Table:
    return selection.ask(
        con,
        "SELECT activity, count(*) AS cases, count(*) / sum(count(*)) OVER () AS share FROM edges "
        "GROUP BY activity ORDER BY cases DESC, activity",
        f"edges AS (SELECT {which}(activity ORDER BY {END_ORDER}) AS activity FROM executions GROUP BY "
        "case_id)",
    )

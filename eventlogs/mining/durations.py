"""How long executions take, and how long cases wait before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from eventlogs.mining.selection import START_ORDER, Selection
from eventlogs.mining.statistics import seconds, spread
from metagraph.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

ACTIVITY, RESOURCE, TRANSITION = "activity", "resource", "transition"


def durations(con: DuckDBPyConnection, selection: Selection, by: str = ACTIVITY) -> pa.Table:
    """Times from start to end: per activity, or per activity and resource or the value of a case attribute.

    Columns: activity, the one that `by` names, count (all executions), running (those without an end, which
    have no duration), the duration's mean, sd, quantiles, extremes and sum, and how much of that sum the
    executions were suspended. Raises UsageError for a case
    attribute that the log doesn't have.
    """
    statistics = (
        f"count(*) AS count, count(*) - count(end_us) AS running, {spread('end_us - start_us', 'duration')}, "
        "sum(CASE WHEN end_us IS NOT NULL THEN paused_us ELSE 0 END) / 1e6 AS total_paused_s"
    )
    if by in (ACTIVITY, RESOURCE):
        keys = ", ".join(dict.fromkeys((ACTIVITY, by)))
        return selection.ask(
            con,
            f"SELECT {keys}, {statistics} FROM executions GROUP BY {keys} "
            f"ORDER BY {keys.replace(RESOURCE, 'resource NULLS LAST')}",
        )
    check_case_attribute(con, selection, by)
    named = '"' + by.replace('"', '""') + '"'
    return selection.ask(
        con,
        f"SELECT activity, value AS {named}, {statistics} FROM executions LEFT JOIN valued USING (case_id) "
        "GROUP BY activity, value ORDER BY activity, value NULLS LAST",
        "valued AS (SELECT case_id, value FROM log_attributes WHERE log = $log AND name = $by)",
        parameters={"by": by},
    )


def check_case_attribute(con: DuckDBPyConnection, selection: Selection, name: str) -> None:
    """Raise UsageError when the log has no such case attribute."""
    found = con.execute(
        "SELECT DISTINCT name FROM log_attributes WHERE log = ? ORDER BY name", [selection.parameters["log"]]
    ).fetchall()
    if (name,) not in found:
        known = ", ".join(repr(attribute) for (attribute,) in found) or "none"
        raise UsageError(f"by {name!r}: the log has no such case attribute; it has {known}")


def waits(con: DuckDBPyConnection, selection: Selection, by: str = ACTIVITY) -> pa.Table:
    """Times from the end of the execution that began before, in the same case, to an execution's start.

    Per activity or per transition (activity, next_activity), in the order of starts. Where the two overlap
    the wait is 0 (`overlaps` counts them); after a running one none is known, and a case's first
    execution has none.
    """
    # greatest() passes over NULL.
    gap = "CASE WHEN end_us IS NOT NULL THEN greatest(next_start_us - end_us, 0) END"
    statistics = (
        f"count({gap}) AS count, count(*) FILTER (WHERE next_start_us < end_us) AS overlaps, "
        f"{seconds(gap, 'wait')}, "
        f"sum({gap}) / 1e6 AS total_wait_s"
    )
    keys = "activity, next_activity" if by == TRANSITION else "next_activity"
    shown = keys if by == TRANSITION else "next_activity AS activity"
    return selection.ask(
        con,
        f"SELECT {shown}, {statistics} FROM pairs WHERE next_start_us IS NOT NULL GROUP BY {keys} ORDER BY "
        f"{keys}",
        f"pairs AS NOT MATERIALIZED ({_following()})",
    )


def _following() -> str:
    return (
        "SELECT activity, end_us, lead(activity) OVER following AS next_activity, lead(start_us) OVER "
        "following AS next_start_us FROM executions WINDOW following AS (PARTITION BY case_id ORDER BY "
        f"{START_ORDER})"
    )

"""Activity sequences of cases, with how many cases share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from eventlogs.mining.selection import END_ORDER, LAST_US, Selection
from eventlogs.mining.statistics import seconds

if TYPE_CHECKING:
    import pyarrow as pa

    from eventlogs.snapshot import Snapshot


def variant_table(con: DuckDBPyConnection, selection: Selection) -> pa.Table:
    """Activities of cases in order of ends: activities (a list), length, cases, share, covered (share of
    this variant and of all before it), and the cycle time's mean, median, 90 % quantile and extremes.

    Most frequent first, then by name. A case in which something runs counts with what it has, and has no
    cycle time yet.
    """
    # Numbers in the order of the names cost half as much to collect and to compare as the names.
    return selection.ask(
        con,
        "SELECT list_transform(trace, lambda code: names[code]) AS activities, * EXCLUDE (trace, names) FROM "
        "(SELECT trace, len(trace) AS length, count(*) AS cases, count(*) / sum(count(*)) OVER () AS share, "
        "sum(count(*)) OVER (ORDER BY count(*) DESC, trace ROWS UNBOUNDED PRECEDING) / sum(count(*)) OVER () "
        f"AS covered, {seconds('cycle_us', 'cycle')} FROM traces GROUP BY trace), "
        "(SELECT list(activity ORDER BY code) AS names FROM codes) ORDER BY cases DESC, trace",
        "codes AS MATERIALIZED (SELECT activity, row_number() OVER (ORDER BY activity)::UINTEGER AS code "
        "FROM "
        "(SELECT DISTINCT activity FROM executions))",
        f"traces AS NOT MATERIALIZED (SELECT list(code ORDER BY {END_ORDER}) AS trace, CASE WHEN "
        f"count(end_us) = count(*) THEN max({LAST_US}) - min(start_us) END AS cycle_us "
        "FROM executions JOIN codes USING (activity) GROUP BY case_id)",
    )


def variants(snapshot: Snapshot) -> list[tuple[tuple[str, ...], int]]:
    """Activities of each closed case in the snapshot's order of rows; most frequent first, then by name."""
    import duckdb
    import pyarrow as pa

    case = snapshot.case_of_row()
    rows = pa.table(
        {
            "case_index": case,
            "row_index": range(snapshot.n_events),
            "activity": pa.array(snapshot.activities).take(pa.array(snapshot.activity)),
            "is_open": snapshot.is_open[case],
        }
    )
    with duckdb.connect() as con:
        con.register("executions", rows)
        found = con.execute(
            "SELECT trace, count(*) AS cases FROM (SELECT list(activity ORDER BY row_index) AS trace "
            "FROM executions WHERE NOT is_open GROUP BY case_index) GROUP BY trace ORDER BY cases DESC, trace"
        ).fetchall()
    return [(tuple(trace), cases) for trace, cases in found]

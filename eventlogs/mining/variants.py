"""Activity sequences of a snapshot with their numbers of cases, by SQL."""

from __future__ import annotations

from eventlogs.snapshot import Snapshot


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

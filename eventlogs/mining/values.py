"""Activities, resources and attribute values with their frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from eventlogs.mining.selection import Selection
from metagraph.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa


def values(con: DuckDBPyConnection, selection: Selection, by: str = "activity") -> pa.Table:
    """Values of activity, resource, a case attribute or else an attribute of executions: value, cases,
    executions. Most cases first, then by value; missing ones are a row of their own.

    Raises UsageError for an attribute that the log doesn't have.
    """
    counts = "count(DISTINCT case_id) AS cases, count(*) AS executions"
    order = "GROUP BY value ORDER BY cases DESC, value NULLS LAST"
    if by in ("activity", "resource"):
        return selection.ask(con, f"SELECT {by} AS value, {counts} FROM executions {order}")
    held = "SELECT 1 FROM log_attributes WHERE log = ? AND name = ? LIMIT 1"
    if con.execute(held, [selection.parameters["log"], by]).fetchall():
        return selection.ask(
            con,
            f"SELECT value, {counts} FROM executions LEFT JOIN valued USING (case_id) {order}",
            "valued AS (SELECT case_id, value FROM log_attributes WHERE log = $log AND name = $by)",
            parameters={"by": by},
        )
    pointer = "/" + by.replace("~", "~0").replace("/", "~1")
    last = selection.steps[-1].partition(" ")[0]
    found = selection.ask(
        con,
        f"SELECT json_extract_string(attributes, $pointer) AS value, {counts} FROM {last} {order}",
        parameters={"pointer": pointer},
    )
    if found["value"].null_count == found.num_rows:
        raise UsageError(f"by {by!r}: the log has no attribute of this name")
    return found

"""The executions that a question is about, as SQL with parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from eventlogs import uploads

if TYPE_CHECKING:
    import pyarrow as pa

END_ORDER = "end_us NULLS LAST, CASE WHEN end_us IS NULL THEN start_us END, sequence, row"
"""Order of a case's executions by their ends: at one instant as recorded, running ones last, by start."""
START_ORDER = "start_us, end_us NULLS LAST, sequence, row"
"""Order by starts, then ends, then as recorded."""
LAST_US = "greatest(start_us, coalesce(end_us, start_us))"
"""The last instant that is known of an execution."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Executions of one log: relation `executions` of a chain of SQL expressions, and their parameters.

    Columns: case_id, activity, resource (or NULL), start_us, end_us (NULL while running), paused_us (of it,
    how long it was suspended), sequence and row (order as recorded).
    """

    steps: tuple[str, ...]
    """`name AS (query)` each; the last one is the selection."""
    parameters: Mapping[str, object]
    """Among them `log`, its name."""

    def ask(
        self, con: DuckDBPyConnection, query: str, *steps: str, parameters: Mapping[str, object] | None = None
    ) -> pa.Table:
        """The rows of a query over `executions` and over `steps` after it (`name AS (query)` each)."""
        last = self.steps[-1].partition(" ")[0]
        columns = "case_id, activity, resource, start_us, end_us, paused_us, sequence, row"
        executions = f"executions AS NOT MATERIALIZED (SELECT {columns} FROM {last})"
        text = f"WITH {', '.join((*self.steps, executions, *steps))} {query}"
        return con.sql(text, params={**self.parameters, **(parameters or {})}).to_arrow_table()

    def then(self, *steps: str, parameters: Mapping[str, object]) -> Selection:
        """What the last of further steps leaves."""
        return Selection((*self.steps, *steps), {**self.parameters, **parameters})


def whole_log(con: DuckDBPyConnection, name: str) -> Selection:
    """Every execution that a log's name means, imported or live. Raises DataError when there is no such "
    "log."""
    if not con.execute("SELECT 1 FROM uploads WHERE log = ? AND NOT superseded LIMIT 1", [name]).fetchall():
        uploads.current(con, name)
    return Selection(
        ("known AS NOT MATERIALIZED (SELECT * FROM log_executions WHERE log = $log)",), {"log": name}
    )

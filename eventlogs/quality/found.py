"""What a check finds, before it is put in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us

MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Example:
    """One place where it was found; None for what doesn't apply."""

    case: str | None = None
    activity: str | None = None
    at: datetime | None = None
    row: int | None = None
    """Row of the file, the first one below a header being 1."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """How often, of how many, and where."""

    count: int
    of: int
    examples: tuple[Example, ...] = ()
    names: tuple[str, ...] = ()
    """Activities that it is about, where that matters."""


@dataclass(frozen=True, slots=True)
class Known:
    """Sizes of the log as known at the instant: view `known` and table `known_cases` hold it."""

    log: str
    until_us: int
    cases: int
    executions: int
    running: int
    activities: int
    first_us: int
    last_us: int


def one_row(con: DuckDBPyConnection, query: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
    """The single row that a query answers with."""
    row: tuple[Any, ...] = con.execute(query, parameters).fetchall()[0]
    return row


def counted(
    con: DuckDBPyConnection, rows: str, of: int, names: tuple[str, ...] = (), *, worst: str = "0"
) -> Found:
    """Add up `weight` over a query's rows (case_id, activity, at_us, row, note, weight).

    Those with the most of `worst`, an SQL expression, become the examples; of equals the first by row, then
    by time.
    """
    count, examples = one_row(
        con, f"SELECT coalesce(sum(weight), 0)::BIGINT, {earliest(worst)} FROM ({rows})"
    )
    return Found(count, of, as_examples(examples), names)


def earliest(worst: str = "0") -> str:
    """Aggregate: the worst examples, then the first by row, then by time, as structs."""
    struct = "{'c': case_id, 'a': activity, 't': at_us, 'r': row, 'n': note}"
    return f"min_by({struct}, (-({worst}), coalesce(row, 0), at_us, case_id), {MOST_EXAMPLES})"


def as_examples(structs: list[dict[str, Any]] | None) -> tuple[Example, ...]:
    """The examples that `earliest` gathered."""
    return tuple(
        Example(s["c"], s["a"], None if s["t"] is None else from_us(s["t"]), s["r"], s["n"] or "")
        for s in structs or ()
    )

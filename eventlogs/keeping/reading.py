"""Reading what was there at one moment in several statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from duckdb import DuckDBPyConnection


@contextmanager
def one_moment(con: DuckDBPyConnection) -> Iterator[None]:
    """Let all statements within see the same, whatever others write; temporary tables made within go."""
    con.execute("BEGIN")
    try:
        yield
    finally:
        con.execute("ROLLBACK")

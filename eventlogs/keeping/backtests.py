"""What backtests found, with the twin, the data and the options that they were made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from duckdb import DuckDBPyConnection

from metagraph.errors import DataError

Kind = Literal["policies", "scenario", "forecasts"]
_COLUMNS = "kind, twin, version, twin_hash, log, content_hash, asked, report, made_at"


@dataclass(frozen=True, slots=True)
class Tried:
    """What was held against which past."""

    kind: Kind
    twin: str
    """As it was named."""
    version: int | None
    """Of a twin of the database; None: a file, or one that was built on the way."""
    twin_hash: str
    """SHA-256 of the twin's text; '': built on the way."""
    log: str
    content_hash: str
    """Of the log's snapshot."""
    asked: str
    """The options, as JSON."""


@dataclass(frozen=True, slots=True)
class KeptBacktest:
    """One result."""

    id: int
    tried: Tried
    report: str
    """JSON."""
    made_at: datetime


def keep(con: DuckDBPyConnection, tried: Tried, report: str, at: datetime) -> KeptBacktest:
    """Enter a result, inside the caller's transaction."""
    values = (tried.kind, tried.twin, tried.version, tried.twin_hash, tried.log, tried.content_hash)
    row = con.execute(
        f"INSERT INTO backtests ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        [*values, tried.asked, report, at],
    ).fetchone()
    assert row is not None
    return KeptBacktest(int(row[0]), tried, report, at)


def listed(con: DuckDBPyConnection, twin: str | None = None) -> tuple[KeptBacktest, ...]:
    """All results, or those of a twin by its name, oldest first."""
    rows = con.execute(
        f"SELECT id, {_COLUMNS} FROM backtests WHERE twin = coalesce(?, twin) ORDER BY id", [twin]
    ).fetchall()
    return tuple(KeptBacktest(row[0], Tried(*row[1:8]), row[8], row[9]) for row in rows)


def find(con: DuckDBPyConnection, number: int) -> KeptBacktest:
    """One result. Raises DataError when there is none of this number."""
    found = next((one for one in listed(con) if one.id == number), None)
    if found is None:
        raise DataError(f"there is no backtest {number}: tracetwin backtest list shows those that are kept")
    return found

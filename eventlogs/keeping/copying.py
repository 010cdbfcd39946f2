"""A whole database as another file, proven equal before it gets its name.

The copy is made by the database itself: reading the file's bytes from this process would let go of its lock,
and leave out what is still in the write-ahead log.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from eventlogs.keeping.parquet_files import PARTIAL, sync_folder
from eventlogs.sql import quoted
from metagraph.errors import DataError

_Content = dict[str, tuple[int, int]]


def copy_to(con: DuckDBPyConnection, target: Path) -> None:
    """Write everything the database holds to a new file, outside of any transaction.

    Raises DataError, and leaves no file, when it can't be written or doesn't hold the same rows.
    """
    partial = target.with_name(target.name + PARTIAL)
    try:
        remove(partial)
        with _attached(con, partial) as copy:
            con.execute(f"COPY FROM DATABASE {_current(con)} TO {copy}")
            if content(con, copy) != content(con):
                raise DataError(f"{target}: the copy doesn't hold what the database holds; see to the disk")
        handle = os.open(partial, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        partial.replace(target)
    except (duckdb.Error, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{target} can't be written, so nothing was changed ({reason}); see to the folder and its room"
        ) from None
    finally:
        with suppress(OSError):
            remove(partial)
    sync_folder(target.parent)


def same_content(con: DuckDBPyConnection, other: Path) -> bool:
    """Whether another database's file holds the same rows in the same tables."""
    try:
        with _attached(con, other, "READ_ONLY") as copy:
            return content(con, copy) == content(con)
    except duckdb.Error:
        return False


def content(con: DuckDBPyConnection, database: str | None = None) -> _Content:
    """Of every table the number of rows and the sum of their hashes; by default of the database itself."""
    database = database or _current(con)
    names = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND NOT internal AND NOT temporary",
        [database.strip('"')],
    ).fetchall()
    sums = "SELECT count(*), coalesce(sum(hash(t)), 0)::HUGEINT FROM {}.{} t"
    return {name: con.execute(sums.format(database, f'"{name}"')).fetchall()[0] for (name,) in names}


def remove(file: Path) -> None:
    """Delete a database's file with its write-ahead log."""
    for path in (file, Path(f"{file}.wal")):
        path.unlink(missing_ok=True)


@contextmanager
def _attached(con: DuckDBPyConnection, file: Path, how: str = "READ_WRITE") -> Iterator[str]:
    con.execute(f"ATTACH {quoted(file)} AS another_database ({how})")
    try:
        yield '"another_database"'
    finally:
        con.execute("DETACH another_database")


def _current(con: DuckDBPyConnection) -> str:
    return '"' + str(con.execute("SELECT current_database()").fetchall()[0][0]) + '"'

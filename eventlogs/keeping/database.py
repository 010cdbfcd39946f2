"""One DuckDB file, kept at the newest schema."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from eventlogs.keeping.memory import limit_memory
from eventlogs.keeping.migrating import migrate
from metagraph.errors import DataError, UsageError

MEMORY = ":memory:"
_one_at_a_time = threading.Lock()
"""Threads that open the same file share it, and must not bring it up to date at once."""


class InUseError(DataError):
    """Another process holds the file at the moment."""


def connect(path: str, *, read_only: bool, tell: Callable[[str], None] | None = None) -> DuckDBPyConnection:
    """Open the file; `tell` hears in a sentence when one of an older version is brought up to date.

    Raises InUseError while another process holds it, OutdatedError if it is to be migrated first (read-only),
    DataError when it is missing (read-only), is no database of ours, or is of a newer version; UsageError for
    an empty path.
    """
    if not path:
        raise UsageError("--db is empty; name the database's file")
    if read_only and not Path(path).exists():
        raise DataError(f"{path}: there is no such database; import a log first")
    before = _identity(path)
    try:
        con = duckdb.connect(path, read_only=read_only)
    except duckdb.Error as error:
        text = str(error)
        if "different configuration" in text and read_only:
            # This process already has the file open for writing: share that.
            return connect(path, read_only=False, tell=tell)
        # "block" is a word of damaged files.
        if "set lock" in text or "different configuration" in text:
            raise InUseError(
                f"{path} is in use by another process; wait for that one to finish or give another --db"
            ) from None
        reason = text.splitlines()[0]
        raise DataError(f"{path} can't be opened as a database ({reason}); give another --db") from None
    if before and before != _identity(path):
        # Another process put a rewritten file in its place between opening it here and locking it.
        con.close()
        return connect(path, read_only=read_only, tell=tell)
    try:
        limit_memory(con, in_memory=path == MEMORY)
        with _one_at_a_time:
            migrate(con, path, read_only=read_only, tell=tell or (lambda sentence: None))
    except BaseException:
        con.close()
        raise
    return con


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino

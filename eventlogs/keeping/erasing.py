"""The bytes of what was deleted: marked unused in the file, and gone only from a copy of it."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs.keeping import refreezing
from eventlogs.keeping.copying import copy_to
from eventlogs.keeping.database import InUseError, connect
from eventlogs.keeping.parquet_files import sync_folder
from eventlogs.live.inbox import inbox_path

_REOPEN_S = 60.0
_RETRY_S = 0.05


def due(con: DuckDBPyConnection) -> bool:
    """Whether something was deleted on request since the file was last rewritten."""
    return bool(con.execute("SELECT count(*) FROM deletions WHERE NOT erased").fetchall()[0][0])


def sweep(con: DuckDBPyConnection, path: str) -> None:
    """Remove files that nothing refers to any more, and what the inbox's log of writes still holds."""
    refreezing.sweep(con, path)
    inbox = inbox_path(path)
    if inbox.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(inbox)) as events:
            events.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def rewrite(con: DuckDBPyConnection, path: str) -> DuckDBPyConnection:
    """Replace the file by a copy and open that; `con`, this process's only connection to it, is closed.

    A program that is killed meanwhile leaves the file as it was or as it is to be. The copy is put in place
    while the file is still locked, so that nobody can write to the old one in between. Raises DataError if
    the copy can't be written; the connection is as it was then.
    """
    real = Path(os.path.realpath(path))
    copy = Path(f"{real}.rewritten")
    copy_to(con, copy)
    con.execute("FORCE CHECKPOINT")
    con.execute("PRAGMA disable_checkpoint_on_shutdown")
    copy.replace(real)
    sync_folder(real.parent)
    con.close()
    again = _reopened(path)
    again.execute("UPDATE deletions SET erased = true")
    return again


def _reopened(path: str) -> DuckDBPyConnection:
    deadline = time.monotonic() + _REOPEN_S
    while True:
        try:
            return connect(path, read_only=False)
        except InUseError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_S)

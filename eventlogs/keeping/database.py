"""One DuckDB file: opened with patience, kept at the newest schema."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from metagraph.errors import DataError, UsageError

MEMORY = ":memory:"
_MIGRATIONS = Path(__file__).parent / "migrations"


def connect(
    path: str, *, read_only: bool, wait_s: float, on_wait: Callable[[str], None] | None
) -> DuckDBPyConnection:
    """Open the file, waiting up to `wait_s` seconds while another process holds it.

    Raises DataError when it stays locked, is missing (read-only), is no database of ours, or is of a newer
    version; UsageError for an empty path.
    """
    if not path:
        raise UsageError("--db is empty; name the database's file")
    if read_only and not Path(path).exists():
        raise DataError(f"{path}: there is no such database; import a log first")
    deadline, told = time.monotonic() + wait_s, False
    while True:
        try:
            con = duckdb.connect(path, read_only=read_only)
            break
        except duckdb.Error as error:
            text = str(error)
            if "different configuration" in text and read_only:
                # This process already has the file open for writing: share that.
                read_only = False
                continue
            # "block" is a word of damaged files.
            if "set lock" not in text and "different configuration" not in text:
                reason = text.splitlines()[0]
                raise DataError(
                    f"{path} can't be opened as a database ({reason}); give another --db"
                ) from None
            if time.monotonic() >= deadline:
                raise DataError(
                    f"{path} has been in use by another process for {wait_s:.0f} s; wait for that one to "
                    f"finish or give another --db"
                ) from None
            if on_wait and not told:
                on_wait(f"{path} is in use by another process; waiting up to {wait_s:.0f} s")
            told = True
            time.sleep(0.1)
    try:
        migrate(con, path, read_only=read_only)
    except BaseException:
        con.close()
        raise
    return con


def migrate(con: DuckDBPyConnection, path: str, *, read_only: bool = False) -> None:
    """Run the numbered migrations the file hasn't seen, each in its own transaction."""
    con.execute("SET TimeZone = 'UTC'")
    scripts = sorted(_MIGRATIONS.glob("[0-9]*.sql"))
    version = _version(con)
    if version > len(scripts):
        raise DataError(
            f"{path} was written by a newer Tracetwin (schema {version}, this one knows {len(scripts)}); "
            "update Tracetwin or give another --db"
        )
    if read_only and version < len(scripts):
        raise DataError(
            f"{path} is of an older Tracetwin (schema {version}); open it once for writing to update it"
        )
    for number, script in enumerate(scripts[version:], start=version + 1):
        con.execute("BEGIN")
        try:
            con.execute(script.read_text(encoding="utf-8"))
        except duckdb.CatalogException:
            con.execute("ROLLBACK")
            raise DataError(f"{path} is a database of another program; give another --db") from None
        con.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        con.execute("DELETE FROM schema_version")
        con.execute("INSERT INTO schema_version VALUES (?)", [number])
        con.execute("COMMIT")


def _version(con: DuckDBPyConnection) -> int:
    known = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_version'"
    ).fetchall()[0][0]
    if not known:
        return 0
    return int(con.execute("SELECT max(version) FROM schema_version").fetchall()[0][0])

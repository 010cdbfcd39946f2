"""One DuckDB file, kept at the newest schema."""

from __future__ import annotations

from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from metagraph.errors import DataError, UsageError

MEMORY = ":memory:"
_MIGRATIONS = Path(__file__).parent / "migrations"


class InUseError(DataError):
    """Another process holds the file at the moment."""


class OutdatedError(DataError):
    """The file is of an older version and was opened for reading only."""


def connect(path: str, *, read_only: bool) -> DuckDBPyConnection:
    """Open the file.

    Raises InUseError while another process holds it, OutdatedError if it is to be migrated first (read-only),
    DataError when it is missing (read-only), is no database of ours, or is of a newer version; UsageError for
    an empty path.
    """
    if not path:
        raise UsageError("--db is empty; name the database's file")
    if read_only and not Path(path).exists():
        raise DataError(f"{path}: there is no such database; import a log first")
    try:
        con = duckdb.connect(path, read_only=read_only)
    except duckdb.Error as error:
        text = str(error)
        if "different configuration" in text and read_only:
            # This process already has the file open for writing: share that.
            return connect(path, read_only=False)
        # "block" is a word of damaged files.
        if "set lock" in text or "different configuration" in text:
            raise InUseError(
                f"{path} is in use by another process; wait for that one to finish or give another --db"
            ) from None
        reason = text.splitlines()[0]
        raise DataError(f"{path} can't be opened as a database ({reason}); give another --db") from None
    try:
        migrate(con, path, read_only=read_only)
    except BaseException:
        con.close()
        raise
    return con


def newest_version() -> int:
    """The schema that this program writes."""
    return len(_scripts())


def _scripts() -> list[Path]:
    return sorted(_MIGRATIONS.glob("[0-9]*.sql"))


def migrate(con: DuckDBPyConnection, path: str, *, read_only: bool = False) -> None:
    """Run the numbered migrations the file hasn't seen, each in its own transaction."""
    con.execute("SET TimeZone = 'UTC'")
    scripts = _scripts()
    version = _version(con)
    if version > len(scripts):
        raise DataError(
            f"{path} was written by a newer Tracetwin (schema {version}, this one knows {len(scripts)}); "
            "update Tracetwin or give another --db"
        )
    if read_only and version < len(scripts):
        raise OutdatedError(
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

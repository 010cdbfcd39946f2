"""Bringing a database of an older version up to date, by numbered SQL, after a copy of it was put aside."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from eventlogs.keeping.copying import copy_to, same_content
from metagraph.errors import DataError

_MIGRATIONS = Path(__file__).parent / "migrations"


class OutdatedError(DataError):
    """The file is of an older version and was opened for reading only."""


def newest_version() -> int:
    """The schema that this program writes."""
    return len(_scripts())


def migrate(
    con: DuckDBPyConnection,
    path: str,
    *,
    read_only: bool = False,
    tell: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Run the numbered migrations the file hasn't seen, each in its own transaction.

    Before that the file is copied to FILE.v1-backup, or the like, and `tell` is told so. Raises OutdatedError
    for an older file that is open for reading only, DataError for a newer one and one of another program.
    """
    con.execute("SET TimeZone = 'UTC'")
    scripts = _scripts()
    version = _version(con, path)
    if version > len(scripts):
        raise DataError(
            f"{path} was written by a newer Tracetwin (schema {version}, this one knows {len(scripts)}); "
            "update Tracetwin or give another --db"
        )
    if version == len(scripts):
        return
    if read_only:
        raise OutdatedError(
            f"{path} is of an older Tracetwin (schema {version}); open it once for writing to update it"
        )
    if version:
        backup = _back_up(con, path, version)
        tell(f"{path} is of an older Tracetwin and is brought up to date; as it was, it is kept as {backup}")
    for number, script in enumerate(scripts[version:], start=version + 1):
        con.execute("BEGIN")
        try:
            _run(con, script, number)
        except duckdb.CatalogException:
            con.execute("ROLLBACK")
            raise _foreign(path) from None
        con.execute("COMMIT")
    if version:
        # A changed table is safest in the file itself.
        con.execute("CHECKPOINT")


def _run(con: DuckDBPyConnection, script: Path, number: int) -> None:
    con.execute(script.read_text(encoding="utf-8"))
    con.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    con.execute("DELETE FROM schema_version")
    con.execute("INSERT INTO schema_version VALUES (?)", [number])


def backups(path: str) -> list[Path]:
    """The copies that migrations put aside."""
    file = Path(path)
    name = re.compile(re.escape(file.name) + r"\.v\d+-backup(-\d+)?")
    return sorted(path for path in file.parent.iterdir() if name.fullmatch(path.name))


def _scripts() -> list[Path]:
    return sorted(_MIGRATIONS.glob("[0-9]*.sql"))


def _version(con: DuckDBPyConnection, path: str) -> int:
    """0 for a new file. Raises DataError for a database that isn't ours."""
    tables = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not tables:
        return 0
    if not {"schema_version", "uploads", "models"} <= tables:
        raise _foreign(path)
    try:
        return int(con.execute("SELECT max(version) FROM schema_version").fetchall()[0][0])
    except (duckdb.Error, TypeError, ValueError):
        raise _foreign(path) from None


def _back_up(con: DuckDBPyConnection, path: str, version: int) -> Path:
    """Copy the file, unless an earlier attempt did; an older copy of other content is left alone."""
    attempt = 1
    while True:
        backup = Path(f"{path}.v{version}-backup" + (f"-{attempt}" if attempt > 1 else ""))
        if not backup.exists():
            copy_to(con, backup)
            return backup
        if same_content(con, backup):
            return backup
        attempt += 1


def _foreign(path: str) -> DataError:
    return DataError(f"{path} is a database of another program; give another --db")

"""Parquet, its values written out as text, exactly."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from eventlogs.readers.archives import on_disk
from eventlogs.readers.dialect import MOST_COLUMNS
from eventlogs.readers.staging import Staged
from metagraph.errors import DataError

_NUMBER = r"FLOAT|DOUBLE|DECIMAL\(.*\)|U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER"
_NESTED = ("STRUCT", "MAP", "UNION", "VARIANT")


def read_parquet(con: DuckDBPyConnection, path: Path) -> Staged:
    """Stage a Parquet file, packed or not.

    Instants are written as ISO 8601 with Z, times without a zone stay without one, nested values become JSON,
    bytes that are no UTF-8 are escaped. Raises DataError when it is no Parquet file or has no rows.
    """
    con.execute("SET TimeZone = 'UTC'")
    with on_disk(path) as plain:
        names = _names(path, plain)
        short = ", ".join(f"c{i}" for i in range(len(names)))
        table = f"read_parquet(?, file_row_number=true, hive_partitioning=false) AS t({short}, row)"
        try:
            described = con.execute(f"DESCRIBE SELECT * FROM {table}", [str(plain)]).fetchall()
            texts = ", ".join(f"{_text(name, kind)} AS {name}" for name, kind, *_ in described[:-1])
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE staging AS SELECT row + 1 AS row, {texts} FROM {table}",
                [str(plain)],
            )
        except (duckdb.OutOfMemoryException, duckdb.FatalException):
            raise
        except duckdb.Error as error:
            raise _unreadable(path, error) from None
        with plain.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    rows = con.execute("SELECT count(*) FROM staging").fetchall()[0][0]
    if not rows:
        raise DataError(f"{path}: the file has no rows; a log needs at least one event")
    numeric = tuple(
        name for name, column in zip(names, described, strict=False) if re.fullmatch(_NUMBER, column[1])
    )
    return Staged(str(path), names, rows, digest, "row", 1, (), numeric=numeric)


def _names(path: Path, plain: Path) -> tuple[str, ...]:
    """The columns' names as they are: DuckDB renames those that differ only in case."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        names = tuple(parquet.read_schema(plain).names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if len(names) > MOST_COLUMNS:
        raise DataError(
            f"{path} has {len(names):,} columns and at most {MOST_COLUMNS:,} are read; export only those "
            "that matter"
        )
    if twice := sorted(name for name in set(names) if names.count(name) > 1):
        raise DataError(f"{path} has two columns named {twice[0]!r}; give each column its own name")
    return names


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).splitlines()[0].rstrip(".")
    return DataError(f"{path} can't be read as Parquet ({reason}); export it again")


def _text(column: str, kind: str) -> str:
    if kind.startswith(("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")) and not kind.endswith("]"):
        text = rf"regexp_replace(replace({column}::VARCHAR, ' ', 'T'), '\+00$', 'Z')"
    elif kind.endswith("]") or kind.startswith(_NESTED):
        text = f"to_json({column})::VARCHAR"
    elif kind == "BLOB":
        text = f"coalesce(TRY(decode({column})), {column}::VARCHAR)"
    else:
        text = f"{column}::VARCHAR"
    return f"nullif({text}, '')"

"""Parquet files beside the database: whole or not there, and on the disk before anybody relies on them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from duckdb import DuckDBPyConnection

from eventlogs.sql import quoted
from metagraph.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

PARTIAL = ".partial"
"""The ending of files that are being written, or were when the program was killed."""


def beside(database: str, what: str) -> Path:
    """The folder for `what` beside the database's file, such as FILE.snapshots."""
    return Path(f"{database}.{what}")


def write(table: pa.Table, path: Path) -> None:
    """Write a table with its metadata; the file is complete and on the disk when this returns."""
    import pyarrow.parquet as pq

    with _partial(path.parent) as partial:
        pq.write_table(table, partial, compression="zstd", write_page_checksum=True)
        _settle(partial, path)


def write_query(con: DuckDBPyConnection, query: str, folder: Path) -> str:
    """Write what a query gives to the folder, as a file named by the SHA-256 of its bytes; that hash."""
    with _partial(folder) as partial:
        con.execute(f"COPY ({query}) TO {quoted(partial)} (FORMAT parquet, COMPRESSION zstd)")
        with partial.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()
        _settle(partial, folder / f"{name}.parquet")
    return name


def read(path: Path) -> pa.Table:
    """The table in a file. Raises DataError when the file is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, page_checksum_verification=True).read()
    except FileNotFoundError:
        raise DataError(f"{path} is missing; bring it back from a backup") from None
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path} is damaged ({reason}); bring it back from a backup") from None


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """A name in the folder under which a file may be written; what is left there at the end goes."""
    folder.mkdir(exist_ok=True)
    partial = folder / f"{os.getpid()}{PARTIAL}"
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _settle(partial: Path, path: Path) -> None:
    """Give a file its name once it is on the disk."""
    handle = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    partial.replace(path)
    sync_folder(path.parent)
    sync_folder(path.parent.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

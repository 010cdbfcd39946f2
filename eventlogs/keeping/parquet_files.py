"""Parquet files beside the database: whole or not there, and on the disk before anybody relies on them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from metagraph.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def beside(database: str, what: str) -> Path:
    """The folder for `what` beside the database's file, such as FILE.snapshots."""
    return Path(f"{database}.{what}")


def write(table: pa.Table, path: Path) -> None:
    """Write a table with its metadata; the file is complete and on the disk when this returns."""
    import pyarrow.parquet as pq

    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            pq.write_table(table, file, compression="zstd", write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)
    sync_folder(path.parent.parent)


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


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

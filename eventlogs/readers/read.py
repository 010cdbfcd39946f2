"""The reader for a file, by the ending of its name."""

from __future__ import annotations

from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs.readers.csv_reader import read_csv, read_parquet
from eventlogs.readers.staging import Staged
from eventlogs.readers.xes_reader import read_xes


def read(con: DuckDBPyConnection, path: Path) -> Staged:
    """Stage a log file: XES, Parquet, or else delimited text; a .gz at the end of the name is passed over.

    Raises DataError when the file can't be read.
    """
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    reader = {".xes": read_xes, ".parquet": read_parquet}.get(ending, read_csv)
    return reader(con, path)

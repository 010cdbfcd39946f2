"""The reader for a file, by what it holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs.readers import staging
from eventlogs.readers.archives import identify
from eventlogs.readers.csv_reader import read_csv
from eventlogs.readers.parquet_reader import read_parquet
from eventlogs.readers.staging import Staged
from eventlogs.readers.xes_reader import read_xes
from metagraph.errors import DataError


def read(con: DuckDBPyConnection, path: Path) -> Staged:
    """Stage a log file: XES, Parquet, or else delimited text, plain or packed as gzip or ZIP.

    Raises DataError when the file can't be read.
    """
    source = identify(path)
    staging.prepare(con)
    readers = {"text": read_csv, "xes": read_xes, "parquet": read_parquet}
    if source.kind not in readers:
        raise DataError(f"{path} is no CSV, XES or Parquet file; export the log as one of these")
    return dataclasses.replace(readers[source.kind](con, path), member=source.member)

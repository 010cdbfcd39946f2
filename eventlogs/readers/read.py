"""The reader for a file, by what it holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs.readers import staging
from eventlogs.readers.archives import identify
from eventlogs.readers.csv_reader import read_csv
from eventlogs.readers.ocel_json import fill_from_json
from eventlogs.readers.ocel_reader import read_ocel
from eventlogs.readers.ocel_sqlite import fill_from_sqlite
from eventlogs.readers.parquet_reader import read_parquet
from eventlogs.readers.staging import Staged
from eventlogs.readers.xes_reader import read_xes
from metagraph.errors import UsageError


def read(con: DuckDBPyConnection, path: Path, object_type: str | None = None) -> Staged:
    """Stage a log file: XES, Parquet, OCEL 2.0 or else delimited text, plain or packed as gzip or ZIP.

    `object_type` names the objects that are the cases of an object-centric log. Raises DataError when the
    file can't be read, UsageError for an object type where the log has none.
    """
    source = identify(path)
    staging.prepare(con)
    if source.kind in ("json", "sqlite"):
        fill = fill_from_json if source.kind == "json" else fill_from_sqlite
        return dataclasses.replace(read_ocel(con, path, fill, object_type), member=source.member)
    if object_type is not None:
        raise UsageError(
            f"{path} is no object-centric log (OCEL), so --object-type {object_type!r} means nothing for it; "
            f"leave it out"
        )
    reader = {"text": read_csv, "xes": read_xes, "parquet": read_parquet}[source.kind]
    return dataclasses.replace(reader(con, path), member=source.member)

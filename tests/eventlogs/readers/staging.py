"""What a reader leaves behind, as plain rows."""

import functools
import json
from pathlib import Path

import duckdb

from eventlogs.readers.read import read
from eventlogs.readers.staging import AS_IT_STOOD, Staged

Rows = dict[int, tuple[str | None, ...]]


@functools.cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def stage(path: Path) -> tuple[Staged, Rows, dict[int, str]]:
    """The account of a file, its good rows by number, and the whole text of its broken ones."""
    con = _connection()
    staged = read(con, path)
    good = {row: tuple(fields) for row, *fields in con.execute("FROM staging ORDER BY row").fetchall()}
    broken = con.execute("SELECT row, raw FROM broken ORDER BY row").fetchall()
    texts = {row: json.loads(raw)[AS_IT_STOOD] for row, raw in broken}
    assert sorted([*good, *texts]) == list(range(1, staged.rows + 1))
    assert len(texts) == staged.broken
    return staged, good, texts

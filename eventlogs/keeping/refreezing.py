"""Kept snapshots and archives without a case, or without a person's name, under the hash they have then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us, monday, to_us
from eventlogs.keeping import parquet_files, retention, snapshots
from eventlogs.keeping.snapshots import ATTRIBUTE, PAUSES
from eventlogs.snapshot import Snapshot
from metagraph.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

Change = Callable[["pa.Table"], tuple["pa.Table", int]]
"""A table of executions as it is to be, and how many of them are concerned."""
_NEVER_A_PERSON = ("case_id", "activity", "start_time", "end_time")


def without_case(case_id: str) -> Change:
    """Leave out one case."""

    def change(table: pa.Table) -> tuple[pa.Table, int]:
        import pyarrow.compute as pc

        rest = table.filter(pc.not_equal(_texts(table, "case_id"), case_id))
        return rest, table.num_rows - rest.num_rows

    return change


def renamed(name: str, label: str) -> Change:
    """Replace a name wherever it is the whole value of a resource or an attribute."""

    def change(table: pa.Table) -> tuple[pa.Table, int]:
        import pyarrow as pa
        import pyarrow.compute as pc

        concerned = np.zeros(table.num_rows, dtype=np.bool_)
        for i, field in enumerate(table.schema):
            if field.name in _NEVER_A_PERSON or not _is_text(field.type):
                continue
            found = pc.fill_null(pc.equal(_texts(table, field.name), name), False)
            concerned |= found.to_numpy()
            table = table.set_column(
                i, field.name, pc.if_else(found, pa.scalar(label), _texts(table, field.name))
            )
        return table, int(concerned.sum())

    return change


def change_snapshots(
    con: DuckDBPyConnection, database: str, change: Change
) -> tuple[dict[str, str], list[str]]:
    """Freeze every kept snapshot that is concerned anew, inside the caller's transaction.

    Returns old hash -> new hash ('' where nothing is left), and what couldn't be read, in sentences. The old
    files are left to `sweep`.
    """
    became: dict[str, str] = {}
    unread = []
    for kept in snapshots.listed(con):
        if kept.replaced_by is not None or kept.content_hash in became:
            continue
        try:
            table = parquet_files.read(snapshots.folder(database) / f"{kept.content_hash}.parquet")
        except DataError as error:
            unread.append(f"{error}, or delete it: nobody can tell whether it holds any of this")
            continue
        table, concerned = change(table)
        if not concerned:
            continue
        snapshot = _frozen(table) if table.num_rows else None
        new = snapshot.content_hash if snapshot else ""
        became[kept.content_hash] = new
        con.execute("UPDATE snapshots SET replaced_by = ? WHERE replaced_by = ?", [new, kept.content_hash])
        con.execute("UPDATE snapshots SET replaced_by = ? WHERE content_hash = ?", [new, kept.content_hash])
        if snapshot:
            parquet_files.write(snapshots.to_table(snapshot), snapshots.folder(database) / f"{new}.parquet")
            snapshots.note(
                con,
                replace(kept, content_hash=new, cases=snapshot.n_cases, executions=snapshot.n_events),
            )
    return became, unread


def change_archives(con: DuckDBPyConnection, database: str, change: Change) -> tuple[int, list[str]]:
    """Write every archive that is concerned anew, inside the caller's transaction; executions concerned."""
    total, unread = 0, []
    folder = retention.folder(database)
    for (content,) in con.execute("SELECT DISTINCT content_hash FROM archives").fetchall():
        try:
            table, concerned = change(parquet_files.read(folder / f"{content}.parquet"))
        except DataError as error:
            unread.append(f"{error}, or delete it: nobody can tell whether it holds any of this")
            continue
        total += concerned
        if concerned and not table.num_rows:
            con.execute("DELETE FROM archives WHERE content_hash = ?", [content])
        elif concerned:
            con.register("rest", table)
            new = parquet_files.write_query(con, "FROM rest", folder)
            cases = con.execute("SELECT count(DISTINCT case_id) FROM rest").fetchall()[0][0]
            con.unregister("rest")
            con.execute(
                "UPDATE archives SET content_hash = ?, cases = ?, executions = ? WHERE content_hash = ?",
                [new, cases, table.num_rows, content],
            )
    return total, unread


def sweep(con: DuckDBPyConnection, database: str) -> None:
    """Delete the files of snapshots and archives that the database doesn't know, in the turn to write."""
    known = {
        row[0]
        for row in con.execute("SELECT content_hash FROM snapshots WHERE replaced_by IS NULL").fetchall()
    }
    archived = {row[0] for row in con.execute("SELECT content_hash FROM archives").fetchall()}
    for folder, names in ((snapshots.folder(database), known), (retention.folder(database), archived)):
        for file in folder.glob("*") if folder.exists() else ():
            if file.suffix in (".parquet", parquet_files.PARTIAL) and file.stem not in names:
                file.unlink(missing_ok=True)


def _frozen(table: pa.Table) -> Snapshot:
    """What freezing the remaining executions at the same instant would give."""
    key = b"tracetwin"
    whole = json.loads(table.schema.metadata[key])
    origin_us = to_us(datetime.fromisoformat(whole["origin"]))
    starts_us = origin_us + np.rint(table["start_s"].to_numpy() * 1e6).astype(np.int64)
    origin = monday(from_us(int(starts_us.min())))
    shift_us = to_us(origin) - origin_us
    for name in ("start_s", "end_s"):
        moved = (np.rint(table[name].to_numpy() * 1e6) - shift_us) / 1e6
        table = table.set_column(table.column_names.index(name), name, [moved])
    if PAUSES in table.column_names:
        table = _pauses_moved(table, shift_us)
    until = datetime.fromisoformat(whole["origin"]) + timedelta(seconds=whole["until_s"])
    whole |= {
        "origin": origin.isoformat(),
        "until_s": (to_us(until) - to_us(origin)) / 1e6,
        "activities": _distinct(table, "activity"),
        "resources": _distinct(table, "resource"),
    }
    filled = [
        n for n in table.column_names if not n.startswith(ATTRIBUTE) or table[n].null_count < table.num_rows
    ]
    table = table.select(filled).replace_schema_metadata({key: json.dumps(whole)})
    return snapshots.from_table(table)


def _pauses_moved(table: pa.Table, shift_us: int) -> pa.Table:
    import pyarrow as pa

    lists = table[PAUSES].combine_chunks()
    moved = (np.rint(lists.flatten().to_numpy() * 1e6) - shift_us) / 1e6
    if not len(moved):
        return table.drop_columns([PAUSES])
    ends = np.cumsum(lists.value_lengths().to_numpy())
    column = pa.ListArray.from_arrays(np.concatenate(([0], ends)).astype(np.int32), moved)
    return table.set_column(table.column_names.index(PAUSES), PAUSES, column)


def _distinct(table: pa.Table, name: str) -> list[str]:
    return sorted(value for value in _texts(table, name).unique().to_pylist() if value is not None)


def _texts(table: pa.Table, name: str) -> pa.ChunkedArray:
    import pyarrow as pa

    return table[name].cast(pa.string())


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))

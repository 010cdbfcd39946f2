"""Snapshots that twins were built from, kept as Parquet, so that any twin can be built again byte for byte.

A file has one row an execution: case, activity and resource by name, times in seconds since the origin,
whether the case was open, and the case's attributes as columns `case:NAME`; what concerns the whole snapshot
stands in the schema's metadata under `tracetwin`, as JSON. Column `pauses_s`, where anything was suspended,
lists the seconds at which pauses of the execution began and ended, in turn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from duckdb import DuckDBPyConnection

from eventlogs.keeping import parquet_files
from eventlogs.report import ImportReport
from eventlogs.snapshot import NO_RESOURCE, Pauses, Snapshot, no_pauses, sealed
from metagraph.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_KEY = b"tracetwin"
_NAMED = ("activity", "resource", "offsets", "is_open")
"""Arrays of a snapshot that stand in the file in another form."""
ATTRIBUTE = "case:"
PAUSES = "pauses_s"
SHORT = 12


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    """One snapshot beside the database."""

    content_hash: str
    log: str
    until: datetime
    cases: int
    executions: int
    report: ImportReport
    """Of the import it was frozen from."""
    open_rule: str
    """How open cases were told, in words."""
    created_at: datetime
    replaced_by: str | None
    """The snapshot that a deletion on request made of this one; empty when nothing was left of it."""


def folder(database: str) -> Path:
    """Where the snapshots of a database are."""
    return parquet_files.beside(database, "snapshots")


def keep(
    con: DuckDBPyConnection, database: str, snapshot: Snapshot, report: ImportReport, open_rule: str
) -> KeptSnapshot:
    """Write the snapshot's file, then note it, inside the caller's transaction."""
    parquet_files.write(to_table(snapshot), _file(database, snapshot.content_hash))
    kept = KeptSnapshot(
        content_hash=snapshot.content_hash,
        log=snapshot.name,
        until=snapshot.origin + timedelta(seconds=snapshot.until_s),
        cases=snapshot.n_cases,
        executions=snapshot.n_events,
        report=report,
        open_rule=open_rule,
        created_at=datetime.now(UTC),
        replaced_by=None,
    )
    note(con, kept)
    return kept


def note(con: DuckDBPyConnection, kept: KeptSnapshot) -> None:
    """Enter a snapshot whose file is there."""
    con.execute("DELETE FROM snapshots WHERE content_hash = ? AND log = ?", [kept.content_hash, kept.log])
    con.execute(
        "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(kept.content_hash, kept.log, kept.until, kept.cases, kept.executions, kept.report.to_json()),
            *(kept.open_rule, kept.created_at, kept.replaced_by),
        ],
    )


def listed(con: DuckDBPyConnection) -> tuple[KeptSnapshot, ...]:
    """Every snapshot ever kept, oldest first; those that a deletion replaced have no file any more."""
    rows = con.execute("SELECT * FROM snapshots ORDER BY created_at, content_hash").fetchall()
    return tuple(
        KeptSnapshot(content, log, until, cases, n, ImportReport.from_json(report), rule, at, replaced)
        for content, log, until, cases, n, report, rule, at, replaced in rows
    )


def find(con: DuckDBPyConnection, reference: str) -> KeptSnapshot:
    """The snapshot whose hash begins so, the latest if several logs had this content.

    Raises DataError when there is none, more than one, or a deletion on request changed it.
    """
    kept = {info.content_hash: info for info in listed(con)}
    found = [info for content, info in kept.items() if reference and content.startswith(reference.lower())]
    if len(found) != 1:
        shown = (
            ", ".join(f"{c[:SHORT]} ({i.log})" for c, i in kept.items() if i.replaced_by is None) or "none"
        )
        what = f"{len(found)} snapshots begin" if found else "no kept snapshot begins"
        raise DataError(f"{what} with {reference!r}; kept: {shown}")
    if found[0].replaced_by is not None:
        then = (
            f"the rest is snapshot:{found[0].replaced_by[:SHORT]}"
            if found[0].replaced_by
            else "nothing is left"
        )
        raise DataError(
            f"snapshot {reference} was changed by a deletion on request, so it can't be had as it was; {then}"
        )
    return found[0]


def frozen(con: DuckDBPyConnection, database: str, reference: str) -> Snapshot:
    """Read a kept snapshot back and prove it against its hash.

    Raises as `find` does, and DataError when its file is missing or damaged.
    """
    kept = find(con, reference)
    file = _file(database, kept.content_hash)
    snapshot = from_file(file)
    if snapshot.content_hash != kept.content_hash:
        raise _damaged(file)
    return replace(snapshot, name=kept.log)


def to_file(snapshot: Snapshot, file: Path) -> None:
    """Write a snapshot to a file of its own, as `from_file` reads it."""
    parquet_files.write(to_table(snapshot), file)


def from_file(file: Path) -> Snapshot:
    """The snapshot in a file, with the hash that its content has. Raises DataError when it is damaged."""
    table = parquet_files.read(file)
    try:
        return from_table(table)
    except (KeyError, ValueError, TypeError):
        raise _damaged(file) from None


def to_table(snapshot: Snapshot) -> pa.Table:
    """One row an execution, texts by name, and the rest as metadata."""
    import pyarrow as pa

    case = snapshot.case_of_row()
    columns: dict[str, Any] = {
        "case_id": _dictionary(snapshot.cases, case),
        "activity": _dictionary(snapshot.activities, snapshot.activity),
        "resource": _dictionary(snapshot.resources, snapshot.resource),
    }
    columns |= {name: getattr(snapshot, name) for name in _row_arrays()}
    columns["is_open"] = snapshot.is_open[case]
    if len(snapshot.pauses.row):
        columns[PAUSES] = _pause_lists(snapshot)
    for name, values in snapshot.attributes.items():
        columns[ATTRIBUTE + name] = pa.array(values, pa.string()).dictionary_encode().take(pa.array(case))
    whole = {
        "content_hash": snapshot.content_hash,
        "name": snapshot.name,
        "origin": snapshot.origin.isoformat(),
        "until_s": snapshot.until_s,
        "activities": snapshot.activities,
        "resources": snapshot.resources,
        "single_timestamp": snapshot.single_timestamp,
    }
    return pa.table(columns).replace_schema_metadata({_KEY: json.dumps(whole)})


def from_table(table: pa.Table) -> Snapshot:
    """The inverse of `to_table`, with its hash computed anew."""
    whole = json.loads(table.schema.metadata[_KEY])
    cases, case = _codes(table["case_id"])
    offsets = np.searchsorted(case, np.arange(len(cases) + 1)).astype(np.int64)
    attributes = [name for name in table.column_names if name.startswith(ATTRIBUTE)]
    firsts = table.take(offsets[:-1])
    arrays = {name: table[name].to_numpy() for name in _row_arrays()}
    snapshot = Snapshot(
        name=whole["name"],
        origin=datetime.fromisoformat(whole["origin"]),
        until_s=whole["until_s"],
        cases=cases,
        activities=tuple(whole["activities"]),
        resources=tuple(whole["resources"]),
        offsets=offsets,
        activity=_indices(table["activity"], whole["activities"]),
        resource=_indices(table["resource"], whole["resources"]),
        is_open=firsts["is_open"].to_numpy(),
        attributes={name.removeprefix(ATTRIBUTE): tuple(firsts[name].to_pylist()) for name in attributes},
        single_timestamp=whole["single_timestamp"],
        content_hash="",
        pauses=_pauses(table[PAUSES]) if PAUSES in table.column_names else no_pauses(),
        **arrays,
    )
    return sealed(snapshot)


def _file(database: str, content_hash: str) -> Path:
    return folder(database) / f"{content_hash}.parquet"


def _pause_lists(snapshot: Snapshot) -> pa.ListArray:
    """Per execution the seconds at which pauses began and ended, in turn."""
    import pyarrow as pa

    pauses = snapshot.pauses
    ends = np.cumsum(2 * np.bincount(pauses.row, minlength=snapshot.n_events))
    instants = np.column_stack((pauses.start_s, pauses.end_s)).ravel()
    return pa.ListArray.from_arrays(np.concatenate(([0], ends)).astype(np.int32), instants)


def _pauses(column: Any) -> Pauses:
    lists = column.combine_chunks()
    instants = lists.flatten().to_numpy()
    row = np.repeat(np.arange(len(lists)), lists.value_lengths().to_numpy() // 2)
    return Pauses(row, instants[::2].copy(), instants[1::2].copy())


def _row_arrays() -> list[str]:
    """The snapshot's numbers, one per execution, whichever there are."""
    return [f.name for f in fields(Snapshot) if "NDArray" in str(f.type) and f.name not in _NAMED]


def _dictionary(names: tuple[str, ...], codes: Any) -> pa.DictionaryArray:
    import pyarrow as pa

    indices = pa.array(codes.astype(np.int32), mask=codes == NO_RESOURCE)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))


def _codes(column: Any) -> tuple[tuple[str, ...], Any]:
    """Distinct texts in order of appearance, and each row's index into them."""
    import pyarrow as pa

    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    return tuple(encoded.dictionary.to_pylist()), encoded.indices.to_numpy()


def _indices(column: Any, names: list[str]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(column.cast(pa.string()), value_set=pa.array(names, pa.string()))
    return found.fill_null(NO_RESOURCE).to_numpy().astype(np.int32)


def _damaged(file: Path) -> DataError:
    return DataError(
        f"{file} is damaged: its content doesn't give the hash that names it; bring it back from a backup"
    )

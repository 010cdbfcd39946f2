"""Object-centric logs (OCEL 2.0) flattened: each object of one type is a case, with the events it takes part
in.
An event of several such objects stands in each of their cases; one of none stands in no case. Both are
counted and said. An attribute of an object that changes keeps its first value as the case's attribute, since
later ones weren't known when the case began; what it was at each event is an attribute of the event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs.readers.ocel_flat import flatten
from eventlogs.readers.ocel_tables import Tables
from eventlogs.readers.staging import Staged
from metagraph.errors import DataError

Fill = Callable[[Tables, Path], str]
"""Fills the tables from a file and returns the SHA-256 of its content."""


class ObjectTypeError(DataError):
    """It isn't known which objects are the cases."""

    def __init__(self, sentence: str, counts: Mapping[str, int]) -> None:
        super().__init__(sentence)
        self.counts = counts
        """Objects of each type, most first."""


def read_ocel(con: DuckDBPyConnection, path: Path, fill: Fill, object_type: str | None = None) -> Staged:
    """Stage an OCEL 2.0 file that `fill` can read, the objects of `object_type` being the cases.

    Without a type, it is the only one there is. Raises DataError naming the event or object at fault, or the
    types to choose from.
    """
    tables = Tables(con)
    digest = fill(tables, path)
    tables.close()
    _check(con, path)
    types: dict[str, int] = dict(
        con.execute(
            "SELECT type, count(*) FROM ocel_objects GROUP BY type ORDER BY count(*) DESC, type"
        ).fetchall()
    )
    kind = _choose(path, types, object_type)
    columns, changing = flatten(con, path, kind)
    rows = int(con.execute("SELECT count(*) FROM staging").fetchall()[0][0])
    if not rows:
        raise DataError(f"{path}: no event relates to an object of type {kind!r}; take another --object-type")
    notes = _notes(con, kind, rows, changing, tables.object_relations)
    tables.drop()
    return Staged(
        *(str(path), columns, rows, digest, f"event of {kind!r}", 1, notes),
        object_type=kind,
        object_types=tuple(types.items()),
    )


def _check(con: DuckDBPyConnection, path: Path) -> None:
    """Raises DataError for the first event or object that contradicts the rest."""
    faults = (
        (
            "SELECT id FROM ocel_{}s GROUP BY id HAVING count(*) > 1 ORDER BY min(n) LIMIT 1",
            "the id {0!r} stands for two {kind}s; give each its own",
        ),
        (
            "SELECT n FROM ocel_{}s WHERE id IS NULL OR type IS NULL ORDER BY n LIMIT 1",
            "{kind} {0} has no id or no type; mend it, or export the log again",
        ),
    )
    for kind in ("event", "object"):
        for query, sentence in faults:
            if found := con.execute(query.format(kind)).fetchall():
                raise DataError(f"{path}: {sentence.format(*found[0], kind=kind)}")
    if found := con.execute(
        "SELECT id, time FROM ocel_events WHERE try_cast(time AS TIMESTAMPTZ) IS NULL ORDER BY n LIMIT 1"
    ).fetchall():
        raise DataError(
            f"{path}: the time {found[0][1]!r} of event {found[0][0]!r} is not in ISO 8601 "
            f"(2024-01-31T13:45:00Z); mend it, or export the log again"
        )
    if found := con.execute(
        "SELECT o.id, name, time FROM ocel_object_values v JOIN ocel_objects o ON o.n = v.object "
        "WHERE time IS NOT NULL AND try_cast(time AS TIMESTAMPTZ) IS NULL LIMIT 1"
    ).fetchall():
        raise DataError(
            f"{path}: the time {found[0][2]!r} of attribute {found[0][1]!r} of object {found[0][0]!r} is not "
            f"in ISO 8601 (2024-01-31T13:45:00Z); mend it, or export the log again"
        )
    if found := con.execute(
        "SELECT e.id, object FROM ocel_relations r JOIN ocel_events e ON e.n = r.event "
        "WHERE object NOT IN (SELECT id FROM ocel_objects) OR object IS NULL LIMIT 1"
    ).fetchall():
        raise DataError(
            f"{path}: event {found[0][0]!r} relates to the object {found[0][1]!r}, which the file doesn't "
            f"hold; mend it, or export the log again"
        )
    if found := con.execute(
        "SELECT e.id, name FROM ocel_event_values v JOIN ocel_events e ON e.n = v.event "
        "GROUP BY ALL HAVING count(*) > 1 LIMIT 1"
    ).fetchall():
        raise DataError(
            f"{path}: event {found[0][0]!r} has the attribute {found[0][1]!r} twice; mend it, or export the "
            f"log again"
        )


def _choose(path: Path, types: Mapping[str, int], wanted: str | None) -> str:
    if wanted is not None and wanted in types:
        return wanted
    if wanted is None and len(types) == 1:
        return next(iter(types))
    held = ", ".join(f"{kind!r} ({count})" for kind, count in types.items())
    what = f"holds no objects of type {wanted!r}, but" if wanted else "holds several kinds of objects,"
    raise ObjectTypeError(f"{path} {what} {held}; say which are the cases with --object-type", types)


def _notes(
    con: DuckDBPyConnection, kind: str, rows: int, changing: dict[str, int], between: int
) -> tuple[str, ...]:
    idle, loose, shared, involved = con.execute(
        "SELECT (SELECT count(*) FROM ocel_objects WHERE type = ? AND n NOT IN (SELECT object FROM "
        "ocel_pairs)), (SELECT count(*) FROM ocel_events WHERE n NOT IN (SELECT event FROM ocel_pairs)), "
        "count(*) FILTER (cases > 1), count(*) FROM (SELECT count(*) AS cases FROM ocel_pairs GROUP BY "
        "event)",
        [kind],
    ).fetchall()[0]
    notes = [f"Each object of type {kind!r} is a case, with the events that relate to it."]
    if shared:
        notes.append(
            f"{shared} events relate to several of these objects and stand in each of their cases: "
            f"{involved} events make {rows} rows, {rows - involved} of them repetitions."
        )
    counts = (
        (loose, f"events relate to no object of type {kind!r}; they were left out"),
        (idle, f"objects of type {kind!r} have no event; they were left out"),
        (between, "relations between objects belong to no single case; they were left out"),
    )
    notes += [f"{count} {what}." for count, what in counts if count]
    notes += [
        f"{name!r} changes for {count} objects: 'case:{name}' is its first value, 'object:{name}' its value "
        f"at the event."
        for name, count in changing.items()
    ]
    return tuple(notes)

"""OCEL 2.0 in SQLite, opened so that nothing in it can be changed or run."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from eventlogs.readers.archives import on_disk
from eventlogs.readers.ocel_tables import Row, Tables
from metagraph.errors import DataError

_NEEDED = ("event", "object", "event_object", "event_map_type", "object_map_type")
_LONGEST = 1 << 24


def fill_from_sqlite(tables: Tables, path: Path) -> str:
    """Fill the tables; returns the file's SHA-256. Raises DataError naming the table at fault."""
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        raise DataError(
            f"{path}: some of its content is still in {wal.name}; close the program that writes it"
        )
    with on_disk(path) as plain:
        with plain.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            with closing(sqlite3.connect(f"{plain.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
                db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
                db.execute("PRAGMA trusted_schema = OFF")
                _Database(db, path).fill(tables)
        except sqlite3.Error as error:
            raise DataError(f"{path} can't be read as a SQLite file ({error}); export it again") from None
    return digest


class _Database:
    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path
        # A view or a virtual table, which could compute for ever, has no page of its own.
        found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0")
        self._names = {name for (name,) in found}
        if missing := [name for name in _NEEDED if name not in self._names]:
            raise DataError(
                f"{path} is a SQLite file, but no OCEL 2.0: it has no table {missing[0]!r}; save it as "
                "OCEL 2.0"
            )

    def fill(self, tables: Tables) -> None:
        for event_type, table in self._types("event"):
            for number, identity, row in self._of_type("event", "LEFT JOIN", event_type, table):
                tables.add("ocel_events", [(number, identity, event_type, row["ocel_time"])])
                tables.add("ocel_event_values", [(number, *value) for value in _attributes(row)])
        for found in self._rows("SELECT rowid, ocel_id, ocel_type FROM object", "object"):
            tables.add("ocel_objects", [_numbered(found)])
        for object_type, table in self._types("object"):
            for number, _, row in self._of_type("object", "JOIN", object_type, table):
                time, changed = row.get("ocel_time"), row.get("ocel_changed_field")
                values = [
                    (number, name, time, value) for name, value in _attributes(row) if changed in (None, name)
                ]
                tables.add("ocel_object_values", values)
        self._relations(tables)

    def _relations(self, tables: Tables) -> None:
        for row in self._rows(
            "SELECT e.rowid, r.ocel_object_id, r.ocel_qualifier FROM event_object r "
            "LEFT JOIN event e ON e.ocel_id = r.ocel_event_id",
            "event_object",
        ):
            if row[0] is None:
                raise DataError(
                    f"{self._path}: table event_object relates object {row[1]!r} to an event that table "
                    f"event doesn't hold; mend it, or export the log again"
                )
            tables.add("ocel_relations", [_numbered(row)])
        if "object_object" in self._names:
            tables.object_relations = self._db.execute("SELECT count(*) FROM object_object").fetchone()[0]

    def _types(self, kind: str) -> list[tuple[str, str]]:
        """Each type of events or objects, and the table of its attributes."""
        found = self._db.execute(f"SELECT ocel_type, ocel_type_map FROM {kind}_map_type").fetchall()
        for name, suffix in found:
            if f"{kind}_{suffix}" not in self._names:
                raise DataError(
                    f"{self._path}: type {name!r} needs the table '{kind}_{suffix}', which isn't there; mend "
                    f"it, or export the log again"
                )
        unknown = self._db.execute(
            f"SELECT ocel_type FROM {kind} WHERE ocel_type IS NULL OR ocel_type NOT IN "
            f"(SELECT ocel_type FROM {kind}_map_type) LIMIT 1"
        ).fetchone()
        if unknown:
            raise DataError(
                f"{self._path}: table {kind} holds the type {unknown[0]!r}, which table {kind}_map_type "
                f"doesn't name; mend it, or export the log again"
            )
        return [(name, f"{kind}_{suffix}") for name, suffix in found]

    def _of_type(
        self, kind: str, join: str, name: str, table: str
    ) -> Iterator[tuple[int, str | None, dict[str, str | None]]]:
        """Number, id and columns of each row of a type's table."""
        quoted = table.replace('"', '""')
        names = [row[1] for row in self._db.execute(f'PRAGMA table_info("{quoted}")')]
        query = f'SELECT k.rowid, k.ocel_id, t.* FROM {kind} k {join} "{quoted}" t ON t.ocel_id = k.ocel_id'
        for row in self._rows(f"{query} WHERE k.ocel_type = ?", table, name):
            yield int(row[0] or 0), row[1], dict(zip(names, row[2:], strict=True))

    def _rows(self, query: str, table: str, *given: str) -> Iterator[list[str | None]]:
        for row in self._db.execute(query, given):
            yield [_text(self._path, table, value) for value in row]


def _attributes(row: dict[str, str | None]) -> list[tuple[str, str]]:
    return [(k, v) for k, v in row.items() if v is not None and not k.startswith(("ocel_", "ocel:"))]


def _numbered(row: list[str | None]) -> Row:
    return (int(row[0] or 0), *row[1:])


def _text(path: Path, table: str, value: Any) -> str | None:
    if isinstance(value, bytes):
        raise DataError(
            f"{path}: table {table!r} holds bytes where text or a number is expected; export it again"
        )
    return None if value is None or value == "" else str(value)

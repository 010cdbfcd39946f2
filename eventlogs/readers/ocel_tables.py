"""An object-centric log as temporary tables, whatever file it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from duckdb import DuckDBPyConnection

_BATCH = 50_000
_TABLES = {
    "ocel_events": ("n BIGINT", "id VARCHAR", "type VARCHAR", "time VARCHAR"),
    "ocel_objects": ("n BIGINT", "id VARCHAR", "type VARCHAR"),
    "ocel_relations": ("event BIGINT", "object VARCHAR", "qualifier VARCHAR"),
    "ocel_event_values": ("event BIGINT", "name VARCHAR", "value VARCHAR"),
    "ocel_object_values": ("object BIGINT", "name VARCHAR", "time VARCHAR", "value VARCHAR"),
}

Row = tuple[str | int | None, ...]


class Tables:
    """Rows on their way into the tables; `n`, `event` and `object` are numbers in the order of the file.

    Values are text as written, NULL where empty; a value of an object without a time holds from the start.
    """

    def __init__(self, con: DuckDBPyConnection) -> None:
        self._con = con
        self._pending: dict[str, list[Row]] = {name: [] for name in _TABLES}
        self.object_relations = 0
        """Relations between objects, which no single case can hold."""
        for name, columns in _TABLES.items():
            con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({', '.join(columns)})")

    def add(self, name: str, rows: Sequence[Row]) -> None:
        pending = self._pending[name]
        pending += rows
        if len(pending) >= _BATCH:
            self._insert(name)

    def close(self) -> None:
        """Everything was added."""
        for name in _TABLES:
            self._insert(name)

    def drop(self) -> None:
        for name in _TABLES:
            self._con.execute(f"DROP TABLE {name}")

    def _insert(self, name: str) -> None:
        import pyarrow as pa

        if not self._pending[name]:
            return
        columns = [column.split() for column in _TABLES[name]]
        kinds = {"BIGINT": pa.int64(), "VARCHAR": pa.string()}
        arrays = {
            column: pa.array(values, kinds[kind])
            for (column, kind), values in zip(columns, zip(*self._pending[name], strict=True), strict=True)
        }
        self._con.register("ocel_batch", pa.table(arrays))
        self._con.execute(f"INSERT INTO {name} BY NAME SELECT * FROM ocel_batch")
        self._con.unregister("ocel_batch")
        self._pending[name] = []

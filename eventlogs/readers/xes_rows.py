"""Events of an XES file on their way into the staging table: column by column, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from eventlogs.taking.columns import CASE_PREFIX
from metagraph.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "concept:name"
_BATCH_ROWS = 40_000
_BATCH_CHARS = 1 << 25
_MOST_COLUMNS = 2_000
_LONG_TRACE = 10_000
_MOST_REPEATED = 1 << 28
_CLASH = "event:"


class Trace:
    """One `<trace>`: its own attributes, and where its events stand."""

    __slots__ = ("attributes", "chars", "events", "first_row", "is_named", "late", "name", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        """From 1 in file order, traces without events counted."""
        self.attributes: dict[str, str] = {}
        self.late: dict[str, str] = {}
        """Attributes that stand behind an event, which the standard forbids and some exporters write."""
        self.chars = 0
        """Length of the attributes, where they may be long."""
        self.events = 0
        self.first_row = 0
        self.name = ""
        """The case id, once events were added."""
        self.is_named = False

    def settle_name(self) -> None:
        """A trace without a name gets one that no exporter writes."""
        name = self.late.get(NAME, self.attributes.get(NAME, ""))
        self.is_named = bool(name) and not name.isspace()
        self.name = name if self.is_named else f"(unnamed trace {self.number})"


class Rows:
    """Fills temp tables `staging`, `xes_traces` (its traces with events) and `xes_late`."""

    def __init__(self, con: DuckDBPyConnection, path: Path) -> None:
        con.execute("CREATE OR REPLACE TEMP TABLE staging (row BIGINT)")
        con.execute("CREATE OR REPLACE TEMP TABLE xes_traces (name VARCHAR, first BIGINT, last BIGINT)")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE xes_late (first BIGINT, last BIGINT, col VARCHAR, value VARCHAR)"
        )
        self.columns: list[str] = []
        """The names of c0, c1, …"""
        self.events = 0
        self.empty_traces = 0
        self.unnamed_traces = 0
        self._con, self._path = con, path
        self._event_columns: dict[str, str] = {}
        self._trace_columns: dict[str, str] = {}
        self._tables: list[pa.Table] = []
        self._traces: list[tuple[str, int, int]] = []
        self._late: list[tuple[int, int, str, str | None]] = []
        self._pending = self._chars = self._repeated = 0

    def event_column(self, key: str) -> str:
        """The staging column of an event attribute; `case:` stays free for the attributes of traces."""
        if key not in self._event_columns:
            self._event_columns[key] = self._new_column(_CLASH + key if key.startswith(CASE_PREFIX) else key)
        return self._event_columns[key]

    def trace_column(self, key: str) -> str:
        """The staging column of a trace attribute."""
        if key not in self._trace_columns:
            self._trace_columns[key] = self._new_column(CASE_PREFIX + key)
        return self._trace_columns[key]

    def clashes(self) -> list[str]:
        """The keys of events that look like those of traces."""
        return [key for key in self._event_columns if key.startswith(CASE_PREFIX)]

    def event_keys(self) -> dict[str, str]:
        """Key of each event attribute -> its staging column."""
        return self._event_columns

    def add(
        self,
        events: int,
        cells: Iterable[tuple[str, NDArray[np.int64], pa.Array]],
        traces: Sequence[Trace],
        trace_of: NDArray[np.int64],
        chars: int,
    ) -> None:
        """Add consecutive events.

        `cells` gives per key the events (from 0, ascending) that have it and their values, `trace_of` each
        event's place in `traces`, `chars` roughly the size of it all. Raises DataError for too many keys and
        for huge trace attributes.
        """
        import pyarrow as pa

        self._place(traces, trace_of)
        columns = {self.event_column(key): _spread(values, at, events) for key, at, values in cells}
        which = pa.array(trace_of)
        columns[self.trace_column(NAME)] = pa.array([trace.name for trace in traces], pa.string()).take(which)
        for key in dict.fromkeys(key for trace in traces for key in trace.attributes if key != NAME):
            own = pa.array([trace.attributes.get(key) or None for trace in traces], pa.string())
            columns[self.trace_column(key)] = own.take(which)
        self._tables.append(pa.table(columns))
        self.events += events
        self._pending += events
        self._chars += chars
        if self._pending >= _BATCH_ROWS or self._chars >= _BATCH_CHARS:
            self.flush()

    def close_trace(self, trace: Trace) -> None:
        """A trace is complete, and all its events were added."""
        if not trace.events:
            self.empty_traces += 1
            return
        first, last = trace.first_row, trace.first_row + trace.events - 1
        if trace.late:
            trace.settle_name()
            late = {**trace.late, NAME: trace.name}
            self._late += [(first, last, self.trace_column(k), value or None) for k, value in late.items()]
        self.unnamed_traces += not trace.is_named
        self._traces.append((trace.name, first, last))

    def close(self) -> None:
        """The file has ended."""
        self.flush()
        for (column,) in self._con.execute("SELECT DISTINCT col FROM xes_late").fetchall():
            self._con.execute(
                f"UPDATE staging SET {column} = value FROM xes_late "
                "WHERE col = ? AND row BETWEEN first AND last",
                [column],
            )

    def flush(self) -> None:
        """Hand what is pending to the database."""
        import pyarrow as pa

        if self._tables:
            table = pa.concat_tables(self._tables, promote_options="default")
            rows = pa.array(np.arange(self.events - self._pending + 1, self.events + 1))
            self._insert("staging", table.append_column("row", rows))
        if self._traces:
            self._insert("xes_traces", _columns(("name", "first", "last"), self._traces))
        if self._late:
            self._insert("xes_late", _columns(("first", "last", "col", "value"), self._late))
        self._tables, self._traces, self._late = [], [], []
        self._pending = self._chars = 0

    def _insert(self, name: str, table: pa.Table) -> None:
        self._con.register("xes_batch", table)
        self._con.execute(f"INSERT INTO {name} BY NAME SELECT * FROM xes_batch")
        self._con.unregister("xes_batch")

    def _place(self, traces: Sequence[Trace], trace_of: NDArray[np.int64]) -> None:
        counts = np.bincount(trace_of, minlength=len(traces)).tolist()
        row = self.events + 1
        for trace, count in zip(traces, counts, strict=True):
            if not trace.events:
                trace.first_row = row
                trace.settle_name()
            trace.events += count
            row += count
            if trace.chars > _LONG_TRACE:
                self._repeated += trace.chars * count
        if self._repeated > _MOST_REPEATED:
            raise DataError(
                f"{self._path}: the attributes of trace {traces[-1].name[:80]!r} and others are so long that "
                f"repeating them for each of their events takes over 256 MB; export the log without them"
            )

    def _new_column(self, name: str) -> str:
        while name in self.columns:
            name = _CLASH + name
        if len(self.columns) >= _MOST_COLUMNS:
            raise DataError(
                f"{self._path}: events and traces have more than {_MOST_COLUMNS:,} different attribute keys, "
                f"the last being {name[:80]!r}; export the log with fewer attributes"
            )
        self.columns.append(name)
        column = f"c{len(self.columns) - 1}"
        self._con.execute(f"ALTER TABLE staging ADD COLUMN {column} VARCHAR")
        return column


def _spread(values: pa.Array, at: NDArray[np.int64], events: int) -> pa.Array:
    """The values at their events, null elsewhere."""
    import pyarrow as pa

    if len(at) == events:
        return values
    source = np.full(events, -1)
    source[at] = np.arange(len(at))
    return values.take(pa.array(source, mask=source < 0))


def _columns(names: Sequence[str], rows: Sequence[tuple[str | int | None, ...]]) -> pa.Table:
    import pyarrow as pa

    return pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))

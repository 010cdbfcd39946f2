"""XES read as a stream: one pass of expat, batches of events into the staging table.

Follows IEEE 1849: attributes of a trace get the prefix `case:`; attributes nested in an attribute describe
that attribute, not the event, and are left out. Document types and entities are refused, as are absurd sizes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from xml.parsers import expat

from duckdb import DuckDBPyConnection

from eventlogs.columns import CASE_PREFIX
from eventlogs.readers.csv_reader import open_bytes
from eventlogs.readers.staging import Staged
from metagraph.errors import DataError

_CHUNK = 1 << 18
_BATCH = 20_000
_DEEPEST = 64
_LONGEST = 1 << 20
_ATTRIBUTES = frozenset({"string", "date", "int", "float", "boolean", "id"})


def read_xes(con: DuckDBPyConnection, path: Path) -> Staged:
    """Stage an XES file, gzipped or not. Raises DataError naming the line that is malformed or refused."""
    con.execute("CREATE OR REPLACE TEMP TABLE staging (row BIGINT)")
    stream = _Stream(con, path)
    digest = hashlib.sha256()
    with open_bytes(path) as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            stream.feed(chunk)
    stream.close()
    if not stream.events:
        raise DataError(f"{path}: the file holds no event inside a trace; a log needs at least one")
    notes = []
    if stream.homeless:
        notes.append(
            f"{stream.homeless} events stand outside any trace; they belong to no case and were left out."
        )
    if stream.empty_traces:
        notes.append(f"{stream.empty_traces} traces hold no event; they were left out.")
    return Staged(
        str(path), tuple(stream.columns), stream.events, digest.hexdigest(), "event", 1, tuple(notes)
    )


class _Stream:
    """The state between two chunks of the file."""

    def __init__(self, con: DuckDBPyConnection, path: Path) -> None:
        self.columns: dict[str, int] = {}
        """Attribute key -> number of its column."""
        self.events = 0
        self.homeless = 0
        self.empty_traces = 0
        self._con, self._path = con, path
        self._depth = 0
        self._trace: dict[str, str] | None = None
        self._trace_depth = 0
        self._event: dict[str, str] | None = None
        self._event_depth = 0
        self._pending: list[dict[str, str]] = []
        self._batch: list[dict[str, str]] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes) -> None:
        """Read on. Raises DataError at the first malformed or refused place."""
        self._parse(chunk, final=False)

    def close(self) -> None:
        """The file has ended: check that the log has, and keep the last batch."""
        self._parse(b"", final=True)
        self._flush()

    def _parse(self, chunk: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise DataError(
                f"{self._path}, line {error.lineno}: the XML is malformed or cut short ({reason}); export "
                f"it again"
            ) from None
        except (LookupError, ValueError) as error:
            raise DataError(f"{self._path}: the declared encoding can't be read ({error})") from None

    def _refuse(self, what: str) -> DataError:
        return DataError(
            f"{self._path}, line {self._parser.CurrentLineNumber}: {what}; export the log without it"
        )

    def _doctype(self, *_: object) -> None:
        raise self._refuse("a document type declaration is refused, because entities can blow up the file")

    def _start(self, tag: str, found: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._refuse(f"elements are nested more than {_DEEPEST} deep")
        name = tag.rpartition(":")[2]
        if name == "trace" and self._trace is None:
            self._trace, self._trace_depth = {}, self._depth
        elif name == "event" and self._event is None:
            self._event, self._event_depth = {}, self._depth
        elif name in _ATTRIBUTES:
            self._attribute(found)

    def _attribute(self, found: dict[str, str]) -> None:
        key, value = found.get("key"), found.get("value")
        if not key or value is None:
            return
        if len(key) + len(value) > _LONGEST:
            raise self._refuse("an attribute is longer than 1 MB")
        if self._event is not None:
            if self._depth == self._event_depth + 1:
                self._event[key] = value
        elif self._trace is not None and self._depth == self._trace_depth + 1:
            self._trace[CASE_PREFIX + key] = value

    def _end(self, tag: str) -> None:
        if self._event is not None and self._depth == self._event_depth:
            if self._trace is None:
                self.homeless += 1
            else:
                self._pending.append(self._event)
            self._event = None
        elif self._trace is not None and self._depth == self._trace_depth:
            self._end_trace(self._trace)
            self._trace = None
        self._depth -= 1

    def _end_trace(self, trace: dict[str, str]) -> None:
        self.empty_traces += not self._pending
        self._batch += [event | trace for event in self._pending]
        self._pending.clear()
        if len(self._batch) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._batch:
            return
        for key in dict.fromkeys(key for event in self._batch for key in event):
            if key not in self.columns:
                self.columns[key] = len(self.columns)
                self._con.execute(f"ALTER TABLE staging ADD COLUMN c{self.columns[key]} VARCHAR")
        first = self.events + 1
        self.events += len(self._batch)
        columns = {
            f"c{i}": pa.array([e.get(k) for e in self._batch], pa.string()) for k, i in self.columns.items()
        }
        batch = pa.table({"row": pa.array(range(first, self.events + 1), pa.int64()), **columns})
        self._con.register("xes_batch", batch)
        self._con.execute("INSERT INTO staging BY NAME SELECT * FROM xes_batch")
        self._con.unregister("xes_batch")
        self._batch.clear()

"""XES read element by element with expat: the reference for everything that well-formed XML can say.

Follows IEEE 1849. Attributes nested in an attribute describe that attribute, not the event; they are counted
and left out. Document types and entities are refused, as are absurd sizes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from xml.parsers import expat

import numpy as np

from eventlogs.readers.xes_rows import Rows, Trace
from metagraph.errors import DataError

LONGEST = 1 << 20
"""Characters of the longest attribute that is read."""
_DEEPEST = 64
_PORTION = 1 << 20
_BLOCK_EVENTS = 20_000
_BLOCK_CHARS = 1 << 24
_ATTRIBUTES = frozenset({"string", "date", "int", "float", "boolean", "id"})
_DEPTH = {"log": 1, "trace": 2, "event": 3, "loose": 2, "global": 2}
"""Where each element stands whose attributes are read; a loose event belongs to no trace."""


class Parser:
    """The state between two portions of the file; `skip` tells it of markup that somebody else has read."""

    def __init__(self, rows: Rows, path: Path) -> None:
        self.loose = 0
        """Events outside any trace."""
        self.nested: Counter[str] = Counter()
        """Keys of attributes that stand inside other attributes."""
        self.repeated = 0
        self.lacking = 0
        """Attributes without a key or a value."""
        self.globals: dict[str, str] = {}
        """Declared for every event, with the placeholder of each."""
        self.classifiers: list[tuple[str, str]] = []
        """Names and keys of those for events."""
        self.prefix = ""
        """Namespace prefix of the log element, with its colon."""
        self.traces = 0
        self.trace: Trace | None = None
        """The open one."""
        self._rows, self._path = rows, path
        self._rooted = False
        self._depth = self._base = 0
        self._within: list[str] = []
        self._cells: dict[str, tuple[list[int], list[str]]] = {}
        self._block: list[Trace] = []
        self._trace_of: list[int] = []
        self._chars = 0
        self._fed = 0
        self._lines_skipped = 0
        self._in_cdata = False
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartCdataSectionHandler = lambda: self._cdata(True)
        parser.EndCdataSectionHandler = lambda: self._cdata(False)

    @property
    def line(self) -> int:
        return int(self._parser.CurrentLineNumber) + self._lines_skipped

    def level(self) -> Literal["log", "trace"] | None:
        """What stands open, when nothing is half read and complete traces (or events) could be left out."""
        if self._depth != self._base or self._in_cdata or self._parser.CurrentByteIndex != self._fed:
            return None
        if self._depth == 1:
            return "log"
        return "trace" if self.trace else None

    def skip(self, lines: int, traces: Sequence[Trace]) -> None:
        """Somebody else has read and added this many lines of complete elements, with these new traces.

        Where a trace stands open at this place, the last one does so now.
        """
        self._lines_skipped += lines
        self.traces += len(traces)
        if self.trace and traces:
            self.trace = traces[-1]
            self._block = [self.trace]

    def feed(self, text: str, *, final: bool = False) -> None:
        """Read on. Raises DataError at the first malformed or refused place."""
        for start in range(0, len(text), _PORTION):
            self._parse(text[start : start + _PORTION].encode("utf-8", "surrogatepass"), final=False)
        if final:
            self._parse(b"", final=True)

    def flush(self) -> None:
        """Hand over the events read so far."""
        import pyarrow as pa

        if self._trace_of:
            cells = [
                (key, np.array(at), pa.array([value or None for value in values], pa.string()))
                for key, (at, values) in self._cells.items()
            ]
            self._rows.add(len(self._trace_of), cells, self._block, np.array(self._trace_of), self._chars)
        for trace in self._block:
            if trace is not self.trace:
                self._rows.close_trace(trace)
        self._block = [self.trace] if self.trace else []
        self._cells, self._trace_of, self._chars = {}, [], 0

    def _parse(self, portion: bytes, *, final: bool) -> None:
        self._fed += len(portion)
        try:
            self._parser.Parse(portion, final)
        except expat.ExpatError as error:
            raise self._malformed(expat.ErrorString(error.code), error.lineno) from None
        # expat 2.5 reads an unfinished token again with every portion, so it must not grow.
        if self._fed - self._parser.CurrentByteIndex > 2 * LONGEST:
            raise self._refuse("an attribute or a comment is longer than 1 MB")

    def _malformed(self, reason: str, line: int) -> DataError:
        line += self._lines_skipped
        if not self._rooted:
            return DataError(f"{self._path}, line {line}: this is no XML ({reason}), so it can't be XES")
        return DataError(
            f"{self._path}, line {line}: the XML is malformed or cut short ({reason}); export it again"
        )

    def _refuse(self, what: str) -> DataError:
        return DataError(f"{self._path}, line {self.line}: {what}; export the log without it")

    def _doctype(self, *_: object) -> None:
        raise self._refuse("a document type declaration is refused, because entities can blow up the file")

    def _cdata(self, begins: bool) -> None:
        self._in_cdata = begins

    def _start(self, tag: str, found: list[str]) -> None:
        self._depth += 1
        name = tag.rpartition(":")[2] if ":" in tag else tag
        if self._depth == self._base + 1:
            if name in _ATTRIBUTES and self._rooted:
                self._attribute(found)
            else:
                self._element(name, tag, found)
        elif self._depth > _DEEPEST:
            raise self._refuse(f"elements are nested more than {_DEEPEST} deep")
        elif name in ("trace", "event"):
            raise self._misplaced(name)
        elif name in _ATTRIBUTES and self._within[-1] != "log":
            self.nested[_get(found, "key")[:80]] += 1

    def _attribute(self, found: list[str]) -> None:
        if len(found) == 4 and found[0] == "key" and found[2] == "value":
            key, value = found[1], found[3]
        else:
            key, value = _get(found, "key"), _get(found, "value", "\0")
        if not key or value == "\0":
            self.lacking += self._within[-1] != "log"
            return
        if len(key) + len(value) > LONGEST:
            raise self._refuse("an attribute is longer than 1 MB")
        level = self._within[-1]
        if level == "event":
            event = len(self._trace_of) - 1
            cell = self._cells.get(key)
            if cell is None:
                self._cells[key] = ([event], [value])
            elif cell[0][-1] == event:
                self.repeated += 1
                cell[1][-1] = value
            else:
                cell[0].append(event)
                cell[1].append(value)
            self._chars += len(value)
        elif level == "trace" and self.trace:
            own = self.trace.late if self._behind_events(self.trace) else self.trace.attributes
            self.repeated += key in own or key in self.trace.attributes
            own[key] = value
            self.trace.chars += len(value)
        elif level == "global":
            self.globals[key] = value

    def _behind_events(self, trace: Trace) -> bool:
        return trace.events > 0 or (bool(self._trace_of) and self._block[self._trace_of[-1]] is trace)

    def _element(self, name: str, tag: str, found: list[str]) -> None:
        level = self._within[-1] if self._within else None
        if level is None:
            if name != "log":
                raise self._refuse_root(name)
            self.prefix, self._rooted = tag[: -len(name)], True
            self._open("log")
        elif name == "trace" and level == "log":
            self.traces += 1
            self.trace = Trace(self.traces)
            self._block.append(self.trace)
            self._open("trace")
        elif name == "event" and level == "trace":
            self._trace_of.append(len(self._block) - 1)
            self._open("event")
        elif name == "event" and level == "log":
            self.loose += 1
            self._open("loose")
        elif name in ("trace", "event"):
            raise self._misplaced(name)
        elif level == "log" and name == "global" and _get(found, "scope") == "event":
            self._open("global")
        elif level == "log" and name == "classifier" and _get(found, "scope", "event") == "event":
            self.classifiers.append((_get(found, "name"), _get(found, "keys")))
        elif level == "log" and name in ("object-types", "event-types"):
            raise DataError(
                f"{self._path}, line {self.line}: this is an object-centric log (OCEL) in XML; save it as "
                f"OCEL 2.0 in JSON or SQLite"
            )

    def _open(self, level: str) -> None:
        self._within.append(level)
        self._base = _DEPTH[level]

    def _refuse_root(self, name: str) -> DataError:
        return DataError(
            f"{self._path}, line {self.line}: this is no XES file: its outermost element is <{name[:80]}>, "
            f"not <log>"
        )

    def _misplaced(self, name: str) -> DataError:
        around = "event" if self._within[-1] == "loose" else self._within[-1]
        return DataError(
            f"{self._path}, line {self.line}: <{name}> stands inside <{around}>, where XES has none; "
            f"export it again"
        )

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if self._depth >= self._base:
            return
        ended = self._within.pop()
        self._base = _DEPTH[self._within[-1]] if self._within else 0
        events = len(self._trace_of)
        if ended == "trace":
            self.trace = None
            if events >= _BLOCK_EVENTS or len(self._block) >= _BLOCK_EVENTS:
                self.flush()
        elif ended == "event" and (events >= 4 * _BLOCK_EVENTS or self._chars >= _BLOCK_CHARS):
            self.flush()


def _get(found: list[str], name: str, default: str = "") -> str:
    """The value of an XML attribute, whatever its prefix."""
    for at in range(0, len(found), 2):
        if found[at].rpartition(":")[2] == name:
            return found[at + 1]
    return default

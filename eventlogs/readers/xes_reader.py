"""XES files, read in one pass: plain stretches many events at a time, the rest element by element."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs.readers.archives import open_bytes
from eventlogs.readers.staging import Staged
from eventlogs.readers.xes_meaning import settle
from eventlogs.readers.xes_parser import LONGEST, Parser
from eventlogs.readers.xes_regular import Regular
from eventlogs.readers.xes_rows import Rows
from eventlogs.readers.xes_text import Decoder
from metagraph.errors import DataError

_CHUNK = 1 << 19


def read_xes(con: DuckDBPyConnection, path: Path) -> Staged:
    """Stage an XES file, packed or not: a row an event, attributes of its trace with the prefix `case:`.

    Values are the file's text, resolved but not interpreted. Raises DataError naming the line that is
    malformed or refused, and for a file without events.
    """
    digest = hashlib.sha256()
    with open_bytes(path) as source:
        chunk = source.read(_CHUNK)
        decoder = Decoder(chunk[:1024], path)
        stream = _Stream(con, path)
        while chunk:
            digest.update(chunk)
            stream.feed(decoder.decode(chunk))
            chunk = source.read(_CHUNK)
        stream.close(decoder.decode(b"", final=True))
    if not stream.rows.events:
        raise DataError(f"{path}: the file holds no event inside a trace; a log needs at least one")
    notes = settle(con, stream.parser, stream.rows)
    return Staged(
        str(path),
        tuple(stream.rows.columns),
        stream.rows.events,
        digest.hexdigest(),
        "event",
        1,
        (*decoder.notes, *notes),
    )


class _Stream:
    """Cuts the text where whole traces (or events of a long trace) end; each segment goes to its reader."""

    def __init__(self, con: DuckDBPyConnection, path: Path) -> None:
        self.rows = Rows(con, path)
        self.parser = Parser(self.rows, path)
        self._regular: Regular | None = None
        self._rest = ""

    def feed(self, text: str) -> None:
        """Read on. Raises DataError at the first malformed or refused place."""
        text = self._rest + text
        if self.parser.level() is None:
            text = self._advance(text)
        level = self.parser.level()
        if level is None:
            self.parser.feed(text)
            text = ""
        else:
            end = f"</{self.parser.prefix}{'trace' if level == 'log' else 'event'}>"
            cut = text.rfind(end) + len(end)
            if cut >= len(end):
                self._segment(text[:cut])
                text = text[cut:]
            if len(text) > 2 * LONGEST:
                # A trace or an event this long is read as it comes.
                self.parser.feed(text)
                text = ""
        self._rest = text

    def close(self, text: str) -> None:
        """The file has ended: check that the log has, and keep the last events."""
        self.feed(text)
        self.parser.feed(self._rest, final=True)
        self.parser.flush()
        self.rows.close()

    def _advance(self, text: str) -> str:
        """Let the parser come to the next place where a segment may begin."""
        place = re.search(r"</[^<>]*?(?:trace|event)>|(?=<[^<>/!?]*?trace>)", text)
        if place is None:
            return text
        self.parser.feed(text[: place.end()])
        return text[place.end() :]

    def _segment(self, segment: str) -> None:
        if self._regular is None:
            self._regular = Regular(self.rows, self.parser)
        if not self._regular.take(segment):
            self.parser.feed(segment)

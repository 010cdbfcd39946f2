"""OCEL 2.0 in JSON, read as a stream: an object or an event at a time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import numpy as np

from eventlogs.readers.archives import open_bytes
from eventlogs.readers.ocel_tables import Row, Tables
from metagraph.errors import DataError

_LONGEST = 1 << 24
_DEEPEST = 64
_BOM = b"\xef\xbb\xbf"


def fill_from_json(tables: Tables, path: Path) -> str:
    """Fill the tables; returns the content's SHA-256. Raises DataError naming the object or event."""
    source = _Source(path)
    for number, item in enumerate(source.items("objects"), 1):
        _object(tables, path, number, item)
    for number, item in enumerate(source.items("events"), 1):
        _event(tables, path, number, item)
    return source.digest


class _Source:
    """The file, read once for each of its lists: their order in it is not given."""

    def __init__(self, path: Path) -> None:
        self.digest = ""
        self._path = path

    def items(self, name: str) -> Iterator[Any]:
        import ijson  # type: ignore[import-untyped]

        found = False
        with open_bytes(self._path) as content:
            stream = _Watched(content, self._path)
            try:
                for item in ijson.items(stream, f"{name}.item"):
                    found = True
                    yield item
            except (ijson.JSONError, UnicodeDecodeError) as error:
                said = error.args[0] if error.args else error
                text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
                reason = text.split("\n")[0].strip()
                raise DataError(
                    f"{self._path}: the JSON is malformed or cut short ({reason}); export it again"
                ) from None
        self.digest = stream.digest.hexdigest()
        if not found:
            what = "OCEL 1.0, with keys such as 'ocel:events'" if stream.is_old else "JSON, but no OCEL 2.0"
            raise DataError(
                f"{self._path} is {what}: it has no list {name!r} with anything in it; save it as OCEL 2.0"
            )


class _Watched:
    """Hashes what is read, and refuses texts without end and nesting without bottom, which crash parsers."""

    def __init__(self, content: IO[bytes], path: Path) -> None:
        self.digest = hashlib.sha256()
        self.is_old = False
        self._content, self._path = content, path
        self._at = self._quote = self._depth = 0
        self._within_text = 0
        self._cut_escape = b""

    def read(self, size: int = -1) -> bytes:
        portion = self._content.read(size)
        self.digest.update(portion)
        if self._at == 0:
            self.is_old = b'"ocel:' in portion
            portion = portion.removeprefix(_BOM)
        last = portion.rfind(b'"')
        if last >= 0:
            self._quote = self._at + last
        self._at += len(portion)
        if self._at - self._quote > _LONGEST:
            raise DataError(f"{self._path}: the file holds a text longer than 16 MB; export it without")
        if self._deepest(portion) > _DEEPEST:
            raise DataError(f"{self._path}: values are nested more than {_DEEPEST} deep; export it without")
        return portion

    def _deepest(self, portion: bytes) -> int:
        """Most brackets open at once, those within texts not counted."""
        portion = self._cut_escape + portion
        self._cut_escape = b""
        if b"\\" in portion:
            portion = re.sub(rb"\\.", b"", portion, flags=re.DOTALL)
            if portion.endswith(b"\\"):
                portion, self._cut_escape = portion[:-1], b"\\"
        parts = portion.split(b'"')
        octets = np.frombuffer(b"".join(parts[self._within_text :: 2]), np.uint8)
        self._within_text ^= (len(parts) - 1) & 1
        # [ and { differ in one bit, as ] and } do.
        steps = ((octets & 0xDF) == 0x5B).astype(np.int64) - ((octets & 0xDF) == 0x5D)
        depths = self._depth + np.cumsum(steps)
        self._depth = int(depths[-1]) if len(depths) else self._depth
        return int(depths.max(initial=0))


def _object(tables: Tables, path: Path, number: int, item: Any) -> None:
    what = f"{path}, object {number}"
    identity = _text(what, item, "id")
    tables.add("ocel_objects", [(number, identity, _text(what, item, "type"))])
    rows: list[Row] = []
    for attribute in _list(what, item, "attributes"):
        time = _value(attribute.get("time"))
        rows.append((number, _text(what, attribute, "name"), time, _value(attribute.get("value"))))
    tables.add("ocel_object_values", rows)
    tables.object_relations += len(_list(what, item, "relationships"))


def _event(tables: Tables, path: Path, number: int, item: Any) -> None:
    what = f"{path}, event {number}"
    tables.add("ocel_events", [(number, *(_text(what, item, key) for key in ("id", "type", "time")))])
    values = [
        (number, _text(what, attribute, "name"), _value(attribute.get("value")))
        for attribute in _list(what, item, "attributes")
    ]
    tables.add("ocel_event_values", values)
    relations = [
        (number, _text(what, relation, "objectId"), _value(relation.get("qualifier")))
        for relation in _list(what, item, "relationships")
    ]
    tables.add("ocel_relations", relations)


def _text(what: str, item: Any, key: str) -> str:
    value = item.get(key) if isinstance(item, Mapping) else None
    if not isinstance(value, str) or not value.strip():
        shown = "nothing" if value is None else repr(_value(value))[:80]
        raise DataError(f"{what}: {key!r} must be a text, but is {shown}; mend it, or export the log again")
    return value


def _list(what: str, item: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = item.get(key) or []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise DataError(f"{what}: {key!r} must be a list of objects; mend it, or export the log again")
    return found


def _value(value: Any) -> str | None:
    """A JSON value as text."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, default=str, ensure_ascii=False)

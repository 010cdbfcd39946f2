"""Events out of a request's body: CloudEvents 1.0 (single, batch, binary), flat JSON, lines of it, and CSV.

Only what keeps the whole body from being read is an error; an event that makes no sense goes on as it is and
is set aside when the inbox is drained.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from eventlogs.live.events import FIELDS, UNREADABLE
from eventlogs.live.inbox import RawEvent
from metagraph.errors import DataError

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
JSON = "application/json"
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
CSV = "text/csv"
READ = (SINGLE, BATCH, JSON, LINES[0], CSV)
_NEEDED = ("id", "source", "case", "time")
_DELIMITERS = ",;\t"


def events_in(body: bytes, headers: Mapping[str, str], log: str) -> list[RawEvent]:
    """The events of a request, for `log` unless they name another; `headers` by lower-case name.

    Raises DataError with a sentence when the body as a whole can't be read.
    """
    kind, _, parameters = headers.get("content-type", JSON).partition(";")
    kind = kind.strip().lower()
    text = _decoded(body, parameters)
    if not text.strip():
        raise DataError("the body is empty; send at least one event")
    if "ce-specversion" in headers:
        return [_raw(_binary(headers, text), log)]
    if kind in LINES:
        return [_raw_line(line, log) for line in text.split("\n") if line.strip()]
    if kind == CSV:
        return [_raw(event, log) for event in _rows(text)]
    if kind not in (SINGLE, BATCH, JSON):
        raise DataError(f"the content type {kind!r} is not read; send one of {', '.join(READ)}")
    found = _parsed(text)
    if kind == BATCH and not isinstance(found, list):
        raise DataError(f"a body of type {BATCH} is a JSON array of events; this one isn't")
    if kind == SINGLE and not isinstance(found, dict):
        raise DataError(f"a body of type {SINGLE} is one JSON object; send arrays as {BATCH}")
    return [_raw(event, log) for event in (found if isinstance(found, list) else [found])]


def _decoded(body: bytes, parameters: str) -> str:
    name = next(
        (
            value.strip().strip('"')
            for key, _, value in (part.partition("=") for part in parameters.split(";"))
            if key.strip().lower() == "charset"
        ),
        "utf-8-sig",
    )
    try:
        return codecs.lookup(name).decode(body)[0]
    except LookupError:
        raise DataError(f"the charset {name!r} is unknown; send UTF-8") from None
    except (UnicodeDecodeError, ValueError):
        raise DataError(f"the body is no {name.removesuffix('-sig')} text; send UTF-8") from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"the body is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except (RecursionError, ValueError):
        raise DataError("the body is JSON nested too deeply, or with too long a number") from None


def _raw(event: Any, log: str) -> RawEvent:
    return _named(event, _written(event), log)


def _written(event: Any) -> str:
    """The same text for the same event, however it was spaced and ordered."""
    return json.dumps(event, sort_keys=True)


def _raw_line(line: str, log: str) -> RawEvent:
    try:
        event = json.loads(line)
        return _named(event, _written(event), log)
    except (ValueError, RecursionError):
        return _named(None, line, log)


def _named(event: Any, body: str, log: str) -> RawEvent:
    """An event without source and id goes by its content, so that it too is known when it comes again."""
    body = body if body.isascii() else body.encode(errors="replace").decode()
    if not isinstance(event, dict):
        event = {}
    source, event_id = _key(event.get("source")), _key(event.get("id"))
    if not (source and event_id):
        source, event_id = "", "sha256:" + hashlib.sha256(body.encode()).hexdigest()
    return RawEvent(source, event_id, _key(event.get("log")) or log, body)


def _key(value: object) -> str:
    text = value if isinstance(value, str) else str(value) if type(value) is int else ""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _binary(headers: Mapping[str, str], text: str) -> dict[str, Any]:
    """CloudEvents binary mode: the attributes in `ce-` headers, percent-encoded, the data in the body."""
    event: dict[str, Any] = {
        name.removeprefix("ce-"): unquote(value) for name, value in headers.items() if name.startswith("ce-")
    }
    return event | {"data": _parsed(text)}


def _rows(text: str) -> Iterator[dict[str, Any]]:
    """Events of a CSV table; columns of other names are attributes."""
    header_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header_line.count)
    rows = _csv_rows(text, delimiter)
    header = [name.strip() for name in next(rows)[1]]
    if missing := [name for name in _NEEDED if name not in header]:
        raise DataError(f"the CSV's header lacks {', '.join(missing)}; it has {', '.join(header)}")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise DataError(f"the CSV's header names {twice[0]!r} twice; give each column once")
    for line, row in rows:
        if len(row) == len(header):
            yield _of_row(header, row)
        elif row:
            yield _ragged(header, row, line)


def _csv_rows(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from ((reader.line_num, row) for row in reader if row)
    except csv.Error as error:
        raise DataError(f"the CSV can't be read at line {reader.line_num}: {error}") from None


def _of_row(header: Iterable[str], row: Iterable[str]) -> dict[str, Any]:
    told = {name: value for name, value in zip(header, row, strict=True) if value.strip()}
    own = {name: value for name, value in told.items() if name not in FIELDS or name == "attributes"}
    event: dict[str, Any] = {name: value for name, value in told.items() if name not in own}
    return event | {"attributes": own} if own else event


def _ragged(header: Sequence[str], row: Sequence[str], line: int) -> dict[str, Any]:
    told = dict(zip(header, row, strict=False))
    return {
        **{name: told[name] for name in ("id", "source", "log") if name in told},
        UNREADABLE: f"line {line} of the CSV has {len(row)} fields, its header {len(header)}",
        "row": list(row),
    }

"""One event as its sender wrote it, read: a CloudEvent or flat fields, checked field by field."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from eventlogs.instants import to_us

FIELDS = (
    *("id", "source", "log", "case", "activity", "lifecycle", "resource", "time", "eta"),
    *("sequence", "instance", "corrects", "attributes"),
)
"""What an event may tell; in a CloudEvent `case` is its subject and the rest of them stand in `data`."""
UNREADABLE = "unreadable"
"""The field in which whoever took the event in says why nothing can be made of it."""
FUTURE_US = 86_400_000_000
"""An event further ahead of its receipt than this comes from a clock gone wrong."""
_YEARS = range(1900, 2200)
_KNOWN = frozenset({*FIELDS, "seq"})
_ENVELOPE = ("id", "source", "time", "log", "sequence")
_LONGEST = 1_000_000
_FAR = 2**62


class UnreadableError(ValueError):
    """Why an event can't be applied, as half a sentence."""


class LiveEvent(NamedTuple):
    """An event that can be applied."""

    log: str
    case: str
    activity: str | None
    """None where the event tells attributes of the case, or takes back what it corrects."""
    transition: str | None
    """Lower case; None for an instant, or for an ETA alone."""
    resource: str | None
    instance: str | None
    at_us: int
    sequence: int
    eta_us: int | None
    attributes: str | None
    """JSON object of texts."""
    corrects: str | None


def read_event(body: str, event_id: str, log: str, recorded_us: int) -> LiveEvent:
    """Read an event's JSON; `log` is where it was sent unless it names another one.

    Raises UnreadableError with the reason.
    """
    fields = _fields(_object(body))
    event = LiveEvent(
        log=_text(fields, "log") or log,
        case=_needed(fields, "case"),
        activity=_text(fields, "activity"),
        transition=(_text(fields, "lifecycle") or "").strip().lower() or None,
        resource=_text(fields, "resource"),
        instance=_text(fields, "instance"),
        at_us=_instant(fields, "time"),
        sequence=_sequence(fields, "seq" if "seq" in fields else "sequence"),
        eta_us=None if _text(fields, "eta") is None else _instant(fields, "eta"),
        attributes=_attributes(fields),
        corrects=_text(fields, "corrects"),
    )
    if event.at_us > recorded_us + FUTURE_US:
        raise UnreadableError(f"time {fields['time']!r} is more than a day after the event was received")
    if event.activity is None and (event.eta_us is not None or event.transition):
        raise UnreadableError("an ETA or a lifecycle transition needs an activity")
    if event.activity is None and event.attributes is None and event.corrects is None:
        raise UnreadableError("it names no activity, tells no attribute and corrects no event")
    if event.corrects == event_id:
        raise UnreadableError("it corrects itself")
    return event


def _object(body: str) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableError("it is no JSON") from None
    if not isinstance(event, dict):
        raise UnreadableError("it is no JSON object")
    return event


def _fields(event: dict[str, Any]) -> dict[str, Any]:
    """Flat fields of either form."""
    if UNREADABLE in event:
        raise UnreadableError(str(event[UNREADABLE])[:_LONGEST])
    _needed(event, "id")
    _needed(event, "source")
    fields = _of_cloud_event(event) if "specversion" in event else event
    if fields.keys() <= _KNOWN:
        return fields
    unknown = min(fields.keys() - _KNOWN)
    raise UnreadableError(f"it has the unknown field {unknown!r}; put values of your own into 'attributes'")


def _of_cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """Its data beside what of the envelope concerns us; attributes of other extensions are passed over."""
    if event["specversion"] != "1.0":
        raise UnreadableError(f"CloudEvents {event['specversion']!r} is not read, only '1.0'")
    data = event.get("data")
    if data is None and "data_base64" in event:
        raise UnreadableError("its data is binary; send a JSON object as data")
    if not isinstance(data, dict):
        raise UnreadableError("its data is no JSON object")
    envelope = {name: event[name] for name in _ENVELOPE if name in event}
    if "subject" in event:
        envelope["case"] = event["subject"]
    return data | envelope


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    """A field's text, None where it is absent or blank; a number is taken as it is written."""
    value = fields.get(name)
    if value is None:
        return None
    if type(value) is not str:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UnreadableError(f"{name} {json.dumps(value)[:100]} is no text")
        value = json.dumps(value)
    if len(value) > _LONGEST:
        raise UnreadableError(f"{name} has {len(value)} characters, more than {_LONGEST}")
    if value.isspace() or not value:
        return None
    return value if value.isascii() else _storable(value, name)


def _storable(text: str, name: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnreadableError(f"{name} holds half a surrogate pair, which is no text") from None
    return text


def _needed(fields: Mapping[str, Any], name: str) -> str:
    text = _text(fields, name)
    if text is None:
        raise UnreadableError(f"it has no {name}")
    return text


def _instant(fields: Mapping[str, Any], name: str) -> int:
    text = _needed(fields, name).strip().upper()
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableError(
            f"{name} {text[:50]!r} is no instant; write it as 2024-03-01T09:00:00Z"
        ) from None
    if stamp.tzinfo is None:
        raise UnreadableError(f"{name} {text!r} has no time zone; append Z for UTC, or an offset")
    if stamp.year not in _YEARS:
        raise UnreadableError(f"{name} {text!r} is not of the years {_YEARS[0]} to {_YEARS[-1]}")
    return to_us(stamp)


def _sequence(fields: Mapping[str, Any], name: str) -> int:
    text = _text(fields, name)
    if text is None:
        return 0
    try:
        number = int(text)
    except ValueError:
        raise UnreadableError(f"sequence {text[:50]!r} is no whole number") from None
    if abs(number) > _FAR:
        raise UnreadableError(f"sequence {text[:50]} is too large")
    return number


def _attributes(fields: Mapping[str, Any]) -> str | None:
    """The sender's own values as texts; those without a value tell nothing."""
    given = fields.get("attributes")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise UnreadableError("attributes is no JSON object")
    texts = {
        _storable(name, "the name of an attribute"): _storable(_as_text(value), f"attribute {name!r}")
        for name, value in given.items()
        if value is not None and value != ""
    }
    return json.dumps(texts, ensure_ascii=False) if texts else None


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise UnreadableError("an attribute is no finite number")
    return json.dumps(value, ensure_ascii=False)

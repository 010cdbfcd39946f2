"""Every form an event may be sent in says the same; what can't be read is told by a sentence."""

import json
from typing import Any

import pytest

from eventlogs.instants import to_us
from eventlogs.live.cloudevents import events_in
from eventlogs.live.events import LiveEvent, UnreadableError, read_event
from metagraph.errors import DataError
from tests.eventlogs.logs import T0

NOW_US = to_us(T0) + 3_600_000_000
FLAT: dict[str, Any] = {
    "id": "7",
    "source": "urn:erp",
    "log": "orders",
    "case": "4711",
    "activity": "Check",
    "lifecycle": "Start",
    "resource": "Ada",
    "time": "2024-03-04T08:00:00Z",
    "eta": "2024-03-04T10:00:00+01:00",
    "sequence": 3,
    "instance": "i",
    "corrects": "6",
    "attributes": {"value": 1.5, "rush": True, "note": None},
}
DATA = {
    name: FLAT[name]
    for name in ("activity", "lifecycle", "resource", "eta", "instance", "corrects", "attributes")
}
CLOUD = {
    "specversion": "1.0", "type": "task", "id": "7", "source": "urn:erp", "subject": "4711", "log": "orders",
    "time": "2024-03-04T08:00:00Z", "traceparent": "00-0af7", "data": DATA | {"seq": 3},
}  # fmt: skip
EXPECTED = LiveEvent(
    log="orders", case="4711", activity="Check", transition="start", resource="Ada", instance="i",
    at_us=to_us(T0), sequence=3, eta_us=to_us(T0) + 3_600_000_000,
    attributes='{"rush": "true", "value": "1.5"}', corrects="6",
)  # fmt: skip
CE = {"content-type": "application/json", "ce-specversion": "1.0", "ce-type": "task", "ce-id": "7"} | {
    "ce-source": "urn%3Aerp", "ce-subject": "4711", "ce-log": "orders", "ce-time": "2024-03-04T08:00:00Z",
}  # fmt: skip


def of(kind: str) -> dict[str, str]:
    return {"content-type": kind}


FORMS = {
    "flat": (json.dumps(FLAT), of("application/json")),
    "array": (json.dumps([FLAT]), of("application/json; charset=utf-8")),
    "no type": (json.dumps(FLAT), {}),
    "lines": (json.dumps(FLAT) + "\r\n\n", of("application/x-ndjson")),
    "single": (json.dumps(CLOUD), of("application/cloudevents+json; charset=UTF-8")),
    "batch": (json.dumps([CLOUD]), of("application/cloudevents-batch+json")),
    "binary": (json.dumps(CLOUD["data"]), CE),
    "cloud lines": (json.dumps(CLOUD), of("application/x-ndjson")),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form: str) -> None:
    body, headers = FORMS[form]
    (raw,) = events_in(body.encode(), headers, "live")
    assert (raw.source, raw.event_id, raw.log) == ("urn:erp", "7", "orders")
    assert read_event(raw.body, raw.event_id, raw.log, NOW_US) == EXPECTED


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_says_it_too(delimiter: str) -> None:
    columns = {name: str(value) for name, value in FLAT.items() if name != "attributes"}
    columns |= {"value": "1.5", "rush": "true", "note": ""}
    body = delimiter.join(columns) + "\r\n" + delimiter.join(columns.values()) + "\r\n"
    (raw,) = events_in(b"\xef\xbb\xbf" + body.encode(), of("text/csv"), "live")
    assert read_event(raw.body, raw.event_id, raw.log, NOW_US) == EXPECTED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"time": "2024-03-04T08:00:00"}, "has no time zone; append Z for UTC"),
        ({"time": "yesterday"}, "time 'YESTERDAY' is no instant; write it as 2024-03-01T09:00:00Z"),
        ({"time": None}, "it has no time"),
        ({"time": "2024-03-06T08:00:00Z"}, "is more than a day after the event was received"),
        ({"time": "0024-03-06T08:00:00Z"}, "is not of the years 1900 to 2199"),
        ({"case": " "}, "it has no case"),
        ({"id": ""}, "it has no id"),
        ({"source": None}, "it has no source"),
        ({"case": ["1"]}, r'case \["1"\] is no text'),
        ({"case": True}, "case true is no text"),
        ({"activity": None}, "an ETA or a lifecycle transition needs an activity"),
        (
            {"activity": None, "eta": None, "lifecycle": None, "attributes": None, "corrects": None},
            "names no activity",
        ),
        ({"sequence": "x"}, "sequence 'x' is no whole number"),
        ({"sequence": 10**30}, "is too large"),
        ({"corrects": "7"}, "it corrects itself"),
        ({"attributes": [1]}, "attributes is no JSON object"),
        ({"amount": 3}, "it has the unknown field 'amount'; put values of your own into 'attributes'"),
        ({"resource": "x" * 1_000_001}, "resource has 1000001 characters"),
        ({"activity": "\ud800"}, "activity holds half a surrogate pair"),
        ({"specversion": "0.3"}, "CloudEvents '0.3' is not read, only '1.0'"),
        ({"specversion": "1.0", "data_base64": "AA=="}, "its data is binary"),
        ({"specversion": "1.0", "data": "text"}, "its data is no JSON object"),
    ],
)
def test_what_can_not_be_applied_has_a_reason(change: dict[str, Any], reason: str) -> None:
    (raw,) = events_in(json.dumps(FLAT | change).encode(), of("application/json"), "live")
    with pytest.raises(UnreadableError, match=reason):
        read_event(raw.body, raw.event_id, raw.log, NOW_US)


def test_one_unreadable_event_leaves_the_others_alone() -> None:
    body = json.dumps(FLAT) + "\n{not json\n5\n"
    first, *bad = events_in(body.encode(), of("application/x-ndjson"), "live")
    assert read_event(first.body, "7", "live", NOW_US).case == "4711"
    assert [(raw.source, raw.log) for raw in bad] == [("", "live"), ("", "live")]
    assert len({raw.event_id for raw in bad}) == 2
    again = events_in(body.encode(), of("application/x-ndjson"), "live")
    assert [raw.event_id for raw in again[1:]] == [raw.event_id for raw in bad]
    for raw, reason in zip(bad, ("it is no JSON", "it is no JSON object"), strict=True):
        with pytest.raises(UnreadableError, match=f"^{reason}$"):
            read_event(raw.body, raw.event_id, "live", NOW_US)
    (ragged,) = events_in(b"id,source,case,time\n1,s,c,t,more\n", of("text/csv"), "live")
    with pytest.raises(UnreadableError, match="line 2 of the CSV has 5 fields, its header 4"):
        read_event(ragged.body, "1", "live", NOW_US)


@pytest.mark.parametrize(
    ("body", "headers", "sentence"),
    [
        (b"", {}, "the body is empty"),
        (b"{", {}, "the body is no JSON: .* at line 1, column 2"),
        (b"[" * 100_000, {}, "nested too deeply"),
        (b"\xff\xfe1", {}, "the body is no utf-8 text; send UTF-8"),
        (b"{}", of("application/json; charset=klingon"), "the charset 'klingon' is unknown"),
        (b"<x/>", of("application/xml"), "the content type 'application/xml' is not read; send one of"),
        (b"{}", of("application/cloudevents-batch+json"), "is a JSON array of events"),
        (b"[]", of("application/cloudevents+json"), "is one JSON object"),
        (b"id,case\n1,2\n", of("text/csv"), "the CSV's header lacks source, time; it has id, case"),
        (b"id,source,case,time,id\n", of("text/csv"), "names 'id' twice"),
        (b'id,source,case,time\n"1,s,c,t\n', of("text/csv"), "the CSV can't be read at line"),
    ],
)  # fmt: skip
def test_a_body_that_can_not_be_read(body: bytes, headers: dict[str, str], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        events_in(body, headers, "live")

"""Parquet and OCEL 2.0."""

from __future__ import annotations

import io
import json
import sqlite3
from typing import Any

from tests.nasty.outcome import PLAIN, Nasty, Refused, Right, one

NOON = "2024-03-04T12:00:00Z"
OCEL: dict[str, Any] = {
    "objectTypes": [{"name": "order", "attributes": []}, {"name": "item", "attributes": []}],
    "eventTypes": [{"name": "A", "attributes": []}],
    "objects": [{"id": "o1", "type": "order"}, {"id": "i1", "type": "item"}, {"id": "i2", "type": "item"}],
    "events": [
        {
            "id": "e1",
            "type": "A",
            "time": NOON,
            "relationships": [{"objectId": o, "qualifier": "of"} for o in ("o1", "i1", "i2")],
        }
    ],
}


def _ocel(**changed: Any) -> bytes:
    return json.dumps(OCEL | changed).encode()


def _parquet(rows: int = 3, *, zone: str | None = "UTC") -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("case_id", "activity", "resource", "start_time", "end_time")
    columns = dict(zip(names, zip(*PLAIN, strict=True), strict=True))
    table = pa.table({name: pa.array(columns[name][:rows], pa.string()) for name in names})
    for name in names[3:]:
        times = pa.compute.strptime(table[name], "%Y-%m-%dT%H:%M:%SZ", "us")
        table = table.set_column(names.index(name), name, times.cast(pa.timestamp("us", zone)))
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _database(script: str) -> bytes:
    with sqlite3.connect(":memory:") as con:
        con.executescript(script)
        return con.serialize()


FILES = (
    Nasty("plain.parquet", _parquet, Right(PLAIN), "nothing: the yardstick"),
    Nasty("no_zone.parquet", lambda: _parquet(zone=None), Right(PLAIN, says="UTC"), "times without a zone"),
    Nasty("no_row.parquet", lambda: _parquet(0), Refused("at least one event"), "columns only"),
    Nasty("cut.parquet", lambda: _parquet()[:-100], Refused("cut"), "half a download"),
    Nasty("parquet_as.csv", _parquet, Right(PLAIN), "Parquet that its name doesn't tell"),
    Nasty(
        "orders.jsonocel",
        _ocel(),
        Right((one("o1", "A", None, NOON, NOON),)),
        "an object-centric log, of which one type is asked for",
        {"object_type": "order"},
    ),
    Nasty(
        "items.jsonocel",
        _ocel(),
        Right(
            (one("i1", "A", None, NOON, NOON), one("i2", "A", None, NOON, NOON)), says="(?i)several|repeat"
        ),
        "an event of two items is in two cases",
        {"object_type": "item"},
    ),
    Nasty(
        "which_type.jsonocel", _ocel(), Refused("--object-type.*|order.*item|item.*order"), "cases of what?"
    ),
    Nasty(
        "no_such_type.jsonocel",
        _ocel(),
        Refused("'invoice'"),
        "a type it doesn't hold",
        {"object_type": "invoice"},
    ),
    Nasty("cut.jsonocel", _ocel()[:-30], Refused("cut"), "half a download", {"object_type": "order"}),
    Nasty(
        "no_events.jsonocel",
        _ocel(events=[]),
        Refused("'events'"),
        "no event",
        {"object_type": "order"},
    ),
    Nasty(
        "stranger.jsonocel",
        _ocel(objects=OCEL["objects"][1:]),
        Refused("'o1'"),
        "an event of an object that isn't there",
        {"object_type": "item"},
    ),
    Nasty(
        "other.sqlite",
        lambda: _database("CREATE TABLE t (x); INSERT INTO t VALUES (1);"),
        Refused("other"),
        "a database of something else",
    ),
    Nasty("cut.sqlite", b"SQLite format 3\0" + b"\0" * 50, Refused("cut"), "half a database"),
)

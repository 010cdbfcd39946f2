"""Object-centric logs as plain values: made by Hypothesis, written as JSON and SQLite, flattened the obvious
way."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection
from hypothesis import strategies as st

from eventlogs.readers.read import read
from eventlogs.readers.staging import Staged

Ocel = dict[str, list[dict[str, Any]]]
EPOCH = "1970-01-01T00:00:00Z"

names = st.sampled_from(["o1", "o2", "it's", "é", "4", "x y"])
values = st.sampled_from(["", "1", "2.50", "NA", 'a "b"', "é"])
times = st.integers(1, 28).map(lambda day: f"2024-01-{day:02d}T10:00:00Z")


@st.composite
def ocels(draw: st.DrawFn) -> Ocel:
    """A log in which at least one event relates to an object of type `order`."""
    ids = ["first", *draw(st.lists(names, unique=True))]
    objects = []
    for identity in ids:
        kind = "order" if identity == "first" else draw(st.sampled_from(["order", "item"]))
        attributes = []
        for name in draw(st.lists(st.sampled_from(["price", "colour"]), unique=True)):
            first = [{"name": name, "time": EPOCH, "value": draw(values)}]
            at = sorted(draw(st.lists(times, max_size=2, unique=True)))
            attributes += first + [{"name": name, "time": time, "value": draw(values)} for time in at]
        objects.append({"id": identity, "type": kind, "attributes": attributes})
    events = []
    for number in range(draw(st.integers(1, 6))):
        related = ["first"] if number == 0 else draw(st.lists(st.sampled_from(ids), max_size=4))
        pairs = dict.fromkeys((one, draw(st.sampled_from(["buys", "sells"]))) for one in related)
        attributes = [
            {"name": name, "value": draw(values)}
            for name in draw(st.sets(st.sampled_from(["cost", "case:x"])))
        ]
        events.append(
            {
                "id": f"e{number}",
                "type": draw(st.sampled_from(["Place", "ship it"])),
                "time": draw(times),
                "attributes": sorted(attributes, key=str),
                "relationships": [{"objectId": one, "qualifier": how} for one, how in pairs],
            }
        )
    return {
        "objectTypes": [{"name": kind, "attributes": []} for kind in ("order", "item")],
        "eventTypes": [{"name": kind, "attributes": []} for kind in ("Place", "ship it")],
        "objects": objects,
        "events": events,
    }


def flattened(log: Ocel, kind: str) -> list[dict[str, str]]:
    """What the reader should give, columns without a value left out."""
    of_type = [one for one in log["objects"] if one["type"] == kind]
    changes = {
        name
        for one in of_type
        for name in {a["name"] for a in one["attributes"]}
        if len({a["value"] for a in one["attributes"] if a["name"] == name and a["value"]}) > 1
    }
    rows = []
    for one in of_type:
        known = [a for a in one["attributes"] if a["value"]]
        own = {f"case:{a['name']}": a["value"] for a in reversed(known)} | {"case:concept:name": one["id"]}
        for event in sorted(log["events"], key=lambda event: event["time"]):
            how = sorted({r["qualifier"] for r in event["relationships"] if r["objectId"] == one["id"]})
            if not how:
                continue
            row = own | {
                "concept:name": event["type"],
                "time:timestamp": event["time"],
                "ocel:eid": event["id"],
            }
            row["ocel:qualifier"] = ", ".join(how)
            for a in event["attributes"]:
                row["event:case:x" if a["name"] == "case:x" else a["name"]] = a["value"]
            then = {a["name"]: a["value"] for a in known if a["time"] <= event["time"]}
            row |= {f"object:{name}": value for name, value in then.items() if name in changes}
            rows.append({key: value for key, value in row.items() if value})
    return rows


def staged(con: DuckDBPyConnection, path: Path, kind: str | None) -> tuple[Staged, list[dict[str, str]]]:
    """The reader's result and its rows, each as the columns that have a value."""
    found = read(con, path, kind)
    columns = ", ".join(f"c{i}" for i in range(len(found.columns)))
    rows = con.execute(f"SELECT {columns} FROM staging ORDER BY row").fetchall()
    assert len(rows) == found.rows
    return found, [{k: v for k, v in zip(found.columns, row, strict=True) if v is not None} for row in rows]


def write_json(log: Ocel, path: Path) -> Path:
    path.write_text(json.dumps(log, ensure_ascii=False), encoding="utf-8")
    return path


def write_sqlite(log: Ocel, path: Path) -> Path:
    """The tables of the OCEL 2.0 standard."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE event_object (ocel_event_id, ocel_object_id, ocel_qualifier)")
        db.execute("CREATE TABLE object_object (ocel_source_id, ocel_target_id, ocel_qualifier)")
        for kind in ("event", "object"):
            db.execute(f"CREATE TABLE {kind} (ocel_id TEXT, ocel_type TEXT)")
            db.execute(f"CREATE TABLE {kind}_map_type (ocel_type TEXT, ocel_type_map TEXT)")
            for number, one in enumerate(log[f"{kind}Types"]):
                db.execute(f"INSERT INTO {kind}_map_type VALUES (?, ?)", [one["name"], f"T{number}"])
                _write_type(db, kind, f"T{number}", [e for e in log[f"{kind}s"] if e["type"] == one["name"]])
            db.executemany(
                f"INSERT INTO {kind} VALUES (?, ?)", [(one["id"], one["type"]) for one in log[f"{kind}s"]]
            )
        for event in log["events"]:
            db.executemany(
                "INSERT INTO event_object VALUES (?, ?, ?)",
                [(event["id"], r["objectId"], r["qualifier"]) for r in event["relationships"]],
            )
        db.commit()
    return path


def _write_type(db: sqlite3.Connection, kind: str, suffix: str, members: list[dict[str, Any]]) -> None:
    attributes = sorted({a["name"] for one in members for a in one["attributes"]})
    more = "" if kind == "event" else ", ocel_changed_field TEXT"
    quoted = "".join(f', "{name}" TEXT' for name in attributes)
    db.execute(f"CREATE TABLE {kind}_{suffix} (ocel_id TEXT, ocel_time TEXT{more}{quoted})")
    for one in members:
        if kind == "event":
            rows = [(one["time"], None, one["attributes"])]
        else:
            first = [a for a in one["attributes"] if a["time"] == EPOCH]
            rows = [(EPOCH, None, first)]
            rows += [(a["time"], a["name"], [a]) for a in one["attributes"] if a["time"] != EPOCH]
        for time, changed, given in rows:
            by_name = {a["name"]: a["value"] for a in given}
            row = [one["id"], time, *([] if kind == "event" else [changed]), *map(by_name.get, attributes)]
            db.execute(f"INSERT INTO {kind}_{suffix} VALUES ({', '.join('?' * len(row))})", row)

"""Object-centric logs flattened, against an obvious flattening and pm4py's; and what is refused."""

import contextlib
import gzip
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings

from eventlogs.historian import Historian
from metagraph.errors import DataError, UsageError
from tests.eventlogs.readers.ocel_naive import (
    EPOCH,
    Ocel,
    flattened,
    ocels,
    staged,
    write_json,
    write_sqlite,
)


def relation(*ids: str) -> list[dict[str, str]]:
    return [{"objectId": one, "qualifier": "of"} for one in ids]


def shop() -> Ocel:
    """Two orders that share an event, an item, an event of nobody, a price that changes."""
    return {
        "objectTypes": [{"name": "order", "attributes": []}, {"name": "item", "attributes": []}],
        "eventTypes": [{"name": "place", "attributes": []}, {"name": "ship", "attributes": []}],
        "objects": [
            {
                "id": "o1",
                "type": "order",
                "attributes": [
                    {"name": "price", "time": EPOCH, "value": 1.5},
                    {"name": "price", "time": "2024-01-02T00:00:00Z", "value": 2.5},
                ],
                "relationships": relation("i1"),
            },
            {"id": "o2", "type": "order", "attributes": []},
            {"id": "o3", "type": "order", "attributes": []},
            {"id": "i1", "type": "item", "attributes": []},
        ],
        "events": [
            {
                "id": "e2",
                "type": "ship",
                "time": "2024-01-03T10:00:00Z",
                "attributes": [],
                "relationships": relation("o1", "i1"),
            },
            {
                "id": "e1",
                "type": "place",
                "time": "2024-01-01T10:00:00Z",
                "attributes": [{"name": "cost", "value": 3.5}],
                "relationships": relation("o1", "o2"),
            },
            {
                "id": "e3",
                "type": "ship",
                "time": "2024-01-04T10:00:00Z",
                "attributes": [],
                "relationships": [],
            },
        ],
    }


@pytest.fixture(scope="module")
def con() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ocel")


@given(log=ocels())
@settings(max_examples=40)
def test_both_forms_are_flattened_as_expected(log: Ocel, con: DuckDBPyConnection, folder: Path) -> None:
    for file in (write_json(log, folder / "log.json"), write_sqlite(log, folder / "log.sqlite")):
        found, rows = staged(con, file, "order")
        assert rows == flattened(log, "order")
        assert found.object_type == "order"
        kinds = [one["type"] for one in log["objects"]]
        assert dict(found.object_types) == {kind: kinds.count(kind) for kind in kinds}


def test_what_flattening_repeats_and_leaves_out_is_counted(con: DuckDBPyConnection, tmp_path: Path) -> None:
    found, rows = staged(con, write_json(shop(), tmp_path / "log.json"), "order")
    assert [(row["case:concept:name"], row["ocel:eid"], row.get("object:price")) for row in rows] == [
        ("o1", "e1", "1.5"),
        ("o1", "e2", "2.5"),
        ("o2", "e1", None),
    ]
    assert rows[0]["cost"] == "3.5"
    assert rows[1]["case:price"] == "1.5"
    assert found.notes == (
        "Each object of type 'order' is a case, with the events that relate to it.",
        "1 events relate to several of these objects and stand in each of their cases: 2 events make 3 rows, "
        "1 of them repetitions.",
        "1 events relate to no object of type 'order'; they were left out.",
        "1 objects of type 'order' have no event; they were left out.",
        "1 relations between objects belong to no single case; they were left out.",
        "'price' changes for 1 objects: 'case:price' is its first value, 'object:price' its value at the "
        "event.",
    )


def test_packed_files_are_read_too(con: DuckDBPyConnection, tmp_path: Path) -> None:
    plain = write_sqlite(shop(), tmp_path / "log.db").read_bytes()
    (tmp_path / "log.db.gz").write_bytes(gzip.compress(plain))
    assert staged(con, tmp_path / "log.db.gz", "item")[1] == flattened(shop(), "item")


def test_the_only_type_needs_no_naming(con: DuckDBPyConnection, tmp_path: Path) -> None:
    log = shop()
    log["objects"].pop()
    log["events"][0]["relationships"].pop()
    assert staged(con, write_json(log, tmp_path / "log"), None)[0].object_type == "order"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", [write_json, write_sqlite])
@pytest.mark.parametrize("kind", ["order", "item"])
def test_pm4py_flattens_alike(write: Any, kind: str, con: DuckDBPyConnection, tmp_path: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        pm4py = pytest.importorskip("pm4py")
        source = write(shop(), tmp_path / ("log.json" if write is write_json else "log.sqlite"))
        ocel = (pm4py.read_ocel2_json if write is write_json else pm4py.read_ocel2_sqlite)(str(source))
        files = [source, tmp_path / "again.json", tmp_path / "again.sqlite"]
        pm4py.write_ocel2_json(ocel, str(files[1]))
        pm4py.write_ocel2_sqlite(ocel, str(files[2]))
        table = pm4py.ocel_flattening(ocel, kind)
    expected = {
        (row["case:concept:name"], row["concept:name"], row["ocel:eid"], row["time:timestamp"].isoformat())
        for row in table.to_dict("records")
    }
    for file in files:
        rows = staged(con, file, kind)[1]
        assert {
            (
                row["case:concept:name"],
                row["concept:name"],
                row["ocel:eid"],
                row["time:timestamp"].replace("Z", "+00:00").replace(" ", "T"),
            )
            for row in rows
        } == expected
        if kind == "order":
            theirs = dict(
                zip(table["ocel:eid"] + table["case:concept:name"], table["cost"].astype(float), strict=True)
            )
            ours = {row["ocel:eid"] + row["case:concept:name"]: float(row.get("cost", "nan")) for row in rows}
            assert ours == pytest.approx(theirs, nan_ok=True)


def test_brackets_within_texts_are_no_nesting(con: DuckDBPyConnection, tmp_path: Path) -> None:
    log = shop()
    log["events"][1]["attributes"][0]["value"] = '[{"\\' * 100_000
    assert staged(con, write_json(log, tmp_path / "log.json"), "order")[1][0]["cost"] == '[{"\\' * 100_000


def changed(**changes: Any) -> Ocel:
    """The shop with the first event changed."""
    log = shop()
    log["events"][0] |= changes
    return log


BROKEN = {
    "no id": (changed(id=None), "event 1: 'id' must be a text, but is nothing;"),
    "a number for a type": (
        changed(type=7),
        "event 1: 'type' must be a text, but is '7';",
    ),
    "relations as a text": (
        changed(relationships="o1"),
        "event 1: 'relationships' must be a list of objects;",
    ),
    "an event as a text": ({**shop(), "events": ["e1"]}, "event 1: 'id' must be a text, but is nothing;"),
    "an unknown object": (
        changed(relationships=relation("o9")),
        "event 'e2' relates to the object 'o9', which the file doesn't hold; mend it, or export the log "
        "again",
    ),
    "a bad time": (
        changed(time="noon"),
        "the time 'noon' of event 'e2' is not in ISO 8601 (2024-01-31T13:45:00Z); mend it",
    ),
    "an id twice": (changed(id="e1"), "the id 'e1' stands for two events; give each its own"),
    "an attribute twice": (
        changed(attributes=[{"name": "a", "value": 1}, {"name": "a", "value": 2}]),
        "event 'e2' has the attribute 'a' twice;",
    ),
    "no events": ({"objects": shop()["objects"]}, "is JSON, but no OCEL 2.0: it has no list 'events'"),
    "OCEL 1.0": ({"ocel:events": {}}, "is OCEL 1.0, with keys such as 'ocel:events'"),
    "no JSON": ("{", "the JSON is malformed or cut short"),
    "cut short": (json.dumps(shop())[:-9], "the JSON is malformed or cut short"),
    "a bottomless value": (
        json.dumps(shop()).replace("3.5", "[" * 300_000),
        "values are nested more than 64 deep",
    ),
    "an endless text": ('{"objects": [{"id": "' + "x" * 40_000_000, "a text longer than 16 MB"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_json_is_refused_with_its_place(fault: str, con: DuckDBPyConnection, tmp_path: Path) -> None:
    log, sentence = BROKEN[fault]
    file = tmp_path / "log.json"
    file.write_text(log if isinstance(log, str) else json.dumps(log))
    with pytest.raises(DataError) as caught:
        staged(con, file, "order")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(str(file))


SPOILED = {
    "no table": ("DROP TABLE event_object", "but no OCEL 2.0: it has no table 'event_object'"),
    "no table of a type": ("DROP TABLE event_T1", "type 'ship' needs the table 'event_T1', "),
    "an unknown type": (
        "UPDATE event SET ocel_type = 'x' WHERE ocel_id = 'e1'",
        "table event holds the type 'x', which table event_map_type doesn't name",
    ),
    "an event without a row": ("DELETE FROM event_T0", "the time None of event 'e1' is not in ISO 8601"),
    "an unknown event": (
        "UPDATE event_object SET ocel_event_id = 'e9'",
        "table event_object relates object 'o1' to an event that table event doesn't hold",
    ),
    "bytes": ("UPDATE event_T0 SET cost = x'00'", "table 'event_T0' holds bytes where text"),
    "a view for a table": (
        "ALTER TABLE event RENAME TO e; CREATE VIEW event AS WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL "
        "SELECT i FROM r) SELECT i AS ocel_id, i AS ocel_type FROM r",
        "has no table 'event'",
    ),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_broken_sqlite_is_refused_with_its_place(fault: str, con: DuckDBPyConnection, tmp_path: Path) -> None:
    change, sentence = SPOILED[fault]
    file = write_sqlite(shop(), tmp_path / "log.sqlite")
    with closing(sqlite3.connect(file)) as db:
        db.executescript(change)
    before = file.read_bytes()
    with pytest.raises(DataError) as caught:
        staged(con, file, "order")
    assert sentence in str(caught.value)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["log.sqlite"]


def test_a_damaged_sqlite_file_is_refused(con: DuckDBPyConnection, tmp_path: Path) -> None:
    file = write_sqlite(shop(), tmp_path / "log.sqlite")
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(DataError, match="can't be read as a SQLite file"):
        staged(con, file, "order")


def test_changes_outside_the_file_are_not_passed_over(con: DuckDBPyConnection, tmp_path: Path) -> None:
    file = write_sqlite(shop(), tmp_path / "log.sqlite")
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("DELETE FROM event_object")
        db.commit()
        with pytest.raises(DataError, match=r"some of its content is still in log\.sqlite-wal"):
            staged(con, file, "order")


@pytest.mark.parametrize("wanted", [None, "car"])
def test_the_types_to_choose_from_are_named(
    wanted: str | None, con: DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"'order' \(3\), 'item' \(1\); say which .* with --object-type"):
        staged(con, write_json(shop(), tmp_path / "log.json"), wanted)


def test_an_object_type_means_nothing_for_other_logs(con: DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("case,activity,time\n1,A,2024-01-01\n")
    with pytest.raises(UsageError, match="no object-centric log"):
        staged(con, tmp_path / "log.csv", "order")


def test_the_object_type_is_part_of_what_makes_an_import(tmp_path: Path) -> None:
    file = write_json(shop(), tmp_path / "log.json")
    with Historian(":memory:") as historian:
        orders = historian.import_log(file, object_type="order")
        items = historian.import_log(file, object_type="item")
        assert (orders.cases, orders.events, items.cases, items.events) == (2, 3, 1, 1)
        assert not items.already_known
        again = historian.import_log(file, as_before=True)
        assert again.already_known
        assert again.cases == 1
        assert historian.import_log(file, object_type="order", as_before=True).cases == 2

"""Deletion on request: gone from every table, file and byte, and nothing else is."""

import json
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from eventlogs.live.inbox import Inbox, RawEvent, inbox_path
from eventlogs.owner.opening import open_historian, owning
from eventlogs.owner.sidecar import new_owner
from metagraph.errors import DataError
from tests.eventlogs.logs import T0, Row, write

PERSON, CASE = "Zaphod Beeblebrox", "case-heart-of-gold"
ROWS = [
    Row("c1", "A", PERSON, 0.0, 60.0),
    Row("c1", "B", "Ada", 90.0, 120.0),
    Row(CASE, "A", "Ada", 100.0, 160.0),
    Row(CASE, "B", PERSON, 200.0, 260.0),
    *(
        Row(f"d{i}", activity, "Ada", 1e6 + i + at, 1e6 + i + at + 5)
        for i in range(30)
        for activity, at in (("A", 0), ("B", 9))
    ),
]
LAST = T0 + timedelta(seconds=1e6 + 29 + 9 + 5)
"""Of the imports; live events come later."""
TWIN = {
    "agents": [{"id": PERSON, "calendar": "c"}, {"id": "Ada", "calendar": "c"}],
    "queues": [{"id": "q", "agents": ["Ada", PERSON]}],
    "nodes": [{"id": "t", "label": "A", "durations": [{"agent": PERSON}]}],
    "provenance": {"defaults": [{"where": f"agents {PERSON} and 1 more"}], "facts": {}, "content_hash": ""},
}


def filled(folder: Path) -> Path:
    """A database that holds the person and the case in every way it can."""
    base = folder / "x.duckdb"
    with Historian(base) as historian:
        historian.import_log(write(folder / "old.csv", ROWS[:4]), "log")
        file = write(folder / "log.csv", ROWS)
        with file.open("a", encoding="utf-8") as out:
            out.write(f"{CASE},A,Ada,tomorrow,\nc1,A,{PERSON},tomorrow,\n")
        report = historian.import_log(file, on_bad_rows="quarantine")
        snapshot = historian.snapshot("log", open_cases=())
        historian.keep_snapshot(snapshot, report, "all closed")
        TWIN["provenance"]["content_hash"] = snapshot.content_hash  # type: ignore[index]
        historian.save_model("twin", json.dumps(TWIN, ensure_ascii=False))
        copy = write(folder / "aged.csv", ROWS)
        historian.import_log(copy)
        assert historian.retain("aged", 5).cases == 2
        told(base, 0, "log")
        historian.drain()
        told(base, 1, "only live")
    for file in folder.glob("*.csv"):
        file.unlink()
    return base


def told(base: Path, number: int, log: str) -> None:
    """Live events of the person, the case and both, one of them unreadable, into the inbox."""
    day = f"2024-04-0{number + 1}T08:00:00Z"
    events: list[dict[str, object]] = [
        {"case": CASE, "activity": "A", "resource": "Ada", "time": day},
        {"case": "c1", "activity": "A", "resource": PERSON, "time": day},
        {"case": CASE, "activity": "C", "lifecycle": "start", "resource": PERSON, "time": day},
        {"case": "c1", "attributes": {"owner": PERSON}, "time": day},
        {"case": CASE, "activity": "C", "resource": PERSON, "time": "soon"},
    ]
    with Inbox(inbox_path(base)) as inbox:
        for i, event in enumerate(events):
            name = f"{log} {i}"
            body = json.dumps(event | {"id": name, "source": "test"})
            inbox.accept([RawEvent("test", name, log, body)])


def bytes_hold(folder: Path, text: str) -> list[str]:
    return [f.name for f in folder.rglob("*") if f.is_file() and text.encode() in f.read_bytes()]


def archived(folder: Path, text: str) -> int:
    """Archives are packed, so that their bytes say nothing."""
    files = [*folder.glob("x.duckdb.archive/*"), *folder.glob("x.duckdb.snapshots/*")]
    assert all(file.suffix == ".parquet" for file in files)
    with duckdb.connect() as con:
        texts = [str(con.execute("FROM read_parquet(?)", [str(file)]).fetchall()) for file in files]
        texts += [str(con.execute("FROM parquet_kv_metadata(?)", [str(file)]).fetchall()) for file in files]
    return sum(text in found for found in texts)


def test_a_person_becomes_a_number(tmp_path: Path) -> None:
    base = filled(tmp_path)
    assert bytes_hold(tmp_path, PERSON)
    assert archived(tmp_path, PERSON) > 0
    with Historian(base) as historian:
        old = historian.kept_snapshots()[0].content_hash
        done = historian.forget_person(PERSON)
        assert done.what == "deleted person 1"
        assert done.erased
        assert done.counts == {
            "snapshots": 1,
            "archived executions": 2,
            "executions": 8,
            "live events": 4,
            "event attributes": 2,
            "quarantined rows": 1,
            "quarantined live events": 2,
            "twins": 1,
        }
        assert "deleted person 1' from now on: 1 snapshot, 2 archived executions, 8 " in done.sentence()
        assert str(tmp_path / "log.csv") in done.left[0]
        assert not [said for said in done.left if "of table" in said]
        snapshot = historian.snapshot("log", LAST, open_cases=())
        assert snapshot.resources == ("Ada", "deleted person 1")
        twin = json.loads(historian.load_model("twin"))
        assert twin["agents"][0]["id"] == twin["queues"][0]["agents"][1] == "deleted person 1"
        assert twin["nodes"][0]["durations"][0]["agent"] == "deleted person 1"
        assert twin["provenance"]["defaults"][0]["where"] == "agents deleted person 1 and 1 more"
        assert twin["provenance"]["content_hash"] == snapshot.content_hash
        assert "changed by a deletion on request" in twin["provenance"]["facts"]["snapshot"]
        assert historian.frozen(snapshot.content_hash[:8]).content_hash == snapshot.content_hash
        with pytest.raises(DataError, match=r"was changed by a deletion on request.*the rest is snapshot:"):
            historian.frozen(old)
        with pytest.raises(DataError, match="no person 'Zaphod Beeblebrox' in the logs, snapshots"):
            historian.forget_person(PERSON)
        with pytest.raises(
            DataError, match="moved out or deleted since it was taken, which its file still holds"
        ):
            historian.mend("log", base)
        assert historian.forget_person("Ada").what == "deleted person 2"
        historian.undo_import("log")
        assert historian.snapshot("log").resources == ("deleted person 1", "deleted person 2")
    assert bytes_hold(tmp_path, PERSON) == []
    assert archived(tmp_path, PERSON) == 0


def test_a_case_goes_altogether(tmp_path: Path) -> None:
    base = filled(tmp_path)
    assert bytes_hold(tmp_path, CASE)
    with Historian(base) as historian:
        done = historian.forget_case(CASE)
        assert done.erased
        assert done.counts == {
            "snapshots": 1,
            "archived executions": 2,
            "executions": 8,
            "quarantined rows": 1,
            "live events": 4,
            "quarantined live events": 2,
            "twins": 1,
        }
        report = historian.report("log")
        assert (report.cases, report.events, report.rows_quarantined) == (31, 62, 1)
        assert report.rows_read == report.rows_kept + report.rows_ignored + report.rows_quarantined == 63
        snapshot = historian.snapshot("log", LAST, open_cases=())
        assert CASE not in snapshot.cases
        assert historian.frozen(snapshot.content_hash).n_cases == 31
        assert [a.cases for a in historian.archives("aged")] == [1]
        assert [row for row, _, _ in historian.quarantined("log")] == [66]
        with pytest.raises(DataError, match="no case 'case-heart-of-gold' in the logs"):
            historian.forget_case(CASE)
        with pytest.raises(
            DataError, match="moved out or deleted since it was taken, which its file still holds"
        ):
            historian.mend("log", base)
    assert bytes_hold(tmp_path, CASE) == []
    assert archived(tmp_path, CASE) == 0


def test_the_last_case_of_a_log_takes_the_log_with_it(tmp_path: Path) -> None:
    with Historian(tmp_path / "x.duckdb") as historian:
        historian.import_log(write(tmp_path / "log.csv", ROWS[:1]))
        historian.import_log(write(tmp_path / "other.csv", ROWS[:3]))
        historian.keep_snapshot(historian.snapshot("log"), historian.report("log"))
        kept = historian.kept_snapshots()[0].content_hash
        historian.forget_case("c1")
        assert [info.name for info in historian.logs()] == ["other"]
        with pytest.raises(DataError, match="nothing is left"):
            historian.frozen(kept)


rows = st.builds(
    lambda case, activity, who, start, lasting: Row(case, activity, who, start, start + lasting),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["A", "Ada"]),
    st.sampled_from(["Ada", "Bob", None]),
    st.integers(0, 20 * 86_400).map(float),
    st.integers(0, 3600).map(float),
)


@settings(max_examples=6, deadline=None)
@given(rows=st.lists(rows, min_size=1, max_size=8), case=st.booleans())
@example(rows=[], case=True)
def test_a_kept_snapshot_changes_as_the_log_does(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], case: bool
) -> None:
    """Freezing the log again is the oracle of changing what was frozen before."""
    folder = tmp_path_factory.mktemp("kept")
    rows = [*rows, Row("a", "A", "Ada", 0.0, 1.0), Row("z", "A", "Bob", 2e6, 2e6 + 1)]
    with Historian(folder / "x.duckdb") as historian:
        historian.import_log(write(folder / "log.csv", rows))
        until = historian.report("log").last
        before = historian.snapshot("log", until, open_cases=())
        historian.keep_snapshot(before, historian.report("log"))
        assert historian.frozen(before.content_hash).content_hash == before.content_hash
        if case:
            historian.forget_case("a")
        else:
            historian.forget_person("Ada")
        after = historian.snapshot("log", until, open_cases=())
        (left,) = [kept for kept in historian.kept_snapshots() if kept.replaced_by is None]
        assert left.content_hash == after.content_hash != before.content_hash
        assert historian.frozen(after.content_hash).activities == after.activities
        assert "Ada" in after.activities or not any(
            r.activity == "Ada" and (r.case != "a" or not case) for r in rows
        )


def test_a_running_owner_swaps_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventlogs.historian.ERASE_WAIT_S", 0.1)
    base = filled(tmp_path)
    with Historian(base) as historian, owning(historian, new_owner("http://127.0.0.1:1", "v")):
        with open_historian(base) as session:
            assert session.forget_person(PERSON).erased
            assert session.snapshot("log").resources == ("Ada", "deleted person 1")
        with open_historian(base) as other, open_historian(base) as session:
            postponed = session.forget_case(CASE)
            assert not postponed.erased
            assert CASE not in other.snapshot("log").cases
        assert historian.logs()
    assert bytes_hold(tmp_path, PERSON) == []
    assert bytes_hold(tmp_path, CASE) == ["x.duckdb"]
    with Historian(base) as historian:
        assert historian.report("log").cases == 31
    assert bytes_hold(tmp_path, CASE) == []


def test_what_a_deletion_cannot_reach_is_named(tmp_path: Path) -> None:
    base = filled(tmp_path)
    backup = base.with_name("x.duckdb.v1-backup")
    backup.write_bytes(b"")
    with Historian(base) as historian:
        historian.save_model("note", "{}", notes=f"as {PERSON} wished, like {CASE}")
        snapshot = next((tmp_path / "x.duckdb.snapshots").iterdir())
        snapshot.write_bytes(snapshot.read_bytes()[:-9])
        left = (*historian.forget_person(PERSON).left, *historian.forget_case(CASE).left)
    for said in (str(snapshot), "log.csv", str(backup), "1 row of table models, column notes"):
        assert sum(said in sentence for sentence in left) == 2, said


def test_what_is_left_tells_a_value_from_words_and_digits(tmp_path: Path) -> None:
    """A longer name is somebody else, and digits in a number or a date are no case."""
    rows = [
        Row("4799", "A", "Zoë", 0.0, 60.0),
        Row("47991", "Check of 4799", "Zoë Martin", 90.0, 120.0),
        Row("c", "Zoë", "Zoëla", 90.0, 130.0),
        Row("2024", "A", "Ada", 90.0, 130.0),
    ]
    with Historian(tmp_path / "x.duckdb") as historian:
        historian.import_log(write(tmp_path / "log.csv", rows))
        historian.save_model(
            "twin", json.dumps(TWIN | {"a": 4799, "b": 0.4799, "c": [24799.5], "d": "4,799.2"})
        )
        left = historian.forget_person("Zoë").left
        assert [said for said in left if "of table" in said] == [
            "1 row of table events, column activity, still says it.",
            "1 row of table events, column resource, has it only as part of longer values, such as "
            "'Zoë Martin'.",
        ]
        left = historian.forget_case("4799").left
        assert [said for said in left if "of table" in said] == [
            "1 row of table events, column activity, has it only as part of longer values, such as "
            "'Check of 4799'."
        ]
        assert not [said for said in historian.forget_case("2024").left if "of table" in said]

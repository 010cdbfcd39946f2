"""The database: taken once, superseded, locked, migrated, and the twins it keeps."""

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from eventlogs.historian import Historian
from eventlogs.log_names import log_name
from eventlogs.owner.opening import open_historian
from eventlogs.taking.parsing import BadRows
from metagraph.errors import DataError, UsageError
from tests.eventlogs.logs import Row, lines, write

ROWS = [Row("1", "A", "r", 0.0, 60.0), Row("1", "B", None, 90.0, 120.0), Row("2", "A", "r", 70.0, None)]
ROOT = Path(__file__).parents[2]


def test_the_same_content_is_taken_once(tmp_path: Path) -> None:
    file = write(tmp_path / "log.csv", ROWS)
    base = tmp_path / "x.duckdb"
    with Historian(base) as historian:
        first = historian.import_log(file)
        before = historian.snapshot("log").content_hash
    assert not first.already_known
    with Historian(base) as historian:
        again = historian.import_log(file)
        assert again.already_known
        assert again.sentences()[0].endswith("is already in the database as log 'log'; nothing was done.")
        assert again.sentences()[1:] == first.sentences()
        assert historian.snapshot("log").content_hash == before
        assert historian.import_log(file, mapping={"resource": ""}).already_known is False
        assert historian.snapshot("log").resources == ()
        assert historian.import_log(file, "other").already_known is False
        assert [info.name for info in historian.logs()] == ["log", "other"]
    events = duckdb.connect(str(base)).execute("SELECT upload_id, count(*) FROM events GROUP BY 1 ORDER BY 1")
    assert events.fetchall() == [(1, 3), (2, 3), (3, 3)]


def test_how_bad_rows_are_treated_makes_no_other_import_where_there_are_none(tmp_path: Path) -> None:
    file, bad = write(tmp_path / "log.csv", ROWS), tmp_path / "bad.csv"
    with Historian(":memory:") as historian:
        orders: tuple[tuple[BadRows, BadRows], ...] = (("refuse", "quarantine"), ("quarantine", "refuse"))
        for first, second in orders:
            assert not historian.import_log(file, first, on_bad_rows=first).already_known
            assert historian.import_log(file, first, on_bad_rows=second).already_known
            assert len(historian.imports(first)) == 1
        bad.write_text("case,activity,end\n1,A,2024-03-04T08:00:00Z\n1,A,never\n", encoding="utf-8")
        assert historian.import_log(bad, on_bad_rows="quarantine").rows_quarantined == 1
        with pytest.raises(DataError, match="never"):
            historian.import_log(bad)


def test_a_copy_is_read_as_the_original_and_says_so(tmp_path: Path) -> None:
    file = write(tmp_path / "log.csv", ROWS, ("Vorgang", "activity", "resource", "start", "end"))
    copy = tmp_path / "copy.csv"
    copy.write_bytes(file.read_bytes())
    with Historian(":memory:") as historian:
        historian.import_log(file, mapping={"case": "Vorgang"}, tz="Europe/Berlin", on_bad_rows="quarantine")
        note = historian.import_log(copy, as_before=True).notes[0]
        assert note.startswith("The same content was taken as log 'log' at ")
        assert "read as it was then: case=Vorgang, activity=activity" in note
        assert "Europe/Berlin, unusable rows set aside" in note
        again = historian.import_log(file, as_before=True)
        assert again.already_known
        assert not any(line.startswith("The same content was") for line in again.notes)


def test_other_content_supersedes_and_the_old_one_can_come_back(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old.csv", ROWS), write(tmp_path / "new.csv", ROWS[:1])
    with Historian(":memory:") as historian:
        sizes = []
        for file in (old, new, old):
            assert not historian.import_log(file, "log").already_known
            sizes.append(historian.snapshot("log").n_events)
        assert sizes == [3, 1, 3]
        assert [info.name for info in historian.logs()] == ["log"]
        assert historian.import_log(old, "log").already_known


def test_the_report_survives_the_database(tmp_path: Path) -> None:
    file = write(tmp_path / "log.csv.gz".removesuffix(".gz"), [*ROWS, ROWS[0]])
    with Historian(":memory:") as historian:
        report = historian.import_log(file)
        assert historian.report("log") == report
        assert historian.logs()[0].report == report
    assert (report.cases, report.events, report.activities) == (2, 4, 2)
    assert (report.running, report.missing_resources, report.duplicates) == (1, 1, 1)
    assert report.first == datetime(2024, 3, 4, 8, tzinfo=UTC)
    assert report.last == datetime(2024, 3, 4, 8, 2, tzinfo=UTC)


def test_instants_and_ids_that_cannot_be_meant(tmp_path: Path) -> None:
    with Historian(":memory:") as historian:
        historian.import_log(write(tmp_path / "log.csv", ROWS))
        with pytest.raises(DataError, match="there is no log 'lgo' in the database; it holds: 'log'"):
            historian.snapshot("lgo")
        with pytest.raises(DataError, match=r"no event at or before 2024-03-01T00:00:00Z"):
            historian.snapshot("log", datetime(2024, 3, 1, tzinfo=UTC))
        with pytest.raises(UsageError, match="has no time zone"):
            historian.snapshot("log", datetime(2024, 3, 5))  # noqa: DTZ001
        with pytest.raises(
            DataError, match=r"open case '3' is not in log 'log' as known then \(2 such ids\)"
        ):
            historian.snapshot("log", open_cases={"1", "3", "4"})
        assert historian.snapshot("log", open_cases={"1"}).is_open.tolist() == [True, False]


HOLD = """
import sys, time
from eventlogs.historian import Historian
with Historian(sys.argv[1]) as historian:
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(base: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(base), str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_waits_for_the_first(tmp_path: Path) -> None:
    base = tmp_path / "x.duckdb"
    told: list[str] = []
    with hold(base, 1.0), open_historian(base, on_wait=told.append) as historian:
        historian.import_log(write(tmp_path / "log.csv", ROWS))
    assert told == [f"{base} is in use by another process; waiting up to 60 s"]


def test_waiting_ends_with_a_sentence(tmp_path: Path) -> None:
    base = tmp_path / "x.duckdb"
    with hold(base, 30) as process:
        began = time.monotonic()
        with pytest.raises(DataError, match="is in use by another process; wait for that one"):
            open_historian(base, wait_s=0.3)
        assert time.monotonic() - began < 10
        process.terminate()


def test_readers_share_a_file_and_a_process_shares_with_itself(tmp_path: Path) -> None:
    base = tmp_path / "x.duckdb"
    with Historian(base) as writer:
        writer.import_log(write(tmp_path / "log.csv", ROWS))
        with Historian(base, read_only=True) as reader:
            assert reader.snapshot("log").n_events == 3
    with Historian(base, read_only=True) as reader:
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(len(Historian(base, read_only=True).logs())))
        thread.start()
        thread.join()
        assert found == [len(reader.logs())] == [1]


def test_files_that_are_no_database_of_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such database; import a log first"):
        Historian(tmp_path / "none.duckdb", read_only=True)
    with pytest.raises(DataError, match="can't be opened as a database"):
        Historian(lines(tmp_path / "text.duckdb", "just text " * 1000))
    with pytest.raises(DataError, match="can't be opened as a database"):
        Historian(tmp_path / "no folder" / "x.duckdb")
    with Historian(tmp_path / "new.duckdb"):
        pass
    with duckdb.connect(str(tmp_path / "new.duckdb")) as con:
        con.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(DataError, match=r"written by a newer Tracetwin \(schema 99, this one knows \d+\)"):
        Historian(tmp_path / "new.duckdb")


def test_twins_by_name_and_version() -> None:
    with Historian(":memory:") as historian:
        assert [historian.save_model("orders", text, "note") for text in ("{1}", "{2}")] == [1, 2]
        assert historian.save_model("loans", "{3}") == 1
        assert historian.load_model("orders") == "{1}"
        assert historian.load_model("orders@2") == "{2}"
        historian.promote_model("orders@2", "Ada")
        assert historian.load_model("orders") == "{2}"
        assert [(m.name, m.version, m.state, m.champion, m.who) for m in historian.list_models()] == [
            ("loans", 1, "champion", True, ""),
            ("orders", 1, "retired", False, "Ada"),
            ("orders", 2, "champion", True, "Ada"),
        ]
        for reference in ("orders@3", "order", "orders@x", "orders@"):
            with pytest.raises(DataError, match="it holds: loans@1, orders@1, orders@2"):
                historian.load_model(reference)
        with pytest.raises(DataError, match="there is no twin 'loans@7'"):
            historian.promote_model("loans@7")
        with pytest.raises(DataError, match="can't name a twin"):
            historian.save_model("a@1", "{}")


@pytest.mark.parametrize(
    ("file", "name"),
    [("a/b.csv.gz", "b"), ("b.c.XES", "b.c"), ("log.parquet", "log"), ("plain", "plain"), (".csv", ".csv")],
)
def test_a_log_is_named_by_its_file(file: str, name: str) -> None:
    assert log_name(Path(file)) == name

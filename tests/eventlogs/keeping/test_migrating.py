"""Files of other versions and other programs."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from eventlogs.historian import Historian
from eventlogs.keeping.copying import content, copy_to
from eventlogs.keeping.migrating import OutdatedError, backups, newest_version
from eventlogs.live.inbox import Inbox, inbox_path
from eventlogs.mining.catalogue import QUESTIONS
from metagraph.errors import DataError
from tests.eventlogs.keeping.old_files import ROWS, as_version_one, version_one
from tests.eventlogs.live.feeding import event
from tests.eventlogs.logs import T0


def test_an_older_file_is_put_aside_and_brought_up_to_date(tmp_path: Path) -> None:
    base = version_one(tmp_path / "it's [x].duckdb")
    with duckdb.connect(str(base)) as con:
        before = content(con)
    told: list[str] = []
    with pytest.raises(OutdatedError, match=r"of an older Tracetwin \(schema 1\); open it once for writing"):
        Historian(base, read_only=True)
    assert backups(str(base)) == []
    with Historian(base, tell=told.append) as historian:
        assert historian.snapshot("log").n_events == 2 * ROWS
        assert [info.state for info in historian.imports("log")] == ["current", "superseded"]
        assert historian.load_model("t") == "{}"
        current = historian.undo_import("log").current
        assert current is not None
        assert current.source == "1.csv"
        assert historian.snapshot("log").n_events == ROWS
    (backup,) = backups(str(base))
    assert backup.name == "it's [x].duckdb.v1-backup"
    assert told == [
        f"{base} is of an older Tracetwin and is brought up to date; as it was, it is kept as {backup}"
    ]
    with duckdb.connect(str(backup), read_only=True) as con:
        assert content(con) == before
        assert before["events"][0] == 3 * ROWS
    with Historian(base, tell=told.append):
        assert len(told) == 1


def test_a_log_of_an_older_file_is_as_good_as_one_taken_now(tmp_path: Path) -> None:
    now = Historian(tmp_path / "now.duckdb")
    for name, rows in (("first.csv", LINES[:5]), ("log.csv", LINES)):
        file = tmp_path / name
        file.write_text("\n".join((HEADER, *rows)), encoding="utf-8")
        now.import_log(file, "log", tz="UTC", on_bad_rows="quarantine")
    old = as_version_one(tmp_path / "old.duckdb", now)
    with now, Historian(old) as then:
        for do in STEPS:
            assert do(then, tmp_path) == do(now, tmp_path), do
            for what in QUESTIONS if do is opened else ("durations", "cases"):
                assert then.mine("log", what).equals(now.mine("log", what)), (do, what)
            ours, theirs = then.state_at("log"), now.state_at("log")
            assert list(ours.cases()) == list(theirs.cases()), do
            assert list(ours.cases()), do
            for by in (T0 + timedelta(days=4, minutes=30), None):
                assert (
                    then.snapshot("log", recorded_by=by).content_hash
                    == now.snapshot("log", recorded_by=by).content_hash
                ), do
            assert [info.state for info in then.imports("log")] == [i.state for i in now.imports("log")], do


def opened(historian: Historian, folder: Path) -> object:
    return historian.report("log").sentences()[0], historian.quarantined("log")


def mended(historian: Historian, folder: Path) -> object:
    bad = folder / "bad.csv"
    historian.export_quarantine("log", bad)
    bad.write_text(
        bad.read_text(encoding="utf-8").replace("whenever", "2024-03-08T10:00:00Z"), encoding="utf-8"
    )
    return historian.mend("log", bad).sentences()[0]


def undone(historian: Historian, folder: Path) -> object:
    return historian.undo_import("log").sentence().partition(" of 2")[0]


def told_more(historian: Historian, folder: Path) -> object:
    """A running execution of the import is completed, and another case begins."""
    with Inbox(inbox_path(historian.path)) as inbox:
        inbox.accept(
            [
                event(1, 6 * 86_400, log="log", case="c4", activity="B", resource="r1", lifecycle="complete"),
                event(2, 6 * 86_400 + 60, log="log", case="c9", activity="A", lifecycle="start"),
            ]
        )
    drained = historian.drain()
    return drained.applied, drained.quarantined, historian.report("log").sentences()[0]


def retained(historian: Historian, folder: Path) -> object:
    archive = historian.retain("log", 2.5)
    return archive.cases, archive.executions


def without_case(historian: Historian, folder: Path) -> object:
    return historian.forget_case("c3").counts


def without_person(historian: Historian, folder: Path) -> object:
    return historian.forget_person("r1").counts


def taken_again(historian: Historian, folder: Path) -> object:
    return historian.import_log(folder / "first.csv", "log", as_before=True).sentences()[0]


HEADER = "case_id,activity,start_time,end_time,resource,region,note"
LINES = [
    f"c{case},{activity},2024-03-0{4 + case}T0{7 + 2 * i}:00:00,2024-03-0{4 + case}T0{8 + 2 * i}:00:00,r{i},"
    f"{'north' if case % 2 else 'south'},{'late' if i else ''}"
    for case in range(4)
    for i, activity in enumerate("AB")
]
LINES += ["c4,A,2024-03-08T07:00:00,2024-03-08T08:00:00,r0,south,", "c4,B,2024-03-08T09:00:00,,r1,south,late"]
LINES += ["c5,A,2024-03-08T09:00:00,whenever,r0,north,"]
STEPS = (opened, mended, undone, told_more, retained, without_case, without_person, taken_again, undone)


def test_an_earlier_copy_of_other_content_is_left_alone(tmp_path: Path) -> None:
    base = version_one(tmp_path / "x.duckdb")
    version_one(tmp_path / "x.duckdb.v1-backup", imports=1)
    kept = (tmp_path / "x.duckdb.v1-backup").read_bytes()
    with Historian(base):
        pass
    assert (tmp_path / "x.duckdb.v1-backup").read_bytes() == kept
    assert [path.name for path in backups(str(base))] == ["x.duckdb.v1-backup", "x.duckdb.v1-backup-2"]


def test_a_copy_that_is_there_already_is_not_made_again(tmp_path: Path) -> None:
    base = version_one(tmp_path / "x.duckdb")
    with duckdb.connect(str(base)) as con:
        copy_to(con, tmp_path / "x.duckdb.v1-backup")
    with Historian(base):
        pass
    assert [path.name for path in backups(str(base))] == ["x.duckdb.v1-backup"]


def test_a_copy_that_cannot_be_written_stops_the_migration(tmp_path: Path) -> None:
    base = version_one(tmp_path / "x.duckdb")
    (tmp_path / "x.duckdb.v1-backup.partial").mkdir()
    with pytest.raises(DataError, match=r"x\.duckdb\.v1-backup can't be written, so nothing was changed"):
        Historian(base)
    with duckdb.connect(str(base)) as con:
        assert con.execute("FROM schema_version").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE customers (id INTEGER)"],
        ["CREATE TABLE schema_version (version INTEGER)", "INSERT INTO schema_version VALUES (1)"],
        ["CREATE TABLE schema_version (version VARCHAR)", "INSERT INTO schema_version VALUES ('1.2.3')"],
        [
            "CREATE TABLE schema_version (day DATE)",
            "CREATE TABLE uploads (id INT)",
            "CREATE TABLE models (id INT)",
        ],
        ["CREATE TABLE events (id INTEGER)"],
    ],
)
def test_a_database_of_another_program_is_left_alone(tmp_path: Path, statements: list[str]) -> None:
    base = tmp_path / "x.duckdb"
    with duckdb.connect(str(base)) as con:
        for statement in statements:
            con.execute(statement)
    kept = base.read_bytes()
    for read_only in (False, True):
        with pytest.raises(DataError, match="is a database of another program; give another --db"):
            Historian(base, read_only=read_only)
    assert base.read_bytes() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["x.duckdb"]


def test_a_new_file_needs_no_copy(tmp_path: Path) -> None:
    told: list[str] = []
    with Historian(tmp_path / "x.duckdb", tell=told.append):
        pass
    assert told == []
    assert [path.name for path in tmp_path.iterdir()] == ["x.duckdb"]
    with duckdb.connect(str(tmp_path / "x.duckdb")) as con:
        assert con.execute("FROM schema_version").fetchall() == [(newest_version(),)]

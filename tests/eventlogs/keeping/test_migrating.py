"""Files of other versions and other programs."""

from pathlib import Path

import duckdb
import pytest

from eventlogs.historian import Historian
from eventlogs.keeping.copying import content, copy_to
from eventlogs.keeping.migrating import OutdatedError, backups, newest_version
from metagraph.errors import DataError
from tests.eventlogs.keeping.old_files import ROWS, version_one


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

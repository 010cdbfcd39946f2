"""What stands in the file is what is read, whatever wrote the file."""

import gzip
from pathlib import Path

import pytest

from eventlogs.historian import Historian
from eventlogs.taking.looking import LookOptions, look
from tests.eventlogs.logs import frozen, lines

TEXT = "case_id,activity,resource,end_time\n007,NA,é,2024-03-04T08:00:00Z\n7,null,1e3,2024-03-04T09:00:00Z\n"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_ids_and_words_survive_in_every_encoding(
    encoding: str, name: str, packed: bool, tmp_path: Path
) -> None:
    file = tmp_path / ("log.csv.gz" if packed else "log.csv")
    content = TEXT.encode(encoding)
    file.write_bytes(gzip.compress(content) if packed else content)
    snapshot = frozen(file)
    assert snapshot.cases == ("007", "7")
    assert snapshot.activities == ("NA", "null")
    assert snapshot.resources == ("1e3", "é")
    notes = look(file).notes
    assert notes == (() if name.startswith("utf") else (f"The file is not UTF-8; it was read as {name}.",))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_delimiters_and_line_ends(delimiter: str, line_end: str, tmp_path: Path) -> None:
    rows = [
        ("case_id", "activity", "note", "end_time"),
        ("1", f'"A{delimiter}1"', '"say ""x"""', "2024-03-04"),
        ("2", f'"B{line_end}2"', "a,b;c"[:1], "2024-03-05"),
    ]
    (tmp_path / "log.csv").write_text(line_end.join(delimiter.join(row) for row in rows), newline="")
    snapshot = frozen(tmp_path / "log.csv")
    assert set(snapshot.activities) == {f"A{delimiter}1", f"B{line_end}2"}
    assert snapshot.attributes == {"note": ('say "x"', "a")}


def test_commas_in_unquoted_fields_do_not_hide_the_semicolon(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "log.csv",
        "case_id;activity;amount;end_time",
        "1;A, b;1,50;2024-03-04",
        "1;B, c, d;2,50;2024-03-05",
    )
    assert frozen(file).activities == ("A, b", "B, c, d")


def test_parquet(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    file = tmp_path / "log.parquet"
    duckdb.sql(
        "SELECT 7 AS case_id, 'A' AS activity, TIMESTAMPTZ '2024-03-04 08:00:00.5+00' AS start_time, "
        "TIMESTAMP '2024-03-04 09:00:00' AS end_time"
    ).write_parquet(str(file))
    snapshot = frozen(file)
    assert snapshot.cases == ("7",)
    assert (snapshot.end_s - snapshot.start_s).tolist() == [3599.5]


def test_a_look_shows_rows_as_they_would_be_read(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "log.csv", "case_id,activity,end_time", "1,A,03/04/2024 10:00", "2,B,05/06/2024 10:00"
    )
    before = look(file)
    assert before.to_settle
    assert "--time-format" in before.to_settle
    assert before.raw == (("1", "A", "03/04/2024 10:00"), ("2", "B", "05/06/2024 10:00"))
    assert before.read == ()
    after = look(file, LookOptions(time_format="dmy"), sample=1)
    assert after.to_settle is None
    assert [(r.case, r.activity, r.end and r.end.isoformat()) for r in after.read] == [
        ("1", "A", "2024-04-03T10:00:00+00:00")
    ]
    assert [reading.format for reading in after.times[0].readings] == ["day first (31.01.2024 13:45)"]


def test_a_log_with_one_time_says_what_that_costs(tmp_path: Path) -> None:
    with Historian(":memory:") as historian:
        report = historian.import_log(lines(tmp_path / "log.csv", *TEXT.splitlines()))
        snapshot = historian.snapshot("log")
    assert report.single_timestamp
    assert snapshot.single_timestamp
    assert "one time per event" in " ".join(report.sentences())
    assert snapshot.start_s.tolist() == snapshot.end_s.tolist()

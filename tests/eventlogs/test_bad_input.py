"""Each fault of a file ends in one sentence with the place and the remedy, and leaves nothing behind."""

import gzip
from pathlib import Path

import duckdb
import pytest

from eventlogs.historian import Historian
from metagraph.errors import DataError, UsageError
from tests.eventlogs.logs import lines

HEAD = "case_id,activity,resource,start_time,end_time"
GOOD = "1,A,x,2024-03-04T08:00:00Z,2024-03-04T09:00:00Z"

FAULTS = {
    "empty": (b"", "{file}: the file is empty; a log needs at least one event"),
    "only blank lines": (b"\n\n", "{file}: the file is empty; a log needs a header and at least one event"),
    "only a header": (
        HEAD.encode(),
        "{file}: there is a header but no row under it; a log needs at least one event",
    ),
    "no case column": (
        b"activity,end_time\nA,2024-03-04\n",
        "{file}: no column recognised as case among 'activity', 'end_time'; say which with --map "
        "case=COLUMN and, if the file tells them, resource=COLUMN,start=COLUMN",
    ),
    "no time column": (
        b"case_id,activity\n1,A\n",
        "{file}: no column recognised as end among 'case_id', 'activity'; say which with --map "
        "end=COLUMN and, if the file tells them, resource=COLUMN,start=COLUMN",
    ),
    "a column named twice": (
        b"case_id,activity,activity,end_time\n1,A,B,2024-03-04\n",
        "{file}: the header names the column 'activity' twice; give each column its own name",
    ),
    "unparsable time": (
        f"{HEAD}\n{GOOD}\n1,B,x,2024-03-04T10:00:00Z,soon\n{GOOD}\n1,C,x,later,\n".encode(),
        "{file}, line 3: 'soon' in column 'end_time' is not a time in this column's format, year first "
        "(2024-01-31 13:45:00, ISO 8601) (the first of 2 rows that can't be used); "
        "mend it, or set such rows aside with 'import take --quarantine'",
    ),
    "end before start": (
        f"{HEAD}\n{GOOD}\n1,B,x,2024-03-04T10:00:00Z,2024-03-04T09:00:00Z\n".encode(),
        "{file}, line 3: the end '2024-03-04T09:00:00Z' in 'end_time' lies before the start "
        "'2024-03-04T10:00:00Z' in 'start_time'; mend it, or set such rows aside with "
        "'import take --quarantine'",
    ),
    "no case id": (
        f"{HEAD}\n{GOOD}\n ,B,x,2024-03-04T10:00:00Z,\n".encode(),
        "{file}, line 3: column 'case_id' is empty, so the event belongs to no case; "
        "mend it, or set such rows aside with 'import take --quarantine'",
    ),
    "no activity": (
        f"{HEAD}\n{GOOD}\n1,,x,2024-03-04T10:00:00Z,\n".encode(),
        "{file}, line 3: column 'activity' is empty, so it is unknown what was done; "
        "mend it, or set such rows aside with 'import take --quarantine'",
    ),
    "no time at all": (
        f"{HEAD}\n{GOOD}\n1,B,x,,\n".encode(),
        "{file}, line 3: no time is given in 'end_time' and 'start_time'; "
        "mend it, or set such rows aside with 'import take --quarantine'",
    ),
    "a row too short": (
        f"{HEAD}\n{GOOD}\n1,B\n".encode(),
        "{file}, line 3: the row has 2 fields where the header has 5 (fields that hold the "
        "delimiter need quotation marks); mend it, or set such rows aside with 'import take --quarantine'",
    ),
    "a row too long": (
        f"{HEAD}\n{GOOD},more\n{GOOD}\n".encode(),
        "{file}, line 2: the row has 6 fields where the header has 5 (fields that hold the "
        "delimiter need quotation marks); mend it, or set such rows aside with 'import take --quarantine'",
    ),
    "an open quote": (
        f'{HEAD}\n{GOOD}\n1,"B,x,2024-03-04T10:00:00Z,\n{GOOD}\n'.encode(),
        "{file}, line 3: a quoted field is never closed; close it with a quotation mark",
    ),
    "NUL characters": (
        f"{HEAD}\n{GOOD}\n1,B\0,x,2024-03-04T10:00:00Z,\n".encode(),
        "{file}, line 3: the text holds a NUL character, as no table does; save the file as UTF-8 CSV",
    ),
    "a damaged archive": (
        gzip.compress(f"{HEAD}\n{GOOD}\n".encode() * 100)[:-20],
        "{file}: the archive is damaged or cut short "
        "(Compressed file ended before the end-of-stream marker was reached); fetch or pack it again",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_file(fault: str, tmp_path: Path) -> None:
    content, sentence = FAULTS[fault]
    file, base = tmp_path / "log.csv", tmp_path / "x.duckdb"
    file.write_bytes(content)
    with pytest.raises(DataError) as caught, Historian(base) as historian:
        historian.import_log(file)
    assert str(caught.value) == sentence.format(file=file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_refused_file_changes_nothing_in_a_database(fault: str, tmp_path: Path) -> None:
    good = lines(tmp_path / "log.csv", HEAD, GOOD)
    bad = tmp_path / "bad.csv"
    bad.write_bytes(FAULTS[fault][0])
    with Historian(tmp_path / "x.duckdb") as historian:
        historian.import_log(good)
        with pytest.raises(DataError):
            historian.import_log(bad, "log")
        assert historian.snapshot("log").n_events == 1
        assert [info.name for info in historian.logs()] == ["log"]
        assert historian.quarantined("log") == []


def test_lines_are_named_across_line_breaks_in_fields(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text(f'{HEAD}\n1,"A\nB",x,2024-03-04,2024-03-04\n1,B,x,soon,2024-03-04\n')
    with pytest.raises(DataError, match=r"log.csv, line 4: 'soon'"), Historian(":memory:") as historian:
        historian.import_log(file)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(DataError, match=r"none.csv can't be opened: No such file"),
        Historian(":memory:") as h,
    ):
        h.import_log(tmp_path / "none.csv")
    with pytest.raises(DataError, match="is a folder; name one log file in it"), Historian(":memory:") as h:
        h.import_log(tmp_path)


def test_options_that_cannot_be_meant(tmp_path: Path) -> None:
    file = lines(tmp_path / "log.csv", HEAD, GOOD)
    with Historian(":memory:") as historian:
        with pytest.raises(UsageError, match="'Mars/Olympus' is no time zone"):
            historian.import_log(file, tz="Mars/Olympus")
        with pytest.raises(DataError, match="names no column of the file"):
            historian.import_log(file, mapping={"case": "Ticket"})


def test_bad_rows_can_be_set_aside(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "log.csv",
        *(HEAD, GOOD, "1,B,x,2024-03-04T10:00:00Z,soon", ",C,x,2024-03-04T10:00:00Z,", "1,,x,2024-03-04,"),
        *("2,A,x,2024-03-04T10:00:00Z,2024-03-04T09:00:00Z", "1,D,x,,", "2,E,,2024-03-04,"),
    )
    with Historian(":memory:") as historian:
        report = historian.import_log(file, on_bad_rows="quarantine")
        assert (report.rows_read, report.rows_kept, report.rows_quarantined) == (7, 2, 5)
        assert report.quarantined == {
            "end before start": 1,
            "end time can't be read: column 'end_time' should hold year first "
            "(2024-01-31 13:45:00, ISO 8601)": 1,
            "neither start in 'start_time' nor end in 'end_time'": 1,
            "no activity in column 'activity'": 1,
            "no case id in column 'case_id'": 1,
        }
        assert historian.snapshot("log").n_events == 2
        rows = historian.quarantined("log")
        assert [row for row, _, _ in rows] == [2, 3, 4, 5, 6]
        assert rows[0][2] == (
            '{"case_id":"1","activity":"B","resource":"x","start_time":"2024-03-04T10:00:00Z","end_time":"soon"}'
        )


def test_an_import_that_fails_late_leaves_nothing(tmp_path: Path) -> None:
    base = tmp_path / "x.duckdb"
    only_bad = lines(tmp_path / "bad.csv", HEAD, "1,A,x,2024-03-05,2024-03-04")
    with Historian(base) as historian:
        with pytest.raises(DataError, match="no row of the file can be used"):
            historian.import_log(only_bad, on_bad_rows="quarantine")
        assert historian.logs() == ()
    with duckdb.connect(str(base)) as con:
        for table in ("uploads", "events", "case_attributes", "quarantine"):
            assert con.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]

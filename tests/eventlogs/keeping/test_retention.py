"""Closed cases that are old enough leave for Parquet, and the Parquet gives them back."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from eventlogs.snapshot import Snapshot
from metagraph.errors import DataError, UsageError
from tests.eventlogs.logs import T0, Row, lines, row_lists, traces, write

DAY = 86_400.0


def held(snapshot: Snapshot) -> dict[str, list[Row]]:
    return dict(traces(snapshot))


@settings(max_examples=6, deadline=None)
@given(rows=row_lists, days=st.floats(0.1, 30))
def test_what_leaves_comes_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], days: float
) -> None:
    """Kept and archived cases together are the log, split by the last event of closed cases."""
    folder = tmp_path_factory.mktemp("retain")
    # Enough small closed cases, so that the closing rule knows how cases end.
    rows = [*rows, *(Row(f"closed {i}", "end", None, DAY * i, DAY * i + 60) for i in range(40))]
    with Historian(folder / "x.duckdb") as historian:
        historian.import_log(write(folder / "log.csv", rows))
        before = historian.snapshot("log")
        archive = historian.retain("log", days)
        after = historian.report("log")
        assert after.rows_read == after.rows_kept + after.rows_ignored + after.rows_quarantined
        assert after.rows_kept == after.events == len(rows) - archive.executions
        left = historian.snapshot("log", historian.report("log").last, open_cases=())
        whole = held(before)
        gone = whole.keys() - held(left).keys()
        limit = before.until_s - days * DAY + (before.origin - T0).total_seconds()
        for case, is_open in zip(before.cases, before.is_open, strict=True):
            last = max(max(row.start_s, row.end_s or 0.0) for row in whole[case])
            assert (case in gone) == (not is_open and last < round(limit, 6))
        assert historian.archives("log") == ((archive,) if gone else ())
        assert (archive.cases, archive.file is None) == (len(gone), not gone)
        if archive.file is not None:
            historian.import_log(archive.file, "back")
            back = held(historian.snapshot("back", open_cases=()))
            assert {case: rows for case, rows in whole.items() if case in gone} == back


def test_attributes_and_pauses_come_back(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "log.csv",
        "case_id,activity,lifecycle,time,amount,note,Resource,activity (attribute)",
        "1,A,start,2024-01-01T08:00:00Z,5,x,Ada,007",
        "1,A,suspend,2024-01-01T09:00:00Z,5,y,Ada,NA",
        "1,A,resume,2024-01-01T10:00:00Z,5,z,Ada,",
        '1,A,complete,2024-01-01T11:00:00Z,5,"a, ""b""",Ada,=1',
        "1,B,complete,2024-01-01T12:00:00Z,5,c,,q",
        "2,A,complete,2024-06-01T12:00:00Z,6,d,,q",
    )
    with Historian(tmp_path / "x.duckdb") as historian:
        historian.import_log(file)
        before = historian.snapshot("log", T0 - timedelta(days=30), open_cases=())
        assert before.paused_s.tolist() == [3600.0, 0.0]
        archive = historian.retain("log", 30)
        assert (archive.cases, archive.executions) == (1, 2)
        report = historian.report("log")
        assert (report.rows_read, report.rows_kept, report.events) == (1, 1, 1)
        assert str(archive.file) in report.notes[-1]
        assert archive.file is not None
        historian.import_log(archive.file, "back")
        back = historian.snapshot("back", T0 - timedelta(days=30), open_cases=())
        assert back.content_hash == before.content_hash
        with pytest.raises(UsageError, match="an age of 0 days would take what is happening now"):
            historian.retain("log", 0)
        with pytest.raises(DataError, match="there is no log 'other'"):
            historian.retain("other", 3)
        assert historian.undo_import("log").current is None
        assert historian.import_log(file).already_known is False
        assert historian.snapshot("log").n_cases == 1


def test_a_single_time_per_event_stays_single(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "log.csv", "case,activity,time", "1,A,2024-01-01T08:00:00Z", "2,A,2024-06-01T08:00:00Z"
    )
    with Historian(tmp_path / "x.duckdb") as historian:
        historian.import_log(file)
        archive = historian.retain("log", 1)
        assert archive.file is not None
        assert historian.import_log(archive.file, "back").single_timestamp


def test_the_file_is_there_before_the_cases_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row("1", "A", "r", 0.0, 1.0), Row("2", "A", "r", 9 * DAY, 9 * DAY)]
    with Historian(tmp_path / "x.duckdb") as historian:
        historian.import_log(write(tmp_path / "log.csv", rows))
        monkeypatch.setattr("eventlogs.keeping.retention._remove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            historian.retain("log", 1)
        assert len(list((tmp_path / "x.duckdb.archive").iterdir())) == 1
        assert historian.snapshot("log").n_cases == 2
        assert historian.archives("log") == ()
        monkeypatch.undo()
        assert historian.retain("log", 1).cases == 1
        assert len(list((tmp_path / "x.duckdb.archive").iterdir())) == 1


def test_what_left_does_not_come_back_by_mending(tmp_path: Path) -> None:
    rows = [f"{case},A,2024-0{case}-01T08:00:00Z" for case in (1, 2, 3)]
    file = lines(tmp_path / "log.csv", "case,activity,time", *rows, "4,A,whenever")
    with Historian(tmp_path / "x.duckdb") as historian:
        historian.import_log(file, on_bad_rows="quarantine")
        historian.export_quarantine("log", tmp_path / "bad.csv")
        lines(tmp_path / "bad.csv", "row,reason,case,activity,time", "4,,4,A,2024-03-02T08:00:00Z")
        assert historian.retain("log", 40).cases == 1
        with pytest.raises(DataError, match=r"cases moved out or deleted since it was taken"):
            historian.mend("log", tmp_path / "bad.csv")
        assert historian.snapshot("log").cases == ("2", "3")


def test_a_mistyped_year_does_not_make_all_cases_old(tmp_path: Path) -> None:
    """Age counts from the last instant up to now; a case with a time in the future stays."""
    rows = [
        *(f"{day},A,2024-03-{day:02d}T08:00:00Z" for day in range(1, 29)),
        "1,A,2190-03-01T08:00:00Z",
        "29,A,2190-03-01T08:00:00Z",
    ]
    with Historian(tmp_path / "x.duckdb") as historian:
        historian.import_log(lines(tmp_path / "log.csv", "case,activity,time", *rows))
        archive = historian.retain("log", 20.5)
        assert archive.note.startswith("Age is counted from 2024-03-28T08:00:00Z: what lies in the future")
        assert "2 cases with such times" in archive.note
        assert archive.file is not None
        historian.import_log(archive.file, "old")
        assert historian.snapshot("old").cases == tuple(str(day) for day in range(2, 8))
        historian.import_log(lines(tmp_path / "late.csv", "case,activity,time", rows[-1]))
        with pytest.raises(DataError, match="log 'late' lies wholly in the future"):
            historian.retain("late", 3)

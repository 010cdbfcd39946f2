"""Rows whose start and end lie at a change of the clocks: order in the file decides between two readings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from eventlogs.historian import Historian
from eventlogs.taking.looking import LookOptions, look
from metagraph.errors import DataError

HEADER = "case,activity,resource,start,end"
BERLIN = ZoneInfo("Europe/Berlin")
LOCAL = "%Y-%m-%d %H:%M:%S"


def spans(path: Path, *rows: str, tz: str = "Europe/Berlin") -> tuple[list[tuple[str, str]], str]:
    """Start and end of each row's execution in UTC, and what the report says."""
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    with Historian(":memory:") as historian:
        report = historian.import_log(path, "log", tz=tz)
        log = historian.snapshot("log")
    found = sorted(
        tuple(f"{log.origin + timedelta(seconds=s):%H:%M}" for s in pair)
        for pair in zip(log.start_s.tolist(), log.end_s.tolist(), strict=True)
    )
    return [(a, b) for a, b in found], " ".join(report.sentences())


def test_an_end_of_the_second_pass_is_not_before_its_start(tmp_path: Path) -> None:
    found, said = spans(tmp_path / "log.csv", "1,A,Ann,2024-10-27 02:50:00,2024-10-27 02:10:00")
    assert found == [("00:50", "01:10")]
    assert "1 end that came twice would lie before the start: the later instant was taken." in said


def test_a_start_that_clocks_skipped_is_not_after_its_end(tmp_path: Path) -> None:
    found, said = spans(tmp_path / "log.csv", "1,A,Ann,2023-03-26 02:15:00,2023-03-26 03:04:00")
    assert found == [("00:15", "01:04")]
    assert (
        "1 start that can't exist would lie after the end: read as if the clocks had gone forward already."
        in said
    )
    foreseen = look(tmp_path / "log.csv", LookOptions(tz="Europe/Berlin")).foreseen
    assert foreseen is not None
    assert "1 start that can't exist" in " ".join(foreseen.notes)


def test_what_is_backwards_stays_backwards(tmp_path: Path) -> None:
    for row in (
        "1,A,Ann,2024-10-27 03:10:00,2024-10-27 01:10:00",
        "1,A,Ann,2023-03-26 04:15:00,2023-03-26 03:04:00",
    ):
        with pytest.raises(DataError, match="lies before the start"):
            spans(tmp_path / "log.csv", row)


def test_work_of_less_than_an_hour_is_never_refused(tmp_path: Path) -> None:
    rows = []
    for day in (datetime(2024, 10, 27, tzinfo=UTC), datetime(2023, 3, 26, tzinfo=UTC)):
        for begin in range(0, 180, 10):
            for end in range(begin, begin + 56, 5):
                stamps = [
                    (day + timedelta(minutes=t)).astimezone(BERLIN).strftime(LOCAL) for t in (begin, end)
                ]
                rows.append(f"1,A,Ann,{stamps[0]},{stamps[1]}")
    found, _ = spans(tmp_path / "log.csv", *rows)
    assert len(found) == len(rows)
    assert all(start <= end for start, end in found)

"""A look shows the executions that taking the file makes, and says what taking it says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventlogs.historian import Historian
from eventlogs.taking.looking import look
from tests.eventlogs.logs import lines

LIFECYCLE = """case,activity,user,time,transition
1,A,ann,2024-03-04T08:00Z,schedule
1,A,ann,2024-03-04T09:00Z,start
1,A,ann,2024-03-04T09:10Z,suspend
1,A,ann,2024-03-04T09:40Z,resume
1,A,ann,2024-03-04T10:00Z,complete
1,B,bob,2024-03-04T11:00Z,start
2,A,,soon,start
2,A,,2024-03-05T09:00Z,complete
2,A,,2024-03-05T09:00Z,complete
2,C,ann,2024-03-05T09:00Z,resume"""
PLAIN = """case,activity,user,start,end
1,A,ann,2024-03-04T08:00Z,2024-03-04T09:00Z
1,A,ann,2024-03-04T08:00Z,2024-03-04T09:00Z
1,B,,,2024-03-04T10:00Z
2,A,bob,2024-03-04T10:00Z,"""


@pytest.fixture
def historian() -> Iterator[Historian]:
    with Historian(":memory:") as historian:
        yield historian


@pytest.mark.parametrize("text", [LIFECYCLE, PLAIN])
def test_what_is_assumed_is_what_taking_says(text: str, tmp_path: Path, historian: Historian) -> None:
    file = lines(tmp_path / "log.csv", text)
    taken = historian.import_log(file, "log", on_bad_rows="quarantine")
    seen = look(file)
    assert seen.foreseen is not None
    assert seen.foreseen.sentences() == taken.sentences()
    assert set(seen.assumptions()) <= set(taken.sentences())
    assert (taken.running, taken.missing_resources, taken.duplicates) == (
        seen.foreseen.running,
        seen.foreseen.missing_resources,
        seen.foreseen.duplicates,
    )


def test_transitions_are_shown_paired(tmp_path: Path) -> None:
    seen = look(lines(tmp_path / "log.csv", LIFECYCLE))
    shown = [(r.place, r.activity, r.start, r.end, r.paused_s) for r in seen.read]

    def at(hour: int, day: int = 4) -> datetime:
        return datetime(2024, 3, day, hour, tzinfo=UTC)

    assert shown == [
        ("line 3", "A", at(9), at(10), 1800.0),
        ("line 7", "B", at(11), None, 0.0),
        ("line 8", "A", None, None, 0.0),
        ("line 9", "A", at(9, 5), at(9, 5), 0.0),
        ("line 10", "A", at(9, 5), at(9, 5), 0.0),
    ]
    assert [bool(r.problem) for r in seen.read] == [False, False, True, False, False]


def test_where_no_row_is_good_the_reasons_are_still_told(tmp_path: Path) -> None:
    seen = look(lines(tmp_path / "log.csv", "case,activity,end", ",A,2024-03-04T08:00Z"))
    assert seen.to_settle is not None
    assert [problem.places for problem in seen.problems] == [("line 2",)]

"""Live events of a log that was also imported: nothing twice, nothing lost, and all of it said."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventlogs.historian import Historian
from eventlogs.live.inbox import Inbox
from tests.eventlogs.live.feeding import MUCH_LATER_US, Clock, event, feed, live
from tests.eventlogs.logs import T0, Row, lines, stamp, traces

HEADER = "case_id,activity,resource,timestamp,lifecycle:transition,value"
BEFORE_US = 1_710_000_000_000_000
"""Before any import that a test takes."""


def taken(historian: Historian, folder: Path, *rows: str, name: str = "log.csv") -> None:
    told = (f"{c},{a},{r},{stamp(float(s))},{w},{v}" for c, a, r, s, w, v in (row.split() for row in rows))
    historian.import_log(lines(folder / name, HEADER, *told), "log")


def work(historian: Historian, log: str = "log") -> list[Row]:
    return [row for _, rows in traces(historian.snapshot(log, open_cases=())) for row in rows]


def test_a_live_completion_ends_what_the_import_left_running(tmp_path: Path) -> None:
    with live() as (historian, inbox):
        taken(historian, tmp_path, "1 A ada 0 complete 5", "1 B bob 10 start 5", "2 A ada 20 start 7")
        feed(historian, inbox, [
            event(1, 30, "log", case="1", activity="B", lifecycle="complete"),
            event(2, 40, "log", case="3", activity="A", lifecycle="start", resource="ada"),
        ])  # fmt: skip
        assert work(historian) == [
            ("1", "A", "ada", 0.0, 0.0), ("1", "B", "bob", 10.0, 30.0), ("2", "A", "ada", 20.0, None),
            ("3", "A", "ada", 40.0, None),
        ]  # fmt: skip
        report = historian.report("log")
        assert (report.rows_read, report.last) == (3, T0 + timedelta(seconds=40))
        assert "2 live events received" in report.notes[-1]
        assert historian.logs()[0].report == report
        undone = [event(3, 50, "log", case="1", corrects="1")]
        feed(historian, inbox, undone)
        assert ("1", "B", "bob", 10.0, None) in work(historian)
        assert [c.case for c in historian.state_at("log").cases() if c.in_progress] == ["1", "2", "3"]


def test_what_the_import_holds_is_not_counted_again(tmp_path: Path) -> None:
    with live() as (historian, inbox):
        taken(historian, tmp_path, "1 A ada 0 start 5", "1 A ada 10 complete 5", "1 B bob 20 start 5")
        before = historian.snapshot("log").content_hash
        feed(historian, inbox, [
            event(i, at, "log", case="1", activity=a, lifecycle=w)
            for i, (at, a, w) in enumerate([(0, "A", "start"), (10, "A", "complete"), (20, "B", "start")])
        ])  # fmt: skip
        assert historian.snapshot("log").content_hash == before
        assert (
            "3 live events repeat what the import holds; they were counted once."
            in historian.report("log").notes
        )
        late = event(9, 5, "log", case="1", activity="C", lifecycle="complete")
        feed(historian, inbox, [late])
        assert ("1", "C", None, 5.0, 5.0) in work(historian)


def test_a_newer_import_covers_what_was_received_before_it(tmp_path: Path) -> None:
    clock = Clock(BEFORE_US)
    with live(clock) as (historian, inbox):
        feed(historian, inbox, [
            event(1, 0, "log", case="1", activity="A", lifecycle="start"),
            event(2, 10, "log", case="1", activity="A", lifecycle="complete"),
            event(3, 11, "log", case="1", activity="B", lifecycle="start"),
            event(4, 30, "log", case="1", activity="B", lifecycle="complete"),
            event(5, 12, "log", case="2", activity="A", lifecycle="complete", attributes={"value": 9}),
        ])  # fmt: skip
        alone = work(historian)
        # The file's stamps of case 1 differ a little, and it doesn't know case 2.
        taken(historian, tmp_path, "1 A ada 1 start 5", "1 A ada 9 complete 5", "1 B bob 12 start 5")
        assert work(historian) == [
            ("1", "A", "ada", 1.0, 9.0), ("1", "B", "bob", 12.0, 30.0), ("2", "A", None, 12.0, 12.0),
        ]  # fmt: skip
        assert historian.snapshot("log", open_cases=()).attributes == {"value": ("5", "9")}
        told = " ".join(historian.report("log").notes)
        assert "3 live events of cases in the import, recorded before it was taken" in told
        historian.undo_import("log")
        assert work(historian) == alone
        assert historian.report("log").source == "live events"


def test_a_log_of_live_events_alone_answers_everything(tmp_path: Path) -> None:
    with live() as (historian, inbox):
        feed(historian, inbox, [
            event(1, 0, case="1", activity="A", lifecycle="start", attributes={"case:class": "x"}),
            event(2, 10, case="1", activity="A", lifecycle="complete"),
            event(3, 5, case="2", activity="A"),
            event(4, case="2", activity="A"),
            event(5, 6, case="2", activity="A", eta=stamp(99)),
            event(3, 7, "other", case="2", activity="A"),
        ])  # fmt: skip
        (info,) = historian.logs()
        assert info.name == "live"
        report = info.report
        assert (report.rows_read, report.rows_kept, report.rows_ignored, report.rows_quarantined) == (
            5,
            3,
            1,
            1,
        )
        assert report.quarantined == {"it has no time": 1}
        assert historian.variants("live", open_cases=()) == [(("A",), 2)]
        assert historian.snapshot("live").attributes == {"case:class": ("x", None)}
        middle = T0 + timedelta(seconds=5)
        assert historian.snapshot("live", middle, open_cases=()).n_events == 2


def test_suspending_what_the_import_left_running(tmp_path: Path) -> None:
    with live() as (historian, inbox):
        taken(historian, tmp_path, "1 A ada 0 complete 5", "1 B bob 10 start 5")
        pause = [
            event(1, 20, "log", case="1", activity="B", lifecycle="suspend"),
            event(2, 30, "log", case="1", activity="B", lifecycle="resume"),
        ]
        feed(historian, inbox, pause[:1])
        feed(historian, inbox, [pause[1], event(3, 40, "log", case="1", activity="B", lifecycle="complete")])
        rows = historian._con.execute(
            "SELECT activity, end_us IS NULL, paused_us FROM log_executions ORDER BY start_us"
        ).fetchall()
        assert rows == [("A", False, 0), ("B", False, 10_000_000)]


def test_an_inbox_of_before_does_no_harm(tmp_path: Path) -> None:
    told = [event(i, i, case="1", activity="A", lifecycle="complete") for i in range(5)]
    with live() as (historian, inbox):
        feed(historian, inbox, told)
        with Inbox(tmp_path / "another", Clock()) as other:
            feed(historian, other, told)
        assert historian.snapshot("live").n_events == 5
        assert datetime.now(UTC) > historian.logs()[0].report.last


def test_executions_of_the_same_row_of_two_imports_are_told_apart(tmp_path: Path) -> None:
    with live() as (historian, inbox):
        for log in ("one", "two"):
            rows = f"1,B,ada,{stamp(0)},complete,5", f"1,A,ada,{stamp(1)},start,5"
            historian.import_log(lines(tmp_path / f"{log}.csv", HEADER, *rows), log)
        pause = [
            event(log, 10, log, case="1", activity="A", lifecycle="suspend", resource="ada")
            for log in ("one", "two")
        ]
        feed(historian, inbox, pause[:1])
        feed(historian, inbox, [pause[1], event(3, 20, "one", case="1", attributes={"case:x": "y"})])
        for log in ("one", "two"):
            assert historian.snapshot(log).n_events == 2
            assert len(historian.snapshot(log, T0 + timedelta(seconds=30)).pauses.row) == 1


def test_a_new_inbox_counts_on(tmp_path: Path) -> None:
    with live() as (historian, inbox):
        feed(historian, inbox, [event(1, 1, case="1", activity="A"), event(2, 2, case="2", activity="A")])
        with Inbox(tmp_path / "another", Clock()) as other:
            more = [("3", "B"), ("1", "B"), ("2", "A"), ("1", "C")]
            feed(
                historian,
                other,
                [event(i, i, case=case, activity=a) for i, (case, a) in enumerate(more, start=3)],
            )
        told = [(case, a) for case, a, *_ in work(historian, "live")]
        assert told == [("1", "A"), ("1", "B"), ("1", "C"), ("2", "A"), ("2", "A"), ("3", "B")]


def test_events_set_aside_by_the_thousand_keep_what_they_said() -> None:
    with live() as (historian, inbox):
        odd = ["it's\x00", "Zoë 🙂", "x" * 5000, ""]
        feed(historian, inbox, [event(i, None, case=odd[i % 4]) for i in range(2000)])
        kept = historian._con.execute("SELECT inbox_id, reason, raw FROM live_quarantine").fetchall()
        assert [number for number, _, _ in kept] == list(range(1, 2001))
        assert [json.loads(raw)["case"] for _, _, raw in kept] == odd * 500
        assert {reason for _, reason, _ in kept} == {"it has no time", "it has no case"}


@pytest.mark.parametrize("limit", [1, 10])
def test_what_is_corrected_in_two_ways_ends_with_the_first(limit: int) -> None:
    """A correction that is corrected itself, and then overtaken by another one of the same event."""
    clock = Clock()
    with live(clock) as (historian, inbox):
        for number, corrects in ((1, None), (2, "1"), (3, "2"), (4, "1")):
            clock.now_us = MUCH_LATER_US + number
            inbox.accept([event(number, 0, case="1", activity="A", corrects=corrects)])
        feed(historian, inbox, [], limit)
        ended = "SELECT superseded_us - ? FROM live_events ORDER BY arrival"
        assert historian._con.execute(ended, [MUCH_LATER_US]).fetchall() == [(2,), (3,), (None,), (None,)]

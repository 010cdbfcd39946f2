"""A log of live events has its quality told, with what of them could not be applied."""

import csv
import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from eventlogs.live.inbox import Inbox, RawEvent, inbox_path
from eventlogs.quality.quality import RowAccount
from tests.eventlogs.live.feeding import Clock, event, feed, live
from tests.eventlogs.logs import Row, write


def test_the_quality_of_live_events_alone() -> None:
    with live() as (historian, inbox):
        feed(
            *(historian, inbox),
            [
                event(1, 0, case="9", activity="A", lifecycle="start", resource="Zoë"),
                event(2, 60, case="9", activity="A", lifecycle="complete", resource="Zoë"),
                event(3, 90, case="9", attributes={"colour": "red"}),
                event(4, case="9", activity="B", time="2024-03-04T10:00:00"),
            ],
        )
        report = historian.quality("live")
        assert (report.cases, report.executions, report.running) == (1, 1, 0)
        assert report.rows == RowAccount(4, 2, 1, 1, balanced=True)
        (aside,) = report.finding("unusable").examples
        assert (aside.row, aside.note[-45:]) == (
            None,
            "has no time zone; append Z for UTC, or an offset"[-45:],
        )


def test_live_events_set_aside_are_told_beside_an_import(tmp_path: Path) -> None:
    file = write(tmp_path / "orders.csv", [Row("1", "A", "Ann", 0.0, 60.0)])
    with live() as (historian, inbox):
        historian.import_log(file, "orders")
        assert historian.quality("orders").live.sentences() == ()
        bad = [event(2, case="7", activity="B", time="soon", log="orders"), RawEvent("", "x", "orders", "{")]
        feed(historian, inbox, [event(1, 90, case="7", activity="B", log="orders"), *bad])
        report = historian.quality("orders")
        assert report.rows == RowAccount(1, 1, 0, 0, balanced=True)
        assert (report.live.events, report.live.set_aside) == (1, 2)
        unusable = report.finding("unusable")
        assert (unusable.count, unusable.of) == (2, 4)
        assert [(e.case, e.activity) for e in unusable.examples] == [("7", "B"), (None, None)]


def test_what_was_set_aside_goes_out_as_it_came(tmp_path: Path) -> None:
    with live(Clock(1_709_550_000_000_000)) as (historian, inbox):
        bad = event(2, case="7", activity="B", time="soon", log="orders")
        feed(historian, inbox, [event(1, 90, case="7", activity="B"), bad])
        assert historian.export_set_aside_events("live", tmp_path / "none.csv") == 0
        assert historian.export_set_aside_events("orders", tmp_path / "out.csv") == 1
        assert list(csv.reader((tmp_path / "out.csv").open(newline=""))) == [
            ["received", "reason", "event"],
            [
                "2024-03-04T11:00:00+00:00",
                "time 'SOON' is no instant; write it as 2024-03-01T09:00:00Z",
                bad.body,
            ],
        ]
        assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_the_commands_show_what_was_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "orders.csv", [Row("1", "A", "Ann", 0.0, 60.0), Row("1", "B", "Ann", 90.0, 30.0)])
    run = partial(CliRunner().invoke, app, env={"COLUMNS": "300"})
    run(["import", "take", "orders.csv", "--quarantine"], catch_exceptions=False)
    with Inbox(inbox_path(tmp_path / "tracetwin.duckdb")) as inbox:
        inbox.accept([event(1, 90, case="7", activity="B"), RawEvent("s", "2", "orders", "{")])
    listed = run(["import", "list"]).output
    assert "Log orders: 1 live events set aside: it is no JSON" in listed
    assert "1 live events set aside: it is no JSON" in run(["quality", "orders"]).output
    told = json.loads(run(["import", "quarantined", "orders", "--out", "bad.csv", "--json"]).output)
    assert told == {"log": "orders", "rows": 1, "out": "bad.csv", "events": 1, "events_out": "bad.live.csv"}
    assert {path.name for path in tmp_path.glob("bad*")} == {"bad.csv", "bad.live.csv"}
    refused = run(["import", "quarantined", "live", "--out", "x.csv"])
    assert "nothing to export" in str(refused.exception or refused.output)

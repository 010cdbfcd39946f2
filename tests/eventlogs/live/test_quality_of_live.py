"""A log of live events has its quality told, with what of them could not be applied."""

from pathlib import Path

from eventlogs.live.inbox import RawEvent
from eventlogs.quality.quality import RowAccount
from tests.eventlogs.live.feeding import event, feed, live
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

"""What the inbox acknowledged is there, once, in order."""

import json
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlogs.live.cloudevents import events_in
from eventlogs.live.inbox import Inbox, InboxUnavailableError, RawEvent
from metagraph.errors import DataError
from tests.eventlogs.live.feeding import Clock


def raw(number: int, source: str = "s") -> RawEvent:
    return RawEvent(source, str(number), "live", f"body {number}")


def test_an_event_is_kept_once_by_source_and_id(tmp_path: Path) -> None:
    with Inbox(tmp_path / "x") as inbox:
        first = inbox.accept([raw(1), raw(2), raw(1), raw(1, "t")])
        assert (first.accepted, first.known) == (3, 1)
        inbox.forget(2)
        again = inbox.accept([raw(2), raw(3)])
        assert (again.accepted, again.known) == (1, 1)
        assert [(row.source, row.event_id) for row in inbox.after(0, 10)] == [("t", "1"), ("s", "3")]
        assert inbox.pending(0) == 4
        assert inbox.after(again.position, 10) == []
        assert inbox.accept([]).position == again.position


def test_another_event_of_a_known_id_is_told_from_the_same_one(tmp_path: Path) -> None:
    with Inbox(tmp_path / "x") as inbox:
        other = replace(raw(1), body="other")
        first = inbox.accept([raw(1), raw(2), other])
        assert (first.accepted, first.known, first.differing) == (2, 0, 1)
        inbox.forget(first.position)
        again = inbox.accept([raw(1), other, replace(raw(2), log="orders"), raw(3)])
        assert (again.accepted, again.known, again.differing) == (1, 1, 2)
        assert [row.body for row in inbox.after(0, 10)] == ["body 3"]


@given(st.permutations(["id", "source", "case", "time", "activity"]), st.sampled_from([None, 0, 3]))
def test_an_event_written_in_another_way_is_the_same(names: list[str], indent: int | None) -> None:
    event = {"id": "1", "source": "s", "case": "ä", "time": "2024-03-04T10:00:00Z", "activity": "A"}
    otherwise = {name: event[name] for name in names}
    (sent,) = events_in(json.dumps(event).encode(), {}, "live")
    lines = {"content-type": "application/x-ndjson"}
    written = json.dumps(otherwise, indent=indent, ensure_ascii=False).replace("\n", " ").encode()
    assert events_in(written, {}, "live") == events_in(written, lines, "live") == [sent]


def test_what_was_accepted_is_there_for_the_next_who_opens(tmp_path: Path) -> None:
    with Inbox(tmp_path / "x") as inbox:
        inbox.accept([raw(1)])
        name = inbox.identity
    with Inbox(tmp_path / "x") as inbox, Inbox(tmp_path / "x") as other, Inbox(tmp_path / "y") as new:
        assert inbox.identity == other.identity == name != new.identity
        assert other.accept([raw(1), raw(2)]).accepted == 1
        assert [row.body for row in inbox.after(0, 10)] == ["body 1", "body 2"]
        assert [row.body for row in inbox.after(0, 1)] == ["body 1"]


def test_the_time_of_receipt_never_goes_back(tmp_path: Path) -> None:
    clock = Clock(1000)
    with Inbox(tmp_path / "x", clock) as inbox:
        inbox.accept([raw(1)])
        clock.now_us = 900
        inbox.accept([raw(2)])
        clock.now_us = 1100
        inbox.accept([raw(3)])
        assert [row.recorded_us for row in inbox.after(0, 10)] == [1000, 1000, 1100]


def test_a_full_disk_acknowledges_nothing(tmp_path: Path) -> None:
    with Inbox(tmp_path / "x") as inbox:
        inbox.accept([raw(1)])
        inbox._con.execute("PRAGMA max_page_count = 20")
        large = [RawEvent("s", f"large {i}", "live", "x" * 10_000) for i in range(100)]
        with pytest.raises(InboxUnavailableError, match="nothing of this request was kept"):
            inbox.accept(large)
        assert [row.event_id for row in inbox.after(0, 1000)] == ["1"]
        inbox._con.execute("PRAGMA max_page_count = 10000")
        assert inbox.accept(large).accepted == 100


def test_threads_share_an_inbox(tmp_path: Path) -> None:
    with Inbox(tmp_path / "x") as inbox:

        def send(first: int) -> None:
            for i in range(first, first + 300, 10):
                inbox.accept([raw(j) for j in range(i, i + 20)])

        threads = [threading.Thread(target=send, args=(100 * k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows = inbox.after(0, 10_000)
    assert sorted(int(row.event_id) for row in rows) == list(range(610))


def test_what_was_drained_leaves_nothing_but_its_name(tmp_path: Path) -> None:
    with Inbox(tmp_path / "x") as inbox:
        inbox.accept([RawEvent("s", "1", "live", "Ada Lovelace " * 2000)])
        inbox.forget(1)
        inbox._con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"Ada Lovelace" not in (tmp_path / "x").read_bytes()


def test_files_that_are_no_inbox(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("just text " * 1000)
    with pytest.raises(DataError, match="is no inbox of ours"):
        Inbox(tmp_path / "text")
    with pytest.raises(InboxUnavailableError, match="can't be opened"):
        Inbox(tmp_path / "no folder" / "x")


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    with Inbox(tmp_path / "x") as inbox:
        assert inbox._con.execute("PRAGMA synchronous").fetchone() == (2,)
    with sqlite3.connect(tmp_path / "x") as con:
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)

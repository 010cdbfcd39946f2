"""Acknowledged events count for whoever opens the file next, though nobody serves it any more."""

from pathlib import Path

import pytest

from eventlogs.historian import Historian
from eventlogs.live.inbox import Inbox, inbox_path
from eventlogs.owner.opening import open_historian
from tests.eventlogs.live.feeding import event


def left_behind(folder: Path) -> Path:
    """A database whose owner died before it drained one event more."""
    file = folder / "x.duckdb"
    Historian(file).close()
    with Inbox(inbox_path(file)) as inbox:
        inbox.accept([event(1, 0, case="9", activity="A"), event(2, 0, case="8", activity="A")])
    return file


@pytest.mark.parametrize("read_only", [True, False])
def test_who_opens_the_file_alone_finds_them_applied(tmp_path: Path, read_only: bool) -> None:
    file, told = left_behind(tmp_path), list[str]()
    with open_historian(file, read_only, on_wait=told.append) as historian:
        assert historian.report("live").cases == 2
        assert historian.waiting() == 0
    assert told == []


def test_who_can_not_apply_them_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, told = left_behind(tmp_path), list[str]()
    with Historian(file, read_only=True) as other:  # In this process a reader keeps writers out as well.
        with open_historian(file, read_only=True, on_wait=told.append) as historian:
            assert historian.logs() == ()
        assert (len(told), other.waiting()) == (1, 2)
    assert told[0].startswith("2 live events wait in the inbox and are not counted yet (")
    with open_historian(file, drained=False) as historian:
        assert historian.waiting() == 2
    inbox_path(file).write_bytes(b"just text " * 1000)
    with open_historian(file, on_wait=told.append):
        assert "is no inbox of ours" in told[1]

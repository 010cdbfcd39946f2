"""Live events as their senders write them, and feeding them to a historian."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eventlogs.historian import Historian
from eventlogs.live.drain import drain
from eventlogs.live.inbox import Inbox, RawEvent
from tests.eventlogs.logs import stamp

SOURCE = "urn:erp"
MUCH_LATER_US = 1_900_000_000_000_000
"""After any import that a test takes."""


def event(number: object, at_s: float | None = None, log: str = "live", **fields: Any) -> RawEvent:
    """A flat event, by default at so many seconds after T0."""
    told = {"id": str(number), "source": SOURCE} | ({} if at_s is None else {"time": stamp(at_s)}) | fields
    return RawEvent(SOURCE, str(number), log, json.dumps(told))


class Clock:
    """Microseconds since 1970, as told by hand."""

    def __init__(self, now_us: int = MUCH_LATER_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us


@contextmanager
def live(clock: Clock | None = None) -> Iterator[tuple[Historian, Inbox]]:
    """A historian in memory and an inbox to drain into it."""
    with (
        TemporaryDirectory() as folder,
        Inbox(Path(folder) / "inbox", clock or Clock()) as inbox,
        Historian(":memory:") as historian,
    ):
        inbox._con.execute("PRAGMA synchronous = OFF")
        yield historian, inbox


def feed(historian: Historian, inbox: Inbox, events: Sequence[RawEvent], limit: int = 10_000) -> None:
    """Accept the events at once, and drain them at most `limit` at a time."""
    inbox.accept(events)
    read = 1
    while read:
        with historian._transaction():
            read = drain(historian._con, inbox, limit).read

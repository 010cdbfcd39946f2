"""Where live events are acknowledged: a SQLite file beside the database, written through before the answer.

Rows keep the order of acknowledgement in `id`. What was drained loses its content, and leaves its source and
id behind, so that it is known when it comes again, with a digest that tells it from another event of that id.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from metagraph.errors import DataError

BUSY_S = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    log TEXT NOT NULL,
    body TEXT,
    digest BLOB NOT NULL,
    recorded_us INTEGER NOT NULL,
    UNIQUE (source, event_id)
);
CREATE TABLE IF NOT EXISTS identity (name TEXT NOT NULL, forgotten INTEGER NOT NULL);
"""


class InboxUnavailableError(DataError):
    """The inbox can't be written now; nothing of what was offered is acknowledged."""


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event as it came, its sender's name for it, and the log it is for."""

    source: str
    event_id: str
    log: str
    body: str
    """JSON of the event, flat or as a CloudEvent."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the events offered: accepted + known + differing of them."""

    accepted: int
    known: int
    """Came before, told by source and id, and were passed over."""
    differing: int
    """Not taken: their source and id are those of an event of other content, or for another log."""
    position: int
    """Number of the last event acknowledged so far, 0 for none."""


class InboxRow(NamedTuple):
    """One acknowledged event."""

    id: int
    source: str
    event_id: str
    log: str
    body: str
    recorded_us: int


def inbox_path(database: str | os.PathLike[str]) -> Path:
    """The inbox that belongs to a database's file."""
    return Path(f"{os.fspath(database)}.inbox.sqlite")


class Inbox:
    """Acknowledged events, in order; safe to share between threads and processes.

    `clock_us` gives microseconds since 1970. Raises DataError when the file is no inbox,
    InboxUnavailableError when it can't be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self.path = os.fspath(path)
        self._clock_us = clock_us
        self._lock = threading.Lock()
        try:
            self._con = sqlite3.connect(
                self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            # Every commit reaches the disk before it returns; what is deleted is overwritten.
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                self._con.execute(f"PRAGMA {pragma}")
            self._con.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            with self._writing():
                self._con.execute(
                    "INSERT INTO identity SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM identity)",
                    [uuid.uuid4().hex],
                )
            self.identity = str(self._con.execute("SELECT name FROM identity").fetchone()[0])
        except sqlite3.OperationalError as error:
            raise InboxUnavailableError(
                f"{self.path} can't be opened ({error}); see that it can be written"
            ) from None
        except sqlite3.DatabaseError as error:
            raise DataError(f"{self.path} is no inbox of ours ({error}); move it away") from None

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._con.close()

    def accept(self, events: Sequence[RawEvent]) -> Receipt:
        """Keep all of these or none; when it returns they are on the disk.

        An event whose source and id came before, here or in an earlier call, is passed over. Raises
        InboxUnavailableError.
        """
        digests = [_digest(event) for event in events]
        try:
            with self._lock, self._writing():
                before = self._con.total_changes
                self._con.executemany(
                    "INSERT OR IGNORE INTO inbox (source, event_id, log, body, digest, recorded_us) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    self._rows(events, digests),
                )
                accepted = self._con.total_changes - before
                differing = self._differing(events, digests) if accepted < len(events) else 0
                position = self._last()[0]
        except sqlite3.Error as error:
            raise InboxUnavailableError(
                f"{self.path} can't be written ({error}); nothing of this request was kept, send it again "
                "later"
            ) from None
        return Receipt(accepted, len(events) - accepted - differing, differing, position)

    def after(self, position: int, limit: int) -> list[InboxRow]:
        """The next events in order of acknowledgement, at most `limit`."""
        with self._lock:
            found = self._con.execute(
                "SELECT id, source, event_id, log, body, recorded_us FROM inbox "
                "WHERE id > ? AND body IS NOT NULL ORDER BY id LIMIT ?",
                [position, limit],
            ).fetchall()
        return list(map(InboxRow._make, found))

    def forget(self, position: int) -> None:
        """Drop the content of events up to this one; their sources and ids stay."""
        with self._lock, self._writing():
            self._con.execute(
                "UPDATE inbox SET body = NULL WHERE id > (SELECT forgotten FROM identity) AND id <= ?",
                [position],
            )
            self._con.execute("UPDATE identity SET forgotten = max(forgotten, ?)", [position])

    def pending(self, position: int) -> int:
        """How many events were acknowledged after this one."""
        with self._lock:
            return int(self._con.execute("SELECT count(*) FROM inbox WHERE id > ?", [position]).fetchone()[0])

    def _differing(self, events: Sequence[RawEvent], digests: Sequence[bytes]) -> int:
        kept = "SELECT digest FROM inbox WHERE source = ? AND event_id = ?"
        return sum(
            self._con.execute(kept, [event.source, event.event_id]).fetchone()[0] != digest
            for event, digest in zip(events, digests, strict=True)
        )

    def _rows(
        self, events: Sequence[RawEvent], digests: Sequence[bytes]
    ) -> list[tuple[str, str, str, str, bytes, int]]:
        # A clock set back must not let later events seem recorded before earlier ones.
        now = max(self._clock_us(), self._last()[1])
        return [
            (e.source, e.event_id, e.log, e.body, digest, now)
            for e, digest in zip(events, digests, strict=True)
        ]

    def _last(self) -> tuple[int, int]:
        found = self._con.execute("SELECT id, recorded_us FROM inbox ORDER BY id DESC LIMIT 1").fetchone()
        return (0, 0) if found is None else (int(found[0]), int(found[1]))

    def _writing(self) -> _Transaction:
        return _Transaction(self._con)


def _digest(event: RawEvent) -> bytes:
    """Short, for it is to tell two events of one id apart, not to say what was in them."""
    return hashlib.blake2b(f"{event.log}\0{event.body}".encode(), digest_size=8).digest()


class _Transaction:
    """Begun as a writer at once, so that two processes wait for each other instead of failing half-way."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self._con = con

    def __enter__(self) -> None:
        self._con.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is None:
            try:
                self._con.execute("COMMIT")
                return
            except sqlite3.Error:
                self._rollback()
                raise
        self._rollback()

    def _rollback(self) -> None:
        # SQLite has rolled back by itself after some errors, such as a full disk.
        if self._con.in_transaction:
            self._con.execute("ROLLBACK")

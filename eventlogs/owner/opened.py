"""A database's file while it is open here: sessions, turns to write, and its replacement by a copy."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from eventlogs.keeping import erasing
from eventlogs.keeping.database import MEMORY, connect
from eventlogs.owner.turns import ALONE, Caller, Turns, turns_of
from metagraph.errors import DataError

DAMAGED = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
"""What the database says of a file or a disk that it can't use."""


class OpenFile:
    """Owner of one DuckDB file (or of `:memory:`), to be used as a context manager."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        read_only: bool = False,
        *,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """Open the file at once, or raise: `opening.open_historian` waits, or asks the owner of the file.

        `tell` hears in a sentence when a file of an older version is brought up to date.
        """
        self.path = os.fspath(path)
        self._is_new = self.path != MEMORY and not Path(self.path).exists()
        self._turns = Turns() if self.path == MEMORY else turns_of(self.path)
        self._caller = ALONE
        self._base: Self | None = None
        self._turns.enter(self)
        try:
            self._con = connect(self.path, read_only=read_only, tell=tell)
            if not read_only and erasing.due(self._con):
                # A disk without room for the copy is no reason not to open the file.
                with suppress(DataError):
                    self._erase(wait_s=0.0)
        except BaseException:
            self._turns.leave(self)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self._is_new and self._holds_nothing():
            # A first import that failed leaves no empty database behind; unlinked while the lock is held.
            Path(self.path).unlink(missing_ok=True)
        self.close()
        if isinstance(error, DAMAGED):
            reason = str(error).splitlines()[0]
            raise DataError(
                f"{self.path} is damaged or can't be written ({reason}); give another --db"
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        self._con.close()
        self._turns.leave(self)

    def session(self, caller: Caller = ALONE) -> Self:
        """The same file for another thread or caller, with transactions and temporary tables of its own."""
        other = copy.copy(self)
        self._turns.enter(other)
        other._base = self._base or self
        other._con, other._caller, other._is_new = other._base._con.cursor(), caller, False
        other._con.execute("SET TimeZone = 'UTC'")
        return other

    def interrupt(self) -> None:
        """Stop the statement that runs in this session, if any; from any thread."""
        self._con.interrupt()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._turns.turn(self._caller, self.path):
            self._con.execute("BEGIN")
            try:
                self._caller.writes()
                yield
                self._caller.check()
            except BaseException:
                self._con.execute("ROLLBACK")
                raise
            self._con.execute("COMMIT")

    def _erase(self, wait_s: float) -> bool:
        """Put a copy without the bytes of what was deleted in the file's place, once nobody else is at it.

        False if somebody still is after `wait_s` seconds: then it is done when the file is next opened alone.
        """
        if self.path == MEMORY:
            return True
        with self._transaction():
            erasing.sweep(self._con, self.path)
        base = self._base or self
        with self._turns.alone((self, base), wait_s) as alone:
            if not alone:
                return False
            if self is not base:
                self._con.close()
            base._con = erasing.rewrite(base._con, self.path)
            if self is not base:
                self._con = base._con.cursor()
                self._con.execute("SET TimeZone = 'UTC'")
        return True

    def _holds_nothing(self) -> bool:
        rows = self._con.execute(
            "SELECT (SELECT count(*) FROM uploads) + (SELECT count(*) FROM models)"
        ).fetchall()
        return not rows[0][0]

"""Taking turns at one file: its writers within a process, and the processes that want to open it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet, WeakValueDictionary

_LOOK_AGAIN_S = 0.1


def _nothing() -> None:
    """A caller in the same process sees for itself."""


def _unheard(sentence: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a historian works."""

    waits: Callable[[str], None] = _unheard
    """Told once, in a sentence, if another writer is before."""
    writes: Callable[[], None] = _nothing
    """Told before anything is written; returns once the caller knows."""
    check: Callable[[], None] = _nothing
    """Raises if the caller is gone; asked while waiting and before what was written is made to last."""


ALONE = Caller()


class Turns:
    """The queue of those who want to write one file."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()
        self._inside: WeakSet[object] = WeakSet()
        self._shut = False

    def enter(self, who: object) -> None:
        """Note that somebody has the file open, once nobody has it `alone`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut)
            self._inside.add(who)

    def leave(self, who: object) -> None:
        """Note that somebody let go of the file."""
        with self._changed:
            self._inside.discard(who)
            self._changed.notify_all()

    @contextmanager
    def alone(self, us: Collection[object], wait_s: float) -> Iterator[bool]:
        """Keep all others out, if those inside leave within `wait_s` seconds; whether they did."""
        with self._changed:
            first = not self._shut
            self._shut = True
            alone = first and self._changed.wait_for(lambda: self._inside <= set(us), wait_s)
        try:
            yield alone
        finally:
            with self._changed:
                self._shut = self._shut and not first
                self._changed.notify_all()

    @contextmanager
    def turn(self, caller: Caller, file: str) -> Iterator[None]:
        """Wait for the turn and keep it within the context."""
        me = object()
        with self._changed:
            self._queue.append(me)
            before = len(self._queue) - 1
        try:
            if before:
                caller.waits(f"{file} is being written; {before} before this")
            with self._changed:
                while self._queue[0] is not me:
                    self._changed.wait(_LOOK_AGAIN_S)
                    caller.check()
            yield
        finally:
            with self._changed:
                self._queue.remove(me)
                self._changed.notify_all()


_known: WeakValueDictionary[str, Turns] = WeakValueDictionary()
_knowing = threading.Lock()


def turns_of(path: str | os.PathLike[str]) -> Turns:
    """The queue of a file: the same one for everybody in this process who has it open."""
    with _knowing:
        return _known.setdefault(os.path.realpath(path), Turns())


class Turnstile:
    """The queue of processes that wait to open one file, so that none comes back before all others had it.

    Who holds it is the only one that tries; it is a lock on an empty file among this user's temporary ones.
    Where that can't be made everybody tries.
    """

    def __init__(self, path: str) -> None:
        name = hashlib.sha256(os.path.realpath(path).encode()).hexdigest()[:16]
        self._file = Path(tempfile.gettempdir()) / f"tracetwin-{os.getuid()}-{name}.turn"
        self._descriptor: int | None = None
        self._is_ours = False

    def __enter__(self) -> Turnstile:
        with suppress(OSError):
            self._descriptor = os.open(
                self._file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
        return self

    def __exit__(self, *error: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def is_ours(self) -> bool:
        """Whether it is this process's turn to try."""
        if self._descriptor is None or self._is_ours:
            return True
        with suppress(BlockingIOError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._is_ours = True
        return self._is_ours

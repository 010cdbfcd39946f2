"""Writers of one file take turns, first come, first served; each works for a caller who may go away."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

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

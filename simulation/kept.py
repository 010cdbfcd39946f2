"""Results kept for callers that ask again with the same objects."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

K = TypeVar("K")
T = TypeVar("T")


class Kept(Generic[T]):
    """The last results, by the identity of what they were made from and a key; safe for threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = Lock()
        self._found: dict[tuple[tuple[int, ...], Hashable], tuple[tuple[object, ...], T]] = {}

    def get(self, made_from: tuple[object, ...], key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave for these very objects and this key; the oldest is forgotten first."""
        full = (tuple(map(id, made_from)), key)
        found = self._found.get(full)
        if found is not None:
            return found[1]
        value = make()
        with self._lock:
            # The objects are kept too: as long as they live, nobody else has their ids.
            self._found[full] = (made_from, value)
            while len(self._found) > self._size:
                self._found.pop(next(iter(self._found)))
        return value


class Beside(Generic[K, T]):
    """What `make` gives for an object: once for each, kept as long as the object lives; safe for threads."""

    def __init__(self, make: Callable[[K], T]) -> None:
        self._make = make
        self._lock = Lock()
        self._found: WeakKeyDictionary[K, T] = WeakKeyDictionary()

    def of(self, owner: K) -> T:
        """The owner's, made when it is first asked for."""
        with self._lock:
            found = self._found.get(owner)
            if found is None:
                found = self._found[owner] = self._make(owner)
            return found

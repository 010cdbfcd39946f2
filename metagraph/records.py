"""Records of files that people write by hand, read field by field with every fault named."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from metagraph.faults import Fault, listed, shown
from metagraph.timelines import TimeLine, unread_instant

NUMBER = "expected a number"


class Record:
    """One object of a file. A field that is missing, null or (in CSV) empty gives its default."""

    def __init__(
        self, raw: Mapping[str, Any], where: str, faults: list[Fault], *, from_text: bool = False
    ) -> None:
        self.raw = raw
        self.where = where
        self.faults = faults
        self._from_text = from_text
        self._taken: list[str] = []

    def fault(self, name: str, what: str) -> None:
        place = ", ".join(filter(None, (self.where, name)))
        self.faults.append(Fault(place, what))

    def take(self, name: str) -> Any:
        """A field as it stands; None if there is nothing."""
        self._taken.append(name)
        found = self.raw.get(name)
        return None if found == "" and self._from_text else found

    def has(self, name: str) -> bool:
        found = self.raw.get(name)
        return found is not None and not (found == "" and self._from_text)

    def text(self, name: str, default: str | None = None) -> str:
        """A text or a whole number (as ids often are); needed where there is no default."""
        found = self.take(name)
        if found is None:
            if default is None:
                self.fault(name, "missing; it is needed")
            return default or ""
        if isinstance(found, bool) or not isinstance(found, (str, int)):
            self.fault(name, f"{shown(found)}; expected text")
            return ""
        return str(found)

    def number(self, name: str, default: float | None = None, least: float = -math.inf) -> float | None:
        """A finite number of at least `least`."""
        found = self.take(name)
        if found is None:
            return default
        number = self.as_number(found)
        if number is None:
            self.fault(name, f"{shown(found)}; {NUMBER}")
            return default
        if number < least:
            self.fault(name, f"{shown(found)}; expected {least:g} or more")
        return number

    def as_number(self, found: Any) -> float | None:
        """The finite number that a field holds, or None."""
        if isinstance(found, bool) or not isinstance(found, (int, float, str)):
            return None
        if isinstance(found, str) and not self._from_text:
            return None
        try:
            number = float(found)
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None

    def whole(self, name: str, default: int, least: int) -> int:
        found = self.number(name, float(default), least)
        if found is None or not found.is_integer():
            self.fault(name, f"{shown(self.raw.get(name))}; expected a whole number")
            return default
        return int(found)

    def flag(self, name: str, default: bool = False) -> bool:
        found = self.take(name)
        if found is None:
            return default
        if not isinstance(found, bool):
            self.fault(name, f"{shown(found)}; expected true or false")
        return found is True

    def time(self, name: str, line: TimeLine) -> float | None:
        """An instant in the form of the file's time line, in seconds since its origin."""
        field = name + line.suffix
        found = self.take(field)
        if found is None:
            return None
        seconds = line.seconds(self.as_number(found) if line.suffix == "_h" else found)
        if seconds is None:
            self.fault(field, unread_instant(found, line.suffix))
        return seconds

    def needed_time(self, name: str, line: TimeLine) -> float:
        found = self.time(name, line)
        if found is None and not self.has(name + line.suffix):
            self.fault(name + line.suffix, "missing; it is needed")
        return 0.0 if found is None else found

    def names(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self.take(name)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            self.fault(name, f"{shown(found)}; expected a list of names")
            return ()
        return tuple(found)

    def counts(self, name: str) -> dict[str, int]:
        """Names with whole numbers above 0."""
        return {key: inner.whole(key, 1, 1) for inner in self.inner(name) for key in inner.raw}

    def inner(self, name: str) -> Iterator[Record]:
        """The object in a field, if there is one."""
        found = self.take(name)
        if isinstance(found, dict):
            yield Record(found, ", ".join(filter(None, (self.where, name))), self.faults)
        elif found is not None:
            self.fault(name, f"{shown(found)}; expected an object")

    def items(self, name: str, *, needed: bool = False) -> list[Record]:
        """The objects in a list, called by their ids where they have one."""
        found = self.take(name)
        if found is None:
            if needed:
                self.fault(name, "missing; it is needed")
            return []
        if not isinstance(found, list):
            self.fault(name, f"{shown(found)}; expected a list")
            return []
        place = ", ".join(filter(None, (self.where, name)))
        return list(records(found, place, self.faults))

    def rest(self) -> dict[str, Any]:
        """Fields that weren't asked for."""
        return {name: value for name, value in self.raw.items() if name not in self._taken}

    def close(self) -> None:
        """Faults of all fields that nobody asked for."""
        known = listed(list(dict.fromkeys(self._taken)), 30)
        for name in self.rest():
            self.fault(name, f"no such field; there are {known}")


def records(found: Sequence[Any], where: str, faults: list[Fault]) -> Iterator[Record]:
    """The objects of a list."""
    for i, item in enumerate(found):
        if not isinstance(item, dict):
            faults.append(Fault(f"{where}, item {i}", f"{shown(item)}; expected an object"))
            continue
        name = item.get("id", item.get("node", item.get("task")))
        called = shown(str(name)) if isinstance(name, (str, int)) else f"item {i}"
        yield Record(item, f"{where}, {called}" if where else called, faults)

"""How a file tells time: instants of ISO 8601, or hours since an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from metagraph.faults import Fault, listed, shown

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
"""Hour 0 where nobody says when that is; a Monday."""
FORMS: Mapping[str, str] = {
    "": "instants with a zone",
    "_utc": "instants of UTC",
    "_h": "hours since the file's origin",
}
"""What is behind a field's name -> what the field then holds."""


def monday(instant: datetime) -> datetime:
    """Monday 00:00 UTC at or before an instant."""
    day = instant.astimezone(UTC).date()
    return datetime.combine(day - timedelta(days=day.weekday()), time(), UTC)


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Instants of one file as seconds since `origin`, a Monday 00:00 UTC."""

    suffix: str
    """One of FORMS."""
    origin: datetime
    zero: datetime
    """Hour 0."""

    def seconds(self, value: Any) -> float | None:
        """Seconds since the origin; None for what isn't of this form."""
        if self.suffix == "_h":
            return None if value is None else (self.zero - self.origin).total_seconds() + 3600.0 * value
        instant = instant_of(value, naive=self.suffix == "_utc")
        return None if instant is None else (instant - self.origin).total_seconds()

    def shown(self, seconds: float) -> str | float:
        """How an instant is written on this line."""
        if self.suffix == "_h":
            return (seconds - (self.zero - self.origin).total_seconds()) / 3600.0
        return stamp(self.origin + timedelta(seconds=seconds))


def stamp(instant: datetime) -> str:
    """ISO 8601, UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant_of(value: Any, *, naive: bool = False) -> datetime | None:
    """The instant that a text holds; without a zone only if it is known to be `naive` UTC."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value.strip())
        if instant.tzinfo is None:
            return instant.replace(tzinfo=UTC) if naive else None
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def unread_instant(value: Any, suffix: str) -> str:
    """What is wrong with a value that is no instant of its form."""
    if suffix == "_h":
        return f"{shown(value)}; expected hours, a number"
    expected = "2026-11-22T08:15:00Z" if suffix == "" else "2026-11-22T08:15:00"
    hint = ""
    if suffix == "" and instant_of(value, naive=True) is not None:
        hint = "; it has no zone: append Z for UTC, or call the field by its name with _utc"
    return f"{shown(value)}; expected an instant like {expected}{hint}"


def time_line(
    rows: Iterable[Mapping[str, Any]],
    names: Iterable[str],
    *,
    told: datetime | None,
    origin: datetime | None,
    faults: list[Fault],
) -> TimeLine:
    """The time line of a file, by the names of its fields.

    `names` are those that hold instants; the earliest instant of the first one that is there decides where
    the origin lies if neither the file (`told`) nor the caller (`origin`) says so. Hours count from `told`,
    else from `origin`, else from FIRST.
    """
    names = tuple(names)
    used: dict[str, str] = {}
    earliest: dict[int, datetime] = {}
    for row in rows:
        for suffix in FORMS:
            for i, name in enumerate(names):
                if row.get(name + suffix) in (None, ""):
                    continue
                used.setdefault(suffix, name + suffix)
                if suffix != "_h":
                    instant = instant_of(row[name + suffix], naive=suffix == "_utc")
                    if instant is not None:
                        earliest[i] = min(instant, earliest.get(i, instant))
    if len(used) > 1:
        ways = listed([f"{field} ({FORMS[suffix]})" for suffix, field in used.items()])
        faults.append(Fault("", f"times are told in several ways, {ways}; use one for all of them"))
    suffix = next(iter(used), "")
    zero = told or origin or (earliest[min(earliest)] if earliest else FIRST)
    return TimeLine(suffix, monday(origin or zero) if origin is None else origin, zero)

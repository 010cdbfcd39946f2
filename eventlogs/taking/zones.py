"""Local times of a zone as SQL: which instants they are, and which of them don't exist or come twice.

Follows PEP 495 with fold = 0: a time that comes twice is the earlier instant, one that doesn't exist counts
with the offset in force before the clocks went forward. `parsing` departs from it where an end would else lie
before its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from eventlogs.instants import from_us, to_us
from metagraph.errors import UsageError

_DAY = timedelta(days=1)
_US = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's offsets over some years. Local times are microseconds since 1970, read as if they were UTC."""

    name: str
    starts_us: tuple[int, ...]
    """Local times from which each offset but the first holds, ascending."""
    offsets_us: tuple[int, ...]
    """Local time minus UTC; one more than `starts_us`."""
    missing: tuple[tuple[int, int], ...]
    """Half-open intervals of local times that don't exist."""
    double: tuple[tuple[int, int], ...]
    """Half-open intervals of local times that come twice."""

    def instant(self, local: str) -> str:
        """SQL for the instant of a local time, given as the name of a column: it is repeated many times."""
        return f"({local} - {self._offset(local, self.starts_us, self.offsets_us)})"

    def _offset(self, local: str, starts: Sequence[int], offsets: Sequence[int]) -> str:
        if not starts:
            return f"{offsets[0]}::BIGINT"
        middle = len(starts) // 2
        before = self._offset(local, starts[:middle], offsets[: middle + 1])
        after = self._offset(local, starts[middle + 1 :], offsets[middle + 1 :])
        return f"CASE WHEN {local} < {starts[middle]} THEN {before} ELSE {after} END"


def within(local: str, intervals: Sequence[tuple[int, int]]) -> str:
    """SQL that is true where a local time lies in one of the intervals."""
    return " OR ".join(f"{local} >= {a} AND {local} < {b}" for a, b in intervals) or "false"


def width(local: str, intervals: Sequence[tuple[int, int]]) -> str:
    """SQL: how long the interval is in which a local time lies, 0 outside of them."""
    cases = " ".join(f"WHEN {within(local, [(a, b)])} THEN {b - a}" for a, b in intervals)
    return f"CASE {cases} ELSE 0 END" if cases else "0"


def zone_between(tz: str, first_us: int, last_us: int) -> Zone:
    """The zone around these local times. Raises UsageError when there is no zone of that name."""
    zone = find_zone(tz)
    instant, last = from_us(first_us) - 2 * _DAY, from_us(last_us) + 2 * _DAY
    offset = _offset_at(zone, instant)
    starts, offsets = list[int](), [offset // _US]
    missing, double = list[tuple[int, int]](), list[tuple[int, int]]()
    while instant < last:
        instant, before = instant + _DAY, offset
        offset = _offset_at(zone, instant)
        if offset != before:
            change = to_us(_change(zone, instant - _DAY, instant))
            low, high = change + min(before, offset) // _US, change + max(before, offset) // _US
            (missing if offset > before else double).append((low, high))
            starts.append(high)
            offsets.append(offset // _US)
    return Zone(tz, tuple(starts), tuple(offsets), tuple(missing), tuple(double))


def find_zone(tz: str) -> ZoneInfo:
    """The zone of an IANA name. Raises UsageError when there is none."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"--tz {tz!r} is no time zone; use an IANA name such as Europe/Paris") from None


def _offset_at(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second between two instants at which the later one's offset holds."""
    seconds = int((high - low).total_seconds())
    base = low.replace(microsecond=0)
    low_s, high_s = 0, seconds + 1
    new = _offset_at(zone, base + timedelta(seconds=high_s))
    while high_s - low_s > 1:
        middle = (low_s + high_s) // 2
        if _offset_at(zone, base + timedelta(seconds=middle)) == new:
            high_s = middle
        else:
            low_s = middle
    return (base + timedelta(seconds=high_s)).astimezone(UTC)

"""Instants as the database keeps them: whole microseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from metagraph.errors import UsageError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(instant: datetime) -> int:
    """Microseconds since 1970 of an instant with a zone."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def zoned(instant: datetime) -> datetime:
    """The instant itself. Raises UsageError if it has no time zone."""
    if instant.tzinfo is None:
        raise UsageError(f"the instant {instant.isoformat()} has no time zone; append Z for UTC")
    return instant


def from_us(us: int) -> datetime:
    """The UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)


def monday(instant: datetime) -> datetime:
    """Monday 00:00 UTC at or before an instant."""
    day = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def in_words(instant: datetime) -> str:
    """ISO 8601 in UTC with a Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")

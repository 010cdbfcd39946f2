"""Results as JSON and back: what `--json` prints and the pages read."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def dump(value: object) -> str:
    """Any of our dataclasses as JSON; instants in ISO 8601 UTC.

    Infinite or missing numbers become null: JSON has no word for them.
    """
    from pydantic import TypeAdapter

    return TypeAdapter(type(value)).dump_json(value, indent=1).decode()


def read(kind: type[T], text: str) -> T:
    """The inverse of `dump`. Raises pydantic's ValidationError on text of another kind."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_json(text)

"""What is wrong with a metagraph: every fault, each in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from metagraph.errors import DataError

MOST_LISTED = 200
"""A file of a million orders can have a million faults."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can't be."""

    where: str
    """The element and field, in words."""
    what: str
    """What is there and what is expected."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def refusal(source: str, faults: Sequence[Fault]) -> DataError:
    """The error that lists all faults of what came from `source`."""
    if len(faults) == 1:
        return DataError(f"{source} can't be used: {faults[0]}")
    lines = "\n".join(f"  {fault}" for fault in faults[:MOST_LISTED])
    if len(faults) > MOST_LISTED:
        lines += f"\n  and {len(faults) - MOST_LISTED} more"
    return DataError(f"{source} can't be used; mend these {len(faults)} faults:\n{lines}")


def shown(value: Any) -> str:
    """A value as a reader would see it in the file, cut short."""
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names joined by commas, cut short."""
    head = ", ".join(islice(names, most))
    return f"{head} and {len(names) - most} more" if len(names) > most else head

"""What a nasty file is, and what must come of it: the right log, or a refusal that names the place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Row = tuple[str, str, str | None, str, str | None]
"""Case, activity, resource, start and end (ISO 8601, UTC with Z; None while running)."""


@dataclass(frozen=True, slots=True)
class Right:
    """The file is taken, and the log holds exactly these executions."""

    rows: tuple[Row, ...]
    quarantined: int = 0
    says: str = ""
    """A pattern that the report's sentences must match, where something was assumed or set aside."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The file is refused in one sentence that matches the pattern, and nothing is kept of it."""

    says: str


@dataclass(frozen=True, slots=True)
class Nasty:
    """One file of the folder."""

    name: str
    content: bytes | Callable[[], bytes]
    outcome: Right | Refused
    why: str
    """What is nasty about it."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Arguments of `Historian.import_log` besides the path."""

    def bytes(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content()


HEADER = "case_id,activity,resource,start_time,end_time"
PLAIN: tuple[Row, ...] = (
    ("1", "Check", "Ann", "2024-03-04T08:00:00Z", "2024-03-04T08:30:00Z"),
    ("1", "Ship", "Bob", "2024-03-04T09:00:00Z", "2024-03-04T09:10:00Z"),
    ("2", "Check", "Ann", "2024-03-04T10:00:00Z", "2024-03-04T10:15:00Z"),
)


def line(row: Sequence[str | None], delimiter: str = ",") -> str:
    return delimiter.join(value or "" for value in row)


def table(rows: Sequence[Row] = PLAIN, delimiter: str = ",", end: str = "\n") -> str:
    """The rows as a plain delimited text with a header."""
    head = HEADER.replace(",", delimiter)
    return "".join(text + end for text in (head, *(line(row, delimiter) for row in rows)))


def named(name: str, old: str, rows: Sequence[Row] = PLAIN) -> tuple[Row, ...]:
    """The rows with another word in place of `old`."""
    return tuple(tuple(name if value == old else value for value in row) for row in rows)  # type: ignore[misc]


def one(
    case: str = "1",
    activity: str = "Check",
    resource: str | None = "Ann",
    start: str = "2024-03-04T08:00:00Z",
    end: str | None = "2024-03-04T08:30:00Z",
) -> Row:
    return (case, activity, resource, start, end)

"""What a first look at a file found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from eventlogs.report import ImportReport, TimeReading
from eventlogs.taking.columns import CandidateMapping


@dataclass(frozen=True, slots=True)
class ColumnLook:
    """One column of the file."""

    name: str
    filled: float
    """Share of the rows with a value."""
    examples: tuple[str, ...]
    """The first different values."""


@dataclass(frozen=True, slots=True)
class TimeLook:
    """How the times of one column would be read."""

    column: str
    readings: tuple[TimeReading, ...]
    """Most values first."""
    zoneless: int
    """Stamps without a zone of their own."""
    zoned: int


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One execution, or one row that can't be used; None where there is nothing or it can't be used."""

    place: str
    """Where it stands; of a pair, where its start does."""
    case: str | None
    activity: str | None
    resource: str | None
    transition: str | None
    start: datetime | None
    end: datetime | None
    problem: str | None
    paused_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows that would be set aside for one reason."""

    reason: str
    rows: int
    places: tuple[str, ...]
    """The first of them, such as `line 13`."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a file holds and how it would be taken."""

    source: str
    encoding: str | None
    """Of a text file."""
    delimiter: str | None
    member: str | None
    """The file that was read inside a ZIP archive."""
    object_types: Mapping[str, int]
    """Of an object-centric log whose cases are still to be chosen: objects of each type."""
    rows: int
    columns: tuple[ColumnLook, ...]
    candidate: CandidateMapping
    """A role whose confidence is 0.5 or less is only suggested, and not done."""
    raw: tuple[tuple[str | None, ...], ...]
    """The first rows as they stand in the file."""
    read: tuple[ReadRow, ...]
    """The first executions and the bad rows between them; empty while something is to be settled first."""
    times: tuple[TimeLook, ...]
    tz: str
    """The zone of stamps without one."""
    tz_assumed: bool
    """There are such stamps, and nobody has given their zone."""
    decimal: str | None
    """The decimal sign of the column of values, if there is one."""
    problems: tuple[Problem, ...]
    to_settle: str | None
    """The sentence of the fault that stops the file from being read at all."""
    notes: tuple[str, ...]
    command: str
    """What to type next; words in capitals stand in it for what only the user knows."""

    suggested: Mapping[str, str] = field(default_factory=dict)
    """Role -> column, for those that the command leaves out because they are only suggested."""
    dates: tuple[str, ...] = ()
    """A sentence for each column with dates that name no time of day."""
    foreseen: ImportReport | None = None
    """What an import that sets bad rows aside would report; None while something is to be settled first."""

    def assumptions(self) -> tuple[str, ...]:
        """What the import would say beside times, zones and bad rows, of which the look itself says more."""
        if self.foreseen is None:
            return (*self.dates, *self.notes)
        told = replace(self.foreseen, time_formats={}, zoneless_stamps=0, quarantined={}).sentences()
        return (*self.dates, *told)

    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in the file's order."""
        return tuple(column.name for column in self.columns)

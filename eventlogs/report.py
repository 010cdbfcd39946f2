"""What an import found, kept and set aside, in numbers and in sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime

YEAR_FIRST = "the year comes first"
"""Why a time in ISO 8601 can be read in one way only."""

_SAID: Mapping[str, tuple[str, str]] = {
    "completed_without_start": (
        "has no start; it was taken to be instant",
        "have no start; they were taken to be instant",
    ),
    "running": (
        "has no end; it was taken to be still running",
        "have no end; they were taken to be still running",
    ),
    "missing_resources": ("names no resource", "name no resource"),
    "duplicates": (
        "repeats an earlier one exactly; it was kept",
        "repeat an earlier one exactly; they were kept",
    ),
    "aborted": (
        "ended by an abort; it was kept with the time until then",
        "ended by an abort; they were kept with the time until then",
    ),
    "paused": (
        "was suspended for a time, which is not counted as work",
        "were suspended for a time, which is not counted as work",
    ),
    "left_suspended": (
        "was suspended and never resumed: until its end, if there is one",
        "were suspended and never resumed: until their end, if there is one",
    ),
}
"""What is said of one execution, and of many."""


@dataclass(frozen=True, slots=True)
class TimeReading:
    """One way in which times of a column were read."""

    format: str
    rows: int
    """Values written so, whether or not each of them is a time."""
    decided_by: str
    """The evidence for reading them so; empty where an older version kept none."""
    example: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The account of one import: rows_read = rows_kept + rows_ignored + rows_quarantined, always."""

    log: str
    source: str
    content_hash: str
    mapping: Mapping[str, str]
    """Role -> the file's column."""
    confidence: Mapping[str, float]
    time_formats: Mapping[str, tuple[TimeReading, ...]]
    """Column -> how its times were read, most rows first."""
    tz: str
    zoneless_stamps: int
    """Stamps without a zone of their own, read in `tz`."""
    rows_read: int
    rows_kept: int
    """Rows that became an execution or, paired, a half of one."""
    rows_ignored: int
    """Rows of lifecycle transitions that carry no start or completion."""
    rows_quarantined: int
    quarantined: Mapping[str, int]
    """Reason -> rows."""
    cases: int
    events: int
    """Task executions."""
    activities: int
    first: datetime
    last: datetime
    single_timestamp: bool
    transitions: Mapping[str, int]
    """Lifecycle transition -> rows, for a log that has them."""
    completed_without_start: int
    running: int
    missing_resources: int
    duplicates: int
    """Executions equal to an earlier one in case, activity, resource, start and end; they are kept."""
    case_attributes: tuple[str, ...]
    event_attributes: tuple[str, ...]
    notes: tuple[str, ...]
    already_known: bool = False
    """The same content had been imported under this name with the same options: nothing was done."""
    tz_assumed: bool = False
    """Nobody had given a zone: `tz` is UTC for want of a better one."""
    zoned_stamps: int = 0
    """Stamps with a zone of their own."""
    missing_stamps: int = 0
    """Local times that `tz` skipped when its clocks went forward."""
    double_stamps: int = 0
    """Local times that `tz` had twice when its clocks went back: the earlier instant was taken, or the later
    of an end that would else lie before its start."""
    aborted: int = 0
    """Executions that were ended by an abort; they are kept."""
    paused: int = 0
    """Executions that were suspended for some time."""
    left_suspended: int = 0
    """Executions that never resumed."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """What the ignored rows are -> rows; empty where an older version kept no account."""

    def sentences(self) -> tuple[str, ...]:
        """What a reader of the log should know, most important first."""
        say = []
        if self.already_known:
            say.append(f"{self.source} is already in the database as log {self.log!r}; nothing was done.")
        say.append(
            f"{number(self.rows_read, 'row')} read: {self.rows_kept:,} kept as "
            f"{number(self.events, 'task execution')} of {number(self.cases, 'case')}, "
            f"{self.rows_ignored:,} ignored, {self.rows_quarantined:,} quarantined."
        )
        say += [f"{number(n, 'row')} set aside: {reason}." for reason, n in self.quarantined.items()]
        if self.single_timestamp:
            say.append(
                "The log has one time per event: starts were taken to equal ends, so working time can't be "
                "told from waiting, resources seem never busy, and durations, workload and schedules can't "
                "be learned from it."
            )
        say += [text for column, found in self.time_formats.items() if (text := _formats(column, found))]
        say += self._zones()
        say += self._lifecycle()
        if not self.single_timestamp:
            say += self._said("completed_without_start")
        say += self._said("running", "missing_resources", "duplicates")
        return (*say, *self.notes)

    def _zones(self) -> list[str]:
        if not self.zoneless_stamps:
            return []
        others = f", {self.zoned_stamps} have one" if self.zoned_stamps else ""
        they = "it was" if self.zoneless_stamps == 1 else "they were"
        how = (
            f"{they} read as UTC, which nobody has confirmed; say 'import take --tz Europe/Paris', for "
            "example, if the times are local there"
            if self.tz_assumed
            else f"{they} read as local times of {self.tz}"
        )
        return [f"{number(self.zoneless_stamps, 'stamp')} without a time zone{others}: {how}."]

    def _lifecycle(self) -> list[str]:
        say = []
        if self.ignored:
            what = ", ".join(f"{n:,} {name}" for name, n in sorted(self.ignored.items(), key=_most_first))
            say.append(f"{number(self.rows_ignored, 'row')} ignored: {what}.")
        if self.rows_ignored:
            other = ", ".join(f"{name} {n:,}" for name, n in self.transitions.items())
            say.append(
                f"Starts and ends come from start, complete and abort events; all transitions: {other}."
            )
        return say + self._said("aborted", "paused", "left_suspended")

    def _said(self, *counts: str) -> list[str]:
        """Sentences about those of these counts of executions that are not 0."""
        found = {name: getattr(self, name) for name in counts}
        return [f"{number(n, 'execution')} {_SAID[name][n != 1]}." for name, n in found.items() if n]

    def to_json(self) -> str:
        content = asdict(self) | {"first": self.first.isoformat(), "last": self.last.isoformat()}
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ImportReport:
        """The inverse of `to_json`, also for reports of older versions."""
        content = json.loads(text)
        content["time_formats"] = {
            column: (TimeReading(how, 0, "", ""),)
            if isinstance(how, str)
            else tuple(TimeReading(**reading) for reading in how)
            for column, how in content["time_formats"].items()
        }
        for name in (one.name for one in fields(cls)):
            if name in ("first", "last"):
                content[name] = datetime.fromisoformat(content[name])
            elif isinstance(content.get(name), list):
                content[name] = tuple(content[name])
        return cls(**content)


def number(n: int, what: str) -> str:
    """A number of things, of which there is one or many: `1 row`, `1,219 rows`."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def _most_first(counted: tuple[str, int]) -> tuple[int, str]:
    name, n = counted
    return -n, name


def _formats(column: str, readings: tuple[TimeReading, ...]) -> str | None:
    """What a reader should know of how a column's times were read, if anything."""
    if len(readings) > 1:
        words = " and ".join(f"{r.format}, {number(r.rows, 'row')} ({r.decided_by})" for r in readings)
        count = {2: "two", 3: "three"}.get(len(readings), str(len(readings)))
        return f"Column {column!r} holds {count} formats: {words}."
    if readings and readings[0].decided_by not in ("", YEAR_FIRST):
        return f"Column {column!r} was read {readings[0].format}: {readings[0].decided_by}."
    return None

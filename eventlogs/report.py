"""What an import found, kept and set aside, in numbers and in sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The account of one import: rows_read = rows_kept + rows_ignored + rows_quarantined, always."""

    log: str
    source: str
    content_hash: str
    mapping: Mapping[str, str]
    """Role -> the file's column."""
    confidence: Mapping[str, float]
    time_formats: Mapping[str, str]
    """Column -> how its times were read."""
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

    def sentences(self) -> tuple[str, ...]:
        """What a reader of the log should know, most important first."""
        say = []
        if self.already_known:
            say.append(f"{self.source} is already in the database as log {self.log!r}; nothing was done.")
        say.append(
            f"{self.rows_read} rows read: {self.rows_kept} kept as {self.events} task executions of "
            f"{self.cases} cases, {self.rows_ignored} ignored, {self.rows_quarantined} quarantined."
        )
        say += [f"{n} rows set aside: {reason}." for reason, n in self.quarantined.items()]
        if self.single_timestamp:
            say.append(
                "The log has one time per event: starts were taken to equal ends, so working time can't be "
                "told from waiting, resources seem never busy, and durations, workload and schedules can't "
                "be learned from it."
            )
        if self.zoneless_stamps:
            say.append(f"{self.zoneless_stamps} stamps have no time zone; they were read as {self.tz}.")
        if self.rows_ignored:
            other = ", ".join(f"{name} {n}" for name, n in self.transitions.items())
            say.append(f"Only start and complete events carry times; transitions in the log: {other}.")
        if self.completed_without_start and not self.single_timestamp:
            say.append(
                f"{self.completed_without_start} executions have no start; they were taken to be instant."
            )
        if self.running:
            say.append(f"{self.running} executions have no end; they were taken to be still running.")
        if self.missing_resources:
            say.append(f"{self.missing_resources} executions name no resource.")
        if self.duplicates:
            say.append(f"{self.duplicates} executions repeat an earlier one exactly; they were kept.")
        return (*say, *self.notes)

    def to_json(self) -> str:
        content = asdict(self) | {"first": self.first.isoformat(), "last": self.last.isoformat()}
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ImportReport:
        """The inverse of `to_json`."""
        content = json.loads(text)
        for field in fields(cls):
            if field.name in ("first", "last"):
                content[field.name] = datetime.fromisoformat(content[field.name])
            elif isinstance(content[field.name], list):
                content[field.name] = tuple(content[field.name])
        return cls(**content)

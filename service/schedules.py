"""Schedules from a TOML file: which commands are to be queued when.

[[schedule]]
name = "orders every night"
command = ["recalibrate", "orders", "--log", "orders", "--promote"]
cron = "15 2 * * *"
time_zone = "Europe/Paris"

[[schedule]]
name = "invoices"
command = ["recalibrate", "invoices", "--log", "invoices"]
every = "6h"
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from metagraph.errors import DataError, TwinError
from twin.jobs import check_command
from twin.spans import seconds_of
from twin.toml_checked import checked, read_text

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
"""Intervals count from here, so that all workers and all restarts agree on the instants."""


class _Schedule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Annotated[str, Field(min_length=1)]
    command: Annotated[list[str], Field(min_length=1)]
    cron: str | None = None
    every: str | None = None
    time_zone: str = "UTC"
    attempts: Annotated[int, Field(ge=1)] = 3


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    schedule: Annotated[list[_Schedule], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Schedule:
    """One command and when it is queued."""

    name: str
    command: tuple[str, ...]
    cron: str | None
    """Five fields, as of crontab."""
    every_s: float | None
    time_zone: str
    attempts: int
    """How often it is tried before it counts as failed."""

    def trigger(self) -> BaseTrigger:
        """When it is due."""
        from apscheduler.triggers.cron import CronTrigger
        from apscheduler.triggers.interval import IntervalTrigger

        zone = ZoneInfo(self.time_zone)
        if self.cron is not None:
            return CronTrigger.from_crontab(self.cron, timezone=zone)
        assert self.every_s is not None
        return IntervalTrigger(seconds=round(self.every_s), start_date=EPOCH, timezone=zone)

    def key(self, due: datetime) -> str:
        """The same for every worker that queues this command for this instant: it is queued once."""
        return f"{self.series}{due.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    @property
    def series(self) -> str:
        """What the keys of all its instants begin with."""
        return f"{self.name} @ "


def load_schedules(path: Path) -> tuple[Schedule, ...]:
    """The schedules of a file. Raises DataError naming the file and what is wrong in it."""
    content = checked(read_text(path, "schedules, see docs/recalibration.md"), str(path), _File)
    found = tuple(_checked(path, one) for one in content.schedule)
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise DataError(f"{path}: two schedules have the same name; give each its own")
    return found


def _checked(path: Path, given: _Schedule) -> Schedule:
    where = f"{path}: schedule {given.name!r}"
    if (given.cron is None) == (given.every is None):
        raise DataError(f"{where}: expected either cron or every")
    try:
        every_s = None if given.every is None else seconds_of(given.every, "every")
        made = Schedule(
            given.name, tuple(given.command), given.cron, every_s, given.time_zone, given.attempts
        )
        check_command(made.command)
        made.trigger()
    except (TwinError, ValueError, KeyError, OSError) as error:
        raise DataError(f"{where}: {error}") from error
    if every_s is not None and every_s < 1:
        raise DataError(f"{where}: every {given.every}: expected a second or more")
    return made

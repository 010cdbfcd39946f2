"""Runs of recalibrations: what was looked at, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection

from eventlogs.keeping import models
from eventlogs.keeping.models import By
from eventlogs.report import ImportReport
from eventlogs.snapshot import Snapshot
from metagraph.errors import DataError


@dataclass(frozen=True, slots=True)
class Look:
    """What a recalibration looked at: the same look needs no second one."""

    twin: str
    champion: int
    """The version that was champion."""
    content_hash: str
    """Of the data."""
    asked: str
    """What else decided what came out."""


@dataclass(frozen=True, slots=True)
class NewModel:
    """A challenger that is to be kept."""

    json_text: str
    notes: str
    promote: bool
    """Else it is a challenger."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a challenger was learnt from; kept, so that it can be built again."""

    snapshot: Snapshot
    report: ImportReport
    open_rule: str


@dataclass(frozen=True, slots=True)
class RecalibrationInfo:
    """One run."""

    id: int
    look: Look
    as_of: datetime
    verdict: str
    challenger: int | None
    report: str
    """JSON."""
    made_at: datetime


def keep(
    con: DuckDBPyConnection,
    look: Look,
    as_of: datetime,
    verdict: str,
    report: str,
    new: NewModel | None,
    by: By,
) -> RecalibrationInfo:
    """Enter a run with all that follows from it, inside the caller's transaction.

    Raises DataError where another version became champion since: then nothing is written.
    """
    champion = models.find(con, look.twin).version
    if champion != look.champion:
        raise DataError(
            f"{look.twin}@{champion} became champion while {look.twin}@{look.champion} was recalibrated, so "
            "nothing was written; recalibrate again"
        )
    version = None if new is None else _entered(con, look, new, by)
    con.execute(
        "INSERT INTO recalibrations (twin, champion, content_hash, asked, as_of, verdict, challenger, "
        "report, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [look.twin, look.champion, look.content_hash, look.asked, as_of, verdict, version, report, by.at],
    )
    return listed(con, look.twin)[-1]


def _entered(con: DuckDBPyConnection, look: Look, new: NewModel, by: By) -> int:
    """Keep the challenger, unless it was built before; its version."""
    version = _kept_before(con, look.twin, new.json_text)
    if version is None:
        version = models.save(con, look.twin, new.json_text, new.notes, by, challenger=True)
    reference = f"{look.twin}@{version}"
    if new.promote:
        models.promote(con, reference, by, look.champion)
    elif models.find(con, reference).state != "challenger":
        models.set_state(con, reference, "challenger", by)
    return version


def _kept_before(con: DuckDBPyConnection, twin: str, json_text: str) -> int | None:
    """The newest version that is this twin to the letter, but for the champion."""
    row = con.execute(
        "SELECT max(version) FROM models WHERE name = ? AND twin = ? AND state <> 'champion'",
        [twin, json_text],
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def found(con: DuckDBPyConnection, look: Look) -> RecalibrationInfo | None:
    """The last run that looked at the same."""
    same = [info for info in listed(con, look.twin) if info.look == look]
    return same[-1] if same else None


def listed(con: DuckDBPyConnection, twin: str | None = None) -> tuple[RecalibrationInfo, ...]:
    """All runs, or those of one twin, oldest first."""
    rows = con.execute(
        "SELECT id, twin, champion, content_hash, asked, as_of, verdict, challenger, report, made_at "
        "FROM recalibrations WHERE twin = coalesce(?, twin) ORDER BY id",
        [twin],
    ).fetchall()
    return tuple(RecalibrationInfo(row[0], Look(*row[1:5]), *row[5:]) for row in rows)

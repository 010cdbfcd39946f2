"""The runs of recalibrations that the database keeps, for pages and for the next run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from twin.recalibration import Recalibration

if TYPE_CHECKING:
    from eventlogs.keeping.recalibrations import RecalibrationInfo


def told(info: RecalibrationInfo) -> Recalibration:
    """A run as it was kept."""
    from twin.json_out import read

    return replace(read(Recalibration, info.report), challenger=info.challenger)


def runs_of(db: str, twin: str) -> tuple[tuple[Recalibration, ...], int, Recalibration | None]:
    """All runs of a twin, its champion's version, and the run whose challenger waits for an answer, if any.

    Raises DataError if the database doesn't keep such a twin.
    """
    from eventlogs.owner.opening import open_historian

    with open_historian(db, read_only=True) as historian:
        champion = historian.find_model(twin).version
        runs = tuple(told(info) for info in historian.recalibrations(twin))
        states = {info.version: info.state for info in historian.list_models() if info.name == twin}
    asked = [run for run in runs if run.verdict == "asks" and run.champion == champion]
    waiting = [run for run in asked if states.get(run.challenger or 0) == "challenger"]
    return runs, champion, waiting[-1] if waiting else None


def champion_text(db: str, twin: str) -> str:
    """The champion as it is kept, as JSON. Raises DataError if the database doesn't keep such a twin."""
    from eventlogs.owner.opening import open_historian

    with open_historian(db, read_only=True) as historian:
        return historian.load_model(twin)

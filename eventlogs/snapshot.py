"""One log, frozen as columns: what discovery and calibration read instead of SQL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

NO_RESOURCE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Pauses:
    """Times during which executions were suspended, as equally long columns.

    Sorted by row, then time; those of one row don't overlap, and lie within the execution.
    """

    row: NDArray[np.int64]
    """Of the snapshot's executions."""
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    """At most the execution's end, or the snapshot's `until_s` while it runs."""


def no_pauses() -> Pauses:
    """Nothing was ever suspended."""
    return Pauses(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Task executions of one log in a window, as equally long columns.

    Rows are sorted by case, then end (running last), then start, then row of the file. Times are seconds
    since `origin`, the Monday 00:00 UTC at or before the first event.
    """

    name: str
    origin: datetime
    until_s: float
    """The instant up to which the log was recorded: its last event, or the `--until` that was asked for."""
    cases: tuple[str, ...]
    """Case ids in order of their first start."""
    activities: tuple[str, ...]
    resources: tuple[str, ...]
    offsets: NDArray[np.int64]
    """Rows of case i are offsets[i]:offsets[i + 1]; length cases + 1."""
    activity: NDArray[np.int32]
    resource: NDArray[np.int32]
    """Index into `resources`, or NO_RESOURCE."""
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    """NaN where the execution was still running at `until_s`."""
    is_open: NDArray[np.bool_]
    """Per case: still open at `until_s`."""
    attributes: Mapping[str, tuple[str | None, ...]]
    """Case attributes as text, one value per case."""
    single_timestamp: bool
    """The log had one timestamp per event: starts were taken to equal ends."""
    content_hash: str
    """SHA-256 of the columns, the pauses only where there are any: the same content gives the same hash."""
    pauses: Pauses = field(default_factory=no_pauses)

    @property
    def n_cases(self) -> int:
        return len(self.cases)

    @property
    def n_events(self) -> int:
        return len(self.activity)

    @property
    def paused_s(self) -> NDArray[np.float64]:
        """Seconds for which each execution was suspended, up to `until_s`."""
        lengths = self.pauses.end_s - self.pauses.start_s
        return np.bincount(self.pauses.row, lengths, minlength=self.n_events).astype(np.float64)

    def case_of_row(self) -> NDArray[np.int64]:
        """Case index of every row."""
        return np.repeat(np.arange(self.n_cases), np.diff(self.offsets))


def sealed(snapshot: Snapshot) -> Snapshot:
    """The snapshot with its `content_hash` computed from every other field but the name."""
    digest = hashlib.sha256()
    texts = (
        snapshot.origin.isoformat(),
        snapshot.until_s,
        snapshot.cases,
        snapshot.activities,
        snapshot.resources,
        sorted(snapshot.attributes.items()),
        snapshot.single_timestamp,
    )
    digest.update(json.dumps(texts).encode())
    # One bit pattern for every NaN, and little-endian numbers, so that the hash is the same on any machine.
    ends = np.where(np.isnan(snapshot.end_s), np.nan, snapshot.end_s)
    for column, kind in (
        *((snapshot.offsets, "<i8"), (snapshot.activity, "<i4"), (snapshot.resource, "<i4")),
        *((snapshot.start_s, "<f8"), (ends, "<f8"), (snapshot.is_open, "?")),
    ):
        digest.update(np.ascontiguousarray(column, dtype=kind).tobytes())
    # Empty columns add nothing, so that logs without pauses keep the hash that they always had.
    pauses = snapshot.pauses
    for column, kind in ((pauses.row, "<i8"), (pauses.start_s, "<f8"), (pauses.end_s, "<f8")):
        digest.update(np.ascontiguousarray(column, dtype=kind).tobytes())
    return replace(snapshot, content_hash=digest.hexdigest())

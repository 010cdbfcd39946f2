"""How many orders will come: by day or week, with intervals from the twin's arrivals."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np

from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.orders import Arrivals
from twin.files import write_whole
from twin.words import DAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

By = Literal["day", "week"]
REPLICATIONS = 1000
LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
COLUMNS = ("begin", "end", "mean", "q025", "q10", "q50", "q90", "q975")


@dataclass(frozen=True, slots=True)
class Count:
    """Orders that come in one day or week; 80 % of futures lie from q10 to q90, 95 % from q025 to q975."""

    begin: datetime
    end: datetime
    mean: float
    q025: float
    q10: float
    q50: float
    q90: float
    q975: float


@dataclass(frozen=True, slots=True)
class Volume:
    """Orders to come."""

    twin: str
    by: By
    time_zone: str
    """Days and weeks are those of this zone."""
    replications: int
    counts: tuple[Count, ...]
    notes: tuple[str, ...] = ()
    """What the counts hang on: days on which none are foreseen, what was assumed."""


def foresee(
    metagraph: Metagraph,
    *,
    periods: int,
    by: By = "week",
    start: datetime | None = None,
    replications: int = REPLICATIONS,
    seed: int = 0,
) -> Volume:
    """Counts of so many days or weeks from the local day of `start` on; without it from the first whole day
    after the twin's log.

    What isn't known of the level of arrivals is drawn in each replication, beside chance. Raises DataError
    for a twin without arrivals, or without a log where no `start` is given.
    """
    arrivals = metagraph.arrivals
    if arrivals is None or not any(arrivals.rates_per_h):
        raise DataError(
            f"the twin {metagraph.name!r} knows no arrivals (the rate of every hour is 0): "
            "build it from a log with more cases, or set rates in its 'arrivals'"
        )
    if arrivals.n == 1:
        raise DataError(
            f"the log of the twin {metagraph.name!r} has a single order, which can't tell how often they "
            "come: nothing can be foretold; build it from a log with more cases"
        )
    zone = ZoneInfo(arrivals.time_zone)
    first = _first_day(metagraph, start, zone)
    step = 1 if by == "day" else 7
    edges = [
        datetime.combine(first.date() + timedelta(days=step * k), time(), zone).astimezone(UTC)
        for k in range(periods + 1)
    ]
    counts = drawn_counts(metagraph, edges, replications, seed)
    spread = np.quantile(counts, LEVELS, axis=0)
    found = tuple(
        Count(a, b, float(counts[:, k].mean()), *(float(q) for q in spread[:, k]))
        for k, (a, b) in enumerate(pairwise(edges))
    )
    return Volume(metagraph.name, by, arrivals.time_zone, replications, found, _notes(metagraph, arrivals))


def _notes(metagraph: Metagraph, arrivals: Arrivals) -> tuple[str, ...]:
    """Days of the week without orders, and what calibration assumed of arrivals."""
    told = metagraph.provenance
    assumed = [default for default in told.defaults if default.where == "arrivals"] if told else []
    notes = []
    closed = [day for k, day in enumerate(DAYS) if not any(arrivals.rates_per_h[24 * k : 24 * k + 24])]
    if closed:
        none = "" if assumed else ": none came then in the part of the log that the rates are from"
        notes.append(f"No orders are foreseen on {', '.join(closed)}{none}.")
    notes += [f"Missing: {default.missing}; assumed: {default.assumed}." for default in assumed]
    return tuple(notes)


def _first_day(metagraph: Metagraph, start: datetime | None, zone: ZoneInfo) -> datetime:
    if start is not None:
        return start.astimezone(zone)
    origin, arrivals = metagraph.provenance, metagraph.arrivals
    level = arrivals.level if arrivals else None
    until = level.since if level else origin.until if origin else None
    if until is None:
        raise DataError(
            f"the twin {metagraph.name!r} comes from no log, so there is no end of it to begin at: "
            "give --start"
        )
    return until.astimezone(zone) + timedelta(days=1)


def drawn_counts(
    metagraph: Metagraph, edges: list[datetime], replications: int, seed: int
) -> NDArray[np.int64]:
    """Orders per replication and period, with what isn't known of their level drawn too."""
    from simulation.arrival_times import releases
    from simulation.arrivals import monday
    from simulation.streams import Stream

    origin = monday(edges[0])
    at = np.array([(edge - origin).total_seconds() for edge in edges])
    counts = np.zeros((replications, len(edges) - 1), np.int64)
    for r in range(replications):
        found = releases(
            metagraph, edges[0], origin, Stream(seed, r), None, float(at[-1]), False, unknown=True
        )
        counts[r] = np.diff(np.searchsorted(found.t_s, at))
    return counts


def write_volume(volume: Volume, path: Path) -> None:
    """A row a period, as CSV; whole or absent."""

    def write(beside: Path) -> None:
        with beside.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            for c in volume.counts:
                instants = (c.begin.isoformat(), c.end.isoformat())
                rows.writerow((*instants, *(f"{getattr(c, name):.6g}" for name in COLUMNS[2:])))

    write_whole(path, write)

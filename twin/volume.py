"""How many orders will come: by day or week, with intervals from the twin's arrivals."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
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
COLUMNS = ("begin", "end", "mean", "q025", "q10", "q50", "q90", "q975", "class")


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
    by_class: Mapping[str, tuple[Count, ...]] = field(default_factory=dict)
    """Of each class of orders, where the twin has several."""


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
    counts = drawn_by_class(metagraph, edges, replications, seed)
    whole = _counts(np.sum(list(counts.values()), axis=0), edges)
    each = {name: _counts(mine, edges) for name, mine in counts.items()} if len(counts) > 1 else {}
    notes = _notes(metagraph, arrivals)
    return Volume(metagraph.name, by, arrivals.time_zone, replications, whole, notes, each)


def _counts(drawn: NDArray[np.int64], edges: list[datetime]) -> tuple[Count, ...]:
    """From [replication, period]."""
    spread = np.quantile(drawn, LEVELS, axis=0)
    return tuple(
        Count(a, b, float(drawn[:, k].mean()), *(float(q) for q in spread[:, k]))
        for k, (a, b) in enumerate(pairwise(edges))
    )


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
    return np.asarray(sum(drawn_by_class(metagraph, edges, replications, seed).values()), np.int64)


def drawn_by_class(
    metagraph: Metagraph, edges: list[datetime], replications: int, seed: int
) -> dict[str, NDArray[np.int64]]:
    """The same for each class of orders, whatever its segments."""
    from simulation.arrival_changes import changes_of, drawn_from
    from simulation.arrival_times import releases
    from simulation.arrivals import drawn_classes, monday
    from simulation.streams import Stream

    origin = monday(edges[0])
    at = np.array([(edge - origin).total_seconds() for edge in edges])
    classes, changes = drawn_from(metagraph.orders), changes_of(metagraph, origin)
    found = {c.cls: np.zeros((replications, len(at) - 1), np.int64) for c in classes}
    name = np.array([list(found).index(c.cls) for c in classes])
    for r in range(replications):
        stream = Stream(seed, r)
        came = releases(metagraph, edges[0], origin, stream, None, float(at[-1]), False, unknown=True)
        of = (
            name[drawn_classes(classes, came, stream, changes)]
            if len(found) > 1
            else np.zeros(len(came.t_s), int)
        )
        for k, counts in enumerate(found.values()):
            counts[r] = np.diff(np.searchsorted(came.t_s[of == k], at))
    return found


def write_volume(volume: Volume, path: Path) -> None:
    """A row a period, then one a class and period, as CSV; whole or absent."""

    def write(beside: Path) -> None:
        with beside.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            for cls, counts in (("", volume.counts), *volume.by_class.items()):
                for c in counts:
                    numbers = (f"{getattr(c, name):.6g}" for name in COLUMNS[2:-1])
                    rows.writerow((c.begin.isoformat(), c.end.isoformat(), *numbers, cls))

    write_whole(path, write)

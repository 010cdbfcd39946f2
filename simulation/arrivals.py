"""New orders, drawn from a process's arrivals and order classes, all of a replication at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from math import inf
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from metagraph.distributions import Fitted
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.orders import Order, OrderClass, Sample
from simulation.arrival_changes import Changes, changes_of, drawn_from, mixed
from simulation.arrival_levels import ARRIVALS
from simulation.arrival_times import Releases, releases
from simulation.lowering_names import names_of
from simulation.orders import Numbered, TakenAfter, as_orders
from simulation.past_orders import Coming, dates, end_of_day, taken
from simulation.philox import uniforms
from simulation.program import ORDER, Floats, Orders
from simulation.streams import Purpose, Stream
from simulation.tables import tabulate

_DAY_S = 86400.0
AGAIN = 1
"""Counter, in place of a visit, of the draw that says after which order of the past a new one takes."""
_Indices = NDArray[np.intp]


def monday(instant: datetime) -> datetime:
    """Monday 00:00 UTC at or before an instant: the origin of a simulation that starts there."""
    day = instant.astimezone(UTC).date()
    return datetime.combine(day - timedelta(days=day.weekday()), time(), UTC)


def draw_orders(
    metagraph: Metagraph,
    start: datetime,
    *,
    origin: datetime,
    seed: int,
    replication: int,
    cases: int | None = None,
    until_s: float | None = None,
    first_at_start: bool = True,
    prefix: str = "",
    antithetic: bool = False,
    unknown: bool = False,
) -> Orders:
    """Orders "1", "2", ... (after `prefix`) by their release, from `start` on; for a forecast with what isn't
    known of their level drawn too (`unknown`).

    The first is released at `start` itself if `first_at_start`. Exactly `cases` of them, or all up to
    `until_s` (seconds since `origin`), or whichever ends first. Raises DataError without arrivals.
    """
    if cases is None and until_s is None:
        raise ValueError("say how many orders, or until when they arrive")
    if metagraph.arrivals is None or not any(metagraph.arrivals.rates_per_h):
        raise DataError(
            f"the twin {metagraph.name!r} knows no arrivals (the rate of every hour is 0): "
            "build it from a log with more cases, or set rates in its 'arrivals'"
        )
    stream = Stream(seed, replication, antithetic=antithetic)
    last_s = inf if until_s is None else until_s
    found = releases(metagraph, start, origin, stream, cases, last_s, first_at_start, unknown)
    drawn = _Drawn(metagraph, origin, stream, found)
    table = drawn.table()
    return Orders(Numbered(prefix, len(found.t_s)), table, drawn.attributes)


def generate_orders(
    metagraph: Metagraph,
    start: datetime,
    *,
    origin: datetime,
    seed: int,
    replication: int,
    cases: int | None = None,
    until_s: float | None = None,
    first_at_start: bool = True,
    prefix: str = "",
) -> tuple[Order, ...]:
    """What `draw_orders` gives, one by one."""
    drawn = draw_orders(
        metagraph,
        start,
        origin=origin,
        seed=seed,
        replication=replication,
        cases=cases,
        until_s=until_s,
        first_at_start=first_at_start,
        prefix=prefix,
    )
    return tuple(as_orders(names_of(metagraph), drawn))


class _Drawn:
    """Draws what orders are and promise."""

    def __init__(self, metagraph: Metagraph, origin: datetime, stream: Stream, found: Releases) -> None:
        assert metagraph.arrivals is not None
        self._metagraph = metagraph
        self._origin = origin
        self._zone = ZoneInfo(metagraph.arrivals.time_zone)
        self._stream = stream
        self._found = found
        self._kinds: list[Mapping[str, str]] = [{}]
        self._of = np.zeros(len(found.t_s), np.int64)
        """Which one of `_kinds` each order takes after."""

    @property
    def attributes(self) -> TakenAfter | None:
        """Of each, once its table is drawn; None if nothing is known of any."""
        return TakenAfter(self._kinds, self._of) if len(self._kinds) > 1 else None

    def table(self) -> np.ndarray[tuple[int, ...], np.dtype[np.void]]:
        """ORDER of each."""
        model, names = self._metagraph.orders, names_of(self._metagraph)
        table = np.zeros(len(self._found.t_s), ORDER)
        table["release_s"] = self._found.t_s
        table["early_s"], table["due_s"], table["lost_s"] = self._found.t_s, inf, inf
        for kind, mine in self._members(drawn_from(model)):
            table["cls"][mine] = names.classes.get(kind.cls, 0)
            table["segment"][mine] = names.segments.get(kind.segment, 0)
            table["importance"][mine] = model.segment_priority.get(kind.segment, 0.0)
            self._promise(table, kind, mine)
        return table

    def _members(self, classes: list[OrderClass]) -> list[tuple[OrderClass, _Indices]]:
        """Each class with the indices of its orders."""
        changes = changes_of(self._metagraph, self._origin)
        kinds = drawn_classes(classes, self._found, self._stream, changes)
        return [(kind, np.flatnonzero(kinds == i)) for i, kind in enumerate(classes)]

    def _promise(
        self, table: np.ndarray[tuple[int, ...], np.dtype[np.void]], kind: OrderClass, mine: _Indices
    ) -> None:
        """Value and dates of the orders of a class."""
        release_s = self._found.t_s[mine]
        if kind.value is not None:
            table["value"][mine] = self._values(kind.value, mine, Purpose.VALUE)
        if kind.early_after is not None:
            table["early_s"][mine] = release_s + self._values(kind.early_after, mine, Purpose.EARLY)
        if kind.due_after is not None:
            table["due_s"][mine] = release_s + self._values(kind.due_after, mine, Purpose.DUE)
        if kind.due_working_days is not None:
            table["due_s"][mine] = self._ends_of_working_days(mine, kind.due_working_days)
        if kind.patience is not None:
            table["lost_s"][mine] = release_s + self._values(kind.patience, mine, Purpose.PATIENCE)
        if kind.grace is not None:
            if kind.due_after is None and kind.due_working_days is None:
                raise DataError(
                    f"the orders of class {kind.cls!r} are lost some time after a due date that they lack: "
                    "give 'due_after', 'due_working_days' or 'patience' instead of 'grace'"
                )
            due_s = table["due_s"][mine]
            table["lost_s"][mine] = due_s + self._values(kind.grace, mine, Purpose.PATIENCE)
        if kind.sample is not None:
            self._take_after(table, kind.sample, mine)

    def _take_after(
        self, table: np.ndarray[tuple[int, ...], np.dtype[np.void]], sample: Sample, mine: _Indices
    ) -> None:
        """Attributes of one order of the past each, by weight, with the value and dates that go with them."""
        rows, found = sample.rows, self._found
        coming = Coming(found.t_s[mine], found.day[mine], found.week_hour[mine], self._zone, self._origin)
        us = uniforms(self._stream, mine, ARRIVALS, AGAIN, Purpose.CLASS)
        picked = taken(sample, coming, us)
        known = len(self._kinds)
        self._kinds += [
            {name: text for name, text in zip(sample.attributes, row.has, strict=True) if text}
            for row in rows
        ]
        self._of[mine] = known + picked
        value = np.array([np.nan if row.value is None else row.value for row in rows])[picked]
        due_s, lost_s = dates(sample, coming, picked)
        if any(row.due_after_s is not None for row in rows):
            table["due_s"][mine] = inf
        for column, said in (("value", value), ("due_s", due_s), ("lost_s", lost_s)):
            told = ~np.isnan(said)
            table[column][mine[told]] = said[told]

    def _values(self, law: Fitted, mine: _Indices, purpose: Purpose) -> Floats:
        return tabulate(law.law).draws(uniforms(self._stream, mine, ARRIVALS, 0, purpose))

    def _ends_of_working_days(self, mine: _Indices, n: int) -> Floats:
        """Midnight that ends the n-th working day after the day of release; 0: the next one from it on."""
        days, which = np.unique(self._found.day[mine], return_inverse=True)
        return np.array([self._end(date.fromordinal(day), n) for day in days.tolist()] or [0.0])[which]

    def _end(self, day: date, n: int) -> float:
        return end_of_day(nth_working_day(day, n).toordinal(), _DAY_S, self._zone, self._origin)


def drawn_classes(
    classes: Sequence[OrderClass], found: Releases, stream: Stream, changes: Changes | None = None
) -> _Indices:
    """Which of the classes each release is of: by their shares, or by those of its hour of the week, times
    what changed by then."""
    shares = np.array(list(accumulate(c.share for c in classes)))
    us = uniforms(stream, np.arange(len(found.t_s)), ARRIVALS, 0, Purpose.CLASS)
    kinds: _Indices
    if changes is None and not any(c.by_hour for c in classes):
        kinds = np.searchsorted(shares, us * shares[-1], side="right")
    else:
        weights = mixed(classes)[found.week_hour]
        if changes is not None:
            weights = weights * changes.factors(found.t_s)
        reached = np.cumsum(weights, axis=1)
        kinds = (reached <= (us * reached[:, -1])[:, None]).sum(axis=1)
    return np.minimum(kinds, len(classes) - 1)


def nth_working_day(day: date, n: int) -> date:
    """The n-th day from Monday to Friday after `day`; for 0 `day` itself or the first one after it."""
    while n > 0 or day.weekday() >= 5:
        day += timedelta(days=1)
        n -= day.weekday() < 5
    return day

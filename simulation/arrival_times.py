"""When orders come: gaps of mean 1, laid out on a time line whose rate follows the hours of the week.

At each instant one order comes, or as many as its batch holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log, sqrt
from threading import Lock
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from metagraph.distributions import Parametric
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.orders import Arrivals
from simulation.arrival_changes import Changes, changes_of
from simulation.arrival_levels import ARRIVALS, levels
from simulation.kept import Kept
from simulation.philox import uniforms
from simulation.program import Floats
from simulation.streams import Purpose, Stream
from simulation.tables import tabulate

_LONGEST = timedelta(days=366 * 100)
_CHUNK = 28 * 24
"""Hours that are looked up at first; then always twice as many."""
_SIZE = 2
"""Stands for a visit in the counters of gaps."""

Days = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Releases:
    """Releases, ascending."""

    t_s: Floats
    day: Days
    """Local date of each, as its proleptic Gregorian ordinal."""
    week_hour: Days
    """Hour of the local week of each, 0 to 167 from Monday 00:00."""


@dataclass(frozen=True, slots=True, eq=False)
class _Hours:
    """Local hours from the start on; the first one is cut."""

    starts: Floats
    widths: Floats
    """Seconds."""
    rates: Floats
    """Instants at which orders come, per second on an ordinary day."""
    days: Days
    """Local date, as its ordinal."""
    week_hours: Days
    """Hour of the local week."""
    last: bool
    """Nobody looks further."""

    def until(self, t: float) -> _Hours:
        """Those that begin at or before t."""
        n = int(np.searchsorted(self.starts, t, side="right"))
        starts, widths, rates = self.starts[:n], self.widths[:n], self.rates[:n]
        return _Hours(starts, widths, rates, self.days[:n], self.week_hours[:n], self.last)


class _Calendar:
    """The hours of one arrival stream, shared by its replications."""

    def __init__(
        self, arrivals: Arrivals, start: datetime, origin: datetime, changes: Changes | None
    ) -> None:
        self._arrivals = arrivals
        self._zone = ZoneInfo(arrivals.time_zone)
        self._holidays = frozenset(arrivals.holidays)
        self._origin = origin
        self._lock = Lock()
        self._t = (start - origin).total_seconds()
        self._unit = 3600 * arrivals.orders_at_once()
        self._stop = start + _LONGEST
        self._changes = changes
        self._rows: list[tuple[float, float, float, int, int]] = []
        self.hours = self._look(_CHUNK)

    def longer(self, than: _Hours) -> _Hours:
        """At least twice as many hours. Raises DataError where nobody looks further."""
        if than.last:
            raise DataError(
                f"so many orders take over {_LONGEST.days // 366} years to come at the twin's rates: ask for "
                "fewer cases, or correct the rates in its 'arrivals'"
            )
        with self._lock:
            if len(self.hours.starts) <= len(than.starts):
                self.hours = self._look(len(than.starts))
            return self.hours

    def _look(self, more: int) -> _Hours:
        instant = self._origin + timedelta(seconds=self._t)
        while more and instant < self._stop:
            local = instant.astimezone(self._zone)
            rest = 3600.0 - local.minute * 60 - local.second - local.microsecond / 1e6
            hour = local.weekday() * 24 + local.hour
            rate = self._arrivals.rates_per_h[hour] / self._unit
            if local.date() in self._holidays:
                rate *= self._arrivals.on_holidays
            if self._changes is not None:
                rate *= self._changes.rate(self._t, hour)
                whole_s, rest = rest, min(rest, self._changes.next_edge(self._t) - self._t)
                more += rest < whole_s
            self._rows.append((self._t, rest, rate, local.toordinal(), hour))
            self._t += rest
            instant = self._origin + timedelta(seconds=self._t)
            more -= 1
        starts, widths, rates, days, week_hours = np.array(self._rows).T
        whole = days.astype(np.int64), week_hours.astype(np.int64)
        return _Hours(starts, widths, rates, *whole, instant >= self._stop)


_calendars: Kept[_Calendar] = Kept(8)


def releases(
    metagraph: Metagraph,
    start: datetime,
    origin: datetime,
    stream: Stream,
    cases: int | None,
    until_s: float,
    first_at_start: bool,
    unknown: bool = False,
) -> Releases:
    """At most `cases` releases up to `until_s`, by inverting the cumulative rate; with what isn't known of
    the level drawn too if `unknown`.

    A stream that doesn't begin with an arrival begins somewhere inside a gap. Raises DataError where the
    rates are so low that a century isn't enough.
    """
    arrivals = metagraph.arrivals
    assert arrivals is not None
    changes = changes_of(metagraph, origin)
    calendar = _calendars.get(
        (metagraph,), (start, origin), lambda: _Calendar(arrivals, start, origin, changes)
    )
    first = int(first_at_start)
    batches = None if cases is None else _batches_for(cases, arrivals, stream)
    wanted = None if batches is None else max(batches - first, 0)
    gaps = _Gaps(arrivals, stream, first)
    hours = calendar.hours
    if cases == 0 or hours.starts[0] > until_s:
        return Releases(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    sums = gaps.sums(wanted or 0)
    while True:
        rates, ends = _busy(hours.until(until_s), arrivals, origin, stream, unknown)
        while wanted is None and not (len(sums) and sums[-1] >= ends[-1]):
            sums = gaps.sums(int(max(ends[-1] + 5.0 * sqrt(ends[-1]) + 16.0, 2.0 * len(sums))))
        if wanted is not None and (not len(sums) or ends[-1] > sums[-1]):
            break
        if hours.starts[-1] + hours.widths[-1] > until_s:
            break
        hours = calendar.longer(hours)
    sums = sums[sums < ends[-1]]
    at = np.searchsorted(ends, sums, side="right")
    before = np.concatenate([[0.0], ends])[at]
    t_s = hours.starts[at] + np.minimum((sums - before) / rates[at], hours.widths[at])
    if first_at_start:
        t_s, at = np.concatenate([hours.starts[:1], t_s]), np.concatenate([[0], at])
    n = int(np.searchsorted(t_s, until_s, side="right"))
    if arrivals.batches:
        each = _sizes(n, arrivals, stream)
        t_s, at = np.repeat(t_s[:n], each)[:cases], np.repeat(at[:n], each)[:cases]
        n = len(t_s)
    return Releases(t_s[:n], hours.days[at[:n]], hours.week_hours[at[:n]])


def _sizes(n: int, arrivals: Arrivals, stream: Stream) -> Days:
    """How many orders come at each of the first n instants."""
    us = uniforms(stream, np.arange(n), ARRIVALS, _SIZE, Purpose.GAP)
    sizes: Days = np.searchsorted(np.cumsum(arrivals.batches)[:-1], us, side="right") + 1
    return sizes


def _batches_for(cases: int, arrivals: Arrivals, stream: Stream) -> int:
    """How many instants it takes until so many orders have come."""
    if not arrivals.batches or not cases:
        return cases
    return int(np.searchsorted(np.cumsum(_sizes(cases, arrivals, stream)), cases, side="left")) + 1


def _busy(
    hours: _Hours, arrivals: Arrivals, origin: datetime, stream: Stream, unknown: bool
) -> tuple[Floats, Floats]:
    """The rate of each hour in this replication, and how much of the even time line is over at its end."""
    rates = hours.rates
    if arrivals.level is not None:
        rates = rates * levels(arrivals.level, hours.starts, origin, stream, unknown)
    if arrivals.dispersion > 0:
        days, which = np.unique(hours.days, return_inverse=True)
        law = tabulate(Parametric("gamma", (1.0 / arrivals.dispersion, 0.0, arrivals.dispersion)))
        us = uniforms(stream, days - origin.date().toordinal(), ARRIVALS, 0, Purpose.DAY)
        rates = rates * law.draws(us)[which]
    return rates, np.cumsum(rates * hours.widths)


class _Gaps:
    """Gaps between arrivals, in units of their mean."""

    def __init__(self, arrivals: Arrivals, stream: Stream, first: int) -> None:
        self._law = None if arrivals.gap is None else arrivals.gap.law
        self._stream = stream
        self._first = first

    def sums(self, n: int) -> Floats:
        """When the first n arrivals come on the even time line."""
        us = uniforms(self._stream, np.arange(self._first, self._first + n), ARRIVALS, 0, Purpose.GAP)
        if self._law is None:
            # The library's logarithm, not numpy's, whose last bit depends on the processor.
            gaps = np.array([-log(u) for u in us.tolist()])
        else:
            gaps = tabulate(self._law).draws(us)
            if self._first == 0 and n:
                gaps[0] *= self._stream.uniform(0, ARRIVALS, 1, Purpose.GAP)
        return np.cumsum(gaps)

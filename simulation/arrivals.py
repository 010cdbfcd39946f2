"""New orders, drawn from a process's arrivals and order classes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from math import inf, log
from zoneinfo import ZoneInfo

from metagraph.distributions import Constant, Fitted, Parametric
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, Order, OrderClass
from simulation.streams import Purpose, Stream
from simulation.tables import tabulate

_NODE = 0xFFFFFFFF
"""Stands for a node in the counters of arrivals, apart from all tasks and gateways."""
_WHOLE = OrderClass("", "", 1.0, 0)
_LONGEST = timedelta(days=366 * 100)


def monday(instant: datetime) -> datetime:
    """Monday 00:00 UTC at or before an instant: the origin of a simulation that starts there."""
    day = instant.astimezone(UTC).date()
    return datetime.combine(day - timedelta(days=day.weekday()), time(), UTC)


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
    """Orders "1", "2", ... (after `prefix`) by their release, from `start` on.

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
    stream = Stream(seed, replication)
    drawn = _Drawn(metagraph, origin, stream)
    last = inf if until_s is None else until_s
    orders: list[Order] = []
    for release_s in _releases(metagraph.arrivals, start, origin, stream, first_at_start):
        if release_s > last or len(orders) == cases:
            break
        orders.append(drawn.order(len(orders), prefix, release_s))
    return tuple(orders)


def _releases(
    arrivals: Arrivals, start: datetime, origin: datetime, stream: Stream, first_at_start: bool
) -> Iterator[float]:
    """Release times by inverting the cumulative rate: gaps of mean 1 used up hour by hour.

    A stream that doesn't begin with an arrival begins somewhere inside a gap.
    """
    index = 0
    begin_s = (start - origin).total_seconds()
    if first_at_start:
        yield begin_s
        index = 1
    gap = _gap(arrivals, stream, index)
    if arrivals.gap is not None and not first_at_start:
        gap *= stream.uniform(index, _NODE, 1, Purpose.GAP)
    for t, end, rate in _hours(arrivals, begin_s, origin, stream):
        while gap < rate * (end - t):
            t += gap / rate
            yield t
            index += 1
            gap = _gap(arrivals, stream, index)
        gap -= rate * (end - t)


def _gap(arrivals: Arrivals, stream: Stream, index: int) -> float:
    u = stream.uniform(index, _NODE, 0, Purpose.GAP)
    return -log(u) if arrivals.gap is None else tabulate(arrivals.gap.law).draw(u)


def _hours(
    arrivals: Arrivals, begin_s: float, origin: datetime, stream: Stream
) -> Iterator[tuple[float, float, float]]:
    """(from, to, orders per second) for each local hour from `begin_s` on."""
    zone, first_day = ZoneInfo(arrivals.time_zone), origin.date()
    day_law = tabulate(_day_factor(arrivals.dispersion))
    today, factor = None, 1.0
    t = begin_s
    instant = origin + timedelta(seconds=t)
    stop = instant + _LONGEST
    while instant < stop:
        local = instant.astimezone(zone)
        if local.date() != today:
            today = local.date()
            factor = day_law.draw(stream.uniform((today - first_day).days, _NODE, 0, Purpose.DAY))
        rest = 3600.0 - local.minute * 60 - local.second - local.microsecond / 1e6
        yield t, t + rest, arrivals.rates_per_h[local.weekday() * 24 + local.hour] * factor / 3600
        t += rest
        instant = origin + timedelta(seconds=t)
    raise DataError(
        f"the arrival rates are so low that an order takes over {_LONGEST.days // 366} years to come: "
        "ask for fewer cases or correct the rates in the twin's 'arrivals'"
    )


def _day_factor(dispersion: float) -> Constant | Parametric:
    """How busy days differ: Gamma with mean 1 and this variance."""
    return Parametric("gamma", (1.0 / dispersion, 0.0, dispersion)) if dispersion > 0 else Constant(1.0)


class _Drawn:
    """Draws what an order is and promises."""

    def __init__(self, metagraph: Metagraph, origin: datetime, stream: Stream) -> None:
        classes = [c for c in metagraph.orders.classes if c.share > 0] or [_WHOLE]
        assert metagraph.arrivals is not None
        self._classes = classes
        self._shares = list(accumulate(c.share for c in classes))
        self._origin = origin
        self._zone = ZoneInfo(metagraph.arrivals.time_zone)
        self._stream = stream

    def order(self, index: int, prefix: str, release_s: float) -> Order:
        kind = self._classes[0]
        if len(self._classes) > 1:
            u = self._stream.uniform(index, _NODE, 0, Purpose.CLASS) * self._shares[-1]
            kind = self._classes[min(bisect_right(self._shares, u), len(self._classes) - 1)]
        due_s = self._plus(kind.due_after, index, Purpose.DUE, release_s)
        if kind.due_working_days is not None:
            due_s = self._end_of_working_day(release_s, kind.due_working_days)
        return Order(
            id=f"{prefix}{index + 1}",
            release_s=release_s,
            cls=kind.cls,
            segment=kind.segment,
            value=self._plus(kind.value, index, Purpose.VALUE, 0.0),
            due_s=due_s,
            lost_s=self._plus(kind.patience, index, Purpose.PATIENCE, release_s),
        )

    def _plus(self, law: Fitted | None, index: int, purpose: Purpose, base: float) -> float | None:
        if law is None:
            return None
        return base + tabulate(law.law).draw(self._stream.uniform(index, _NODE, 0, purpose))

    def _end_of_working_day(self, release_s: float, days: int) -> float:
        """Midnight that ends the n-th working day after the day of release; 0: the next one from it on."""
        local = (self._origin + timedelta(seconds=release_s)).astimezone(self._zone)
        day = nth_working_day(local.date(), days)
        end = datetime.combine(day + timedelta(days=1), time(), self._zone)
        return (end.astimezone(UTC) - self._origin).total_seconds()


def nth_working_day(day: date, n: int) -> date:
    """The n-th day from Monday to Friday after `day`; for 0 `day` itself or the first one after it."""
    while n > 0 or day.weekday() >= 5:
        day += timedelta(days=1)
        n -= day.weekday() < 5
    return day

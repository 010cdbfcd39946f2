"""Faults of arrivals, orders and the rule that closes them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from metagraph.check_agents import instant_fault, weekly_faults, zone_faults
from metagraph.check_graph import share_faults
from metagraph.check_laws import fitted_faults
from metagraph.distributions import Fitted
from metagraph.errors import DataError
from metagraph.expressions import parse
from metagraph.faults import Fault, listed, shown
from metagraph.model import ClosingFact, Metagraph
from metagraph.orders import (
    MOST_DAYS,
    ArrivalChange,
    ArrivalLevel,
    Arrivals,
    OrderClass,
    OrderModel,
    PastOrder,
    Sample,
)
from metagraph.shifts import DAY_S

_WEEK_S = 7 * DAY_S


def order_faults(metagraph: Metagraph) -> Iterator[Fault]:
    """Faults of arrivals, orders and the rule that closes them."""
    if metagraph.arrivals is not None:
        yield from _arrivals(metagraph.arrivals)
    yield from _orders(metagraph.orders)
    if metagraph.closing is not None:
        yield from _closing(metagraph.closing)


def _arrivals(arrivals: Arrivals) -> Iterator[Fault]:
    yield from weekly_faults(arrivals.rates_per_h, "arrivals, rates_per_h")
    if arrivals.gap is not None:
        yield from fitted_faults(arrivals.gap, "arrivals, gap")
    if arrivals.dispersion < 0:
        yield Fault("arrivals, dispersion", f"{arrivals.dispersion} is negative")
    if not 0 <= arrivals.on_holidays < math.inf:
        yield Fault("arrivals, on_holidays", f"{arrivals.on_holidays}; expected a share of 0 or more")
    if arrivals.n < 0:
        yield Fault("arrivals, n", f"{arrivals.n} is negative")
    yield from zone_faults(arrivals.time_zone, "arrivals")
    if arrivals.batches:
        yield from share_faults(arrivals.batches, "arrivals, batches", "shares")
    if arrivals.level is not None:
        yield from _level(arrivals.level)
    for i, change in enumerate(arrivals.changes):
        yield from _change(change, f"arrivals, changes, item {i}")


def _change(change: ArrivalChange, where: str) -> Iterator[Fault]:
    naive = [at for at in (change.start, change.end) if at is not None and at.tzinfo is None]
    yield from (instant_fault(at, where) for at in naive)
    if not naive and change.end is not None and change.end <= change.start:
        yield Fault(where, f"{change.start} to {change.end} ends before it begins")
    if not 0 <= change.factor < math.inf:
        yield Fault(where, f"factor {change.factor}; expected 0 or more")


def _level(level: ArrivalLevel) -> Iterator[Fault]:
    where = "arrivals, level"
    if level.since.tzinfo is None:
        yield Fault(f"{where}, since", f"{level.since.isoformat()} has no time zone")
    if not level.settles > 0:
        yield Fault(f"{where}, settles", f"{level.settles} is no level; expected more than 0")
    if not 0 <= level.memory < 1:
        yield Fault(f"{where}, memory", f"{level.memory}; expected 0 or more and less than 1")
    for name in ("week_sd", "drift_sd", "now_sd", "settles_sd"):
        if getattr(level, name) < 0:
            yield Fault(f"{where}, {name}", f"{getattr(level, name)} is negative")


def _orders(orders: OrderModel) -> Iterator[Fault]:
    for (cls, segment), n in Counter((c.cls, c.segment) for c in orders.classes).items():
        if n > 1:
            yield Fault(
                "orders, classes", f"class {shown(cls)} in segment {shown(segment)} is given {n} times"
            )
    if orders.classes:
        yield from share_faults(tuple(c.share for c in orders.classes), "orders, classes", "shares")
    for c in orders.classes:
        yield from _class(c)
    if orders.rule:
        try:
            parse(orders.rule, "orders, rule")
        except DataError as error:
            yield Fault("", str(error))
    segments = [c.segment for c in orders.classes]
    for segment, importance in orders.segment_priority.items():
        spot = f"orders, segment_priority, {shown(segment)}"
        if importance < 0:
            yield Fault(spot, f"{importance} is negative; expected 0 or more, the most important first")
        if segments and segment not in segments:
            known = listed([shown(name) for name in dict.fromkeys(segments)])
            yield Fault(spot, f"no order class has this segment; there are {known}")


def _class(c: OrderClass) -> Iterator[Fault]:
    where = f"orders, class {shown(c.cls)} in segment {shown(c.segment)}"
    if c.by_hour:
        yield from weekly_faults(c.by_hour, f"{where}, by_hour")
    if c.n < 0:
        yield Fault(f"{where}, n", f"{c.n} is negative")
    if c.value is not None:
        yield from fitted_faults(c.value, f"{where}, value", signed=True)
    for name in ("due_after", "patience", "early_after", "grace"):
        fitted: Fitted | None = getattr(c, name)
        if fitted is not None:
            yield from fitted_faults(fitted, f"{where}, {name}")
    if c.due_working_days is not None and c.due_after is not None:
        yield Fault(where, "both due_after and due_working_days; only one can hold")
    if c.due_working_days is not None and c.due_working_days < 0:
        yield Fault(f"{where}, due_working_days", f"{c.due_working_days} is negative")
    if c.patience is not None and c.grace is not None:
        yield Fault(where, "both patience and grace; only one can hold")
    if c.grace is not None and c.due_after is None and c.due_working_days is None:
        yield Fault(f"{where}, grace", "it counts from the due date, and there is none; use patience")
    if c.sample is not None:
        yield from _sample(c.sample, f"{where}, sample")


def _sample(sample: Sample, where: str) -> Iterator[Fault]:
    for name, n in Counter(sample.attributes).items():
        if n > 1:
            yield Fault(f"{where}, attributes", f"{shown(name)} is given {n} times")
    if not math.fsum(row.weight for row in sample.rows if row.weight > 0) > 0:
        yield Fault(f"{where}, rows", "no row with a weight above 0; expected at least one")
    for i, row in enumerate(sample.rows):
        spot = f"{where}, row {i}"
        if len(row.has) != len(sample.attributes):
            yield Fault(spot, f"{len(row.has)} values for {len(sample.attributes)} attributes")
        if not 0 <= row.weight < math.inf:
            yield Fault(spot, f"weight {row.weight}; expected 0 or more")
        for name in ("value", "due_after_s", "lost_after_s"):
            number: float | None = getattr(row, name)
            if number is not None and not math.isfinite(number):
                yield Fault(spot, f"{name} {number}; expected a finite number, or none")
        yield from _days(row, spot)


def _days(row: PastOrder, spot: str) -> Iterator[Fault]:
    """When it came, and the day on which it was due."""
    if row.came_s is not None and not 0 <= row.came_s < _WEEK_S:
        yield Fault(spot, f"came_s {row.came_s}; expected 0 to below {_WEEK_S:g}, seconds of the week")
    if (row.due_days is None) != (row.due_at_s is None):
        yield Fault(spot, "only one of due_days and due_at_s; expected both or none")
    if row.due_days is not None and not 0 <= row.due_days <= MOST_DAYS:
        yield Fault(spot, f"due_days {row.due_days}; expected 0 to {MOST_DAYS}")
    if row.due_at_s is not None and not 0 < row.due_at_s <= DAY_S:
        yield Fault(spot, f"due_at_s {row.due_at_s}; expected above 0 up to {DAY_S:g}, seconds of the day")


def _closing(closing: ClosingFact) -> Iterator[Fault]:
    for activity, share in (*closing.end_activities.items(), ("", closing.min_share)):
        if not 0 <= share <= 1:
            what = f"end_activities, {shown(activity)}" if activity else "min_share"
            yield Fault(f"closing, {what}", f"{share} is no share; expected 0 to 1")
    for ending in closing.endings:
        if not 0 <= ending.share <= 1:
            what = " > ".join(shown(activity) for activity in ending.after)
            yield Fault(f"closing, endings, {what}", f"{ending.share} is no share; expected 0 to 1")
    for activity, limit_s in (*closing.idle_after_s.items(), ("", closing.idle_s)):
        if limit_s < 0:
            what = f"idle_after_s, {shown(activity)}" if activity else "idle_s"
            yield Fault(f"closing, {what}", f"{limit_s} is negative")

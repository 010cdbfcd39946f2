"""How due dates follow from the day on which an order came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.local_time import WEEK_S, Floats, LocalTime
from metagraph.model import Default
from metagraph.orders import ALIKE, MOST_DAYS, OrderModel, PastOrder
from metagraph.shifts import DAY_S

SELDOM = 0.05
"""Share of due dates at weekends below which days are counted from Monday to Friday."""
CLEARLY = 0.5
"""Due dates belong to times of the day if these spread at most so much as the times after release do."""
ALIKE_S = 60.0
"""Times of the day that spread by no more are one, for each class."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, eq=False)
class DueDays:
    """Per case; NaN where the log doesn't say, or where it can't be told in this way."""

    came_s: Floats
    """Seconds of the local week."""
    days: Floats
    """Days from that on which it came to that on which it was due."""
    at_s: Floats
    """Local time at which it was due, above 0 up to the end of the day."""
    working: bool
    """Days are those from Monday to Friday."""


def due_days(release_s: Floats, due_after_s: Floats, local: LocalTime, kinds: NDArray[np.int64]) -> DueDays:
    """When cases came, and the days that they were given, where these are what was promised.

    Due dates may belong to times of the day, whenever the order came (its end, say, or 17:00), or follow
    after so much time. They belong to the day if their local times spread at most CLEARLY as much, within
    `kinds`, as the times after release do when whole days are left away. Spread is the circular variance,
    1 - |mean of exp(2 pi i t / day)| (K. V. Mardia and P. E. Jupp, Directional Statistics, 2000, 2.3). Then
    days are counted from Monday to Friday if due dates are SELDOM at weekends. 00:00 is the end of the day
    before.
    """
    came = local.of(release_s)
    due = local.of(release_s + due_after_s)
    day = np.ceil(due / DAY_S) - 1
    at_s = due - day * DAY_S
    known = ~np.isnan(due_after_s)
    days, working = np.full(len(due), np.nan), False
    if known.any() and _of_the_day(at_s[known], due_after_s[known], kinds[known]):
        weekend = day % 7 >= 5
        working = bool(weekend[known].mean() < SELDOM)
        first = np.floor(came / DAY_S)
        days = _working_until(day) - _working_until(first) if working else day - first
        days[~known | (days < 0) | (days > MOST_DAYS) | (working & weekend)] = np.nan
    return DueDays(np.round(came % WEEK_S, 3) % WEEK_S, days, np.where(np.isnan(days), np.nan, at_s), working)


def _of_the_day(at_s: Floats, after_s: Floats, kinds: NDArray[np.int64]) -> bool:
    least = 1.0 - np.cos(2 * np.pi * ALIKE_S / DAY_S)
    return bool(_spread(at_s, kinds) <= max(CLEARLY * _spread(after_s, kinds), least))


def _spread(t_s: Floats, kinds: NDArray[np.int64]) -> float:
    """Circular variance of times of the day within kinds, 0 to 1."""
    around = np.exp(2j * np.pi * t_s / DAY_S)
    _, which, n = np.unique(kinds, return_inverse=True, return_counts=True)
    sums = np.bincount(which, around.real) + 1j * np.bincount(which, around.imag)
    return float(np.clip(1.0 - np.abs(sums).sum() / n.sum(), 0.0, 1.0))


def _working_until(day: Floats) -> Floats:
    """Days from Monday to Friday up to and with a day, counted from a Monday, day 0."""
    return np.asarray(5 * np.floor(day / 7) + np.minimum(day % 7 + 1, 5))


def due_facts(orders: OrderModel) -> dict[str, str]:
    """How new orders get their due dates, where the log's orders had some."""
    samples = [c.sample for c in orders.classes if c.sample and any(_dated(r) for r in c.sample.rows)]
    rows = [row for sample in samples for row in sample.rows if _dated(row)]
    if not rows:
        return {}
    of_day = [row for row in rows if row.due_at_s is not None]
    if not of_day:
        told = "as much time after they came as an order of the past was given"
    else:
        counted = "working days (Monday to Friday)" if any(s.working_days for s in samples) else "days"
        (at_s, n), *_ = Counter(row.due_at_s for row in of_day if row.due_at_s is not None).most_common(1)
        hour = f"{int(at_s // 3600):02}:{int(at_s % 3600 // 60):02}"
        mostly = "" if n == len(of_day) else "mostly "
        told = f"as many {counted} after they came as an order of the past was given, {mostly}at {hour}"
    return {"due dates of new orders": f"{told}, of those that came on that weekday at about that time"}


def due_defaults(orders: OrderModel) -> tuple[Default, ...]:
    """Where new orders' due dates come from orders that came at another time, or of other classes."""
    found = []
    for kind in orders.classes:
        name = " · ".join(filter(None, (kind.cls, kind.segment))) or "new orders"
        where = f"due dates of {name}"
        rows = kind.sample.rows if kind.sample else ()
        if not any(_dated(row) for row in rows):
            if kind.due_after is not None and kind.due_after.level != "human":
                some = "orders of the log with a due date"
                found.append(Default(where, some, "drawn from those of all orders, whenever these came"))
            continue
        came = Counter[int]()
        for row in rows:
            if row.came_s is not None:
                came[int(row.came_s // DAY_S)] += round(row.weight)
        days = [name for day, name in enumerate(_WEEKDAYS) if 0 < came[day] < ALIKE]
        if days:
            some = f"{ALIKE} orders that came on {', '.join(days)}"
            found.append(Default(where, some, "after orders of all weekdays"))
    return tuple(found)


def _dated(row: PastOrder) -> bool:
    return row.due_after_s is not None

"""Orders: what flows through the process, what it is worth, and when more arrive."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from metagraph.distributions import Fitted
from metagraph.rules import INFINITE, profit


@dataclass(frozen=True, slots=True)
class ProfitShape:
    """Profit as shares of the order's value over completion time (Perez, Wassick and Grossmann, Figure 1)."""

    early: float = 1.0
    """Until the early date."""
    due: float = 1.0
    """At the due date; linear from the early date."""
    late: float = 0.9
    """Just after the due date, after the fixed penalty."""
    final: float = 0.0
    """At the lost-sale date, just before the order is lost; linear from the due date."""
    lost: float = 0.0
    """Once the sale is lost (negative for a penalty)."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order. Times are seconds since the simulation's origin; None where the process has no such date."""

    id: str
    release_s: float
    cls: str = ""
    segment: str = ""
    value: float | None = None
    """Money in the log's currency."""
    early_s: float | None = None
    """None: its release."""
    due_s: float | None = None
    lost_s: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    profit: ProfitShape | None = None
    """Its own profit curve; None: the process's."""
    profit_points: tuple[tuple[float, float], ...] = ()
    """Its profit as a table in place of any curve: (instant, money), linear between; see `tabulated`."""
    material_s: Mapping[str, float] = field(default_factory=dict)
    """By task's id: when what it needs is there; work on it can't begin before."""


def tabulated(points: tuple[tuple[float, float], ...], t: float) -> float:
    """Money at `t` by a table: linear between its points, level before the first and after the last.

    Two points at one instant are a jump: at the instant itself the first of them holds, as an order is still
    on time at its due date.
    """
    i = bisect_left(points, t, key=lambda point: point[0])
    if i == len(points):
        return points[-1][1]
    if i == 0:
        return points[i][1]
    (t0, y0), (t1, y1) = points[i - 1], points[i]
    return y0 + (y1 - y0) * (t - t0) / (t1 - t0)


def profit_at(order: Order, shape: ProfitShape | None, t: float) -> float:
    """Money that the order yields if it is fulfilled at `t`: by its own table or curve, or else by `shape`.

    Its value until it is lost where there is none of them, 0 for an order without a value."""
    if order.profit_points:
        return tabulated(order.profit_points, t)
    value = order.value or 0.0
    curve = order.profit or shape
    if curve is None:
        return value if order.lost_s is None or t <= order.lost_s else 0.0
    return profit(
        t,
        value,
        order.release_s if order.early_s is None else order.early_s,
        INFINITE if order.due_s is None else order.due_s,
        INFINITE if order.lost_s is None else order.lost_s,
        curve.early,
        curve.due,
        curve.late,
        curve.final,
        curve.lost,
    )


@dataclass(frozen=True, slots=True)
class PastOrder:
    """What orders of the past were, were worth and promised, kept together; None where the log didn't say."""

    has: tuple[str, ...]
    """Attributes, in the order of the sample's names; '' where they had none."""
    weight: float = 1.0
    """How many orders of the past it stands for."""
    value: float | None = None
    due_after_s: float | None = None
    lost_after_s: float | None = None
    came_s: float | None = None
    """When it came: seconds from Monday 00:00 local time of the arrivals."""
    due_days: int | None = None
    """Due so many days after the day on which it came, as the sample counts them; comes before
    `due_after_s`."""
    due_at_s: float | None = None
    """At this local time of that day: seconds, above 0; 86400 is its end."""


MOST_DAYS = 36_525
"""Due dates further ahead than a century aren't counted in days."""
ALIKE = 20
"""So many orders of the past that came on a weekday are enough for new ones to take after them alone."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Orders of the past, of which each new order takes after one: so that what goes together stays together
    (bootstrap of whole rows: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 6)."""

    attributes: tuple[str, ...]
    rows: tuple[PastOrder, ...]
    """If they say when they came: a new order takes after one of the ALIKE, or more, that came on its weekday
    at the times nearest to its own; after any of all where fewer came on that weekday."""
    working_days: bool = False
    """`due_days` of the rows counts Monday to Friday alone."""


@dataclass(frozen=True, slots=True)
class OrderClass:
    """Orders of one class and segment: how many there are and what they promise."""

    cls: str
    segment: str
    share: float
    """Of all orders; the shares of all OrderClasses sum to 1."""
    n: int = 0
    value: Fitted | None = None
    due_after: Fitted | None = None
    """Due date minus release, wall-clock seconds."""
    due_working_days: int | None = None
    """Or: end of the n-th working day (Monday to Friday) after release."""
    patience: Fitted | None = None
    """Lost-sale date minus release, seconds."""
    early_after: Fitted | None = None
    """Early date minus release, seconds."""
    grace: Fitted | None = None
    """Lost-sale date minus due date, seconds; instead of `patience`."""
    sample: Sample | None = None
    """Attributes of new orders, and the value and dates that go with them: what it says comes before the laws
    above."""
    by_hour: tuple[float, ...] = ()
    """By how much more often orders that arrive in each of the 168 hours of the week, from Monday 00:00 local
    time of the arrivals, are of this class than `share` says; empty: never."""


@dataclass(frozen=True, slots=True)
class GroupRule:
    """A class or segment for orders whose attributes all have these values; the first rule wins."""

    result: str
    when: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OrderModel:
    """What the analyst said of orders ([orders] in twin.toml); without dates and values nothing about
    lateness or profit is shown."""

    classes: tuple[OrderClass, ...] = ()
    profit: ProfitShape | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Log column behind class, segment, value, due, lost."""
    segment_priority: Mapping[str, float] = field(default_factory=dict)
    """How important each segment's customers are, more first; used by HPCS."""
    rule: str = ""
    """What queues with the priority RULE go by, as an expression on orders (see expressions.py); more goes
    first."""
    class_rules: tuple[GroupRule, ...] = ()
    """For open orders of a log without a class of their own in its column."""
    segment_rules: tuple[GroupRule, ...] = ()


@dataclass(frozen=True, slots=True)
class ArrivalLevel:
    """Where the level of arrivals goes after an instant, week by week; before it, it is 1.

    In the k-th week after `since` the mean level is settles ** (1 - memory ** k). The level itself is this
    times exp(y - Var(y) / 2), where y wanders: memory * (y of the week before) + Normal(0, week_sd), from
    0 on. A forecast also draws what isn't known: to y it adds memory ** k * Normal(0, now_sd) +
    (1 - memory ** k) * Normal(0, settles_sd), and to each week's step Normal(0, drift_sd).
    """

    since: datetime
    """The end of the log, to which `Arrivals.rates_per_h` belong."""
    settles: float = 1.0
    """The level in the long run, as a multiple of that at `since`."""
    memory: float = 0.0
    """Share of a departure from the long run that is left a week later, 0 to below 1."""
    week_sd: float = 0.0
    """How much a week differs from what the week before lets expect, about as much on both sides."""
    drift_sd: float = 0.0
    """The same for a level that goes up and down without ever coming back."""
    now_sd: float = 0.0
    settles_sd: float = 0.0
    trend_per_week: float = 0.0
    """Growth of the log level a week that the log shows at its end; what is left of it is in `settles`."""


@dataclass(frozen=True, slots=True)
class ArrivalChange:
    """For a time, more or fewer orders than the rates say, of a class and segment or of all."""

    factor: float
    """0 or more; where several changes hold at once, their factors are multiplied."""
    start: datetime
    end: datetime | None = None
    """None: for good."""
    cls: str | None = None
    """None: of all classes."""
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """New orders: a stream whose rate follows the hour of the week, with days busier than others.

    The rate of hour h is rates_per_h[h] times a day factor, Gamma with mean 1 and variance `dispersion`, and
    times the week's `level`. Where orders come more steadily than by chance, `gap` says how.
    """

    rates_per_h: tuple[float, ...]
    """168 values from Monday 00:00 local time: orders, however many come at once."""
    time_zone: str = "UTC"
    dispersion: float = 0.0
    gap: Fitted | None = None
    """Law of the gap between two arrivals, in units of its mean, on the time line on which the rate is even;
    None: exponential, which makes a Poisson stream."""
    n: int = 0
    """Arrivals observed."""
    note: str = ""
    level: ArrivalLevel | None = None
    """None: it stays as it is."""
    batches: tuple[float, ...] = ()
    """Shares of arrivals that bring 1, 2, 3, ... orders at once; empty: all bring one."""
    holidays: tuple[date, ...] = ()
    """Local dates that are unlike other days of their weekday."""
    on_holidays: float = 0.0
    """The rate on them, as a share of the usual one."""
    changes: tuple[ArrivalChange, ...] = ()
    """What is known, or supposed, to change at an instant."""

    def orders_at_once(self) -> float:
        """Mean number of orders that come together."""
        return sum(share * n for n, share in enumerate(self.batches, 1)) or 1.0

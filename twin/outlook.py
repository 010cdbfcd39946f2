"""What forecasts and quotes say: quantiles of instants, of counts and of work at horizons, and money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Literal

LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""Quantile levels of every forecast: 0.05, 0.10, ..., 0.95."""
SURE = ("05", "50", "95")
"""Of these quantiles (per cent) it is said how sure they are."""
FAN = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Levels of what is drawn as a fan."""

Between = tuple[datetime | None, datetime | None]
"""Both ends of a 95 % interval; None: so few futures can't tell."""
Fan = tuple[float, float, float, float, float]
"""Quantiles at FAN."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A mean over the futures with its 95 % interval, which only tells what more futures would change; None
    for a single one."""

    mean: float
    low: float | None
    high: float | None


def median(quantiles: tuple[datetime, ...]) -> datetime:
    """The 50 % quantile of a forecast's quantiles."""
    return quantiles[LEVELS.index(0.5)]


@dataclass(frozen=True, slots=True)
class TaskOutlook:
    """One remaining task of an order; 10, 50 and 90 % quantiles over the replications where it happens."""

    activity: str
    probability: float
    """Share of replications in which it happens (at least once)."""
    running: bool
    start: tuple[datetime, datetime, datetime]
    end: tuple[datetime, datetime, datetime]


@dataclass(frozen=True, slots=True)
class OrderOutlook:
    """When one open order completes."""

    case_id: str
    standing: str
    """Where it stands, in words: 'Credit Check running since ...'."""
    quantiles: tuple[datetime, ...]
    """Completion instants at LEVELS."""
    tasks: tuple[TaskOutlook, ...]
    due: datetime | None = None
    late_probability: float | None = None
    """Only where the order has a due date; lost orders count as late."""
    lost_probability: float | None = None
    """Only where the order has a lost-sale date. The quantiles of one that is lost are of its leaving."""
    sure: Mapping[str, Between] = field(default_factory=dict)
    """Of the quantiles SURE: their 95 % intervals, by order statistics."""
    late_between: tuple[float, float] | None = None
    """95 % interval of `late_probability` (Wilson)."""
    lost_between: tuple[float, float] | None = None
    profit: Expected | None = None
    """Money that it yields; only where it has a value."""
    loss: Expected | None = None
    """Money that lateness and lost sale take: what it would yield on its due date (now, without one), minus
    what it yields, where that is less."""
    simulated: tuple[datetime, ...] = ()
    """Completion instants at LEVELS by the simulation alone, where `quantiles` are not: see Learnt."""


@dataclass(frozen=True, slots=True)
class SystemOutlook:
    """A count at a horizon, at LEVELS."""

    horizon_h: float
    metric: str
    """'wip', 'completions' or 'arrivals' (the last two counted since the as-of instant)."""
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AgentLoad:
    """Work that waits for an agent or runs with it over the open orders: hours, 10/50/90 % quantiles."""

    agent: str
    work_h: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class LoadOutlook:
    """The work that stands before an agent or in a queue over time, of open and of new orders alike."""

    kind: Literal["agent", "queue"]
    name: str
    horizons_h: tuple[float, ...]
    """The first is 0: now."""
    work_h: tuple[Fan, ...]
    """Per horizon: hours by the agents' work clocks to do on what waits and is worked on then. Of an agent:
    what waits and will be its own."""
    waiting: tuple[Fan, ...]
    """Per horizon: items that wait."""


@dataclass(frozen=True, slots=True)
class InProcess:
    """Where the number of orders in process at a horizon comes from."""

    horizon_h: float
    middle: float
    """The parts' numbers, by their weights."""
    parts: Mapping[str, tuple[float, float]]
    """Part -> its number and its weight, which sum to 1."""
    instants: int
    """Past instants that decided which part of the log alone is used, and how wide it is."""
    simulated_instants: int
    """Past instants at which the simulation was weighed; 0 where they were too few."""
    error: float | None
    """Mean relative error of the part of the log alone at those instants."""
    quantiles: tuple[float, ...] | None
    """At LEVELS, as wide as those errors were; None: too few instants, the spread is the simulation's."""

    @property
    def mix(self) -> tuple[tuple[str, float], ...]:
        """The parts that have weight."""
        return tuple((name, weight) for name, (_, weight) in self.parts.items() if weight)

    @property
    def width(self) -> str:
        """Where the spread comes from."""
        if self.quantiles is None:
            return "the spread is the simulation's, as there are too few past instants to tell"
        more = "" if self.simulated_instants else "; too few of them were simulated to weigh the simulation"
        return f"the spread is that of the errors at past instants{more}"


def in_process_words(told: Sequence[InProcess]) -> str:
    """A sentence for horizons in a row that come from the same parts; with the numbers where it is one."""
    sentences = []
    for _, group in groupby(told, key=lambda one: (one.mix, one.width)):
        same = list(group)
        first, last = same[0], same[-1]
        span = f"{first.horizon_h:g}" if first is last else f"{first.horizon_h:g} to {last.horizon_h:g}"
        parts = [
            f"{weight:.0%} {name}" + (f" ({first.parts[name][0]:.0f})" if first is last else "")
            for name, weight in first.mix
        ]
        sentences.append(f"Orders in process after {span} h are {', '.join(parts)}; {first.width}.")
    return " ".join(sentences)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the log taught of how long open orders take, and how much of a forecast is that.

    Losses are mean CRPS in hours over past open orders, counted up to where the log stops.
    """

    weight: float
    """Of the simulation in dates and counts of open orders, 0..1; the rest is of what was learnt."""
    instants: int
    """Past instants that decided the weight."""
    orders: int
    """Open orders at those instants together."""
    loss_h: float
    """With that weight."""
    loss_simulated_h: float
    loss_learnt_h: float
    in_process: tuple[InProcess, ...] = ()
    """Per horizon: what the orders in process come from."""

    @property
    def words(self) -> str:
        """Sentences: which part gave which number of a forecast."""
        more = ""
        if self.weight < 1.0:
            more = (
                "; lateness, loss, money, dates of tasks and completions follow from them. Loads and "
                "arrivals are the simulation's"
            )
        return f"{self.dates('open orders')}{more}. {in_process_words(self.in_process)}".rstrip()

    def dates(self, whose: str) -> str:
        """Where dates come from, without a stop."""
        alone = f"{self.loss_simulated_h:.3g} h by simulation, {self.loss_learnt_h:.3g} h by the log alone"
        past = f"which did best on {self.orders} orders open at {self.instants} past instants (CRPS"
        if self.weight == 1.0:
            return f"Dates of {whose} are the simulation's alone, {past} {alone})"
        if self.weight == 0.0:
            return f"Dates of {whose} are from what the log teaches alone, {past} {alone})"
        return (
            f"Dates of {whose} are {self.weight:.0%} from the simulation and {1 - self.weight:.0%} from what "
            f"the log teaches, {past} {self.loss_h:.3g} h; {alone})"
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """All open orders as of an instant."""

    as_of: datetime
    replications: int
    open_rule: str
    """How the open orders were told: the ids that were given, or the model's closing rule in words."""
    orders: tuple[OrderOutlook, ...]
    system: tuple[SystemOutlook, ...]
    agents: tuple[AgentLoad, ...]
    notes: tuple[str, ...] = ()
    """Orders that didn't fit the model, and what was assumed of them."""
    engine: str = ""
    """Which engine simulated it, and why."""
    loads: tuple[LoadOutlook, ...] = ()
    """Agents, then queues; those with nothing to do are left out."""
    profit: Expected | None = None
    """Money of all open orders that have a value."""
    loss: Expected | None = None
    """Their losses together; see OrderOutlook."""
    late: Expected | None = None
    """How many open orders will be late or lost, of those with a due date."""
    learnt: Learnt | None = None
    """None: everything is the simulation's."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A task's part in the quoted lead time: mean hours, with 95 % half-widths (None: a single future)."""

    activity: str
    wait_h: float
    work_h: float
    wait_half_width_h: float | None
    work_half_width_h: float | None
    queue: str = ""
    """Where it waits most often; '': nobody is needed."""
    ahead: Expected | None = None
    """Items that are begun before it in that queue once it waits there, those under way among them."""
    ahead_h: Expected | None = None
    """Working hours that go into them before it is begun itself."""


@dataclass(frozen=True, slots=True)
class HistoryLead:
    """How long closed orders took, from first start to last end."""

    group: str
    """'all orders', or class and segment."""
    n: int
    mean: Expected
    """Hours."""
    sd_h: float | None
    lead_h: Mapping[str, float]
    """By confidence, as in Quote.dates."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """What something else would change for the quoted order, future by future on the same random numbers."""

    kind: Literal["priority", "policy", "agent"]
    name: str
    """'first', a policy's name, or the queue that has one agent more."""
    lead_h: Expected
    """Mean lead time with it minus that without, hours, paired: below 0 is earlier."""
    others_h: Expected
    """The same of the other open orders, on average over them."""
    dates: Mapping[str, datetime]
    """Promise dates with it."""
    text: str
    """A sentence: what it changes, and whether the futures can tell."""


@dataclass(frozen=True, slots=True)
class Quote:
    """When a new order could be promised."""

    at: datetime
    cls: str
    segment: str
    replications: int
    dates: Mapping[str, datetime]
    """Confidence '50', '80', '95' (percent) -> promise date."""
    drivers: tuple[Driver, ...]
    history_lead_h: Mapping[str, float]
    """The same confidences read from past lead times of such orders, hours; empty without history."""
    engine: str = ""
    """Which engine simulated it, and why."""
    between: Mapping[str, Between] = field(default_factory=dict)
    """95 % intervals of the dates: how sure so many futures are."""
    lead: Expected | None = None
    """Mean lead time, hours."""
    quantiles: tuple[datetime, ...] = ()
    """Completion at LEVELS."""
    policy: str = "own"
    value: float | None = None
    due: datetime | None = None
    late_probability: float | None = None
    """Only with a due date."""
    late_between: tuple[float, float] | None = None
    profit: Expected | None = None
    """Money that it yields; only with a value."""
    slowest: str = ""
    """The step that takes the most of its time, in a sentence."""
    history: tuple[HistoryLead, ...] = ()
    """Its own class and segment, then all orders."""
    alternatives: tuple[Alternative, ...] = ()
    """Of one more agent, the queue where that helps most comes first."""
    notes: tuple[str, ...] = ()
    learnt: Learnt | None = None
    """None: all is the simulation's; else dates, lateness and profit are from it and the log together."""
    simulated: tuple[datetime, ...] = ()
    """Completion at LEVELS by the simulation alone."""

    @property
    def origin_words(self) -> tuple[str, ...]:
        """Sentences without a stop: which part gave which number."""
        if self.learnt is None:
            return ()
        dates = self.learnt.dates("open orders, and of this one,")
        if self.learnt.weight == 1.0:
            return (dates,)
        alone = f"{median(self.simulated):%Y-%m-%d %H:%M}"
        return (
            f"{dates}, as in a forecast; lateness and profit follow from them",
            "where its time goes, and what something else would change, is the simulation's, which by itself "
            f"has it done by {alone} in the median",
        )

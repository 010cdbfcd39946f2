"""What is found about bottlenecks, from a log and from its twin alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from simulation.kpis import Interval

Kind = Literal["agent", "role"]
Source = Literal["log", "twin"]
SURE = 0.05
"""Adjusted p values below this count as told apart."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One agent or role; 95 % intervals over periods of a log or runs of a twin."""

    name: str
    utilisation: Interval
    """Work over capacity on shift."""
    sole: Interval
    """Share of the time with a bottleneck in which it alone was it."""
    shifting: Interval
    """In which the bottleneck shifted to it or from it."""
    share: Interval
    """Both together."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which agent or role is the bottleneck, and how sure that is."""

    kind: Kind
    source: Source
    name: str
    """Whose share is the largest; '': nobody was ever active."""
    share: float
    p: float
    """That another one has as large a share all the same: the largest p value of paired comparisons with all
    others, corrected for the number of those who might have been found; NaN: there is nothing to compare."""
    rivals: tuple[str, ...]
    """Those of whom it can't be told apart."""
    text: str

    @property
    def sure(self) -> bool:
        """Whether it is told apart from all others."""
        return bool(self.name) and not self.rivals


@dataclass(frozen=True, slots=True)
class QueueShare:
    """Waiting before one activity, and what it was for."""

    activity: str
    n: int
    """Executions."""
    wait_s: Interval
    """Enabled to start, mean per execution."""
    of_lead: float
    """All of it over the lead times of all orders; activities in parallel branches count each."""
    parts_s: Mapping[str, float]
    """Means per execution by cause: off shift, agents busy, others went first, batching, remaining."""


@dataclass(frozen=True, slots=True)
class Side:
    """A log, or runs of its twin."""

    source: Source
    start: datetime
    end: datetime
    samples: int
    """Periods of equal length, or runs: what intervals are made of."""
    lead_h: Interval
    """Mean of the orders, from first start to end."""
    agents: tuple[Usage, ...]
    roles: tuple[Usage, ...]
    verdicts: tuple[Verdict, ...]
    """Of roles and of agents; of agents alone where nobody shares a role."""
    queues: tuple[QueueShare, ...]
    """The largest share of the lead time first."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What one change would bring, on the same orders and draws as without it; per week, 95 % intervals."""

    what: Literal["hour", "automation"]
    name: str
    """The agent, or the activity."""
    text: str
    """The change in words."""
    saved_h: Interval
    """Hours of lead time, over all orders of a week."""
    profit: Interval | None
    """Money; None: no order's profit depends on when it is done."""
    p: float
    """Two-sided, of the value (profit, else hours), adjusted after Holm over all changes of this kind."""

    @property
    def value(self) -> Interval:
        """Profit where there is any, else hours saved."""
        return self.saved_h if self.profit is None else self.profit

    @property
    def sure(self) -> bool:
        """Whether it changes anything, either way."""
        return self.p < SURE


@dataclass(frozen=True, slots=True)
class Bottlenecks:
    """All of it."""

    twin: str
    policy: str
    sides: tuple[Side, ...]
    """The log first, where one was given."""
    sentence: str
    value: Literal["profit", "lead time"]
    """What gains are ranked by."""
    hours: tuple[Gain, ...]
    """One more hour a week of an agent, the most valuable first."""
    tasks: tuple[Gain, ...]
    """An activity automated, the same."""
    step_h: float
    """The hours a week that were added; gains are per hour."""
    weeks: float
    warm_up_weeks: float
    replications: int
    notes: tuple[str, ...] = ()
    engine: str = ""

    def side(self, source: Source) -> Side | None:
        """The log's or the twin's."""
        return next((one for one in self.sides if one.source == source), None)

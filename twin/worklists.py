"""What worklists say: per agent the orders under way, in the queue and on the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from simulation.kpis import Interval

SPREAD = (0.1, 0.5, 0.9)
"""Levels of the quantiles of all that is foreseen."""
Between = tuple[float, float, float]
Instants = tuple[datetime, datetime, datetime]
"""At SPREAD, over the futures in which it happens."""
Stands = Literal["working", "waiting", "coming"]


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """What is foreseen of an open order, wherever it is listed."""

    order: str
    cls: str
    segment: str
    value: float | None
    """Money; None: it has none."""
    done: Instants
    """When it is completed, or lost."""
    due: datetime | None
    slack_h: Between | None
    """Hours from its completion to its due date, by the clock on the wall; below 0: late. Ascending."""
    late: float | None
    """Probability."""
    late_more: float | None
    """By how much that rises if it is completed a day later."""
    profit: Interval | None
    """Expected, with the 95 % interval of that mean; None: no order has a value."""
    day_costs: Interval | None
    """What is at stake: the profit that is expected to be lost if it is completed a day later."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One task of one order on one agent's list."""

    stands: Stands
    rank: int | None
    """Of what waits: 1 is taken next."""
    order: str
    task: str
    """Id of the node."""
    activity: str
    queue: str
    shared_with: tuple[str, ...]
    """The others who take work from that queue."""
    takes: float
    """Probability that it is this agent who does it."""
    probability: float
    """Of standing so now; of what is coming: of reaching the queue in time."""
    reason: str
    """Why it has its rank; of what is coming: where it is now."""
    ready: Instants
    """When it could be begun: of what is coming, and of what waits as far as the log tells."""
    start: Instants
    finish: Instants


@dataclass(frozen=True, slots=True)
class AgentList:
    """One agent's list."""

    agent: str
    role: str
    capacity: int
    on_shift: bool
    until: datetime | None
    """When the shift ends, or when the agent is back; None: never, or nobody knows."""
    away: bool
    """Not there for good, or not yet: on leave, or still to be hired."""
    rows: tuple[Listed, ...]
    """Under way, then waiting by rank, then coming by when."""

    def standing(self, stands: Stands) -> tuple[Listed, ...]:
        """Those of one kind."""
        return tuple(row for row in self.rows if row.stands == stands)


@dataclass(frozen=True, slots=True)
class Worklist:
    """All agents' lists at an instant."""

    twin: str
    as_of: datetime
    policy: str
    open_rule: str
    replications: int
    soon_h: float
    """Coming is what reaches a queue within so many hours, more likely than not."""
    agents: tuple[AgentList, ...]
    orders: tuple[ListedOrder, ...]
    notes: tuple[str, ...] = ()
    explanations: tuple[str, ...] = ()
    """Of a plan: why what comes first comes first."""
    engine: str = ""

    def order(self, name: str) -> ListedOrder:
        """The order with this id."""
        return next(one for one in self.orders if one.order == name)

"""A metagraph lowered to flat tuples of numbers: the part of a Program that all its runs share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from metagraph.calendars import WorkClock
from metagraph.orders import ProfitShape
from metagraph.paces import PaceClock
from metagraph.routing import MAX_VISIT
from simulation.tables import Table

PADDING = 0
"""Code of 'no activity' before the first one, and of a class or segment that no table knows."""
UNKNOWN = 1
"""Code of an activity that no task and no table knows."""


class Kind(IntEnum):
    """What a token does at a node."""

    PASS = 0
    TASK = 1
    END = 2
    ROUTE = 3
    SPLIT = 4
    MERGE = 5


@dataclass(frozen=True, slots=True)
class RouteLevel:
    """One back-off level: which parts of the context its keys are made of."""

    cls: bool
    segment: bool
    visit: bool
    span: int
    """Number of distinct histories of the level's length; 1 for none."""
    rows: Mapping[int, tuple[float, ...]]
    """Context key -> cumulative weights of the outgoing flows; infinite from the last possible flow on."""


@dataclass(frozen=True, slots=True)
class Route:
    """The choice at one gateway, the most specific level first; the last one has a row for every context."""

    levels: tuple[RouteLevel, ...]

    def cumulative(self, cls: int, segment: int, visit: int, history: int) -> tuple[float, ...]:
        """Cumulative weights in a context given by its codes."""
        for level in self.levels:
            found = level.rows.get(context_key(level, cls, segment, visit, history))
            if found is not None:
                return found
        raise KeyError("a gateway without a row for every context")


def context_key(level: RouteLevel, cls: int, segment: int, visit: int, history: int) -> int:
    """The parts that a level looks at, as one integer; the history is its last activities in base N."""
    key = 0
    if level.cls:
        key = cls + 1
    if level.segment:
        key = key << 24 | segment + 1
    if level.visit:
        key = key << 4 | min(visit, MAX_VISIT)
    return key * level.span + history % level.span


@dataclass(frozen=True, slots=True)
class Work:
    """What a task asks for."""

    label: int
    """Code of its activity in histories."""
    row: int
    """Index of its activity in Network.labels."""
    queues: tuple[int, ...]
    durations: Mapping[tuple[int, int, int], Table]
    """(class, segment, agent) codes, -1 for any."""
    delay: Table | None
    delay_after: Mapping[int, Table]
    """By the code of the activity that the order completed last."""
    pace: PaceClock | None
    """The time line on which the delay runs; None: wall clock."""

    def duration(self, cls: int, segment: int, agent: int) -> Table:
        """The working seconds of this order and agent, backed off: agent before class before segment."""
        rows = self.durations
        if len(rows) == 1:
            return rows[-1, -1, -1]
        for a in (agent, -1):
            for c, s in ((cls, segment), (cls, -1), (-1, segment), (-1, -1)):
                found = rows.get((c, s, a))
                if found is not None:
                    return found
        raise KeyError("a task without a duration that matches all")


@dataclass(frozen=True, slots=True)
class Pool:
    """One queue and who serves it."""

    agents: tuple[int, ...]
    cumulative: tuple[float, ...]
    """Of the weights by which an idle agent is drawn; the last one is infinite."""
    weights: tuple[float, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Network:
    """The process: nodes, queues, agents and clocks by index, in the order of the metagraph."""

    node_ids: tuple[str, ...]
    kinds: tuple[Kind, ...]
    targets: tuple[tuple[int, ...], ...]
    """Nodes behind the outgoing flows; at a routing gateway in the order of its weights."""
    needs: tuple[int, ...]
    """Tokens that an and_merge waits for."""
    routes: tuple[Route | None, ...]
    works: tuple[Work | None, ...]
    start: int
    labels: tuple[str, ...]
    """Activities of the tasks, each once."""
    codes: Mapping[str, int]
    """Activity -> code in histories."""
    base: int
    """Number of codes: histories are numbers in this base."""
    span: int
    """base ** longest history of any gateway, at least `base`: histories are kept modulo this."""
    classes: Mapping[str, int]
    segments: Mapping[str, int]
    queue_ids: tuple[str, ...]
    pools: tuple[Pool, ...]
    agent_ids: tuple[str, ...]
    capacities: tuple[int, ...]
    agent_queues: tuple[tuple[int, ...], ...]
    agent_clocks: tuple[int, ...]
    clocks: tuple[WorkClock | None, ...]
    """None: always on."""
    profit: ProfitShape | None

    def history(self, activities: tuple[str, ...]) -> int:
        """The code of completed activities, oldest first."""
        value = 0
        for activity in activities:
            value = (value * self.base + self.codes.get(activity, UNKNOWN)) % self.span
        return value

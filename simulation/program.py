"""What an engine interprets: a process, its orders and a state as flat record arrays.

Indices are 0-based and -1 means none. Times are seconds since the program's origin. Every array is read-only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metagraph.orders import Order
from simulation.clocks import ClockPlan, PacePlan
from simulation.tables import Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Records = NDArray[np.void]

PADDING = 0
"""Code of 'no activity' before the first one, and of a class or segment that no table knows."""
UNKNOWN = 1
"""Code of an activity that no task and no table knows."""
NO_CAP = 2**31 - 1


class Kind(IntEnum):
    """What a token does at a node."""

    PASS = 0
    TASK = 1
    END = 2
    ROUTE = 3
    SPLIT = 4
    MERGE = 5
    SOME = 6
    JOIN = 7


class Assign(IntEnum):
    """How an item chooses among the queues of its task."""

    JSQ = 0
    JFQ = 1
    JAQ = 2
    JDQ = 3


class Rule(IntEnum):
    """How a queue is ordered; the names are those of metagraph.rules.RULES."""

    FIFO = 0
    HP = 1
    SDD = 2
    SERPT = 3
    HPCS = 4
    RULE = 5
    RANK = 6
    AVERAGE = 7
    PYTHON = 8
    LIFO = 9


class Part(IntEnum):
    """Bits of the rules that are averaged."""

    HP = 1
    SDD = 2
    SERPT = 4
    HPCS = 8


NODE = np.dtype(
    [
        ("kind", np.int32),
        ("target", np.int32),  # first of `targets` in Network.targets; of a route in the order of its weights
        ("targets", np.int32),
        ("need", np.int32),  # tokens that an and_merge waits for
        ("visit", np.int32),  # column of the visits of tasks and routes
        ("merge", np.int32),  # column of the counters of and_merges and or_merges
        ("level", np.int32),  # first of `levels` in Network.levels
        ("levels", np.int32),
        (
            "outcome",
            np.int32,
        ),  # of an or_split: first of its subsets in Network.outcomes, in the order of its weights
        ("outcomes", np.int32),
        ("join", np.int32),  # its or_merge
        ("ruled", np.int32),  # column of Orders.ruled of a route that has rules; -1: it has none
        ("task", np.int32),  # number of the task among the tasks
        ("code", np.int32),  # of its activity in histories
        ("label", np.int32),  # index into Network.labels
        ("queue", np.int32),  # first of `queues` in Network.task_queues
        ("queues", np.int32),
        (
            "law",
            np.int32,
        ),  # Network.durations[law + cls * law_cls + segment * law_segment + (agent + 1) * law_agent]
        ("law_cls", np.int32),
        ("law_segment", np.int32),
        ("law_agent", np.int32),
        ("delay", np.int32),  # Network.delays[delay + code of the last activity * delay_after]; -1: no delay
        ("delay_after", np.int32),
        ("pace", np.int32),  # -1: wall clock
        ("aged", np.int32),  # its delay is counted from the order's release
        ("preemptible", np.int32),
        ("batch", np.int32),  # -1: nothing is collected
    ]
)
LAW = np.dtype(
    [
        ("first", np.int32),  # into us, xs, slopes, tails
        ("n", np.int32),
        ("fixed", np.int32),  # there is one value only: xs[first]
        ("mean_s", np.float64),
    ]
)
LEVEL = np.dtype(
    [
        ("cls", np.int32),
        ("segment", np.int32),
        ("visit", np.int32),
        ("rule", np.int32),
        ("row", np.int32),  # first of `rows` in Network.rows, sorted by (context, history)
        ("rows", np.int32),
        ("span", np.int64),  # histories are looked at modulo this; 1: not at all
    ]
)
ROW = np.dtype([("context", np.int64), ("history", np.int64), ("weight", np.int32)])
QUEUE = np.dtype([("agent", np.int32), ("agents", np.int32), ("rule", np.int32)])
AGENT = np.dtype(
    [
        ("queue", np.int32),  # first of `queues` in Network.agent_queues
        ("queues", np.int32),
        ("capacity", np.int32),
        ("shared", np.int32),  # its items run at rate 1/k
        ("clock", np.int32),
        ("present", np.int32),  # before the first record of `presence` that is about the agent
    ]
)
PRESENCE = np.dtype([("t", np.float64), ("agent", np.int32), ("present", np.int32)])
BATCH = np.dtype(
    [
        ("node", np.int32),
        ("simultaneous", np.int32),
        ("law", np.int32),  # of its size; -1: any
        ("clock", np.int32),  # intervals begin at its times of the week; always on: it has none
        ("wait_s", np.float64),  # infinite: no longest wait
        ("per_item", np.float64),
    ]
)
POLICY = np.dtype(
    [
        ("assign", np.int32),
        ("parts", np.int32),  # bits of Part, under Rule.AVERAGE
        ("preemption", np.int32),
        ("back", np.int32),  # interrupted items go behind their equals
        ("cap", np.int32),
        ("same_agent", np.int32),
        ("penalty_s", np.float64),
        ("early", np.float64),  # the profit curve
        ("due", np.float64),
        ("late", np.float64),
        ("final", np.float64),
        ("lost", np.float64),
    ]
)
ORDER = np.dtype(
    [
        ("release_s", np.float64),
        ("value", np.float64),  # 0: none
        ("early_s", np.float64),  # its release: none
        ("due_s", np.float64),  # infinite: none
        ("lost_s", np.float64),  # infinite: none
        ("importance", np.float64),  # of its segment
        ("rule", np.float64),  # its expression's value
        ("cls", np.int32),
        ("segment", np.int32),
    ]
)
RECORDED = np.dtype(
    [
        ("node", np.int32),  # -1: all that isn't listed of the order
        ("visit", np.int32),
        ("way", np.int32),  # of a gateway: which way on; -1: drawn
        ("agent", np.int32),  # who did it: takes it again if free; -1: nobody known
        ("queue", np.int32),  # joined where a policy leaves it to chance; -1: any
        ("law", np.int32),  # index into Network.laws: `work_s` is of whoever has this law; -1: of all
        ("work_s", np.float64),  # NaN: drawn
        ("level", np.float64),  # of the work under another law; 0: drawn
        ("delay_s", np.float64),  # in the delay's own time; NaN: drawn
    ]
)
"""What is known beforehand of a visit to a node, in place of a draw."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Network:
    """The process under a policy: the part of a Program that all its runs share."""

    node_ids: tuple[str, ...]
    labels: tuple[str, ...]
    """Activities of the tasks, each once."""
    codes: Mapping[str, int]
    """Activity -> code in histories."""
    classes: Mapping[str, int]
    segments: Mapping[str, int]
    queue_ids: tuple[str, ...]
    agent_ids: tuple[str, ...]
    start: int
    """The start node."""
    base: int
    """Number of codes: histories are numbers in this base."""
    span: int
    """base ** longest history of any gateway, at least `base`: histories are kept modulo this."""
    visits: int
    """Columns of visits."""
    merges: int
    tasks: int
    ruled: int
    """Routes with rules."""
    nodes: Records
    targets: Ints
    outcomes: Ints
    """Subsets of the targets of or_splits: bit i stands for the i-th one."""
    task_queues: Ints
    durations: Ints
    """Indices into `laws`."""
    delays: Ints
    laws: Records
    us: Floats
    """Levels of all laws, and below their values, slopes, and mean of what lies above each level times its
    probability."""
    xs: Floats
    slopes: Floats
    tails: Floats
    tables: tuple[Table, ...]
    """The laws once more, one by one."""
    eta_errors: Mapping[int, Table]
    """By node."""
    levels: Records
    rows: Records
    cumulative: Floats
    """Running sums of weights, infinite from the last possible flow on."""
    queues: Records
    queue_agents: Ints
    queue_weights: Floats
    """By which an idle agent is drawn."""
    queue_cumulative: Floats
    """The last one of each queue is infinite."""
    agents: Records
    agent_queues: Ints
    presence: Records
    """Comings and goings of agents, by time and agent."""
    policy: Records
    """One record."""
    clocks: tuple[ClockPlan | None, ...]
    """Of agents, then one of each batch. None: always on."""
    batches: Records
    """By node."""
    paces: tuple[PacePlan, ...]
    custom: Any = None
    """A policy written in Python; see custom.py."""

    def history(self, activities: Sequence[str]) -> int:
        """The code of completed activities, oldest first."""
        value = 0
        for activity in activities:
            value = (value * self.base + self.codes.get(activity, UNKNOWN)) % self.span
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """Orders by index, which keys their random numbers: open ones of the state first."""

    ids: Sequence[str]
    table: Records
    """ORDER, one record each."""
    attributes: Sequence[Mapping[str, str]] | None = None
    """For policies written in Python."""
    designated: NDArray[np.uint8] | None = None
    """[order, queue]: under JDQ, whether the queue is meant for it."""
    ranks: Floats | None = None
    """[order, task]: a schedule's ranks, infinite where it has none."""
    assigned: Ints | None = None
    """[order, task]: the queue that a schedule names; -1: none."""
    given: Sequence[Order] | None = None
    """The orders themselves, for policies written in Python."""
    ruled: Ints | None = None
    """[order, route with rules]: number of the first rule that the order meets, from 1 on; 0: none."""
    curves: Floats | None = None
    """[order, 5]: early, due, late, final, lost of each order's profit curve, where any order has one of its
    own (others repeat the policy's); None: the policy's for all."""
    points: Floats | None = None
    """[point, 2]: instants and money of the profit tables of all orders one after the other, which count in
    place of any curve; None: no order has one."""
    points_first: NDArray[np.int64] | None = None
    """[order + 1]: where each one's begin, and the end."""
    material: Floats | None = None
    """[order, task]: when what the task needs is there, minus infinity where nothing is waited for; None: no
    order waits for anything."""
    recorded: Records | None = None
    """RECORDED of all orders one after the other, each one's by (node, visit); None: everything is drawn."""
    recorded_first: NDArray[np.int64] | None = None
    """[order + 1]: where each one's begin, and the end."""

    def __len__(self) -> int:
        return len(self.table)


@dataclass(frozen=True, slots=True)
class Token:
    """Where a token of an open order stands at the start; fields as in metagraph.state.Position."""

    node: int
    enabled_s: float
    started_s: float | None
    agent: int
    """-1: nobody, or nobody that the process knows."""
    after: int
    """Code of the activity whose completion put it there."""
    queue: int = -1
    ready_s: float | None = None
    collected_s: float | None = None
    begun_s: float | None = None
    worked_s: float | None = None
    preemptions: int = 0
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One open order at the start."""

    tokens: tuple[Token, ...]
    history: int
    visits: Mapping[int, int]
    """By node."""
    merged: Mapping[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """All that an engine needs."""

    network: Network
    orders: Orders
    standing: tuple[Standing, ...]
    """Of the first orders; the others are released as their dates say."""
    origin: datetime
    """Time 0, a Monday 00:00 UTC."""
    at_s: float | None
    """The instant of the state; None: the run begins empty with the first release."""

    @property
    def begin_s(self) -> float:
        """The instant of the state, else the first release, else 0."""
        if self.at_s is not None:
            return self.at_s
        return float(self.orders.table["release_s"].min()) if len(self.orders) else 0.0

    def __deepcopy__(self, memo: object) -> Program:
        return self

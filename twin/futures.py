"""Many futures of the open orders: the program of each, and what is kept of its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.state import State
from twin.loads import Load, load_of

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run
    from simulation.streams import Stream

NEW = "new "
"""Prefix of the orders that are still to arrive."""
_EXTRA = 0xFFFFFFFF
"""Stands for an order in the counters, apart from all that are drawn."""
COUNTED = ("wip", "completions", "arrivals")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Future:
    """Makes the program of one replication: the open orders, and new ones drawn for that replication."""

    metagraph: Metagraph
    state: State
    origin: datetime
    seed: int
    until_s: float
    extra: tuple[Order, ...] = ()
    """Orders that are added to every replication, before those drawn (a quote's); in each they take after
    another order of the past, if they have no attributes of their own."""
    policy: Any = None
    """A Policy, or an object written in Python; None: the twin's own rules."""

    def __call__(self, replication: int) -> Program:
        from simulation.arrivals import draw_orders
        from simulation.lowering import lower
        from simulation.orders import joined, orders_of
        from simulation.streams import Stream

        stream = Stream(self.seed, replication)
        orders = orders_of(
            self.metagraph, [taken_after(self.metagraph, o, stream, self.origin) for o in self.extra]
        )
        if self.metagraph.arrivals is not None:
            drawn = draw_orders(
                self.metagraph,
                self.origin + timedelta(seconds=self.state.at_s),
                origin=self.origin,
                seed=self.seed,
                replication=replication,
                until_s=self.until_s,
                first_at_start=False,
                prefix=NEW,
                unknown=True,
            )
            orders = joined(self.metagraph, orders, drawn)
        return lower(self.metagraph, orders, origin=self.origin, state=self.state, policy=self.policy)


def taken_after(metagraph: Metagraph, order: Order, stream: Stream, origin: datetime) -> Order:
    """The order with attributes, value and due date of one of the past, of its class and segment if it has
    any: or no business rule would ever hold for it, and rules of priority would lack what they ask for."""
    from simulation.arrival_levels import ARRIVALS
    from simulation.past_orders import Coming, dates, taken
    from simulation.streams import Purpose

    kinds = [
        kind
        for kind in metagraph.orders.classes
        if kind.sample is not None and order.cls in ("", kind.cls) and order.segment in ("", kind.segment)
    ]
    if order.attributes or not kinds:
        return order
    u = stream.uniform(_EXTRA, ARRIVALS, 0, Purpose.CLASS)
    sample = kinds[_picked([kind.share for kind in kinds], u)].sample
    assert sample is not None
    u = stream.uniform(_EXTRA, ARRIVALS, 1, Purpose.CLASS)
    zone = ZoneInfo(metagraph.arrivals.time_zone if metagraph.arrivals else "UTC")
    coming = Coming.one(order.release_s, zone, origin)
    which = taken(sample, coming, np.array([u]))
    row, due_s = sample.rows[int(which[0])], order.due_s
    found_s = float(dates(sample, coming, which)[0][0])
    if due_s is None and not np.isnan(found_s):
        due_s = found_s
    return replace(
        order,
        attributes={name: text for name, text in zip(sample.attributes, row.has, strict=True) if text},
        value=row.value if order.value is None else order.value,
        due_s=due_s,
    )


def _picked(weights: Sequence[float], u: float) -> int:
    """Which one of them a number between 0 and 1 falls on."""
    sums = np.cumsum(weights)
    return min(int(np.searchsorted(sums, u * sums[-1], side="right")), len(sums) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What is kept of one future; times in seconds since the origin."""

    gone_s: Floats
    """Per open order: when it was completed or lost; the end of the run if neither (see `cut`)."""
    lost: NDArray[np.bool_]
    """Per open order."""
    keys: NDArray[np.int64]
    """Open order times the number of activities plus activity: each that was worked on, ascending."""
    start_s: Floats
    """Per key: start of its first execution."""
    end_s: Floats
    """Per key: end of its last one."""
    agents_h: Floats
    """Per agent: hours of work on the open orders, NaN without any."""
    counts: NDArray[np.int64]
    """[horizon, COUNTED]"""
    load: Load | None
    """Now and at the horizons; None: wasn't asked for."""
    profit: Floats
    """Per open order, money; see simulation.money."""
    loss: Floats
    """Per open order, money that lateness and lost sale take."""
    terms: Floats
    """[simulation.money.TERMS, open order]: what their money goes by."""
    cut: bool
    """The run was broken off because orders piled up."""
    labels: tuple[str, ...]
    """The activities."""
    agents: tuple[str, ...]
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Collect:
    """Reduces a Run to a Sample, where it was made. The open orders are its first ones."""

    orders: int
    at_s: float
    horizons_h: tuple[float, ...] = ()
    loads: bool = False
    """Keep the load ahead too."""

    def __call__(self, run: Run) -> Sample:
        from simulation.money import terms

        assert run.log is not None
        log, network = run.log, run.program.network
        mine = np.flatnonzero(log.order < self.orders)
        starts = log.start_s[mine]
        ends = np.where(np.isnan(log.end_s[mine]), run.until_s, log.end_s[mine])
        label = network.nodes["label"][log.node[mine]]
        which = log.order[mine].astype(np.int64) * len(network.labels) + label
        keys, row = np.unique(which, return_inverse=True)
        first, last = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
        np.minimum.at(first, row, starts)
        np.maximum.at(last, row, ends)
        lost_s = run.lost_s[: self.orders]
        gone_s = np.fmin(run.completed_s[: self.orders], lost_s)
        gone_s = np.where(np.isnan(gone_s), run.until_s, gone_s)
        of = terms(run.program, slice(self.orders))
        profit, loss = worth(of, gone_s, ~np.isnan(lost_s), self.at_s)
        return Sample(
            gone_s=gone_s,
            lost=~np.isnan(lost_s),
            keys=keys,
            start_s=first,
            end_s=last,
            agents_h=_hours(
                log.agent[mine], (ends - np.maximum(starts, self.at_s)) / 3600, len(network.agent_ids)
            ),
            counts=self._counts(run),
            load=self._load(run) if self.loads else None,
            profit=profit,
            loss=loss,
            terms=of,
            cut=run.stopped not in ("end", "horizon"),
            labels=network.labels,
            agents=network.agent_ids,
            queues=network.queue_ids,
        )

    def _load(self, run: Run) -> Load:
        return load_of(run, self.at_s + 3600.0 * np.array((0.0, *self.horizons_h)))

    def _counts(self, run: Run) -> NDArray[np.int64]:
        release_s = run.program.orders.table["release_s"]
        new = release_s > self.at_s
        gone_s = np.fmin(run.completed_s, run.lost_s)
        counts = np.zeros((len(self.horizons_h), len(COUNTED)), np.int64)
        for i, hours in enumerate(self.horizons_h):
            t = self.at_s + hours * 3600
            here, gone = release_s <= t, gone_s <= t
            counts[i] = (here & ~gone).sum(), (run.completed_s <= t).sum(), (here & new).sum()
        return counts


def worth(of: Floats, gone_s: Floats, lost: NDArray[np.bool_], at_s: float) -> tuple[Floats, Floats]:
    """Money that orders yield by their terms, gone at these instants, and what lateness and lost sale take
    of it: what each would yield on its due date (at `at_s` without one) less what it does, or 0."""
    from simulation.money import TERMS, yields

    due_s = of[TERMS.index("due_s")]
    yielded = yields(of, np.where(lost, np.inf, gone_s))
    return yielded, np.maximum(yields(of, np.where(np.isfinite(due_s), due_s, at_s)) - yielded, 0.0)


def _hours(agents: NDArray[np.int32], hours: Floats, n: int) -> Floats:
    somebody = agents >= 0
    work = np.bincount(agents[somebody], hours[somebody], minlength=n)
    return np.where(np.bincount(agents[somebody], minlength=n) > 0, work, np.nan)


def grouped_quantiles(
    groups: NDArray[np.int64], values: Floats, levels: tuple[float, ...]
) -> tuple[Floats, ...]:
    """Quantiles of the values of each group, linear between them, in the order of ascending groups: one array
    a level."""
    order = np.lexsort((values, groups))
    ordered = values[order]
    _, first, n = np.unique(groups[order], return_index=True, return_counts=True)
    found = []
    for level in levels:
        position = level * (n - 1)
        low = np.floor(position).astype(np.int64)
        high = np.minimum(low + 1, n - 1)
        below, above = ordered[first + low], ordered[first + high]
        found.append(below + (above - below) * (position - low))
    return tuple(found)

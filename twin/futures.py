"""Many futures of the open orders: the program of each, and what is kept of its run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.state import State

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run

NEW = "new "
"""Prefix of the orders that are still to arrive."""
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
    """Orders that are added to every replication, before those drawn (a quote's)."""

    def __call__(self, replication: int) -> Program:
        from simulation.arrivals import draw_orders
        from simulation.lowering import lower
        from simulation.orders import joined, orders_of

        orders = orders_of(self.metagraph, self.extra)
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
        return lower(self.metagraph, orders, origin=self.origin, state=self.state)


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
    cut: bool
    """The run was broken off because orders piled up."""
    labels: tuple[str, ...]
    """The activities."""
    agents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Collect:
    """Reduces a Run to a Sample, where it was made. The open orders are its first ones."""

    orders: int
    at_s: float
    horizons_h: tuple[float, ...] = ()

    def __call__(self, run: Run) -> Sample:
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
        return Sample(
            gone_s=np.where(np.isnan(gone_s), run.until_s, gone_s),
            lost=~np.isnan(lost_s),
            keys=keys,
            start_s=first,
            end_s=last,
            agents_h=_hours(
                log.agent[mine], (ends - np.maximum(starts, self.at_s)) / 3600, len(network.agent_ids)
            ),
            counts=self._counts(run),
            cut=run.stopped not in ("end", "horizon"),
            labels=network.labels,
            agents=network.agent_ids,
        )

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

"""What futures tell of the next executions of open orders, and of what the orders yield."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.futures import grouped_quantiles
from twin.worklists import SPREAD

if TYPE_CHECKING:
    from simulation.run import Run

DAY_S = 86400.0
Floats = NDArray[np.float64]
Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What is kept of one future: first executions that are ready in time, by ascending key."""

    keys: Longs
    """Open order times the number of nodes plus node."""
    ready_s: Floats
    start_s: Floats
    end_s: Floats
    agent: Longs
    """-1: nobody."""
    queue: Longs
    """-1: none."""
    gone_s: Floats
    """Per open order: completed or lost; the end of the run if neither."""
    lost: NDArray[np.bool_]
    profit: Floats
    """Per open order: money at its completion, and (second row) a day later; no rows if none has a value."""
    cut: bool


@dataclass(frozen=True, slots=True)
class Look:
    """Reduces a Run to a Glance, where it was made. The open orders are its first ones."""

    orders: int
    until_s: float
    """What is ready later doesn't matter."""

    def __call__(self, run: Run) -> Glance:
        log = run.executions
        mine = np.flatnonzero((log.order < self.orders) & (log.ready_s <= self.until_s))
        keys, first = np.unique(
            log.order[mine].astype(np.int64) * len(run.program.network.nodes) + log.node[mine],
            return_index=True,
        )
        rows = mine[first]
        lost_s = run.lost_s[: self.orders]
        gone_s = np.fmin(run.completed_s[: self.orders], lost_s)
        ends = log.end_s[rows]
        return Glance(
            keys=keys,
            ready_s=log.ready_s[rows].copy(),
            start_s=log.start_s[rows].copy(),
            end_s=np.where(np.isnan(ends), run.until_s, ends),
            agent=log.agent[rows].astype(np.int64),
            queue=log.queue[rows].astype(np.int64),
            gone_s=np.where(np.isnan(gone_s), run.until_s, gone_s),
            lost=~np.isnan(lost_s),
            profit=self._profits(run),
            cut=run.stopped not in ("end", "horizon"),
        )

    def _profits(self, run: Run) -> Floats:
        """[at completion or a day later, open order]"""
        from simulation.money import profits_at

        if not run.program.orders.table["value"].any():
            return np.zeros((0, self.orders))
        at_s = np.where(np.isnan(run.completed_s), run.until_s, run.completed_s)
        at_s[run.lost] = np.inf
        return np.array([profits_at(run.program, at_s + late_s)[: self.orders] for late_s in (0.0, DAY_S)])


@dataclass(frozen=True, slots=True)
class Next:
    """The next execution of one task of one order over the futures; seconds at SPREAD."""

    probability: float
    """Share of futures in which it is ready in time (and begun at all)."""
    ready_s: tuple[float, float, float]
    start_s: tuple[float, float, float]
    end_s: tuple[float, float, float]
    agents: dict[int, float]
    """Share of all futures in which each one does it."""
    queue: int
    """The most frequent; -1: none."""


def nexts(glances: Sequence[Glance], nodes: int) -> dict[tuple[int, int], Next]:
    """By open order and node."""
    n = len(glances)
    keys = np.concatenate([one.keys for one in glances])
    if not len(keys):
        return {}
    columns = [
        grouped_quantiles(keys, np.concatenate([getattr(one, name) for one in glances]), SPREAD)
        for name in ("ready_s", "start_s", "end_s")
    ]
    order = np.argsort(keys, kind="stable")
    agent = np.concatenate([one.agent for one in glances])[order]
    queue = np.concatenate([one.queue for one in glances])[order]
    found, first, counts = np.unique(keys[order], return_index=True, return_counts=True)
    result = {}
    for i, key in enumerate(found.tolist()):
        rows = slice(int(first[i]), int(first[i] + counts[i]))
        who, times = np.unique(agent[rows], return_counts=True)
        where, often = np.unique(queue[rows], return_counts=True)
        ready, start, end = ((float(c[0][i]), float(c[1][i]), float(c[2][i])) for c in columns)
        result[divmod(key, nodes)] = Next(
            probability=float(counts[i]) / n,
            ready_s=ready,
            start_s=start,
            end_s=end,
            agents={int(a): float(k) / n for a, k in zip(who, times, strict=True)},
            queue=int(where[often.argmax()]),
        )
    return result

"""Forecast: every open order simulated to its end, many times, from where it stands now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.state import OpenOrder, State
from twin.outlook import LEVELS, AgentLoad, Forecast, OrderOutlook, SystemOutlook, TaskOutlook
from twin.progress import Progress
from twin.state import state_of

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from simulation.program import Program
    from simulation.run import Run

REPLICATIONS = 200
STALE_S = 7 * 86400.0
NEW = "new "
"""Prefix of the orders that are still to arrive."""


def forecast(
    metagraph: Metagraph,
    snapshot: Snapshot,
    *,
    open_rule: str,
    replications: int = REPLICATIONS,
    horizons_h: Sequence[float] = (),
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """Completion quantiles of every order open at the snapshot's `until_s`.

    `replications` futures start from the state then; new orders arrive and compete for the agents.
    """
    from simulation.replicate import replicate

    progress = progress or Progress()
    progress.step("replaying the open orders", 0.0)
    state, notes = state_of(metagraph, snapshot)
    until_s = arrivals_until(metagraph, snapshot, horizons_h)
    future = Future(metagraph, state, snapshot.origin, seed, until_s)
    collect = _Collect(tuple(o.order.id for o in state.orders), state.at_s, tuple(horizons_h))
    samples = replicate(
        future,
        seed,
        replications,
        workers=workers,
        reduce=collect,
        progress=lambda done, total: progress.step(f"future {done} of {total}", done / total),
    )
    return Forecast(
        as_of=_instant(snapshot.origin, state.at_s),
        replications=replications,
        open_rule=open_rule,
        orders=tuple(_orders(metagraph, state, samples, snapshot.origin)),
        system=tuple(_system(samples, horizons_h)),
        agents=tuple(_agents(samples)),
        notes=(*_stale(snapshot), *notes),
    )


def _stale(snapshot: Snapshot) -> list[str]:
    """A note where the log stops long before the instant of the forecast."""
    last_s = float(np.nanmax(np.concatenate([snapshot.start_s, snapshot.end_s])))
    if snapshot.until_s - last_s <= STALE_S:
        return []
    last = _instant(snapshot.origin, last_s)
    days = (snapshot.until_s - last_s) / 86400
    return [
        f"the log's last event is of {last:%Y-%m-%d %H:%M} UTC: nothing is known of the {days:.0f} days since"
    ]


def arrivals_until(metagraph: Metagraph, snapshot: Snapshot, horizons_h: Sequence[float]) -> float:
    """New orders arrive for as long as they can matter: the horizons, and the q95 of past cycle times."""
    done = ~snapshot.is_open
    last = np.fmax.reduceat(snapshot.end_s, snapshot.offsets[:-1]) if snapshot.n_cases else np.zeros(0)
    first = np.minimum.reduceat(snapshot.start_s, snapshot.offsets[:-1]) if snapshot.n_cases else np.zeros(0)
    cycle = (last - first)[done]
    typical = float(np.nanquantile(cycle, 0.95)) if len(cycle) else 30 * 86400.0
    return snapshot.until_s + max([typical, 86400.0, *(h * 3600 for h in horizons_h)])


@dataclass(frozen=True, slots=True)
class Future:
    """Makes the program of one replication: the open orders, and new ones drawn for that replication."""

    metagraph: Metagraph
    state: State
    origin: datetime
    seed: int
    until_s: float
    extra: tuple[Order, ...] = ()
    """Orders that are added to every replication (a quote's)."""

    def __call__(self, replication: int) -> Program:
        from simulation.arrivals import generate_orders
        from simulation.program import lower

        orders: tuple[Order, ...] = ()
        if self.metagraph.arrivals is not None:
            orders = generate_orders(
                self.metagraph,
                _instant(self.origin, self.state.at_s),
                origin=self.origin,
                seed=self.seed,
                replication=replication,
                until_s=self.until_s,
                first_at_start=False,
                prefix=NEW,
            )
        return lower(self.metagraph, (*self.extra, *orders), origin=self.origin, state=self.state)


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """What is kept of one replication."""

    completed_s: NDArray[np.float64]
    """Per open order."""
    executions: dict[tuple[int, str], tuple[float, float]]
    """(open order, activity) -> start of its first and end of its last execution, seconds."""
    agents: dict[str, float]
    """Hours of work on the open orders."""
    counts: dict[tuple[float, str], int]


@dataclass(frozen=True, slots=True)
class _Collect:
    """Reduces a Run to a _Sample, where it was made."""

    cases: tuple[str, ...]
    at_s: float
    horizons_h: tuple[float, ...]

    def __call__(self, run: Run) -> _Sample:
        index = {name: i for i, name in enumerate(run.order_ids)}
        rows = np.array([index[case] for case in self.cases], dtype=int)
        back = np.full(len(run.order_ids), -1)
        back[rows] = np.arange(len(rows))
        executions: dict[tuple[int, str], tuple[float, float]] = {}
        agents: dict[str, float] = {}
        for i in np.flatnonzero(back[run.order] >= 0):
            key = (int(back[run.order[i]]), run.labels[run.task[i]])
            start, end = float(run.start_s[i]), float(run.end_s[i])
            known = executions.get(key)
            executions[key] = (start, end) if known is None else (min(known[0], start), max(known[1], end))
            if run.agent[i] >= 0:
                name = run.agents[run.agent[i]]
                agents[name] = agents.get(name, 0.0) + (end - max(start, self.at_s)) / 3600
        return _Sample(run.completed_s[rows], executions, agents, self._counts(run))

    def _counts(self, run: Run) -> dict[tuple[float, str], int]:
        counts: dict[tuple[float, str], int] = {}
        for h in self.horizons_h:
            t = self.at_s + h * 3600
            here = run.release_s <= t
            gone = run.completed_s <= t
            counts[h, "arrivals"] = int((here & (run.release_s > self.at_s)).sum())
            counts[h, "completions"] = int(gone.sum())
            counts[h, "wip"] = int((here & ~gone).sum())
        return counts


def _orders(
    metagraph: Metagraph, state: State, samples: Sequence[_Sample], origin: datetime
) -> list[OrderOutlook]:
    completed = np.array([s.completed_s for s in samples]).reshape(len(samples), len(state.orders))
    outlooks = []
    for i, order in enumerate(state.orders):
        quantiles = np.quantile(completed[:, i], LEVELS)
        due = order.order.due_s
        outlooks.append(
            OrderOutlook(
                case_id=order.order.id,
                standing=_standing(metagraph, order, origin),
                quantiles=tuple(_instant(origin, q) for q in quantiles),
                tasks=tuple(_remaining(i, order, samples, origin, metagraph)),
                due=None if due is None else _instant(origin, due),
                late_probability=None if due is None else float((completed[:, i] > due).mean()),
            )
        )
    return outlooks


def _standing(metagraph: Metagraph, order: OpenOrder, origin: datetime) -> str:
    labels = {task.id: task.label for task in metagraph.tasks()}
    parts = []
    for position in order.positions:
        since = _instant(origin, position.enabled_s if position.started_s is None else position.started_s)
        if position.node not in labels:
            parts.append(f"after {position.after or 'its arrival'} since {since:%Y-%m-%d %H:%M}")
        elif position.started_s is None:
            parts.append(f"waits for {labels[position.node]} since {since:%Y-%m-%d %H:%M}")
        else:
            who = f" by {position.agent}" if position.agent else ""
            parts.append(f"{labels[position.node]}{who} running since {since:%Y-%m-%d %H:%M}")
    return "; ".join(parts)


def _remaining(
    i: int, order: OpenOrder, samples: Sequence[_Sample], origin: datetime, metagraph: Metagraph
) -> list[TaskOutlook]:
    """Remaining tasks in the order of their median starts."""
    labels = {task.id: task.label for task in metagraph.tasks()}
    running = {labels[p.node] for p in order.positions if p.started_s is not None and p.node in labels}
    spans: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        for (who, label), span in sample.executions.items():
            if who == i:
                spans.setdefault(label, []).append(span)
    outlooks = []
    for label, found in spans.items():
        low, mid, high = np.quantile(np.array(found), (0.1, 0.5, 0.9), axis=0)
        outlooks.append(
            TaskOutlook(
                activity=label,
                probability=len(found) / len(samples),
                running=label in running,
                start=(_instant(origin, low[0]), _instant(origin, mid[0]), _instant(origin, high[0])),
                end=(_instant(origin, low[1]), _instant(origin, mid[1]), _instant(origin, high[1])),
            )
        )
    return sorted(outlooks, key=lambda task: (task.start[1], task.activity))


def _system(samples: Sequence[_Sample], horizons_h: Sequence[float]) -> list[SystemOutlook]:
    return [
        SystemOutlook(h, metric, tuple(np.quantile([s.counts[h, metric] for s in samples], LEVELS)))
        for h in horizons_h
        for metric in ("wip", "completions", "arrivals")
    ]


def _agents(samples: Sequence[_Sample]) -> list[AgentLoad]:
    names = sorted({name for sample in samples for name in sample.agents})
    loads = []
    for name in names:
        low, mid, high = np.quantile([s.agents.get(name, 0.0) for s in samples], (0.1, 0.5, 0.9))
        loads.append(AgentLoad(name, (float(low), float(mid), float(high))))
    return sorted(loads, key=lambda load: -load.work_h[1])


def _instant(origin: datetime, seconds: float) -> datetime:
    return origin + timedelta(seconds=float(seconds))

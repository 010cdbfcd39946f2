"""What many futures say of each open order: when it and its tasks end, whether late, and for what money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from metagraph.model import Metagraph
from metagraph.state import OpenOrder, State
from twin.futures import Sample, grouped_quantiles
from twin.outlook import LEVELS, SURE, Between, OrderOutlook, TaskOutlook
from twin.sampling import Floats, between, expected, quantiles
from twin.words import share_interval

_SPREAD = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """What the simulation alone says, where dates are from it and the log together."""

    gone_s: Floats
    """[future, order]"""
    weight: float
    """Of the simulation."""


def order_outlooks(
    metagraph: Metagraph,
    state: State,
    samples: Sequence[Sample],
    origin: datetime,
    alone: Alone | None = None,
) -> Iterator[OrderOutlook]:
    """One an order, in the order of the state: every number of it from the same futures."""
    n = len(samples), len(state.orders)
    gone = np.array([sample.gone_s for sample in samples]).reshape(n)
    lost = np.array([sample.lost for sample in samples]).reshape(n)
    profit = np.array([sample.profit for sample in samples]).reshape(n)
    loss = np.array([sample.loss for sample in samples]).reshape(n)
    levels = quantiles(gone, LEVELS) if state.orders else gone
    simulated = quantiles(alone.gone_s, LEVELS) if alone is not None and state.orders else None
    moved = (gone != alone.gone_s).any(axis=0) if alone is not None else np.zeros(n[1], bool)
    sure = _sure(gone, origin, alone)
    tasks = _remaining(metagraph, state, samples, origin)
    for i, order in enumerate(state.orders):
        due, patience = order.order.due_s, order.order.lost_s
        late = None if due is None else int(((gone[:, i] > due) | lost[:, i]).sum())
        left = None if patience is None else int(lost[:, i].sum())
        priced = order.order.value is not None
        yield OrderOutlook(
            case_id=order.order.id,
            standing=_standing(metagraph, order, origin),
            quantiles=tuple(instant(origin, q) for q in levels[:, i]),
            tasks=tuple(sorted(tasks[i], key=lambda task: (task.start[1], task.activity))),
            due=None if due is None else instant(origin, due),
            late_probability=None if late is None else late / n[0],
            lost_probability=None if left is None else left / n[0],
            sure=sure[i],
            late_between=None if late is None else share_interval(late / n[0], n[0]),
            lost_between=None if left is None else share_interval(left / n[0], n[0]),
            profit=expected(profit[:, i]) if priced else None,
            loss=expected(loss[:, i]) if priced else None,
            simulated=tuple(instant(origin, q) for q in simulated[:, i])
            if simulated is not None and moved[i]
            else (),
        )


def _sure(gone: Floats, origin: datetime, alone: Alone | None) -> list[dict[str, Between]]:
    """Of each order the intervals of the quantiles SURE. More futures would move the simulation's part of a
    date alone."""
    found: list[dict[str, Between]] = [{} for _ in range(gone.shape[1])]
    simulated, weight = (
        (gone, np.ones(gone.shape[1])) if alone is None else (alone.gone_s, _weights(gone, alone))
    )
    for name in SURE:
        level = int(name) / 100
        middle, before = (quantiles(one, [level])[0] for one in (gone, simulated))
        ends = [
            None if end is None else middle + weight * (end - before) for end in between(simulated, level)
        ]
        for i, one in enumerate(found):
            low, high = (None if end is None else instant(origin, end[i]) for end in ends)
            one[name] = low, high
    return found


def _weights(gone: Floats, alone: Alone) -> Floats:
    """Of the simulation in each order's dates."""
    return np.where((gone != alone.gone_s).any(axis=0), alone.weight, 1.0)


def _standing(metagraph: Metagraph, order: OpenOrder, origin: datetime) -> str:
    labels = {task.id: task.label for task in metagraph.tasks()}
    parts = []
    for position in order.positions:
        since = instant(origin, position.enabled_s if position.started_s is None else position.started_s)
        if position.node not in labels:
            parts.append(f"after {position.after or 'its arrival'} since {since:%Y-%m-%d %H:%M}")
        elif position.started_s is None:
            parts.append(f"waits for {labels[position.node]} since {since:%Y-%m-%d %H:%M}")
        else:
            who = f" by {position.agent}" if position.agent else ""
            parts.append(f"{labels[position.node]}{who} running since {since:%Y-%m-%d %H:%M}")
    return "; ".join(parts)


def _remaining(
    metagraph: Metagraph, state: State, samples: Sequence[Sample], origin: datetime
) -> list[list[TaskOutlook]]:
    """The remaining tasks of each open order."""
    names = {task.id: task.label for task in metagraph.tasks()}
    labels = samples[0].labels
    running = [
        {names[p.node] for p in order.positions if p.started_s is not None and p.node in names}
        for order in state.orders
    ]
    keys = np.concatenate([sample.keys for sample in samples])
    starts = grouped_quantiles(keys, np.concatenate([sample.start_s for sample in samples]), _SPREAD)
    ends = grouped_quantiles(keys, np.concatenate([sample.end_s for sample in samples]), _SPREAD)
    found, n = np.unique(keys, return_counts=True)
    outlooks: list[list[TaskOutlook]] = [[] for _ in state.orders]
    for j, key in enumerate(found.tolist()):
        i, label = divmod(key, len(labels))
        outlooks[i].append(
            TaskOutlook(
                activity=labels[label],
                probability=float(n[j]) / len(samples),
                running=labels[label] in running[i],
                start=(
                    instant(origin, starts[0][j]),
                    instant(origin, starts[1][j]),
                    instant(origin, starts[2][j]),
                ),
                end=(
                    instant(origin, ends[0][j]),
                    instant(origin, ends[1][j]),
                    instant(origin, ends[2][j]),
                ),
            )
        )
    return outlooks


def instant(origin: datetime, seconds: float) -> datetime:
    """Seconds since the origin as an instant."""
    return origin + timedelta(seconds=float(seconds))

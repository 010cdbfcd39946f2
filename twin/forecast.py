"""Forecast: every open order simulated to its end, many times, from where it stands now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from metagraph.model import Metagraph
from metagraph.state import OpenOrder, State
from twin.futures import COUNTED, Collect, Future, Sample, grouped_quantiles
from twin.outlook import LEVELS, AgentLoad, Forecast, OrderOutlook, SystemOutlook, TaskOutlook
from twin.progress import Progress
from twin.running import engine_text, many
from twin.state import state_of

if TYPE_CHECKING:
    from eventlogs.live.state import Eta
    from eventlogs.snapshot import Snapshot

REPLICATIONS = 200
STALE_S = 7 * 86400.0
_SPREAD = (0.1, 0.5, 0.9)


def forecast(
    metagraph: Metagraph,
    snapshot: Snapshot,
    *,
    open_rule: str,
    etas: Mapping[str, Sequence[Eta]] | None = None,
    replications: int = REPLICATIONS,
    horizons_h: Sequence[float] = (),
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """Completion quantiles of every order open at the snapshot's `until_s`.

    `replications` futures start from the state then; new orders arrive and compete for the agents. `etas` by
    case, told by then.
    """
    progress = progress or Progress()
    progress.step("replaying the open orders", 0.0)
    state, notes = state_of(metagraph, snapshot, etas)
    until_s = arrivals_until(metagraph, snapshot, horizons_h)
    future = Future(metagraph, state, snapshot.origin, seed, until_s)
    collect = Collect(len(state.orders), state.at_s, tuple(horizons_h))
    made = many(future, seed, replications, reduce=collect, workers=workers, progress=progress, what="future")
    samples = made.values
    return Forecast(
        as_of=_instant(snapshot.origin, state.at_s),
        replications=replications,
        open_rule=open_rule,
        orders=tuple(_orders(metagraph, state, samples, snapshot.origin)),
        system=tuple(_system(samples, horizons_h)),
        agents=tuple(_agents(samples)),
        notes=(*_stale(snapshot), *_cut(samples), *notes),
        engine=engine_text(made.engine),
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


def _cut(samples: Sequence[Sample]) -> list[str]:
    """A note where orders piled up without end."""
    n = sum(sample.cut for sample in samples)
    if not n:
        return []
    return [
        f"{n} of {len(samples)} futures were broken off because orders piled up: more arrive than the "
        "twin's agents can do, so dates are too early there"
    ]


def arrivals_until(metagraph: Metagraph, snapshot: Snapshot, horizons_h: Sequence[float]) -> float:
    """New orders arrive for as long as they can matter: the horizons, and the q95 of past cycle times."""
    from eventlogs.bounds import case_bounds

    done = ~snapshot.is_open
    last = np.fmax.reduceat(snapshot.end_s, snapshot.offsets[:-1]) if snapshot.n_cases else np.zeros(0)
    first, _ = case_bounds(snapshot)
    cycle = (last - first)[done]
    typical = float(np.nanquantile(cycle, 0.95)) if len(cycle) else 30 * 86400.0
    return snapshot.until_s + max([typical, 86400.0, *(h * 3600 for h in horizons_h)])


def _orders(
    metagraph: Metagraph, state: State, samples: Sequence[Sample], origin: datetime
) -> Iterator[OrderOutlook]:
    gone = np.array([sample.gone_s for sample in samples]).reshape(len(samples), len(state.orders))
    lost = np.array([sample.lost for sample in samples]).reshape(gone.shape)
    quantiles = np.quantile(gone, LEVELS, axis=0) if state.orders else gone
    tasks = _remaining(metagraph, state, samples, origin)
    for i, order in enumerate(state.orders):
        due, patience = order.order.due_s, order.order.lost_s
        yield OrderOutlook(
            case_id=order.order.id,
            standing=_standing(metagraph, order, origin),
            quantiles=tuple(_instant(origin, q) for q in quantiles[:, i]),
            tasks=tuple(sorted(tasks[i], key=lambda task: (task.start[1], task.activity))),
            due=None if due is None else _instant(origin, due),
            late_probability=None if due is None else float(((gone[:, i] > due) | lost[:, i]).mean()),
            lost_probability=None if patience is None else float(lost[:, i].mean()),
        )


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
                    _instant(origin, starts[0][j]),
                    _instant(origin, starts[1][j]),
                    _instant(origin, starts[2][j]),
                ),
                end=(
                    _instant(origin, ends[0][j]),
                    _instant(origin, ends[1][j]),
                    _instant(origin, ends[2][j]),
                ),
            )
        )
    return outlooks


def _system(samples: Sequence[Sample], horizons_h: Sequence[float]) -> Iterator[SystemOutlook]:
    counts = np.array([sample.counts for sample in samples])
    for i, hours in enumerate(horizons_h):
        for j, metric in enumerate(COUNTED):
            yield SystemOutlook(hours, metric, tuple(np.quantile(counts[:, i, j], LEVELS).tolist()))


def _agents(samples: Sequence[Sample]) -> list[AgentLoad]:
    hours = np.array([sample.agents_h for sample in samples])
    loads = []
    for i, agent in enumerate(samples[0].agents):
        if np.isnan(hours[:, i]).all():
            continue
        low, mid, high = np.quantile(np.nan_to_num(hours[:, i]), _SPREAD).tolist()
        loads.append(AgentLoad(agent, (low, mid, high)))
    return sorted(loads, key=lambda load: (-load.work_h[1], load.agent))


def _instant(origin: datetime, seconds: float) -> datetime:
    return origin + timedelta(seconds=float(seconds))

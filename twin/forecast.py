"""Forecast: every open order simulated to its end, many times, from where it stands now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from metagraph.state import State
from twin.forecast_orders import instant, order_outlooks
from twin.futures import COUNTED, Collect, Future, Sample
from twin.horizons import arrivals_until, typical_s, usual_horizons
from twin.loads import outlooks
from twin.outlook import LEVELS, AgentLoad, Expected, Forecast, SystemOutlook
from twin.progress import Progress
from twin.running import engine_text, many
from twin.sampling import expected, quantiles
from twin.state import stale, state_of

if TYPE_CHECKING:
    from eventlogs.live.state import Eta
    from eventlogs.snapshot import Snapshot

REPLICATIONS = 200
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
    """Completion quantiles of every order open at the snapshot's `until_s`, and the load ahead.

    `replications` futures start from the state then; new orders arrive and compete for the agents. Counts and
    loads are told at `horizons_h`, or for about as long as most orders take. `etas` by case, told by then.
    """
    progress = progress or Progress()
    progress.step("replaying the open orders", 0.0)
    state, notes = state_of(metagraph, snapshot, etas)
    horizons_h = tuple(horizons_h) or usual_horizons(typical_s(snapshot))
    until_s = arrivals_until(metagraph, snapshot, horizons_h)
    future = Future(metagraph, state, snapshot.origin, seed, until_s)
    collect = Collect(len(state.orders), state.at_s, horizons_h, loads=True)
    made = many(future, seed, replications, reduce=collect, workers=workers, progress=progress, what="future")
    samples = made.values
    priced = np.array([order.order.value is not None for order in state.orders], bool)
    loads = [sample.load for sample in samples if sample.load is not None]
    return Forecast(
        as_of=instant(snapshot.origin, state.at_s),
        replications=replications,
        open_rule=open_rule,
        orders=tuple(order_outlooks(metagraph, state, samples, snapshot.origin)),
        system=tuple(_system(samples, horizons_h)),
        agents=tuple(_agents(samples)),
        notes=(*stale(snapshot), *_cut(samples), *notes),
        engine=engine_text(made.engine),
        loads=tuple(outlooks(loads, samples[0].agents, samples[0].queues, (0.0, *horizons_h))),
        profit=_together([sample.profit for sample in samples], priced),
        loss=_together([sample.loss for sample in samples], priced),
        late=_late(state, samples),
    )


def _together(money: Sequence[NDArray[np.float64]], priced: NDArray[np.bool_]) -> Expected | None:
    """Of the open orders that have a value."""
    return expected([float(one[priced].sum()) for one in money]) if priced.any() else None


def _late(state: State, samples: Sequence[Sample]) -> Expected | None:
    """How many open orders will be late, of those with a due date."""
    dues = [order.order.due_s for order in state.orders]
    dated = np.array([due is not None for due in dues], bool)
    if not dated.any():
        return None
    due_s = np.array([np.inf if due is None else due for due in dues])
    return expected([int(((sample.gone_s > due_s) | sample.lost)[dated].sum()) for sample in samples])


def _cut(samples: Sequence[Sample]) -> list[str]:
    """A note where orders piled up without end."""
    n = sum(sample.cut for sample in samples)
    if not n:
        return []
    return [
        f"{n} of {len(samples)} futures were broken off because orders piled up: more arrive than the "
        "twin's agents can do, so dates are too early there"
    ]


def _system(samples: Sequence[Sample], horizons_h: Sequence[float]) -> Iterator[SystemOutlook]:
    levels = quantiles(np.array([sample.counts for sample in samples], np.float64), LEVELS)
    for i, hours in enumerate(horizons_h):
        for j, metric in enumerate(COUNTED):
            yield SystemOutlook(hours, metric, tuple(levels[:, i, j].tolist()))


def _agents(samples: Sequence[Sample]) -> list[AgentLoad]:
    hours = np.array([sample.agents_h for sample in samples])
    loads = []
    for i, agent in enumerate(samples[0].agents):
        if np.isnan(hours[:, i]).all():
            continue
        low, mid, high = np.quantile(np.nan_to_num(hours[:, i]), _SPREAD).tolist()
        loads.append(AgentLoad(agent, (low, mid, high)))
    return sorted(loads, key=lambda load: (-load.work_h[1], load.agent))

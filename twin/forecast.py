"""Forecast: every open order simulated to its end, many times, from where it stands now."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from metagraph.state import State
from twin.forecast_orders import Alone, instant, order_outlooks
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
    from twin.learned_forecast import Taught

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
    learning: bool = False,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """Completion quantiles of every order open at the snapshot's `until_s`, and the load ahead.

    `replications` futures start from the state then; new orders arrive and compete for the agents. Counts and
    loads are told at `horizons_h`, or for about as long as most orders take. `etas` by case, told by then.
    With `learning`, dates of orders without such are put together with what the log teaches; `keep`: a folder
    where that is kept for the next time.
    """
    progress = progress or Progress()
    progress.step("replaying the open orders", 0.0)
    state, notes = state_of(metagraph, snapshot, etas)
    horizons_h = tuple(horizons_h) or usual_horizons(typical_s(snapshot))
    until_s = arrivals_until(metagraph, snapshot, horizons_h)
    future = Future(metagraph, state, snapshot.origin, seed, until_s)
    collect = Collect(len(state.orders), state.at_s, horizons_h, loads=True)
    learning = learning and bool(state.orders)
    part = progress.part(0.0, 0.4 if learning else 1.0)
    made = many(future, seed, replications, reduce=collect, workers=workers, progress=part, what="future")
    samples: Sequence[Sample] = made.values
    alone, found = None, None
    if learning:
        from twin.learned_forecast import taught

        found = taught(metagraph, snapshot, horizons_h, seed, progress.part(0.4, 1.0), keep)
    if found is not None and not isinstance(found, str):
        alone = Alone(np.array([sample.gone_s for sample in samples]), found.weight)
        samples = _blended(metagraph, snapshot, state, samples, found, etas or {}, horizons_h)
    result = _told(metagraph, snapshot, state, samples, alone, horizons_h)
    result = replace(result, open_rule=open_rule, engine=engine_text(made.engine))
    words = [found] if isinstance(found, str) else []
    if found is not None and not isinstance(found, str):
        result = _counted(result, snapshot, found)
    return replace(result, notes=(*stale(snapshot), *_cut(samples), *notes, *words))


def _told(
    metagraph: Metagraph,
    snapshot: Snapshot,
    state: State,
    samples: Sequence[Sample],
    alone: Alone | None,
    horizons_h: Sequence[float],
) -> Forecast:
    """What these futures say."""
    priced = np.array([order.order.value is not None for order in state.orders], bool)
    loads = [sample.load for sample in samples if sample.load is not None]
    return Forecast(
        as_of=instant(snapshot.origin, state.at_s),
        replications=len(samples),
        open_rule="",
        orders=tuple(order_outlooks(metagraph, state, samples, snapshot.origin, alone)),
        system=tuple(_system(samples, horizons_h)),
        agents=tuple(_agents(samples)),
        loads=tuple(outlooks(loads, samples[0].agents, samples[0].queues, (0.0, *horizons_h))),
        profit=_together([sample.profit for sample in samples], priced),
        loss=_together([sample.loss for sample in samples], priced),
        late=_late(state, samples),
    )


def _blended(
    metagraph: Metagraph,
    snapshot: Snapshot,
    state: State,
    samples: Sequence[Sample],
    found: Taught,
    etas: Collection[str],
    horizons_h: Sequence[float],
) -> Sequence[Sample]:
    """The futures with dates from simulation and log together."""
    from twin.blended import blended

    cases = [order.order.id for order in state.orders]
    levels = np.arange(1, len(samples) + 1) / (len(samples) + 1)
    dates = state.at_s + found.quantiles(cases, levels)
    dates[[case in etas for case in cases]] = np.nan
    if found.weight == 1.0:
        return samples
    return blended(metagraph, samples, dates, found.weight, state.at_s, horizons_h, snapshot.origin)


def _counted(result: Forecast, snapshot: Snapshot, found: Taught) -> Forecast:
    """The forecast with orders in process from the parts that past instants say are worth it."""
    from twin.learned_wip import in_process

    wip = {one.horizon_h: one for one in result.system if one.metric == "wip"}
    left = np.array([[(q - result.as_of).total_seconds() for q in o.quantiles] for o in result.orders])
    middles = np.array([one.quantiles[LEVELS.index(0.5)] for one in wip.values()])
    parts = in_process(snapshot, found.found, found.weight, tuple(wip), left, middles)
    for part, alone in zip(parts, middles.tolist(), strict=True):
        one = wip[part.horizon_h]
        q = np.array(one.quantiles) - alone + part.middle if part.quantiles is None else part.quantiles
        wip[part.horizon_h] = replace(one, quantiles=tuple(np.maximum(q, 0.0).tolist()))
    system = tuple(wip[one.horizon_h] if one.metric == "wip" else one for one in result.system)
    return replace(result, system=system, learnt=replace(found.summary(), in_process=parts))


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

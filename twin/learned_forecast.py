"""What the log teaches of how long open orders take, put together with the simulation.

Both forecast past instants of the log; what came of the orders then says how much either is worth. The
quantiles of the two are averaged with the weight that would have been best then. What-if questions, quotes,
loads, tasks and money are the simulation's alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from eventlogs.snapshot import Snapshot
from metagraph.model import Metagraph
from twin.forecast_scores import crps
from twin.learned_past import Past, group_codes, learn, open_rows, pasts
from twin.learned_rows import Floats
from twin.learned_wip import in_process, share_by, share_left
from twin.outlook import LEVELS, SURE, Between, Forecast, InProcess, Learnt, OrderOutlook, SystemOutlook
from twin.progress import Progress

WEIGHTS = tuple(k / 10 for k in range(11))
FEWEST_PAST = 30
"""With fewer past open orders nothing can be weighed, and the simulation is left alone."""


def with_learnt(
    metagraph: Metagraph,
    snapshot: Snapshot,
    simulated: Forecast,
    *,
    told: Collection[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Forecast:
    """The forecast with dates and counts of open orders from simulation and log together.

    `told`: cases with dates announced from outside, which stay as they are. Where the log holds too little to
    learn from, the simulation comes back with a sentence that says so.
    """
    progress = progress or Progress()
    progress.step("learning from the log", 0.0)
    hours = tuple(dict.fromkeys(one.horizon_h for one in simulated.system))
    groups = group_codes(metagraph, snapshot)
    found = pasts(metagraph, snapshot, hours, seed, progress.part(0.0, 0.8))
    n = sum(len(past.case) for past in found)
    progress.step("learning from all orders", 0.8)
    hazard = learn(snapshot, groups, seed) if n >= FEWEST_PAST else None
    if hazard is None:
        words = f"dates are the simulation's alone: {n} past open orders are too few to learn from"
        return replace(simulated, notes=(*simulated.notes, words))
    rows = open_rows(metagraph, snapshot)
    left = hazard.quantiles(rows, np.array(LEVELS))
    foretold = {snapshot.cases[case]: q for case, q in zip(rows.case.tolist(), left, strict=True)}
    gains = losses(found)
    weight = WEIGHTS[int(np.argmin(gains))]
    orders = tuple(
        _joined(order, foretold.get(order.case_id), weight, simulated.as_of)
        if order.case_id not in told
        else order
        for order in simulated.orders
    )
    system, parts = _system(simulated, orders, snapshot, found, weight)
    learnt = Learnt(
        weight=weight,
        instants=len(found),
        orders=n,
        loss_h=float(gains.min()) / 3600,
        loss_simulated_h=float(gains[-1]) / 3600,
        loss_learnt_h=float(gains[0]) / 3600,
        in_process=parts,
    )
    progress.step("done", 1.0)
    return replace(simulated, orders=orders, system=system, learnt=learnt)


def losses(found: Sequence[Past]) -> Floats:
    """Mean CRPS in seconds of past forecasts, by WEIGHTS of the simulation.

    Both what came and what was forecast count up to where the log stops, which is a proper score of what can
    be known of them (Gneiting and Ranjan 2011, weighted by the indicator of those times).
    """
    totals, n = np.zeros(len(WEIGHTS)), sum(len(past.case) for past in found)
    for past in found:
        left = np.minimum(past.left_s, past.seen_s)
        for i, weight in enumerate(WEIGHTS):
            q = np.minimum(weight * past.simulated + (1 - weight) * past.learnt, past.seen_s)
            totals[i] += crps(left, q).sum()
    return totals / max(n, 1)


def _joined(order: OrderOutlook, left: Floats | None, weight: float, as_of: datetime) -> OrderOutlook:
    """The order's dates with those learnt; money and the chance of losing it stay the simulation's."""
    if left is None or weight == 1.0:
        return order
    simulated = np.array([(q - as_of).total_seconds() for q in order.quantiles])
    both = weight * simulated + (1 - weight) * left
    late = order.late_probability
    if order.due is not None and late is not None:
        late = weight * late + (1 - weight) * (1 - share_by((order.due - as_of).total_seconds(), left))
    learnt_at = dict(zip([f"{level * 100:02.0f}" for level in LEVELS], left.tolist(), strict=True))

    def between(level: str, ends: Between) -> Between:
        moved = [
            None
            if end is None
            else as_of
            + timedelta(seconds=weight * (end - as_of).total_seconds() + (1 - weight) * learnt_at[level])
            for end in ends
        ]
        return moved[0], moved[1]

    return replace(
        order,
        quantiles=tuple(as_of + timedelta(seconds=float(q)) for q in both),
        simulated=order.quantiles,
        late_probability=late,
        late_between=None if weight < 1 else order.late_between,
        sure={level: between(level, order.sure[level]) for level in SURE if level in order.sure},
    )


def _system(
    simulated: Forecast,
    orders: Sequence[OrderOutlook],
    snapshot: Snapshot,
    found: Sequence[Past],
    weight: float,
) -> tuple[tuple[SystemOutlook, ...], tuple[InProcess, ...]]:
    """Counts at the horizons: completions with as many open orders as their dates say, and orders in process
    from the parts that past instants say are worth it."""
    hours = tuple(dict.fromkeys(one.horizon_h for one in simulated.system))
    left = np.array([_seconds(o.quantiles, simulated.as_of) for o in orders])
    alone = np.array([_seconds(o.simulated or o.quantiles, simulated.as_of) for o in orders])
    more = {hour: share_left(left, hour * 3600) - share_left(alone, hour * 3600) for hour in hours}
    middles = {o.horizon_h: o.quantiles[LEVELS.index(0.5)] for o in simulated.system if o.metric == "wip"}
    counts = np.array([middles[hour] + more[hour] for hour in hours])
    parts = in_process(snapshot, found, weight, hours, left, counts)
    told = []
    for one in simulated.system:
        q = np.array(one.quantiles)
        if one.metric == "completions":
            q = q - more[one.horizon_h]
        if one.metric == "wip":
            part = parts[hours.index(one.horizon_h)]
            q = (
                q - middles[one.horizon_h] + part.middle
                if part.quantiles is None
                else np.array(part.quantiles)
            )
        told.append(replace(one, quantiles=tuple(np.maximum(q, 0.0).tolist())))
    return tuple(told), parts


def _seconds(quantiles: Sequence[datetime], as_of: datetime) -> list[float]:
    return [(q - as_of).total_seconds() for q in quantiles]

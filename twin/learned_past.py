"""Forecasts of instants that are over, by the simulation and by what is learnt: what both are weighed by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eventlogs.snapshot import Snapshot
from eventlogs.split import known_at
from metagraph.model import Metagraph
from twin.learned_hazard import MOST_ROWS, Hazard, learnt
from twin.learned_rows import Floats, Ints, Rows, counted, last_s, past_instants, rows_at
from twin.outlook import LEVELS
from twin.progress import Progress

if TYPE_CHECKING:
    from metagraph.state import State

FIRST, LAST = 0.6, 0.97
"""Shares of the events between which the past instants lie."""
ENOUGH_ORDERS = 300
"""Open orders that all past instants together should have."""
FEWEST_TIMES, MOST_TIMES = 4, 24
FOLDS = 2
"""What is learnt from some orders forecasts the others."""
FUTURES = 50
_ROWS = 0.6 * MOST_ROWS
_FEWEST_INSTANTS, _MOST_INSTANTS = 20, 400


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """One past instant, its open orders, and how both forecast them; times in seconds from the instant."""

    at_s: float
    seen_s: float
    """To where the log stops."""
    left_s: Floats
    """Per order; infinite where it hasn't ended by then."""
    case: Ints
    simulated: Floats
    """[order, level]"""
    learnt: Floats
    wip: Floats
    """Orders open at the horizons that the log reaches; NaN beyond."""
    wip_simulated: Floats
    """[horizon, level]"""


def learn(snapshot: Snapshot, groups: Ints, seed: int) -> Hazard | None:
    """What the whole log teaches."""
    rows = past_rows(snapshot, groups)
    return learnt(snapshot, rows, seed) if len(rows) else None


def past_rows(snapshot: Snapshot, groups: Ints) -> Rows:
    """Open orders at past instants, about as many as are learnt from."""
    times = past_instants(snapshot, _ROWS, _FEWEST_INSTANTS, _MOST_INSTANTS)
    return rows_at(snapshot, times, groups)


def rows_bounds(snapshot: Snapshot) -> tuple[Floats, Floats]:
    """First start of every case, and its end; infinite for open ones."""
    from eventlogs.bounds import case_bounds

    return case_bounds(snapshot)[0], last_s(snapshot)


def pasts(
    metagraph: Metagraph, snapshot: Snapshot, horizons_h: Sequence[float], seed: int, progress: Progress
) -> list[Past]:
    """Past instants, forecast by the twin as it is, and by what the other orders teach.

    Both know what the whole log says of the process, and of each order what was known then.
    """
    groups = group_codes(metagraph, snapshot)
    rows = past_rows(snapshot, groups)
    fold = np.random.default_rng(seed).integers(0, FOLDS, snapshot.n_cases)
    hazards: list[Hazard] = []
    for k in range(FOLDS):
        progress.step(f"learning from past orders, part {k + 1} of {FOLDS}", 0.5 * k / FOLDS)
        others = rows.some(np.flatnonzero(fold[rows.case] != k))
        hazard = learnt(snapshot, others, seed) if len(others) else None
        if hazard is None:
            return []
        hazards.append(hazard)
    times, found = _times(snapshot), []
    for i, t in enumerate(times.tolist()):
        progress.step(f"past instant {i + 1} of {len(times)}", 0.5 + 0.5 * i / len(times))
        one = _past(metagraph, snapshot, hazards, fold, t, horizons_h, seed)
        if one is not None:
            found.append(one)
    return found


def _times(snapshot: Snapshot) -> Floats:
    marks = np.sort(np.concatenate([snapshot.start_s, snapshot.end_s[~np.isnan(snapshot.end_s)]]))
    first, last = rows_bounds(snapshot)
    some = np.quantile(marks, np.linspace(FIRST, LAST, 10))
    here = float(np.mean([((first <= t) & (last > t)).sum() for t in some]))
    n = min(max(math.ceil(ENOUGH_ORDERS / max(here, 1.0)), FEWEST_TIMES), MOST_TIMES)
    times = np.unique(np.quantile(marks, np.linspace(FIRST, LAST, n), method="lower")) + 1.0
    return np.asarray(times[times < snapshot.until_s], np.float64)


def _past(
    metagraph: Metagraph,
    snapshot: Snapshot,
    hazards: Sequence[Hazard],
    fold: Ints,
    t: float,
    horizons_h: Sequence[float],
    seed: int,
) -> Past | None:
    known = known_at(snapshot, t)
    rows = rows_at(known, [t], group_codes(metagraph, known), counted(snapshot))
    if not len(rows):
        return None
    place = {name: i for i, name in enumerate(snapshot.cases)}
    mine = np.array([place[known.cases[case]] for case in rows.case.tolist()])
    foretold = np.zeros((len(rows), len(LEVELS)))
    for k, hazard in enumerate(hazards):
        which = np.flatnonzero(fold[mine] == k)
        foretold[which] = hazard.quantiles(rows.some(which), np.array(LEVELS))
    simulated, wip_simulated = _simulated(metagraph, known, rows, horizons_h, seed)
    return Past(
        at_s=t,
        seen_s=snapshot.until_s - t,
        left_s=last_s(snapshot)[mine] - t,
        case=mine,
        simulated=simulated,
        learnt=foretold,
        wip=_wip(snapshot, t, horizons_h),
        wip_simulated=wip_simulated,
    )


def open_rows(metagraph: Metagraph, snapshot: Snapshot) -> Rows:
    """A row of every open order, now."""
    return rows_at(snapshot, [snapshot.until_s], group_codes(metagraph, snapshot))


def group_codes(metagraph: Metagraph, snapshot: Snapshot) -> Ints:
    """Class and segment of every case as numbers, where they are columns of the log: known from the
    beginning, as other attributes may not be."""
    names = [metagraph.orders.columns.get(role, "") for role in ("class", "segment")]
    columns = []
    for name, kinds in zip(names, _kinds(metagraph), strict=True):
        if name in snapshot.attributes:
            codes = {value: i for i, value in enumerate(kinds)}
            columns.append([codes.get(value or "", -1) for value in snapshot.attributes[name]])
    if not columns:
        return np.zeros((snapshot.n_cases, 0), np.int64)
    return np.array(columns, np.int64).T


def _kinds(metagraph: Metagraph) -> tuple[list[str], list[str]]:
    kinds = metagraph.orders.classes
    return sorted({kind.cls for kind in kinds}), sorted({kind.segment for kind in kinds})


def _wip(snapshot: Snapshot, t: float, horizons_h: Sequence[float]) -> Floats:
    first, last = rows_bounds(snapshot)
    then = [t + hours * 3600 for hours in horizons_h]
    return np.array(
        [((first <= u) & (last > u)).sum() if u <= snapshot.until_s else np.nan for u in then], np.float64
    )


def _simulated(
    metagraph: Metagraph, known: Snapshot, rows: Rows, horizons_h: Sequence[float], seed: int
) -> tuple[Floats, Floats]:
    """Quantiles of the seconds left of every row's order, and of WIP at the horizons."""
    from twin.futures import Collect, Future
    from twin.horizons import arrivals_until
    from twin.running import many
    from twin.sampling import quantiles
    from twin.state import state_of

    state: State = state_of(metagraph, known, None)[0]
    future = Future(metagraph, state, known.origin, seed, arrivals_until(metagraph, known, horizons_h))
    collect = Collect(len(state.orders), state.at_s, tuple(horizons_h))
    made = many(future, seed, FUTURES, reduce=collect, workers=1, progress=Progress(), what="past future")
    gone = quantiles(np.array([sample.gone_s for sample in made.values]), LEVELS).T - state.at_s
    place = {order.order.id: i for i, order in enumerate(state.orders)}
    mine = [place[known.cases[case]] for case in rows.case.tolist()]
    counts = np.array([sample.counts[:, 0] for sample in made.values], np.float64)
    return np.maximum(gone[mine], 0.0), quantiles(counts, LEVELS).T

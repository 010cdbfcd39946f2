"""Quantiles of the time that is left by gradient boosting on what was known of cases: no process, no twin.

Learns log(1 + hours left) of cases as they stood at past instants. Cases that are still open get ends drawn
from its own forecast of them, at first from residual life, and all is fitted again with those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.learned_rows import CODED, COLUMNS, Rows, past_instants, rows_at
from twin.outlook import LEVELS
from twin.residual_life import by_age

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]
Fit = Callable[[Floats, Floats, float, Floats], Floats]
"""From features, targets, a level and the features asked for to that quantile of the targets."""

ROWS = 8000
_INSTANTS = 20, 2000
_AGENT = COLUMNS.index("agent")
NAMES = [c - (c > _AGENT) for c in CODED if c != _AGENT]
"""Columns that are names. Agents are left out: with them forecasts were worse."""
SOME = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
"""Levels that are fitted; between them quantiles are interpolated."""


def boosted(snapshot: Snapshot) -> Floats:
    """Quantiles at LEVELS of the seconds that each open case still goes on: [open case, level]."""
    some = by_boosting(snapshot, _scikit, ROWS, 1, SOME)
    return np.array([np.interp(LEVELS, SOME, row) for row in some]).reshape(-1, len(LEVELS))


def _scikit(x: Floats, y: Floats, level: float, asked: Floats) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingRegressor(
        loss="quantile",
        quantile=level,
        max_iter=80,
        learning_rate=0.08,
        max_leaf_nodes=15,
        early_stopping=False,
        random_state=0,
    )
    # Its threads wait for each other busily: beside other work that takes minutes instead of seconds.
    with threadpool_limits(1, user_api="openmp"):
        return np.asarray(model.fit(x, y).predict(asked), np.float64)


def by_boosting(
    snapshot: Snapshot, fit: Fit, rows: int, rounds: int, levels: Sequence[float] = LEVELS
) -> Floats:
    """Seconds left at those levels: [open case, level], ascending. `rows` to learn from, about; ends of open
    cases are drawn anew `rounds` times."""
    now = rows_at(snapshot, [snapshot.until_s])
    places = np.searchsorted(np.flatnonzero(snapshot.is_open), now.case)
    known = by_age(snapshot)
    seen = rows_at(snapshot, past_instants(snapshot, rows, *_INSTANTS))
    if not len(places) or not np.isfinite(seen.left_s).any():
        return np.array([np.interp(levels, LEVELS, row) for row in known]).reshape(-1, len(levels))
    rng = np.random.default_rng(0)
    left = _drawn(known[places], LEVELS, rng)
    for _ in range(rounds):
        left = _drawn(_fitted(seen, now, left, SOME, fit), SOME, rng)
    found = np.array([np.interp(levels, LEVELS, row) for row in known]).reshape(-1, len(levels))
    # What began at the very instant has no past yet: it stays with what its age tells.
    found[places] = _fitted(seen, now, left, levels, fit)
    return found


def _drawn(quantiles: Floats, levels: Sequence[float], rng: np.random.Generator) -> Floats:
    """An end for each case from its quantiles; spread evenly over the cases, so that a few don't come out all
    late or all early."""
    n = len(quantiles)
    u = (rng.permutation(n) + rng.random(n)) / n
    return np.array([np.interp(u[i], levels, quantiles[i]) for i in range(n)])


def _fitted(seen: Rows, now: Rows, left_now: Floats, levels: Sequence[float], fit: Fit) -> Floats:
    """Seconds at these levels for the rows of `now`; open cases of `seen` end when `left_now` says."""
    row = {int(case): i for i, case in enumerate(now.case)}
    over = np.isfinite(seen.left_s)
    hidden = np.flatnonzero(~over & np.isin(seen.case, now.case))
    which = np.array([row[int(case)] for case in seen.case[hidden]], np.int64)
    known = np.flatnonzero(over)
    x = np.delete(np.concatenate([seen.x[known], seen.x[hidden]]), _AGENT, axis=1)
    asked = np.delete(now.x, _AGENT, axis=1)
    y = np.log1p(np.concatenate([seen.left_s[known], seen.seen_s[hidden] + left_now[which]]) / 3600)
    found = np.array([fit(x, y, level, asked) for level in levels]).T
    seconds: Floats = np.maximum(np.sort(np.expm1(found) * 3600, axis=1), 0.0)
    return seconds

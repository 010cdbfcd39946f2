"""Forecasts that know what the twin knows: residual life by age and by last event, and LightGBM's quantiles.

The gradient-boosted one learns log(1 + hours left) of cases as they stood at past instants. Cases that are
still open get an end drawn from its own forecast of them, and all is fitted again with those.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecasts_cuts import Cut
from twin.files import QUANTILES, write_frame
from twin.outlook import LEVELS
from twin.prefixes import Prefixes, instants, prefixes
from twin.residual_life import by_age, by_last

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

ROWS = 20_000
ROUNDS = 2
DRAWS = 3
"""Ends drawn for each open case."""
SOME = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
"""Levels from which ends are drawn."""
LGBM: dict[str, Any] = {
    "objective": "quantile",
    "n_estimators": 200,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_child_samples": 20,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.8,
    "n_jobs": 1,
    "verbose": -1,
    "seed": 0,
    "deterministic": True,
}
CATEGORIES = [0, 1, 10]

Floats = NDArray[np.float64]


def lgbm(snapshot: Snapshot) -> Floats:
    """Quantiles at LEVELS of the seconds that each open case still goes on: [open case, level]."""
    seen = prefixes(snapshot, instants(snapshot, ROWS))
    now = prefixes(snapshot, np.array([snapshot.until_s]))
    rng = np.random.default_rng(0)
    left = _drawn(by_age(snapshot)[_places(snapshot, now)], np.array(LEVELS), rng)
    for _ in range(ROUNDS):
        left = _drawn(_fitted(seen, now, left, SOME), np.array(SOME), rng)
    return _fitted(seen, now, left, LEVELS)[np.argsort(_places(snapshot, now))]


def _places(snapshot: Snapshot, now: Prefixes) -> NDArray[np.int64]:
    """Of each row, which of the open cases it is."""
    return np.searchsorted(np.flatnonzero(snapshot.is_open), now.case)


def _drawn(quantiles: Floats, levels: Floats, rng: np.random.Generator) -> Floats:
    """[case, draw] from quantiles, the outermost beyond the levels."""
    n = len(quantiles)
    # One draw in each third, so that few cases don't come out all late or all early.
    u = (np.arange(DRAWS) + rng.random((n, DRAWS))) / DRAWS
    return np.array([np.interp(u[i], levels, quantiles[i]) for i in range(n)]).reshape(n, DRAWS)


def _fitted(seen: Prefixes, now: Prefixes, left_now: Floats, levels: tuple[float, ...]) -> Floats:
    """Seconds at these levels for the rows of `now`; open cases of `seen` end when `left_now` says."""
    from lightgbm import LGBMRegressor

    row = {int(case): i for i, case in enumerate(now.case)}
    hidden = np.flatnonzero(~seen.over)
    which = np.array([row[int(case)] for case in seen.case[hidden]], np.int64)
    known = np.flatnonzero(seen.over)
    x = np.concatenate([seen.x[known], *[seen.x[hidden]] * DRAWS])
    y = np.concatenate(
        [seen.left_s[known], *[seen.left_s[hidden] + left_now[which, draw] for draw in range(DRAWS)]]
    )
    weight = np.concatenate([np.ones(len(known)), np.full(DRAWS * len(hidden), 1 / DRAWS)])
    found = []
    for level in levels:
        model = LGBMRegressor(**LGBM, alpha=level)
        model.fit(x, np.log1p(y / 3600), sample_weight=weight, categorical_feature=CATEGORIES)
        found.append(np.expm1(np.asarray(model.predict(now.x), np.float64)) * 3600)
    quantiles: Floats = np.maximum(np.sort(np.array(found).T, axis=1), 0.0)
    return quantiles


BASELINES: dict[str, Callable[[Snapshot], Floats]] = {"km": by_age, "last": by_last, "lgbm": lgbm}


def write_baseline(name: str, cut: Cut, into: Path, db: Path) -> None:
    """The baseline's forecast of one cut."""
    import pandas as pd

    from twin.source import LogRequest, read_log

    snapshot = read_log(LogRequest(str(cut.log), str(db), until=cut.at, open_file=cut.open_cases)).snapshot
    left = BASELINES[name](snapshot)
    at = pd.Timestamp(snapshot.origin) + pd.to_timedelta(snapshot.until_s, unit="s")
    frame = pd.DataFrame({"case_id": np.array(snapshot.cases, dtype=object)[snapshot.is_open]})
    for j, column in enumerate(QUANTILES):
        frame[column] = at + pd.to_timedelta(left[:, j], unit="s")
    write_frame(into, frame)

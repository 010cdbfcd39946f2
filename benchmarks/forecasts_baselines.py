"""Forecasts that know what the twin knows: residual life by age and by last event, quantiles by LightGBM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecasts_cuts import Cut
from twin.boosted import NAMES, by_boosting
from twin.files import QUANTILES, write_frame
from twin.lifetimes import product_limit
from twin.outlook import LEVELS
from twin.residual_life import by_age, by_last

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot

ROWS, ROUNDS = 20_000, 2
LAST_VALUE = "now"
"""The forecast that as many orders will be open as are now."""
FUTURES = 200
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
Floats = NDArray[np.float64]


def lgbm(snapshot: Snapshot) -> Floats:
    """Quantiles at LEVELS of the seconds that each open case still goes on: [open case, level]."""
    return by_boosting(snapshot, _lightgbm, ROWS, ROUNDS)


def _lightgbm(x: Floats, y: Floats, level: float, asked: Floats) -> Floats:
    from lightgbm import LGBMRegressor

    # Names are numbered from -1 on; below 0 LightGBM takes them for missing.
    x, asked = x.copy(), asked.copy()
    x[:, NAMES] += 1
    asked[:, NAMES] += 1
    model = LGBMRegressor(**LGBM, alpha=level)
    model.fit(x, y, categorical_feature=NAMES)
    return np.asarray(model.predict(asked), np.float64)


def _system(snapshot: Snapshot, left_s: Floats, horizons_h: tuple[float, ...]) -> Floats:
    """Orders open at the horizons: [horizon, level]. Open ones end as forecast; new ones come at the rate
    of the last quarter of the log and live as all have."""
    from eventlogs.bounds import case_bounds

    rng = np.random.default_rng(0)
    first, last = case_bounds(snapshot)
    lived = np.where(snapshot.is_open, snapshot.until_s, last) - first
    life = product_limit(lived, ~snapshot.is_open).left(np.zeros(1), np.array(LEVELS))
    since = snapshot.until_s - (snapshot.until_s - float(first.min())) / 4
    rate = float((first >= since).sum()) / (snapshot.until_s - since)
    found = []
    for hours in horizons_h:
        h = hours * 3600
        u = rng.random((FUTURES, len(left_s)))
        ends = np.array([np.interp(u[:, i], LEVELS, left_s[i]) for i in range(len(left_s))])
        wip = (ends > h).sum(axis=0)
        for future, n in enumerate(rng.poisson(rate * h, FUTURES)):
            wip[future] += (np.interp(rng.random(n), LEVELS, life) > rng.random(n) * h).sum()
        found.append(np.quantile(wip, LEVELS))
    return np.array(found)


BASELINES: dict[str, Callable[[Snapshot], Floats]] = {"km": by_age, "last": by_last, "lgbm": lgbm}


def write_baselines(cut: Cut, folder: Path) -> float:
    """The baselines' forecasts of one cut, NAME.NN.csv and NAME.NN.system.csv; CPU seconds."""
    from twin.source import LogRequest, read_log

    began, db = process_time(), folder / f"{cut.number:02d}.duckdb"
    snapshot = read_log(LogRequest(str(cut.log), str(db), until=cut.at, open_file=cut.open_cases)).snapshot
    for old in folder.glob(f"{db.name}*"):
        old.unlink()
    for name, forecast in BASELINES.items():
        left_s = forecast(snapshot)
        _write_orders(folder / f"{name}.{cut.number:02d}.csv", snapshot, left_s)
        _write_wip(
            folder / f"{name}.{cut.number:02d}.system.csv",
            _system(snapshot, left_s, cut.horizons_h),
            cut.horizons_h,
        )
    now = np.full((len(cut.horizons_h), len(LEVELS)), len(cut.ids))
    _write_wip(folder / f"{LAST_VALUE}.{cut.number:02d}.system.csv", now, cut.horizons_h)
    return process_time() - began


def _write_orders(path: Path, snapshot: Snapshot, left_s: Floats) -> None:
    import pandas as pd

    at = pd.Timestamp(snapshot.origin) + pd.to_timedelta(snapshot.until_s, unit="s")
    frame = pd.DataFrame({"case_id": np.array(snapshot.cases, dtype=object)[snapshot.is_open]})
    for j, column in enumerate(QUANTILES):
        frame[column] = at + pd.to_timedelta(left_s[:, j], unit="s")
    write_frame(path, frame)


def _write_wip(path: Path, wip: Floats, horizons_h: tuple[float, ...]) -> None:
    import pandas as pd

    frame = pd.DataFrame({"horizon_h": horizons_h, "metric": "wip"})
    for j, column in enumerate(QUANTILES):
        frame[column] = wip[:, j]
    write_frame(path, frame)

"""Forecasts of daily counts by statsforecast: series as JSON on standard input, quantiles on the output."""

import json
import sys

import numpy as np
import pandas as pd
from statsforecast import StatsForecast  # type: ignore[import-not-found]
from statsforecast.models import (  # type: ignore[import-not-found]
    AutoARIMA,
    AutoETS,
    HistoricAverage,
    SeasonalNaive,
)

WEEK = 7


def main() -> None:
    asked = json.load(sys.stdin)
    levels, horizon = asked["levels"], asked["horizon"]
    widths = sorted({round(abs(1 - 2 * level) * 100, 6) for level in levels} - {0.0})
    rows = [
        {"unique_id": name, "ds": day, "y": float(y)}
        for name, series in asked["series"].items()
        for day, y in enumerate(series, 1)
    ]
    models = [
        SeasonalNaive(WEEK),
        HistoricAverage(),
        AutoETS(season_length=WEEK),
        AutoARIMA(season_length=WEEK),
    ]
    found = StatsForecast(models=models, freq=1, n_jobs=2).forecast(
        df=pd.DataFrame(rows), h=horizon, level=widths
    )
    result = {}
    for model in models:
        name = model.alias
        columns = []
        for level in levels:
            width = round(abs(1 - 2 * level) * 100, 6)
            side = "lo" if level < 0.5 else "hi"
            columns.append(name if width == 0 else f"{name}-{side}-{width:g}")
        table = found[["unique_id", *[c if c in found else c + ".0" for c in columns]]]
        # Fewer than none can't come.
        result[name] = {
            key: np.maximum(part.drop(columns="unique_id").to_numpy(), 0.0).tolist()
            for key, part in table.groupby("unique_id")
        }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()

"""The forecasts of a backtest as a table: one row an instant, order and forecaster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twin.backtest_forecast_result import RECALIBRATED
from twin.backtest_forecasts import Made
from twin.conformal import recalibrated
from twin.files import QUANTILES, write_frame


def write_rows(path: Path, made: Sequence[Made]) -> None:
    """Columns: at, case_id, standing, age_h, came (end of the order, empty where it is still open), over (it
    had ended already), forecaster, q05 ... q95 (instants)."""
    import pandas as pd

    frames = []
    for one, better in zip(made, recalibrated(made), strict=True):
        rows, at = one.asked, pd.Timestamp(one.asked.at)
        came = pd.Series(at + pd.to_timedelta(rows.left_s, unit="s")).where(rows.ended & ~rows.over)
        told = dict(one.left_s)
        if better is not None:
            told[RECALIBRATED] = better
        for name, left_s in told.items():
            frame = pd.DataFrame({"at": at, "case_id": rows.ids, "standing": rows.standing})
            frame["age_h"] = np.round(rows.age_s / 3600, 4)
            frame["came"], frame["over"], frame["forecaster"] = came, rows.over, name
            for j, column in enumerate(QUANTILES):
                frame[column] = at + pd.to_timedelta(left_s[:, j], unit="s")
            frames.append(frame)
    write_frame(path, pd.concat(frames, ignore_index=True))

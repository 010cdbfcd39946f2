"""What a twin has to beat: histories replayed as if they were forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

LAST_PERIOD = "last period copied"
RESAMPLED = "training cases on true arrivals"
CHANCE = "two samples of the past"
"""How far apart two such resampled logs are: what chance alone makes of as many cases."""


def last_period(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """The last cases of `train`, as many as `test` has, shifted by whole weeks to the start of `test`.

    Knows nothing of the test period but its start and its number of cases.
    """
    import pandas as pd

    first = train.groupby("case_id")["start_time"].min().sort_values(kind="stable")
    tail = train[train["case_id"].isin(first.index[-test["case_id"].nunique() :])]
    weeks = round((test["start_time"].min() - tail["start_time"].min()) / pd.Timedelta(weeks=1))
    return _shift(tail, pd.Timedelta(weeks=weeks))


def resampled(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Training cases drawn with replacement and put on the true test arrivals (same weekday where possible).

    An oracle: it knows when the test cases arrive, which no simulator does.
    """
    import pandas as pd

    draw = np.random.default_rng(seed)
    groups = dict(iter(train.groupby("case_id")))
    starts = {case: group["start_time"].min() for case, group in groups.items()}
    by_day: dict[int, list[str]] = {}
    for case, start in starts.items():
        by_day.setdefault(start.day_of_week, []).append(str(case))
    everyone = [str(case) for case in groups]
    parts = []
    for k, arrival in enumerate(test.groupby("case_id")["start_time"].min().sort_values()):
        pool = by_day.get(arrival.day_of_week, everyone)
        case = pool[draw.integers(len(pool))]
        parts.append(_shift(groups[case], arrival - starts[case]).assign(case_id=str(k)))
    return pd.concat(parts, ignore_index=True)


def _shift(log: pd.DataFrame, by: pd.Timedelta) -> pd.DataFrame:
    return log.assign(start_time=log["start_time"] + by, end_time=log["end_time"] + by)

"""Distances on arrays are those of the library."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from twin.distances import distances
from twin.frames import COLUMNS
from twin.quick_distances import columns, quick_distances
from twin.validation import METRICS


def random_log(seed: int, cases: int) -> pd.DataFrame:
    """Cases of one to nine executions within two weeks, some at one instant, some at the full hour."""
    draw = np.random.default_rng(seed)
    rows = []
    for case in range(cases):
        t = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=int(draw.integers(0, 14 * 86400)))
        for _ in range(int(draw.integers(1, 10))):
            start = t.replace(minute=0, second=0, microsecond=0) if draw.random() < 0.2 else t
            end = start + timedelta(seconds=float(draw.choice([0.0, 61.25, 7200.0])))
            rows.append((f"c{case}", "ABCDE"[draw.integers(5)], "", start, end))
            t = end + timedelta(seconds=int(draw.integers(0, 9000)))
    log = pd.DataFrame(rows, columns=list(COLUMNS)).sample(frac=1, random_state=seed)
    return log.reset_index(drop=True)


@pytest.mark.parametrize("seed", range(8))
def test_they_are_those_of_the_library(seed: int) -> None:
    one, other = random_log(seed, 40), random_log(seed + 100, 5 + 10 * seed)
    quick = quick_distances(columns(one), columns(other))
    assert {m: quick[m] for m in METRICS} == pytest.approx(distances(one, other), rel=1e-9, abs=1e-12)


def test_weekdays_count_by_their_share() -> None:
    """Two logs alike but for one stamp in 400 on a Saturday."""
    one = random_log(1, 200)
    one = one[pd.DatetimeIndex(one["start_time"]).dayofweek < 5]
    one = one.assign(end_time=one["start_time"])
    stray = one.head(1).assign(
        start_time=datetime(2026, 3, 7, 12, tzinfo=UTC), end_time=datetime(2026, 3, 7, 12, tzinfo=UTC)
    )
    other = pd.concat([one, stray.assign(case_id="stray")], ignore_index=True)
    found = quick_distances(columns(one), columns(other))
    assert found["CEDD"] == pytest.approx(23 / 7)
    assert found["circadian"] == pytest.approx(23 / (len(one) + 1) / 2)

"""The circadian distance of choices weighs weekdays by what happens on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.quick_distances import columns, quick_distances

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
stamps = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 23)), min_size=1, max_size=12)


def log(hours: list[tuple[int, int]]) -> pd.DataFrame:
    """Executions that start and end in these hours of these weekdays."""
    at = pd.to_datetime([MONDAY + timedelta(days=day, hours=hour) for day, hour in hours], utc=True)
    ids = [str(i) for i in range(len(hours))]
    return pd.DataFrame(
        {"case_id": ids, "activity": "A", "start_time": at, "end_time": at + timedelta(minutes=30)}
    )


def circadian(one: pd.DataFrame, other: pd.DataFrame) -> float:
    return quick_distances(columns(one), columns(other))["circadian"]


def by_hand(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> float:
    """The area between both cumulated shares, day by day."""
    total = 0.0
    for day in range(7):
        x, y = ([hour for d, hour in given_ if d == day] for given_ in (one, other))
        share = (len(x) / len(one) + len(y) / len(other)) / 2
        if x and y:
            areas = (sum(h <= t for h in x) / len(x) - sum(h <= t for h in y) / len(y) for t in range(24))
            total += share * sum(abs(area) for area in areas)
        else:
            total += share * 23.0
    return total


@given(stamps, stamps)
def test_it_is_the_weighted_area_between_the_days(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    assert circadian(log(one), log(other)) == pytest.approx(by_hand(one, other))
    assert circadian(log(one), log(one)) == 0.0
    assert circadian(log(one), log(other)) == pytest.approx(circadian(log(other), log(one)))


def test_one_stamp_on_a_strange_day_decides_nothing() -> None:
    week = [(day, hour) for day in range(5) for hour in range(8, 18)] * 10
    strange = circadian(log([*week, (5, 3)]), log(week))
    later = circadian(log([(day, hour + 1) for day, hour in week]), log(week))
    assert later == pytest.approx(1.0)
    assert 0 < strange < later / 20

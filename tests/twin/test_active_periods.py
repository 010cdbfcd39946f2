"""The active period method against the method as it is told, instant by instant."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metagraph.calendars import merge
from twin.active_periods import Span, periods_of, shares

DAY = 24


@st.composite
def plants(draw: st.DrawFn) -> tuple[list[list[Span]], list[list[Span]]]:
    """Shifts of some stations in whole hours, and when they work in them."""
    on, active = [], []
    for _ in range(draw(st.integers(1, 4))):
        shift = sorted(draw(st.lists(st.booleans(), min_size=DAY, max_size=DAY)) for _ in range(1))[0]
        busy = draw(st.lists(st.booleans(), min_size=DAY, max_size=DAY))
        on.append(merge([(float(h), h + 1.0) for h in range(DAY) if shift[h]]))
        active.append(merge([(float(h), h + 1.0) for h in range(DAY) if shift[h] and busy[h]]))
    return on, active


def told(on: list[list[Span]], active: list[list[Span]]) -> tuple[np.ndarray, np.ndarray]:
    """Hours as sole and as shifting bottleneck: for each hour, walk left and right from it."""

    def at(spans: list[Span], h: int) -> bool:
        return any(a <= h < b for a, b in spans)

    def period(s: int, h: int) -> frozenset[int]:
        found = {h}
        for step in (-1, 1):
            k = h + step
            while 0 <= k < DAY and (at(active[s], k) or not at(on[s], k)):
                found |= {k} if at(active[s], k) else set()
                k += step
        return frozenset(found)

    momentary = set()
    for h in range(DAY):
        there = [(-len(period(s, h)), s, min(period(s, h))) for s in range(len(on)) if at(active[s], h)]
        if there:
            _, s, _ = min(there)
            momentary.add((s, period(s, h)))
    sole, shifting = np.zeros(len(on)), np.zeros(len(on))
    for h in range(DAY):
        here = [s for s, hours in momentary if h in hours]
        for s in here:
            (sole if len(here) == 1 else shifting)[s] += 1
    return sole, shifting


@settings(max_examples=60, deadline=None)
@given(plants())
def test_shares_are_those_of_the_method_as_it_is_told(
    plant: tuple[list[list[Span]], list[list[Span]]],
) -> None:
    on, active = plant
    periods = [one for s in range(len(on)) for one in periods_of(s, active[s], on[s])]
    found = shares(periods, on, np.array([0.0, float(DAY)]))
    sole, shifting = told(on, active)
    assert found.sole_s[:, 0] == pytest.approx(sole)
    assert found.shifting_s[:, 0] == pytest.approx(shifting)
    assert found.active_s[:, 0] == pytest.approx([sum(b - a for a, b in spans) for spans in active])


def test_the_example_of_two_stations_that_overlap() -> None:
    """Station 0 works from 0 to 10, station 1 from 7 to 20: three hours shift."""
    on = [[(0.0, 24.0)]] * 3
    active = [[(0.0, 10.0)], [(7.0, 20.0)], [(8.0, 9.0), (12.0, 15.0), (21.0, 22.0)]]
    periods = [one for s in range(3) for one in periods_of(s, active[s], on[s])]
    found = shares(periods, on, np.array([0.0, 12.0, 24.0]))
    assert found.sole_s.tolist() == [[7.0, 0.0], [2.0, 8.0], [0.0, 1.0]]
    assert found.shifting_s.tolist() == [[3.0, 0.0], [3.0, 0.0], [0.0, 0.0]]
    assert found.any_s.tolist() == [12.0, 9.0]


def test_a_night_off_does_not_end_a_period_that_work_in_hand_carries_over() -> None:
    on = [[(9.0, 17.0), (33.0, 41.0)]]
    assert [one.length_s for one in periods_of(0, [(15.0, 17.0), (33.0, 34.0)], on[0])] == [3.0]
    assert [one.length_s for one in periods_of(0, [(15.0, 16.5), (33.0, 34.0)], on[0])] == [1.5, 1.0]

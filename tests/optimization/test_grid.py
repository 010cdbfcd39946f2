"""What the grid makes of delays and of working time, against the clocks that the simulator uses."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil, floor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from metagraph.agents import Agent
from metagraph.blocks import Leaf
from metagraph.calendars import Calendar, WorkClock
from metagraph.paces import Pace, PaceClock
from optimization.delays import Delays
from optimization.grid import Grid
from optimization.work import ends_at, presence
from tests.simulation.builders import expon, process

ORIGIN = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = 3600.0
WEEKS = (((8.0, 12.0), (13.0, 17.5), (32.25, 41.0)), ((0.0, 168.0),))
grids = st.builds(
    Grid,
    start_s=st.floats(0, 9 * 86400.0),
    dt_s=st.sampled_from([300.0, 900.0, 2400.0, HOUR, 4 * HOUR]),
    periods=st.integers(1, 120),
)


@given(grids, st.floats(-1e6, 2e6))
def test_releases_are_rounded_up_and_deadlines_down(grid: Grid, t: float) -> None:
    exact = (t - grid.start_s) / grid.dt_s
    if abs(exact - round(exact)) > 1e-5:
        assert grid.up(t) == min(max(ceil(exact), 0), grid.never)
        assert grid.down(t) == min(max(floor(exact), -1), grid.periods)
    assert grid.ups(np.array([t])).tolist() == [grid.up(t)]


@given(grids, st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=168, max_size=168), st.floats(1, 2e5))
def test_delays_end_when_their_pace_says(grid: Grid, rates: list[float], mean_s: float) -> None:
    pace = Pace("p", (*rates[:-1], 1.0))
    clock = PaceClock(pace, ORIGIN)
    lag = Delays((pace,), grid, ORIGIN).lag("p", mean_s)
    assert len(lag) == grid.never + 1
    for point in range(0, grid.periods + 1, 7):
        assert lag[point] == grid.up(clock.after(grid.at(point), mean_s))
    assert (np.diff(lag) >= 0).all()


@given(
    grids, st.sampled_from([((8.0, 12.0), (13.0, 17.5), (32.25, 41.0)), ((0.0, 168.0),)]), st.floats(60, 4e4)
)
def test_work_ends_when_the_clock_says(
    grid: Grid, hours: tuple[tuple[float, float], ...], work_s: float
) -> None:
    calendar = Calendar("c", tuple((a * HOUR, b * HOUR) for a, b in hours))
    model = process(Leaf("a", "A"), expon(HOUR), agents=(Agent("ann", "c"),), calendars=(calendar,))
    there = presence(model.agents[0], model, ORIGIN, 0.0, grid.at(grid.periods) + grid.dt_s)
    clock = WorkClock(calendar, ORIGIN)
    ends = ends_at(there.on(grid), work_s, grid)
    for point in range(grid.periods):
        begin = clock.next_on(grid.at(point))
        if begin >= grid.at(point + 1) - 1e-3:
            assert ends[point] == grid.never
            continue
        over = clock.after(begin, work_s)
        assert abs(there.after(grid.at(point), work_s) - over) < 1e-3 or over > grid.at(grid.periods)
        found = grid.up(over)
        assert ends[point] == (found if found <= grid.periods else grid.never)

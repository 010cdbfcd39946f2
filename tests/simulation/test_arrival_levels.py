"""The level of arrivals and their batches in simulated streams."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from metagraph.orders import ArrivalLevel, Arrivals
from simulation.arrival_levels import levels
from simulation.arrivals import draw_orders
from simulation.streams import Stream
from tests.simulation.builders import ORIGIN
from tests.simulation.test_arrivals import OFFICE_RATES, twin

WEEK_S = 7 * 86400.0
BATCHES = (0.5, 0.2, 0.0, 0.3)


def releases_of(
    arrivals: Arrivals, *, seed: int = 1, until_s: float | None = None, cases: int | None = None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    made = draw_orders(
        twin(arrivals), ORIGIN, origin=ORIGIN, seed=seed, replication=0, cases=cases, until_s=until_s
    )
    return np.asarray(made.table["release_s"])


def test_orders_come_in_batches_at_the_instants_of_a_thinner_stream() -> None:
    """The rate counts orders: 2.1 at once on average, at the instants of a stream with 1/2.1 of the rate."""
    together = Arrivals(OFFICE_RATES, batches=BATCHES)
    once = together.orders_at_once()
    assert once == pytest.approx(2.1)
    alone = Arrivals(tuple(rate / once for rate in OFFICE_RATES))
    t, sizes = np.unique(releases_of(together, until_s=400 * WEEK_S), return_counts=True)
    other = releases_of(alone, until_s=400 * WEEK_S)
    assert t == pytest.approx(other, abs=1e-5)
    share = np.bincount(sizes, minlength=5)[1:] / len(sizes)
    assert np.abs(share - BATCHES).max() < 4 * np.sqrt(0.25 / len(sizes))


@pytest.mark.parametrize("cases", [1, 2, 7, 100])
def test_so_many_orders_are_made_as_are_asked_for(cases: int) -> None:
    arrivals = Arrivals(OFFICE_RATES, batches=BATCHES)
    many = releases_of(arrivals, cases=500)
    few = releases_of(arrivals, cases=cases)
    assert few.tolist() == many[:cases].tolist()
    assert (np.diff(many) >= 0).all()


def test_the_mean_level_goes_where_it_settles() -> None:
    """Means of 400 streams of each week, within 4 standard errors, with all that isn't known drawn."""
    level = ArrivalLevel(ORIGIN + timedelta(weeks=2), 2.0, 0.6, 0.1, 0.1, 0.3, 0.2)
    starts = WEEK_S * np.arange(-1, 14.0)
    paths = np.array([levels(level, starts, ORIGIN, Stream(5, r), True) for r in range(4000)])
    k = np.maximum(np.arange(-1, 14) - 1, 0)
    expected = 2.0 ** (1 - 0.6**k)
    assert np.abs(paths.mean(0) / expected - 1).max() < 4 * (paths.std(0) / expected).max() / np.sqrt(4000)
    log_sd = np.log(paths).std(0)
    assert log_sd[0] == pytest.approx(0.3, rel=0.05)
    assert log_sd[-1] == pytest.approx(np.sqrt(0.2**2 + 0.02 / (1 - 0.36)), rel=0.05)


def test_weeks_remember() -> None:
    level = ArrivalLevel(ORIGIN, memory=0.7, week_sd=0.2)
    path = np.log(levels(level, WEEK_S * np.arange(3000.0), ORIGIN, Stream(6), False))
    assert np.corrcoef(path[1:], path[:-1])[0, 1] == pytest.approx(0.7, abs=0.06)
    assert path.std() == pytest.approx(0.2 / np.sqrt(1 - 0.49), rel=0.1)


def test_what_is_not_known_is_drawn_for_forecasts_only() -> None:
    level = ArrivalLevel(ORIGIN, 0.5, 0.5, drift_sd=0.4, now_sd=0.3, settles_sd=0.3)
    starts = WEEK_S * np.arange(5.0)
    known = levels(level, starts, ORIGIN, Stream(7), False)
    assert known == pytest.approx(0.5 ** (1 - 0.5 ** np.arange(1.0, 6)))
    assert levels(level, starts, ORIGIN, Stream(7), True) != pytest.approx(known, rel=0.01)


def test_a_level_moves_arrivals() -> None:
    """Half as many come from the second week on; before and at `since` the rates hold as they are."""
    base = Arrivals((5.0,) * 168)
    level = ArrivalLevel(ORIGIN + timedelta(weeks=1), settles=0.5)
    t = releases_of(replace(base, level=level), until_s=101 * WEEK_S)
    first, later = (t < WEEK_S).sum(), (t >= WEEK_S).sum() / 100
    assert first == pytest.approx(840, abs=4 * np.sqrt(840))
    assert later == pytest.approx(420, abs=4 * np.sqrt(4.2))

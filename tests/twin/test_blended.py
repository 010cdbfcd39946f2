"""Dates from simulation and log together are possible ones; lateness, money and tasks follow from them."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from metagraph.orders import Order, ProfitShape
from metagraph.state import OpenOrder, Position, State
from simulation.reference import run
from tests.eventlogs.logs import T0
from tests.simulation.builders import expon, tandem
from tests.twin.small import HOUR
from twin.blended import blended, joined
from twin.forecast_orders import Alone, order_outlooks
from twin.futures import COUNTED, Collect, Future, Sample
from twin.open_hours import OpenHours, end_hours
from twin.outlook import LEVELS

DAY = 24 * HOUR
OFFICE = OpenHours(*(np.arange(0.0, 30 * DAY, DAY) + hour * HOUR for hour in (8, 17)))
"""Every day from eight to five."""


def test_no_date_lies_at_night_and_none_pile_up_at_opening() -> None:
    rng = np.random.default_rng(1)
    given = np.sort(rng.uniform(10 * HOUR, 20 * DAY, 4000))
    found = OFFICE.spread(given, 10 * HOUR)
    assert OFFICE.open_at(found).all()
    assert (np.diff(found) >= 0).all()
    # As many in any hour as were in it, and as many again of the night beside it.
    hours = np.bincount((found // HOUR).astype(int))
    assert hours.max() < 6 * len(given) / (20 * 24)
    assert np.abs(found - given).max() <= 15 * HOUR
    assert abs((found - given).mean()) < HOUR
    day = np.sort(rng.uniform(8 * HOUR, 17 * HOUR, 50))
    assert (OFFICE.spread(day, 8 * HOUR) == day).all()


def test_dates_begin_with_the_earliest_possible_one() -> None:
    """Tonight, before anything was done today, nothing goes back."""
    found = OFFICE.spread(np.linspace(18 * HOUR, 30 * HOUR, 40), 17 * HOUR)
    assert found.min() >= 32 * HOUR
    assert len(np.unique(found)) == 40
    # The earliest is itself the opening.
    found = OFFICE.spread(np.linspace(18 * HOUR, 30 * HOUR, 40), 32 * HOUR)
    assert found.min() >= 32 * HOUR
    assert len(np.unique(found)) == 40


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_order_of_futures_stays_and_nothing_is_earlier_than_simulated(weight: float) -> None:
    rng = np.random.default_rng(2)
    simulated = 9 * HOUR + rng.exponential(5 * HOUR, 99)
    learnt = np.quantile(rng.exponential(2 * DAY, 999), np.arange(1, 100) / 100)
    found = joined(simulated, learnt, weight, None)
    assert (np.argsort(found, kind="stable") == np.argsort(simulated, kind="stable")).all()
    assert found.min() >= simulated.min()
    late = found > np.sort(found)[20]
    mean = weight * np.sort(simulated) + (1 - weight) * learnt
    assert np.sort(found)[late[np.argsort(simulated)]] == pytest.approx(mean[21:])
    assert len(np.unique(found)) == 99


def futures() -> tuple[Future, list[Sample]]:
    """Orders that wait for the first of two people in an office, with dates and money."""
    twin = tandem(expon(3 * HOUR), tasks=2, calendar="office")
    twin = replace(twin, orders=replace(twin.orders, profit=ProfitShape(1.0, 1.0, 0.5, 0.5, -0.1)))
    orders = tuple(
        OpenOrder(Order(str(i), 0.0, value=100.0, due_s=3 * DAY, lost_s=5 * DAY), (Position("t0", 0.0),), ())
        for i in range(6)
    )
    future = Future(twin, State(HOUR, orders), T0, 3, 30 * DAY)
    collect = Collect(len(orders), HOUR, (24.0, 96.0, 240.0))
    return future, [collect(run(future(r), 3, r)) for r in range(20)]


def test_every_number_of_an_order_follows_from_its_dates() -> None:
    future, samples = futures()
    learnt = np.tile(HOUR + np.linspace(2 * DAY, 7 * DAY, 20), (6, 1))
    learnt[0] = np.nan
    found = blended(future.metagraph, samples, learnt, 0.0, HOUR, (24.0, 96.0, 240.0), T0)
    alone = Alone(np.array([sample.gone_s for sample in samples]), 0.0)
    first, *others = order_outlooks(future.metagraph, future.state, found, T0, alone)
    plain, *_ = order_outlooks(future.metagraph, future.state, samples, T0)
    assert first == plain
    gone = np.array([sample.gone_s for sample in found])
    hours = end_hours(future.metagraph, T0, HOUR, 30 * DAY)
    assert hours is not None
    for i, order in enumerate(others, 1):
        ends = gone[:, i]
        assert order.late_probability is not None
        assert order.lost_probability is not None
        assert order.late_probability == pytest.approx((ends > 3 * DAY).mean())
        assert order.lost_probability == pytest.approx((ends >= 5 * DAY).mean())
        assert 0.0 < order.lost_probability < order.late_probability < 1.0
        worth = np.where(ends >= 5 * DAY, -10.0, np.where(ends > 3 * DAY, 50.0, 100.0))
        assert order.profit is not None
        assert order.loss is not None
        assert order.profit.mean == pytest.approx(worth.mean())
        assert order.loss.mean == pytest.approx((100 - worth).mean())
        kept = ends[ends < 5 * DAY]
        assert hours.open_at(kept).all()
        assert min(order.quantiles) >= min(order.simulated)
        assert order.sure["50"] == (order.quantiles[LEVELS.index(0.5)],) * 2
        assert max(task.end[2] for task in order.tasks) <= T0 + timedelta(seconds=float(ends.max()))
    for sample in found:
        then = HOUR * np.array([1 + 24.0, 1 + 96.0, 1 + 240.0])
        here = (sample.gone_s[:6] > then[:, None]).sum(axis=1)
        assert (sample.counts[:, COUNTED.index("wip")] == here).all()

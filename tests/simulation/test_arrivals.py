"""Orders that arrive."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.distributions import Constant, Empirical, Fitted, Parametric
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, OrderClass, OrderModel
from simulation.arrivals import generate_orders, monday, nth_working_day
from tests.simulation.builders import ORIGIN, expon, fitted, process, row

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE_RATES = tuple(6.0 if h // 24 < 5 and 9 <= h % 24 < 17 else 0.0 for h in range(168))


def twin(arrivals: Arrivals | None, classes: tuple[OrderClass, ...] = ()) -> Metagraph:
    return replace(process(row("a"), expon(60.0), arrivals=arrivals), orders=OrderModel(classes))


@given(st.integers(0, 2**31), st.sampled_from([UTC, BERLIN]))
def test_monday_is_at_or_before(stamp: int, zone: ZoneInfo) -> None:
    instant = datetime.fromtimestamp(stamp, zone)
    found = monday(instant)
    assert found.weekday() == found.hour == found.minute == found.second == 0
    assert timedelta(0) <= instant - found < timedelta(days=7)


def test_exactly_as_many_as_asked_the_first_at_the_start() -> None:
    start = datetime(2024, 3, 16, 12, 30, 15, tzinfo=UTC)  # a Saturday, when nobody orders
    orders = generate_orders(
        twin(Arrivals(OFFICE_RATES)), start, origin=monday(start), seed=1, replication=0, cases=50, prefix="N"
    )
    assert [o.id for o in orders] == [f"N{i}" for i in range(1, 51)]
    assert monday(start) + timedelta(seconds=orders[0].release_s) == start
    releases = [o.release_s for o in orders]
    assert releases == sorted(releases)
    assert monday(start) + timedelta(seconds=releases[1]) >= datetime(2024, 3, 18, 9, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"])
def test_orders_come_at_the_local_hours(zone: str) -> None:
    start = datetime(2024, 3, 1, tzinfo=UTC)  # the clocks change in this month
    origin = monday(start)
    orders = generate_orders(
        twin(Arrivals(OFFICE_RATES, zone)), start, origin=origin, seed=2, replication=0, cases=2000
    )
    for order in orders[1:]:
        local = (origin + timedelta(seconds=order.release_s)).astimezone(ZoneInfo(zone))
        assert local.weekday() < 5
        assert 9 <= local.hour < 17


@pytest.mark.parametrize("dispersion", [0.0, 0.5])
def test_day_counts_have_the_law_that_is_asked_for(dispersion: float) -> None:
    """Mean m and variance m + dispersion m^2, within 4 standard errors over 2,000 days."""
    start, days, m = datetime(2024, 1, 1, tzinfo=UTC), 2000, 24.0
    orders = generate_orders(
        twin(Arrivals((1.0,) * 168, dispersion=dispersion)),
        start,
        origin=start,
        seed=3,
        replication=0,
        until_s=days * 86400.0,
        first_at_start=False,
    )
    counts = np.bincount([int(o.release_s // 86400) for o in orders], minlength=days)
    variance = m + dispersion * m * m
    assert counts.mean() == pytest.approx(m, abs=4 * np.sqrt(variance / days))
    assert counts.var() == pytest.approx(variance, rel=0.2)


def test_replications_differ_and_repeat() -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    model = twin(Arrivals(OFFICE_RATES))
    first, again, other = (
        generate_orders(model, start, origin=start, seed=4, replication=r, cases=30) for r in (0, 0, 1)
    )
    assert first == again != other


@given(st.integers(-10, 10))
def test_whole_weeks_later_is_the_same(weeks: int) -> None:
    start = datetime(2024, 5, 8, 11, tzinfo=UTC)
    later = start + timedelta(weeks=weeks)
    model = twin(Arrivals(OFFICE_RATES, dispersion=0.3))
    made = [
        generate_orders(model, s, origin=monday(s), seed=5, replication=0, cases=40) for s in (start, later)
    ]
    assert made[0] == made[1]


def test_classes_values_and_dates() -> None:
    classes = (
        OrderClass(
            "big", "east", 0.25, 10, value=fitted(Constant(500.0)), due_after=fitted(Constant(7200.0))
        ),
        OrderClass("small", "", 0.75, 30, patience=fitted(Parametric("uniform", (100.0, 50.0)))),
    )
    start = datetime(2024, 1, 1, tzinfo=UTC)
    orders = generate_orders(
        twin(Arrivals((10.0,) * 168), classes), start, origin=start, seed=6, replication=0, cases=4000
    )
    big = [o for o in orders if o.cls == "big"]
    assert len(big) / len(orders) == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 4000))
    assert {(o.segment, o.value, o.lost_s) for o in big} == {("east", 500.0, None)}
    assert all(o.due_s == o.release_s + 7200.0 for o in big)
    for order in orders:
        if order.cls == "small":
            assert order.due_s is None
            assert order.lost_s is not None
            assert 100.0 <= order.lost_s - order.release_s <= 150.0


def test_dates_and_values_may_be_below_zero() -> None:
    """An order may be due before it is released, and worth less than nothing."""
    kind = OrderClass(
        "", "", 1.0, 1, value=fitted(Empirical((-5.0, -4.0))), due_after=fitted(Constant(-60.0))
    )
    start = datetime(2024, 1, 1, tzinfo=UTC)
    (order,) = generate_orders(
        twin(Arrivals((10.0,) * 168), (kind,)), start, origin=start, seed=8, replication=0, cases=1
    )
    assert order.due_s == -60.0
    assert order.value is not None
    assert -5.0 <= order.value <= -4.0


def test_due_at_the_end_of_a_working_day_in_the_local_zone() -> None:
    kind = OrderClass("", "", 1.0, 1, due_working_days=2)
    start = datetime(2024, 3, 28, 23, 30, tzinfo=UTC)  # Friday 00:30 in Berlin, before the clocks change
    orders = generate_orders(
        twin(Arrivals((10.0,) * 168, "Europe/Berlin"), (kind,)),
        start,
        origin=monday(start),
        seed=7,
        replication=0,
        cases=1,
    )
    assert orders[0].due_s is not None
    due = monday(start) + timedelta(seconds=orders[0].due_s)
    assert due == datetime(2024, 4, 3, tzinfo=BERLIN)  # the end of Tuesday


@pytest.mark.parametrize(
    ("day", "n", "found"),
    [
        (date(2024, 3, 4), 0, date(2024, 3, 4)),
        (date(2024, 3, 9), 0, date(2024, 3, 11)),
        (date(2024, 3, 4), 1, date(2024, 3, 5)),
        (date(2024, 3, 8), 1, date(2024, 3, 11)),
        (date(2024, 3, 9), 1, date(2024, 3, 11)),
        (date(2024, 3, 7), 6, date(2024, 3, 15)),
    ],
)
def test_working_days_are_counted_from_the_day_after(day: date, n: int, found: date) -> None:
    assert nth_working_day(day, n) == found


@pytest.mark.parametrize("arrivals", [None, Arrivals((0.0,) * 168)])
def test_a_twin_without_arrivals_says_so(arrivals: Arrivals | None) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    with pytest.raises(DataError, match="knows no arrivals"):
        generate_orders(twin(arrivals), start, origin=start, seed=0, replication=0, cases=1)


def test_hopeless_rates_end_in_a_sentence() -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    rates = (1e-12,) + (0.0,) * 167
    with pytest.raises(DataError, match="so low that an order takes over 100 years"):
        generate_orders(twin(Arrivals(rates)), start, origin=start, seed=0, replication=0, cases=3)


def test_steady_gaps_are_kept_on_the_even_time_line() -> None:
    """Two an hour in office hours, always the same gap: one every half hour, across nights and weekends."""
    start = ORIGIN + timedelta(hours=9)
    even = Fitted(Constant(1.0), 100, "all arrivals")
    model = twin(Arrivals(tuple(2.0 if rate else 0.0 for rate in OFFICE_RATES), gap=even))
    orders = generate_orders(model, start, origin=ORIGIN, seed=1, replication=0, cases=200)
    inside = [o.release_s % 86400 for o in orders]
    assert all(t % 1800 < 1e-3 or t % 1800 > 1800 - 1e-3 for t in inside)
    later = generate_orders(
        model, start, origin=ORIGIN, seed=1, replication=0, cases=200, first_at_start=False
    )
    gaps = {round(b.release_s - a.release_s) for a, b in pairwise(later)}
    assert 0 < later[0].release_s - orders[0].release_s < 1800
    assert 1800 in gaps

"""Orders that arrive."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import log
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.distributions import Constant, Empirical, Fitted, Parametric
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, Order, OrderClass, OrderModel
from simulation.arrivals import draw_orders, generate_orders, monday, nth_working_day
from simulation.lowering_names import names_of
from simulation.orders import as_orders
from simulation.philox import uniforms
from simulation.program import Orders
from simulation.streams import Purpose, Stream
from simulation.tables import tabulate
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
    with pytest.raises(DataError, match="so many orders take over 100 years to come"):
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


EVERYTHING = (
    OrderClass(
        "big",
        "east",
        0.25,
        10,
        value=fitted(expon(500.0)),
        due_after=fitted(expon(7200.0)),
        early_after=fitted(expon(600.0)),
        grace=fitted(expon(900.0)),
    ),
    OrderClass("small", "west", 0.5, 30, due_working_days=3, patience=fitted(expon(9e5))),
    OrderClass("late", "west", 0.25, 30, due_working_days=0, grace=fitted(Constant(3600.0))),
)


def one_by_one(
    model: Metagraph, start: datetime, stream: Stream, n: int, first_at_start: bool
) -> list[Order]:
    """The first n orders by the definition: gaps used up hour by hour, every number asked for by itself."""
    arrivals = model.arrivals
    assert arrivals is not None
    zone, node = ZoneInfo(arrivals.time_zone), 0xFFFFFFFF
    day_law = Parametric("gamma", (1 / arrivals.dispersion, 0.0, arrivals.dispersion))

    def gap(index: int) -> float:
        u = stream.uniform(index, node, 0, Purpose.GAP)
        return -log(u) if arrivals.gap is None else tabulate(arrivals.gap.law).draw(u)

    found: list[float] = [(start - ORIGIN).total_seconds()] if first_at_start else []
    left = gap(len(found))
    if arrivals.gap is not None and not first_at_start:
        left *= stream.uniform(0, node, 1, Purpose.GAP)
    t = (start - ORIGIN).total_seconds()
    while len(found) < n:
        local = (ORIGIN + timedelta(seconds=t)).astimezone(zone)
        end = t + 3600.0 - local.minute * 60 - local.second - local.microsecond / 1e6
        day = (local.date() - ORIGIN.date()).days
        factor = tabulate(day_law).draw(stream.uniform(day, node, 0, Purpose.DAY))
        rate = arrivals.rates_per_h[local.weekday() * 24 + local.hour] * factor / 3600
        while left < rate * (end - t) and len(found) < n:
            t += left / rate
            found.append(t)
            left = gap(len(found))
        left -= rate * (end - t)
        t = end
    return [promised(i, t, stream, zone) for i, t in enumerate(found)]


def promised(index: int, t: float, stream: Stream, zone: ZoneInfo) -> Order:
    node = 0xFFFFFFFF
    u = stream.uniform(index, node, 0, Purpose.CLASS)
    kind = EVERYTHING[0 if u < 0.25 else 1 if u < 0.75 else 2]

    def draw(law: Fitted, purpose: Purpose) -> float:
        return tabulate(law.law).draw(stream.uniform(index, node, 0, purpose))

    due_s = t + draw(kind.due_after, Purpose.DUE) if kind.due_after else 0.0
    if kind.due_working_days is not None:
        day = (ORIGIN + timedelta(seconds=t)).astimezone(zone).date()
        last = nth_working_day(day, kind.due_working_days) + timedelta(days=1)
        due_s = (datetime(last.year, last.month, last.day, tzinfo=zone) - ORIGIN).total_seconds()
    lost_s = t + draw(kind.patience, Purpose.PATIENCE) if kind.patience else 0.0
    if kind.grace:
        lost_s = due_s + draw(kind.grace, Purpose.PATIENCE)
    return Order(
        str(index + 1),
        t,
        kind.cls,
        kind.segment,
        value=draw(kind.value, Purpose.VALUE) if kind.value else None,
        early_s=t + draw(kind.early_after, Purpose.EARLY) if kind.early_after else None,
        due_s=due_s,
        lost_s=lost_s,
    )


@pytest.mark.parametrize("gap", [None, Parametric("gamma", (2.0, 0.0, 0.5))])
@pytest.mark.parametrize("first_at_start", [True, False])
@pytest.mark.parametrize("antithetic", [True, False])
def test_all_at_once_is_one_by_one(gap: Parametric | None, first_at_start: bool, antithetic: bool) -> None:
    """To 100 ns, for sums are formed in another order; across the change to summer time."""
    arrivals = Arrivals(OFFICE_RATES, "Europe/Berlin", 0.4, None if gap is None else fitted(gap))
    model, start = twin(arrivals, EVERYTHING), ORIGIN + timedelta(days=85, hours=3.3)
    made = draw_orders(
        model,
        start,
        origin=ORIGIN,
        seed=9,
        replication=5,
        cases=300,
        first_at_start=first_at_start,
        antithetic=antithetic,
    )
    stream = Stream(9, 5, antithetic=antithetic)
    asked = one_by_one(model, start, stream, 300, first_at_start)
    for order, other in zip(as_orders(names_of(model), made), asked, strict=True):
        assert (order.id, order.cls, order.segment, order.value) == (
            other.id,
            other.cls,
            other.segment,
            other.value,
        )
        for name in ("release_s", "early_s", "due_s", "lost_s"):
            found, expected = getattr(order, name), getattr(other, name)
            assert (found is None) == (expected is None)
            assert found is None or abs(found - expected) <= 1e-7


HORIZON = 88 * 86400.0 + 10.1 * 3600
"""In the middle of an hour in which orders come."""


def test_how_many_are_asked_for_changes_none_of_them() -> None:
    """A longer horizon, more cases and other replications before: the first ones stay as they are."""
    model = twin(Arrivals(OFFICE_RATES, dispersion=0.4), EVERYTHING)

    def made(cases: int | None, until_s: float | None, replication: int = 2) -> Orders:
        return draw_orders(
            model, ORIGIN, origin=ORIGIN, seed=1, replication=replication, cases=cases, until_s=until_s
        )

    few = made(40, None)
    made(4000, None, replication=1)
    many, until = made(4000, None), made(None, HORIZON)
    both = made(4000, HORIZON)
    assert few.table.tobytes() == many.table[:40].tobytes() == until.table[:40].tobytes()
    assert until.table.tobytes() == both.table.tobytes() == many.table[: len(until)].tobytes()
    assert 40 < len(until) < 4000
    assert until.table["release_s"].max() <= HORIZON < many.table["release_s"][len(until)]


def test_none_at_all() -> None:
    model = twin(Arrivals(OFFICE_RATES))
    for kwargs in ({"cases": 0}, {"until_s": -1.0}, {"until_s": 3600.0, "first_at_start": False}):
        made = draw_orders(model, ORIGIN, origin=ORIGIN, seed=1, replication=0, **kwargs)
        assert len(made) == len(made.ids) == 0


def test_a_grace_needs_a_due_date() -> None:
    model = twin(Arrivals(OFFICE_RATES), (OrderClass("x", "", 1.0, 1, grace=fitted(Constant(1.0))),))
    with pytest.raises(DataError, match="class 'x' are lost some time after a due date that they lack"):
        draw_orders(model, ORIGIN, origin=ORIGIN, seed=1, replication=0, cases=3)


def test_what_nobody_promised_is_written_as_missing() -> None:
    made = draw_orders(twin(Arrivals(OFFICE_RATES)), ORIGIN, origin=ORIGIN, seed=1, replication=0, cases=3)
    row = made.table[0]
    assert row["early_s"] == row["release_s"]
    assert (row["value"], row["due_s"], row["lost_s"], row["importance"]) == (0.0, np.inf, np.inf, 0.0)


@given(
    st.lists(st.integers(-5, 2**32 + 5), min_size=1, max_size=5),
    st.lists(st.sampled_from([0, 3, 0xFFFFFFFF]), min_size=1, max_size=3),
    st.integers(0, 2**32 - 1),
    st.integers(0, 300),
    st.booleans(),
)
def test_numbers_by_the_thousand_are_the_streams(
    orders: list[int], nodes: list[int], seed: int, purpose: int, antithetic: bool
) -> None:
    stream = Stream(seed, 3, antithetic=antithetic)
    found = uniforms(stream, np.array(orders)[:, None], np.array(nodes), 2, purpose)
    assert found.tolist() == [[stream.uniform(o, n, 2, purpose) for n in nodes] for o in orders]

"""New orders promise what the log's orders did, whichever day they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from calibration.due_days import due_defaults, due_facts
from calibration.order_model import fit_orders
from calibration.settings import OrderSpec
from eventlogs.snapshot import Snapshot
from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, OrderClass, PastOrder, Sample
from simulation.arrivals import draw_orders, nth_working_day
from simulation.kernel import run
from simulation.kpis import interval
from simulation.lowering import lower
from simulation.run import Run
from tests.calibration.builders import DAY, HOUR, ORIGIN, Row, snapshot
from tests.simulation.builders import expon, process, row

ZONE = ZoneInfo("Europe/Vienna")
DUE = OrderSpec(due_column="due")
SHOP_HOURS = (*((0.0,) * 8 + (0.8,) * 10 + (0.0,) * 6) * 5, *(0.0,) * 9, *(0.1,) * 3, *(0.0,) * 36)
"""Weekdays from 8 to 18, Saturdays from 9 to 12."""
Rule = Callable[[datetime], datetime]


def at(day: datetime, hour: int) -> datetime:
    return datetime.combine(day.date(), time(), ZONE) + timedelta(hours=hour)


def working_days(n: int) -> Rule:
    """The end of the n-th working day."""
    return lambda t: at(datetime.combine(nth_working_day(t.date(), n), time()), 24)


def next_delivery(t: datetime) -> datetime:
    """Tuesdays and Fridays at 14:00, not before the next morning."""
    day = t + timedelta(days=1)
    while day.weekday() not in (1, 4):
        day += timedelta(days=1)
    return at(day, 14)


def cut_off(t: datetime) -> datetime:
    """17:00 of the same day, or of the next one for what comes after noon; every day of the week."""
    return at(t + timedelta(days=t.hour >= 12), 17)


def log_of(rule: Rule, weeks: int) -> Snapshot:
    """Orders every third of an hour in which the shop is open, over the end of summer time."""
    begin = ORIGIN + timedelta(weeks=36)
    times = [begin + timedelta(minutes=20 * i) for i in range(weeks * 504)]
    open_ = [t for t in times if SHOP_HOURS[t.astimezone(ZONE).weekday() * 24 + t.astimezone(ZONE).hour]]
    seconds = [(t - ORIGIN).total_seconds() for t in open_]
    rows: list[Row] = [(str(i), "A", "ann", s, s) for i, s in enumerate(seconds)]
    due = {str(i): rule(t.astimezone(ZONE)).isoformat() for i, t in enumerate(open_)}
    return snapshot(rows, attributes={"due": due})


def drawn(kinds: tuple[OrderClass, ...], rates: tuple[float, ...], n: int) -> list[tuple[datetime, datetime]]:
    """Releases and due dates of new orders, from the year's first day on."""
    model = process(row("a"), Constant(1.0), arrivals=Arrivals(rates, "Europe/Vienna"))
    model = replace(model, orders=replace(model.orders, classes=kinds))
    table = draw_orders(model, ORIGIN, origin=ORIGIN, seed=5, replication=0, cases=n).table
    return [
        ((ORIGIN + timedelta(seconds=t)).astimezone(ZONE), (ORIGIN + timedelta(seconds=d)).astimezone(ZONE))
        for t, d in zip(table["release_s"].tolist(), table["due_s"].tolist(), strict=True)
    ]


@pytest.mark.parametrize("n", [0, 2, 7])
def test_working_days_are_told_at_hours_and_weekdays_that_were_never_seen(n: int) -> None:
    """Though the log ends before the clocks change, and nobody has ordered at night or on a Sunday."""
    found = fit_orders(log_of(working_days(n), 4), DUE, time_zone="Europe/Vienna")
    for release, due in drawn(found.classes, (1.0,) * 168, 400):
        assert due == working_days(n)(release), (release, due)


def test_time_after_release_stays_time_after_release() -> None:
    found = fit_orders(log_of(lambda t: t + timedelta(hours=50), 4), DUE, time_zone="Europe/Vienna")
    for release, due in drawn(found.classes, (1.0,) * 168, 100):
        assert (due - release).total_seconds() == pytest.approx(50 * HOUR, abs=1e-3)
    assert "as much time after they came" in due_facts(found)["due dates of new orders"]


def test_days_of_delivery_are_kept_where_they_were_seen() -> None:
    """But for the hours around noon, when some take after orders of the other side of it."""
    found = fit_orders(log_of(next_delivery, 4), DUE, time_zone="Europe/Vienna")
    both = drawn(found.classes, SHOP_HOURS, 300)
    assert all(due == next_delivery(release) for release, due in both if release.weekday() < 5)
    late = fit_orders(log_of(cut_off, 8), DUE, time_zone="Europe/Vienna")
    both = drawn(late.classes, SHOP_HOURS, 300)
    clear = [(release, due) for release, due in both if release.hour not in (11, 12)]
    assert all(due == cut_off(release) for release, due in clear)
    assert all(due > release for release, due in both)


def test_each_class_has_the_due_dates_of_its_own_orders() -> None:
    """Every second gold order has one, in three days; all six of tin, in nine; of fifty of lead, none."""
    kinds = ["gold"] * 100 + ["tin"] * 6 + ["lead"] * 50
    days = [3 * (i % 2) for i in range(100)] + [9] * 6 + [0] * 50
    rows: list[Row] = [(str(i), "A", "ann", i * HOUR, i * HOUR) for i in range(len(kinds))]
    came = [(ORIGIN + timedelta(hours=i)).astimezone(ZONE) for i in range(len(kinds))]
    due = {str(i): at(came[i] + timedelta(days=n), 18).isoformat() for i, n in enumerate(days) if n}
    log = snapshot(rows, attributes={"kind": {str(i): k for i, k in enumerate(kinds)}, "due": due})
    found = fit_orders(log, replace(DUE, class_column="kind"), time_zone="Europe/Vienna")
    model = process(row("a"), Constant(1.0), arrivals=Arrivals((2.0,) * 168, "Europe/Vienna"))
    model = replace(model, orders=found)
    table = draw_orders(model, ORIGIN, origin=ORIGIN, seed=5, replication=0, cases=2000).table
    dated = np.isfinite(table["due_s"])
    ahead = (table["due_s"] - table["release_s"]) / 86400
    gold, lead, tin = (table["cls"] == i for i in (1, 2, 3))
    assert dated[gold].mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(gold.sum()))
    assert (np.abs(ahead[gold & dated] - 3) < 0.76).all()
    assert dated[tin].all()
    assert (np.abs(ahead[tin] - 9) < 0.76).all()
    assert not dated[lead].any()
    assert set(table["due_s"][dated] % DAY) == {17 * HOUR}  # in winter


def test_a_date_that_is_over_comes_a_day_later_and_the_sale_is_lost_as_long_after_it() -> None:
    """Due at noon of the same working day, lost two days after that."""
    past = PastOrder((), 1.0, None, 4 * HOUR, 52 * HOUR, 8 * HOUR, 0, 12 * HOUR)
    kind = OrderClass("", "", 1.0, sample=Sample((), (past,), working_days=True))
    model = process(row("a"), Constant(1.0), arrivals=Arrivals((1.0,) * 168))
    model = replace(model, orders=replace(model.orders, classes=(kind,)))
    table = draw_orders(model, ORIGIN, origin=ORIGIN, seed=1, replication=0, cases=300).table
    for t, due_s, lost_s in zip(table["release_s"], table["due_s"], table["lost_s"], strict=True):
        release = ORIGIN + timedelta(seconds=t)
        day = nth_working_day(release.date(), int(release.hour >= 12 and release.weekday() < 5))
        assert ORIGIN + timedelta(seconds=due_s) == datetime.combine(day, time(12), UTC)
        assert lost_s - due_s == pytest.approx(48 * HOUR)


def test_as_many_orders_are_on_time_as_in_the_log() -> None:
    """Nobody works at weekends, and nothing is promised for them."""
    kind = OrderClass("", "", 1.0, due_working_days=1)
    truth = process(
        row("a"),
        expon(3 * HOUR),
        queues=[Queue("q", tuple("wxyz"))],
        serves={"a": ["q"]},
        agents=[Agent(name, "office") for name in "wxyz"],
        arrivals=Arrivals(SHOP_HOURS[:120] + (0.0,) * 48, "UTC"),
    )
    truth = replace(truth, orders=replace(truth.orders, classes=(kind,)))

    def shares(model: Metagraph, seed: int) -> list[float]:
        runs = [made(model, seed, replication) for replication in range(16)]
        return [float((one.completed_s <= one.program.orders.table["due_s"]).mean()) for one in runs]

    twin = replace(truth, orders=fit_orders(logged(made(truth, 1, 0)), DUE))
    found, true = interval(shares(twin, 2), 0.999), float(np.mean(shares(truth, 3)))
    assert found.low <= true <= found.high, (found, true)
    assert found.high - found.low < 0.1


def made(model: Metagraph, seed: int, replication: int) -> Run:
    orders = draw_orders(model, ORIGIN, origin=ORIGIN, seed=seed, replication=replication, cases=400)
    return run(lower(model, orders, origin=ORIGIN), seed, replication)


def logged(done: Run) -> Snapshot:
    """Its log, in which orders are seen from their release on."""
    log, orders = done.log, done.program.orders
    assert log is not None
    come = enumerate(orders.table["release_s"].tolist())
    rows: list[Row] = [(str(o), "Order", None, t, t) for o, t in come]
    rows += [
        (str(o), "A", "wxyz"[a], float(s), float(e))
        for o, a, s, e in zip(log.order, log.agent, log.start_s, log.end_s, strict=True)
    ]
    due_s = enumerate(orders.table["due_s"].tolist())
    due = {str(o): (ORIGIN + timedelta(seconds=t)).isoformat() for o, t in due_s}
    return snapshot(rows, attributes={"due": due})


def test_the_report_says_where_due_dates_rest_on_other_days() -> None:
    found = fit_orders(log_of(working_days(2), 4), DUE, time_zone="Europe/Vienna")
    (fact,) = due_facts(found).values()
    assert fact == (
        "as many working days (Monday to Friday) after they came as an order of the past was given, "
        "at 24:00, of those that came on that weekday at about that time"
    )
    assert due_defaults(found) == ()
    few = fit_orders(log_of(working_days(2), 2), DUE, time_zone="Europe/Vienna")
    (told,) = due_defaults(few)
    assert told.missing == "20 orders that came on Saturday"
    bare = fit_orders(snapshot([("1", "A", "ann", 0.0, 1.0)]), OrderSpec())
    assert (due_facts(bare), due_defaults(bare)) == ({}, ())

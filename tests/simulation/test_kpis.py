"""Figures that add up, and their intervals."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant
from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.orders import Order, OrderModel, ProfitShape
from metagraph.policies import Policy
from metagraph.rules import profit
from simulation.kpis import (
    Interval,
    differences,
    figures,
    interval,
    kpis,
    pair_means,
    summary,
    utilisation,
)
from simulation.lowering import lower
from simulation.money import profits_at
from simulation.reference import run
from simulation.replicate import replicate
from simulation.run import Paths, Run, floats, ints
from simulation.session import Options
from simulation.streams import Stream
from tests.simulation.builders import ORIGIN, expon, orders, process, row, station, tandem

HOUR = 3600.0
SHAPE = ProfitShape(early=1.1, due=1.0, late=0.7, final=0.2, lost=-0.1)


def test_figures_of_a_run_that_is_known() -> None:
    """Three orders of an hour each at 1, 1 and 1.5 h, one agent, looked at until 3.5 h; one comes later."""
    releases = [HOUR, HOUR, 1.5 * HOUR, 9 * HOUR]
    log = run(lower(station(Constant(HOUR)), orders(releases), origin=ORIGIN), 0, until_s=3.5 * HOUR)
    found = kpis(log)
    assert (found.orders, found.completed, found.lost, found.executions) == (3, 2, 0, 2)
    assert found.cycle_mean_s == 1.5 * HOUR
    assert found.cycle_median_s == 1.5 * HOUR
    assert found.cycle_p90_s == pytest.approx(1.9 * HOUR)
    assert found.waiting_mean_s == pytest.approx((0 + 1 + 1.5) / 3 * HOUR)
    assert found.throughput_per_h == pytest.approx(2 / 2.5)
    assert found.wip_mean == pytest.approx((1 + 2 + 2) / 2.5)
    assert found.wip_most == 3
    assert (found.open, found.fulfilled) == (1, 1.0), "nothing is lost yet"
    assert dict(found.utilisation) == {"agent0": 1.0}
    assert dict(found.busy_h) == {"agent0": 2.5}
    assert dict(found.task_n) == {"A": 3.0}
    assert found.task_waiting_s["A"] == pytest.approx(2.5 / 3 * HOUR)
    assert found.queue_mean["q"] == pytest.approx((0.5 * 1 + 0.5 * 2 + 1 * 1 + 0.5 * 0) / 2.5)
    assert found.queue_longest["q"] == 2
    assert isnan(found.profit)
    assert isnan(found.on_time)
    assert isnan(found.lateness_mean_s)
    assert [c.tolist() for c in log.wip()] == [[HOUR, 1.5 * HOUR, 2 * HOUR, 3 * HOUR], [2, 3, 2, 1]]
    assert log.rows()[2][4] is None


def test_money_and_dates_of_a_run_that_is_known() -> None:
    """An hour each at once: done at 1 h, early; at 2 h, half late; the third leaves at 2.5 h, not begun."""
    model = replace(station(Constant(HOUR)), orders=OrderModel(profit=SHAPE))
    given_orders = [
        Order("1", 0.0, value=100.0, early_s=2 * HOUR, due_s=3 * HOUR),
        Order("2", 0.0, value=100.0, due_s=1.5 * HOUR, lost_s=2.5 * HOUR),
        Order("3", 0.0, value=100.0, due_s=2 * HOUR, lost_s=2.5 * HOUR),
    ]
    found = kpis(run(lower(model, given_orders, origin=ORIGIN), 0))
    assert (found.completed, found.lost) == (2, 1)
    assert found.profit == pytest.approx(110.0 + (70.0 + 20.0) / 2 - 10.0)
    assert found.on_time == pytest.approx(1 / 3)
    assert found.lateness_mean_s == pytest.approx((-2.0 + 0.5) / 2 * HOUR)


def test_shares_are_of_orders_whose_fate_is_known() -> None:
    """An hour each at once, looked at after 90 minutes: one in time, one lost, two open, one late."""
    given_orders = [
        Order("1", 0.0, due_s=HOUR),
        Order("2", 0.0, due_s=9 * HOUR),
        Order("3", 0.0, due_s=HOUR / 2),
        Order("4", 0.0, due_s=2 * HOUR, lost_s=HOUR / 2),
    ]
    found = kpis(run(lower(station(Constant(HOUR)), given_orders, origin=ORIGIN), 0, until_s=1.5 * HOUR))
    assert (found.orders, found.completed, found.lost, found.open) == (4, 1, 1, 2)
    assert found.fulfilled == pytest.approx(1 / 2)
    assert found.on_time == pytest.approx(1 / 3), "the second one has time until the ninth hour"
    early = kpis(run(lower(station(Constant(HOUR)), given_orders[:1], origin=ORIGIN), 0, until_s=60.0))
    assert (early.open, isnan(early.fulfilled), isnan(early.on_time)) == (1, True, True)


def test_without_completions_there_are_no_cycle_times() -> None:
    found = kpis(run(lower(station(Constant(HOUR)), orders([0.0]), origin=ORIGIN), 0, until_s=60.0))
    assert isnan(found.cycle_mean_s)
    assert isnan(found.cycle_p90_s)
    assert dict(found.utilisation) == {"agent0": 1.0}
    assert interval([found.cycle_mean_s, found.cycle_mean_s]).n == 0


def test_utilisation_is_of_the_hours_on_shift() -> None:
    model = station(Constant(4 * HOUR), calendar="office", capacity=2)
    log = run(lower(model, [Order("1", 0.0)], origin=ORIGIN), 0, until_s=7 * 86400.0)
    assert kpis(log).utilisation["agent0"] == pytest.approx(4 / 80)


def test_who_is_without_limit_has_no_utilisation() -> None:
    model = station(Constant(HOUR), capacity=10_000)
    assert dict(kpis(run(lower(model, orders([0.0]), origin=ORIGIN), 0)).utilisation) == {}


@pytest.mark.parametrize("calendar", ["always", "office"])
@pytest.mark.parametrize("until_s", [None, 5 * 86400.0 + 12345.0])
def test_utilisation_by_the_log_is_the_same(calendar: str, until_s: float | None) -> None:
    model = tandem(expon(2 * HOUR), tasks=3, servers=2, calendar=calendar)
    program = lower(model, orders([i * HOUR for i in range(100)]), origin=ORIGIN)
    log = run(program, 1709, until_s=until_s)
    by_tally = utilisation(log)
    assert dict(by_tally) == pytest.approx(utilisation_by_log(log, Stream(1709)), rel=1e-9)
    assert all(0.2 < value <= 1.0 for value in by_tally.values())


def utilisation_by_log(log: Run, stream: Stream) -> dict[str, float]:
    """Working seconds between start and end, of what nobody interrupted, over those that there were."""
    network = log.program.network
    found = {}
    for agent, name in enumerate(network.agent_ids):
        plan = network.clocks[network.agents["clock"][agent]]
        between = (lambda a, b: b - a) if plan is None else plan.clock(stream, log.begin_s).between
        busy = 0.0
        for who, start, end in zip(log.agent, log.start_s, log.end_s, strict=True):
            if who == agent:
                busy += between(float(start), log.until_s if isnan(end) else float(end))
        found[name] = busy / (between(log.begin_s, log.until_s) * int(network.agents["capacity"][agent]))
    return found


def test_the_path_of_a_queue_adds_up_to_its_tally() -> None:
    model = tandem(expon(1.2 * HOUR), tasks=3)
    program = lower(model, orders([i * HOUR for i in range(60)]), origin=ORIGIN)
    log = run(program, 1723, until_s=50 * HOUR, options=Options(paths=True))
    for q, queue in enumerate(program.network.queue_ids):
        times, waiting = log.queue_path(queue)
        lasted = np.diff(np.append(times, log.until_s))
        assert float((waiting * lasted).sum()) == pytest.approx(log.tally.waiting_s[q], rel=1e-12)
        assert waiting[lasted > 0].max() == log.tally.longest[q]
        assert (np.diff(times) > 0).all()
    times, open_orders = log.wip()
    lasted = np.diff(np.append(times, log.until_s))
    assert float((open_orders * lasted).sum()) == pytest.approx(log.tally.wip_s, rel=1e-12)
    assert open_orders.max() == log.tally.wip_most


def test_what_passes_within_an_instant_is_no_part_of_a_path() -> None:
    log = run(lower(station(Constant(HOUR)), orders([0.0]), origin=ORIGIN), 0, options=Options(paths=True))
    t_s, waiting = [0.0, 0.0, 5.0, 5.0, 5.0, 7.0, 9.0], [1, 0, 1, 2, 1, 1, 0]
    paths = Paths(floats(t_s), ints([0] * 7), ints(waiting))
    assert [c.tolist() for c in replace(log, paths=paths).queue_path("q")] == [[0.0, 5.0, 9.0], [0, 1, 0]]
    with pytest.raises(UsageError, match="unknown: the process has q"):
        log.queue_path("p")


def test_little_holds_for_what_is_counted() -> None:
    program = lower(tandem(expon(HOUR)), orders([i * 2 * HOUR for i in range(50)]), origin=ORIGIN)
    found = kpis(run(program, 1733))
    span_s = found.completed / found.throughput_per_h * 3600
    assert found.wip_mean * span_s == pytest.approx(found.cycle_mean_s * found.completed)


def test_no_log_no_rows_but_the_same_figures() -> None:
    program = lower(tandem(expon(HOUR)), orders([0.0, 60.0]), origin=ORIGIN)
    without, kept = run(program, 3, options=Options(log=False)), run(program, 3)
    assert figures(kpis(without)) == pytest.approx(figures(kpis(kept)), nan_ok=True, abs=0)
    with pytest.raises(UsageError, match=r"Options\(log=True\)"):
        without.rows()
    with pytest.raises(UsageError, match=r"Options\(paths=True\)"):
        kept.queue_path("t0")
    with pytest.raises(ValueError, match="read-only"):
        kept.start_s[0] = 1.0


instants = st.floats(0.0, 100.0)
money = st.floats(-2.0, 2.0)


@given(
    st.lists(
        st.tuples(
            instants,
            st.floats(0.0, 10.0),
            instants | st.just(nan),
            instants | st.just(inf),
            instants | st.just(inf),
        ),
        min_size=1,
        max_size=6,
    ),
    st.tuples(money, money, money, money, money),
    st.booleans(),
)
def test_profits_of_columns_are_those_of_the_rule(
    rows: list[tuple[float, float, float, float, float]],
    shares: tuple[float, float, float, float, float],
    own: bool,
) -> None:
    shape = ProfitShape(*shares)
    model = replace(station(Constant(1.0)), orders=OrderModel(profit=None if own else shape))
    given_orders = [
        Order(
            str(i),
            0.0,
            value=value,
            early_s=None if isnan(early) else early,
            due_s=None if due == inf else due,
            lost_s=None if lost == inf else lost,
            profit=shape if own else None,
        )
        for i, (_, value, early, due, lost) in enumerate(rows)
    ]
    program = lower(model, given_orders, origin=ORIGIN)
    found = profits_at(program, np.array([row[0] for row in rows]))
    dates = [(t, value, 0.0 if isnan(early) else early, due, lost) for t, value, early, due, lost in rows]
    assert found.tolist() == [profit(*row, *shares) for row in dates]


def some(seed: int, model: Metagraph, policy: Policy | None = None) -> list[Run]:
    program = lower(model, orders([i * 600.0 for i in range(40)]), origin=ORIGIN, policy=policy)
    return list(replicate(program, seed, 10, engine="reference", reduce=whole, options=Options(), workers=1))


def whole(log: Run) -> Run:
    return log


def test_summary_over_replications() -> None:
    model = process(
        row("a", "b"),
        expon(300.0),
        queues=[Queue("q", ("x",))],
        serves={"a": ["q"]},
        agents=[Agent("x", "always")],
    )
    values = [kpis(log) for log in some(1741, model)]
    found = summary(values)
    assert found["completed"].mean == 40
    assert found["cycle_mean_s"].low < found["cycle_mean_s"].mean < found["cycle_mean_s"].high
    assert found["utilisation x"].n == 10
    assert 0.2 < found["utilisation x"].mean < 0.8
    assert found["busy_h x"].mean == pytest.approx(40 * 300 / 3600, rel=0.2)
    assert found["task_n A"] == Interval(40.0, 40.0, 40.0, 10)
    assert found["queue_mean q"].mean > 0
    assert found["profit"].n == 0
    narrow = summary(values, confidence=0.5)["cycle_mean_s"]
    assert narrow.high - narrow.low < found["cycle_mean_s"].high - found["cycle_mean_s"].low


def test_differences_are_paired() -> None:
    model = tandem(expon(500.0), tasks=2, servers=1)
    ours = [kpis(log) for log in some(1747, model)]
    theirs = [kpis(log) for log in some(1747, tandem(expon(500.0), tasks=2, servers=2))]
    found, alone = differences(ours, theirs), summary(ours)
    wanted = interval([a.cycle_mean_s - b.cycle_mean_s for a, b in zip(ours, theirs, strict=True)])
    assert found["cycle_mean_s"] == wanted
    assert wanted.low > 0
    assert "utilisation t0.1" not in found
    assert "utilisation t0.0" in found
    assert wanted.mean == pytest.approx(alone["cycle_mean_s"].mean - summary(theirs)["cycle_mean_s"].mean)
    with pytest.raises(ValueError, match="paired"):
        differences(ours, theirs[1:])


def test_interval_is_the_t_interval() -> None:
    """Mean 3, s = 1.5811, t(0.975, 4) = 2.7764."""
    found = interval([1.0, 2.0, 3.0, 4.0, 5.0, float("nan")])
    assert (found.mean, found.n) == (3.0, 5)
    assert found.high - found.mean == pytest.approx(2.7764 * 1.5811 / 5**0.5, abs=1e-3)
    assert isnan(interval([]).mean)
    alone = interval([7.0])
    assert (alone.mean, alone.n) == (7.0, 1)
    assert isnan(alone.low)
    assert isnan(alone.high)


def test_antithetic_values_count_by_pairs() -> None:
    assert pair_means([1.0, 3.0, 5.0, 8.0]).tolist() == [2.0, 6.5]
    with pytest.raises(ValueError, match="pairs"):
        pair_means([1.0])

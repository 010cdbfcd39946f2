"""Bottlenecks of lines whose bottleneck is known, and gains that queueing theory tells."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metagraph.agents import Agent
from metagraph.calendars import WEEK_S, Calendar, merge
from metagraph.distributions import Constant
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, OrderClass, ProfitShape
from metagraph.shifts import Shift
from simulation.reference import run
from simulation.session import Options
from tests.simulation.builders import ALWAYS, OFFICE, ORIGIN, always, expon, fitted, station, tandem
from tests.twin.small import deterministic
from twin.active_periods import Shares
from twin.bottleneck_findings import Bottlenecks
from twin.bottleneck_gains import longer, two_sided
from twin.bottleneck_runs import Source, Span
from twin.bottleneck_verdicts import sentence, verdict
from twin.bottleneck_waits import snapshot_of_run, waits_of
from twin.bottleneck_words import COLUMNS, best_text, to_csv
from twin.bottlenecks import BottleneckRequest, bottlenecks
from twin.bottlenecks_log import edges_of, log_side
from twin.stations import Watched

MINUTE, HOUR = 60.0, 3600.0
PER_H = 6.0
"""Orders."""


def line(*minutes: float) -> Metagraph:
    """Exponential stations in a row with these means, and Poisson arrivals."""
    model = tandem(expon(1.0), tasks=len(minutes))
    nodes = tuple(
        replace(node, durations=always(expon(MINUTE * minutes[int(node.id[1:])])))
        if node.kind == "task"
        else node
        for node in model.nodes
    )
    return replace(model, nodes=nodes, arrivals=Arrivals((PER_H,) * 168))


def source(model: Metagraph, weeks: float, seed: int) -> Source:
    return Source(model, Span(ORIGIN, 0.0, 0.5 * WEEK_S, (0.5 + weeks) * WEEK_S), seed, None)


@cache
def found(*minutes: float, seed: int = 1) -> Bottlenecks:
    wanted = BottleneckRequest(replications=12, seed=seed, most=3)
    return bottlenecks(source(line(*minutes), 3.0, seed), wanted)


def test_the_slowest_station_of_a_line_is_the_bottleneck_and_surely() -> None:
    told = found(6.0, 8.0, 5.0)
    (verdict,) = told.sides[0].verdicts
    assert (verdict.name, verdict.sure, verdict.rivals) == ("t1.0", True, ())
    assert "the bottleneck is t1.0" in told.sentence
    for name, minutes in (("t0.0", 6.0), ("t1.0", 8.0), ("t2.0", 5.0)):
        one = next(one for one in told.sides[0].agents if one.name == name)
        low, high = one.utilisation.low, one.utilisation.high
        middle, half = (low + high) / 2, (high - low) / 2
        assert abs(middle - PER_H * minutes / 60) < 2.5 * half < 0.05
        assert one.share.mean == pytest.approx(one.sole.mean + one.shifting.mean)


def test_of_equal_stations_none_is_told_apart() -> None:
    """Two in a row: backwards in time a line of exponential stations is the same line the other way round."""
    told = found(7.0, 7.0, seed=2)
    assert not told.sides[0].verdicts[0].sure
    assert "can't be told" in told.sentence


def test_automation_saves_the_time_that_a_station_costs_by_theory() -> None:
    """Jackson: each station is M/M/1, so without it orders are faster by 1 / (mu - lambda) each."""
    told = found(6.0, 8.0, 5.0)
    assert [gain.name for gain in told.tasks] == ["T1", "T0", "T2"]
    assert told.value == "lead time"
    for gain, minutes in zip(told.tasks, (8.0, 6.0, 5.0), strict=True):
        theory = 168 * PER_H / (60 / minutes - PER_H)
        middle, half = gain.saved_h.mean, gain.saved_h.high - gain.saved_h.mean
        assert abs(middle - theory) < 2.1 * half < 0.25 * theory
        assert gain.sure
    assert best_text(told).startswith("Automation of T1 is worth ")
    assert [note for note in told.notes if "there is no room" in note]  # they work around the clock


def test_an_hour_more_is_worth_what_theory_says_in_an_m_m_1() -> None:
    """An agent who is there for half of every 24 minutes has half the speed, for work that takes hours."""
    rate, each = 0.35, 24 * MINUTE
    halves = tuple((k * each, k * each + each / 2) for k in range(int(WEEK_S / each)))
    half = Calendar("half", halves)
    model = replace(
        station(expon(HOUR)),
        calendars=(half,),
        agents=(Agent("agent0", "half"),),
        arrivals=Arrivals((rate,) * 168),
    )
    told = bottlenecks(source(model, 40.0, 3), BottleneckRequest(replications=16, seed=3))
    (gain,) = told.hours
    theory = 168 * rate * (1 / (84 / 168 - rate) - 1 / (85 / 168 - rate))
    error = gain.saved_h.high - gain.saved_h.mean
    assert abs(gain.saved_h.mean - theory) < 2.0 * error < 0.5 * theory
    assert gain.sure
    assert gain.text.startswith("84 h a week → 85 h")


def test_a_log_tells_the_same_bottleneck_as_the_twin_that_made_it() -> None:
    model = line(6.0, 8.0, 5.0)
    made = run(source(model, 3.0, 4)(0), 4, 0, None, Options())
    log, notes = log_side(model, snapshot_of_run(made))
    assert notes == ()
    assert log.verdicts[0].name == "t1.0"
    twin = found(6.0, 8.0, 5.0)
    told = sentence((log, twin.sides[0]))
    assert told.endswith("Both agree." if log.verdicts[0].sure else "Neither contradicts the other.")
    for one in log.agents:
        minutes = {"t0.0": 6.0, "t1.0": 8.0, "t2.0": 5.0}[one.name]
        assert one.utilisation.low < PER_H * minutes / 60 < one.utilisation.high


def test_waits_add_up_and_those_of_a_queue_are_for_busy_agents() -> None:
    model = line(6.0, 8.0)
    made = run(source(model, 2.0, 5)(0), 5, 0, None, Options())
    snapshot = snapshot_of_run(made)
    found = waits_of(model, snapshot, edges_of(0.0, snapshot.until_s))
    log = made.executions
    for i, label in enumerate(found.activities):
        mine = made.task == made.labels.index(label)
        wait = float((log.start_s - log.enabled_s)[mine].mean())
        # The first station's orders are enabled as they begin, by what a log shows.
        expected = 0.0 if label == "T0" else wait
        assert found.parts_s[i].sum() == pytest.approx(expected, rel=1e-6, abs=1e-6)
        assert found.parts_s[i][1] == pytest.approx(expected, rel=0.01, abs=1e-6)
    lead = float((made.completed_s - np.minimum.reduceat(log.start_s[np.argsort(log.order, kind="stable")],
                  np.searchsorted(np.sort(log.order), np.arange(len(made.order_ids))))).sum())  # fmt: skip
    assert found.of_lead[1] == pytest.approx(found.n[1] * found.parts_s[1].sum() / lead, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 167), st.integers(1, 12)), min_size=1, max_size=10),
    st.floats(0.5, 20.0),
)
def test_a_longer_week_has_the_old_hours_and_as_many_more_as_asked(
    pieces: list[tuple[int, int]], hours: float
) -> None:
    spans = merge([(h * HOUR, min(h + n, 168) * HOUR) for h, n in pieces])
    old = Calendar("c", tuple(spans))
    new = longer(old, hours)
    room = sum(b[0] - a[1] for a, b in zip(spans, [*spans[1:], (WEEK_S, 0.0)], strict=True)) / HOUR
    assert (new is None) == (room < hours)
    if new is not None:
        assert new.weekly_hours() - old.weekly_hours() == pytest.approx(hours)
        assert merge([*new.hours, *old.hours]) == list(new.hours)


def test_a_week_drawn_from_the_past_gets_longer_on_average() -> None:
    nine_to_five = (Shift(9 * HOUR, 17 * HOUR, 0.8),)
    old = replace(ALWAYS, shifts=(*(nine_to_five for _ in range(5)), (), ()))
    new = longer(old, 2.0)
    assert new is not None
    assert new.weekly_hours() == pytest.approx(old.weekly_hours() + 2.0)
    assert longer(ALWAYS, 1.0) is None
    assert longer(OFFICE, 200.0) is None


def test_tests_of_differences_know_chance() -> None:
    rng = np.random.default_rng(6)
    p = [two_sided(rng.normal(size=12).tolist()) for _ in range(2000)]
    assert 0.03 < float((np.array(p) < 0.05).mean()) < 0.07
    assert two_sided([0.0, 0.0, 0.0]) == 1.0
    assert two_sided([2.0, 2.0, 2.0]) == 0.0


def test_the_table_has_every_figure() -> None:
    told = found(6.0, 8.0, 5.0)
    rows = list(csv.DictReader(io.StringIO(to_csv(told))))
    assert tuple(rows[0]) == COLUMNS
    kinds = {(row["what"], row["figure"]) for row in rows}
    assert {
        ("agent", "sole"),
        ("role", "share"),
        ("queue", "agents busy"),
        ("automation", "lead time saved"),
    } <= kinds
    one = next(row for row in rows if row["what"] == "automation")
    assert float(one["mean"]) == pytest.approx(told.tasks[0].saved_h.mean, rel=1e-5)


def test_stations_that_are_alike_are_seldom_told_apart() -> None:
    """Of two with shares alike one is named in 5 % of the cases (and of more in fewer)."""
    rng, trials = np.random.default_rng(8), 2000
    for names, low, high in (("ab", 0.035, 0.065), ("abcd", 0.0, 0.03)):
        named = 0
        for _ in range(trials // len(names)):
            share = rng.dirichlet(np.ones(len(names)), size=10).T
            none, some = np.zeros_like(share), np.ones(10)
            seen = Watched(tuple(names), Shares(share, none, share, none + 1, some), share)
            named += verdict(seen, "agent", "twin").sure
        assert low <= named / (trials // len(names)) <= high


def test_a_twin_that_needs_nobody_has_no_bottleneck() -> None:
    told = bottlenecks(source(deterministic(per_hour=0.5), 0.5, 9), BottleneckRequest(replications=2, seed=9))
    assert told.sentence == "In the twin no agent was ever at capacity."
    assert (told.hours, told.tasks) == ((), ())


@pytest.mark.parametrize("late", [None, 0.5])
def test_profit_counts_only_where_a_delay_costs_any(late: float | None) -> None:
    model = line(8.0)
    shape = None if late is None else ProfitShape(late=late, final=late)
    kinds = (OrderClass("", "", 1.0, value=fitted(Constant(100.0)), due_after=fitted(Constant(HOUR))),)
    model = replace(model, orders=replace(model.orders, classes=kinds, profit=shape))
    told = bottlenecks(source(model, 0.5, 10), BottleneckRequest(replications=4, seed=10))
    (gain,) = told.tasks
    assert told.value == ("lead time" if late is None else "profit")
    if late is None:
        assert gain.profit is None
        assert any("lose nothing by a day's delay" in note for note in told.notes)
    else:
        # Done at once, no order is late any more; M/M/1: P(T > 1 h) of them were.
        share = np.exp(-(60 / 8.0 - PER_H))
        assert gain.profit is not None
        assert gain.profit.mean == pytest.approx(168 * PER_H * 100.0 * (1 - late) * share, rel=0.35)

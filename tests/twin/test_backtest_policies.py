"""Policies tried on the past of a known process."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from eventlogs.snapshot import Snapshot, sealed
from metagraph.errors import DataError, UsageError
from metagraph.model import Metagraph
from metagraph.policies import PORTFOLIO, Policy
from simulation.kpis import kpis
from tests.twin.replays import DAY, log_of, orders, played, workshop
from twin.backtest_judged import Replayed, decides
from twin.backtest_policies import backtest, starts_of
from twin.backtest_results import BacktestOptions, PolicyBacktest
from twin.backtest_runs import FIGURES, Contender, Played
from twin.backtest_words import sentences
from twin.replay_history import History

MODEL = workshop()
DAYS = (0.7, 5.0)
GIVEN = orders(1200, 8.6, 4, DAYS)
LOG = log_of(played(MODEL, GIVEN, Policy(), 5), GIVEN)
TRIED = (Contender("own", Policy()), *(Contender(name, PORTFOLIO[name]) for name in ("PD", "S")))
OPTIONS = BacktestOptions(period_s=28 * DAY, periods=12, replications=1, since_s=14 * DAY, workers=1)
LAST = 9
"""A period at whose start enough is known."""


FITTED: dict[str, list[str]] = {}
"""What each backtest's twins were fitted to."""


def tried(name: str, log: Snapshot) -> PolicyBacktest:
    FITTED[name] = []

    def twin_at(known: Snapshot) -> Metagraph:
        FITTED[name].append(known.content_hash)
        return MODEL

    return backtest(log, TRIED, twin_at, OPTIONS)


@pytest.fixture(scope="module")
def found() -> PolicyBacktest:
    return tried("first", LOG)


def test_policies_rank_on_the_past_as_in_long_simulations(found: PolicyBacktest) -> None:
    """Of a known process: other orders, simulated from beginning to end under each policy."""
    many = orders(12_000, 8.6, 11, DAYS)
    truth = {one.name: kpis(played(MODEL, many, one.policy, 17)).profit for one in TRIED}
    ranked = [one.policy for one in found.ranking]
    assert found.objective == "profit"
    assert ranked == sorted(truth, key=lambda name: -truth[name])
    assert found.ranking[0].shown == "better"


def test_history_comes_back_under_the_rule_in_force(found: PolicyBacktest) -> None:
    for period in found.periods:
        assert period.error_h < 0.01 * period.lead_h
        assert period.replayed_h == pytest.approx(period.lead_h, rel=0.01)
        assert period.placed == 1.0


def test_advice_uses_nothing_that_came_later(found: PolicyBacktest) -> None:
    """The future of a period shuffled: who did what, how long it took, when orders came."""
    assert OPTIONS.since_s is not None
    start = found.periods[LAST].start
    other = tried("second", shuffled(LOG, OPTIONS.since_s + LAST * OPTIONS.period_s))
    first, second = FITTED["first"], FITTED["second"]
    assert first[: LAST + 1] == second[: LAST + 1]
    assert first[LAST + 1] != second[LAST + 1]
    for before, after in zip(found.periods[: LAST + 1], other.periods[: LAST + 1], strict=True):
        assert before.advice == after.advice
        assert before.open_at_start == after.open_at_start
        if before.known is not None and before.known <= start:
            assert before.figures == after.figures
    assert any(one.known is not None and one.known > start for one in found.periods[:LAST])
    assert f"over {LAST} periods" in found.periods[LAST].advice.reason
    assert found.periods[LAST].advice.call == "switch"
    assert found.periods[LAST].figures != other.periods[LAST].figures


def shuffled(log: Snapshot, at_s: float) -> Snapshot:
    """The log with its executions after an instant done by others, in other times; begun ones take longer."""
    rng = np.random.default_rng(4)
    later = log.start_s > at_s
    resource = log.resource.copy()
    for activity in range(len(log.activities)):
        mine = np.flatnonzero(later & (log.activity == activity))
        resource[mine] = rng.permutation(resource[mine])
    end_s = np.where(log.end_s > at_s, log.end_s + rng.uniform(0, 9 * DAY, log.n_events), log.end_s)
    return sealed(replace(log, resource=resource, end_s=end_s))


def test_following_advice_is_set_beside_staying_and_hindsight(found: PolicyBacktest) -> None:
    advice, fixed, best = (one.gain.mean for one in found.followed)
    own = [period.figures["own"]["profit"] for period in found.periods]
    assert best == pytest.approx(
        np.mean(
            [
                max(f["profit"] for f in p.figures.values()) - o
                for p, o in zip(found.periods, own, strict=True)
            ]
        )
    )
    means = [np.mean([p.figures[one.name]["profit"] for p in found.periods]) - np.mean(own) for one in TRIED]
    assert fixed == pytest.approx(max(means))
    assert best >= fixed >= 0
    assert best >= advice
    assert any(period.advice.call == "switch" for period in found.periods)
    assert found.next.call == "switch"
    assert any("against own" in text for text in sentences(found))


def test_without_values_and_dates_lead_time_counts() -> None:
    model = replace(MODEL, orders=replace(MODEL.orders, columns={}))
    options = replace(OPTIONS, periods=2)
    told = backtest(replace(LOG, attributes={}), TRIED, lambda known: model, options)
    assert told.objective == "lead_h"
    assert "neither values nor due dates" in told.notes[0]
    with pytest.raises(DataError, match="have no values"):
        backtest(
            replace(LOG, attributes={}), TRIED[:2], lambda known: model, replace(options, objective="profit")
        )


def test_profit_that_is_the_same_whatever_is_tried_ranks_nothing() -> None:
    def played(late_h: float, profit: float) -> tuple[Played]:
        told = {"late_h": late_h, "profit": profit}
        return (Played(dict.fromkeys(FIGURES, 1.0) | told, (), False),)

    def replayed(late_h: float, profit: float) -> Replayed:
        runs = {"own": played(3.0, 9.0), "S": played(late_h, profit)}
        return Replayed(0.0, cast(History, None), runs, 1.0, 1.0, 0.0, 1)

    assert decides("", [replayed(2.0, 9.0)], "own") == "late_h"
    assert decides("", [replayed(2.0, 8.0)], "own") == "profit"
    assert decides("profit", [replayed(2.0, 9.0)], "own") == "profit"


def test_periods_that_the_log_does_not_hold_are_refused() -> None:
    with pytest.raises(UsageError, match="and the log has only"):
        starts_of(LOG, replace(OPTIONS, periods=60))
    with pytest.raises(UsageError, match="take one of profit"):
        backtest(LOG, TRIED[:2], lambda known: MODEL, replace(OPTIONS, periods=1, objective="money"))

"""What is learnt from the log: laws of known lifetimes, blind to the future, weighed by what came."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from eventlogs.snapshot import NO_RESOURCE, Snapshot, sealed
from eventlogs.split import known_at
from examples.order_to_cash import START, known_twin
from tests.eventlogs.logs import frozen
from tests.twin.small import known_log
from twin import learned_forecast, learned_hazard, learned_past
from twin.forecast import forecast
from twin.forecast_scores import crps
from twin.learned_forecast import WEIGHTS, losses
from twin.learned_hazard import learnt, longer
from twin.learned_past import Past
from twin.learned_rows import instants, last_s, rows_at
from twin.outlook import LEVELS, Forecast, in_process_words

DAY = 86400.0
MIDDLE = LEVELS.index(0.5)


def lived(lives: np.ndarray, until: float, kinds: np.ndarray | None = None) -> Snapshot:
    """One order every two hours, with a first event of its kind and a last one when it ends."""
    n = len(lives)
    first = np.arange(n) * 7200.0
    rows = np.repeat(first, 2) + np.column_stack([np.zeros(n), lives]).ravel()
    kinds = np.zeros(n, np.int32) if kinds is None else kinds.astype(np.int32)
    whole = Snapshot(
        "lived",
        datetime(2024, 1, 1, tzinfo=UTC),
        float(rows.max()) + 1,
        tuple(f"{i:05d}" for i in range(n)),
        ("End", "Slow", "Fast"),
        (),
        np.arange(0, 2 * n + 1, 2),
        np.column_stack([kinds + 1, np.zeros(n, np.int32)]).ravel().astype(np.int32),
        np.full(2 * n, NO_RESOURCE, np.int32),
        rows,
        rows,
        np.zeros(n, bool),
        {},
        True,
        "",
    )
    return known_at(sealed(whole), until)


def test_orders_that_have_not_ended_are_no_shorter_than_others() -> None:
    rng = np.random.default_rng(3)
    known = lived(rng.exponential(10 * DAY, 600), 45 * DAY)
    left = longer(known, np.array([0.0, 5 * DAY, 10 * DAY]), np.full(3, 0.5)) / DAY
    # The exponential law doesn't age. Of finished ones alone the median of the first would be below 5.
    assert left == pytest.approx(np.full(3, 10 * np.log(2)), rel=0.3)


def test_the_time_left_is_learnt_by_kind_and_age() -> None:
    rng = np.random.default_rng(4)
    kinds = rng.integers(0, 2, 900)
    known = lived(np.where(kinds == 0, 4 * DAY, 1 * DAY) * rng.uniform(0.8, 1.2, 900), 70 * DAY, kinds)
    rows = rows_at(known, instants(known, 60))
    hazard = learnt(known, rows, 0)
    assert hazard is not None
    now = rows_at(known, [known.until_s])
    median = hazard.quantiles(now, np.array(LEVELS))[:, MIDDLE] / DAY
    slow = known.activity[known.offsets[now.case]] == 1
    truth = np.where(slow, 4.0, 1.0) - now.x[:, 0] / DAY
    assert np.abs(median - np.maximum(truth, 0.05)).mean() < 0.35
    quantiles = hazard.quantiles(now, np.array(LEVELS))
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_rows_know_nothing_of_what_came_later() -> None:
    rng = np.random.default_rng(5)
    known = lived(rng.exponential(3 * DAY, 300), 25 * DAY)
    t = 14 * DAY + 5.0
    before = known_at(known, t)
    now, then = rows_at(before, [t]), rows_at(known, [t])
    assert len(now) > 10
    assert [before.cases[i] for i in now.case] == [known.cases[i] for i in then.case]
    assert (now.x == then.x).all()
    assert np.isinf(last_s(before)[now.case]).all()


def past(left: np.ndarray, simulated: float, learnt_s: float, seen: float) -> Past:
    n = len(left)
    flat = np.ones((n, len(LEVELS)))
    nothing = np.zeros((0, len(LEVELS)))
    return Past(0.0, seen, left, np.arange(n), flat * simulated, flat * learnt_s, np.zeros(0), nothing)


def test_the_better_of_two_gets_the_weight() -> None:
    left = np.full(40, 10.0)
    for simulated, taught, best in ((10.0, 30.0, 1.0), (30.0, 10.0, 0.0), (6.0, 16.0, 0.6)):
        assert WEIGHTS[int(np.argmin(losses([past(left, simulated, taught, 1e9)])))] == best


def test_what_the_log_does_not_reach_does_not_count() -> None:
    left = np.array([5.0, np.inf])
    near = losses([past(left, 20.0, 25.0, 20.0)])
    # Both say that the orders are still open when the log stops, and one was.
    assert near == pytest.approx(np.full(len(WEIGHTS), near[0]))
    assert near[0] == pytest.approx(crps(np.array([5.0]), np.full((1, len(LEVELS)), 20.0))[0] / 2)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned_past, "FUTURES", 10)
    monkeypatch.setattr(learned_past, "MOST_TIMES", 4)
    monkeypatch.setattr(learned_past, "_ROWS", 600)
    monkeypatch.setattr(learned_hazard, "ROUNDS", 15)


@pytest.mark.usefixtures("quick")
def test_a_forecast_says_what_gave_its_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = START + timedelta(days=25, hours=3)
    whole = known_log(tmp_path / "log.csv", 30)
    ids = frozen(whole).cases
    later = frozen(whole, open_cases=[])
    known = known_at(later, (at - later.origin).total_seconds())
    assert set(known.cases) < set(ids)
    assert known.is_open.any()
    plain = forecast(known_twin(), known, open_rule="", replications=20, horizons_h=(24.0, 72.0))
    told = plain.orders[0].case_id

    def learnt_too() -> Forecast:
        return forecast(
            known_twin(),
            known,
            open_rule="",
            etas={told: ()},
            replications=20,
            horizons_h=(24.0, 72.0),
            learning=True,
        )

    both = learnt_too()
    assert both.learnt is not None
    assert both.learnt.orders >= learned_forecast.FEWEST_PAST
    assert both.learnt.loss_h <= min(both.learnt.loss_simulated_h, both.learnt.loss_learnt_h)
    assert "60% from the simulation and 40% from what the log" in replace(both.learnt, weight=0.6).words
    assert "the simulation's alone, which did best" in replace(both.learnt, weight=1.0).words
    # Every count of orders in process says what it comes from.
    assert in_process_words(both.learnt.in_process) in both.learnt.words
    for part in both.learnt.in_process:
        (wip,) = [o for o in both.system if o.metric == "wip" and o.horizon_h == part.horizon_h]
        assert wip.quantiles[MIDDLE] == pytest.approx(part.middle)
        assert sum(w * n for n, w in part.parts.values()) == pytest.approx(part.middle)
    # What was announced from outside stands, and the simulation is kept beside what is new.
    assert both.orders[0] == plain.orders[0]
    for mine, alone in zip(both.orders, plain.orders, strict=True):
        assert mine.simulated in ((), alone.quantiles)
        assert list(mine.quantiles) == sorted(mine.quantiles)
        assert mine.quantiles[0] >= both.as_of
    assert learnt_too() == both


def test_too_little_to_learn_from_is_said(tmp_path: Path) -> None:
    log = frozen(known_log(tmp_path / "log.csv", 2), open_cases=[])
    known = replace(log, is_open=np.ones(log.n_cases, bool))
    plain = forecast(known_twin(), known, open_rule="", replications=2)
    alone = forecast(known_twin(), known, open_rule="", replications=2, learning=True)
    assert alone.orders == plain.orders
    assert alone.learnt is None
    assert "too few to learn from" in alone.notes[-1]

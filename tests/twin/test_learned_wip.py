"""Orders in process: parts that are exact where their assumptions are, blind to the future, weighed by it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.twin.test_learned_forecast import lived
from twin.learned_past import Past
from twin.learned_wip import (
    FEWEST_INSTANTS,
    FEWEST_SIMULATED,
    LOG_PARTS,
    PARTS,
    best,
    by_log,
    in_process,
    known,
    new_orders,
    share_by,
    share_left,
    spread,
)
from twin.lifetimes import lifetimes
from twin.outlook import LEVELS, in_process_words

DAY = 86400.0


def test_shares_are_the_inverse_of_quantiles() -> None:
    quantiles = np.sort(np.random.default_rng(6).exponential(100.0, len(LEVELS)))
    assert [share_by(q, quantiles) for q in quantiles] == pytest.approx(LEVELS, abs=1e-4)
    assert (share_by(-1.0, quantiles), share_by(1e9, quantiles)) == (0.0, 1.0)
    assert share_left(np.array([quantiles, quantiles]), float(quantiles[4])) == pytest.approx(1.5, abs=1e-3)


def test_lifetimes_are_those_of_late_and_unfinished_orders_too() -> None:
    rng = np.random.default_rng(1)
    first = np.sort(rng.uniform(0, 200 * DAY, 4000))
    last = first + rng.exponential(10 * DAY, 4000)
    lives = lifetimes(first, last, 200 * DAY)
    ages = np.array([-1.0, 5 * DAY, 10 * DAY, 20 * DAY])
    assert lives.outlive(ages) == pytest.approx(np.exp(-np.maximum(ages, 0) / (10 * DAY)), abs=0.05)


def test_a_week_that_repeats_itself_is_foretold_exactly() -> None:
    # Orders come on five days of the week and take three days each.
    days = np.arange(70)
    first = np.repeat(days[days % 7 < 5] * DAY, 4) + 100.0
    last = first + 3 * DAY
    for at in (50.3, 53.3, 55.3):
        then = known(first, last, at * DAY)
        for ahead in (1.0, 4.0, 9.0):
            true = ((first <= (at + ahead) * DAY) & (last > (at + ahead) * DAY)).sum()
            today, change, usual = by_log(then, ahead * DAY)
            assert today == ((first <= at * DAY) & (last > at * DAY)).sum()
            assert (change, usual) == (true, true)
            # Open and new orders are all there are, and how long they live is known, up to one in many that
            # is taken to live on.
            left = sum((first <= at * DAY) & (last > (at + ahead) * DAY))
            assert left + new_orders(then, ahead * DAY) == pytest.approx(true, abs=0.3)


def test_nothing_of_the_future_is_used() -> None:
    rng = np.random.default_rng(2)
    first = np.sort(rng.uniform(0, 60 * DAY, 400))
    last = first + rng.exponential(4 * DAY, 400)
    at = 40 * DAY
    later = np.where(last > at, last + rng.exponential(30 * DAY, 400), last)
    seen = first <= at
    for other in (known(first, later, at), known(first[seen], np.where(last > at, np.inf, last)[seen], at)):
        whole = known(first, last, at)
        for ahead in (3 * DAY, 10 * DAY):
            assert (by_log(other, ahead) == by_log(whole, ahead)).all()
            assert new_orders(other, ahead) == new_orders(whole, ahead)


def test_a_log_of_less_than_two_days_has_nothing_usual() -> None:
    then = known(np.array([0.0, 5.0]), np.array([7.0, np.inf]), 3600.0)
    assert by_log(then, 600.0).tolist() == [1.0, 1.0, 1.0]


def test_the_weights_are_those_that_were_right() -> None:
    rng = np.random.default_rng(3)
    said = rng.uniform(20, 60, (200, 3))
    for weights in ([1.0, 0.0, 0.0], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]):
        true = said @ np.array(weights) + rng.normal(0, 0.5, 200)
        assert best(said, true, 4).tolist() == weights
        assert best(said, true, 1).sum() == best(said, true, 1).max() == 1.0
    assert best(np.full((5, 3), 7.0), np.full(5, 9.0), 4).tolist() == [1.0, 0.0, 0.0]


def test_as_many_errors_as_the_levels_say_are_within() -> None:
    rng = np.random.default_rng(4)
    errors = np.abs(rng.normal(size=(3000, 20)))
    wide = np.array([spread(one) for one in errors[:, :-1]])
    assert (np.diff(wide, axis=1) >= 0).all()
    for low, high, share in ((0, -1, 0.9), (4, -5, 0.5)):
        signed = errors[:, -1] * rng.choice([-1, 1], 3000)
        inside = ((wide[:, low] <= signed) & (signed <= wide[:, high])).mean()
        assert share - 0.02 <= inside <= share + 0.05 + 0.02
    # Where errors have doubled lately, those that count most are of the new size.
    scale = np.where(np.arange(41) < 20, 1.0, 2.0)
    grown = np.abs(rng.normal(size=(3000, 41))) * scale
    newest = 0.5 ** ((40 - np.arange(40)) / 10)
    for counting, least, most in ((newest, 0.88, 0.95), (np.ones(40), 0.78, 0.86)):
        held = np.array([one[-1] <= spread(one[:-1], counting)[-1] for one in grown]).mean()
        assert least <= held <= most


def test_the_part_that_was_right_gets_the_weight_and_is_named() -> None:
    rng = np.random.default_rng(5)
    log = lived(rng.exponential(6 * DAY, 700), 50 * DAY)
    ends = np.where(log.is_open, np.inf, log.end_s[log.offsets[1:] - 1])
    whole = known(log.start_s[log.offsets[:-1]], ends, log.until_s)
    flat = np.full((5, len(LEVELS)), 2.0 * DAY)
    found = []
    for t in np.linspace(20 * DAY, 45 * DAY, FEWEST_SIMULATED).tolist():
        true = whole.open_at(np.array([t + DAY]))
        wip = np.repeat(true[:, None], len(LEVELS), axis=1)
        found.append(Past(t, log.until_s - t, flat[:, 0], np.arange(5), flat, flat, true, wip))
    (told,) = in_process(log, found, 0.5, [24.0], flat, np.array([33.0]))
    assert told.parts[PARTS[-1]] == (33.0, 1.0)
    assert told.middle == 33.0
    assert f"after 24 h are 100% {PARTS[-1]} (33); the spread is that of the errors" in in_process_words(
        [told]
    )
    later = replace(told, horizon_h=48.0)
    assert f"after 24 to 48 h are 100% {PARTS[-1]}; the" in in_process_words([told, later])
    assert told.instants >= FEWEST_INSTANTS
    assert told.quantiles is not None
    assert told.quantiles[0] < 33.0 == told.quantiles[LEVELS.index(0.5)] < told.quantiles[-1]
    # With too few simulated instants one of the log's own parts has all of the weight. Horizons don't count.
    few = [replace(p, wip=np.repeat(p.wip, 2), wip_simulated=np.repeat(p.wip_simulated, 2, 0)) for p in found]
    alone = in_process(log, few[:-1], 0.5, [24.0, 24.0], flat, np.array([33.0, 33.0]))[0]
    assert "to weigh the simulation" in in_process_words([alone])
    assert sum(alone.parts[name][1] for name in LOG_PARTS) == 1.0
    assert sum(w for _, w in told.parts.values()) == sum(w for _, w in alone.parts.values()) == 1.0


def test_too_few_instants_leave_the_simulation_alone() -> None:
    log = lived(np.random.default_rng(5).exponential(6 * DAY, 700), 50 * DAY)
    (told,) = in_process(log, [], 0.5, [24 * 40.0], np.full((5, len(LEVELS)), DAY), np.array([33.0]))
    assert told.instants < FEWEST_INSTANTS
    assert (told.middle, told.quantiles) == (33.0, None)
    assert "too few past instants to tell" in in_process_words([told])

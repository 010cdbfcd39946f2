"""Comparing policies over periods: known tests, how often they are wrong, and what is advised."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from twin.backtest_ranking import advise, compare, holm


def test_holm_is_the_published_procedure() -> None:
    # Four hypotheses at 0.05: those of 0.01, 0.005 fall; 0.03 * 2 stands, and so does all above it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_a_policy_is_compared_by_the_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    own, other = rng.normal(10, 3, 9), rng.normal(11, 3, 9)
    found = {one.policy: one for one in compare({"own": own, "other": other}, "own")}
    test = stats.ttest_rel(other, own)
    assert found["other"].p == pytest.approx(test.pvalue)
    low, high = test.confidence_interval(0.95)
    assert (found["other"].low, found["other"].high) == pytest.approx((low, high))
    # Of two policies, one-sided bounds at 2.5 % each: the interval of the difference itself.
    assert (found["other"].best_low, found["other"].best_high) == pytest.approx((low, high))
    assert found["other"].difference == pytest.approx(other.mean() - own.mean())


def test_without_any_difference_hardly_anything_is_shown() -> None:
    """Of four equal ones any is called better or worse, or ruled out as best, in 5 % of logs at most."""
    rng = np.random.default_rng(2)
    shown = ruled_out = best = 0
    for _ in range(400):
        common = rng.normal(0, 5, 8)
        values = {name: common + rng.normal(0, sd, 8) for name, sd in zip("abcd", (1, 1, 2, 4), strict=True)}
        found = compare(values, "a")
        shown += any(one.shown for one in found)
        ruled_out += any(not one.may_be_best for one in found)
        best += any(one.best_low > 0 for one in found)
    assert shown <= 0.05 * 400 + 3 * np.sqrt(400 * 0.05 * 0.95)
    assert best <= 0.05 * 400 + 3 * np.sqrt(400 * 0.05 * 0.95)
    assert ruled_out <= 0.05 * 400 + 3 * np.sqrt(400 * 0.05 * 0.95)


def test_a_difference_that_is_there_is_shown() -> None:
    rng = np.random.default_rng(3)
    common = rng.normal(0, 5, 8)
    values = {
        "own": common,
        "good": common + 3 + rng.normal(0, 1, 8),
        "bad": common - 3 + rng.normal(0, 1, 8),
    }
    first, *rest = compare(values, "own")
    assert (first.policy, first.shown, first.may_be_best) == ("good", "better", True)
    assert first.best_low > 0
    assert {one.policy: (one.shown, one.may_be_best) for one in rest} == {
        "own": ("", False),
        "bad": ("worse", False),
    }


def test_equals_may_all_be_the_best() -> None:
    same = np.array([3.0, 5.0, 4.0])
    assert all(one.may_be_best and not one.shown for one in compare({"own": same, "other": same}, "own"))


def test_the_best_is_held_against_the_next_best() -> None:
    rng = np.random.default_rng(5)
    own = rng.normal(10, 3, 8)
    found = compare({"own": own, "equal": own + rng.normal(0, 0.1, 8), "bad": own - 10}, "own")
    for one in found[:2]:
        assert one.best_low < 0 < one.best_high
    assert found[2].best_high < 0


def test_the_same_policy_twice_is_no_difference() -> None:
    values = {"own": [1.0, 2.0, 5.0], "same": [1.0, 2.0, 5.0]}
    assert [one.p_corrected for one in compare(values, "own") if one.policy == "same"] == [1.0]
    assert advise(values, "own", 0.01).call == "stay"


def test_what_is_advised() -> None:
    own = np.array([100.0, 110.0, 90.0, 105.0])
    noise = np.array([0.1, -0.1, 0.05, -0.05])
    assert advise({"own": own, "b": own + 5 + noise}, "own", 0.01).call == "switch"
    assert advise({"own": own, "b": own - 5 + noise}, "own", 0.01).call == "stay"
    assert advise({"own": own, "b": own + 0.2 + noise}, "own", 0.01).call == "switch"
    assert advise({"own": own, "b": own + 100 * noise}, "own", 0.01).call == "can't tell"
    few = advise({"own": own[:2], "b": own[:2] + 50}, "own", 0.01)
    assert (few.call, few.policy) == ("can't tell", "own")

"""Profits and scores by hand-made figures."""

import math

import pytest

from metagraph.orders import Order, ProfitShape, profit_at
from metagraph.rules import AVERAGED, RULES, gain_score, quickness_score, urgency_score

SHAPE = ProfitShape(early=1.2, due=1.0, late=0.9, final=0.5, lost=-0.1)
ORDER = Order("1", 0.0, value=100.0, early_s=10.0, due_s=20.0, lost_s=40.0)


@pytest.mark.parametrize(
    ("at_s", "profit"),
    [(0, 120), (10, 120), (15, 110), (20, 100), (20.0000001, 90), (30, 70), (40, 50), (40.0000001, -10)],
)
def test_profit_follows_figure_1(at_s: float, profit: float) -> None:
    assert profit_at(ORDER, SHAPE, at_s) == pytest.approx(profit, abs=1e-4)


def test_without_an_early_date_it_is_the_release() -> None:
    bare = Order("1", 10.0, value=100.0, due_s=20.0)
    assert [profit_at(bare, SHAPE, t) for t in (10.0, 15.0, 20.0)] == pytest.approx([120.0, 110.0, 100.0])
    far = Order("1", 10.0, value=100.0, due_s=1e12)
    assert profit_at(far, SHAPE, 15.0) == pytest.approx(profit_at(Order("1", 10.0, value=100.0), SHAPE, 15.0))


def test_other_missing_dates_leave_their_piece_level() -> None:
    assert profit_at(Order("1", 0.0, value=100.0, due_s=20.0), SHAPE, 500.0) == 90.0
    assert profit_at(Order("1", 0.0, value=100.0), SHAPE, 500.0) == 120.0
    assert profit_at(Order("1", 0.0, value=100.0, lost_s=9.0), SHAPE, 10.0) == -10.0
    assert profit_at(Order("1", 0.0), SHAPE, 5.0) == 0.0
    assert [profit_at(ORDER, None, t) for t in (40.0, 500.0)] == [100.0, 0.0]


def test_dates_that_fall_together_divide_nothing_by_0() -> None:
    order = Order("1", 0.0, value=100.0, early_s=20.0, due_s=20.0, lost_s=20.0)
    assert [profit_at(order, SHAPE, t) for t in (5.0, 20.0, 21.0)] == [120.0, 100.0, -10.0]


def test_an_early_date_after_the_due_date_leaves_no_slope() -> None:
    order = Order("1", 0.0, value=100.0, early_s=30.0, due_s=20.0, lost_s=40.0)
    assert [profit_at(order, SHAPE, t) for t in (5.0, 20.0, 30.0)] == [120.0, 120.0, 70.0]


def test_an_orders_own_curve_comes_before_the_process() -> None:
    own = Order("1", 0.0, value=100.0, due_s=20.0, profit=ProfitShape(due=2.0, late=0.1))
    assert [profit_at(own, shape, t) for shape in (SHAPE, None) for t in (5.0, 25.0)] == [125.0, 10.0] * 2


def test_scores_compare_with_the_best() -> None:
    assert [gain_score(x, 8.0) for x in (-3.0, 0.0, 2.0, 8.0)] == [0.0, 0.0, 0.25, 1.0]
    assert [urgency_score(x, 5.0) for x in (-1.0, 0.0, 5.0, 20.0, math.inf)] == [1.0, 1.0, 1.0, 0.25, 0.0]
    assert [quickness_score(x, 3.0) for x in (0.0, 3.0, 12.0)] == [1.0, 1.0, 0.25]
    assert set(AVERAGED) < set(RULES)

"""Priorities and profits by hand-made figures."""

import pytest

from metagraph.orders import Order, ProfitShape
from metagraph.rules import RULES, priority, profit_at

SHAPE = ProfitShape(early=1.2, due=1.0, late=0.9, final=0.5, lost=-0.1)
ORDER = Order("1", 0.0, value=100.0, early_s=10.0, due_s=20.0, lost_s=40.0)


@pytest.mark.parametrize(
    ("at_s", "profit"),
    [(0, 120), (10, 120), (15, 110), (20, 100), (20.0000001, 90), (30, 70), (39.9999999, 50), (40, -10)],
)
def test_profit_follows_figure_1(at_s: float, profit: float) -> None:
    assert profit_at(ORDER, SHAPE, at_s) == pytest.approx(profit, abs=1e-4)


def test_missing_dates_leave_their_piece_level() -> None:
    assert profit_at(Order("1", 0.0, value=100.0, due_s=20.0), SHAPE, 5.0) == 100.0
    assert profit_at(Order("1", 0.0, value=100.0, due_s=20.0), SHAPE, 500.0) == 90.0
    assert profit_at(Order("1", 0.0, value=100.0), SHAPE, 500.0) == 120.0
    assert profit_at(Order("1", 0.0), SHAPE, 5.0) == 0.0
    assert profit_at(ORDER, None, 500.0) == 100.0


def test_priorities() -> None:
    found = {rule: priority(rule, profit=7.0, due_s=8.0, expected_work_s=9.0) for rule in RULES}
    assert found == {"FIFO": 0.0, "HP": -7.0, "SDD": 8.0, "SERPT": 9.0}
    with pytest.raises(KeyError):
        priority("BEST", profit=0.0, due_s=0.0, expected_work_s=0.0)

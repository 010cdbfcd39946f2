"""What is shown of simulated runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from simulation.kpis import Interval
from twin.simulated import Simulated
from ui.results_simulated import show_simulated

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
ALL_DONE = {
    "orders": Interval(16, 16, 16, 3),
    "completed": Interval(16, 16, 16, 3),
    "lost": Interval(0, 0, 0, 3),
    "open": Interval(0, 0, 0, 3),
    "fulfilled": Interval(1, 1, 1, 3),
    "executions": Interval(32, 32, 32, 3),
}


def shown(capsys: pytest.CaptureFixture[str], figures: Mapping[str, Interval]) -> str:
    """Words as they are shown, without the breaks between them."""
    show_simulated(Simulated("t", "own", "kernel", "x", "serial", 0, 3, BEGIN, figures), False)
    return " ".join(capsys.readouterr().out.split())


def test_intervals_of_shares_stay_among_shares(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, {**ALL_DONE, "utilisation Customer Service": Interval(0.88, 0.74, 1.02, 3)})
    assert "Customer Service 88 % 74 % to 100 %" in said
    said = shown(capsys, {**ALL_DONE, "on_time": Interval(0.02, -0.1, 0.14, 3)})
    assert "2 % 0 % to 14 %" in said
    said = shown(capsys, {**ALL_DONE, "wip_mean": Interval(0.5, -0.5, 1.5, 3)})
    assert "orders in process, mean 0.5 0 to 1.5" in said


def test_orders_still_open_are_no_orders_lost(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, ALL_DONE)
    assert "still open" not in said
    assert "fulfilled" not in said
    cut = {"completed": Interval(15, 15, 15, 3), "open": Interval(1, 1, 1, 3)}
    said = shown(capsys, {**ALL_DONE, **cut})
    assert "orders completed 15 orders still open at the end 1" in said
    assert "fulfilled" not in said
    lost = {"lost": Interval(1, 1, 1, 3), "fulfilled": Interval(0.9, 0.9, 0.9, 3)}
    assert "share fulfilled, of orders that ended 90 %" in shown(capsys, {**ALL_DONE, **cut, **lost})


def test_money_and_counts_of_tasks_say_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    tasks = {f"task_n {name}": Interval(16, 16, 16, 3) for name in ("Check", "Pack")}
    said = shown(capsys, {**ALL_DONE, "profit": Interval(-3.5, -3.5, -3.5, 3), **tasks})
    assert "profit, in the money of the orders' values -3.5" in said.replace("−", "-")
    assert "tasks finished 32" in said
    assert "times task begun" in said, "the lines of two headings"

"""Examples 1 and 2 of the paper, small: its figures, the optimum by two ways, runs that go on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest

from examples.paper import example1, example2
from examples.paper.example1_page import write as write_first
from examples.paper.example2_page import write
from examples.paper.gantt import Bar
from examples.paper.small_network import HEURISTICS, HOUR, assigned, outcome, simulated, slots_h


@pytest.fixture(scope="module")
def first() -> example1.Example1:
    return example1.run(40)


def test_every_row_of_table_1_is_met(first: example1.Example1) -> None:
    assert example1.departures(first) == []
    assert {name: example1.row_of(found) for name, found in first.heuristics.items()} == {
        name: row for name, row in example1.PUBLISHED.items() if name not in ("F2", "F3", "MILP")
    }


def test_what_differs_is_told(first: example1.Example1, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(example1.PUBLISHED, "D", example1.Row((6, 8, 10, 12, 14), 8171))
    monkeypatch.setitem(example1.PUBLISHED, "F3", example1.Row((6, 6, 6, 6, 6), 9000))
    monkeypatch.setitem(example1.PUBLISHED, "MILP", example1.Row((6, 6, 6, 6, 6), 9000))
    assert [line.split(":")[0].split(",")[0] for line in example1.departures(first)] == [
        "D",
        "F3",
        "MILP",
        "MILP",
    ]


def test_the_papers_model_has_its_size_and_both_optima_are_proven(first: example1.Example1) -> None:
    by_name = {size.formulation: size for size in first.sizes}
    paper = by_name["paper"]
    assert (paper.binaries, paper.continuous, paper.rows) == (710, 35, 485)
    for size in first.sizes:
        assert (size.status, round(size.objective), round(size.bound)) == ("optimal", 8810, 8810)


def test_no_sequence_yields_more_than_the_optimum() -> None:
    every = example1.all_sequences()
    assert sum(every.values()) == 120
    assert max(row.profit for row in every) == 8810
    assert sum(times for row, times in every.items() if row.profit == 8810) >= 4


def test_agents_in_the_gantt_charts_do_one_thing_at_a_time(first: example1.Example1) -> None:
    for bars in (first.best, first.optimum):
        assert len(bars) == 15
        for agent in {bar.agent for bar in bars}:
            mine: list[Bar] = sorted((bar for bar in bars if bar.agent == agent), key=lambda bar: bar.start_h)
            assert all(a.end_h <= b.start_h for a, b in pairwise(mine)), agent
        hours = {
            agent: sum(b.end_h - b.start_h for b in bars if b.agent == agent) for agent in ("CSR", "3PL")
        }
        assert hours == {"CSR": 5.0, "3PL": 10.0}


def test_the_first_page_shows_it(first: example1.Example1, tmp_path: Path) -> None:
    write_first(first, tmp_path)
    text = (tmp_path / "example1.md").read_text("utf-8")
    assert "| PD | **12** | 8 | **14** | 10 | 6 | 8,646 | 8,646 | 60% | 100% |" in text
    assert (tmp_path / "example1-gantt.svg").read_text("utf-8").count("late") >= 3, "two of PD's, one of ours"


def test_orders_of_example_2_follow_the_papers_law() -> None:
    orders = [order for seed in range(50) for order in example2.orders_of(seed, 40)]
    due = [order.due_s or 0.0 for order in orders]
    assert 6 * HOUR <= min(due) < 6.1 * HOUR
    assert 19.9 * HOUR < max(due) <= 20 * HOUR
    assert all((o.due_s or 0.0) <= (o.lost_s or 0.0) <= 20 * HOUR for o in orders)
    assert sum(order.value or 0.0 for order in orders) / len(orders) == pytest.approx(500, abs=25)
    assert example2.orders_of(7, 12) == example2.orders_of(7, 40)[:12], "orders are added one by one"


@pytest.mark.parametrize("seed", range(6))
def test_the_best_assignment_is_the_best_of_all_sequences(seed: int) -> None:
    orders = example2.orders_of(seed, 5)
    best = _best(orders, [t * HOUR for t in slots_h(12)])
    assert assigned(orders, 12).profit == pytest.approx(best)


def _best(orders: Any, slots_s: list[float]) -> float:
    """By trying all."""
    found = 0.0
    for some in permutations(range(len(orders)), len(slots_s)):
        done: list[float | None] = [None] * len(orders)
        for i, t in zip(some, slots_s, strict=True):
            done[i] = t
        found = max(found, outcome(orders, done).profit)
    return found


def test_what_comes_after_its_lost_sale_date_counts_for_nothing() -> None:
    order = replace(example2.orders_of(0, 1)[0], value=100.0, due_s=8 * HOUR, lost_s=9 * HOUR)
    ends = {8.0: (100.0, 1.0, 1.0), 8.5: (85.5, 0.0, 1.0), 9.5: (0.0, 0.0, 0.0), None: (0.0, 0.0, 0.0)}
    for t, expected in ends.items():
        found = outcome([order], [None if t is None else t * HOUR])
        assert (found.profit, found.on_time, found.fulfilled) == pytest.approx(expected)


@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_no_heuristic_beats_the_assignment(heuristic: str) -> None:
    for seed in range(10):
        orders = example2.orders_of(seed, 12)
        mine = outcome(orders, simulated(orders, heuristic, seed, 20).completed_s.tolist())
        assert mine.profit <= assigned(orders, 20).profit + 1e-6
        assert mine.on_time <= mine.fulfilled <= 8 / 12


def test_a_stopped_run_of_example_2_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example2, "version", lambda _root: "now")
    some = example2.measure_all(2, [1, 12], tmp_path)
    measured: list[tuple[int, int]] = []
    once = example2.measure

    def counted(seed: int, n: int) -> dict[str, Any]:
        measured.append((seed, n))
        return once(seed, n)

    monkeypatch.setattr(example2, "measure", counted)
    rows = example2.measure_all(2, [1, 2, 12], tmp_path)
    assert measured == [(0, 2), (1, 2)]
    assert [row for row in rows if row["n"] != 2] == [{**row, "figures": _lists(row)} for row in some]
    write(rows, tmp_path / "docs")
    text = (tmp_path / "docs" / "example2.md").read_text("utf-8")
    assert "**6 of 6** instances" in text
    assert (tmp_path / "docs" / "example2-curves.svg").exists()


def _lists(row: dict[str, Any]) -> dict[str, list[float]]:
    return {name: list(figures) for name, figures in row["figures"].items()}


def test_a_plan_that_is_no_optimum_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example2, "assigned", lambda orders, horizon_h: assigned(orders, horizon_h - 4))
    with pytest.raises(RuntimeError, match="seed 0, 12 orders: the plan's profit is"):
        example2.measure(0, 12)


def test_how_many_orders_may_be_said_in_two_ways() -> None:
    assert example2.numbers_in("1-3,7") == [1, 2, 3, 7]

"""Example 4 of the paper: approaches as scenario files, and a page from the runs that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.keeping import append, rows_of
from examples.by_hand import HOUR
from examples.paper import example4
from examples.paper.example4_shapes import runs_of, shapes
from examples.paper.example4_units import (
    APPROACHES,
    BASELINE,
    BEFORE_H,
    CASES,
    SERIES,
    Instance,
    Unit,
    contenders,
    run_unit,
)


def test_orders_of_the_first_days_are_the_same_in_all_instances() -> None:
    one, other = (Instance(k, 24.0).orders() for k in (0, 1))
    assert one[:94] == other[:94]
    assert one[94:] != other[94:]
    assert len(one) == len(other) == 141
    assert len({order.id for order in one}) == 141
    assert all(order.release_s <= BEFORE_H * HOUR for order in one[:94])
    assert all(BEFORE_H * HOUR <= order.release_s <= (BEFORE_H + 24) * HOUR for order in one[94:])


def test_approaches_lose_one_and_hire_none_one_or_two() -> None:
    found = {one.name: one for one in contenders(CASES[4])}
    assert list(found) == [BASELINE, *APPROACHES]
    before = len(found[BASELINE].metagraph.agents)
    assert [len(found[name].metagraph.agents) - before for name in APPROACHES] == [0, 1, 2]
    for name in APPROACHES:
        away = {agent.id for agent in found[name].metagraph.agents if agent.absences}
        assert away == {"Loader 1"}
    load = next(task for task in found["Invest"].metagraph.tasks() if task.id == "load")
    assert len(load.queues) == 4
    hired = found["Invest"].metagraph.agents[-2:]
    assert [agent.hired and agent.hired.isoformat() for agent in hired] == ["2024-01-05T00:00:00+00:00"] * 2


def test_without_anybody_hired_the_approaches_are_one() -> None:
    row = run_unit(Unit(CASES[0], 0, 2, 24.0))
    assert row["figures"]["Disruption"] == row["figures"]["Restore"] == row["figures"]["Invest"]
    assert row["figures"][BASELINE] != row["figures"]["Disruption"]
    assert row["courses"]["Disruption"] == row["courses"]["Invest"]
    for series in SERIES:
        assert row["courses"][BASELINE][series][0][0] == row["courses"]["Invest"][series][0][0]


def test_a_page_is_written_and_the_rest_run_later(tmp_path: Path) -> None:
    given = ["--work", str(tmp_path / "work"), "--docs", str(tmp_path / "docs"), "--after-h", "96"]
    path = tmp_path / "work" / "rows.jsonl"
    path.parent.mkdir()
    append(path, {"version": "this", **run_unit(Unit(CASES[0], 0, 2, 96.0))})
    few = ["--simulations", "2", "--instances", "1", "--cases", CASES[0].name, CASES[5].name]
    example4.main([*given, *few])
    rows = list(rows_of(path))
    assert rows[0]["version"] == "this"
    assert [row["case"] for row in rows] == [CASES[0].name, CASES[5].name]
    text = (tmp_path / "docs" / "example4.md").read_text()
    assert (tmp_path / "docs" / "example4.svg").exists()
    assert f"## {CASES[5].name}" in text
    assert text.count("174 ± 0.4") == 2
    runs = runs_of([row for row in rows if row["case"] == CASES[0].name])
    assert runs.n == 2
    assert len(list(shapes(runs))) == 8
    assert runs.mean("Disruption", "total").mean <= runs.mean(BASELINE, "total").mean


def test_the_page_is_the_one_that_the_runs_give() -> None:
    """What is said of claims stands in the page as it was written."""
    text = (example4.ROOT / "docs" / "example4.md").read_text()
    assert text.count("## ") == 2 + len(CASES)
    for case in CASES:
        assert f"## {case.name}" in text
    assert "150 runs of 5 instances" in text


@pytest.mark.parametrize("name", ["away", "cover", "robot"])
def test_the_scenarios_of_the_bundled_log_fit_it(name: str) -> None:
    from datetime import UTC, datetime

    from metagraph.json_io import load
    from twin.edits import edited
    from twin.scenario import load_scenario

    folder = example4.ROOT / "examples"
    twin = load(folder / "order_to_cash.twin.json")
    found = edited(twin, load_scenario(folder / "whatif" / f"{name}.toml"), datetime(2026, 9, 14, tzinfo=UTC))
    assert found.changes

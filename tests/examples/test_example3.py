"""Example 3 of the paper: its days, its rows, and a page from whatever part of them is there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.keeping import append, rows_of
from examples.by_hand import HOUR, TASKS
from examples.paper import example3, example3_figures, example3_fit
from examples.paper.example3_day import BY_HAND, FITTED, ORDERS, gaussian, orders, process
from examples.paper.example3_tables import Days, plus_minus, profit
from examples.paper.example3_units import CASES, HEURISTICS, METHODS, MILPS, ROLLING, Unit, key_of, run_unit


def test_orders_are_the_papers() -> None:
    day = orders(0)
    assert len(day) == ORDERS == 47
    assert orders(0) == day != orders(1)
    everything = [order for r in range(60) for order in orders(r)]
    release, due, lost, value = (
        np.array([getattr(order, name) for order in everything])
        for name in ("release_s", "due_s", "lost_s", "value")
    )
    assert 0 <= release.min() <= release.max() <= 24 * HOUR
    assert (release[1:] >= release[:-1])[np.arange(1, len(release)) % ORDERS > 0].all()
    assert 2 * HOUR <= (due - release).min() <= (due - release).max() <= 15 * HOUR
    assert 0 <= (lost - due).min() <= (lost - due).max() <= 5 * HOUR
    assert (due - release).mean() == pytest.approx(8.5 * HOUR, rel=0.02)
    assert (value.mean(), value.std()) == (pytest.approx(1000, rel=0.01), pytest.approx(100, rel=0.05))
    assert [order.early_s for order in day] == [order.release_s for order in day]


@pytest.mark.parametrize(("cov", "below", "rise"), [(0.9, "clip", 1.06), (0.9, "redraw", 1.2235)])
def test_durations_below_zero_raise_the_mean(cov: float, below: str, rise: float) -> None:
    law = gaussian(600.0, cov, below)  # type: ignore[arg-type]
    drawn = law.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert drawn.min() >= 0.0
    assert drawn.mean() == pytest.approx(rise * 600, rel=2e-3)
    assert law.mean() == pytest.approx(drawn.mean(), rel=1e-3)


@pytest.mark.parametrize("cov", [0.1, 0.3])
def test_others_keep_mean_and_variation(cov: float) -> None:
    drawn = gaussian(600.0, cov, "clip").ppf((np.arange(20_000) + 0.5) / 20_000)
    assert (drawn.mean(), drawn.std()) == (pytest.approx(600, rel=2e-3), pytest.approx(600 * cov, rel=2e-3))


def test_networks_have_their_means() -> None:
    for network, agent, factor in ((BY_HAND, "Inventory 2", 1.0), (FITTED, "Inventory 2", None)):
        for task in process(0.3, "clip", network.name).tasks():
            first_s = 60 * network.minutes[task.id]
            for cls, share in (("A", 1 - network.spread), ("B", 1.0), ("C", 1 + network.spread)):
                mean_s = task.durations.lookup(cls, "", TASKS[task.id][2][0]).law.mean()
                assert mean_s == pytest.approx(share * first_s, rel=1e-3)
            if task.id == "reserve":
                slower = task.durations.lookup("B", "", agent).law.mean() / first_s
                assert slower == pytest.approx(factor or network.second["reserve"], rel=1e-3)


def test_the_least_lead_time_is_two_hours() -> None:
    """Of class B by hand, of the quickest class in the fitted network."""
    for network, share in ((BY_HAND, 1.0), (FITTED, 1 - FITTED.spread)):
        m = network.minutes
        row = m["create"] + m["credit"] + m["check_in"] + m["load"]
        lead = share * (row + max(m["schedule"], m["reserve"]) + max(m["invoice"], m["issue"]))
        assert lead == pytest.approx(120, abs=5)


def test_the_fitted_network_is_nearer_to_the_printed_rows() -> None:
    ours, plain = (example3_fit.distance(network, 2) for network in (FITTED, BY_HAND))
    assert ours < 500 < 3000 < plain
    assert example3_fit.lead_min(FITTED) == pytest.approx(119.4)


def test_methods_of_a_day_see_the_same_orders_and_durations() -> None:
    rows = [run_unit(Unit(CASES[0], 0, method, hours=6.0)) for method in ("F1", "PD")]
    assert {row["orders"] for row in rows} == {12}
    assert rows[0]["preemptions"] == 0 < rows[1]["preemptions"] == sum(rows[1]["by_task"].values())
    for row in rows:
        assert row["on_time"] <= row["total"] <= row["to_the_end"]["total"] <= 100
        assert all(0 <= share <= 1 for share in row["busy"].values())
    assert run_unit(Unit(CASES[0], 0, "PD", hours=6.0))["by_task"] == rows[1]["by_task"]


def ran(work: Path, *more: str) -> str:
    given = [
        "--work",
        str(work),
        "--docs",
        str(work),
        "--hours",
        "3",
        "--cases",
        "30%",
        "--replications",
        "2",
    ]
    example3.main([*given, *more])
    return (work / "example3.md").read_text("utf-8")


def test_a_run_that_was_ended_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the heuristics of one network; then, with a torn last line, all the rest, and nothing again."""
    monkeypatch.setattr(example3_figures, "to_svg", lambda chart: "<svg/>")
    page = ran(tmp_path, "--methods", *HEURISTICS, "--networks", "by hand")
    assert "2 days at 30%" in page
    assert "Not run yet: Rolling MILP, Shrinking MILP" in page
    assert "fitted" not in page.split("What the paper leaves open")[1].split("## Network")[1]
    path = tmp_path / "rows.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b'"profit_k"')])
    capsys.readouterr()
    page = ran(tmp_path)
    told = capsys.readouterr().err
    assert told.startswith(f"{2 * 2 * len(METHODS) - 17} to run, 17 there")
    rows = rows_of(path)
    assert path.read_bytes().startswith(whole[: whole.rindex(b"\n", 0, -1) + 1])
    assert len({key_of(row) for row in rows}) == len(rows) == 2 * 2 * len(METHODS)
    ran(tmp_path)
    assert len(rows_of(path)) == len(rows)
    for words in ("Does it come out as in the paper?", "**Table A5.**", "What the MILPs cost", "fitted"):
        assert words in page
    assert len(list(tmp_path.glob("example3-*.svg"))) == 10


def test_planned_rows_tell_their_plans() -> None:
    row = run_unit(Unit(CASES[0], 0, ROLLING, FITTED.name, hours=4.0))
    made = row["optimizations"]
    assert made["n"] == len(made["gap"]) == len(made["solve_s"]) == row["orders"] == 8
    assert max(made["gap"]) <= 0.01
    assert row["planned_k"] >= row["profit_k"]
    again = run_unit(Unit(CASES[0], 0, ROLLING, FITTED.name, hours=4.0))
    assert (again["profit_k"], again["by_task"]) == (row["profit_k"], row["by_task"])


def test_tables_compare_the_days_that_all_methods_ran() -> None:
    def row(method: str, replication: int, money: float) -> dict[str, object]:
        return {
            "network": "by hand",
            "case": "30%",
            "method": method,
            "replication": replication,
            "profit_k": money,
        }

    rows = [row("P", r, 10.0 + r) for r in range(3)] + [row(ROLLING, r, 12.0 + r) for r in (0, 2)]
    days = Days.of(rows, "by hand")
    assert days.n("30%") == 2
    assert days.paired("30%", ROLLING, "P", profit) == [2.0, 2.0]
    assert plus_minus(days.values("30%", "P", profit)) == "11.0 ± 12.7"
    assert Days.of(rows, "fitted").cases == []


def test_a_row_that_was_torn_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append(path, {"a": 1})
    with path.open("a") as lines:
        lines.write('{"a": 2, "b')
    assert rows_of(path) == [{"a": 1}]
    append(path, {"a": 3})
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"a": 1}, {"a": 3}]


def test_every_unit_is_run_once() -> None:
    asked = example3._asked([])
    found = example3.units(asked)
    assert len(found) == len({unit.key for unit in found}) == 30 * 4 * 2 * len(METHODS)
    first = [unit.method in MILPS for unit in found]
    assert first == sorted(first)

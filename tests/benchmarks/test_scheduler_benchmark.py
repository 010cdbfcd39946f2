"""The scheduler's benchmark: peers are told the problem as it is, and the page follows from the rows."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.scheduler_page import gap, ratios, until, verdict, write
from benchmarks.scheduler_peers import told
from benchmarks.scheduler_units import CASES, Case, Unit, measure, problem_of, units
from optimization.heuristics import rule_plans
from optimization.problem import ends_of, values
from optimization.settings import SolveOptions


@pytest.mark.parametrize("variant", ["plain", "heterogeneous"])
def test_peers_reckon_the_same_profit_from_what_they_are_told(variant: Any) -> None:
    problem = problem_of(Case(12, 1, variant=variant), 2)
    raw = told(problem, SolveOptions(gap=0.02, time_limit_s=7.0, threads=1, seed=3))
    assert (raw["gap"], raw["time_limit_s"], raw["threads"], raw["seed"]) == (0.02, 7.0, 1, 3)
    assert raw["periods"] == problem.grid.periods
    for plan in rule_plans(problem).values():
        ends = [
            start + op["modes"][mode]["length"] if mode >= 0 else problem.grid.never
            for op, start, mode in zip(raw["ops"], plan.start.tolist(), plan.mode.tolist(), strict=True)
        ]
        assert ends == ends_of(problem, plan).tolist()
        over = [max(job["floor"], *(ends[i] for i in job["sinks"])) for job in raw["jobs"]]
        profit = sum(job["worth"][t] for job, t in zip(raw["jobs"], over, strict=True))
        assert profit == pytest.approx(values(problem, plan)[0])
        for k, pool in enumerate(raw["pools"]):
            used = np.zeros(problem.grid.periods + 1, int)
            for op, start, mode, end in zip(raw["ops"], plan.start, plan.mode, ends, strict=True):
                if mode >= 0 and op["modes"][mode]["pool"] == k:
                    used[start:end] += 1
            assert (used[: len(pool)] <= pool).all()


def test_peers_are_told_how_long_work_under_way_holds_an_order_up() -> None:
    problem = problem_of(Case(5, 1), 0)
    held_up = (*problem.jobs[:-1], replace(problem.jobs[-1], floor=7))
    floors = [job["floor"] for job in told(replace(problem, jobs=held_up), SolveOptions())["jobs"]]
    assert floors == [job.floor for job in held_up]


def test_peers_arent_told_what_they_cant_do() -> None:
    problem = problem_of(Case(5, 1), 0)
    with pytest.raises(ValueError, match="one objective"):
        told(replace(problem, levels=problem.levels * 2), SolveOptions())
    lagged = replace(problem.ops[-1], lag=np.arange(problem.grid.never + 1))
    with pytest.raises(ValueError, match="delays"):
        told(replace(problem, ops=(*problem.ops[:-1], lagged)), SolveOptions())
    mode = problem.ops[-1].modes[0]
    longer = replace(mode, ends=np.where(np.arange(len(mode.ends)) == 3, mode.ends + 1, mode.ends))
    shifted = replace(problem.ops[-1], modes=(longer,))
    with pytest.raises(ValueError, match="calendars"):
        told(replace(problem, ops=(*problem.ops[:-1], shifted)), SolveOptions())


def test_a_unit_is_a_checked_plan_with_its_times(tmp_path: Path) -> None:
    row = measure(Unit("10", "rules", 1), tmp_path)
    assert row["objective"] == pytest.approx(max(row["rules"].values()))
    assert row["orders"] == 10 == row["on_time"] + row["late"] + row["lost"]
    assert row["cpu_s"] > 0
    assert len({unit.name for unit in units()}) == len(list(units())) > 50


def row(
    case: str, approach: str, seed: int, objective: float | None, bound: float, cpu_s: float
) -> dict[str, Any]:
    return {
        "unit": f"{case}/{approach}/{seed}",
        "case": case,
        "approach": approach,
        "seed": seed,
        "objective": objective,
        "bound": bound,
        "cpu_s": cpu_s,
        "wall_s": cpu_s + 0.5,
        "machine": "a machine",
        "version": "v",
        "library": "L",
    }


def test_time_to_1_percent_is_infinite_where_it_wasnt_reached() -> None:
    assert gap(row("10", "step", 0, 100.0, 101.0, 3.0)) == pytest.approx(0.01)
    assert gap(row("10", "cpsat", 0, None, 101.0, 3.0)) == inf
    assert until(row("10", "step", 0, 100.0, 101.0, 3.0)) == 3.0
    assert until(row("10", "step", 0, 100.0, 101.2, 3.0)) == inf


def test_ratios_to_the_paper_are_at_least_what_its_time_limit_gives() -> None:
    rows = [
        row("20", "step", 0, 100.0, 100.5, 2.0),
        row("20", "paper", 0, 100.0, 100.5, 50.0),
        row("30", "step", 0, 100.0, 100.5, 2.0),
        row("30", "paper", 0, 80.0, 130.0, 60.0),
        row("30", "step", 1, 100.0, 100.5, 2.0),
        row("10", "step", 0, 100.0, 100.5, 2.0),
        row("10", "paper", 0, 80.0, 130.0, 60.0),
    ]
    assert ratios(rows) == [(25.0, False), (30.0, True)]


def test_the_page_says_what_was_met_and_what_was_missed(tmp_path: Path) -> None:
    rows = [row("20", "step", seed, 100.0, 100.5, 1.0 + seed) for seed in range(3)]
    rows += [row("balanced", "step", seed, 100.0, 103.0, 60.0) for seed in range(2)]
    rows += [row("200", "step", 0, 100.0, 103.0, 29.0), row("200", "rules", 0, 90.0, 0.0, 0.1)]
    rows += [row("20", "paper", 0, 99.0, 130.0, 120.0)]
    rows += [{"unit": "10/cpsat/0", "failed": "it broke", "version": "v"}]
    del rows[-3]["bound"]
    text = write(rows, tmp_path)
    lines = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if line.startswith("|")}
    assert lines["20 orders"].endswith("2.00 s (1.00 s to 3.00 s) | 3 of 3 | stretch met |")
    assert lines["30 orders, balanced units"].endswith("never (never to never) | 0 of 2 | **missed** |")
    assert "at least 120 times | not in 1 of 1 | stretch met |" in text
    assert "+11.1% or more | gap 3.0% | met |" in lines["200 orders"]
    assert "`10/cpsat/0` failed: it broke" in text
    assert (tmp_path / "scheduler.md").read_text("utf-8") == text
    assert verdict(1.0, 5.0, 2.0) == "stretch met"
    assert verdict(3.0, 5.0, 2.0) == "met"
    assert verdict(inf, 5.0, 2.0) == "**missed**"
    assert CASES["200"].limit_s <= 30

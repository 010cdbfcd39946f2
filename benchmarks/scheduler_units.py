"""What benchmarks/scheduler.py measures: snapshots of Example 3, and who plans them.

A unit is one snapshot planned by one approach in a process of its own. Libraries and compiled code are loaded
by planning a small snapshot first; building the problem, building the model and solving it are measured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from benchmarks.peak import peak_mb
from benchmarks.scheduler_instances import Variant, snapshot
from optimization.problem import Plan, Problem, values
from optimization.settings import Settings, SolveOptions

Row = dict[str, Any]
Approach = Literal["step", "paper", "cpsat", "rules"]
"""Ours; the paper's formulation, in the same solver; OR-Tools CP-SAT; priority rules alone."""
GAP, THREADS = 0.01, 2
WARM = 5
"""Orders of the snapshot that is planned before anything is measured."""
COLUMNS = 40_000
"""Of the model whose building is measured, at least."""


@dataclass(frozen=True, slots=True)
class Case:
    """Snapshots that are alike."""

    n: int
    seeds: int
    """How many of them our approach plans."""
    dt_s: float = 900.0
    variant: Variant = "plain"
    limit_s: float = 60.0
    papers: int = 0
    """How many of them the paper's formulation gets."""
    peers: int = 1
    """How many of them CP-SAT gets."""


CASES: dict[str, Case] = {
    "10": Case(10, 10, papers=1),
    "20": Case(20, 10, papers=2, peers=2),
    "30": Case(30, 10, papers=2, peers=2),
    "40": Case(40, 10),
    "60": Case(60, 5),
    "balanced": Case(30, 4, variant="balanced"),
    "heterogeneous": Case(30, 4, variant="heterogeneous"),
    "fine": Case(20, 5, dt_s=300.0),
    "200": Case(200, 2, limit_s=28.0),
}


@dataclass(frozen=True, slots=True)
class Unit:
    case: str
    approach: Approach
    seed: int

    @property
    def name(self) -> str:
        return f"{self.case}/{self.approach}/{self.seed}"


def units() -> Iterator[Unit]:
    """All of them; the approaches to one snapshot one after the other, so that conditions are the same."""
    for name, case in CASES.items():
        for seed in range(case.seeds):
            yield Unit(name, "step", seed)
            yield Unit(name, "rules", seed)
            if seed < case.papers:
                yield Unit(name, "paper", seed)
            if seed < case.peers:
                yield Unit(name, "cpsat", seed)


def problem_of(case: Case, seed: int) -> Problem:
    """The snapshot on its grid; the horizon is the last lost-sale date."""
    from optimization.stn import build_problem

    one = snapshot(case.n, seed, case.dt_s, case.variant)
    settings = Settings(dt_s=case.dt_s, levels=("profit",))
    return build_problem(one.metagraph, one.state, one.orders, one.origin, settings, start_s=one.start_s)


def measure(unit: Unit, work: Path) -> Row:
    """One row: how long it took, what came out, checked again without whoever planned it."""
    case = CASES[unit.case]
    options = SolveOptions(gap=GAP, time_limit_s=case.limit_s, threads=THREADS)
    if unit.approach != "cpsat":
        _warm(unit.approach, options, work)
    cpu, wall = time.process_time(), time.perf_counter()
    problem = problem_of(case, unit.seed)
    found, plan = _planned(unit.approach, problem, options, work)
    used = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "peak_mb": peak_mb()}
    size = {"orders": len(problem.jobs), "operations": len(problem.ops), "periods": problem.grid.periods}
    return {**size, **used, **found, **(_checked(problem, plan) if plan is not None else {})}


def _warm(approach: Approach, options: SolveOptions, work: Path) -> None:
    """Load what planning needs, models included, which small problems may do without."""
    from optimization.standard_form import standard_form
    from optimization.step_form import step_form

    small = problem_of(Case(WARM, 1), 0)
    _planned(approach, small, options, work)
    form = step_form(small)
    standard_form(form.model, form.variables)


def _checked(problem: Problem, plan: Plan) -> Row:
    """What the plan is worth by those who check plans; raises if it can't be kept."""
    from optimization.checks import check

    found = check(problem, plan)
    return {"objective": found.values[0], "on_time": found.on_time, "late": found.late, "lost": found.lost}


def _planned(
    approach: Approach, problem: Problem, options: SolveOptions, work: Path
) -> tuple[Row, Plan | None]:
    if approach == "cpsat":
        from benchmarks.scheduler_peers import cpsat

        row = cpsat(problem, options, work)
        return row, row.pop("plan", None)
    if approach == "rules":
        return _by_rules(problem)
    return _solved(approach, problem, options)


def _solved(approach: Approach, problem: Problem, options: SolveOptions) -> tuple[Row, Plan | None]:
    from optimization.solve import solve

    result = solve(problem, replace(options, formulation="paper" if approach == "paper" else "step"))
    row = {
        "library": "HiGHS",
        "status": result.status,
        "objective": result.objective,
        "bound": result.bound,
        "build_s": result.build_s,
        "columns": result.columns,
        "rows": result.rows,
        "binaries": result.binaries,
        "incumbents": [(one.at_s, one.objective, one.bound) for one in result.incumbents],
    }
    return row, result.plan


def compiled_model(seed: int) -> Row:
    """Our model of a snapshot with COLUMNS columns or more: built in Pyomo and made into arrays, when that
    was done before in the process."""
    from optimization.standard_form import standard_form
    from optimization.step_form import step_form

    n = 150
    while True:
        problem = problem_of(Case(n, 1), seed)
        form = step_form(problem)
        arrays = standard_form(form.model, form.variables)
        if arrays.n_columns >= COLUMNS:
            break
        n += 10
    runs = []
    for _ in range(3):
        begun = time.process_time()
        form = step_form(problem)
        built = time.process_time() - begun
        standard_form(form.model, form.variables)
        runs.append((time.process_time() - begun, built))
    cpu_s, built = sorted(runs)[1]
    return {"orders": n, "columns": arrays.n_columns, "rows": arrays.n_rows, "cpu_s": cpu_s, "build_s": built}


def _by_rules(problem: Problem) -> tuple[Row, Plan | None]:
    """The paper's heuristics on the same problem: the best one's plan, and what each yields."""
    from optimization.heuristics import best_rule, rule_plans

    plans = rule_plans(problem)
    best = best_rule(problem, plans)
    each = {name: values(problem, plan)[0] for name, plan in plans.items()}
    return {"best": best, "rules": each}, plans[best]

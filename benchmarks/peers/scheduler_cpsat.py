"""Scheduling problems in OR-Tools CP-SAT: optional intervals, one alternative a pool.

python scheduler_cpsat.py < problem.json

The problem is what benchmarks/scheduler_peers.py writes: points of a grid, whole numbers of them for work,
and each order's worth by the point at which it is fulfilled. Printed are the plan and when better ones were
found.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from ortools.sat.python import cp_model  # type: ignore[import-not-found]

from benchmarks.peers._measured import measured

CENTS = 100
"""CP-SAT counts in whole numbers."""


class Model:
    """The model and its variables by operation and mode."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.last = problem["periods"]
        self.done = [self.model.new_bool_var(f"done{j}") for j in range(len(problem["jobs"]))]
        self.start = [
            self.model.new_int_var(op["ready"], self.last, f"start{i}") for i, op in enumerate(problem["ops"])
        ]
        self.end = [self.model.new_int_var(0, self.last, f"end{i}") for i in range(len(problem["ops"]))]
        self.chosen: list[list[Any]] = []
        self.in_pool: list[list[Any]] = [[] for _ in problem["pools"]]
        for i, op in enumerate(problem["ops"]):
            self._operation(i, op)
        for pool, intervals in zip(problem["pools"], self.in_pool, strict=True):
            self._capacity(pool, intervals)
        self.worth = [self._worth(j, job) for j, job in enumerate(problem["jobs"])]
        self.model.maximize(sum(self.worth))

    def _operation(self, i: int, op: dict[str, Any]) -> None:
        """One mode if its order is fulfilled, after all its predecessors."""
        model, done = self.model, self.done[op["job"]]
        modes = []
        for m, mode in enumerate(op["modes"]):
            alone = len(op["modes"]) == 1
            taken = done if alone else model.new_bool_var(f"mode{i}_{m}")
            span = model.new_optional_interval_var(
                self.start[i], mode["length"], self.end[i], taken, f"work{i}_{m}"
            )
            if mode["pool"] >= 0:
                self.in_pool[mode["pool"]].append(span)
            modes.append(taken)
        if len(modes) > 1:
            model.add(sum(modes) == 1).only_enforce_if(done)
            model.add(sum(modes) == 0).only_enforce_if(done.Not())
        for p in op["preds"]:
            model.add(self.start[i] >= self.end[p]).only_enforce_if(done)
        self.chosen.append(modes)

    def _capacity(self, pool: list[int], intervals: list[Any]) -> None:
        """At most so many at once; what is taken already is work that can't be moved."""
        model, most = self.model, max(pool, default=0)
        fixed = [
            (model.new_fixed_size_interval_var(t, 1, f"taken{t}"), most - free)
            for t, free in enumerate(pool)
            if free < most
        ]
        if most == 1 and all(demand == 1 for _, demand in fixed):
            model.add_no_overlap([*intervals, *(span for span, _ in fixed)])
        else:
            demands = [1] * len(intervals) + [demand for _, demand in fixed]
            model.add_cumulative([*intervals, *(span for span, _ in fixed)], demands, most)

    def _worth(self, j: int, job: dict[str, Any]) -> Any:
        """By the point at which all last operations are over."""
        model, table = self.model, [round(CENTS * value) for value in job["worth"]]
        over = model.new_int_var(0, self.last + 1, f"over{j}")
        model.add(over >= job["floor"])
        for i in job["sinks"]:
            model.add(over >= self.end[i]).only_enforce_if(self.done[j])
        model.add(over == self.last + 1).only_enforce_if(self.done[j].Not())
        model.add(over <= self.last).only_enforce_if(self.done[j])
        value = model.new_int_var(min(table), max(table), f"worth{j}")
        model.add_element(over, table, value)
        return value

    def plan(self, solver: Any) -> dict[str, Any]:
        """[start, mode] by operation; -1 where it isn't done."""
        found = []
        for op, modes, start in zip(self.problem["ops"], self.chosen, self.start, strict=True):
            done = solver.value(self.done[op["job"]])
            taken = [m for m, mode in enumerate(modes) if solver.value(mode)] if done else []
            found.append([solver.value(start), taken[0]] if taken else [-1, -1])
        return {"plan": found}


class Watch(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
    """When better plans were found."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = time.perf_counter()
        self.seen: list[tuple[float, float, float]] = []

    def on_solution_callback(self) -> None:
        at_s = time.perf_counter() - self.begun
        self.seen.append((at_s, self.objective_value / CENTS, self.best_objective_bound / CENTS))


def solve(problem: dict[str, Any]) -> dict[str, Any]:
    watch = Watch()
    built = Model(problem)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = problem["time_limit_s"]
    solver.parameters.relative_gap_limit = problem["gap"]
    solver.parameters.num_workers = problem["threads"]
    solver.parameters.random_seed = problem["seed"]
    status = solver.solve(built.model, watch)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return {
        "status": solver.status_name(status),
        "objective": solver.objective_value / CENTS if found else None,
        "bound": solver.best_objective_bound / CENTS,
        "incumbents": watch.seen,
        **(built.plan(solver) if found else {"plan": None}),
    }


def main() -> None:
    problem = json.load(sys.stdin)
    measured("ortools", lambda: solve(problem))


if __name__ == "__main__":
    main()

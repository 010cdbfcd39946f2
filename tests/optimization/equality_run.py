"""`python -m tests.optimization.equality_run N [SEED]`: on N random small instances the paper's model and the
step form have the same optimum, tiny ones that of trying all plans; every plan is recomputed."""

from __future__ import annotations

import sys
from dataclasses import replace

from optimization.checks import check
from optimization.highs import Limits, maximise
from optimization.paper_form import PaperForm, paper_form
from optimization.settings import SolveOptions
from optimization.solve import solve
from optimization.standard_form import standard_form
from optimization.step_form import StepForm, step_form
from tests.optimization.problems import TINY, Kind, best_by_trying, small_problem

LIMITS = Limits(120.0, 2)


def optimum(form: PaperForm | StepForm) -> float:
    """The first level's; it is what the plan behind the solution is worth, recomputed."""
    arrays = standard_form(form.model, form.variables)
    found = maximise(arrays, LIMITS)
    assert found.ended == "optimal"
    assert found.x is not None
    value = check(form.problem, form.plan(found.x)).values[0]
    assert abs(value - found.bound) <= 1e-4 * max(1.0, abs(value)), (value, found.bound)
    return value


def compare(seed: int, kind: Kind) -> tuple[float, float, float]:
    """Optima of the step form, of the paper's model and of the whole search, which must be equal."""
    problem = small_problem(seed, kind)
    step, paper = optimum(step_form(problem)), optimum(paper_form(problem))
    found = solve(problem, SolveOptions(gap=0.0))
    assert found.status == "optimal"
    for other in (paper, found.objective):
        assert abs(step - other) <= 1e-4 * max(1.0, abs(step)), (seed, step, paper, found.objective)
    return step, paper, found.objective


def main(n: int, seed: int) -> None:
    """Print what was compared."""
    worth = 0
    for k in range(seed, seed + n):
        kind = replace(Kind(), grid_dates=k % 4 == 0)
        worth += compare(k, kind)[0] > 0
    tried = 0
    for k in range(seed, seed + n):
        best, _ = best_by_trying(small_problem(k, TINY))
        step, paper, found = compare(k, TINY)
        assert max(abs(best[0] - one) for one in (step, paper, found)) <= 1e-4 * max(1.0, abs(best[0])), k
        tried += 1
    print(f"{n} small instances from seed {seed}: paper, step form and search agree; {worth} have profit")
    print(f"{tried} tiny instances: they agree with the best of all plans")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)

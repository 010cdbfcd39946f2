"""From a problem to a plan and a bound."""

from itertools import pairwise
from threading import Event, Thread

import numpy as np
import pytest

from optimization.checks import BrokenPlanError, check
from optimization.problem import NOBODY, Plan
from optimization.progress import Progress
from optimization.result import Incumbent
from optimization.settings import SolveOptions
from optimization.solve import solve
from tests.optimization.problems import RICH, TINY, Kind, best_by_trying, small_problem

EXACT = SolveOptions(gap=0.0)
TINY_RICH = Kind(most_orders=2, most_ops=2, most_periods=7, prices=True, levels=2)


@pytest.mark.parametrize("kind", [TINY, TINY_RICH])
def test_the_best_plan_of_all_is_found(kind: Kind) -> None:
    for seed in range(100, 140):
        problem = small_problem(seed, kind)
        best, _ = best_by_trying(problem)
        found = solve(problem, EXACT)
        assert found.status == "optimal"
        assert found.values == pytest.approx(best, abs=1e-3), seed
        assert found.bound == pytest.approx(best[0], abs=1e-4), seed


def test_the_gap_that_was_asked_for_is_kept() -> None:
    kinds = set()
    for seed in range(30):
        problem = small_problem(seed, RICH)
        best = solve(problem, EXACT)
        found = solve(problem, SolveOptions(gap=0.2))
        assert found.gap <= 0.2
        assert found.bound >= best.objective - 1e-4
        assert found.objective <= best.objective + 1e-4
        assert check(problem, found.plan).values == found.values
        assert found.status == ("gap" if found.gap > 0 else "optimal")
        kinds.add(found.status)
    assert kinds == {"gap", "optimal"}


def test_incumbents_rise_and_the_last_one_is_the_result() -> None:
    seen: list[Incumbent] = []
    found = solve(small_problem(7, RICH), EXACT, on_incumbent=seen.append)
    objectives = [one.objective for one in seen]
    assert objectives == sorted(objectives)
    assert found.incumbents == tuple(seen)
    assert objectives[-1] == found.objective
    assert all(a.at_s <= b.at_s for a, b in pairwise(seen))


def test_without_time_there_is_a_plan_and_a_bound_all_the_same() -> None:
    for seed in range(20):
        problem = small_problem(seed, TINY)
        best, _ = best_by_trying(problem)
        found = solve(problem, SolveOptions(gap=0.0, time_limit_s=0.0))
        assert found.objective <= best[0] + 1e-6
        assert found.bound >= best[0] - 1e-6
        assert found.status in ("time", "optimal")


def test_a_cancelled_search_ends_with_what_it_has() -> None:
    found = solve(small_problem(11, RICH), EXACT, cancelled=lambda: True)
    assert found.status in ("cancelled", "optimal")
    assert found.columns == 0


def test_a_plan_given_is_kept_unless_a_better_one_is_found() -> None:
    for seed in range(20):
        problem = small_problem(seed, TINY)
        best, plan = best_by_trying(problem)
        found = solve(problem, SolveOptions(gap=0.0, time_limit_s=0.0), warm=plan)
        assert found.objective == pytest.approx(best[0], abs=1e-6), seed


def test_the_same_problem_gives_the_same_plan() -> None:
    for seed in range(5):
        plans = [solve(small_problem(seed, RICH), SolveOptions()).plan for _ in range(2)]
        assert np.array_equal(plans[0].start, plans[1].start)
        assert np.array_equal(plans[0].mode, plans[1].mode)


def test_no_plan_counts_that_breaks_a_rule() -> None:
    problem = small_problem(4, TINY)
    progress = Progress(problem, EXACT, None, None)
    n = len(problem.ops)
    with pytest.raises(BrokenPlanError):
        progress.offer(Plan(np.full(n, NOBODY), np.zeros(n, np.int64)), "nobody")


def test_two_threads_solve_at_once() -> None:
    found: dict[int, float] = {}
    go = Event()

    def work(threads: int) -> None:
        go.wait()
        found[threads] = solve(small_problem(5, RICH), SolveOptions(gap=0.0, threads=threads)).objective

    workers = [Thread(target=work, args=(threads,)) for threads in (1, 2)]
    for worker in workers:
        worker.start()
    go.set()
    for worker in workers:
        worker.join()
    assert found[1] == pytest.approx(found[2])

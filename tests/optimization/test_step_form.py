"""The step form finds the best plan there is."""

from dataclasses import replace
from threading import Thread

import numpy as np
import pytest

from metagraph.orders import Order, ProfitShape
from optimization.checks import check
from optimization.highs import Limits, bound_of, maximise, relax
from optimization.network import network
from optimization.problem import NOBODY, Mode, Operation
from optimization.standard_form import StandardForm, standard_form
from optimization.step_form import StepForm, step_form
from tests.optimization.handmade import HOUR, flow_shop, lasting
from tests.optimization.problems import RICH, TINY, Kind, best_by_trying, small_problem

LIMITS = Limits(60.0, 2)
TINY_RICH = Kind(most_orders=2, most_ops=2, most_periods=7, prices=True, levels=2)


def solved(form: StepForm, arrays: StandardForm) -> np.ndarray:
    """The columns of the lexicographically best solution."""
    kept: tuple[float, ...] = ()
    x = np.zeros(form.columns.n)
    for level in range(len(form.problem.levels)):
        found = maximise(arrays, LIMITS, level, at_least=kept, start=x if level else None).x
        assert found is not None
        x = found
        kept = (*kept, check(form.problem, form.plan(x)).values[level])
    return x


@pytest.mark.parametrize("kind", [TINY, TINY_RICH])
def test_no_plan_is_better(kind: Kind) -> None:
    for seed in range(40):
        problem = small_problem(seed, kind)
        best, _ = best_by_trying(problem)
        form = step_form(problem)
        arrays = standard_form(form.model, form.variables)
        assert check(problem, form.plan(solved(form, arrays))).values == pytest.approx(best, abs=1e-3), seed
        assert relax(arrays, LIMITS).bound >= best[0] - 1e-6, seed


def test_a_plan_and_its_columns_are_worth_the_same() -> None:
    """The best plan of all, however found, keeps every row and has the same value there."""
    for seed in range(60):
        problem = small_problem(seed, TINY_RICH)
        values, plan = best_by_trying(problem)
        form = step_form(problem)
        arrays = standard_form(form.model, form.variables)
        x = form.values(form.plan(form.values(plan)))
        sums = np.zeros(arrays.n_rows)
        np.add.at(sums, arrays.rows, arrays.coefficients * np.repeat(x, np.diff(arrays.starts)))
        assert (sums <= arrays.row_upper + 1e-9).all(), seed
        assert (sums >= arrays.row_lower - 1e-9).all(), seed
        assert (arrays.costs @ x + arrays.constants)[0] == pytest.approx(values[0], abs=1e-6), seed


def test_leaving_out_the_capacity_of_a_pool_never_makes_less_possible() -> None:
    for seed in range(25):
        problem = small_problem(seed, RICH)
        form, free = step_form(problem), step_form(problem, range(len(problem.pools)))
        assert free.columns.n <= form.columns.n
        bounds = [relax(standard_form(one.model, one.variables), LIMITS).bound for one in (free, form)]
        assert bounds[0] >= bounds[1] - 1e-6, seed


def test_any_dual_values_give_a_bound() -> None:
    rng = np.random.default_rng(1)
    for seed in range(20):
        problem = small_problem(seed, TINY)
        form = step_form(problem)
        arrays = standard_form(form.model, form.variables)
        best, _ = best_by_trying(problem)
        assert bound_of(arrays, 0, rng.normal(0, 5, arrays.n_rows)) >= best[0] - 1e-6


def test_what_needs_no_decision_has_no_columns() -> None:
    """Operations without agents, or with agents for all at once, are delays."""
    for seed in range(60):
        problem = small_problem(seed, TINY)
        net = network(problem)
        for op, begins in zip(problem.ops, net.begins, strict=True):
            if op.held is None and [mode.pool for mode in op.modes] == [-1]:
                assert begins == ()


def test_what_waits_for_two_delays_waits_for_the_longer_one() -> None:
    """Folded, both are delays after the same work; the longer one may come first."""
    for delays in ((3, 1), (1, 3)):
        orders = [Order(name, 0.0, value=1.0, lost_s=9 * HOUR) for name in "12"]
        plain = flow_shop(orders, (1, 1), ProfitShape(), 9)
        ops: list[Operation] = []
        for j in range(2):
            first, last = plain.ops[2 * j : 2 * j + 2]
            lasts = [Mode(NOBODY, n * HOUR, lasting(n, plain.grid)) for n in delays]
            waits = [Operation(j, f"d{mode.work_s}", (4 * j,), 0, (mode,)) for mode in lasts]
            ops += [first, *waits, replace(last, preds=(4 * j + 1, 4 * j + 2))]
        jobs = tuple(
            replace(job, ops=range(4 * j, 4 * j + 4), sinks=(4 * j + 3,)) for j, job in enumerate(plain.jobs)
        )
        net = network(replace(plain, ops=tuple(ops), jobs=jobs))
        assert net.folded == (False, True, True, False) * 2
        (arc,) = net.arcs[3]
        assert (arc.pred, arc.begin[:4].tolist()) == (0, [3, 4, 5, 6])
        assert [int(begins[0][0]) for begins in (net.begins[0], net.begins[3])] == [0, 4]


def test_models_with_other_numbers_of_threads_follow_each_other() -> None:
    problem = small_problem(3, RICH)
    form = step_form(problem)
    arrays = standard_form(form.model, form.variables)
    found = [maximise(arrays, Limits(60.0, threads)).bound for threads in (2, 1, 2)]
    assert found == pytest.approx([found[0]] * 3)


def test_a_thread_of_its_own_changes_nothing_for_models_of_others() -> None:
    problem = small_problem(3, RICH)
    form = step_form(problem)
    arrays = standard_form(form.model, form.variables)
    found = []

    def work(threads: int) -> None:
        found.append(maximise(arrays, Limits(60.0, threads)).bound)

    work(2)
    other = Thread(target=work, args=(1,))
    other.start()
    other.join()
    work(1)
    assert found == pytest.approx([found[0]] * 3)

"""The paper's equations, and that they mean the same as the step form."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from metagraph.errors import UsageError
from metagraph.instances import read_instance
from metagraph.orders import Order, ProfitShape
from optimization.checks import check
from optimization.grid import Grid
from optimization.highs import Limits, maximise
from optimization.paper_form import paper_form
from optimization.paper_terms import table, terms_of, units_of
from optimization.problem import Job, Level, Mode, Operation, Pool, Problem
from optimization.settings import Settings, SolveOptions
from optimization.solve import solve
from optimization.standard_form import standard_form
from optimization.step_form import step_form
from optimization.stn import build_problem
from tests.optimization.equality_run import compare
from tests.optimization.problems import TINY, Kind, best_by_trying, ends_on, small_problem, worth

HERE = Path(__file__).resolve().parents[1]
PAPER = SolveOptions(formulation="paper", gap=0.0)


def example1() -> Problem:
    found = read_instance(HERE.parent / "examples" / "example1.instance.json")
    settings = Settings(dt_s=3600.0)
    return build_problem(
        found.metagraph, found.state, found.orders, found.origin, settings, start_s=found.start_s
    )


def two_orders() -> Problem:
    """One early, one past due whose work is under way; two tasks, one of them with two agents of whom one is
    busy at first, and a shift with a hole."""
    grid = Grid(0.0, 3600.0, 6)
    pools = (
        Pool(("Ann",), np.ones(6, np.int64)),
        Pool(("Ben", "Cid"), np.array([0, 1, 2, 2, 2, 2])),
    )
    one, two = ends_on([True] * 6, 1), ends_on([True, True, False, True, True, True], 2)
    ops = (
        Operation(0, "look", (), 0, (Mode(0, 3600.0, one),)),
        Operation(0, "make", (0,), 0, (Mode(1, 7200.0, two),)),
        Operation(1, "look", (), 0, (Mode(0, 3600.0, one),), held=0, held_unit="Ann"),
        Operation(1, "make", (2,), 0, (Mode(1, 7200.0, two),)),
        Operation(1, "pack", (2,), 0, (Mode(0, 3600.0, one),)),
    )
    shape = ProfitShape(1.1, 1.0, 0.7, 0.35)
    jobs = (
        Job(Order("1", 0.0, value=100.0, due_s=3.5 * 3600, lost_s=5.5 * 3600), shape, range(2), (1,), 0),
        Job(Order("2", -9e3, value=80.0, due_s=-600.0, lost_s=6.0 * 3600), shape, range(2, 5), (3, 4), 0),
    )
    level = Level("profit", "money", np.array([worth(grid, job) for job in jobs]), 5.0)
    return Problem(grid, pools, ops, jobs, (level,), most_preempted=0)


def with_choice(problem: Problem) -> Problem:
    """Somebody can be bought who makes what order 1 wants in one hour."""
    make = problem.ops[1]
    bought = Pool(("Dan",), np.ones(6, np.int64), price=7.0)
    faster = replace(make, modes=(*make.modes, Mode(2, 3600.0, ends_on([True] * 6, 1))))
    ops = (problem.ops[0], faster, *problem.ops[2:])
    level = replace(problem.levels[0], prices=True)
    return replace(problem, pools=(*problem.pools, bought), ops=ops, levels=(level,))


def test_example_1_has_the_sizes_of_the_paper() -> None:
    """710 binaries, 35 continuous; equations (1), (2), (6)-(9), (11), (12) are 485 rows (section 4.1)."""
    found = solve(example1(), PAPER)
    assert (found.binaries, found.columns - found.binaries, found.rows) == (710, 35, 485)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(8810.0)
    assert found.bound == pytest.approx(8810.0)


def test_example_1_by_the_step_form() -> None:
    found = solve(example1(), SolveOptions(gap=0.0))
    assert found.objective == pytest.approx(8810.0)
    assert check(example1(), found.plan).on_time == 4


@pytest.mark.parametrize("kind", [Kind(), Kind(grid_dates=True), TINY])
def test_both_formulations_have_the_same_optimum(kind: Kind) -> None:
    """200 and more: `python -m tests.optimization.equality_run 250`."""
    for seed in range(200, 212):
        step, _, _ = compare(seed, kind)
        if kind is TINY:
            assert step == pytest.approx(best_by_trying(small_problem(seed, kind))[0][0], abs=1e-3)


def test_every_curve_of_figure_1_is_said_by_the_equations() -> None:
    """Past-due orders, dates that are the same, before, on, between and beyond the points of the grid."""
    for seed in range(300):
        problem = small_problem(seed, Kind(grid_dates=seed % 2 == 0))
        for terms, told in zip(terms_of(problem), problem.levels[0].worth, strict=True):
            assert table(terms, problem.grid) == pytest.approx(told, abs=1e-6), seed


def test_a_plan_given_is_kept() -> None:
    for seed in range(12):
        problem = small_problem(seed, TINY)
        best, plan = best_by_trying(problem)
        form = paper_form(problem)
        arrays = standard_form(form.model, form.variables)
        x = form.values(plan)
        known = ~np.isnan(x)
        fixed = replace(
            arrays, lower=np.where(known, x, arrays.lower), upper=np.where(known, x, arrays.upper)
        )
        assert maximise(fixed, Limits(60.0, 2)).bound == pytest.approx(best[0], abs=1e-4), seed


def test_what_the_paper_can_not_say_is_refused() -> None:
    problem = two_orders()
    level = problem.levels[0]
    for other, words in (
        (replace(problem, levels=(replace(level, worth=level.worth**3),)), "isn't a line"),
        (replace(problem, levels=(level, level)), "profit alone"),
        (replace(problem, levels=(replace(level, name="flow time"),)), "not flow time"),
        (with_choice(problem), "bought"),
    ):
        with pytest.raises(UsageError, match=words):
            terms_of(other)
    with pytest.raises(UsageError, match="bought"):
        solve(with_choice(problem), PAPER)
    leaves = replace(problem.pools[0], capacity=np.array([1, 1, 1, 0, 0, 0]))
    with pytest.raises(UsageError, match="agents who leave"):
        units_of(replace(problem, pools=(leaves, *problem.pools[1:])))


@pytest.mark.parametrize("name", ["step", "paper"])
def test_the_model_is_the_one_that_was_looked_at(name: str, tmp_path: Path) -> None:
    """`python -m tests.optimization.test_paper_form` writes the golden files anew: look at what changed."""
    assert _lp(name, tmp_path) == (HERE / "golden" / f"{name}_form.lp").read_text()


def _lp(name: str, folder: Path) -> str:
    form = step_form(with_choice(two_orders())) if name == "step" else paper_form(two_orders())
    path = folder / f"{name}.lp"
    form.model.write(str(path), io_options={"symbolic_solver_labels": True})
    return path.read_text()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name in ("step", "paper"):
            (HERE / "golden" / f"{name}_form.lp").write_text(_lp(name, Path(folder)))

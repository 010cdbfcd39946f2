"""The solver's answers, against all solutions of tiny models."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.sparse import csc_array

from optimization.highs import KEPT, Limits, bound_of, maximise, relax
from optimization.standard_form import StandardForm

LIMITS = Limits(60.0, 1)


def form(seed: int, columns: int = 6, rows: int = 3) -> StandardForm:
    """Two levels over zeros and ones, with rows that have an upper side, a lower one, or both."""
    rng = np.random.default_rng(seed)
    a = csc_array(rng.integers(0, 6, (rows, columns)).astype(np.float64))
    upper = np.asarray(a.sum(axis=1), np.float64) * 0.6
    lower = np.full(rows, -np.inf)
    lower[-1] = 2.0
    if rows > 2:
        upper[-1] = np.inf
    return StandardForm(
        rng.integers(-2, 9, (2, columns)).astype(np.float64),
        np.array([7.0, -3.0]),
        a.indptr.astype(np.int64),
        a.indices.astype(np.int64),
        a.data,
        lower,
        upper,
        np.zeros(columns),
        np.ones(columns),
        np.ones(columns, bool),
    )


def matrix(model: StandardForm) -> csc_array:
    shape = (model.n_rows, model.n_columns)
    return csc_array((model.coefficients, model.rows, model.starts), shape=shape)


def worth(model: StandardForm, x: np.ndarray, level: int = 0) -> float:
    return float(model.costs[level] @ x + model.constants[level])


def solutions(model: StandardForm) -> list[np.ndarray]:
    """All of them."""
    a = matrix(model)
    sides = zip(model.lower, model.upper, strict=True)
    ranges = [range(int(low), int(high) + 1) for low, high in sides]
    every = (np.array(x, np.float64) for x in product(*ranges))
    return [x for x in every if (a @ x <= model.row_upper).all() and (a @ x >= model.row_lower).all()]


@pytest.mark.parametrize("seed", range(8))
def test_the_best_of_all_solutions(seed: int) -> None:
    model = form(seed)
    best = max(worth(model, x) for x in solutions(model))
    found = maximise(model, LIMITS)
    assert found.ended == "optimal"
    assert found.x is not None
    assert worth(model, found.x) == pytest.approx(best)
    assert found.bound == pytest.approx(best)
    least = best - KEPT
    second = max(worth(model, x, 1) for x in solutions(model) if worth(model, x) >= least - 1e-9)
    then = maximise(model, LIMITS, 1, at_least=(best,))
    assert then.x is not None
    assert worth(model, then.x, 1) == pytest.approx(second)
    assert worth(model, then.x) >= least - 1e-6


@pytest.mark.parametrize("interior", [False, True])
def test_bounds_hold_and_are_reached_by_the_relaxation(interior: bool) -> None:
    for seed in range(8):
        model = form(seed)
        if seed % 2:  # Lower sides of rows and columns hold.
            model = replace(model, costs=-np.abs(model.costs) - 1.0, lower=np.repeat((-1.0, 0.0), 3))
        best = max(worth(model, x) for x in solutions(model))
        found = relax(model, LIMITS, interior=interior)
        assert found.ended == "optimal"
        assert found.x is not None
        assert found.duals is not None
        assert found.bound >= best - 1e-6
        assert found.bound == pytest.approx(worth(model, found.x), abs=1e-5)
        assert found.bound == pytest.approx(bound_of(model, 0, found.duals))
        for any_y in np.random.default_rng(seed).normal(size=(20, model.n_rows)):
            assert bound_of(model, 0, any_y) >= best - 1e-9


def test_one_more_unit_of_a_row_gains_its_dual() -> None:
    model = form(3)
    found = relax(model, LIMITS)
    assert found.duals is not None
    tight = int(np.argmax(found.duals))
    assert found.duals[tight] > 0
    upper = model.row_upper.copy()
    upper[tight] += 1e-3
    more = relax(replace(model, row_upper=upper), LIMITS)
    assert more.bound - found.bound == pytest.approx(1e-3 * found.duals[tight], rel=1e-3)


def test_what_cannot_be_has_no_solution() -> None:
    model = form(0)
    never = replace(model, row_lower=np.full(3, 1e3), row_upper=np.full(3, np.inf))
    for found in (relax(never, LIMITS), maximise(never, LIMITS)):
        assert (found.ended, found.x, found.bound) == ("infeasible", None, -np.inf)


def test_a_status_that_is_not_expected_is_an_error() -> None:
    model = form(0)
    endless = replace(
        model,
        upper=np.full(6, np.inf),
        row_upper=np.full(3, np.inf),
        costs=np.abs(model.costs) + 1.0,
        whole=np.zeros(6, bool),
    )
    with pytest.raises(RuntimeError, match="HiGHS ended with the status"):
        relax(endless, LIMITS)


def test_a_model_without_columns_is_worth_its_constant() -> None:
    none = np.zeros(0)
    whole = np.zeros(0, np.int64)
    empty = StandardForm(
        np.zeros((1, 0)), np.array([7.0]), np.zeros(1, np.int64), whole, none, none, none, none, none, none
    )
    for found in (relax(empty, LIMITS), maximise(empty, LIMITS)):
        assert (found.ended, found.bound) == ("optimal", 7.0)
        assert found.x is not None


def test_solutions_are_told_as_they_get_better_and_faults_come_through() -> None:
    model = form(1, columns=40, rows=8)
    seen: list[float] = []
    found = maximise(model, LIMITS, improved=lambda x: seen.append(worth(model, x)))
    assert found.x is not None
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(worth(model, found.x))

    def failing(x: np.ndarray) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        maximise(model, LIMITS, improved=failing)


def test_a_search_is_ended_by_whoever_asks_or_by_a_bound_that_will_do() -> None:
    model = form(1, columns=40, rows=8)
    assert maximise(model, replace(LIMITS, cancelled=lambda: True)).ended == "cancelled"
    told: list[float] = []
    found = maximise(model, LIMITS, enough=lambda bound: told.append(bound) or True)  # type: ignore[func-returns-value]
    assert found.ended == "cancelled"
    best = maximise(model, LIMITS)
    assert best.ended == "optimal"
    assert min(told) >= best.bound - 1e-6


def test_a_start_is_kept() -> None:
    model = form(1, columns=40, rows=8)
    best = maximise(model, LIMITS)
    assert best.x is not None
    part = np.round(best.x)
    part[::2] = np.nan
    for start in (np.round(best.x), part):
        found = maximise(model, replace(LIMITS, nodes=0), start=start)
        assert found.x is not None
        assert worth(model, found.x) == pytest.approx(worth(model, best.x))

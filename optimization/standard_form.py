"""A Pyomo model as arrays: what a solver is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimization.problem import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class StandardForm:
    """max costs[l] x + constants[l], row_lower <= A x <= row_upper, lower <= x <= upper, some x whole."""

    costs: Floats
    """[level, column]"""
    constants: Floats
    starts: Ints
    """A by columns (CSC): starts, rows, coefficients."""
    rows: Ints
    coefficients: Floats
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    whole: Any
    """[column] bool"""

    @property
    def n_columns(self) -> int:
        return len(self.lower)

    @property
    def n_rows(self) -> int:
        return len(self.row_lower)


def standard_form(model: Any, variables: Sequence[Any]) -> StandardForm:
    """The arrays of a Pyomo model whose objectives are all maximised, with the columns in the given order.

    Raises RuntimeError if the model has variables that aren't among `variables`.
    """
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
    from scipy.sparse import csc_array

    found = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    place = {id(variable): k for k, variable in enumerate(variables)}
    try:
        order = np.array([place[id(variable)] for variable in found.columns], np.int64)
    except KeyError:
        raise RuntimeError("the model has a variable that wasn't listed") from None
    n, m = len(variables), len(found.rhs)
    a = found.A.tocoo()
    matrix = csc_array((a.data, (a.row, order[a.col])), shape=(m, n))
    costs = np.zeros((found.c.shape[0], n))
    c = found.c.tocoo()
    costs[c.row, order[c.col]] = c.data
    kind = np.array([row.bound_type for row in found.rows], np.int64)
    rhs = np.asarray(found.rhs, np.float64)
    bounds = [(variable.lb, variable.ub) for variable in variables]
    return StandardForm(
        costs,
        np.asarray(found.c_offset, np.float64),
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int64),
        matrix.data.astype(np.float64),
        np.where(kind <= 0, rhs, -np.inf),
        np.where(kind >= 0, rhs, np.inf),
        np.array([-np.inf if low is None else low for low, _ in bounds], np.float64),
        np.array([np.inf if high is None else high for _, high in bounds], np.float64),
        np.array([not variable.is_continuous() for variable in variables], bool),
    )

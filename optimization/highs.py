"""HiGHS: arrays in, a checked status, a solution and a bound out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import local
from typing import Any, Literal

import numpy as np

from optimization.problem import Floats
from optimization.standard_form import StandardForm

Ended = Literal["optimal", "time", "nodes", "cancelled", "infeasible"]
"""Optimal: within the gap that was asked for."""

SMALLEST_TIME_S = 0.01
VERTEX_COLUMNS = 12_000
KEPT = 1e-5
"""How much of a level the next ones may cost, beyond rounding; HiGHS's presolve errs below its tolerances."""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """When the solver ends."""

    time_s: float
    threads: int
    seed: int = 0
    gap: float = 0.0
    """Relative, of whole-number solutions."""
    cancelled: Callable[[], bool] = lambda: False
    nodes: int | None = None
    """Of the search tree; None: any number."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the solver found."""

    ended: Ended
    x: Floats | None
    """[column]; None: nothing was found."""
    bound: float
    """No solution has more; infinite if nothing is known."""
    nodes: int = 0
    duals: Floats | None = None
    """[row] of a relaxation, what one more unit of the row's upper side would gain, or one less of its lower
    side cost; None: nothing is known."""


_thread = local()
"""How many threads HiGHS uses for what this thread of Python asks, which HiGHS keeps for each by itself."""


def _use(threads: int) -> None:
    """A model that asks for another number of threads than those before it isn't solved at all."""
    from highspy import Highs

    if getattr(_thread, "threads", None) != threads:
        Highs.resetGlobalScheduler(True)
        _thread.threads = threads


def relax(form: StandardForm, limits: Limits, level: int = 0, *, interior: bool = False) -> Answer:
    """Maximise a level without whole numbers. The bound follows from the dual values alone, so it holds
    however far the solver came.

    interior: by interior points, else by simplex. The solution is a vertex, but for large models by interior
    points, where going on to one takes longer than all before.
    """
    if not form.n_columns:
        return _nothing(form, level)
    highs = _model(form, level, limits, whole=False)
    highs.setOptionValue("solver", "ipm" if interior else "simplex")
    vertex = form.n_columns <= VERTEX_COLUMNS
    highs.setOptionValue("run_crossover", "on" if vertex else "off")
    _run(highs, limits)
    ended = _ended(highs, inexact=interior and not vertex)
    if ended == "infeasible":
        return Answer(ended, None, -np.inf)
    found = highs.getSolution()
    bound, duals = np.inf, None
    if found.dual_valid:
        told = np.asarray(found.row_dual, np.float64)
        bound, sign = min((bound_of(form, level, sign * told), sign) for sign in (-1.0, 1.0))
        duals = sign * told
    x = np.asarray(found.col_value, np.float64) if found.value_valid else None
    return Answer(ended, x, bound, duals=duals)


def _nothing(form: StandardForm, level: int) -> Answer:
    """Of a model without columns, for which HiGHS gives no solution."""
    return Answer("optimal", np.zeros(0), float(form.constants[level]))


def bound_of(form: StandardForm, level: int, duals: Floats) -> float:
    """No x within its bounds with row_lower <= A x <= row_upper has more: for any y, c x = (c - yA) x + yA x
    is at most the sum of what each column and each row could give (Lagrangian relaxation of all rows)."""
    from scipy.sparse import csc_array

    y = np.where(np.isinf(form.row_upper), np.minimum(duals, 0.0), duals)
    y = np.where(np.isinf(form.row_lower), np.maximum(y, 0.0), y)
    rows = np.where(y > 0, y, 0.0) @ _finite(form.row_upper) + np.where(y < 0, y, 0.0) @ _finite(
        form.row_lower
    )
    a = csc_array((form.coefficients, form.rows, form.starts), shape=(form.n_rows, form.n_columns))
    left = form.costs[level] - a.T @ y
    columns = np.maximum(left, 0.0) @ form.upper + np.minimum(left, 0.0) @ form.lower
    return float(rows + columns + form.constants[level])


def _finite(values: Floats) -> Floats:
    return np.where(np.isinf(values), 0.0, values)


def maximise(
    form: StandardForm,
    limits: Limits,
    level: int = 0,
    *,
    start: Floats | None = None,
    at_least: tuple[float, ...] = (),
    improved: Callable[[Floats], object] | None = None,
    enough: Callable[[float], bool] | None = None,
) -> Answer:
    """Maximise a level in whole numbers.

    start: columns of a solution to begin with, not a number where the solver is to find them. at_least: what
    the levels before must keep. improved: called with the columns of each better solution. enough: called
    with the bound by now, says whether to end.
    """
    if not form.n_columns:
        return _nothing(form, level)
    highs = _model(form, level, limits, whole=True)
    for before, value in enumerate(at_least):
        used = np.flatnonzero(form.costs[before])
        least = value - form.constants[before] - max(KEPT, 1e-6 * abs(value))
        highs.addRow(least, highs.inf, len(used), used.astype(np.int32), form.costs[before][used])
    if start is not None:
        used = np.flatnonzero(~np.isnan(start))
        highs.setSolution(len(used), used.astype(np.int32), start[used])
    _run(highs, limits, improved, enough)
    ended = _ended(highs)
    if ended == "infeasible":
        return Answer(ended, None, -np.inf)
    info, found = highs.getInfo(), highs.getSolution()
    has = info.primal_solution_status == 2 and found.value_valid
    x = np.asarray(found.col_value, np.float64) if has else None
    return Answer(ended, x, float(info.mip_dual_bound), max(int(info.mip_node_count), 0))


def _model(form: StandardForm, level: int, limits: Limits, *, whole: bool) -> Any:
    import highspy

    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.silent()
    options = {
        "threads": limits.threads,
        "random_seed": limits.seed,
        "time_limit": max(limits.time_s, SMALLEST_TIME_S),
        "mip_rel_gap": limits.gap,
        "mip_abs_gap": 1e-6,
        "mip_feasibility_tolerance": 1e-6,
        "mip_max_nodes": 2**31 - 1 if limits.nodes is None else limits.nodes,
    }
    for name, value in options.items():
        if highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise RuntimeError(f"HiGHS refused {name} = {value}")
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = form.n_columns, form.n_rows
    lp.col_cost_, lp.offset_ = form.costs[level], float(form.constants[level])
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_lower_, lp.col_upper_ = form.lower, form.upper
    lp.row_lower_, lp.row_upper_ = form.row_lower, form.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = form.starts, form.rows
    lp.a_matrix_.value_ = form.coefficients
    if whole:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(integer)] for integer in form.whole]
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        raise RuntimeError("HiGHS refused the model")
    return highs


def _run(
    highs: Any,
    limits: Limits,
    improved: Callable[[Floats], object] | None = None,
    enough: Callable[[float], bool] | None = None,
) -> None:
    """Run until the end, a limit or cancel; errors of callbacks are raised here, not within the solver."""
    from highspy import HighsStatus, cb

    kinds = cb.HighsCallbackType
    failed: list[BaseException] = []

    def called(kind: Any, _: str, out: Any, back: Any, __: Any) -> None:
        try:
            if kind == int(kinds.kCallbackMipImprovingSolution):
                if improved is not None:
                    improved(np.array(out.mip_solution, np.float64))
            elif (
                failed
                or limits.cancelled()
                or (
                    enough is not None
                    and kind == int(kinds.kCallbackMipInterrupt)
                    and enough(float(out.mip_dual_bound))
                )
            ):
                back.user_interrupt = True
        except BaseException as error:
            failed.append(error)

    _use(limits.threads)
    highs.setCallback(called, None)
    for kind in (kinds.kCallbackMipInterrupt, kinds.kCallbackSimplexInterrupt, kinds.kCallbackIpmInterrupt):
        highs.startCallback(kind)
    if improved is not None:
        highs.startCallback(kinds.kCallbackMipImprovingSolution)
    status = highs.run()
    highs.setCallback(None, None)
    if failed:
        raise failed[0]
    if status == HighsStatus.kError:
        raise RuntimeError(f"HiGHS failed: {highs.modelStatusToString(highs.getModelStatus())}")


def _ended(highs: Any, *, inexact: bool = False) -> Ended:
    """Raises RuntimeError for any status but those that are expected. An interior solution that HiGHS calls
    "unknown" misses its tolerances a little."""
    from highspy import HighsModelStatus as Status

    status = highs.getModelStatus()
    known: dict[Any, Ended] = {
        Status.kOptimal: "optimal",
        Status.kModelEmpty: "optimal",
        Status.kTimeLimit: "time",
        Status.kSolutionLimit: "nodes",
        Status.kInterrupt: "cancelled",
        Status.kInfeasible: "infeasible",
    }
    if inexact and status == Status.kUnknown:
        return "optimal"
    if status not in known:
        raise RuntimeError(f"HiGHS ended with the status {highs.modelStatusToString(status)}")
    return known[status]

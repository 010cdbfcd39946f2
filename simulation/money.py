"""What orders yielded in a run: metagraph.orders.profit_at on columns."""

from __future__ import annotations

import numpy as np

from metagraph.orders import tabulated
from simulation.order_extras import points_at
from simulation.program import Floats, Program
from simulation.run import Run

TERMS = ("early_s", "due_s", "lost_s", "value", "early", "due", "late", "final", "lost")
"""What an order's profit goes by."""


def profits(run: Run) -> Floats | None:
    """Per order, money: of a completed one at its completion, of a lost one its lost-sale profit; NaN of open
    ones. None if no order has a value or a profit table."""
    orders = run.program.orders
    if not orders.table["value"].any() and orders.points is None:
        return None
    at_s = run.completed_s.copy()
    at_s[run.lost] = np.inf
    return profits_at(run.program, at_s)


def profits_at(program: Program, at_s: Floats) -> Floats:
    """metagraph.orders.profit_at of each at its instant; infinite: after its lost sale. NaN stays NaN."""
    worth = yields(terms(program, slice(None)), at_s)
    if program.orders.points_first is not None:
        for i in np.flatnonzero(np.diff(program.orders.points_first)).tolist():
            if not np.isnan(at_s[i]):
                worth[i] = tabulated(points_at(program.orders, i), float(at_s[i]))
    return worth


def terms(program: Program, orders: slice) -> Floats:
    """[TERMS, order]: all that the profit of these orders goes by, which have no tables; instants in seconds,
    infinite: none."""
    table, curves = program.orders.table[orders], program.orders.curves
    dates = [table[name] for name in TERMS[:4]]
    if curves is None:
        policy = program.network.policy[0]
        return np.array([*dates, *(np.full(len(table), policy[name]) for name in TERMS[4:])], np.float64)
    return np.array([*dates, *curves[orders].T], np.float64)


def yields(of: Floats, at_s: Floats) -> Floats:
    """Money of orders by their `terms`, gone at these instants, [..., order]; as profits_at."""
    early_s, due_s, lost_s, value, early, due, late, final, lost = of
    after = at_s > due_s
    t0, t1 = np.where(after, due_s, early_s), np.where(after, lost_s, due_s)
    y0, y1 = np.where(after, late, early), np.where(after, final, due)
    rises = t0 < t1
    with np.errstate(invalid="ignore"):
        share = np.clip(np.divide(at_s - t0, t1 - t0, out=np.ones(t0.shape), where=rises), 0.0, 1.0)
    worth = np.where(rises, y0 + (y1 - y0) * share, np.where(at_s < t0, y0, y1))
    worth = np.where(after & (lost_s == np.inf), late, worth)
    worth = np.where(due_s == np.inf, early, worth)
    worth = np.where((at_s > lost_s) | (at_s == np.inf), lost, worth)
    worth = np.where(np.isnan(at_s), np.nan, worth)
    return np.asarray(value * worth, np.float64)

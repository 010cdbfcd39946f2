"""The columns of the step form, and its families of constraints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimization.network import Network, gains
from optimization.problem import Floats, Ints, Problem

Row = tuple[list[int], list[int]]
"""Columns with coefficient 1, and with -1."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Where the columns of the step form are."""

    first: tuple[tuple[int, ...], ...]
    """[operation][mode] its first column; one column a point in Network.begins."""
    n_steps: int
    """The S; after them come the F, then one column a priced pool."""
    deliveries: tuple[Ints, ...]
    """[job] points with an F; none for jobs whose delivery follows from one operation."""
    first_delivery: tuple[int, ...]
    priced: tuple[int, ...]
    """Pools with a price."""
    n: int


def columns_of(problem: Problem, net: Network) -> Columns:
    n = 0
    first: list[tuple[int, ...]] = []
    for begins in net.begins:
        starts = []
        for points in begins:
            starts.append(n)
            n += len(points)
        first.append(tuple(starts))
    n_steps = n
    gain = gains(problem)
    deliveries: list[Ints] = []
    first_delivery = []
    for j, arcs in enumerate(net.finish):
        points = np.zeros(0, np.int64)
        if len(arcs) > 1:
            can = (
                np.max([level.worth[j, :-1] - level.worth[j, 1:] for level in problem.levels], axis=0) > 1e-12
            )
            soonest = max(net.floor[j], *(_soonest(problem, net, arc.pred, arc.begin) for arc in arcs))
            can[:soonest] = False
            can &= gain[j, :-1] > 0
            points = np.flatnonzero(can)
        deliveries.append(points)
        first_delivery.append(n)
        n += len(points)
    priced: tuple[int, ...] = ()
    if any(level.prices for level in problem.levels):
        priced = tuple(p for p, pool in enumerate(problem.pools) if pool.price)
    return Columns(tuple(first), n_steps, tuple(deliveries), tuple(first_delivery), priced, n + len(priced))


def _soonest(problem: Problem, net: Network, op: int, begin: Ints) -> int:
    """The first point at which what waits for an operation may begin."""
    found = [
        int(begin[mode.ends[points[0]]])
        for mode, points in zip(problem.ops[op].modes, net.begins[op], strict=True)
        if len(points)
    ]
    return min(found, default=problem.grid.never)


class Rows:
    """Adds one family of constraints after the other."""

    def __init__(
        self, problem: Problem, net: Network, columns: Columns, model: Any, variables: list[Any]
    ) -> None:
        self._problem, self._net, self._columns = problem, net, columns
        self._model, self._variables = model, variables
        self.capacity_rows: list[tuple[int, int]] = []
        """(pool, period) of each row of `capacity`."""
        self._ends = [
            [mode.ends[points] for mode, points in zip(op.modes, begins, strict=False)]
            for op, begins in zip(problem.ops, net.begins, strict=True)
        ]

    def _steps(self) -> Iterable[tuple[int, int, Ints]]:
        for i, begins in enumerate(self._net.begins):
            for m, points in enumerate(begins):
                if len(points):
                    yield i, m, points

    def monotone(self) -> None:
        """S[i, m, t'] <= S[i, m, t] for t' the point before t."""
        last = {self._columns.first[i][m] + len(points) - 1 for i, m, points in self._steps()}
        before = [k for k in range(self._columns.n_steps) if k not in last]
        x = self._variables
        self._add("monotone", len(before), lambda _, r: x[before[r]] <= x[before[r] + 1])

    def one_mode(self) -> None:
        """sum over m of S[i, m, last] <= 1."""
        rows: list[Row] = []
        for i, begins in enumerate(self._net.begins):
            last = [
                self._columns.first[i][m] + len(points) - 1 for m, points in enumerate(begins) if len(points)
            ]
            if len(last) > 1:
                rows.append((last, []))
        self._sums("one_mode", rows, [1] * len(rows))

    def precedence(self) -> None:
        """sum over m of S[i, m, t] <= sum over m of S[p, m, s_m], for s_m the last point from which p is over
        soon enough for i to begin at t."""
        rows: list[Row] = []
        for i, begins in enumerate(self._net.begins):
            points = np.unique(np.concatenate([np.zeros(0, np.int64), *begins]))
            if not len(points):
                continue
            mine = self._by(i, [np.searchsorted(own, points, "right") - 1 for own in begins])
            for arc in self._net.arcs[i]:
                rows += self._tight(mine, self._over_by(arc.pred, arc.begin, points))
        self._sums("precedence", rows, [0] * len(rows))

    def delivery(self) -> None:
        """F[j, t] <= sum over m of S[k, m, s_m], for s_m the last point from which sink k is over by t."""
        rows: list[Row] = []
        for j, points in enumerate(self._columns.deliveries):
            first = self._columns.first_delivery[j]
            mine = np.arange(first, first + len(points))[:, None]
            for arc in self._net.finish[j]:
                theirs = self._over_by(arc.pred, arc.begin, points)
                rows += [
                    (own.tolist(), [k for k in behind.tolist() if k >= 0])
                    for own, behind in zip(mine, theirs, strict=True)
                ]
        self._sums("delivery", rows, [0] * len(rows))

    def capacity(self) -> None:
        """sum over i, m of S[i, m, t] - S[i, m, r] <= capacity[p, t], for r the last point from which what
        begins there is over by t."""
        rows: list[Row] = []
        limits: list[int] = []
        for p, pool in enumerate(self._problem.pools):
            found = self._occupied(p)
            if found is None:
                continue
            n_ops, plus, minus, begins = found
            for t in range(self._problem.grid.periods):
                falls = t > 0 and pool.capacity[t] < pool.capacity[t - 1]
                if not (begins[t] or falls) or n_ops[t] <= pool.capacity[t]:
                    continue
                active = plus[:, t] != minus[:, t]
                ended = minus[active, t]
                rows.append((plus[active, t].tolist(), ended[ended >= 0].tolist()))
                limits.append(int(pool.capacity[t]))
                self.capacity_rows.append((p, t))
        self._sums("capacity", rows, limits)

    def _occupied(self, pool: int) -> tuple[Ints, Ints, Ints, Ints] | None:
        """By period: how many operations may be under way; by step and period the column of what has begun
        and of what is over, or -1; by period how many may begin."""
        periods = np.arange(self._problem.grid.periods)
        plus: list[Ints] = []
        minus: list[Ints] = []
        op_of: list[int] = []
        begins = np.zeros(len(periods) + 1, np.int64)
        for i, m, points in self._steps():
            if self._problem.ops[i].modes[m].pool != pool:
                continue
            first = self._columns.first[i][m]
            for columns, at in ((plus, points), (minus, self._ends[i][m])):
                k = np.searchsorted(at, periods, "right") - 1
                columns.append(np.where(k >= 0, first + k, -1))
            begins[points] += 1
            op_of.append(i)
        if not plus:
            return None
        n_ops = np.zeros(len(periods), np.int64)
        stacked, over = np.array(plus), np.array(minus)
        for i in set(op_of):
            n_ops += np.any((stacked != over)[np.array(op_of) == i], axis=0)
        return n_ops, stacked, over, begins

    def preemption(self) -> None:
        """sum over held i of 1 - S[i, held, 0] <= most."""
        most = self._problem.most_preempted
        going_on = self._going_on()
        n_held = sum(op.held is not None for op in self._problem.ops)
        if most is not None and most < n_held:
            self._sums("preemption", [([], going_on)], [most - n_held])

    def _going_on(self) -> list[int]:
        """Columns of held work that isn't interrupted."""
        found = []
        for i, op in enumerate(self._problem.ops):
            if op.held is not None and len(points := self._net.begins[i][op.held]) and points[0] == 0:
                found.append(self._columns.first[i][op.held])
        return found

    def prices(self) -> None:
        """S[i, m, last] <= Y[pool of m]."""
        where = {
            p: self._columns.n - len(self._columns.priced) + k for k, p in enumerate(self._columns.priced)
        }
        rows = [
            ([self._columns.first[i][m] + len(points) - 1], [where[pool]])
            for i, m, points in self._steps()
            if (pool := self._problem.ops[i].modes[m].pool) in where
        ]
        self._sums("price", rows, [0] * len(rows))

    def objective(self, index: int) -> None:
        """sum over j, t of (worth[j, t] - worth[j, t + 1]) F[j, t], less prices and interruptions."""
        import pyomo.environ as pyo

        level = self._problem.levels[index]
        never = self._problem.grid.never
        cost = np.zeros(self._columns.n)
        constant = 0.0
        for j, arcs in enumerate(self._net.finish):
            worth = level.worth[j]
            constant += float(worth[self._net.floor[j]] if not arcs else worth[never])
            if len(arcs) == 1:
                self._gain_of_one(cost, arcs[0].pred, arcs[0].begin, worth, self._net.floor[j])
            elif arcs:
                points = self._columns.deliveries[j]
                if len(points):
                    after = np.append(points[1:], never)
                    first = self._columns.first_delivery[j]
                    cost[first : first + len(points)] = worth[points] - worth[after]
        held = sum(op.held is not None for op in self._problem.ops)
        constant -= level.per_preemption * held
        cost[self._going_on()] += level.per_preemption
        if level.prices:
            for k, p in enumerate(self._columns.priced):
                cost[self._columns.n - len(self._columns.priced) + k] = -self._problem.pools[p].price
        used = np.flatnonzero(cost)
        body = self._linear(cost[used].tolist(), used.tolist(), constant)
        self._model.add_component(f"level{index}", pyo.Objective(expr=body, sense=pyo.maximize))

    def _gain_of_one(self, cost: Floats, op: int, begin: Ints, worth: Floats, floor: int) -> None:
        for m, points in enumerate(self._net.begins[op]):
            gain = worth[np.maximum(begin[self._ends[op][m]], floor)] - worth[-1]
            first = self._columns.first[op][m]
            cost[first : first + len(points)] += gain - np.append(gain[1:], 0.0)

    def _over_by(self, pred: int, begin: Ints, points: Ints) -> Ints:
        """[point][mode] the column of what has begun so early that what waits for it may begin by then."""
        return self._by(pred, [np.searchsorted(begin[e], points, "right") - 1 for e in self._ends[pred]])

    def _by(self, i: int, found: list[Ints]) -> Ints:
        firsts = self._columns.first[i]
        return np.stack([np.where(k >= 0, f + k, -1) for f, k in zip(firsts, found, strict=True)], axis=1)

    @staticmethod
    def _tight(mine: Ints, theirs: Ints) -> list[Row]:
        """Of rows with the same right side the last one implies the others."""
        last = np.append(np.any(theirs[1:] != theirs[:-1], axis=1), True)
        return [
            ([k for k in own if k >= 0], [k for k in behind if k >= 0])
            for own, behind in zip(mine[last].tolist(), theirs[last].tolist(), strict=True)
        ]

    def _sums(self, name: str, rows: list[Row], limits: list[int]) -> None:
        x = self._variables

        def rule(_: Any, r: int) -> Any:
            plus, minus = rows[r]
            if len(plus) == 1 and len(minus) == 1 and limits[r] == 0:
                return x[plus[0]] <= x[minus[0]]
            return None, self._linear([1] * len(plus) + [-1] * len(minus), plus + minus), limits[r]

        self._add(name, len(rows), rule)

    def _linear(self, coefficients: list[Any], columns: list[int], constant: float = 0.0) -> Any:
        from pyomo.core.expr.numeric_expr import LinearExpression

        return LinearExpression(
            constant=constant, linear_coefs=coefficients, linear_vars=[self._variables[k] for k in columns]
        )

    def _add(self, name: str, n: int, rule: Any) -> None:
        import pyomo.environ as pyo

        if n:
            self._model.add_component(name, pyo.Constraint(pyo.RangeSet(0, n - 1), rule=rule))

"""The paper's equations, one family after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimization.paper_terms import Terms, Unit, ends_by, units_by_pool
from optimization.problem import NOBODY, Ints, Problem

Key = tuple[int, int, int, int]
"""Operation, mode, unit, time point."""
State = tuple[int, str]
"""Job and name: "source 3" waits for operation 3, "3 4" lies between two, "ready 4" is what else operation 4
waits for, "sink" counts the last ones that are done."""


class PaperRows:
    """Variables (14)-(25), then one family of constraints after the other."""

    def __init__(self, problem: Problem, terms: list[Terms], units: list[Unit]) -> None:
        import pyomo.environ as pyo

        self._problem, self._terms, self._units = problem, terms, units
        self._points = range(1, problem.grid.periods + 2)
        self._ends = ends_by(problem)
        self._by_pool = units_by_pool(units)
        jobs = range(len(problem.jobs))
        self.triggers = [
            (i, m, unit, t)
            for i, op in enumerate(problem.ops)
            for m, mode in enumerate(op.modes)
            for unit in self._by_pool.get(mode.pool, [])
            for t in self._points
        ]
        self._states = self._made_states()
        model = self.model = pyo.ConcreteModel()
        model.W = pyo.Var(self.triggers, domain=pyo.Binary)
        model.D = pyo.Var(list(jobs), list(self._points), domain=pyo.Binary)
        model.OS = pyo.Var(
            [(j, s, t) for j, s in self._states for t in (0, *self._points)], domain=pyo.NonNegativeIntegers
        )
        model.OT = pyo.Var(list(jobs), domain=pyo.Binary)
        model.BL = pyo.Var(list(jobs), domain=pyo.Binary)
        model.LS = pyo.Var(list(jobs), domain=pyo.Binary)
        last = [max(one.due, one.lost, 0) for one in terms]
        model.t_max = pyo.Var(list(jobs), bounds=lambda _, j: (0, last[j]))
        model.t_max1 = pyo.Var(list(jobs), bounds=lambda _, j: (0, max(terms[j].due, 0)))
        model.t_max2 = pyo.Var(list(jobs), bounds=lambda _, j: (0, max(terms[j].lost, 0)))
        model.z = pyo.Var(list(jobs), bounds=lambda _, j: _span(terms[j]))
        model.z1 = pyo.Var(list(jobs), bounds=lambda _, j: (terms[j].least_1, terms[j].most_1))
        model.z2 = pyo.Var(list(jobs), bounds=lambda _, j: (terms[j].least_2, terms[j].most_2))
        model.z3 = pyo.Var(
            list(jobs), bounds=lambda _, j: (min(terms[j].p_lost, 0.0), max(terms[j].p_lost, 0.0))
        )
        self._bounds()

    def _made_states(self) -> list[State]:
        found: list[State] = []
        for j, job in enumerate(self._problem.jobs):
            for i in job.ops:
                op = self._problem.ops[i]
                found += [(j, f"{p} {i}") for p in op.preds] or [(j, f"source {i}")]
                if op.preds and op.ready > 0:
                    found.append((j, f"ready {i}"))
            if job.sinks:
                found.append((j, "sink"))
        return found

    def _bounds(self) -> None:
        """(23), (24); nothing begins where nobody is there or the grid ends before it would be over, nor with
        an agent who is busy to the end (after (4)); nothing is delivered before it can be."""
        model, never = self.model, self._problem.grid.never
        for key in self.triggers:
            i, m, unit, t = key
            busy = unit != NOBODY and t - 1 < self._units[unit].since
            if busy or self._ends[i, m][t - 1] >= never:
                model.W[key].setub(0)
        for j, s in self._states:
            most = len(self._problem.jobs[j].sinks) if s == "sink" else 1
            for t in (0, *self._points):
                model.OS[j, s, t].setub(most)
        for j, job in enumerate(self._problem.jobs):
            for t in self._points:
                if t - 1 < job.floor:
                    model.D[j, t].setub(0)

    def assignment(self) -> None:
        """(1) sum over o, l in L_a, t' in (t - tau, t] of W[o, l, a, t'] <= 1."""
        at: dict[tuple[int, int], list[Any]] = {
            (u, t): [] for u in range(len(self._units)) for t in self._points
        }
        for key in self.triggers:
            i, m, unit, t = key
            if unit != NOBODY:
                end = int(self._ends[i, m][t - 1])
                until = end + 1 if end < self._problem.grid.never else t + 1
                for busy in range(t, min(until, self._problem.grid.periods + 2)):
                    at[unit, busy].append(self.model.W[key])
        self._add("assignment", [(None, _sum(found), 1) for found in at.values() if found])

    def balance(self) -> None:
        """(2) OS[o, s, t] = OS_init[o, s, t] + OS[o, s, t-1] - sum of W[o, succ, a, t] + sum of
        W[o, pred, a, t - tau] + E[o, t] (source) - |L_sink| D[o, t] (sink); (3)-(5) give OS_init."""
        model = self.model
        begun, over = self._flows()
        rows = []
        for j, s in self._states:
            kind, *rest = s.split()
            succ = int(rest[0]) if rest else None
            preds = self._problem.jobs[j].sinks if s == "sink" else (int(kind),) if kind.isdigit() else ()
            lag = self._problem.ops[succ].lag if succ is not None and kind.isdigit() else None
            comes = self._comes(preds, over, lag)
            since = self._problem.ops[succ].ready + 1 if succ is not None and not kind.isdigit() else None
            model.OS[j, s, 0].setub(int(since == 1))
            model.OS[j, s, 0].setlb(int(since == 1))
            for t in self._points:
                plus = [model.OS[j, s, t], *(begun[succ][t] if succ is not None else ())]
                minus = [model.OS[j, s, t - 1], *comes.get(t, ())]
                terms = [(1, v) for v in plus] + [(-1, v) for v in minus]
                if s == "sink":
                    terms.append((len(preds), model.D[j, t]))
                rows.append((_weighted(terms), int(since == t and t > 1)))
        self._add("balance", rows)

    def _flows(self) -> tuple[list[dict[int, list[Any]]], list[dict[int, list[Any]]]]:
        """[operation][time point] the W that begin then, and those that are over then."""
        n = len(self._problem.ops)
        begun: list[dict[int, list[Any]]] = [{t: [] for t in self._points} for _ in range(n)]
        over: list[dict[int, list[Any]]] = [{} for _ in range(n)]
        for key in self.triggers:
            i, m, _, t = key
            begun[i][t].append(self.model.W[key])
            end = int(self._ends[i, m][t - 1])
            if end < self._problem.grid.never:
                over[i].setdefault(end + 1, []).append(self.model.W[key])
        return begun, over

    def _comes(
        self, preds: tuple[int, ...], over: list[dict[int, list[Any]]], lag: Ints | None
    ) -> dict[int, list[Any]]:
        """[time point] what reaches a state then."""
        found: dict[int, list[Any]] = {}
        for p in preds:
            for t, variables in over[p].items():
                at = t if lag is None else int(lag[t - 1]) + 1
                found.setdefault(at, []).extend(variables)
        return found

    def fulfilment(self) -> None:
        """(6) OT[o] = sum over t in [t_e, t_d] of D[o, t]; (7) BL[o] = sum over t in (t_d, t_ls] of D[o, t];
        (8) LS[o] = 1 - OT[o] - BL[o]."""
        model = self.model
        on_time: list[Any] = []
        late: list[Any] = []
        lost: list[Any] = []
        for j, terms in enumerate(self._terms):
            windows = (range(terms.early, terms.due + 1), range(max(terms.due + 1, 1), terms.lost + 1))
            for rows, variable, window in zip((on_time, late), (model.OT, model.BL), windows, strict=True):
                rows.append((_weighted([(1, variable[j]), *((-1, model.D[j, t]) for t in window)]), 0))
            lost.append((_weighted([(1, model.LS[j]), (1, model.OT[j]), (1, model.BL[j])]), 1))
        self._add("on_time", on_time)
        self._add("backlogged", late)
        self._add("lost_sale", lost)

    def latest(self) -> None:
        """(9) D[o, t] t <= t_max[o] for t in [t_e, |TP|]."""
        model = self.model
        rows = [
            (None, _weighted([(t, model.D[j, t]), (-1, model.t_max[j])]), 0)
            for j, terms in enumerate(self._terms)
            for t in self._points
            if t >= terms.early
        ]
        self._add("delivery_time", rows)

    def disaggregation(self) -> None:
        """(11) t_max[o] = t_max1[o] + t_max2[o], t_max1[o] <= t_d OT[o], t_max2[o] <= t_ls BL[o]."""
        m = self.model
        parts, on_time, late = [], [], []
        for j, terms in enumerate(self._terms):
            parts.append((_weighted([(1, m.t_max[j]), (-1, m.t_max1[j]), (-1, m.t_max2[j])]), 0))
            on_time.append((None, _weighted([(1, m.t_max1[j]), (-max(terms.due, 0), m.OT[j])]), 0))
            late.append((None, _weighted([(1, m.t_max2[j]), (-max(terms.lost, 0), m.BL[j])]), 0))
        self._add("t_max_parts", parts)
        self._add("t_max_on_time", on_time)
        self._add("t_max_backlogged", late)

    def profit(self) -> None:
        """(12) z[o] = z1[o] + z2[o] + z3[o], z1[o] + m1 t_max1[o] <= (p_e + m1 t_e) OT[o],
        z2[o] + m2 t_max2[o] <= (p_l + m2 t_d) BL[o], z3[o] <= p_ls LS[o]."""
        m = self.model
        parts, first, second, third = [], [], [], []
        for j, one in enumerate(self._terms):
            parts.append((_weighted([(1, m.z[j]), (-1, m.z1[j]), (-1, m.z2[j]), (-1, m.z3[j])]), 0))
            most = one.p_early + one.m1 * one.at_early
            first.append((None, _weighted([(1, m.z1[j]), (one.m1, m.t_max1[j]), (-most, m.OT[j])]), 0))
            most = one.p_late + one.m2 * one.at_due
            second.append((None, _weighted([(1, m.z2[j]), (one.m2, m.t_max2[j]), (-most, m.BL[j])]), 0))
            third.append((None, _weighted([(1, m.z3[j]), (-one.p_lost, m.LS[j])]), 0))
        self._add("z_parts", parts)
        self._add("z_on_time", first)
        self._add("z_backlogged", second)
        self._add("z_lost_sale", third)

    def _going_on(self) -> list[Any]:
        """W of held work that isn't interrupted."""
        return [
            self.model.W[key]
            for key in self.triggers
            if key[3] == 1 and self._problem.ops[key[0]].held == key[1]
        ]

    def preemption(self) -> None:
        """Sum over held l of 1 - W[o, l, a, 1] <= most: an upper bound of interruptions (section 4.3)."""
        held = sum(op.held is not None for op in self._problem.ops)
        most = self._problem.most_preempted
        if most is not None and most < held:
            self._add("preemption", [(None, _weighted([(-1, v) for v in self._going_on()]), most - held)])

    def objective(self) -> None:
        """(13) max sum over o of z[o], less what interruptions cost."""
        import pyomo.environ as pyo

        level = self._problem.levels[0]
        held = sum(op.held is not None for op in self._problem.ops)
        penalty = level.per_preemption
        terms = [(1.0, v) for v in self.model.z.values()]
        if penalty:
            terms += [(penalty, v) for v in self._going_on()]
        self.model.objective = pyo.Objective(expr=_weighted(terms, -penalty * held), sense=pyo.maximize)

    def _add(self, name: str, rows: list[Any]) -> None:
        import pyomo.environ as pyo

        if rows:
            self.model.add_component(
                name, pyo.Constraint(pyo.RangeSet(0, len(rows) - 1), rule=lambda _, r: rows[r])
            )


def _span(terms: Terms) -> tuple[float, float]:
    """(17)"""
    return (
        min(terms.least_1, terms.least_2, terms.p_lost),
        max(terms.most_1, terms.most_2, terms.p_lost, 0.0),
    )


def _sum(variables: list[Any]) -> Any:
    return _weighted([(1, variable) for variable in variables])


def _weighted(terms: Sequence[tuple[float, Any]], constant: float = 0.0) -> Any:
    from pyomo.core.expr.numeric_expr import LinearExpression

    coefficients, variables = (
        ([part for part, _ in terms], [part for _, part in terms]) if terms else ([], [])
    )
    return LinearExpression(constant=constant, linear_coefs=coefficients, linear_vars=variables)

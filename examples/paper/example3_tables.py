"""Tables A1 to A5 of Example 3, from its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from examples.by_hand import TASKS
from examples.paper.example3_published import ON_TIME, PREEMPTIONS, PROFIT_K, RATIO, TOTAL, Printed
from examples.paper.example3_units import CASES, HEURISTICS, METHODS, ROLLING, Row
from simulation.kpis import Interval, interval

PAPER_CASES = tuple(case.name for case in CASES if case.below == "clip")
PLAN_FREE = ("F1", "F2", "F3")
"""First in, first out: never interrupts."""

Value = Callable[[Row], float]


def shown(method: str) -> str:
    """A method's name as in the paper."""
    return f"Heuristic {method}" if method in HEURISTICS else method


@dataclass(frozen=True, slots=True)
class Days:
    """Rows by case and method, of the same days for all methods of a case."""

    rows: Mapping[str, Mapping[str, Sequence[Row]]]

    @classmethod
    def of(cls, rows: Sequence[Row], network: str, methods: Sequence[str] = METHODS) -> Days:
        """The last row of each unit counts. Cases that some method hasn't run at all are left with those
        that it has: heuristics alone are worth a look."""
        mine = [row for row in rows if row["network"] == network]
        by_key = {(row["case"], row["method"], row["replication"]): row for row in mine}
        found: dict[str, dict[str, list[Row]]] = {}
        for case in CASES:
            days = {
                method: {r for name, one, r in by_key if (name, one) == (case.name, method)}
                for method in methods
            }
            days = {method: mine for method, mine in days.items() if mine}
            common = sorted(set.intersection(*days.values())) if days else []
            if common:
                found[case.name] = {method: [by_key[case.name, method, r] for r in common] for method in days}
        return cls(found)

    @property
    def cases(self) -> list[str]:
        return list(self.rows)

    @property
    def methods(self) -> list[str]:
        """Of any case, in the paper's order."""
        there = {method for found in self.rows.values() for method in found}
        return [method for method in METHODS if method in there]

    def n(self, case: str) -> int:
        """Days of a case."""
        return len(next(iter(self.rows[case].values())))

    def values(self, case: str, method: str, value: Value) -> list[float]:
        """One a day; none if the method hasn't run."""
        return [float(value(row)) for row in self.rows[case].get(method, ())]

    def paired(self, case: str, ours: str, theirs: str, value: Value) -> list[float]:
        """Ours minus theirs, day by day; none if one of them hasn't run."""
        mine, others = self.values(case, ours, value), self.values(case, theirs, value)
        return [a - b for a, b in zip(mine, others, strict=True)] if mine and others else []


def plus_minus(values: Sequence[float], form: str = ".1f") -> str:
    """Mean ± half of its 95 % interval; an en dash where there is nothing."""
    if not values:
        return "–"
    found: Interval = interval(values)
    if np.isnan(found.high):
        return f"{found.mean:{form}}"
    return f"{found.mean:{form}} ± {found.high - found.mean:{form}}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown: the first column is text."""
    rule = "| --- |" + " ---: |" * (len(head) - 1)
    return "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def profit(row: Row) -> float:
    return float(row["profit_k"])


def on_time(row: Row) -> float:
    return float(row["on_time"])


def total(row: Row) -> float:
    return float(row["total"])


def to_the_end(row: Row) -> float:
    """Profit once the orders open after the day have ended as well."""
    return float(row["to_the_end"]["profit_k"])


def preemptions(row: Row) -> float:
    return float(row["preemptions"])


def tables(days: Days) -> str:
    """A1 to A5, each with what the paper printed in brackets."""
    parts = [
        "**Table A1.** Mean system profit (thousands) with 95 % confidence intervals\n",
        _by_case(days, profit, ".1f", PROFIT_K),
        "**Table A2.** Mean scenario performance ratio for the profit, relative to the Rolling MILP, with "
        "95 % confidence intervals\n",
        _ratios(days),
        "**Table A3.** Mean on-time and total fulfilment (% of all orders) with 95 % confidence intervals\n",
        _fulfilment(days),
        "**Table A4.** Mean number of preemptions with 95 % confidence intervals\n",
        _by_case(days, preemptions, ".0f", PREEMPTIONS),
        "**Table A5.** Mean preemptions by task over the cases of Table A1 that the paper has, with 95 % "
        "confidence intervals\n",
        _by_task(days),
    ]
    return "\n".join(part for part in parts if part)


def _head(days: Days, first: str = "Method") -> list[str]:
    return [first, *(f"{case} (n = {days.n(case)})" for case in days.cases)]


def _by_case(days: Days, value: Value, form: str, printed: Printed) -> str:
    def cell(method: str, case: str) -> str:
        return plus_minus(days.values(case, method, value), form) + _printed(printed, method, case, form)

    return table(_head(days), [[shown(m), *(cell(m, case) for case in days.cases)] for m in days.methods])


def _printed(printed: Printed, method: str, case: str, form: str) -> str:
    if case not in PAPER_CASES:
        return ""
    return f" [{printed[method][PAPER_CASES.index(case)]:{form}}]"


def _ratios(days: Days) -> str:
    if ROLLING not in days.methods:
        return "The Rolling MILP hasn't run yet.\n"

    def cell(method: str, case: str) -> str:
        mine, rolling = days.values(case, method, profit), days.values(case, ROLLING, profit)
        pairs = [a / b for a, b in zip(mine, rolling, strict=True) if b] if mine and rolling else []
        return plus_minus(pairs, ".2f") + _printed(RATIO, method, case, ".2f")

    return table(_head(days), [[shown(m), *(cell(m, case) for case in days.cases)] for m in days.methods])


def _fulfilment(days: Days) -> str:
    head = ["Method"]
    for case in days.cases:
        head += [f"{case} on-time (n = {days.n(case)})", f"{case} total"]

    def cells(method: str, case: str) -> list[str]:
        return [
            plus_minus(days.values(case, method, value)) + _printed(printed, method, case, ".1f")
            for value, printed in ((on_time, ON_TIME), (total, TOTAL))
        ]

    rows = [[shown(m), *(cell for case in days.cases for cell in cells(m, case))] for m in days.methods]
    return table(head, rows)


def _by_task(days: Days) -> str:
    labels = [label for label, _, _ in TASKS.values()]
    rows = []
    for method in days.methods:
        if method in PLAN_FREE:
            continue
        mine = [row for case in days.cases if case in PAPER_CASES for row in days.rows[case].get(method, ())]
        cells = [plus_minus([float(row["by_task"][label]) for row in mine]) for label in labels]
        rows.append([f"{shown(method)} (n = {len(mine)})", *cells])
    return table(["Method", *labels], rows)


def best_heuristic(days: Days, case: str, value: Value) -> str:
    """By its mean."""
    there = [m for m in HEURISTICS if m in days.rows[case]]
    return max(there, key=lambda m: fmean(days.values(case, m, value)))

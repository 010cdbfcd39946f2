"""Why something stands where it does on a worklist, and worklists as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf, isfinite
from typing import TYPE_CHECKING

from simulation.program import Part, Rule
from twin.words import number, span

if TYPE_CHECKING:
    from metagraph.orders import Order
    from metagraph.schedule import Assignment
    from simulation.waiting_lists import Facts
    from twin.worklists import Worklist


@dataclass(frozen=True, slots=True)
class Reasons:
    """What a policy goes by, in words."""

    origin: datetime
    at_s: float
    averaged: tuple[Part, ...]
    importance: dict[str, float]
    """Of each segment."""
    rule: str
    """The expression behind RULE."""
    planned: dict[tuple[str, str], Assignment] = field(default_factory=dict)
    """By order and task, behind RANK."""

    def of(self, facts: Facts, order: Order, task: str, score: float | None) -> str:
        """Why an item of the order at the task has its rank; `score` under averages."""
        match facts.rule:
            case Rule.FIFO:
                return f"first come, first served: {self._since(facts)}"
            case Rule.LIFO:
                return f"last come, first served: {self._since(facts)}"
            case Rule.HP:
                return f"highest profit first: {self._profit(facts)}"
            case Rule.SDD:
                return f"soonest due date: {self._due(order)}"
            case Rule.SERPT:
                return f"shortest work: {self._work(facts)}"
            case Rule.HPCS:
                return f"most important customers: {self._segment(order)}"
            case Rule.RULE:
                return f"business rule {self.rule or 'of the twin'}: {number(-facts.key)}, most first"
            case Rule.RANK:
                return self._planned(facts, order, task)
            case Rule.AVERAGE:
                return self._average(facts, order, score)
            case _:
                return f"the policy's own priority: {number(facts.key)}, smallest first"

    def _planned(self, facts: Facts, order: Order, task: str) -> str:
        one = self.planned.get((order.id, task))
        if facts.key == inf or one is None:
            return "not in the plan, so after all that is"
        when = "" if one.start_s is None else f" at {self._instant(one.start_s)}"
        return f"rank {facts.key:g} in the plan: {one.agent}{when}"

    def _average(self, facts: Facts, order: Order, score: float | None) -> str:
        words = {
            Part.HP: lambda: self._profit(facts),
            Part.SDD: lambda: self._due(order),
            Part.SERPT: lambda: self._work(facts),
            Part.HPCS: lambda: self._segment(order),
        }
        parts = ", ".join(words[part]() for part in self.averaged)
        return parts if score is None else f"score {score:.2f}: {parts}"

    def _since(self, facts: Facts) -> str:
        return f"waits since {self._instant(facts.place_s)}"

    def _due(self, order: Order) -> str:
        return "no due date" if order.due_s is None else f"due {self._instant(order.due_s)}"

    def _profit(self, facts: Facts) -> str:
        return f"profit {number(facts.profit)} if fulfilled now"

    def _work(self, facts: Facts) -> str:
        return f"{span(facts.rest_s)} of work expected"

    def _segment(self, order: Order) -> str:
        return f"{order.segment or 'no segment'}, priority {number(self.importance.get(order.segment, 0.0))}"

    def _instant(self, seconds: float) -> str:
        return short(self.origin + timedelta(seconds=seconds), self.origin + timedelta(seconds=self.at_s))


def short(at: datetime, now: datetime) -> str:
    """'Mon 03-02 09:15': with the year where it isn't the same."""
    return f"{at:%a %m-%d %H:%M}" if at.year == now.year else f"{at:%Y-%m-%d %H:%M}"


SIMULATED = (
    "Dates are those of the simulation under this policy: a forecast also learns from the log how long "
    "orders take, so it may tell other dates"
)
"""Said with every worklist."""

COLUMNS = (
    *("agent", "stands", "rank", "order", "task", "queue", "shared_with", "takes", "probability", "reason"),
    *("ready_p10", "ready_p50", "ready_p90", "start_p10", "start_p50", "start_p90"),
    *("finish_p10", "finish_p50", "finish_p90", "order_done_p10", "order_done_p50", "order_done_p90"),
    *("due", "slack_h_p10", "slack_h_p50", "slack_h_p90", "late_probability", "late_probability_day_later"),
    *("value", "expected_profit", "day_costs", "day_costs_low", "day_costs_high"),
)


def to_csv(found: Worklist) -> str:
    """A row an agent and item: COLUMNS; instants in ISO 8601 UTC, to the millisecond; '' for the unknown."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    orders = {one.order: one for one in found.orders}
    for agent in found.agents:
        for row in agent.rows:
            order = orders[row.order]
            costs = order.day_costs
            later = None if order.late is None or order.late_more is None else order.late + order.late_more
            table.writerow(
                [
                    *(agent.agent, row.stands, "" if row.rank is None else row.rank, row.order, row.activity),
                    *(row.queue, "; ".join(row.shared_with), f"{row.takes:.3f}", f"{row.probability:.3f}"),
                    row.reason,
                    *(_stamp(t) for t in (*row.ready, *row.start, *row.finish, *order.done)),
                    "" if order.due is None else _stamp(order.due),
                    *(["", "", ""] if order.slack_h is None else [f"{h:.3f}" for h in order.slack_h]),
                    *(_amount(v) for v in (order.late, later, order.value)),
                    _amount(None if order.profit is None else order.profit.mean),
                    *(["", "", ""] if costs is None else map(_amount, (costs.mean, costs.low, costs.high))),
                ]
            )
    return text.getvalue()


def _amount(value: float | None) -> str:
    return "" if value is None or not isfinite(value) else f"{value:.6g}"


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def others(names: Sequence[str]) -> str:
    """'also Ann and Bob' for an item of a shared queue; '' for one's own."""
    if not names:
        return ""
    if len(names) <= 2:
        return f"also {' and '.join(names)}"
    return f"also {names[0]} and {len(names) - 1} others"

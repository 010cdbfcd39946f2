"""What a plan comes to: order by order, agent by agent, beside what simple rules would have done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from metagraph.orders import Order, profit_at
from metagraph.schedule import Schedule
from optimization.alone import earliest
from optimization.checks import check
from optimization.problem import Job, Plan, Problem, values
from optimization.result import Result

Standing = Literal["on time", "late", "planned", "lost", "left out"]
"""Planned: it has no due date. Lost: not before its lost-sale date. Left out: not within
the horizon."""
_SAME = 1e-9
"""Share of an amount below which two are the same."""


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """One order under a plan."""

    order: Order
    standing: Standing
    done_s: float | None
    """When all its work is over, an instant of the grid; None: not within the horizon."""
    delivered_s: float | None
    """When it is delivered: kept from then on until it is worth most."""
    profit: float | None
    """None: it has no value."""
    at_best: float | None
    """What it could yield from now on if nothing else stood in its way."""
    why: str = ""
    """What stands against it being on time, or done at all, even if it were alone; a sentence."""

    @property
    def slack_s(self) -> float | None:
        """From its delivery to its due date; below 0 where it is late."""
        at, due = self.delivered_s, self.order.due_s
        return None if at is None or due is None else due - at


@dataclass(frozen=True, slots=True)
class WorkOutcome:
    """One operation under a plan, or work that goes on whatever is planned."""

    order: str
    task: str
    agent: str
    start_s: float
    end_s: float
    running: bool
    """Under way now, and not interrupted."""


@dataclass(frozen=True, slots=True)
class AgentOutcome:
    """One agent under a plan."""

    agent: str
    tasks: int
    """Operations planned, what is under way included."""
    busy_s: float
    """Time that these take, from now on."""
    there_s: float
    """Working time from now to the end of the plan, by calendar, times the places."""
    bought: bool
    """Whether hours of theirs are bought."""
    off: tuple[tuple[float, float], ...]
    """When they aren't there, from now to the end of the plan, seconds since the origin."""


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What a priority rule would have done with the same problem."""

    rule: str
    values: tuple[float, ...]
    """On each level of the problem."""
    on_time: float | None
    """Share of the orders with a due date."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A checked plan, as a schedule and in figures."""

    problem: Problem
    result: Result
    schedule: Schedule
    orders: tuple[OrderOutcome, ...]
    """By job."""
    work: tuple[WorkOutcome, ...]
    """By its beginning; what needs nobody is left out."""
    agents: tuple[AgentOutcome, ...]
    """Those who could do anything of it; in the metagraph's order."""
    rules: tuple[RuleOutcome, ...]
    """Best first, by the levels."""
    preemptions: int
    notes: tuple[str, ...]

    @property
    def better_by(self) -> float | None:
        """By which share the plan is better than the best rule on the first level; None where there is no
        rule, or nothing to compare with."""
        if not self.rules or abs(self.rules[0].values[0]) < _SAME:
            return None
        best = self.rules[0].values[0]
        return (self.result.objective - best) / abs(best)


def order_outcomes(
    problem: Problem, plan: Plan, reasons: Mapping[str, str] | None = None
) -> tuple[OrderOutcome, ...]:
    """Each order's standing and profit under a plan; `reasons` by order, for those that can't be on time.

    Raises BrokenPlanError if the plan breaks a rule.
    """
    reasons = reasons or {}
    checked = check(problem, plan)
    money = next((level.worth for level in problem.levels if level.name == "profit"), None)
    found = []
    for j, job in enumerate(problem.jobs):
        done = checked.fulfilled[j]
        worth = None
        if money is not None:
            worth = (float(money[j, done]), float(money[j, earliest(problem, j)]))
        one = _order(problem, job, done, checked.delivered[j], worth)
        found.append(replace(one, why=reasons.get(job.order.id, "")))
    return tuple(found)


def _order(
    problem: Problem, job: Job, done: int, delivered: int, worth: tuple[float, float] | None
) -> OrderOutcome:
    grid, order = problem.grid, job.order
    profit, best = worth if worth is not None else (None, None)
    if done > grid.periods:
        lost = order.lost_s is not None and grid.at(grid.never) > order.lost_s
        return OrderOutcome(order, "lost" if lost else "left out", None, None, profit, best)
    at = grid.at(delivered)
    if worth is None and order.value is not None:
        profit = profit_at(order, job.shape, at)
    return OrderOutcome(order, standing_at(order, at, 1e-6 * grid.dt_s), grid.at(done), at, profit, best)


def standing_at(order: Order, at_s: float, slack_s: float) -> Standing:
    """How an order that is delivered then stands to its dates."""
    if order.lost_s is not None and at_s > order.lost_s + slack_s:
        return "lost"
    if order.due_s is None:
        return "planned"
    return "on time" if at_s <= order.due_s + slack_s else "late"


def on_time_share(orders: Sequence[OrderOutcome]) -> float | None:
    """Of the orders with a due date; None where none has one."""
    dated = [o for o in orders if o.order.due_s is not None]
    return sum(o.standing == "on time" for o in dated) / len(dated) if dated else None


def rule_outcomes(problem: Problem, plans: Mapping[str, Plan]) -> tuple[RuleOutcome, ...]:
    """What rules come to, the best first; equal ones in their own order."""
    found = [
        RuleOutcome(name, values(problem, plan), on_time_share(order_outcomes(problem, plan)))
        for name, plan in plans.items()
    ]
    return tuple(sorted(found, key=lambda rule: tuple(-round(v, 9) for v in rule.values)))

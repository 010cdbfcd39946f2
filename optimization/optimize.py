"""From a process, its open orders and those to come to a checked schedule, in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.overtime import Overtime, with_overtime
from metagraph.state import State
from optimization.clashes import Clash, clashes, notes_of
from optimization.compiled import ready
from optimization.generation import COMPILING
from optimization.heuristics import rule_plans
from optimization.outcome import Outcome, RuleOutcome, order_outcomes, rule_outcomes
from optimization.outcome_agents import Clocks, agent_outcomes, bought_hours, work_outcomes
from optimization.plan_schedule import schedule_of
from optimization.problem import Problem, preempted
from optimization.result import Incumbent, Result
from optimization.settings import Settings, SolveOptions
from optimization.solve import solve
from optimization.stn import build_problem


def optimize(
    metagraph: Metagraph,
    state: State | None,
    orders: Sequence[Order],
    origin: datetime,
    settings: Settings | None = None,
    options: SolveOptions | None = None,
    *,
    start_s: float = 0.0,
    progress: Callable[[str, float], None] | None = None,
    on_incumbent: Callable[[Incumbent], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Outcome:
    """Plan the orders of the state and those still to come.

    Now is the state's instant, without a state `start_s` (seconds since the origin). `progress` is told the
    step and the share done, 0..1; when `cancelled` says so, the best plan so far is the answer.
    Raises UsageError for settings that can't be meant, DataError for data that no plan can be made from,
    InfeasibleError where nothing can be planned.
    """
    settings, options = settings or Settings(), options or SolveOptions()
    tell = progress or _silent
    tell("building the problem" if ready() else COMPILING, 0.0)
    problem = build_problem(metagraph, state, orders, origin, settings, start_s=start_s)
    hopeless = clashes(problem, metagraph, origin)
    tell("planning by rules", 0.05)
    plans = rule_plans(problem, metagraph.orders.segment_priority, seed=options.seed)
    rules = rule_outcomes(problem, plans)
    tell("looking for a better plan", 0.1)
    best = plans[rules[0].rule]
    result = solve(problem, options, on_incumbent=on_incumbent, cancelled=cancelled, warm=best)
    tell("making the schedule", 0.98)
    return outcome_of(metagraph, origin, settings, problem, result, rules, hopeless)


def outcome_of(
    metagraph: Metagraph,
    origin: datetime,
    settings: Settings,
    problem: Problem,
    result: Result,
    rules: tuple[RuleOutcome, ...],
    hopeless: tuple[Clash, ...],
) -> Outcome:
    """What a result's plan comes to; `hopeless`: orders that no plan can do in time."""
    plan = result.plan
    bought = bought_hours(problem, plan, settings.overtime)
    clocks = Clocks(with_overtime(metagraph, bought, origin), problem, origin)
    work = work_outcomes(problem, plan, clocks.first_there)
    return Outcome(
        problem=problem,
        result=result,
        schedule=schedule_of(problem, plan, clocks.first_there),
        orders=order_outcomes(problem, plan, {clash.order: clash.sentence for clash in hopeless}),
        work=work,
        agents=agent_outcomes(metagraph, problem, work, bought, clocks),
        rules=rules,
        preemptions=len(preempted(problem, plan)),
        notes=(*notes_of(hopeless), *_told(bought), *problem.notes),
    )


def _told(bought: tuple[Overtime, ...]) -> list[str]:
    if not bought:
        return []
    who = ", ".join(dict.fromkeys(hours.agent for hours in bought))
    return [
        f"Hours of {who} are bought for {sum(hours.price for hours in bought):,.2f}; a simulation of the "
        "schedule works in them only if the calendars say so."
    ]


def _silent(step: str, share: float) -> None:
    """Nobody listens."""

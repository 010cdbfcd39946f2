"""Schedules that may hold better than the best plan: for other ways and longer times; and rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from metagraph.distributions import Constant
from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.nodes import DurationTable, Task
from metagraph.orders import Order
from metagraph.overtime import with_overtime
from metagraph.policies import PORTFOLIO, Policy
from metagraph.state import State
from twin.progress import Progress
from twin.reschedule import forbidding
from twin.robust import SCENARIOS, Candidate, Measure, Robust, choose

if TYPE_CHECKING:
    from optimization.grid import Grid
    from optimization.outcome import Outcome
    from optimization.problem import Plan
    from optimization.result import Incumbent
    from optimization.settings import Preemption, Settings, SolveOptions

PLAN = "the plan"
WORK, DRAWN = "plan for work at", "plan for drawn ways"
WAYS = 3
"""Plans for ways that are drawn for each order, where gateways are still to choose."""
LONGER = (0.7,)
"""Quantiles of all durations for which plans are made."""
FINER = 3
"""By how much the grid of another plan is finer: what is rounded up takes places that nobody needs."""
SEARCHES = 2
"""Plans for the same problem that searches from nothing find."""
TRIALS = 5000
"""Of each search."""
_SHARE = 0.5
"""Of the time limit that all alternatives have together."""


@dataclass(frozen=True, slots=True)
class Held:
    """The schedule that holds best, and what it was compared with."""

    name: str
    outcome: Outcome
    """Its plan."""
    robust: Robust
    """Of schedules, and of rules that are followed as orders come."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be planned."""

    metagraph: Metagraph
    state: State | None
    orders: Sequence[Order]
    origin: datetime
    settings: Settings
    options: SolveOptions
    start_s: float


def robust(
    metagraph: Metagraph,
    state: State | None,
    orders: Sequence[Order],
    origin: datetime,
    settings: Settings,
    options: SolveOptions,
    *,
    start_s: float = 0.0,
    scenarios: int = SCENARIOS,
    progress: Progress | None = None,
    on_incumbent: Callable[[Incumbent], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Held:
    """As optimize, but of several plans the one that is best on average in simulated scenarios.

    The alternatives together get half as much time again as the plan. When `cancelled` says so, what was
    found so far is compared. Raises as optimize and choose do, and UsageError where interruptions count
    first.
    """
    progress = progress or Progress()
    asked = _Asked(metagraph, state, orders, origin, settings, options, start_s)
    outcomes = _outcomes(asked, progress.part(0.0, 0.8), on_incumbent, cancelled)
    plan = outcomes[PLAN]
    first = plan.problem.levels[0].name
    if first == "preemptions":
        raise UsageError("schedules are compared by profit, flow time or lateness: name one of them first")
    candidates = [_candidate(name, found, asked) for name, found in outcomes.items()]
    rules = {name: interrupting(policy, settings.preemption) for name, policy in _rules(metagraph).items()}
    found = choose(
        [
            *candidates,
            *(
                Candidate(f"rule {name}", policy, per_interruption=settings.preemption.penalty)
                for name, policy in rules.items()
            ),
        ],
        forbidding(metagraph, settings.preemption),
        state,
        orders,
        origin,
        measure=cast(Measure, first),
        start_s=start_s,
        scenarios=scenarios,
        seed=options.seed,
        progress=progress.part(0.8, 1.0),
    )
    best = next(one.name for one in found.scored if one.name in outcomes)
    return Held(best, outcomes[best], found, (*notes_of(found, best, len(outcomes)), *found.notes))


def _outcomes(
    asked: _Asked,
    progress: Progress,
    on_incumbent: Callable[[Incumbent], None] | None,
    cancelled: Callable[[], bool] | None,
) -> dict[str, Outcome]:
    """Plans by name, the plan itself first; of equal ones the first."""
    found = {PLAN: _planned(PLAN, asked, progress.part(0.0, 0.5), on_incumbent, cancelled)}
    found |= _of_same_problem(asked, found[PLAN], progress.part(0.5, 0.6), cancelled)
    others = _others(asked, found[PLAN].problem.grid)
    for i, (name, one) in enumerate(others):
        part = progress.part(0.6 + 0.4 * i / len(others), 0.6 + 0.4 * (i + 1) / len(others))
        if cancelled is not None and cancelled():
            break
        made = _planned(name, one, part, None, cancelled)
        if all(made.schedule != other.schedule for other in found.values()):
            found[name] = made
    return found


def _planned(
    name: str,
    one: _Asked,
    progress: Progress,
    on_incumbent: Callable[[Incumbent], None] | None,
    cancelled: Callable[[], bool] | None,
) -> Outcome:
    from optimization.optimize import optimize

    return optimize(
        one.metagraph,
        one.state,
        one.orders,
        one.origin,
        one.settings,
        one.options,
        start_s=one.start_s,
        progress=_Named(name, progress),
        on_incumbent=on_incumbent,
        cancelled=cancelled,
    )


def _of_same_problem(
    asked: _Asked, planned: Outcome, progress: Progress, cancelled: Callable[[], bool] | None
) -> dict[str, Outcome]:
    """What rules and searches from nothing make of the same problem; only what differs."""
    from optimization.clashes import clashes
    from optimization.heuristics import rule_plans
    from optimization.improvement import Effort, improve
    from optimization.optimize import outcome_of
    from optimization.problem import values

    problem, seed = planned.problem, asked.options.seed
    progress.step("plans by rules", 0.0)
    rules = rule_plans(problem, asked.metagraph.orders.segment_priority, seed=seed)
    plans = {f"plan by rule {name}": plan for name, plan in rules.items()}
    for i in range(1, SEARCHES + 1):
        progress.step("other searches", i / (SEARCHES + 1))
        effort = Effort(trials=TRIALS, seed=seed + i)
        plans[f"search {i}"] = improve(problem, (), effort, cancelled=cancelled).plan
    hopeless = clashes(problem, asked.metagraph, asked.origin)
    known, found = {_key(planned.result.plan)}, {}
    for name, plan in plans.items():
        if _key(plan) in known:
            continue
        known.add(_key(plan))
        worth = values(problem, plan)
        result = replace(planned.result, plan=plan, values=worth, objective=worth[0], status="time")
        found[name] = outcome_of(
            asked.metagraph, asked.origin, asked.settings, problem, result, planned.rules, hopeless
        )
    return found


def _key(plan: Plan) -> bytes:
    return plan.start.tobytes() + plan.mode.tobytes()


@dataclass(frozen=True, slots=True)
class _Named:
    """Tells of which plan a step is."""

    name: str
    progress: Progress

    def __call__(self, step: str, share: float) -> None:
        self.progress.step(f"{self.name}: {step}", share)


def _others(asked: _Asked, grid: Grid) -> list[tuple[str, _Asked]]:
    """Problems that differ in what the plan had to assume."""
    from optimization.horizon import MOST_PERIODS

    settings, made = asked.settings, []
    if grid.periods * FINER <= MOST_PERIODS // 2:
        fine = replace(settings, dt_s=grid.dt_s / FINER)
        made.append((f"plan on a grid of {grid.dt_s / FINER / 60:.3g} min", replace(asked, settings=fine)))
    made += [
        (f"{WORK} its {q:.0%} quantile", replace(asked, metagraph=lasting(asked.metagraph, q)))
        for q in LONGER
    ]
    if any(gateway.routes for gateway in asked.metagraph.gateways()):
        drawn = [replace(settings, ways=i) for i in range(1, WAYS + 1)]
        made += [(f"{DRAWN} {one.ways}", replace(asked, settings=one)) for one in drawn]
    limit_s = asked.options.time_limit_s * _SHARE / len(made)
    options = replace(asked.options, time_limit_s=limit_s, gap=max(asked.options.gap, 0.02))
    return [(name, replace(one, options=options)) for name, one in made]


def lasting(metagraph: Metagraph, level: float) -> Metagraph:
    """The process in which all work takes as long as this quantile of it."""

    def fixed(task: Task) -> Task:
        rows = tuple(
            replace(row, fitted=replace(row.fitted, law=Constant(max(float(row.fitted.law.ppf(level)), 0.0))))
            for row in task.durations.rows
        )
        return replace(task, durations=DurationTable(rows))

    nodes = tuple(fixed(node) if isinstance(node, Task) else node for node in metagraph.nodes)
    return replace(metagraph, nodes=nodes)


def _candidate(name: str, found: Outcome, asked: _Asked) -> Candidate:
    """How a plan is followed."""
    from optimization.outcome_agents import bought_hours

    policy = Policy(name, "JFQ", ("RANK",), schedule=found.schedule, tie="back")
    process = forbidding(asked.metagraph, asked.settings.preemption)
    bought = bought_hours(found.problem, found.result.plan, asked.settings.overtime)
    return Candidate(
        name,
        interrupting(policy, asked.settings.preemption),
        with_overtime(process, bought, asked.origin) if bought else None,
        sum(hours.price for hours in bought),
        asked.settings.preemption.penalty,
    )


def interrupting(policy: Policy, wanted: Preemption) -> Policy:
    """The policy with the interruptions that were asked for."""
    return replace(
        policy,
        preemption=policy.preemption and wanted.allowed,
        max_preemptions=wanted.most_per_item,
        resume_penalty_s=wanted.resume_penalty_s,
        same_agent=wanted.same_agent,
    )


def _rules(metagraph: Metagraph) -> dict[str, Policy]:
    """Those that can be followed here."""
    return {
        name: policy
        for name, policy in PORTFOLIO.items()
        if "HPCS" not in policy.priorities or metagraph.orders.segment_priority
    }


def notes_of(found: Robust, best: str, plans: int) -> list[str]:
    """What was taken, and by how much it is better."""
    means = {one.name: one.mean.mean for one in found.scored}
    unit = "" if found.unit == "money" else f" {found.unit}"
    notes = [
        f"of {plans} schedules {best} holds best: mean {found.measure} {means[best]:,.6g}{unit} in "
        f"{found.scenarios} simulated scenarios"
    ]
    if best != PLAN:
        by = found.better_by(best, PLAN)
        sure = f"{by.low:,.4g} to {by.high:,.4g}" + ("" if by.low > 0 else ", which may be chance")
        notes.append(
            f"it is better by {by.mean:,.4g}{unit} ({sure}) than {PLAN} that is best by expected times and "
            "likely ways"
        )
    for what, told in ((WORK, "for that work"), (DRAWN, "for those ways")):
        if best.startswith(what):
            notes.append(f"its dates and what it is worth are given {told}")
    winner = found.scored[0].name
    if winner != best:
        by = found.better_by(winner, best)
        if by.low > 0:
            notes.append(
                f"{winner}, followed as orders come, does better than every schedule, by {by.mean:,.4g}"
                f"{unit} ({by.low:,.4g} to {by.high:,.4g}): plan again often, or go by that rule"
            )
    return notes

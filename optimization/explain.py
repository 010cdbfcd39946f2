"""Why a plan does what it does: how long work may wait, what that costs, and what it goes before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from metagraph.errors import UsageError
from metagraph.faults import listed
from optimization.alone import earliest
from optimization.bottlenecks import PoolWorth
from optimization.problem import NOBODY, Ints, Plan, Problem, ends_of
from optimization.replans import Loss, Replans
from optimization.units import units_of

MOST_RIVALS = 3


@dataclass(frozen=True, slots=True)
class Rival:
    """Work that could have gone first instead."""

    order: str
    task: str
    slack_s: float | None
    """How much later it could begin for nothing; None: for ever, or it isn't done at all."""
    cost: Loss
    """What it costs at most if it goes first."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One task of one order in a plan. Costs are those of plans that were made for the purpose: in truth they
    may be lower, and slacks longer."""

    order: str
    task: str
    agent: str
    """"" if it needs nobody, or isn't done."""
    start_s: float | None
    """None: the plan leaves the order out."""
    slack_s: float | None
    """How much later it could begin for nothing; None: for ever, or it isn't done."""
    wait_s: float
    waiting: Loss
    """What it costs if it begins `wait_s` later."""
    at_stake: Loss
    """What it costs if the order isn't done; of one that is left out, if it goes before all others."""
    hopeless: bool
    """Whether the order can't be done within the horizon, whatever the others do."""
    rivals: tuple[Rival, ...]
    """What waits for the same units, the next ones of the plan first."""
    bottleneck: PoolWorth | None
    """The dearest of the pools that are short, if these were looked for."""


def explain(
    problem: Problem,
    plan: Plan,
    order: str,
    task: str | None = None,
    *,
    wait_s: float = 3600.0,
    shortages: Sequence[PoolWorth] = (),
) -> Explanation:
    """Why an order's task, by default its next one that needs somebody, is where it is in a plan.

    shortages: from bottlenecks.pool_worths, which is found once for all orders. Raises UsageError for an
    order, or a task of it, that isn't planned.
    """
    i = _operation(problem, plan, order, task)
    op, grid = problem.ops[i], problem.grid
    replans = Replans(problem, plan)
    periods = max(ceil(wait_s / grid.dt_s - 1e-9), 1)
    done = plan.mode[i] != NOBODY
    slack = replans.slack(i) if done else None
    return Explanation(
        order=order,
        task=op.task,
        agent=units_of(problem, plan)[i],
        start_s=grid.at(int(plan.start[i])) if done else None,
        slack_s=None if slack is None else slack * grid.dt_s,
        wait_s=periods * grid.dt_s,
        waiting=replans.delayed(i, periods) if done else Loss(0.0),
        at_stake=replans.without(op.job) if done else replans.within(op.job),
        hopeless=earliest(problem, op.job) > grid.periods,
        rivals=tuple(_rivals(replans, i)) if done else (),
        bottleneck=shortages[0] if shortages else None,
    )


def next_of(problem: Problem, plan: Plan, agent: str) -> tuple[str, str]:
    """The order and the task that an agent begins first, or goes on with. Raises UsageError if none."""
    mine = [i for i, unit in enumerate(units_of(problem, plan)) if unit == agent]
    if not mine:
        raise UsageError(f"{agent} has nothing to begin in this plan")
    i = min(mine, key=lambda i: (int(plan.start[i]), i))
    return problem.jobs[problem.ops[i].job].order.id, problem.ops[i].task


def _operation(problem: Problem, plan: Plan, order: str, task: str | None) -> int:
    """The operation that is asked for. Raises UsageError if there is none."""
    jobs = {job.order.id: job for job in problem.jobs}
    if order not in jobs:
        raise UsageError(f"order {order!r} isn't planned; there are {listed([*jobs]) or 'none'}")
    mine = jobs[order].ops
    if task is not None:
        named = [i for i in mine if problem.ops[i].task == task]
        if not named:
            tasks = listed([*dict.fromkeys(problem.ops[i].task for i in mine)]) or "none"
            raise UsageError(f"order {order!r} has no task {task!r} to be planned; there are {tasks}")
        mine = named  # type: ignore[assignment]
    served = [i for i in mine if any(mode.pool != NOBODY for mode in problem.ops[i].modes)]
    if not served:
        raise UsageError(f"order {order!r} has nothing left to be planned that needs somebody")
    never = problem.grid.never
    return min(served, key=lambda i: (never if plan.mode[i] == NOBODY else int(plan.start[i]), i))


def _rivals(replans: Replans, i: int) -> list[Rival]:
    """What begins later in the same pool though it could have begun instead, the first ones of the plan."""
    problem, plan = replans.problem, replans.plan
    op = problem.ops[i]
    pool, at = op.modes[int(plan.mode[i])].pool, int(plan.start[i])
    if pool == NOBODY:
        return []
    ends = ends_of(problem, plan)
    never = problem.grid.never
    waiting = [
        r
        for r, other in enumerate(problem.ops)
        if other.job != op.job
        and (plan.mode[r] == NOBODY or plan.start[r] > at)
        and any(mode.pool == pool and mode.ends[at] < never for mode in other.modes)
        and _could_begin(problem, r, ends) <= at
    ]
    waiting.sort(key=lambda r: (never if plan.mode[r] == NOBODY else int(plan.start[r]), r))
    return [_rival(replans, r, i) for r in waiting[:MOST_RIVALS]]


def _could_begin(problem: Problem, i: int, ends: Ints) -> int:
    """When what comes before an operation lets it begin in a plan."""
    op = problem.ops[i]
    before = max((int(ends[pred]) for pred in op.preds), default=0)
    if op.lag is not None and op.preds:
        before = int(op.lag[min(before, problem.grid.never)])
    return max(before, op.ready)


def _rival(replans: Replans, r: int, i: int) -> Rival:
    problem, plan = replans.problem, replans.plan
    slack = replans.slack(r) if plan.mode[r] != NOBODY else None
    return Rival(
        order=problem.jobs[problem.ops[r].job].order.id,
        task=problem.ops[r].task,
        slack_s=None if slack is None else slack * problem.grid.dt_s,
        cost=replans.before(r, i),
    )

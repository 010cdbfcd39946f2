"""Plans recomputed without those who made them: every rule of a Problem, and what the plan is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from metagraph.orders import profit_at
from optimization.problem import NOBODY, Job, Level, Mode, Operation, Plan, Problem

_SLACK = 1e-6
"""Share of a value by which sums in another order may differ."""


class BrokenPlanError(Exception):
    """A plan that breaks a rule of its problem: whoever made it is wrong. Says where and how."""


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """What a plan that breaks no rule comes to."""

    values: tuple[float, ...]
    """On each level."""
    fulfilled: tuple[int, ...]
    """[job] the point from which on it can be delivered; `never` if it can't."""
    delivered: tuple[int, ...]
    """[job] when it is worth most from then on, on the first level."""
    preempted: tuple[int, ...]
    """Held operations that are interrupted."""
    on_time: int
    """Orders that are delivered by their due date."""
    late: int
    lost: int
    """Orders that aren't delivered in time for any profit, or not at all."""


def check(problem: Problem, plan: Plan) -> Checked:
    """Recompute a plan. Raises BrokenPlanError at the first rule that it breaks."""
    for fault in _faults(problem, plan):
        raise BrokenPlanError(fault)
    done = tuple(_fulfilled(problem, plan, job) for job in problem.jobs)
    interrupted = tuple(i for i, op in enumerate(problem.ops) if _interrupts(op, plan, i))
    values = tuple(_value(problem, plan, level, done, len(interrupted)) for level in problem.levels)
    delivered = tuple(_delivered(problem, j, t) for j, t in enumerate(done))
    kinds = [_kind(problem, job, t) for job, t in zip(problem.jobs, delivered, strict=True)]
    return Checked(
        values,
        done,
        delivered,
        interrupted,
        on_time=kinds.count("on time"),
        late=kinds.count("late"),
        lost=kinds.count("lost"),
    )


def _faults(problem: Problem, plan: Plan) -> Iterator[str]:
    """What the plan breaks, in words; the first fault counts, as those after it may follow from it."""
    n = len(problem.ops)
    if len(plan.start) != n or len(plan.mode) != n:
        yield f"the plan has {len(plan.start)} starts and {len(plan.mode)} modes for {n} operations"
        return
    for i, op in enumerate(problem.ops):
        for fault in _alone(problem, plan, i, op):
            yield f"{_named(problem, op)}: {fault}"
    for i, op in enumerate(problem.ops):
        if plan.mode[i] != NOBODY:
            for fault in _order_of_work(problem, plan, i, op):
                yield f"{_named(problem, op)}: {fault}"
    yield from _overbooked(problem, plan)
    interrupted = sum(_interrupts(op, plan, i) for i, op in enumerate(problem.ops))
    most = problem.most_preempted
    if most is not None and interrupted > most:
        yield f"{interrupted} operations that are under way are interrupted; {most} may be"


def _alone(problem: Problem, plan: Plan, i: int, op: Operation) -> Iterator[str]:
    """What is wrong with an operation whatever the others do."""
    start, mode = int(plan.start[i]), int(plan.mode[i])
    if (start == NOBODY) != (mode == NOBODY):
        yield f"start {start} and mode {mode}; both or neither must be {NOBODY}"
    elif mode == NOBODY:
        return
    elif not 0 <= mode < len(op.modes):
        yield f"mode {mode}; it has {len(op.modes)}"
    elif not 0 <= start <= problem.grid.periods:
        yield f"it begins at point {start}, outside the grid of {problem.grid.periods} periods"
    elif op.modes[mode].ends[start] > problem.grid.periods:
        who = _unit(problem, op.modes[mode])
        yield f"{who} can't begin it {_when(problem, start)} and have it done within the horizon"
    elif op.modes[mode].ends[start] <= start:
        yield f"it is over {_when(problem, int(op.modes[mode].ends[start]))}, not after its begin"
    elif start < op.ready:
        yield f"it begins {_when(problem, start)}, before it can {_when(problem, op.ready)}"


def _order_of_work(problem: Problem, plan: Plan, i: int, op: Operation) -> Iterator[str]:
    start = int(plan.start[i])
    for pred in op.preds:
        before = problem.ops[pred]
        if plan.mode[pred] == NOBODY:
            yield f"it is done though {before.task} before it isn't"
            continue
        end = int(before.modes[int(plan.mode[pred])].ends[int(plan.start[pred])])
        free = end if op.lag is None else int(op.lag[end])
        if start < free:
            yield (
                f"it begins {_when(problem, start)}, {before.task} before it lets it begin "
                f"{_when(problem, free)}"
            )


def _overbooked(problem: Problem, plan: Plan) -> Iterator[str]:
    """Pools in which more goes on at once than they have places."""
    by_pool: dict[int, list[tuple[int, int, int]]] = {}
    for i, op in enumerate(problem.ops):
        if plan.mode[i] != NOBODY:
            mode, start = op.modes[int(plan.mode[i])], int(plan.start[i])
            by_pool.setdefault(mode.pool, []).append((start, int(mode.ends[start]), i))
    by_pool.pop(NOBODY, None)
    for pool, spans in by_pool.items():
        there = problem.pools[pool]
        for period in range(problem.grid.periods):
            here = [i for start, end, i in spans if start <= period < end]
            if len(here) > there.capacity[period]:
                who = ", ".join(dict.fromkeys(there.units)) or "a pool without units"
                what = ", ".join(_named(problem, problem.ops[i]) for i in here)
                yield (
                    f"{who}: {len(here)} operations at once {_when(problem, period)}, "
                    f"{there.capacity[period]} can be: {what}"
                )
                break


def _interrupts(op: Operation, plan: Plan, i: int) -> bool:
    return op.held is not None and not (plan.start[i] == 0 and plan.mode[i] == op.held)


def _fulfilled(problem: Problem, plan: Plan, job: Job) -> int:
    latest = job.floor
    for i in job.ops:
        mode = int(plan.mode[i])
        if mode == NOBODY:
            return problem.grid.never
        latest = max(latest, int(problem.ops[i].modes[mode].ends[int(plan.start[i])]))
    return latest


def _value(problem: Problem, plan: Plan, level: Level, done: tuple[int, ...], interrupted: int) -> float:
    """The plan's on a level. Raises BrokenPlanError if the level's table contradicts the profit curves."""
    total = 0.0
    for j, (job, t) in enumerate(zip(problem.jobs, done, strict=True)):
        told = float(level.worth[j, t])
        if level.name == "profit":
            found = _profit(problem, job, t)
            if not any(abs(told - one) <= _SLACK * max(1.0, abs(one)) for one in found):
                raise BrokenPlanError(
                    f"order {job.order.id}: {told:g} if it can be delivered {_when(problem, t)}, by its own "
                    f"profit curve {found[0]:g}"
                )
        total += told
    used = {op.modes[int(m)].pool for op, m in zip(problem.ops, plan.mode, strict=True) if m != NOBODY}
    prices = sum(problem.pools[pool].price for pool in used if pool != NOBODY)
    return total - level.per_preemption * interrupted - (prices if level.prices else 0.0)


def _profit(problem: Problem, job: Job, t: int) -> tuple[float, ...]:
    """The most that the order's curve gives from a point on, at the points and just beside them: an instant
    may miss a date by rounding."""
    grid = problem.grid
    lost = profit_at(job.order, job.shape, inf)
    beyond = lost if job.order.lost_s is not None else min(lost, 0.0)
    points = range(t, grid.periods + 1)
    return tuple(
        max([beyond, *(profit_at(job.order, job.shape, grid.at(p) + shift * grid.dt_s) for p in points)])
        for shift in (0.0, -_SLACK, _SLACK)
    )


def _delivered(problem: Problem, j: int, t: int) -> int:
    """The first point from `t` on at which delivery is worth as much as the table says for `t`."""
    job, grid = problem.jobs[j], problem.grid
    if t > grid.periods or problem.levels[0].name != "profit":
        return t
    worth = float(problem.levels[0].worth[j, t]) - _SLACK * max(
        1.0, abs(float(problem.levels[0].worth[j, t]))
    )
    return next((p for p in range(t, grid.never) if profit_at(job.order, job.shape, grid.at(p)) >= worth), t)


def _kind(problem: Problem, job: Job, t: int) -> str:
    order, slack = job.order, _SLACK * problem.grid.dt_s
    at_s = problem.grid.at(t)
    if t > problem.grid.periods or (order.lost_s is not None and at_s > order.lost_s + slack):
        return "lost"
    return "late" if order.due_s is not None and at_s > order.due_s + slack else "on time"


def _named(problem: Problem, op: Operation) -> str:
    return f"order {problem.jobs[op.job].order.id}, task {op.task}"


def _unit(problem: Problem, mode: Mode) -> str:
    if mode.pool == NOBODY:
        return "nobody"
    return ", ".join(dict.fromkeys(problem.pools[mode.pool].units)) or "a pool without units"


def _when(problem: Problem, point: int) -> str:
    if point > problem.grid.periods:
        return "beyond the horizon"
    return f"{point * problem.grid.dt_s / 3600:.4g} h from now (point {point})"

"""From a problem to a checked plan and a bound: relaxation, plans that follow it, whole-number search."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import monotonic, process_time

import numpy as np

from metagraph.errors import InfeasibleError
from metagraph.policies import PORTFOLIO
from optimization.compiled import ready
from optimization.generation import Generator, Priorities, after
from optimization.heuristics import rule_plan
from optimization.highs import Limits, maximise
from optimization.improvement import Effort, improve
from optimization.model_search import ModelSearch, Sizes
from optimization.paper_form import paper_form
from optimization.problem import NOBODY, Plan, Problem
from optimization.progress import EndedError, Progress
from optimization.result import Incumbent, Result, Status
from optimization.settings import SolveOptions
from optimization.standard_form import standard_form

_USUAL = SolveOptions()


def solve(
    problem: Problem,
    options: SolveOptions = _USUAL,
    *,
    on_incumbent: Callable[[Incumbent], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    warm: Plan | None = None,
) -> Result:
    """The best plan found within time limit and gap, recomputed (checks.py), and a bound that none passes.

    on_incumbent: called with each better plan's figures. cancelled: asked now and then whether to end.
    warm: a plan to begin with; where it can't be kept, its order is.
    """
    cpu_s = process_time()
    if not ready():
        improve(problem, (), Effort(trials=1))  # compiles before time counts
    progress = Progress(problem, options, on_incumbent, cancelled)
    generator = Generator(problem)
    sizes = Sizes()
    _first_plan(progress, generator, warm)
    with suppress(EndedError):
        if options.formulation == "paper":
            _as_in_the_paper(progress, sizes)
        else:
            search = ModelSearch(progress, generator, sizes)
            _priority_plans(progress, search)
            search.run()
    assert progress.plan is not None
    progress.settle(generator.plan(after(problem, progress.plan)))
    return Result(
        status=_status(progress),
        plan=progress.plan,
        values=progress.values,
        objective=progress.values[0],
        bound=progress.bound,
        build_s=sizes.build_s,
        solve_s=progress.passed_s - sizes.build_s,
        cpu_s=process_time() - cpu_s,
        columns=sizes.columns,
        rows=sizes.rows,
        binaries=sizes.binaries,
        incumbents=tuple(progress.incumbents),
        statistics=dict(sizes.statistics),
    )


def _status(progress: Progress) -> Status:
    if progress.gap == 0.0:
        return "optimal"
    if progress.enough():
        return "gap"
    return "cancelled" if progress.cancelled() else "time"


def _first_plan(progress: Progress, generator: Generator, warm: Plan | None) -> None:
    """So that there is one whatever happens: what is under way goes on; and what was given.

    Raises InfeasibleError if that can't be.
    """
    problem = progress.problem
    n = len(problem.ops)
    start, mode = np.full(n, NOBODY, np.int64), np.full(n, NOBODY, np.int64)
    for i, op in enumerate(problem.ops):
        if op.held is not None and op.modes[op.held].ends[0] < problem.grid.never:
            start[i], mode[i] = 0, op.held
    broken = sum(op.held is not None and mode[i] < 0 for i, op in enumerate(problem.ops))
    if problem.most_preempted is not None and broken > problem.most_preempted:
        raise InfeasibleError(
            f"{broken} tasks that are under way can't be done within the horizon, so they would be "
            f"interrupted, but at most {problem.most_preempted} may be: allow more, or a longer horizon"
        )
    progress.offer(Plan(start, mode), "work that is under way")
    if warm is not None:
        progress.offer(generator.justified(after(problem, warm)), "the plan to begin with")


def _priority_plans(progress: Progress, search: ModelSearch) -> None:
    """The rules that simulations use, and orders in turn by what tells them apart."""
    problem = progress.problem
    for rule, policy in PORTFOLIO.items():
        if "HPCS" not in policy.priorities:
            progress.tick()
            plan = rule_plan(problem, policy, seed=progress.options.seed)
            search.offer(after(problem, plan), rule)
    lost = [np.inf if job.order.lost_s is None else job.order.lost_s for job in problem.jobs]
    due = [lost[j] if job.order.due_s is None else job.order.due_s for j, job in enumerate(problem.jobs)]
    worth = -problem.levels[0].worth[:, 0]
    for keys, name in ((due, "due dates"), (worth, "profit"), (lost, "lost-sale dates")):
        by_op = np.array([keys[op.job] for op in problem.ops], np.float64)
        search.offer(Priorities(by_op), name)


def _as_in_the_paper(progress: Progress, sizes: Sizes) -> None:
    """The printed equations as they are, solved without help: what the step form is compared with."""
    alone, progress.bound = progress.bound, np.inf
    try:
        begun = monotonic()
        progress.tick()
        form = paper_form(progress.problem, tick=progress.tick)
        arrays = standard_form(form.model, form.variables)
        sizes.build_s += monotonic() - begun
        sizes.of(arrays)
        options = progress.options
        limits = Limits(progress.left_s, options.threads, options.seed, options.gap, progress.cancelled)
        assert progress.plan is not None
        found = maximise(
            arrays,
            limits,
            start=form.values(progress.plan),
            improved=lambda x: progress.offer(form.plan(x), "MIP"),
            enough=lambda bound: progress.limit(bound) and progress.enough(),
        )
        if found.x is not None:
            progress.offer(form.plan(found.x), "MIP")
        progress.limit(found.bound)
    finally:
        if np.isinf(progress.bound):
            progress.bound = alone

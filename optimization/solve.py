"""From a problem to a checked plan and a bound: relaxation, plans that follow it, whole-number search."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic, process_time

import numpy as np

from metagraph.errors import InfeasibleError
from optimization.generation import Generator, Priorities, after
from optimization.guided import guided
from optimization.highs import Limits, maximise, relax
from optimization.improvement import Effort, improve
from optimization.network import light, network
from optimization.paper_form import paper_form
from optimization.problem import NOBODY, Floats, Plan, Problem
from optimization.progress import EndedError, Progress
from optimization.result import Incumbent, Result, Status
from optimization.settings import SolveOptions
from optimization.standard_form import StandardForm, standard_form
from optimization.step_form import StepForm, step_form

LIGHT = 0.6
"""Pools with less than this share of the busiest one's work are first left out of the model: what gets
through the busiest ones seldom waits there, so the bound hardly rises while the model gets much smaller."""
SMALLER = 0.5
"""Such a model is worth its while if it has less than this share of the whole one's columns."""
RELAXED_GAP = 0.5
"""Share of the gap that is asked for to which models with pools left out are solved."""
_USUAL = SolveOptions()
RELAXED_TIME = 0.5
"""Share of the time that is left which such a model may take."""
TRIALS = 6000
"""Plans that the search tries before it is a solver's turn."""
FURTHER_TIME, FURTHER_S = 0.1, 2.0
"""Share of the time limit for the levels after the first, and seconds that they have at least."""


@dataclass(slots=True)
class _Sizes:
    """Of the model that gave the bound, and what building cost."""

    columns: int = 0
    rows: int = 0
    binaries: int = 0
    build_s: float = 0.0
    statistics: dict[str, float] = field(default_factory=dict)

    def of(self, arrays: StandardForm) -> None:
        self.columns, self.rows = arrays.n_columns, arrays.n_rows
        self.binaries = int(arrays.whole.sum())


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
    generator = Generator(problem)
    improve(problem, (), Effort(trials=1))  # compiles, where that wasn't done, before time counts
    progress = Progress(problem, options, on_incumbent, cancelled)
    sizes = _Sizes()
    _first_plan(progress, generator, warm)
    with suppress(EndedError):
        if options.formulation == "paper":
            _as_in_the_paper(progress, sizes)
        else:
            _priority_plans(progress, generator)
            _Search(progress, generator, sizes).run()
    assert progress.plan is not None
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


def _priority_plans(progress: Progress, generator: Generator) -> None:
    """Orders in turn, by what tells them apart."""
    problem = progress.problem
    lost = [np.inf if job.order.lost_s is None else job.order.lost_s for job in problem.jobs]
    due = [lost[j] if job.order.due_s is None else job.order.due_s for j, job in enumerate(problem.jobs)]
    worth = -problem.levels[0].worth[:, 0]
    for keys, name in ((due, "due dates"), (worth, "profit"), (lost, "lost-sale dates")):
        by_op = np.array([keys[op.job] for op in problem.ops], np.float64)
        _offer(progress, generator, Priorities(by_op), name)


def _offer(progress: Progress, generator: Generator, priorities: Priorities, source: str) -> None:
    plan = generator.justified(priorities)
    if np.isfinite(generator.values[0]):
        progress.offer(plan, source)


def _as_in_the_paper(progress: Progress, sizes: _Sizes) -> None:
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


class _Search:
    """Models from the smallest relaxation to the whole problem, until the gap is reached."""

    def __init__(self, progress: Progress, generator: Generator, sizes: _Sizes) -> None:
        self._progress, self._generator, self._sizes = progress, generator, sizes

    def run(self) -> None:
        progress = self._progress
        problem = progress.problem
        free = _left_out(problem)
        while not progress.enough():
            form, arrays = self._built(free)
            self._follow_relaxation(form, arrays)
            self._improve()
            if progress.enough():
                break
            busy = self._whole(form, arrays, free)
            if not free:
                break
            self._improve()
            free = free - busy if busy and _smaller(problem, free - busy) else set()
        if len(problem.levels) > 1:
            self._further_levels()

    def _built(self, free: set[int]) -> tuple[StepForm, StandardForm]:
        begun = monotonic()
        self._progress.tick()
        form = step_form(self._progress.problem, free, tick=self._progress.tick)
        arrays = standard_form(form.model, form.variables)
        self._sizes.build_s += monotonic() - begun
        return form, arrays

    def _limits(self, gap: float, share: float = 1.0) -> Limits:
        progress = self._progress
        progress.tick()
        options = progress.options
        return Limits(
            share * progress.left_s, options.threads, options.seed, gap, cancelled=progress.cancelled
        )

    def _follow_relaxation(self, form: StepForm, arrays: StandardForm) -> None:
        """The bound without whole numbers, and plans that follow its solution."""
        found = relax(arrays, self._limits(0.0))
        if self._progress.limit(found.bound):
            self._sizes.of(arrays)
        if found.x is not None:
            for priorities in guided(form, found.x):
                if self._progress.enough():
                    return
                _offer(self._progress, self._generator, priorities, "LP-guided")

    def _improve(self) -> None:
        """Search around the best plan; how long doesn't depend on the clock, so the same comes out again."""
        progress = self._progress
        if progress.enough():
            return
        progress.tick()
        assert progress.plan is not None
        improve(
            progress.problem,
            [progress.plan],
            Effort(progress.left_s, TRIALS, progress.options.seed),
            cancelled=progress.cancelled,
            on_better=self._improved,
            enough=progress.target(),
        )

    def _improved(self, plan: Plan, _: tuple[float, ...]) -> None:
        self._progress.offer(plan, "improvement")

    def _whole(self, form: StepForm, arrays: StandardForm, free: set[int]) -> set[int]:
        """Solve a model in whole numbers. Gives the pools left out which its best plan asks too much of."""
        progress = self._progress
        best: list[Plan] = []

        def improved(x: Floats) -> None:
            plan = form.plan(x)
            best[:] = [plan]
            if not free:
                progress.offer(plan, "MIP")
            _offer(
                progress, self._generator, after(progress.problem, plan), "MIP, repaired" if free else "MIP"
            )

        def enough(bound: float) -> bool:
            if progress.limit(bound):
                self._sizes.of(arrays)
            return progress.enough()

        gap = progress.options.gap
        limits = self._limits(RELAXED_GAP * gap, RELAXED_TIME) if free else self._limits(gap)
        assert progress.plan is not None
        start = form.values(progress.plan)
        found = maximise(arrays, limits, start=start, improved=improved, enough=enough)
        if found.x is not None:
            improved(found.x)
        if progress.limit(found.bound):
            self._sizes.of(arrays)
        return _overloaded(progress.problem, best[0], free) if best else set()

    def _further_levels(self) -> None:
        """Each level among the plans that keep what the ones before have.

        For all of them together a share of the time limit: they are what is done with what the first leaves.
        """
        progress = self._progress
        begun, most_s = monotonic(), max(FURTHER_S, FURTHER_TIME * progress.options.time_limit_s)
        assert progress.plan is not None
        effort = Effort(progress.left_s, TRIALS, progress.options.seed)
        found = improve(progress.problem, [progress.plan], effort, cancelled=progress.cancelled)
        progress.offer(found.plan, "improvement")
        form, arrays = self._built(set())

        def improved(x: Floats) -> None:
            progress.offer(form.plan(x), "MIP")

        for level in range(1, len(progress.problem.levels)):
            assert progress.plan is not None
            left_s = begun + most_s - monotonic()
            limits = self._limits(progress.options.gap, max(min(left_s / progress.left_s, 1.0), 0.0))
            kept = progress.values[:level]
            start = form.values(progress.plan)
            answer = maximise(arrays, limits, level, start=start, at_least=kept, improved=improved)
            if answer.x is not None:
                improved(answer.x)


def _left_out(problem: Problem) -> set[int]:
    """Pools that the first model leaves out."""
    free = set(light(problem, LIGHT))
    return free if _smaller(problem, free) else set()


def _smaller(problem: Problem, free: set[int]) -> bool:
    """Whether leaving out these pools makes the model much smaller."""
    sizes = [
        sum(len(points) for begins in network(problem, some).begins for points in begins)
        for some in (free, set[int]())
    ]
    return sizes[0] < SMALLER * sizes[1]


def _overloaded(problem: Problem, plan: Plan, free: set[int]) -> set[int]:
    """Pools in which the plan has more at once than they can take."""
    used = {pool: np.zeros(problem.grid.periods, np.int64) for pool in free}
    for i, op in enumerate(problem.ops):
        if plan.mode[i] >= 0 and (pool := op.modes[int(plan.mode[i])].pool) in free:
            start = int(plan.start[i])
            used[pool][start : int(op.modes[int(plan.mode[i])].ends[start])] += 1
    return {pool for pool in free if np.any(used[pool] > problem.pools[pool].capacity)}

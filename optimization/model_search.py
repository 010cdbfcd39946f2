"""The step form from its smallest relaxation to the whole model: bounds, and plans near its solutions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np

from optimization.generation import Generator, Priorities, after
from optimization.guided import guided
from optimization.highs import Limits, maximise, relax
from optimization.improvement import Effort, improve
from optimization.left_out import MOST_COLUMNS, left_out, n_columns, overloaded, smaller
from optimization.problem import Floats, Plan, Problem, values
from optimization.progress import Progress
from optimization.result import TOO_LARGE
from optimization.standard_form import StandardForm, standard_form
from optimization.step_form import StepForm, step_form
from optimization.windows import Reach, around, between, free_columns, within

RELAXED, PART = 0.5, 0.1
"""Shares of the gap that is asked for to which models without some pools, and parts of models, are solved."""
PART_TIME = 0.25
"""Share of the time that is left which one of them may take."""
RELAXATION_TIME = 0.7
"""The same of a relaxation without whole numbers."""
NODES = 300
"""Most nodes of a part."""
PART_COLUMNS = 6000
"""Parts with more columns that aren't fixed aren't tried, nor further levels of a model with more."""
WIDTH = 1
"""Points on both sides of those between which a relaxation has begun an operation but not wholly."""
CLOSE, REACHES = Reach(2, 5, False), (Reach(2, 5, True), Reach(4, 8, True))
"""How far operations are moved from the best plan of a smaller model, and from the best plan."""
MANY_OPS = 500
"""With more operations the search comes before the first model, which may take all the time there is."""
TRIALS, TRIALS_AN_OP = 4000, 40
"""Plans that the search tries before it is a solver's turn, at most, and for each operation."""
RESTARTS, STARTS = 10, 3
"""How often the search begins again where work has a choice of pools, and from how many plans."""
FURTHER_TIME, FURTHER_S = 0.1, 2.0
"""Share of the time limit for the levels after the first, and seconds that they have at least."""


@dataclass(slots=True)
class Sizes:
    """Of the model that gave the bound, and what building cost."""

    columns: int = 0
    rows: int = 0
    binaries: int = 0
    build_s: float = 0.0
    statistics: dict[str, float] = field(default_factory=dict)

    def of(self, arrays: StandardForm) -> None:
        self.columns, self.rows = arrays.n_columns, arrays.n_rows
        self.binaries = int(arrays.whole.sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """A step form, with some pools left out."""

    form: StepForm
    arrays: StandardForm
    free: frozenset[int]

    @property
    def choices(self) -> bool:
        """Whether there is work that may go to one pool or another."""
        return any(len(begins) > 1 for begins in self.form.network.begins)


class ModelSearch:
    """Goes on until the gap is reached; each plan is offered to `progress`."""

    def __init__(self, progress: Progress, generator: Generator, sizes: Sizes) -> None:
        self._progress, self._generator, self._sizes = progress, generator, sizes
        problem = progress.problem
        self._problem = replace(problem, levels=problem.levels[:1])
        """What models are made of: what counts on the first level only has fewer columns."""
        self._whole_model: _Model | None = None
        self._starts: list[Plan] = []
        """Those that follow solutions of relaxations."""
        self._trials = min(TRIALS, TRIALS_AN_OP * len(problem.ops))

    def run(self) -> None:
        progress = self._progress
        problem = self._problem
        if len(problem.ops) > MANY_OPS:
            self._improve()
        free = frozenset() if progress.enough() else left_out(problem, progress.tick)
        while not progress.enough() and not self._too_large(free):
            model = self._built(free)
            x = self._follow_relaxation(model)
            self._improve()
            if x is not None:
                self._near_relaxation(model, x)
            if model.choices:
                self._restart()
            if progress.enough():
                break
            busy = self._solve(model)
            if not free:
                break
            self._improve()
            free = free - busy if busy and smaller(problem, free - busy) else frozenset()
        if not progress.enough():
            self._improve(progress.left_s)
        if len(progress.problem.levels) > 1:
            self._further_levels()

    def _built(self, free: frozenset[int]) -> _Model:
        if not free and self._whole_model is not None:
            return self._whole_model
        model = self._made(self._problem, free)
        if not free:
            self._whole_model = model
        return model

    def _made(self, problem: Problem, free: frozenset[int]) -> _Model:
        begun = monotonic()
        self._progress.tick()
        form = step_form(problem, free, tick=self._progress.tick)
        model = _Model(form, standard_form(form.model, form.variables), free)
        self._sizes.build_s += monotonic() - begun
        return model

    def _limits(self, gap: float, share: float = 1.0, nodes: int | None = None) -> Limits:
        progress = self._progress
        progress.tick()
        options = progress.options
        return Limits(share * progress.left_s, options.threads, options.seed, gap, progress.cancelled, nodes)

    def _follow_relaxation(self, model: _Model) -> Floats | None:
        """The bound without whole numbers, and plans that follow its solution.

        Choices among pools make many solutions nearly as good, among which simplex wanders.
        """
        found = relax(model.arrays, self._limits(0.0, RELAXATION_TIME), interior=model.choices)
        if self._progress.limit(found.bound):
            self._sizes.of(model.arrays)
        if found.x is not None:
            for priorities in guided(model.form, found.x):
                if self._progress.enough():
                    break
                self._starts.append(self.offer(priorities, "LP-guided"))
        return found.x

    def offer(self, priorities: Priorities, source: str) -> Plan:
        """The plan by these priorities, shifted late and early again."""
        self._progress.tick()
        plan = self._generator.justified(priorities)
        if np.isfinite(self._generator.values[0]):
            self._progress.offer(plan, source)
        return plan

    def _too_large(self, free: frozenset[int]) -> bool:
        n = n_columns(self._problem, free)
        if n > MOST_COLUMNS:
            self._sizes.statistics[TOO_LARGE] = float(n)
        return n > MOST_COLUMNS

    def _improve(self, seconds: float | None = None, start: Plan | None = None, again: int = 0) -> None:
        """Search around the best plan, or another; how long depends on no clock, so the same comes out
        again, unless seconds are given."""
        progress = self._progress
        if progress.enough():
            return
        progress.tick()
        begin, seed = start or progress.plan, progress.options.seed + again
        assert begin is not None
        improve(
            progress.problem,
            [begin],
            Effort(progress.left_s, self._trials, seed) if seconds is None else Effort(seconds, None, seed),
            cancelled=progress.cancelled,
            on_better=self._improved,
            enough=progress.target(),
        )

    def _restart(self) -> None:
        """Search from several plans near the relaxation: where a search ends differs by a few per cent."""
        best = sorted(self._starts, key=lambda plan: -values(self._problem, plan)[0])[:STARTS]
        for k in range(RESTARTS if best else 0):
            self._improve(start=best[k % len(best)], again=k)
        known = best and self._progress.bound_known
        if known and not self._progress.enough() and not self._too_large(frozenset()):
            self._near_best(self._built(frozenset()), REACHES[:1])

    def _improved(self, plan: Plan, _: tuple[float, ...]) -> None:
        self._progress.offer(plan, "improvement")

    def _near_relaxation(self, model: _Model, x: Floats) -> None:
        """The best near the relaxation's solution, then the best near that one, with all pools."""
        if self._progress.enough():
            return
        plan = self._part(model, between(model.form, model.arrays, x, WIDTH))
        if plan is None or self._progress.enough():
            return
        if self._too_large(frozenset()):
            return
        whole = self._built(frozenset())
        if model.free:
            self._part(whole, around(whole.form, whole.arrays, plan, CLOSE))
        self._near_best(whole, REACHES[:1] if model.free else REACHES)

    def _near_best(self, whole: _Model, reaches: tuple[Reach, ...]) -> None:
        """Again and again near the best plan, as long as that helps."""
        progress = self._progress
        for reach in reaches:
            better = True
            while better and not progress.enough():
                assert progress.plan is not None
                before = progress.values[0]
                self._part(whole, around(whole.form, whole.arrays, progress.plan, reach))
                better = progress.values[0] > before + PART * progress.options.gap * abs(before)

    def _part(self, model: _Model, arrays: StandardForm) -> Plan | None:
        """Solve a smaller model. The best plan of it, which may ask too much of pools that are left out."""
        progress = self._progress
        if progress.enough() or free_columns(arrays) > PART_COLUMNS:
            return None
        best: list[Plan] = []
        assert progress.plan is not None
        start: Floats | None = model.form.values(progress.plan)
        if start is not None and not within(arrays, start):
            start = None
        found = maximise(
            arrays,
            self._limits((RELAXED if model.free else PART) * progress.options.gap, PART_TIME, NODES),
            start=start,
            improved=lambda x: best.append(self._take(model, x, "part of the model")),
            enough=lambda _: progress.enough(),
        )
        if found.x is not None:
            best.append(self._take(model, found.x, "part of the model"))
        return best[-1] if best else None

    def _take(self, model: _Model, x: Floats, source: str) -> Plan:
        """The plan behind a solution, offered as it is if it can be, and by its order."""
        plan = model.form.plan(x)
        if not overloaded(self._progress.problem, plan, model.free):
            self._progress.offer(plan, source)
        self.offer(after(self._progress.problem, plan), source + (", repaired" if model.free else ""))
        return plan

    def _solve(self, model: _Model) -> frozenset[int]:
        """Solve a model in whole numbers. Gives the pools left out which its best plan asks too much of."""
        progress = self._progress
        best: list[Plan] = []

        def enough(bound: float) -> bool:
            if progress.limit(bound):
                self._sizes.of(model.arrays)
            return progress.enough()

        gap = progress.options.gap
        limits = self._limits(RELAXED * gap, PART_TIME) if model.free else self._limits(gap)
        assert progress.plan is not None
        found = maximise(
            model.arrays,
            limits,
            start=model.form.values(progress.plan),
            improved=lambda x: best.append(self._take(model, x, "MIP")),
            enough=enough,
        )
        if progress.limit(found.bound):
            self._sizes.of(model.arrays)
        if found.x is not None:
            best.append(self._take(model, found.x, "MIP"))
        return overloaded(progress.problem, best[-1], model.free) if best else frozenset()

    def _further_levels(self) -> None:
        """Each level among the plans that keep what the ones before have.

        For all of them together a share of the time limit: they are what is done with what the first leaves.
        """
        progress = self._progress
        begun, most_s = monotonic(), max(FURTHER_S, FURTHER_TIME * progress.options.time_limit_s)
        progress.tick()
        assert progress.plan is not None
        effort = Effort(min(most_s, progress.left_s), self._trials, progress.options.seed)
        better = improve(progress.problem, [progress.plan], effort, cancelled=progress.cancelled)
        progress.offer(better.plan, "improvement")
        if n_columns(progress.problem, frozenset()) > PART_COLUMNS:
            return
        model = self._made(progress.problem, frozenset())
        for level in range(1, len(progress.problem.levels)):
            share = (begun + most_s - monotonic()) / max(progress.left_s, 1e-9)
            limits = self._limits(progress.options.gap, max(min(share, 1.0), 0.0))
            found = maximise(
                model.arrays,
                limits,
                level,
                start=model.form.values(progress.plan),
                at_least=progress.values[:level],
                improved=lambda x: progress.offer(model.form.plan(x), "MIP"),
            )
            if found.x is not None:
                progress.offer(model.form.plan(found.x), "MIP")

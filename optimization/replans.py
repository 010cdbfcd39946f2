"""What a plan loses if something in it is changed: it is made again, from its own priorities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import numpy as np

from optimization.generation import Generator, Priorities, after, freed
from optimization.improvement import Effort, improve
from optimization.problem import Floats, Ints, Plan, Problem, values

TRIALS = 800
"""Plans that are tried for each change that seems to cost anything."""
MOST_PLACES = 6
"""How many operations of its pool a delayed one is put behind."""
_SAME = 1e-6
"""Share of a value below which two are the same."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a change costs on the first level on which it costs anything."""

    amount: float
    """0: nothing on any level; infinite: no plan was found with it."""
    level: str = ""
    unit: str = ""


class Replans:
    """Changes of one plan. Behind each loss is a plan that was made: in truth none is larger, and what costs
    nothing can be had for nothing."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.plan = problem, plan
        self._given = after(problem, plan)
        self._values = values(problem, plan)

    @cached_property
    def _generator(self) -> Generator:
        return Generator(self.problem)

    def delayed(self, i: int, periods: int) -> Loss:
        """If an operation begins at least so many periods later than in the plan."""
        at = int(self.plan.start[i]) + periods
        op = self.problem.ops[i]
        if at > self.problem.grid.periods and op.held is None:
            return self.without(op.job)
        keep = _copied(self._given.keep, len(self.problem.ops), 0)
        keep[i] = keep[i] and not periods
        tried = []
        for key in (float(self._given.keys[i]), float(at), *self._places_after(i)):
            keys = self._given.keys.copy()
            keys[i] = key
            tried.append(replace(self._given, keys=keys, keep=keep))
        found = self._loss(Generator(self._held_back(i, at)), tried)
        # Without its order, work that is under way could still go on.
        return found if op.held is not None else min(found, self.without(op.job), key=self._rank)

    def slack(self, i: int) -> int | None:
        """By how many periods an operation can be delayed for nothing; None: for ever."""
        most = self.problem.grid.periods - int(self.plan.start[i]) + 1
        if not self.delayed(i, most).amount:
            return None
        free, dear = 0, 1
        while dear < most and not self.delayed(i, dear).amount:
            free, dear = dear, 2 * dear
        dear = min(dear, most)
        while dear - free > 1:
            middle = (free + dear) // 2
            free, dear = (free, middle) if self.delayed(i, middle).amount else (middle, dear)
        return free

    def before(self, i: int, other: int) -> Loss:
        """If an operation takes the place of another one in its pool, which begins after it."""
        keys, prefer = self._given.keys.copy(), self.plan.mode.copy()
        pool = self.problem.ops[other].modes[int(self.plan.mode[other])].pool
        keys[i] = min(keys[i], keys[other] - 0.5)
        prefer[i] = next(m for m, mode in enumerate(self.problem.ops[i].modes) if mode.pool == pool)
        use = self._use()
        use[self.problem.ops[i].job] = 1
        wanted = replace(self._given, keys=keys, prefer=prefer, use=use)
        first = self._generator.plan(wanted)
        if first.mode[i] < 0:
            return self._lost(None)
        point = int(first.start[i])
        changed = Generator(_begun_by(self._held_back(other, point + 1), i, point))
        return self._loss(changed, [wanted, replace(wanted, keys=self._exchanged(keys, i, other))])

    def without(self, job: int) -> Loss:
        """If an order isn't done."""
        jobs = list(self.problem.jobs)
        jobs[job] = replace(jobs[job], floor=self.problem.grid.never)
        use = self._use()
        use[job] = 0
        return self._loss(Generator(replace(self.problem, jobs=tuple(jobs))), [replace(self._given, use=use)])

    def within(self, job: int) -> Loss:
        """If an order that is left out goes before all others."""
        keys, use = self._given.keys.copy(), self._use()
        use[job] = 1
        for i in self.problem.jobs[job].ops:
            keys[i] = -1.0
        return self._loss(self._generator, [replace(self._given, keys=keys, use=use)], searched=False)

    def _exchanged(self, keys: Floats, i: int, other: int) -> Floats:
        """Keys by which two orders change places at the tasks that both have."""
        ops, found = self.problem.ops, keys.copy()
        mine, theirs = ({ops[k].task: k for k in self.problem.jobs[ops[op].job].ops} for op in (i, other))
        for task in mine.keys() & theirs.keys():
            a, b = mine[task], theirs[task]
            found[a], found[b] = min(keys[a], keys[b]), max(keys[a], keys[b])
        found[i] = min(found[i], found[other] - 0.5)
        return found

    def _places_after(self, i: int) -> list[float]:
        """Keys that put an operation behind the next ones in its pool."""
        plan = self.plan
        pool = self.problem.ops[i].modes[int(plan.mode[i])].pool
        starts = sorted(
            float(plan.start[k])
            for k, op in enumerate(self.problem.ops)
            if plan.start[k] > plan.start[i] and op.modes[int(plan.mode[k])].pool == pool
        )
        return [start + 0.25 for start in starts[:MOST_PLACES]]

    def _rank(self, loss: Loss) -> tuple[int, float]:
        """Losses in the order of the levels, the smallest first."""
        if not loss.amount:
            return -len(self.problem.levels), 0.0
        names = [level.name for level in self.problem.levels]
        return -names.index(loss.level), loss.amount

    def _held_back(self, i: int, point: int) -> Problem:
        """The problem in which an operation begins no earlier than at a point."""
        ops = list(self.problem.ops)
        ops[i] = replace(ops[i], ready=min(max(ops[i].ready, point), self.problem.grid.never))
        return replace(self.problem, ops=tuple(ops))

    def _use(self) -> Ints:
        return _copied(self._given.use, len(self.problem.jobs), 1)

    def _loss(self, generator: Generator, tried: Sequence[Priorities], *, searched: bool = True) -> Loss:
        """Of the best plan by any of these priorities, with the modes that they say or others; and of a short
        search from there, if that loses anything."""
        problem = generator.problem
        best: tuple[tuple[float, ...], Plan] | None = None
        for priorities in tried:
            for one in (priorities, freed(priorities)):
                plan = generator.justified(one) if searched else generator.plan(one)
                found = values(problem, plan)
                if np.isfinite(generator.values[0]) and (best is None or found > best[0]):
                    best = found, plan
        if best is None:
            return self._lost(None)
        loss = self._lost(best[0])
        if not loss.amount or not searched or any(op.held is not None and op.ready for op in problem.ops):
            return loss
        enough = self._values[0] if len(problem.levels) == 1 else inf
        better = improve(problem, [best[1]], Effort(trials=TRIALS), enough=enough)
        return self._lost(better.values)

    def _lost(self, found: tuple[float, ...] | None) -> Loss:
        first = self.problem.levels[0]
        if found is None:
            return Loss(inf, first.name, first.unit)
        for level, mine, other in zip(self.problem.levels, self._values, found, strict=True):
            same = _SAME * max(1.0, abs(mine))
            if abs(mine - other) > same:
                return Loss(mine - other, level.name, level.unit) if mine > other else Loss(0.0)
        return Loss(0.0)


def _begun_by(problem: Problem, i: int, point: int) -> Problem:
    """The problem in which an operation begins by a point, or not at all."""
    ops, points = list(problem.ops), np.arange(problem.grid.never)
    modes = [
        replace(mode, ends=np.where(points <= point, mode.ends, problem.grid.never)) for mode in ops[i].modes
    ]
    ops[i] = replace(ops[i], modes=tuple(modes))
    return replace(problem, ops=tuple(ops))


def _copied(given: Ints | None, n: int, default: int) -> Ints:
    return np.full(n, default, np.int64) if given is None else given.copy()

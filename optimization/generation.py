"""Plans from priorities: operations are placed one after the other, each as early as it can be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from optimization.packing import empty, packed, unpacked
from optimization.problem import NOBODY, Floats, Ints, Plan, Problem

if TYPE_CHECKING:
    from optimization.search_place import Packed, Wanted

COMPILING = "Compiling the search for plans, once in this installation; this takes up to half a minute."


@dataclass(frozen=True, slots=True, eq=False)
class Priorities:
    """What a plan is made after. What is left out of this is decided by the generation."""

    keys: Floats
    """[operation] those with low keys are placed first, each after its predecessors."""
    prefer: Ints | None = None
    """[operation] index of the mode it must take; NOBODY: the one in which it is over first."""
    keep: Ints | None = None
    """[operation] 1: work that is under way goes on, before anything else is placed; None: all of it."""
    use: Ints | None = None
    """[job] 0: it is left out; None: none is."""
    closed: Ints | None = None
    """[pool] 1: nothing is given to it; None: all have work."""


class Generator:
    """Makes plans of one problem; not for several threads at once."""

    def __init__(self, problem: Problem, levels: int | None = None) -> None:
        self.problem = problem
        self.packed = packed(problem, levels)
        self.placed = empty(self.packed)
        self._order = np.arange(len(problem.ops))
        self._own = np.zeros(len(problem.ops))
        self._by_worth = np.argsort(-_most(self.packed), kind="stable")

    @property
    def values(self) -> tuple[float, ...]:
        """Of the plan made last; minus infinity for too many interruptions."""
        return tuple(self.placed.values.tolist())

    def plan(self, priorities: Priorities) -> Plan:
        """The plan by these priorities. Orders that can't gain anything any more are left out."""
        self.make(self.wanted(priorities))
        return self.last()

    def last(self) -> Plan:
        """The plan made last."""
        return unpacked(self.packed, self.placed.start, self.placed.mode)

    def make(self, wanted: Wanted) -> None:
        """Make a plan; it is in `placed`."""
        from optimization.search_place import generate, sort_by

        sort_by(self.packed, wanted.keys, self._order, self._own)
        generate(self.packed, self.placed, wanted, self._order)

    def justified(self, priorities: Priorities, rounds: int = 3) -> Plan:
        """The plan by these priorities after it was shifted late, and early again, as long as that helps."""
        from optimization.search_place import insert_lost, shift_right

        wanted = self.wanted(priorities)
        self.make(wanted)
        best, values = self.last(), self.values
        for _ in range(rounds):
            shift_right(self.packed, self.placed, self._own)
            insert_lost(self.packed, self.placed, wanted, self._by_worth)
            wanted = wanted._replace(keys=np.where(self.placed.mode >= 0, self.placed.start, 1e9))
            self.make(wanted)
            if not self.values > values:
                break
            best, values = self.last(), self.values
        return best

    def wanted(self, priorities: Priorities) -> Wanted:
        """Priorities as arrays."""
        from optimization.search_place import Wanted

        problem, p = self.problem, self.packed
        prefer = np.full(len(problem.ops), NOBODY, np.int64)
        if priorities.prefer is not None:
            prefer = np.where(priorities.prefer >= 0, p.mode_at[:-1] + priorities.prefer, NOBODY)
        return Wanted(
            keys=np.asarray(priorities.keys, np.float64).copy(),
            prefer=prefer.astype(np.int64),
            keep=_given(priorities.keep, len(problem.ops), 1),
            use=_given(priorities.use, len(problem.jobs), 1),
            closed=_given(priorities.closed, len(problem.pools), 0),
        )


def after(problem: Problem, plan: Plan) -> Priorities:
    """The priorities that give a plan again, or a better one: its starts, its modes, and what it keeps.

    Serial generation in the order of the starts of a feasible plan begins nothing later than the plan does.
    """
    done = plan.mode >= 0
    return Priorities(
        keys=np.where(done, plan.start, problem.grid.never).astype(np.float64),
        prefer=plan.mode.copy(),
        keep=np.array(
            [
                op.held is not None and plan.start[i] == 0 and plan.mode[i] == op.held
                for i, op in enumerate(problem.ops)
            ],
            np.int64,
        ),
        use=np.array([all(done[i] for i in job.ops) for job in problem.jobs], np.int64),
        closed=_unused(problem, plan),
    )


def freed(priorities: Priorities) -> Priorities:
    """The same without what is said about modes."""
    return replace(priorities, prefer=None)


def in_turn(problem: Problem, jobs: Ints) -> Priorities:
    """One order after the other, all of its operations at once."""
    place = np.empty(len(problem.jobs))
    place[jobs] = np.arange(len(problem.jobs))
    return Priorities(np.array([place[op.job] for op in problem.ops], np.float64))


def _most(p: Packed) -> Floats:
    """[job] the most that it can gain on the first level."""
    gains = p.worth[:1, :, 0] - p.worth[:1, :, -1]
    return np.asarray(gains.sum(axis=0), np.float64)


def _unused(problem: Problem, plan: Plan) -> Ints:
    used = {op.modes[int(m)].pool for op, m in zip(problem.ops, plan.mode, strict=True) if m >= 0}
    return np.array([p.price > 0 and i not in used for i, p in enumerate(problem.pools)], np.int64)


def _given(values: Ints | None, n: int, default: int) -> Ints:
    return np.full(n, default, np.int64) if values is None else np.asarray(values, np.int64).copy()

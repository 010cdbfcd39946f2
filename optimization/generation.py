"""Plans from priorities: operations are placed one after the other, each as early as it can be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimization.packing import packed, search, unpacked
from optimization.problem import NOBODY, Floats, Ints, Plan, Problem

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
        self.search = search(problem, self.packed)

    @property
    def values(self) -> tuple[float, ...]:
        """Of the plan made last; minus infinity for too many interruptions."""
        return tuple(self.search.now.values.tolist())

    def plan(self, priorities: Priorities) -> Plan:
        """The plan by these priorities. Orders that can't gain anything any more are left out."""
        from optimization.search_anneal import MAKE

        self.want(priorities)
        self.act(MAKE)
        return self.last()

    def last(self) -> Plan:
        """The plan made last."""
        return unpacked(self.packed, self.search.now.start, self.search.now.mode)

    def justified(self, priorities: Priorities, rounds: int = 3) -> Plan:
        """The plan by these priorities after it was shifted late, and early again, as long as that helps."""
        from optimization.search_anneal import MAKE, SHIFT

        best = self.plan(priorities)
        values, now = self.values, self.search.now
        for _ in range(rounds):
            self.act(SHIFT)
            self.search.wanted.keys[:] = np.where(now.mode >= 0, now.start, self.packed.never)
            self.act(MAKE)
            if not self.values > values:
                break
            best, values = self.last(), self.values
        return best

    def want(self, priorities: Priorities) -> None:
        """Take these priorities."""
        p, wanted = self.packed, self.search.wanted
        wanted.keys[:] = priorities.keys
        prefer = NOBODY if priorities.prefer is None else priorities.prefer
        wanted.prefer[:] = np.where(np.asarray(prefer) >= 0, p.mode_at[:-1] + prefer, NOBODY)
        wanted.keep[:] = 1 if priorities.keep is None else priorities.keep
        wanted.use[:] = 1 if priorities.use is None else priorities.use
        wanted.closed[:] = 0 if priorities.closed is None else priorities.closed

    def act(self, command: int, n: int = 0, hot: float = 1.0, cold: float = 1.0, mending: float = 0.0) -> int:
        """Do one of the search's commands; how many trials were taken."""
        from optimization.search_anneal import act

        return act(self.packed, self.search, command, n, hot, cold, mending)


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


def _unused(problem: Problem, plan: Plan) -> Ints:
    used = {op.modes[int(m)].pool for op, m in zip(problem.ops, plan.mode, strict=True) if m >= 0}
    return np.array([p.price > 0 and i not in used for i, p in enumerate(problem.pools)], np.int64)

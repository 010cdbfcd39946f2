"""Which unit of its pool does an operation: colouring of intervals, with as few handovers as can be seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from optimization.problem import NOBODY, Plan, Problem, ends_of


@dataclass(slots=True)
class _Place:
    """Units of a pool while time passes."""

    free: Counter[str]
    busy: list[tuple[int, str]] = field(default_factory=list)
    """(end, unit)"""
    load: Counter[str] = field(default_factory=Counter)
    """Periods of work so far."""

    def until(self, t: int) -> None:
        """What is over by then is free."""
        for _, unit in (left := [one for one in self.busy if one[0] <= t]):
            self.free[unit] += 1
        if left:
            self.busy = [one for one in self.busy if one[0] > t]

    def hold(self, unit: str, end: int, begin: int = 0) -> None:
        self.free[unit] -= 1
        self.load[unit] += end - begin
        self.busy.append((end, unit))


def units_of(problem: Problem, plan: Plan) -> list[str]:
    """[operation] the agent who does it; "" for what isn't done or needs nobody.

    Work that goes on stays with who began it. Work that was interrupted is resumed by them if they are free
    then, other work is done by who did something of the same order before, if they can, or else by who has
    had least to do. By its start each interval finds a free place: a plan never has more at once than there
    are places (interval graphs: Golumbic, Algorithmic Graph Theory and Perfect Graphs, 1980, chapter 8).
    """
    ends = ends_of(problem, plan)
    pools = [_Place(Counter(pool.units)) for pool in problem.pools]
    of_unit = {unit: i for i, pool in enumerate(problem.pools) for unit in pool.units}
    for work in problem.running:
        if work.unit in of_unit:
            pools[of_unit[work.unit]].hold(work.unit, work.end)
    found = [""] * len(problem.ops)
    did: dict[int, list[str]] = {}
    """By job: who has worked on it."""
    todo = [i for i in range(len(problem.ops)) if plan.mode[i] != NOBODY and _pool(problem, plan, i) >= 0]
    for i in sorted(todo, key=lambda i: (int(plan.start[i]), not problem.ops[i].held_unit, i)):
        op, place = problem.ops[i], pools[_pool(problem, plan, i)]
        place.until(int(plan.start[i]))
        unit = _chosen(place, [op.held_unit, *reversed(did.get(op.job, []))], int(plan.start[i]))
        place.hold(unit, int(ends[i]), int(plan.start[i]))
        did.setdefault(op.job, []).append(unit)
        found[i] = unit
    return found


def _chosen(place: _Place, wanted: list[str], t: int) -> str:
    """A unit with a free place."""
    for unit in wanted:
        if place.free[unit] > 0:
            return unit
    free = [unit for unit, n in place.free.items() if n > 0]
    if not free:
        raise RuntimeError(f"no unit is free at point {t}: the plan has more at once than there are places")
    return min(free, key=lambda unit: place.load[unit])


def _pool(problem: Problem, plan: Plan, i: int) -> int:
    return problem.ops[i].modes[int(plan.mode[i])].pool

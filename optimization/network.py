"""The problem as the step form sees it: operations that never wait are folded into delays, and the points at
which each of the others can begin with anything to gain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from optimization.problem import NOBODY, Floats, Ints, Mode, Operation, Problem


@dataclass(frozen=True, slots=True, eq=False)
class Arc:
    """What waits for an operation."""

    pred: int
    begin: Ints
    """[point 0..never at which it is over] the first point at which what waits may begin; ascending."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """What is left once operations that never wait are folded."""

    folded: tuple[bool, ...]
    """[operation] it begins as soon as it may: no decision is left."""
    ready: tuple[int, ...]
    """[operation]"""
    arcs: tuple[tuple[Arc, ...], ...]
    """[operation] from operations that aren't folded."""
    finish: tuple[tuple[Arc, ...], ...]
    """[job] to its delivery."""
    floor: tuple[int, ...]
    """[job]"""
    begins: tuple[tuple[Ints, ...], ...]
    """[operation][mode] points at which it can begin and something can still be gained; none if folded."""


def network(problem: Problem, free: Iterable[int] = ()) -> Network:
    """With the capacity of the pools `free` left out, which makes the problem easier, never harder."""
    loose = set(free) | set(ample(problem))
    priced = {p for p, pool in enumerate(problem.pools) if pool.price and _prices(problem)}
    folded = tuple(
        op.held is None
        and len(op.modes) == 1
        and (op.modes[0].pool == NOBODY or op.modes[0].pool in loose - priced)
        for op in problem.ops
    )
    ready, arcs, finish, floor = _folded(problem, folded)
    earliest = _earliest(problem, folded, ready, arcs)
    latest = _latest(problem, folded, arcs, finish, floor)
    begins = tuple(
        ()
        if folded[i]
        else tuple(_begins(problem, op, m, earliest[i], latest[i]) for m in range(len(op.modes)))
        for i, op in enumerate(problem.ops)
    )
    return Network(folded, tuple(ready), tuple(arcs), tuple(finish), tuple(floor), begins)


def ample(problem: Problem) -> list[int]:
    """Pools that have room for all that could ever come to them."""
    wanted = np.zeros(len(problem.pools), np.int64)
    for op in problem.ops:
        for pool in {mode.pool for mode in op.modes} - {NOBODY}:
            wanted[pool] += 1
    return [p for p, pool in enumerate(problem.pools) if wanted[p] <= int(pool.capacity.min(initial=0))]


def light(problem: Problem, share: float) -> list[int]:
    """Pools with less work for their units than `share` of what the busiest one has, and to which all that
    comes has no choice: leaving them out folds it."""
    work = np.zeros(len(problem.pools))
    chosen = {mode.pool for op in problem.ops if len(op.modes) > 1 for mode in op.modes}
    for op in problem.ops:
        periods = [_shortest(mode) for mode in op.modes]
        for mode, length in zip(op.modes, periods, strict=True):
            if mode.pool != NOBODY:
                work[mode.pool] += length / len(op.modes)
    load = work / np.array([max(float(pool.capacity.mean()), 0.5) for pool in problem.pools])
    least = share * load.max(initial=0.0)
    return [p for p in range(len(problem.pools)) if load[p] < least and p not in chosen]


def _shortest(mode: Mode) -> int:
    can = mode.ends < len(mode.ends)
    return int((mode.ends - np.arange(len(mode.ends)))[can].min()) if can.any() else 0


def _prices(problem: Problem) -> bool:
    return any(level.prices for level in problem.levels)


def end_if_ready(mode: Mode, never: int) -> Ints:
    """[point 0..never] when it is over if it may begin from that point on and doesn't wait."""
    ends = np.append(mode.ends, never)
    return np.minimum.accumulate(ends[::-1])[::-1]


def _folded(
    problem: Problem, folded: Sequence[bool]
) -> tuple[list[int], list[tuple[Arc, ...]], list[tuple[Arc, ...]], list[int]]:
    """Maps from ends to begins are ascending: a delay after the last of several is the last of the delays."""
    never = problem.grid.never
    same = np.arange(never + 1)
    ready: list[int] = []
    arcs: list[tuple[Arc, ...]] = []
    through: list[Ints] = []
    for i, op in enumerate(problem.ops):
        waits: dict[int, Ints] = {}
        since = op.ready
        lag = same if op.lag is None else op.lag
        for p in op.preds:
            if folded[p]:
                since = max(since, int(lag[through[p][ready[p]]]))
                found = [(arc.pred, lag[through[p][np.maximum(arc.begin, ready[p])]]) for arc in arcs[p]]
            else:
                found = [(p, lag)]
            for pred, begin in found:
                waits[pred] = np.maximum(waits[pred], begin) if pred in waits else begin
        ready.append(since)
        arcs.append(tuple(Arc(pred, begin) for pred, begin in waits.items()))
        through.append(end_if_ready(op.modes[0], never) if folded[i] else same)
    finish, floor = [], []
    for job in problem.jobs:
        waits, since = {}, job.floor
        for k in job.sinks:
            if folded[k]:
                since = max(since, int(through[k][ready[k]]))
                found = [(arc.pred, through[k][np.maximum(arc.begin, ready[k])]) for arc in arcs[k]]
            else:
                found = [(k, same)]
            for pred, begin in found:
                waits[pred] = np.maximum(waits[pred], begin) if pred in waits else begin
        finish.append(tuple(Arc(pred, begin) for pred, begin in waits.items()))
        floor.append(min(since, never))
    return ready, arcs, finish, floor


def _earliest(
    problem: Problem, folded: Sequence[bool], ready: Sequence[int], arcs: Sequence[tuple[Arc, ...]]
) -> list[int]:
    """[operation] the first point at which it could begin if no other job were there."""
    never = problem.grid.never
    begin: list[int] = []
    over: list[int] = []
    for i, op in enumerate(problem.ops):
        at = min(max([ready[i], *(int(arc.begin[over[arc.pred]]) for arc in arcs[i])]), never)
        begin.append(at)
        over.append(min(int(end_if_ready(mode, never)[at]) for mode in op.modes))
    return begin


def gains(problem: Problem) -> Floats:
    """[job, point 0..never] how much delivery then is worth more than none, on the level where most."""
    return np.asarray(
        np.max([level.worth - level.worth[:, -1:] for level in problem.levels], axis=0), np.float64
    )


def _latest(
    problem: Problem,
    folded: Sequence[bool],
    arcs: Sequence[tuple[Arc, ...]],
    finish: Sequence[tuple[Arc, ...]],
    floor: Sequence[int],
) -> list[int]:
    """[operation] the last point at which it may be over for its job to gain anything; -1: it can't."""
    never = problem.grid.never
    gain = gains(problem)
    latest = [never] * len(problem.ops)
    for j, job in enumerate(problem.jobs):
        good = np.flatnonzero(gain[j, :never] > 1e-9)
        last = int(good[-1]) if len(good) else -1
        if floor[j] > last:
            last = -1
        for i in job.ops:
            latest[i] = -1 if last < 0 else never
        for arc in finish[j]:
            latest[arc.pred] = min(latest[arc.pred], _last(arc.begin, last))
        for i in reversed(job.ops):
            if folded[i]:
                continue
            starts = [_last(np.append(mode.ends, never), latest[i]) for mode in problem.ops[i].modes]
            for arc in arcs[i]:
                latest[arc.pred] = min(latest[arc.pred], _last(arc.begin, max(starts)))
    return [min(x, never - 1) for x in latest]


def _last(ascending: Ints, limit: int) -> int:
    """The last index whose value is at most the limit; -1 without one. Values of `never` may lie between."""
    good = np.flatnonzero(ascending <= limit)
    return int(good[-1]) if len(good) else -1


def _begins(problem: Problem, op: Operation, m: int, earliest: int, latest: int) -> Ints:
    """Held work may always go on where interruptions count."""
    ends = op.modes[m].ends
    can = (ends <= latest) & (np.arange(len(ends)) >= earliest)
    counts = problem.most_preempted is not None or any(level.per_preemption for level in problem.levels)
    if op.held == m and counts and ends[0] < problem.grid.never:
        can[0] = True
    return np.flatnonzero(can)


def soonest(problem: Problem) -> Ints:
    """[job] the first point at which it could be delivered if it were alone."""
    never = problem.grid.never
    over = np.full(len(problem.ops), never, np.int64)
    for i, op in enumerate(problem.ops):
        after = max([0, *(int(over[p]) for p in op.preds)])
        at = min(max(op.ready, after if op.lag is None or not op.preds else int(op.lag[after])), never)
        over[i] = min(int(end_if_ready(mode, never)[at]) for mode in op.modes)
    found = [min(max([job.floor, *(int(over[k]) for k in job.sinks)]), never) for job in problem.jobs]
    return np.array(found, np.int64)

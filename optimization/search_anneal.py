"""Compiled: plans changed a little again and again, and kept by simulated annealing (Kirkpatrick, Gelatt and
Vecchi, Science 220, 1983)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimization.compiled import compiled, inlined
from optimization.problem import Floats, Ints
from optimization.search_place import (
    NONE,
    Packed,
    Placed,
    Wanted,
    appraise,
    drop,
    generate,
    insert,
    insert_lost,
    shift_right,
    sort_by,
)

MAKE, SHIFT, BEGIN, ANNEAL = range(4)
"""Make the plan of `wanted`; shift it late and place what is lost; begin a search with it; search."""


class Search(NamedTuple):
    """Where a search is; written to in place."""

    wanted: Wanted
    """What the current plan was made after."""
    tried: Wanted
    now: Placed
    trial: Placed
    best: Placed
    order: Ints
    own: Floats
    head: Floats
    """[operation] when it can begin if its order is alone."""
    held: Ints
    """Operations that are under way."""
    choices: Ints
    """Operations with several modes."""
    priced: Ints
    """Pools with a price."""
    jobs: Ints
    """Orders that have operations; those that can gain most first."""
    state: NDArray[np.uint64]
    """[1] of the random numbers."""


@inlined
def draw(state: NDArray[np.uint64]) -> float:
    """A number from 0 to below 1 (splitmix64: Steele, Lea and Flood, OOPSLA 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inlined
def pick(state: NDArray[np.uint64], n: int) -> int:
    """One of 0 to n - 1."""
    return min(int(draw(state) * n), n - 1)


@inlined
def copy_plan(source: Placed, to: Placed) -> None:
    to.free[:] = source.free
    to.start[:] = source.start
    to.mode[:] = source.mode
    to.end[:] = source.end
    to.out[:] = source.out
    to.values[:] = source.values


@inlined
def copy_wanted(source: Wanted, to: Wanted) -> None:
    to.keys[:] = source.keys
    to.prefer[:] = source.prefer
    to.keep[:] = source.keep
    to.use[:] = source.use
    to.closed[:] = source.closed


@inlined
def better(one: Floats, other: Floats) -> bool:
    """Whether values come first, the first level deciding first."""
    for level in range(len(one)):
        slack = 1e-9 * max(1.0, abs(other[level])) if np.isfinite(other[level]) else 0.0
        if one[level] > other[level] + slack:
            return True
        if one[level] < other[level] - slack:
            return False
    return False


@inlined
def accepted(s: Search, temperature: float) -> bool:
    """Whether the trial becomes the current plan."""
    if not better(s.now.values, s.trial.values):
        return True
    loss = s.now.values[0] - s.trial.values[0]
    if loss <= 1e-9 * max(1.0, abs(s.now.values[0])):
        return draw(s.state) < 0.1
    return bool(draw(s.state) < np.exp(-loss / temperature))


@inlined
def some_job(s: Search, out: int) -> int:
    """An order that is in the current plan, or left out of it; NONE if a few draws find none."""
    for _ in range(8):
        job = int(s.jobs[pick(s.state, len(s.jobs))])
        if s.now.out[job] == out:
            return job
    return NONE


@inlined
def move_job(p: Packed, s: Search, job: int, by: float) -> None:
    """All operations of an order earlier or later."""
    for op in range(p.op_at[job], p.op_at[job + 1]):
        s.tried.keys[op] += by


@inlined
def enter(p: Packed, s: Search, job: int) -> None:
    """Let an order in, as if it were alone, some time after its release."""
    first, stop = p.op_at[job], p.op_at[job + 1]
    slack = 0.0
    for op in range(first, stop):
        slack = max(slack, p.late[op] - s.head[op])
    by = slack * draw(s.state) ** 2 - 0.5
    for op in range(first, stop):
        s.tried.keys[op] = s.head[op] + by
    s.tried.use[job] = 1


@inlined
def exchange(p: Packed, s: Search, one: int, other: int) -> None:
    """Two orders change places: each takes the times of the other, operation by operation."""
    n = min(p.op_at[one + 1] - p.op_at[one], p.op_at[other + 1] - p.op_at[other])
    a, b = p.op_at[one], p.op_at[other]
    shift = s.tried.keys[b] - s.tried.keys[a]
    if p.op_at[one + 1] - a == p.op_at[other + 1] - b:
        for k in range(n):
            s.tried.keys[a + k], s.tried.keys[b + k] = s.tried.keys[b + k], s.tried.keys[a + k]
    else:
        move_job(p, s, one, shift)
        move_job(p, s, other, -shift)


@inlined
def near(s: Search, p: Packed, job: int) -> int:
    """Another order in the plan, by preference one that begins at about the same time."""
    found, least = NONE, 1e18
    for _ in range(3):
        other = int(s.jobs[pick(s.state, len(s.jobs))])
        gap = abs(s.wanted.keys[p.op_at[other]] - s.wanted.keys[p.op_at[job]])
        if other != job and s.now.out[other] == 0 and gap < least:
            found, least = other, gap
    return found


@inlined
def switch(p: Packed, s: Search) -> bool:
    """Interrupt what is under way or not, buy hours or not, choose a mode; whether that was all."""
    if len(s.held) > 0 and draw(s.state) < 0.15:
        op = s.held[pick(s.state, len(s.held))]
        s.tried.keep[op] = 1 - s.tried.keep[op]
        s.tried.use[p.job[op]] = 1
        lost = some_job(s, 1)
        if s.tried.keep[op] == 0:
            move_job(p, s, p.job[op], 0.1 * p.never * draw(s.state))
        if lost >= 0 and draw(s.state) < 0.5:
            enter(p, s, lost)
        return True
    if len(s.priced) > 0 and draw(s.state) < 0.05:
        pool = s.priced[pick(s.state, len(s.priced))]
        s.tried.closed[pool] = 1 - s.tried.closed[pool]
        return True
    if len(s.choices) > 0 and draw(s.state) < 0.1:
        op = s.choices[pick(s.state, len(s.choices))]
        chosen = p.mode_at[op] + pick(s.state, p.mode_at[op + 1] - p.mode_at[op])
        s.tried.prefer[op] = NONE if s.tried.prefer[op] == chosen else chosen
        return draw(s.state) < 0.5
    return False


@inlined
def let_in(p: Packed, s: Search, lost: int, dice: float) -> None:
    """Let an order in that was left out, for two out of three in place of another one."""
    gone = some_job(s, 0) if dice < 0.2 else NONE
    enter(p, s, lost)
    if gone >= 0:
        s.tried.use[gone] = 0
        if draw(s.state) < 0.5:
            exchange(p, s, lost, gone)


@inlined
def change(p: Packed, s: Search) -> bool:
    """Change priorities a little; whether anything was changed."""
    copy_wanted(s.wanted, s.tried)
    if switch(p, s):
        return True
    dice, lost, job = draw(s.state), some_job(s, 1), some_job(s, 0)
    if lost >= 0 and (dice < 0.3 or job < 0):
        let_in(p, s, lost, dice)
        return True
    if job < 0:
        return False
    other = near(s, p, job) if dice < 0.55 else NONE
    if other >= 0:
        exchange(p, s, job, other)
        return True
    by = (1.0 + 0.25 * p.never * draw(s.state) ** 3) * (2.0 * draw(s.state) - 1.0)
    if dice < 0.8:
        move_job(p, s, job, by)
        return True
    first = p.op_at[job] + pick(s.state, p.op_at[job + 1] - p.op_at[job])
    stop = p.op_at[job + 1] if dice < 0.9 else first + 1
    for op in range(first, stop):
        s.tried.keys[op] += by
    return True


@inlined
def choose_modes(p: Packed, s: Search, job: int) -> None:
    """Now and then another mode for an order's operations, or none in particular."""
    for op in range(p.op_at[job], p.op_at[job + 1]):
        n = p.mode_at[op + 1] - p.mode_at[op]
        if n > 1:
            dice = draw(s.state)
            if dice < 0.1:
                s.tried.prefer[op] = p.mode_at[op] + pick(s.state, n)
            elif dice < 0.3:
                s.tried.prefer[op] = NONE


@inlined
def close_up(p: Packed, s: Search) -> None:
    """Make the plan anew in the order of its starts, so that gaps close."""
    for op in range(len(p.job)):
        if s.trial.mode[op] >= 0:
            s.tried.keys[op] = s.trial.start[op]
    for job in range(len(p.floor)):
        s.tried.use[job] = 1 - s.trial.out[job]
    sort_by(p, s.tried.keys, s.order, s.own)
    generate(p, s.trial, s.tried, s.order)


@inlined
def repair(p: Packed, s: Search) -> bool:
    """Take a few orders out of the plan and place them anew, in another order, among the others."""
    copy_plan(s.now, s.trial)
    copy_wanted(s.wanted, s.tried)
    n = 2 + int(10.0 * draw(s.state) ** 3)
    chosen = np.empty(n + 2, np.int64)
    count = 0
    first = some_job(s, 0)
    if len(s.held) > 0 and draw(s.state) < 0.15:
        op = s.held[pick(s.state, len(s.held))]
        s.tried.keep[op] = 0
        first = int(p.job[op])
    if first < 0:
        return False
    chosen[0] = first
    count = 1
    for _ in range(n - 1):
        other = near(s, p, first)
        if other >= 0 and s.trial.out[other] == 0:
            drop(p, s.trial, s.tried, other)
            chosen[count] = other
            count += 1
    drop(p, s.trial, s.tried, first)
    s.tried.use[first] = 1
    for _ in range(2):
        lost = some_job(s, 1)
        if lost >= 0 and lost != first and s.tried.use[lost] == 0:
            s.tried.use[lost] = 1
            chosen[count] = lost
            count += 1
    for k in range(count - 1, 0, -1):
        other = pick(s.state, k + 1)
        chosen[k], chosen[other] = chosen[other], chosen[k]
    for k in range(count):
        choose_modes(p, s, chosen[k])
        insert(p, s.trial, s.tried, chosen[k])
    if draw(s.state) < 0.1:
        close_up(p, s)
    else:
        appraise(p, s.trial)
    return True


@inlined
def settle(p: Packed, s: Search) -> None:
    """The trial becomes the current plan, and its starts the keys."""
    copy_plan(s.trial, s.now)
    copy_wanted(s.tried, s.wanted)
    for op in range(len(p.job)):
        if s.now.mode[op] >= 0:
            s.wanted.keys[op] = s.now.start[op]
        if p.held[op] >= 0:
            goes_on = s.now.start[op] == 0 and s.now.mode[op] == p.held[op]
            s.wanted.keep[op] = 1 if goes_on else 0
    for job in range(len(p.floor)):
        s.wanted.use[job] = 1 - s.now.out[job]


@inlined
def anneal(p: Packed, s: Search, n: int, hot: float, cold: float, mending: float) -> int:
    """So many trials, while the temperature falls; `mending` is the share of repairs. How many were taken."""
    taken = 0
    for trial in range(n):
        temperature = hot * (cold / hot) ** (trial / n)
        if draw(s.state) < mending:
            if not repair(p, s):
                continue
        else:
            if not change(p, s):
                continue
            sort_by(p, s.tried.keys, s.order, s.own)
            generate(p, s.trial, s.tried, s.order)
        if accepted(s, temperature):
            taken += 1
            settle(p, s)
            if better(s.now.values, s.best.values):
                copy_plan(s.now, s.best)
    return taken


@inlined
def start_from(p: Packed, s: Search) -> None:
    """Make the plan of `wanted` the current one, and the best if it is."""
    copy_wanted(s.wanted, s.tried)
    sort_by(p, s.tried.keys, s.order, s.own)
    generate(p, s.trial, s.tried, s.order)
    settle(p, s)
    if better(s.now.values, s.best.values):
        copy_plan(s.now, s.best)


@compiled
def act(p: Packed, s: Search, command: int, n: int, hot: float, cold: float, mending: float) -> int:
    """The one way in, so that all is compiled together, once."""
    if command == MAKE:
        sort_by(p, s.wanted.keys, s.order, s.own)
        generate(p, s.now, s.wanted, s.order)
    elif command == SHIFT:
        shift_right(p, s.now, s.own)
        insert_lost(p, s.now, s.wanted, s.jobs)
    elif command == BEGIN:
        start_from(p, s)
    elif command == ANNEAL:
        return anneal(p, s, n, hot, cold, mending)
    return 0

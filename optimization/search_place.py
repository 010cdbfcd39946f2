"""Compiled: operations placed one by one, each as early as it can be (serial schedule generation: Kolisch and
Hartmann, in Project Scheduling, 1999, chapter 7)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optimization.compiled import inlined
from optimization.problem import Floats, Ints

NONE = -1


class Packed(NamedTuple):
    """A Problem as arrays. Modes of all operations are numbered through."""

    never: int
    job: Ints
    """[operation]"""
    pred_at: Ints
    """[operation + 1] where its predecessors begin in `preds`."""
    preds: Ints
    succ_at: Ints
    succs: Ints
    ready: Ints
    lag: Ints
    """[operation] row of `lags`, or NONE."""
    lags: Ints
    """[row, point 0..never]"""
    mode_at: Ints
    """[operation + 1] where its modes begin."""
    pool: Ints
    """[mode], or NONE."""
    row: Ints
    """[mode] row of `ends`."""
    ends: Ints
    """[row, point 0..periods]"""
    begin: Ints
    """[row, point 0..never] the first point from there on at which it can begin."""
    held: Ints
    """[operation] the mode in which it is under way, or NONE."""
    late: Ints
    """[operation] if it is over later, its order can't gain anything."""
    op_at: Ints
    """[job + 1] where its operations begin."""
    floor: Ints
    """[job]"""
    capacity: Ints
    """[pool, period]"""
    worth: Floats
    """[level, job, point 0..never]"""
    per_preemption: Floats
    """[level]"""
    charged: Floats
    """[level, pool] what having its units costs."""
    most: int
    """How many operations that are under way may be interrupted."""


class Placed(NamedTuple):
    """A plan on the way; written to in place."""

    free: Ints
    """[pool, period] places left."""
    start: Ints
    """[operation], or NONE."""
    mode: Ints
    """[operation] number of the mode, or NONE."""
    end: Ints
    """[operation], or never."""
    out: Ints
    """[job] 1: it is left out."""
    values: Floats
    """[level]"""


class Wanted(NamedTuple):
    """What a plan is made after."""

    keys: Floats
    """[operation] those with low keys are placed first, each after its predecessors."""
    prefer: Ints
    """[operation] the mode it must take; NONE: the one in which it is over first."""
    keep: Ints
    """[operation] 1: work that is under way goes on, before anything else is placed."""
    use: Ints
    """[job] 0: it is left out."""
    closed: Ints
    """[pool] 1: it isn't bought."""


@inlined
def earliest(p: Packed, free: Ints, mode: int, t: int, limit: int) -> int:
    """The first point from `t` on at which the mode finds a place and is over before `limit`; or never."""
    row, pool = p.row[mode], p.pool[mode]
    t = p.begin[row, t]
    while t < p.never:
        end = p.ends[row, t]
        if end >= limit:
            return p.never
        if pool < 0:
            return t
        q = end - 1
        while q >= t and free[pool, q] > 0:
            q -= 1
        if q < t:
            return t
        t = p.begin[row, q + 1]
    return p.never


@inlined
def take(p: Packed, d: Placed, op: int, mode: int, start: int) -> None:
    """Put the operation there."""
    end = p.ends[p.row[mode], start]
    pool = p.pool[mode]
    d.start[op], d.mode[op], d.end[op] = start, mode, end
    if pool >= 0:
        for q in range(start, end):
            d.free[pool, q] -= 1


@inlined
def give_back(p: Packed, d: Placed, op: int) -> None:
    """Take the operation out."""
    mode = d.mode[op]
    if mode < 0:
        return
    pool = p.pool[mode]
    if pool >= 0:
        for q in range(d.start[op], d.end[op]):
            d.free[pool, q] += 1
    d.start[op], d.mode[op], d.end[op] = NONE, NONE, p.never


@inlined
def possible(p: Packed, d: Placed, op: int) -> int:
    """When the operation can begin for all its predecessors; never if one isn't placed."""
    t = 0
    for i in range(p.pred_at[op], p.pred_at[op + 1]):
        t = max(t, d.end[p.preds[i]])
    if t >= p.never:
        return p.never
    if p.lag[op] >= 0 and p.pred_at[op] < p.pred_at[op + 1]:
        t = p.lags[p.lag[op], t]
    return max(t, int(p.ready[op]))


@inlined
def place(p: Packed, d: Placed, w: Wanted, op: int) -> bool:
    """Put the operation where it is over first; False if its order can't gain anything then."""
    t = possible(p, d, op)
    if t >= p.never:
        return False
    limit, best, at = p.late[op] + 1, NONE, 0
    first, stop = p.mode_at[op], p.mode_at[op + 1]
    if w.prefer[op] >= 0:
        first, stop = w.prefer[op], w.prefer[op] + 1
    for mode in range(first, stop):
        if p.pool[mode] >= 0 and w.closed[p.pool[mode]] > 0:
            continue
        start = earliest(p, d.free, mode, t, limit)
        if start < p.never:
            best, at, limit = mode, start, p.ends[p.row[mode], start]
    if best < 0:
        return False
    take(p, d, op, best, at)
    return True


@inlined
def drop(p: Packed, d: Placed, w: Wanted, job: int) -> None:
    """Leave the order out; what goes on anyway stays."""
    d.out[job] = 1
    for op in range(p.op_at[job], p.op_at[job + 1]):
        if w.keep[op] == 0 or d.start[op] != 0 or d.mode[op] != p.held[op]:
            give_back(p, d, op)


@inlined
def insert(p: Packed, d: Placed, w: Wanted, job: int) -> bool:
    """Place all that is missing of an order; if it can't gain, it is left out again."""
    d.out[job] = 0
    for op in range(p.op_at[job], p.op_at[job + 1]):
        if d.mode[op] < 0 and not place(p, d, w, op):
            drop(p, d, w, job)
            return False
    return True


@inlined
def insert_lost(p: Packed, d: Placed, w: Wanted, jobs: Ints) -> None:
    """Place the orders that are left out though they needn't be, one after the other, as far as they gain."""
    for job in jobs:
        if d.out[job] > 0 and w.use[job] > 0:
            insert(p, d, w, job)


@inlined
def clear(p: Packed, d: Placed, w: Wanted) -> None:
    """An empty plan, in which only that goes on which is to be kept."""
    d.free[:] = p.capacity
    d.start[:] = NONE
    d.mode[:] = NONE
    d.end[:] = p.never
    for job in range(len(w.use)):
        d.out[job] = 1 - w.use[job]
    for op in range(len(p.job)):
        mode = p.held[op]
        if mode >= 0 and w.keep[op] > 0 and earliest(p, d.free, mode, 0, p.never) == 0:
            take(p, d, op, mode, 0)


@inlined
def fulfilled(p: Packed, d: Placed, job: int) -> int:
    """When the order can be delivered; never if an operation isn't placed."""
    t = int(p.floor[job])
    for op in range(p.op_at[job], p.op_at[job + 1]):
        t = max(t, d.end[op])
    return t


@inlined
def appraise(p: Packed, d: Placed) -> None:
    """Find the plan's values."""
    d.values[:] = 0.0
    interrupted = 0
    bought = np.zeros(p.capacity.shape[0], np.int64)
    for op in range(len(p.job)):
        if p.held[op] >= 0 and not (d.start[op] == 0 and d.mode[op] == p.held[op]):
            interrupted += 1
        if d.mode[op] >= 0 and p.pool[d.mode[op]] >= 0:
            bought[p.pool[d.mode[op]]] = 1
    done = np.empty(len(p.floor), np.int64)
    for job in range(len(p.floor)):
        done[job] = fulfilled(p, d, job)
    for level in range(len(d.values)):
        total = -p.per_preemption[level] * interrupted
        for job in range(len(done)):
            total += p.worth[level, job, done[job]]
        for pool in range(len(bought)):
            if bought[pool] > 0:
                total -= p.charged[level, pool]
        d.values[level] = total if interrupted <= p.most else -np.inf


@inlined
def sort_by(p: Packed, keys: Floats, order: Ints, own: Floats) -> None:
    """Sort operations by their keys, each after its predecessors; fast if they nearly are."""
    for op in range(len(keys)):
        key = keys[op]
        for i in range(p.pred_at[op], p.pred_at[op + 1]):
            key = max(key, own[p.preds[i]] + 1e-9)
        own[op] = key
    for i in range(1, len(order)):
        op = order[i]
        key, k = own[op], i - 1
        while k >= 0 and (own[order[k]] > key or (own[order[k]] == key and order[k] > op)):
            order[k + 1] = order[k]
            k -= 1
        order[k + 1] = op


@inlined
def generate(p: Packed, d: Placed, w: Wanted, order: Ints) -> None:
    """Place all operations in this order, which must have each one after its predecessors."""
    clear(p, d, w)
    for op in order:
        job = p.job[op]
        if d.out[job] == 0 and d.mode[op] < 0 and not place(p, d, w, op):
            drop(p, d, w, job)
    appraise(p, d)


@inlined
def _last(p: Packed, d: Placed, job: int) -> int:
    """The last point at which the order is worth what it is worth in the plan."""
    t = fulfilled(p, d, job)
    while t < p.never - 1:
        for level in range(len(d.values)):
            if p.worth[level, job, t + 1] != p.worth[level, job, t]:
                return t
        t += 1
    return t


@inlined
def _limit(p: Packed, d: Placed, op: int, last: int) -> int:
    """By when the operation must be over for what comes after it."""
    found = last
    for i in range(p.succ_at[op], p.succ_at[op + 1]):
        after = p.succs[i]
        if d.mode[after] < 0:
            continue
        t = d.start[after]
        if p.lag[after] >= 0:
            q = t
            while q >= 0 and p.lags[p.lag[after], q] > t:
                q -= 1
            t = q
        found = min(found, t)
    return found


@inlined
def shift_right(p: Packed, d: Placed, own: Floats) -> None:
    """Put every operation as late as it can be while no order gets worse (justification: Valls, Ballestin
    and Quintanilla, European Journal of Operational Research 165, 2005)."""
    last = np.empty(len(p.floor), np.int64)
    for job in range(len(last)):
        last[job] = _last(p, d, job)
    for op in range(len(own)):
        own[op] = d.end[op]
    by_end = np.argsort(own)
    for k in range(len(by_end) - 1, -1, -1):
        op = by_end[k]
        mode = d.mode[op]
        if mode < 0 or (p.held[op] >= 0 and d.start[op] == 0):
            continue
        limit, now = _limit(p, d, op, last[p.job[op]]), d.start[op]
        give_back(p, d, op)
        row, pool, found = p.row[mode], p.pool[mode], now
        for t in range(min(limit, p.never - 1), now, -1):
            end = p.ends[row, t]
            if end <= limit:
                q = end - 1
                while pool >= 0 and q >= t and d.free[pool, q] > 0:
                    q -= 1
                if pool < 0 or q < t:
                    found = t
                    break
        take(p, d, op, mode, found)

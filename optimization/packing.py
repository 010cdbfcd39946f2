"""A Problem as arrays for the compiled search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimization.problem import NOBODY, Floats, Ints, Operation, Plan, Problem

if TYPE_CHECKING:
    from optimization.search_anneal import Search
    from optimization.search_place import Packed, Placed, Wanted


def packed(problem: Problem, levels: int | None = None) -> Packed:
    """The arrays of a problem, with its first `levels` levels (None: all); only what is gained on these
    counts as a gain."""
    from optimization.search_place import Packed

    ops, never = problem.ops, problem.grid.never
    chosen = problem.levels[:levels]
    worth = np.array([level.worth for level in chosen]).reshape(len(chosen), len(problem.jobs), never + 1)
    rows: dict[bytes, int] = {}
    tables: list[Ints] = []
    modes = [mode for op in ops for mode in op.modes]
    mode_at = _at([len(op.modes) for op in ops])
    lags = _table([op.lag for op in ops if op.lag is not None], never + 1)
    after = _followers(ops)
    row = np.array([_row(mode.ends, rows, tables) for mode in modes], np.int64)
    prices = np.array([pool.price for pool in problem.pools], np.float64)
    ends = _table(tables, never)
    return Packed(
        never=never,
        job=np.array([op.job for op in ops], np.int64),
        pred_at=_at([len(op.preds) for op in ops]),
        preds=np.array([pred for op in ops for pred in op.preds], np.int64),
        succ_at=_at([len(found) for found in after]),
        succs=np.array([i for found in after for i in found], np.int64),
        ready=np.array([min(op.ready, never) for op in ops], np.int64),
        lag=_numbered([op.lag is not None for op in ops]),
        lags=lags,
        mode_at=mode_at,
        pool=np.array([mode.pool for mode in modes], np.int64),
        row=row,
        ends=ends,
        begin=_begins(ends, never),
        held=np.array(
            [NOBODY if op.held is None else at + op.held for op, at in zip(ops, mode_at, strict=False)],
            np.int64,
        ),
        late=_late(problem, worth, after),
        op_at=np.array([*(job.ops.start for job in problem.jobs), len(ops)], np.int64),
        floor=np.array([min(job.floor, never) for job in problem.jobs], np.int64),
        capacity=_table([pool.capacity for pool in problem.pools], problem.grid.periods),
        worth=worth,
        per_preemption=np.array([level.per_preemption for level in chosen], np.float64),
        charged=np.array([prices * level.prices for level in chosen]).reshape(len(chosen), len(prices)),
        most=len(ops) if problem.most_preempted is None else problem.most_preempted,
    )


def empty(p: Packed) -> Placed:
    """A plan in which nothing is placed yet."""
    from optimization.search_place import Placed

    n = len(p.job)
    return Placed(
        free=p.capacity.copy(),
        start=np.full(n, NOBODY, np.int64),
        mode=np.full(n, NOBODY, np.int64),
        end=np.full(n, p.never, np.int64),
        out=np.zeros(len(p.floor), np.int64),
        values=np.zeros(len(p.per_preemption)),
    )


def wanted(p: Packed) -> Wanted:
    """Priorities that say nothing: all work under way goes on, nothing is left out."""
    from optimization.search_place import Wanted

    n = len(p.job)
    return Wanted(
        keys=np.zeros(n),
        prefer=np.full(n, NOBODY, np.int64),
        keep=np.ones(n, np.int64),
        use=np.ones(len(p.floor), np.int64),
        closed=np.zeros(len(p.capacity), np.int64),
    )


def search(problem: Problem, p: Packed) -> Search:
    """A search that hasn't begun."""
    from optimization.search_anneal import Search

    best = empty(p)
    best.values[:] = -np.inf
    gains = np.sum(p.worth[:1, :, 0] - p.worth[:1, :, -1], axis=0)
    jobs = np.flatnonzero(np.diff(p.op_at) > 0)
    return Search(
        wanted=wanted(p),
        tried=wanted(p),
        now=empty(p),
        trial=empty(p),
        best=best,
        order=np.arange(len(p.job)),
        own=np.zeros(len(p.job)),
        head=heads(problem),
        held=np.flatnonzero(p.held >= 0),
        choices=np.flatnonzero(np.diff(p.mode_at) > 1),
        priced=np.flatnonzero((p.charged > 0).any(axis=0)),
        jobs=jobs[np.argsort(-gains[jobs], kind="stable")],
        state=np.zeros(1, np.uint64),
    )


def unpacked(p: Packed, start: Ints, mode: Ints) -> Plan:
    """The plan of these starts and numbers of modes."""
    return Plan(start.copy(), np.where(mode >= 0, mode - p.mode_at[:-1], NOBODY))


def heads(problem: Problem) -> Floats:
    """[operation] when it can begin if nothing else is done; `never` if it can't."""
    never = problem.grid.never
    begins = np.full(len(problem.ops), float(never))
    ends = np.full(len(problem.ops), never, np.int64)
    for i, op in enumerate(problem.ops):
        t = max((int(ends[pred]) for pred in op.preds), default=0)
        if op.lag is not None and op.preds:
            t = int(op.lag[t])
        t = max(t, op.ready)
        for mode in op.modes:
            can = np.flatnonzero(mode.ends[t:] < never) + t
            if len(can) and mode.ends[can[0]] < ends[i]:
                begins[i], ends[i] = can[0], mode.ends[can[0]]
    return begins


def _at(lengths: list[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _numbered(has: list[bool]) -> Ints:
    found = np.array(has, np.bool_)
    return np.where(found, np.cumsum(found) - 1, NOBODY).astype(np.int64)


def _table(rows: list[Ints], width: int) -> Ints:
    return np.array(rows, np.int64).reshape(len(rows), width)


def _row(ends: Ints, rows: dict[bytes, int], tables: list[Ints]) -> int:
    """The number of a table of ends; those that are alike have one."""
    key = ends.tobytes()
    if key not in rows:
        rows[key] = len(tables)
        tables.append(ends)
    return rows[key]


def _begins(ends: Ints, never: int) -> Ints:
    """[row, point 0..never] the first point from there on at which something can begin."""
    found = np.full((len(ends), never + 1), never, np.int64)
    for t in range(never - 1, -1, -1):
        found[:, t] = np.where(ends[:, t] < never, t, found[:, t + 1])
    return found


def _followers(ops: tuple[Operation, ...]) -> list[list[int]]:
    after: list[list[int]] = [[] for _ in ops]
    for i, op in enumerate(ops):
        for pred in op.preds:
            after[pred].append(i)
    return after


def _late(problem: Problem, worth: Floats, after: list[list[int]]) -> Ints:
    """[operation] the last point at which it may be over if its order is still to gain anything; -1: none."""
    late = np.full(len(problem.ops), problem.grid.periods, np.int64)
    for j, job in enumerate(problem.jobs):
        gains = np.flatnonzero((worth[:, j, :-1] > worth[:, j, -1:]).any(axis=0))
        last = int(gains[-1]) if len(gains) and gains[-1] >= job.floor else -1
        late[job.ops.start : job.ops.stop] = last
    begins = np.full(len(problem.ops), -1, np.int64)
    for i in range(len(problem.ops) - 1, -1, -1):
        op = problem.ops[i]
        for following in after[i]:
            limit = int(begins[following])
            lag = problem.ops[following].lag
            if lag is not None:
                limit = int(np.searchsorted(lag, limit, side="right")) - 1
            late[i] = min(late[i], limit)
        can = [np.flatnonzero(mode.ends <= late[i]) for mode in op.modes]
        begins[i] = max((int(found[-1]) for found in can if len(found)), default=-1)
    return late

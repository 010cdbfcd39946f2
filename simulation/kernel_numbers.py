"""Random numbers and tabulated laws, operation by operation as in streams.py and tables.py."""

from __future__ import annotations

from simulation.kernel_jit import Record, float_at, int_at, leaf, long_at, part
from simulation.kernel_layout import GUIDE
from simulation.kernel_records import law_of, node_of, recorded_of

_MASK = 0xFFFFFFFF
INFINITE = float("inf")


@leaf
def philox(k0: int, k1: int, c0: int, c1: int, c2: int, c3: int) -> int:
    """The first 52 bits of Philox4x32-10; products overflow 64 bits, which the masks undo."""
    for _ in range(10):
        p0 = 0xD2511F53 * c0
        p1 = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            ((p1 >> 32) & _MASK) ^ c1 ^ k0,
            p1 & _MASK,
            ((p0 >> 32) & _MASK) ^ c3 ^ k1,
            p0 & _MASK,
        )
        k0 = (k0 + 0x9E3779B9) & _MASK
        k1 = (k1 + 0xBB67AE85) & _MASK
    return c0 << 20 | c1 >> 12


@part
def uniform(w: Record, order: int, node: int, visit: int, purpose: int) -> float:
    """A number strictly between 0 and 1, in steps of 2^-52."""
    bits = philox(int(w.key0), int(w.key1), int(order) & _MASK, int(node), int(visit) & _MASK, int(purpose))
    u = (bits + 0.5) * 2.0**-52
    if w.mirrored != 0:
        u = 1.0 - u
    return u


@leaf
def material_of(w: Record, order: int, node: int) -> float:
    """When what an order's task needs is there; minus infinity if it waits for nothing."""
    if w.material == 0:
        return -INFINITE
    return float_at(w.material, order * w.n_tasks + node_of(w.nodes, node).task)


@part
def recorded(w: Record, order: int, node: int, visit: int) -> int:
    """The row of what is known beforehand of a visit; -1: nothing."""
    if w.recorded == 0:
        return -1
    first, stop = long_at(w.recorded_first, order), long_at(w.recorded_first, order + 1)
    lo, hi = first, stop
    while lo < hi:
        middle = (lo + hi) >> 1
        row = recorded_of(w.recorded, middle)
        if row.node < node or (row.node == node and row.visit < visit):
            lo = middle + 1
        else:
            hi = middle
    if lo < stop:
        row = recorded_of(w.recorded, lo)
        if row.node == node and row.visit == visit:
            return lo
    if first < stop and recorded_of(w.recorded, first).node < 0:
        return first
    return -1


@leaf
def right_of(at: int, first: int, n: int, x: float) -> int:
    """bisect_right among n ascending numbers from `first` on."""
    lo, hi = 0, n
    while lo < hi:
        middle = (lo + hi) >> 1
        if x < float_at(at, first + middle):
            hi = middle
        else:
            lo = middle + 1
    return lo


@leaf
def left_of(at: int, lo: int, hi: int, x: float) -> int:
    """bisect_left among the ascending numbers from `lo` up to before `hi`."""
    while lo < hi:
        middle = (lo + hi) >> 1
        if float_at(at, middle) < x:
            lo = middle + 1
        else:
            hi = middle
    return lo


@leaf
def law_number(w: Record, node: int, cls: int, segment: int, agent: int) -> int:
    """The law of the task's work for this order and agent (-1: anybody)."""
    n = node_of(w.nodes, node)
    return int_at(
        w.durations,
        n.law + cls * n.law_cls + segment * n.law_segment + (agent + 1) * n.law_agent,
    )


@leaf
def quantile(w: Record, number: int, u: float) -> float:
    """The value of the law at level u."""
    law = law_of(w.laws, number)
    guide = number * (GUIDE + 1) + int(u * GUIDE)
    lo, hi = int_at(w.guides, guide), int_at(w.guides, guide + 1)
    first = law.first
    while lo < hi:
        middle = (lo + hi) >> 1
        if u < float_at(w.us, first + middle):
            hi = middle
        else:
            lo = middle + 1
    i = first + lo - 1
    return float_at(w.xs, i) + (u - float_at(w.us, i)) * float_at(w.slopes, i)


@leaf
def draw(w: Record, number: int, order: int, node: int, visit: int, purpose: int) -> float:
    """A draw from the law; one with a single value needs no random number."""
    law = law_of(w.laws, number)
    if law.fixed != 0:
        return float_at(w.xs, law.first)
    return quantile(w, number, uniform(w, order, node, visit, purpose))


@part
def beyond(w: Record, number: int, done: float) -> float:
    """E[X | X > done] - done; 0 where the law ends before; the mean for done = 0."""
    law = law_of(w.laws, number)
    first = law.first
    if done <= 0.0:
        return float_at(w.tails, first)
    i = right_of(w.xs, first, law.n, done) - 1
    if i < 0:
        return float_at(w.tails, first) - done
    if i == law.n - 1:
        return 0.0
    i += first
    x0, x1 = float_at(w.xs, i), float_at(w.xs, i + 1)
    u0, u1 = float_at(w.us, i), float_at(w.us, i + 1)
    share = (done - x0) / (x1 - x0)
    u = u0 + (u1 - u0) * share
    if u >= 1.0:
        return 0.0
    above = float_at(w.tails, i + 1) + (u1 - u) * (done + x1) / 2.0
    left = above / (1.0 - u) - done
    return left if left > 0.0 else 0.0

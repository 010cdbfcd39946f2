"""Parallel branches told apart by time, where a log shows too few of the orders in which they interleave.

The inductive miner takes activities for parallel if each was seen directly behind the other. A delay makes
one branch come last in nearly every case; then some pairs are missing and it tears the branches apart, or
lets everything come in any order. Here what it left as one parallel or as any order is divided by the times
of executions: two activities are concurrent if they overlap in time or both come first in some cases; others
are tied, the more surely, the better the end of one tells when the other begins. Ties join activities to
branches, strongest first, and each branch is then mined by itself.

What tells best when work begins is what it waits for: if it begins some time after one event and that time
doesn't depend on the others, then its time after any other event is a sum of independent times, and a sum
has no less entropy than its parts (Cover & Thomas, Elements of Information Theory, 2006, section 2.6).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from discovery.free_order import TRULY_PARALLEL, Overlaps
from discovery.normal_form import EMPTY, children, choice, leaves, may_be_empty, numbered, parallel, rebuilt
from discovery.places import places
from discovery.precision import escaping_edges
from metagraph.blocks import Block, Choice, Leaf, Loop, Parallel

if TYPE_CHECKING:
    from discovery.miner import Variant
    from eventlogs.snapshot import Snapshot

Floats = NDArray[np.float64]
Groups = tuple[tuple[str, ...], ...]

MOST_CASES = 3000
"""Cases whose times are compared, evenly from the whole log."""
BOTH_WAYS, LEAST_CASES = 0.01, 3
"""Concurrent: of the cases with both, the rarer one comes first in at least this share, and so many cases."""
DISORDER = 0.05
"""Tied: the later one begins before the end of the other in at most this share."""
FEW_CASES = 5
AS_GOOD = 0.1
"""Entropies that differ by no more than this (nats) tell nothing; what ended last is then what is waited
for."""
SHIFTS = (1, 2, 5, 11, 23)
"""How far the cases are shifted against each other, to see what order there is without any cause."""
ORDER = 1e-7
"""What order alone counts beside entropies, which are asked first."""
LEAST_TIES = (0.01, 0.0)
"""Ties by entropy only, and all: the more precise division is taken."""
MOST_ACTIVITIES = 60
"""Blocks of more stay whole: every pair of activities is looked at, which takes a second for so many."""
MOST_PREFIXES = 2000
"""Beginnings of cases that a divided block and the undivided one are compared by."""
GRAIN_S = 1.0
"""Of stamps: times within it are spread evenly."""


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """When each case first did each activity, and when it was last done with it; NaN where it never did."""

    activities: tuple[str, ...]
    start_s: Floats
    """Shape (cases, activities)."""
    end_s: Floats
    """Of the first execution."""
    last_s: Floats
    """The end of the last one to end."""
    overlaps: Overlaps


def first_times(snapshot: Snapshot, overlaps: Overlaps) -> Times:
    """The executions of the closed cases, at most MOST_CASES of them."""
    closed = np.flatnonzero(~snapshot.is_open)
    if len(closed) > MOST_CASES:
        closed = closed[np.linspace(0, len(closed) - 1, MOST_CASES).astype(np.int64)]
    row_of = np.full(snapshot.n_cases, -1)
    row_of[closed] = np.arange(len(closed))
    case = row_of[snapshot.case_of_row()]
    rows = np.flatnonzero(case >= 0)
    # Of several executions the first to start: it is written last.
    rows = rows[np.argsort(-snapshot.start_s[rows], kind="stable")]
    start_s = np.full((len(closed), len(snapshot.activities)), np.nan)
    end_s = start_s.copy()
    start_s[case[rows], snapshot.activity[rows]] = snapshot.start_s[rows]
    end_s[case[rows], snapshot.activity[rows]] = snapshot.end_s[rows]
    last_s = np.full(start_s.shape, -np.inf)
    np.maximum.at(last_s, (case[rows], snapshot.activity[rows]), snapshot.end_s[rows])
    return Times(snapshot.activities, start_s, end_s, np.where(last_s > -np.inf, last_s, np.nan), overlaps)


Miner = Callable[[Sequence["Variant"]], Block]


def apart(block: Block, variants: Sequence[Variant], times: Times, mined: Miner) -> Block:
    """The structure with its parallels and any orders divided into branches that are `mined` one by one.

    Within loops nothing is divided: the times of different passes would be taken for one another. If the
    block allows every variant and `mined` returns what allows all it is given, so does the result.
    """
    tasks = {leaf.label: leaf for leaf in leaves(block)}
    return numbered(_renamed(_Division(times, mined).apart(block, variants), tasks))


def _renamed(block: Block, tasks: Mapping[str, Leaf]) -> Block:
    """With the node ids of the whole structure."""
    if isinstance(block, Leaf):
        return tasks[block.label]
    return rebuilt(block, [_renamed(child, tasks) for child in children(block)])


@dataclass(frozen=True, slots=True, eq=False)
class _Division:
    times: Times
    mined: Miner

    def apart(self, block: Block, variants: Sequence[Variant]) -> Block:
        few = len(list(leaves(block))) <= MOST_ACTIVITIES
        if few and (isinstance(block, Parallel) or _is_any_order(block)):
            divided = self._divided(block, variants)
            # From few cases the ties may be wrong: then more is allowed than before, not less.
            inside = _projected(variants, [leaf.label for leaf in leaves(block)])
            best = max((block, *divided), key=lambda one: _precision(one, inside))
            if best is not block:
                return best
        if isinstance(block, Loop):
            return block
        return rebuilt(block, [self.apart(child, variants) for child in children(block)])

    def _divided(self, block: Block, variants: Sequence[Variant]) -> list[Block]:
        """In different ways, by which ties count."""
        labels = [leaf.label for leaf in leaves(block)]
        inside = _projected(variants, labels)
        found: dict[Groups, Block] = {}
        for groups in branches(labels, self.times):
            if len(groups) > 1 and groups not in found:
                whole = parallel([self._branch(group, inside) for group in groups])
                found[groups] = choice((whole, EMPTY)) if may_be_empty(block) else whole
        return list(found.values())

    def _branch(self, group: Sequence[str], variants: Sequence[Variant]) -> Block:
        """What the cases did of these activities, mined, and divided further if that can be done."""
        log = _projected(variants, group)
        found = self.apart(self.mined(log), log)
        return choice((found, EMPTY)) if sum(n for _, n in log) < sum(n for _, n in variants) else found


def _precision(block: Block, variants: Sequence[Variant]) -> float:
    return escaping_edges(places(block), variants, MOST_PREFIXES).share


def _projected(variants: Sequence[Variant], labels: Sequence[str]) -> list[Variant]:
    """What is left of the variants when other activities are left out; cases without any are none."""
    wanted = frozenset(labels)
    left: Counter[tuple[str, ...]] = Counter()
    for activities, n in variants:
        left[tuple(activity for activity in activities if activity in wanted)] += n
    left.pop((), None)
    return list(left.items())


def _is_any_order(block: Block) -> bool:
    """Whether it is a loop of a choice between tasks, optional or not."""
    if isinstance(block, Choice) and len(block.branches) == 2 and block.branches[1] == EMPTY:
        return isinstance(block.branches[0], Loop) and _is_any_order(block.branches[0])
    if isinstance(block, Loop) and block.redos == (EMPTY,) and isinstance(block.body, Choice):
        return all(isinstance(branch, Leaf) for branch in block.body.branches)
    return False


def branches(labels: Sequence[str], times: Times) -> list[Groups]:
    """The activities in groups that are concurrent to each other; order or choice holds each together. Once
    for each of LEAST_TIES."""
    index = {activity: i for i, activity in enumerate(times.activities)}
    columns = np.array([index[label] for label in labels], np.int64)
    some = ~np.isnan(times.start_s[:, columns]).all(axis=1)
    start_s, end_s = times.start_s[np.ix_(some, columns)], times.end_s[np.ix_(some, columns)]
    opened = _opened(start_s, np.delete(times.last_s[some], columns, axis=1))
    start_s, end_s = start_s - opened[:, None], end_s - opened[:, None]
    size = len(labels)
    free = np.zeros((size, size), np.bool_)
    for i in range(size):
        for j in range(i + 1, size):
            pair = (min(labels[i], labels[j]), max(labels[i], labels[j]))
            together = times.overlaps.get(pair, 0.0) >= TRULY_PARALLEL
            free[i, j] = free[j, i] = together or _both_ways(start_s, i, j)
    waits = np.column_stack([_waits_for(start_s, end_s, j) for j in range(size)])
    apart = np.array([[_exclude(start_s, i, j) for j in range(size)] for i in range(size)])
    ties = np.maximum(np.maximum(waits, waits.T), apart)
    return [_held_together(labels, np.where(ties >= least, ties, 0.0), free) for least in LEAST_TIES]


def _opened(start_s: Floats, others_s: Floats) -> Floats:
    """Per case: when all that stands before these activities was done, as far as the log tells."""
    began = np.nanmin(start_s, axis=1)
    before = np.where(others_s <= began[:, None], others_s, -np.inf).max(axis=1, initial=-np.inf)
    return np.asarray(np.where(np.isfinite(before), before, began), np.float64)


def _both_ways(start_s: Floats, i: int, j: int) -> bool:
    both = ~np.isnan(start_s[:, i]) & ~np.isnan(start_s[:, j])
    first = int((start_s[both, i] < start_s[both, j]).sum())
    last = int((start_s[both, i] > start_s[both, j]).sum())
    return min(first, last) >= max(BOTH_WAYS * (first + last), LEAST_CASES)


def _exclude(start_s: Floats, i: int, j: int) -> float:
    """How surely there is a choice between the two: never together, although chance would have it."""
    has_i, has_j = ~np.isnan(start_s[:, i]), ~np.isnan(start_s[:, j])
    expected = float(has_i.sum() * has_j.sum() / len(start_s))
    return expected if expected >= FEW_CASES and not (has_i & has_j).any() else 0.0


def _waits_for(start_s: Floats, end_s: Floats, j: int) -> Floats:
    """How surely activity `j` waits for each of the others, a log-likelihood ratio; 0: nothing says so.

    By how much less entropy its start has after their ends than since all of them could begin (time 0). The
    best one is taken first (of those that are about as good the one that ends last), then each that, waited
    for besides, tells more.
    """
    found = np.zeros(start_s.shape[1])
    has = ~np.isnan(start_s[:, j])
    begun, done = start_s[has, j], end_s[has]
    ready = np.zeros(len(begun))
    able = [i for i in range(len(found)) if i != j and _before(done[:, i], begun)]
    while able:
        gains, enough = np.array([_gain(begun, ready, done[:, i]) for i in able]).T
        near = (gains > enough) & (gains >= gains.max() - enough)
        if not near.any():
            break
        last = [np.nanmedian(done[:, i]) if near[k] else -np.inf for k, i in enumerate(able)]
        taken = able.pop(int(np.argmax(last)))
        found[taken] = gains[near].max()
        ready = np.fmax(ready, done[:, taken])
    for i in able:
        found[i] = ORDER * _order(done[:, i], begun)
    return found


def _before(done_s: Floats, begun_s: Floats) -> bool:
    """Whether the other one was done before, in nearly all of enough cases."""
    gap = (begun_s - done_s)[~np.isnan(done_s)]
    return len(gap) >= FEW_CASES and bool((gap < 0).mean() <= DISORDER)


def _order(done_s: Floats, begun_s: Floats) -> float:
    """How seldom they would come in this order if the times of one were those of another case, in nats."""
    both = ~np.isnan(done_s)
    done, begun, n = done_s[both], begun_s[both], int(both.sum())
    shifted = [np.mean(done <= np.roll(begun, shift)) for shift in SHIFTS]
    return float(-n * np.log((n * np.mean(shifted) + 0.5) / (n + 1)))


def _gain(begun_s: Floats, ready_s: Floats, done_s: Floats) -> tuple[float, float]:
    """What is gained if work waits for this one, too, and the least that tells anything."""
    both = ~np.isnan(done_s)
    n = int(both.sum())
    alone, with_it = (
        _entropy(begun_s[both] - since) for since in (ready_s[both], np.fmax(ready_s, done_s)[both])
    )
    return n * (alone - with_it), AS_GOOD * n + 2 * np.sqrt(n)


def _entropy(seconds: Floats) -> float:
    """Of the times' law, in nats, by spacings of the ordered sample (Vasicek 1976)."""
    n, m = len(seconds), max(int(np.sqrt(len(seconds)) / 2), 1)
    whole = np.floor(np.sort(np.maximum(seconds, 0.0)) / GRAIN_S)
    _, first, count = np.unique(whole, return_index=True, return_counts=True)
    within = (np.arange(n) - np.repeat(first, count) + 0.5) / np.repeat(count, count)
    spread, at = (whole + within) * GRAIN_S, np.arange(n)
    low, high = np.maximum(at - m, 0), np.minimum(at + m, n - 1)
    return float(np.log((spread[high] - spread[low]) * n / (high - low)).mean())


def _held_together(labels: Sequence[str], ties: Floats, free: NDArray[np.bool_]) -> Groups:
    """Groups by the strongest ties first, and at least two of them; one, if none is concurrent to another.

    Groups without a concurrent pair between them are one, as nothing says that they are branches.
    """
    size = len(labels)
    pairs = [(float(ties[i, j]), i, j) for i in range(size) for j in range(i + 1, size) if ties[i, j] > 0]
    groups = [[i] for i in range(size)]
    for _, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
        one, other = (next(group for group in groups if k in group) for k in (i, j))
        if one is not other and len(groups) > 2:
            groups = [group for group in groups if group is not one and group is not other]
            groups.append([*one, *other])
    while (pair := _not_branches(groups, free)) is not None:
        groups = [group for group in groups if group not in pair] + [[*pair[0], *pair[1]]]
    return tuple(tuple(labels[i] for i in sorted(group)) for group in sorted(groups, key=min))


def _not_branches(groups: list[list[int]], free: NDArray[np.bool_]) -> tuple[list[int], list[int]] | None:
    for a, one in enumerate(groups):
        for other in groups[a + 1 :]:
            if not free[np.ix_(one, other)].any():
                return one, other
    return None

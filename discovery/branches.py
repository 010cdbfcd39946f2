"""Parallel branches told apart by time, where a log shows too few of the orders in which they interleave.

The inductive miner takes activities for parallel if each was seen directly behind the other. A delay makes
one branch come last in nearly every case; then some pairs are missing and it tears the branches apart, or
lets everything come in any order. Here what it left as one parallel or as any order is divided by the times
of executions: two activities are concurrent if they overlap in time or both come first in some cases; others
are tied, the more surely, the less their order would hold between the times of different cases (a permutation
test) and the more closely the later one follows the earlier one. Ties join activities to branches, strongest
first, and each branch is then mined by itself.
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

MOST_CASES = 3000
"""Cases whose times are compared, evenly from the whole log."""
BOTH_WAYS = 0.05
"""Concurrent: of the cases with both, the rarer one comes first in at least this share."""
FEW_CASES = 5
SHIFTS = (1, 2, 5, 11, 23)
"""How far the cases are shifted against each other, to see what order there is without any cause."""
MOST_PREFIXES = 2000
"""Beginnings of cases that a divided block and the undivided one are compared by."""
LEAST = 1e-6
"""An order without exception always says something."""


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """When each case first did each activity; NaN where it never did."""

    activities: tuple[str, ...]
    start_s: Floats
    """Shape (cases, activities)."""
    end_s: Floats
    overlaps: Overlaps


def first_times(snapshot: Snapshot, overlaps: Overlaps) -> Times:
    """The first executions of the closed cases, at most MOST_CASES of them."""
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
    return Times(snapshot.activities, start_s, end_s, overlaps)


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
        if isinstance(block, Parallel) or _is_any_order(block):
            labels = [leaf.label for leaf in leaves(block)]
            groups = branches(labels, self.times)
            if len(groups) > 1:
                inside = _projected(variants, labels)
                whole = parallel([self._branch(group, inside) for group in groups])
                whole = choice((whole, EMPTY)) if may_be_empty(block) else whole
                # From few cases the ties may be wrong: then more is allowed than before, not less.
                if _precision(whole, inside) > _precision(block, inside):
                    return whole
        if isinstance(block, Loop):
            return block
        return rebuilt(block, [self.apart(child, variants) for child in children(block)])

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


def branches(labels: Sequence[str], times: Times) -> list[list[str]]:
    """The activities in groups that are concurrent to each other; order or choice holds each together."""
    index = {activity: i for i, activity in enumerate(times.activities)}
    columns = [index[label] for label in labels]
    start_s, end_s = times.start_s[:, columns], times.end_s[:, columns]
    some = ~np.isnan(start_s).all(axis=1)
    start_s, end_s = start_s[some], end_s[some]
    began = np.nanmin(start_s, axis=1, keepdims=True)
    start_s, end_s = start_s - began, end_s - began
    size = len(labels)
    ties, free = np.zeros((size, size)), np.zeros((size, size), np.bool_)
    for i in range(size):
        for j in range(i + 1, size):
            pair = (min(labels[i], labels[j]), max(labels[i], labels[j]))
            free[i, j] = free[j, i] = times.overlaps.get(pair, 0.0) >= TRULY_PARALLEL or _both_ways(
                start_s, i, j
            )
            if not free[i, j]:
                ties[i, j] = ties[j, i] = _tie(start_s, end_s, i, j)
    return _held_together(labels, ties, free)


def _both_ways(start_s: Floats, i: int, j: int) -> bool:
    both = ~np.isnan(start_s[:, i]) & ~np.isnan(start_s[:, j])
    first = int((start_s[both, i] < start_s[both, j]).sum())
    last = int((start_s[both, i] > start_s[both, j]).sum())
    return min(first, last) >= max(BOTH_WAYS * (first + last), 1)


def _tie(start_s: Floats, end_s: Floats, i: int, j: int) -> float:
    """How surely one of them waits for the other or excludes it, a log-likelihood ratio; 0: nothing says so.

    Of two that always come in one order: how seldom they would if the times of one were those of another
    case, and how closely the start of the later one goes with the end of the earlier one.
    """
    from scipy.stats import rankdata

    has_i, has_j = ~np.isnan(start_s[:, i]), ~np.isnan(start_s[:, j])
    both = has_i & has_j
    n = int(both.sum())
    if n < FEW_CASES:
        # Never together although chance would have it: a choice.
        expected = has_i.sum() * has_j.sum() / len(start_s)
        return float(expected) if n == 0 and expected >= FEW_CASES else 0.0
    if np.median(start_s[both, i] - start_s[both, j]) > 0:
        i, j = j, i
    done, begun = end_s[both, i], start_s[both, j]
    shifted = [np.mean(done <= np.roll(begun, shift)) for shift in SHIFTS]
    order = -n * np.log((n * np.mean(shifted) + 0.5) / (n + 1))
    ranks, other = rankdata(done), rankdata(begun)
    if np.ptp(ranks) == 0 or np.ptp(other) == 0:
        return float(order + LEAST)
    close = min(max(float(np.corrcoef(ranks, other)[0, 1]), 0.0), 0.999)
    return float(order - n / 2 * np.log(1 - close**2) + LEAST)


def _held_together(labels: Sequence[str], ties: Floats, free: NDArray[np.bool_]) -> list[list[str]]:
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
    return [[labels[i] for i in sorted(group)] for group in sorted(groups, key=min)]


def _not_branches(groups: list[list[int]], free: NDArray[np.bool_]) -> tuple[list[int], list[int]] | None:
    for a, one in enumerate(groups):
        for other in groups[a + 1 :]:
            if not free[np.ix_(one, other)].any():
                return one, other
    return None

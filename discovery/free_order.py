"""Structures that leave the order to history: loops of a choice, where the miner saw parallel branches.

A parallel block says that its branches don't wait for each other, so that their order comes from timing. If
they never overlap in time, one person doing one thing after another is the likelier story: then any order is
allowed and the routing by recent history reproduces the orders that were seen. With the last k activities in
the context of both gateways that is a k-gram model (findings, "Control flow").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from discovery.naming import task_ids
from discovery.normal_form import EMPTY, children, choice, leaves, loop, may_be_empty, numbered, rebuilt
from eventlogs.snapshot import Snapshot
from metagraph.blocks import Block, Leaf, Parallel

Overlaps = Mapping[tuple[str, str], float]
"""Pair of activities in alphabetical order -> share of the cases having both in which they overlap."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TRULY_PARALLEL = 0.05
FEW_CASES = 5
AT_ONCE = 1000
"""Cases that are looked at at once, lest large logs take much memory."""
PAIRS_AT_ONCE = 1_000_000


def overlap_share(snapshot: Snapshot) -> Overlaps:
    """For each pair of activities that occur together in at least FEW_CASES cases: in which share of them
    they overlap in time.

    Executions [start, end) overlap if they have more than an instant in common; a running one lasts until the
    snapshot was taken.
    """
    n = len(snapshot.activities)
    end_s = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)
    together, overlapping = np.zeros((n, n), np.int32), np.zeros(n * n, np.int32)
    for first in range(0, snapshot.n_cases, AT_ONCE):
        offsets = snapshot.offsets[first : first + AT_ONCE + 1]
        rows = slice(offsets[0], offsets[-1])
        case, activity = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)), snapshot.activity[rows]
        present = np.zeros((len(offsets) - 1, n), np.float32)
        present[case, activity] = 1
        together += (present.T @ present).astype(np.int32)
        pairs = _overlapping(case, activity, snapshot.start_s[rows], end_s[rows], n)
        found, counts = np.unique(pairs, return_counts=True)
        overlapping[found] += counts.astype(np.int32)
    names, share = snapshot.activities, overlapping.reshape(n, n)
    return {
        (min(names[a], names[b]), max(names[a], names[b])): int(share[a, b]) / int(together[a, b])
        for a, b in np.argwhere(np.triu(together, 1) >= FEW_CASES).tolist()
    }


def _overlapping(case: Ints, activity: NDArray[np.int32], start: Floats, end: Floats, n: int) -> Ints:
    """Pairs of different ones of `n` activities that overlap, as codes a n + b with a < b, once for each case
    in which they do. Columns are of executions."""
    lasting = np.flatnonzero(end > start)
    lasting = lasting[np.lexsort((start[lasting], case[lasting]))]
    case, activity = case[lasting], activity[lasting].astype(np.int64)
    # Ranks of instants keep cases apart exactly, as sums of numbers with fractions would not.
    ranks = np.unique(np.concatenate((start[lasting], end[lasting])), return_inverse=True)[1].reshape(2, -1)
    begun, done = case * (2 * len(case)) + ranks
    # What overlaps one execution and begins no earlier stands right behind it.
    count = np.searchsorted(begun, done) - np.arange(len(case)) - 1
    total = np.concatenate(([0], np.cumsum(count)))
    found = [np.empty(0, np.int64)]
    low = 0
    while low < len(case):
        high = max(int(np.searchsorted(total, total[low] + PAIRS_AT_ONCE, side="right")) - 1, low + 1)
        one = np.repeat(np.arange(low, high), count[low:high])
        other = one + 1 + np.arange(len(one)) - (total[one] - total[low])
        a, b = activity[one], activity[other]
        codes = (case[one] * n + np.minimum(a, b)) * n + np.maximum(a, b)
        found.append(np.unique(codes[a != b]))
        low = high
    return np.unique(np.concatenate(found)) % (n * n)


def free_order(block: Block, overlaps: Overlaps, threshold: float = TRULY_PARALLEL) -> Block:
    """The structure with any order of tasks in place of each parallel block whose branches don't overlap.

    A parallel block stays where some pair of activities from two of its branches overlaps in at least
    `threshold` of the cases that have both.
    """
    return numbered(_freed(block, overlaps, threshold))


def flower(labels: Iterable[str]) -> Block:
    """Any of these activities, any number of times but at least once, in any order.

    Raises ValueError if there are none.
    """
    ids = task_ids(labels)
    if not ids:
        raise ValueError("a structure needs at least one activity")
    return numbered(_any_order([Leaf(ids[label], label) for label in sorted(ids)]))


def truly_parallel(block: Parallel, overlaps: Overlaps, threshold: float = TRULY_PARALLEL) -> bool:
    """Whether activities of two different branches overlap in at least `threshold` of the cases."""
    branches = [[leaf.label for leaf in leaves(branch)] for branch in block.branches]
    pairs = (
        (min(a, b), max(a, b))
        for i, ours in enumerate(branches)
        for theirs in branches[i + 1 :]
        for a in ours
        for b in theirs
    )
    return any(overlaps.get(pair, 0.0) >= threshold for pair in pairs)


def _freed(block: Block, overlaps: Overlaps, threshold: float) -> Block:
    if isinstance(block, Parallel) and not truly_parallel(block, overlaps, threshold):
        free = _any_order(list(leaves(block)))
        return choice((free, EMPTY)) if may_be_empty(block) else free
    return rebuilt(block, [_freed(child, overlaps, threshold) for child in children(block)])


def _any_order(tasks: Iterable[Leaf]) -> Block:
    return loop(choice(tasks), (EMPTY,))

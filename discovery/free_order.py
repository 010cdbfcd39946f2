"""Structures that leave the order to history: loops of a choice, where the miner saw parallel branches.

A parallel block says that its branches don't wait for each other, so that their order comes from timing. If
they never overlap in time, one person doing one thing after another is the likelier story: then any order is
allowed and the routing by recent history reproduces the orders that were seen. With the last k activities in
the context of both gateways that is a k-gram model (findings, "Control flow").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from discovery.naming import task_ids
from discovery.normal_form import EMPTY, children, choice, leaves, loop, may_be_empty, numbered, rebuilt
from eventlogs.snapshot import Snapshot
from metagraph.blocks import Block, Leaf, Parallel

Overlaps = Mapping[tuple[str, str], float]
"""Pair of activities in alphabetical order -> share of the cases having both in which they overlap."""

TRULY_PARALLEL = 0.05
FEW_CASES = 5


def overlap_share(snapshot: Snapshot) -> Overlaps:
    """For each pair of activities that occur together in at least FEW_CASES cases: in which share of them
    they overlap in time.

    Executions [start, end) overlap if they have more than an instant in common; a running one lasts until the
    snapshot was taken.
    """
    end_s = np.where(np.isnan(snapshot.end_s), snapshot.until_s, snapshot.end_s)
    together: Counter[tuple[int, int]] = Counter()
    overlapping: Counter[tuple[int, int]] = Counter()
    for first, last in zip(snapshot.offsets[:-1], snapshot.offsets[1:], strict=True):
        activity, start, end = (column[first:last] for column in (snapshot.activity, snapshot.start_s, end_s))
        present = np.unique(activity).tolist()
        together.update((a, b) for i, a in enumerate(present) for b in present[i + 1 :])
        common = np.minimum.outer(end, end) > np.maximum.outer(start, start)
        ours, theirs = np.nonzero(common & (activity[:, None] < activity[None, :]))
        overlapping.update(set(zip(activity[ours].tolist(), activity[theirs].tolist(), strict=True)))
    names = snapshot.activities
    return {
        (min(names[a], names[b]), max(names[a], names[b])): overlapping[a, b] / n
        for (a, b), n in together.items()
        if n >= FEW_CASES
    }


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

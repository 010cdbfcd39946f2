"""Parallel branches that are skipped together or instead of each other become one joint choice (OR).

The miner makes each skip a choice of its own. Where these choices aren't independent, a simulation that draws
them one by one takes combinations that the log hardly knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from discovery.normal_form import EMPTY
from discovery.replayed import Decisions, Replayed
from discovery.tokens import Marking, Token
from metagraph.blocks import (
    Block,
    Choice,
    Loop,
    Parallel,
    Sequence,
    inclusive_blocks,
    nodes_in,
    parts_of,
)

CHANCE = 0.01
"""Independent choices look as dependent as what is joined in this share of blocks (likelihood-ratio test)."""
MATERIAL = 0.01
"""Total correlation (Watanabe, IBM Journal, 1960) of the choices that are joined, at least, in nats."""
LEAST = 30
"""Passes through the block that must have been seen."""
MOST_BRANCHES = 12

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Joined:
    """A structure with joint choices, and the replay that fits it."""

    block: Block
    replayed: Replayed


@dataclass(frozen=True, slots=True, eq=False)
class _Passes:
    """How often a block was passed through, and which of its branches each time."""

    case: NDArray[np.int32]
    visit: NDArray[np.int32]
    position: NDArray[np.int32]
    taken: Flags
    """Shape (passes, branches)."""


def joined(block: Block, replayed: Replayed) -> Joined:
    """The structure in which parallel branches are chosen jointly where their skips depend on each other,
    with the decisions in terms of it. Without such branches nothing changes."""
    names = set(nodes_in(block))
    for candidate in list(_parallels(block)):
        # A block inside it may have been joined meanwhile.
        parallel = next(p for p in _parallels(block) if p.split == candidate.split)
        passes = _passes(parallel, replayed)
        if passes is None or not _dependent(passes.taken):
            continue
        merged = _free(parallel.merge.replace("and", "or", 1), names)
        split = _free(parallel.split.replace("and", "or", 1), names)
        names |= {split, merged}
        branches = tuple(_without_empty(branch) for branch in parallel.branches)
        block = _replaced(block, parallel, Parallel(split, merged, branches, some=True))
        replayed = _rewritten(replayed, parallel, split, passes)
    return Joined(block, replayed)


def _parallels(block: Block) -> Iterator[Parallel]:
    """Those of which at least two branches may be skipped, inner ones first."""
    for part in parts_of(block):
        yield from _parallels(part)
    if (
        isinstance(block, Parallel)
        and not block.some
        and len(block.branches) <= MOST_BRANCHES
        and sum(map(_optional, block.branches)) >= 2
    ):
        yield block


def _optional(branch: Block) -> bool:
    return isinstance(branch, Choice) and EMPTY in branch.branches


def _without_empty(branch: Block) -> Block:
    if not isinstance(branch, Choice) or EMPTY not in branch.branches:
        return branch
    left = tuple(part for part in branch.branches if part != EMPTY)
    return left[0] if len(left) == 1 else replace(branch, branches=left)


def _passes(parallel: Parallel, replayed: Replayed) -> _Passes | None:
    """The passes in which every branch was decided; None where there are too few."""
    decisions = replayed.decisions
    tables: list[dict[tuple[int, int], tuple[bool, int]] | None] = []
    for branch in parallel.branches:
        if not (isinstance(branch, Choice) and EMPTY in branch.branches):
            tables.append(None)
            continue
        index = replayed.gateways.index(branch.split)
        rows = np.flatnonzero(decisions.gateway == index)
        empty = branch.branches.index(EMPTY)
        columns = (decisions.case, decisions.visit, decisions.flow, decisions.position)
        tables.append(
            {
                (case, visit): (flow != empty, position)
                for case, visit, flow, position in zip(*(c[rows].tolist() for c in columns), strict=True)
            }
        )
    known = [table for table in tables if table is not None]
    keys = sorted(set.intersection(*(set(table) for table in known)))
    if len(keys) < LEAST:
        return None
    taken = [[True if table is None else table[key][0] for table in tables] for key in keys]
    position = [min(table[key][1] for table in known) for key in keys]
    case, visit = zip(*keys, strict=True)
    return _Passes(
        np.array(case, np.int32), np.array(visit, np.int32), np.array(position, np.int32), np.array(taken)
    )


def _dependent(taken: Flags) -> bool:
    """G = 2 n times the total correlation of the branches, against chi-square with as many degrees of freedom
    as the joint law of those that vary has more than their own laws."""
    from scipy.stats import chi2

    shares = taken.mean(axis=0)
    vary = (shares > 0) & (shares < 1)
    k = int(vary.sum())
    if k < 2:
        return False
    n = len(taken)
    _, counts = np.unique(taken[:, vary], axis=0, return_counts=True)
    p = shares[vary]
    own = float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).sum())
    together = float(-(counts / n * np.log(counts / n)).sum())
    correlation = own - together
    return correlation >= MATERIAL and 2 * n * correlation > float(chi2.isf(CHANCE, 2**k - 1 - k))


def _rewritten(replayed: Replayed, parallel: Parallel, split: str, passes: _Passes) -> Replayed:
    """The skips' decisions in one for each pass; those between the other branches of a choice stay."""
    counts = Counter(tuple(np.flatnonzero(row).tolist()) for row in passes.taken)
    subsets = tuple(subset for subset, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    number = {subset: i for i, subset in enumerate(subsets)}
    old = replayed.decisions
    flow, kept = old.flow.copy(), np.ones(len(old.case), np.bool_)
    for branch in parallel.branches:
        if not (isinstance(branch, Choice) and EMPTY in branch.branches):
            continue
        mine = old.gateway == replayed.gateways.index(branch.split)
        empty = branch.branches.index(EMPTY)
        kept &= ~(mine & ((len(branch.branches) == 2) | (old.flow == empty)))
        flow[mine & (old.flow > empty)] -= 1
    drawn = np.array([number[tuple(np.flatnonzero(row).tolist())] for row in passes.taken], np.int32)
    gateway = np.full(len(drawn), len(replayed.gateways), np.int32)
    case = np.concatenate([old.case[kept], passes.case])
    order = np.argsort(case, kind="stable")
    decisions = Decisions(
        case=case[order],
        gateway=np.concatenate([old.gateway[kept], gateway])[order],
        flow=np.concatenate([flow[kept], drawn])[order],
        visit=np.concatenate([old.visit[kept], passes.visit])[order],
        position=np.concatenate([old.position[kept], passes.position])[order],
    )
    return replace(
        replayed,
        gateways=(*replayed.gateways, split),
        decisions=decisions,
        subsets={**replayed.subsets, split: subsets},
    )


def _replaced(block: Block, old: Parallel, new: Parallel) -> Block:
    """The tree with one block in place of another."""
    if block == old:
        return new
    parts = tuple(_replaced(part, old, new) for part in parts_of(block))
    match block:
        case Sequence():
            return Sequence(parts)
        case Loop():
            return replace(block, body=parts[0], redos=parts[1:])
        case Choice() | Parallel():
            return replace(block, branches=parts)
        case _:
            return block


def _free(wanted: str, taken: set[str]) -> str:
    return wanted if wanted not in taken else _free(f"{wanted}'", taken)


# Replaying on a structure that has joint choices already.


def as_optional(block: Block) -> Block:
    """The structure with every joint choice as parallel branches that may each be skipped: the same orders of
    tasks, which can be replayed one by one."""
    parts = tuple(as_optional(part) for part in parts_of(block))
    match block:
        case Sequence():
            return Sequence(parts)
        case Loop():
            return replace(block, body=parts[0], redos=parts[1:])
        case Parallel(split, merge, _, True):
            skips = (
                Choice(name, f"{name} end", (part, EMPTY))
                for name, part in zip(_skips(block), parts, strict=True)
            )
            return Parallel(split, merge, tuple(skips))
        case Choice() | Parallel():
            return replace(block, branches=parts)
        case _:
            return block


def _skips(block: Parallel) -> tuple[str, ...]:
    """Names of the choices by which each branch of a joint choice could be skipped."""
    return tuple(f"{block.split} branch {i}" for i in range(len(block.branches)))


def standing(marking: Marking, block: Block) -> Marking:
    """Where a case stands that was replayed on `as_optional(block)`, in terms of the block itself.

    A joint choice of which no branch has begun is still to be made. Of one whose branches have begun, those
    that haven't are taken to be skipped: the log doesn't tell what was chosen.
    """
    tokens, visits, merged = list(marking.tokens), dict(marking.visits), dict(marking.merged)
    for inclusive in reversed(list(inclusive_blocks(block))):
        names = _skips(inclusive)
        counts = [visits.pop(name) for name in names if name in visits]
        if counts:
            visits[inclusive.split] = max(counts)
        merged.pop(inclusive.merge, None)
        open_ones = [token for token in tokens if token.node in names]
        if not open_ones:
            continue
        at = tokens.index(open_ones[0])
        inside = {node for branch in inclusive.branches for node in nodes_in(branch)}
        tokens = [token for token in tokens if token.node not in names]
        if len(open_ones) == len(names):
            tokens.insert(at, Token(inclusive.split, open_ones[0].enabled_by))
        elif not any(token.node in inside for token in tokens):
            tokens.insert(at, Token(inclusive.merge, max(token.enabled_by for token in open_ones)))
    return Marking(tuple(tokens), merged, visits)

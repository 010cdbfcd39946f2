"""Structure from variants: a block tree that has a task for every activity."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from discovery import miners
from discovery.naming import task_ids
from discovery.normal_form import EMPTY, children, choice, leaves, loop, numbered, rebuilt, sequence
from metagraph.blocks import Block, Choice, Leaf, Loop, Parallel
from metagraph.errors import DataError

Miner = Literal["inductive", "directly-follows", "split", "heuristics"]
MINERS: tuple[Miner, ...] = get_args(Miner)
ETA = 0.4
"""Split miner: percentile of the frequencies below which connections are dropped; its authors' default."""
DEPENDENCY = 0.5
"""Heuristics miner: least dependency of a connection; pm4py's default."""

Variant = tuple[tuple[str, ...], int]
"""A sequence of activities, and how many cases had it."""

MAX_VARIANTS = 5000


@dataclass(frozen=True, slots=True)
class Kept:
    """The variants that mining looks at."""

    variants: tuple[Variant, ...]
    case_share: float
    """Share of the cases that have one of them."""


def frequent(variants: Sequence[Variant], limit: int = MAX_VARIANTS) -> Kept:
    """The most frequent variants, and the most frequent one with each activity that those lack."""
    ranked = sorted(
        ((v, n) for v, n in variants if v and n > 0), key=lambda variant: (-variant[1], variant[0])
    )
    kept = ranked[:limit]
    known = {activity for activities, _ in kept for activity in activities}
    for activities, n in ranked[limit:]:
        if not known.issuperset(activities):
            kept.append((activities, n))
            known.update(activities)
    cases = sum(n for _, n in ranked)
    return Kept(tuple(kept), sum(n for _, n in kept) / cases if cases else 1.0)


def mine(
    variants: Sequence[Variant],
    noise: float,
    miner: Miner = "inductive",
    *,
    coverage: float = 1.0,
    any_order: bool = False,
    tell: miners.Tell = miners.nothing,
) -> Block:
    """The structure that a miner finds in these variants, in normal form.

    `noise` is of the inductive miner: 0 is the plain one (IM), which allows every variant; above 0 the
    infrequent one (IMf), which disregards directly-follows relations rarer than this share of the most
    frequent one of an activity (Leemans, Fahland & van der Aalst 2013). The others have their usual
    thresholds. With `coverage` below 1 only the most frequent variants are mined, as many as have this share
    of the cases. An activity that is disregarded altogether may occur after the one that it follows most
    often, so that every activity has a task. Split and heuristics miner may find what blocks can't say: with
    `any_order` the tasks in it may come in any order. `tell` hears what was not looked for in a large log.

    Raises DataError if there are no variants, or if an activity came out at more than one place;
    NotNestedError if the structure isn't made of nested blocks.
    """
    kept = frequent(variants).variants
    if not kept:
        raise DataError("no closed case with an activity to mine: give a log with at least one finished case")
    labels = sorted({activity for activities, _ in kept for activity in activities})
    code = {label: i + 1 for i, label in enumerate(labels)}
    coded = {tuple(code[a] for a in activities): n for activities, n in covering(kept, coverage)}
    ids = task_ids(labels)
    tasks = {code[label]: Leaf(ids[label], label) for label in labels}
    block = _mined(coded, tasks, noise, miner, any_order, tell)
    found = Counter(leaf.label for leaf in leaves(block))
    repeated = [label for label, n in found.items() if n > 1]
    if repeated:
        raise DataError(f"the miner placed the activity {repeated[0]!r} more than once: choose another noise")
    return numbered(_ordered(_with_all(block, kept), _places(kept)))


def covering(ranked: Sequence[Variant], share: float) -> Sequence[Variant]:
    """The most frequent variants, as many as it takes to have this share of the cases."""
    wanted = share * sum(n for _, n in ranked)
    taken = 0
    for i, (_, n) in enumerate(ranked):
        taken += n
        # Sums of whole cases: a share of 1 must not lose the last one to rounding.
        if taken >= wanted - 1e-9:
            return ranked[: i + 1]
    return ranked


def _mined(
    coded: miners.Coded, tasks: miners.Tasks, noise: float, miner: Miner, any_order: bool, tell: miners.Tell
) -> Block:
    match miner:
        case "inductive":
            return miners.inductive(coded, tasks, noise, tell)
        case "directly-follows":
            return miners.directly_follows(coded, tasks)
        case "split":
            return miners.split(coded, tasks, ETA, any_order=any_order)
        case "heuristics":
            return miners.heuristics(coded, tasks, DEPENDENCY, any_order=any_order)


def _with_all(block: Block, kept: Sequence[Variant]) -> Block:
    """The block with a place for every activity of the variants."""
    labels = sorted({activity for activities, _ in kept for activity in activities})
    ids = task_ids(labels)
    found = {leaf.label for leaf in leaves(block)}
    for label in labels:
        if label not in found:
            leaf: Block = Leaf(ids[label], label)
            repeats = any(activities.count(label) > 1 for activities, _ in kept)
            extra = choice((loop(leaf, (EMPTY,)) if repeats else leaf, EMPTY))
            block = _inserted(block, extra, _usual_predecessor(label, found, kept))
            found.add(label)
    return block


def _usual_predecessor(label: str, known: Collection[str], variants: Iterable[Variant]) -> str:
    """The known activity that most often comes before it, directly or not; '' if none does."""
    before: Counter[str] = Counter()
    for activities, n in variants:
        last = ""
        for activity in activities:
            if activity == label:
                before[last] += n
            elif activity in known:
                last = activity
    return min(before, key=lambda activity: (-before[activity], activity))


def _inserted(block: Block, extra: Block, after: str) -> Block:
    """The block with another one behind the task that has this label, or in front of all."""
    if not after:
        return sequence((extra, block))
    if isinstance(block, Leaf):
        return sequence((block, extra)) if block.label == after else block
    return rebuilt(block, [_inserted(child, extra, after) for child in children(block)])


def _places(variants: Iterable[Variant]) -> dict[str, float]:
    """Per activity: its mean relative place in the cases, 0 at the front and 1 at the end."""
    total: defaultdict[str, float] = defaultdict(float)
    weight: Counter[str] = Counter()
    for activities, n in variants:
        for i, activity in enumerate(activities):
            total[activity] += n * (i + 0.5) / len(activities)
            weight[activity] += n
    return {activity: total[activity] / n for activity, n in weight.items()}


def _ordered(block: Block, place: Mapping[str, float]) -> Block:
    """Branches whose order means nothing in the order in which the log reaches them."""
    parts = [_ordered(child, place) for child in children(block)]

    def first(part: Block) -> tuple[float, str]:
        return min(((place[leaf.label], leaf.label) for leaf in leaves(part)), default=(2.0, ""))

    if isinstance(block, Choice | Parallel):
        parts.sort(key=first)
    elif isinstance(block, Loop):
        parts[1:] = sorted(parts[1:], key=first)
    return rebuilt(block, parts)

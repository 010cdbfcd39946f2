"""Structure from variants: pm4py's inductive miner, and its process tree as a block tree.

The only module that imports pm4py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from discovery.naming import task_ids
from discovery.normal_form import EMPTY, children, choice, leaves, loop, numbered, parallel, rebuilt, sequence
from metagraph.blocks import Block, Choice, Leaf, Loop, Parallel
from metagraph.errors import DataError

if TYPE_CHECKING:
    from pm4py.objects.process_tree.obj import ProcessTree

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


def mine(variants: Sequence[Variant], noise: float) -> Block:
    """The structure that the inductive miner finds in these variants, in normal form.

    `noise` 0 is the plain miner (IM), which allows every variant; above 0 the infrequent one (IMf), which
    disregards directly-follows relations rarer than this share of the most frequent one of an activity
    (Leemans, Fahland & van der Aalst 2013). An activity that it disregards altogether may occur after the one
    that it follows most often, so that every activity has a task.

    Raises DataError if there are no variants, or if an activity came out at more than one place.
    """
    kept = frequent(variants).variants
    if not kept:
        raise DataError("no closed case with an activity to mine: give a log with at least one finished case")
    labels = sorted({activity for activities, _ in kept for activity in activities})
    # pm4py's sets would be walked in an order that depends on the process's hash seed if they held text.
    code = {label: i + 1 for i, label in enumerate(labels)}
    tree = _process_tree({tuple(code[a] for a in activities): n for activities, n in kept}, noise)
    ids = task_ids(labels)
    block = _block(tree, {code[label]: Leaf(ids[label], label) for label in labels})
    found = Counter(leaf.label for leaf in leaves(block))
    repeated = [label for label, n in found.items() if n > 1]
    if repeated:
        raise DataError(f"the miner placed the activity {repeated[0]!r} more than once: choose another noise")
    for label in labels:
        if label not in found:
            leaf: Block = Leaf(ids[label], label)
            repeats = any(activities.count(label) > 1 for activities, _ in kept)
            extra = choice((loop(leaf, (EMPTY,)) if repeats else leaf, EMPTY))
            block = _inserted(block, extra, _usual_predecessor(label, set(found), kept))
            found[label] = 1
    return numbered(_ordered(block, _places(kept)))


def _process_tree(variants: Mapping[tuple[int, ...], int], noise: float) -> ProcessTree:
    from pm4py.algo.discovery.inductive.dtypes.im_ds import IMDataStructureUVCL
    from pm4py.algo.discovery.inductive.variants.im import IMUVCL
    from pm4py.algo.discovery.inductive.variants.imf import IMFUVCL

    log = IMDataStructureUVCL(Counter(variants))
    return IMFUVCL({}).apply(log, {"noise_threshold": noise}) if noise else IMUVCL({}).apply(log, {})


def _block(tree: ProcessTree, tasks: Mapping[int, Leaf]) -> Block:
    if tree.operator is None:
        return EMPTY if tree.label is None else tasks[tree.label]
    parts = [_block(child, tasks) for child in tree.children]
    match tree.operator.name:
        case "SEQUENCE":
            return sequence(parts)
        case "XOR":
            return choice(parts)
        case "PARALLEL":
            return parallel(parts)
        case "LOOP":
            return loop(parts[0], parts[1:])
        case other:
            raise NotImplementedError(f"process tree operator {other}")


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

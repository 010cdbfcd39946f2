"""A block tree made ready for replay: what each place costs to pass, and the way down to each task."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from discovery.normal_form import children
from metagraph import blocks
from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel


class Kind(IntEnum):
    """What a place stands for."""

    LEAF = 0
    EMPTY = 1
    SEQUENCE = 2
    CHOICE = 3
    PARALLEL = 4
    LOOP = 5


@dataclass(slots=True, eq=False)
class Place:
    """One block of the tree."""

    index: int
    kind: Kind
    node: str
    """The task, the splitting gateway of a choice or parallel, or the end of a loop."""
    parent: Place | None
    slot: int
    """Which child of its parent; a loop's body is 0, its redos follow."""
    repeats: bool
    """Whether a loop is among its ancestors."""
    children: list[Place] = field(default_factory=list)
    merge: str = ""
    task: int = -1
    gateway: int = -1
    cost: int = 0
    """Least number of tasks to do when passing through."""
    cheapest: int = 0
    """Choice: the branch of that cost. Loop: the cheapest redo, as a child's slot."""
    labels: tuple[str, ...] = ()
    """Of the tasks below."""
    path: tuple[Place, ...] = ()
    """Leaf: the places from the root down to it."""
    ahead: tuple[int, ...] = ()
    """Leaf: for each place of the path, the tasks to pass from entering that place to reaching the leaf."""


@dataclass(slots=True, eq=False)
class Places:
    """All places of a block tree, in reading order."""

    root: Place
    all: list[Place]
    leaves: dict[str, Place]
    """By label."""
    tasks: tuple[str, ...]
    gateways: tuple[str, ...]
    """Choice splits and loop ends, in reading order of their blocks."""


def places(block: Block) -> Places:
    """Lay out a block tree.

    Raises ValueError if a label stands at two tasks.
    """
    found: list[Place] = []
    root = _add(block, None, 0, False, found)
    leaves: dict[str, Place] = {}
    gateways: list[str] = []
    for place in found:
        if place.kind is Kind.LEAF:
            label = place.labels[0]
            if label in leaves:
                raise ValueError(f"two tasks are labelled {label!r}: replay needs each label once")
            place.task = len(leaves)
            leaves[label] = place
            _find_way(place)
        elif place.kind in (Kind.CHOICE, Kind.LOOP):
            place.gateway = len(gateways)
            gateways.append(place.node)
    return Places(root, found, leaves, tuple(leaf.node for leaf in leaves.values()), tuple(gateways))


def _add(block: Block, parent: Place | None, slot: int, repeats: bool, found: list[Place]) -> Place:
    kind, node, merge = _signature(block)
    place = Place(len(found), kind, node, parent, slot, repeats, merge=merge)
    found.append(place)
    below = repeats or kind is Kind.LOOP
    place.children = [_add(child, place, i, below, found) for i, child in enumerate(children(block))]
    if isinstance(block, Leaf):
        place.labels = (block.label,)
        place.cost = 1
    else:
        place.labels = tuple(label for child in place.children for label in child.labels)
        _weigh(place)
    return place


def _signature(block: Block) -> tuple[Kind, str, str]:
    match block:
        case Leaf(node, _):
            return Kind.LEAF, node, ""
        case Empty():
            return Kind.EMPTY, "", ""
        case blocks.Sequence():
            return Kind.SEQUENCE, "", ""
        case Choice(split, merge, _):
            return Kind.CHOICE, split, merge
        case Parallel(split, merge, _):
            return Kind.PARALLEL, split, merge
        case Loop(_, end, _, _):
            return Kind.LOOP, end, ""


def _weigh(place: Place) -> None:
    costs = [child.cost for child in place.children]
    if place.kind is Kind.CHOICE:
        place.cost = min(costs)
        place.cheapest = costs.index(place.cost)
        for i, child in enumerate(place.children):
            if child.kind is Kind.EMPTY:
                place.cheapest = i
    elif place.kind is Kind.LOOP:
        place.cost = costs[0]
        place.cheapest = 1 + costs[1:].index(min(costs[1:]))
    else:
        place.cost = sum(costs)


def _find_way(leaf: Place) -> None:
    path, ahead = [leaf], [0]
    place = leaf
    while place.parent is not None:
        before = ahead[-1]
        if place.parent.kind is Kind.SEQUENCE:
            before += sum(sibling.cost for sibling in place.parent.children[: place.slot])
        elif place.parent.kind is Kind.LOOP and place.slot > 0:
            before += place.parent.children[0].cost
        place = place.parent
        path.append(place)
        ahead.append(before)
    leaf.path, leaf.ahead = tuple(reversed(path)), tuple(reversed(ahead))

"""Block structure: a tree of sequences, choices, parallels and loops, and the graph it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from metagraph.nodes import Flow, Gateway


@dataclass(frozen=True, slots=True)
class Leaf:
    """One task."""

    node: str
    label: str


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing: a flow that passes straight through."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    items: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Exactly one of the branches (XOR). The i-th outgoing flow of `split` leads to branch i."""

    split: str
    merge: str
    branches: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """All branches, in any order (AND); or any of them, drawn together (OR)."""

    split: str
    merge: str
    branches: tuple[Block, ...]
    some: bool = False
    """OR: some of the branches, all or none."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Body, then leave or redo one branch and the body again.

    The i-th outgoing flow of `end` leads to redo i and back to `start`; the last one leaves.
    """

    start: str
    end: str
    body: Block
    redos: tuple[Block, ...]


Block = Leaf | Empty | Sequence | Choice | Parallel | Loop


def parts_of(block: Block) -> tuple[Block, ...]:
    """The blocks that a block is made of."""
    match block:
        case Leaf() | Empty():
            return ()
        case Sequence(items):
            return items
        case Loop(_, _, body, redos):
            return (body, *redos)
        case Choice() | Parallel():
            return block.branches


def labels(block: Block) -> frozenset[str]:
    """The activities in a block."""
    if isinstance(block, Leaf):
        return frozenset((block.label,))
    return frozenset(label for part in parts_of(block) for label in labels(part))


def inclusive_blocks(block: Block) -> Iterator[Parallel]:
    """The blocks of which some of the branches are taken (OR), in reading order."""
    if isinstance(block, Parallel) and block.some:
        yield block
    for part in parts_of(block):
        yield from inclusive_blocks(part)


def any_order(block: Block) -> int:
    """How many tasks the largest loop of a choice has any of which may follow any other (a 'flower')."""
    size = 0
    if isinstance(block, Loop) and isinstance(block.body, Choice):
        size = sum(isinstance(branch, Leaf) for branch in block.body.branches)
    return max((size, *map(any_order, parts_of(block))))


def nodes_in(block: Block) -> Iterator[str]:
    """Ids of all nodes of a block."""
    match block:
        case Leaf(node, _):
            yield node
        case Choice(split, merge, _) | Parallel(split, merge, _):
            yield from (split, merge)
        case Loop(start, end, _, _):
            yield from (start, end)
    for part in parts_of(block):
        yield from nodes_in(part)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A graph's shape before calibration; its Start is 'start', its End 'end'."""

    block: Block
    tasks: tuple[tuple[str, str], ...]
    """(node id, activity label)."""
    gateways: tuple[Gateway, ...]
    flows: tuple[Flow, ...]


def skeleton(block: Block) -> Skeleton:
    """The graph that a block stands for; outgoing flows of each gateway are in the order of its branches."""
    builder = _Builder()
    tail = builder.add(block, "start")
    builder.connect(tail, "end")
    return Skeleton(block, tuple(builder.tasks), tuple(builder.gateways), tuple(builder.flows))


class _Builder:
    def __init__(self) -> None:
        self.tasks: list[tuple[str, str]] = []
        self.gateways: list[Gateway] = []
        self.flows: list[Flow] = []

    def connect(self, source: str, target: str) -> None:
        self.flows.append(Flow(f"f{len(self.flows)}", source, target))

    def add(self, block: Block, head: str) -> str:
        """Append the block after node `head`; return the node it ends in."""
        match block:
            case Empty():
                return head
            case Leaf(node, label):
                self.tasks.append((node, label))
                self.connect(head, node)
                return node
            case Sequence(items):
                for item in items:
                    head = self.add(item, head)
                return head
            case Choice(split, merge, branches):
                self.gateways += [Gateway(split, "xor_split"), Gateway(merge, "xor_merge")]
                return self._branches(head, split, merge, branches)
            case Parallel(split, merge, branches, some):
                self.gateways += [
                    Gateway(split, "or_split" if some else "and_split"),
                    Gateway(merge, "or_merge" if some else "and_merge"),
                ]
                return self._branches(head, split, merge, branches)
            case Loop(start, end, body, redos):
                return self._loop(head, start, end, body, redos)

    def _branches(self, head: str, split: str, merge: str, branches: tuple[Block, ...]) -> str:
        self.connect(head, split)
        for branch in branches:
            self.connect(self.add(branch, split), merge)
        return merge

    def _loop(self, head: str, start: str, end: str, body: Block, redos: tuple[Block, ...]) -> str:
        """The exit is the flow that whatever comes next draws from `end`, so it is the last one."""
        self.gateways += [Gateway(start, "loop_start"), Gateway(end, "loop_end")]
        self.connect(head, start)
        self.connect(self.add(body, start), end)
        for redo in redos:
            self.connect(self.add(redo, end), start)
        return end

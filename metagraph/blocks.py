"""Block structure: a tree of sequences, choices, parallels and loops, and the graph it stands for."""

from __future__ import annotations

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
    """All branches, in any order (AND)."""

    split: str
    merge: str
    branches: tuple[Block, ...]


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
            case Parallel(split, merge, branches):
                self.gateways += [Gateway(split, "and_split"), Gateway(merge, "and_merge")]
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

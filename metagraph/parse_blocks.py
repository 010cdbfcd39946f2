"""The block tree of a graph: the inverse of blocks.skeleton."""

from __future__ import annotations

from collections.abc import Iterable

from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import Flow, Gateway, Node, Start, Task

_MERGES = {"xor_split": "xor_merge", "and_split": "and_merge", "or_split": "or_merge"}


def parse_blocks(metagraph: Metagraph) -> Block:
    """The blocks that the metagraph's graph stands for; branches in the order of their gateway's flows.

    Raises DataError naming the gateway where the graph is no nesting of sequences, choices, parallels and
    loops.
    """
    return parse_graph(metagraph.nodes, metagraph.flows, metagraph.name)


def parse_graph(nodes: Iterable[Node], flows: Iterable[Flow], name: str) -> Block:
    """As parse_blocks, of bare nodes and flows; `name` is what the error calls them."""
    nodes = tuple(nodes)
    parser = _Parser(nodes, flows, name)
    start = next((node for node in nodes if isinstance(node, Start)), None)
    if start is None:
        raise DataError(f"{name} has no start: expected one node of kind start")
    block, stop = parser.run(parser.only(start.id))
    if parser.nodes[stop].kind != "end":
        raise parser.refused(stop, "closes nothing that was opened before it")
    return block


class _Parser:
    def __init__(self, nodes: tuple[Node, ...], flows: Iterable[Flow], name: str) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.targets: dict[str, list[str]] = {node.id: [] for node in nodes}
        self.incoming: dict[str, int] = dict.fromkeys(self.nodes, 0)
        for flow in flows:
            self.targets[flow.source].append(flow.target)
            self.incoming[flow.target] += 1
        self.name = name
        self.seen: set[str] = set()

    def run(self, at: str) -> tuple[Block, str]:
        """The block that begins at node `at`, and the node that closes it: a merge, a loop's end, a loop's
        start that was passed before, or the end."""
        items: list[Block] = []
        while True:
            node = self.nodes[at]
            opens = isinstance(node, Gateway) and (node.kind in _MERGES or node.kind == "loop_start")
            if not isinstance(node, Task) and (not opens or at in self.seen):
                return (items[0] if len(items) == 1 else Sequence(tuple(items)) if items else Empty()), at
            if at in self.seen:
                raise self.refused(at, "is reached twice without a gateway")
            self.seen.add(at)
            match node:
                case Task(label=label):
                    items.append(Leaf(at, label))
                    at = self.only(at)
                case Gateway(kind="loop_start"):
                    loop, at = self._loop(at)
                    items.append(loop)
                case Gateway(kind=kind):
                    fork, at = self._fork(at, _MERGES[kind])
                    items.append(fork)

    def _fork(self, split: str, merging: str) -> tuple[Block, str]:
        branches, stops = zip(*(self.run(target) for target in self.targets[split]), strict=True)
        merge = stops[0]
        if len(set(stops)) > 1 or self.nodes[merge].kind != merging or self.incoming[merge] != len(stops):
            raise self.refused(split, f"has branches that don't all meet, alone, in one {merging}")
        if merging == "xor_merge":
            return Choice(split, merge, branches), self.only(merge)
        return Parallel(split, merge, branches, merging == "or_merge"), self.only(merge)

    def _loop(self, start: str) -> tuple[Block, str]:
        body, end = self.run(self.only(start))
        if self.nodes[end].kind != "loop_end":
            raise self.refused(start, "opens a loop that no loop_end closes")
        *again, leaving = self.targets[end]
        redos = []
        for target in again:
            redo, back = self.run(target)
            if back != start:
                raise self.refused(end, f"has a flow other than its last that doesn't lead back to {start}")
            redos.append(redo)
        if not redos or self.incoming[start] != len(redos) + 1:
            raise self.refused(start, f"is entered by flows that don't come from its loop's end {end}")
        return Loop(start, end, body, tuple(redos)), leaving

    def only(self, node: str) -> str:
        """The one node that follows."""
        targets = self.targets[node]
        if len(targets) != 1:
            raise self.refused(node, f"has {len(targets)} outgoing flows where there can be only one")
        return targets[0]

    def refused(self, node: str, what: str) -> DataError:
        return DataError(
            f"{self.name} isn't made of nested blocks: {self.nodes[node].kind} {node} {what}; "
            "build the twin again or mend its flows"
        )

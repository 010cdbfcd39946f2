"""A graph of gateways as a block tree, by reduction: what runs between two gateways becomes one edge.

Each rule keeps the language (the set of traces). They are those by which workflow nets are reduced (Murata
1989; van Zelst & Leemans 2020, "Translating workflow nets to process trees"), told over gateways: a Petri
net's places choose and its transitions fork, so that BPMN and nets come in by one door.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from discovery.normal_form import EMPTY, choice, leaves, loop, may_be_empty, parallel, sequence
from metagraph.blocks import Block
from metagraph.errors import DataError

NodeKind = Literal["xor", "and"]


class NotNestedError(DataError):
    """A miner's result that is no nesting of sequences, choices, parallels and loops."""


@dataclass(slots=True, eq=False)
class Edge:
    """What happens between two gateways."""

    source: int
    target: int
    block: Block


@dataclass(slots=True, eq=False)
class GatewayGraph:
    """Gateways, numbered, and the edges between them, in an order that decides ties."""

    kinds: list[NodeKind] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def node(self, kind: NodeKind) -> int:
        """A new gateway; one that chooses merges by passing every token on, one that forks by waiting."""
        self.kinds.append(kind)
        return len(self.kinds) - 1

    def edge(self, source: int, target: int, block: Block = EMPTY) -> None:
        self.edges.append(Edge(source, target, block))


def reduced(graph: GatewayGraph, start: int, end: int, *, any_order: bool = False) -> Block:
    """The block between two gateways, which have no edge into the first and none out of the second.

    What can't be reduced is refused with NotNestedError, which names the tasks in it; or, with `any_order`,
    its tasks may come in any order, so that the language only grows.
    """
    reduction = _Reduction(graph, start, end)
    reduction.run()
    if len(reduction.edges) == 1:
        return reduction.edges[0].block
    if any_order:
        return reduction.loosened()
    raise NotNestedError(f"it isn't made of nested blocks: {reduction.tangle()}")


class _Reduction:
    def __init__(self, graph: GatewayGraph, start: int, end: int) -> None:
        self.kinds = list(graph.kinds)
        self.edges = [Edge(edge.source, edge.target, edge.block) for edge in graph.edges]
        self.start, self.end = start, end
        self._index()

    def _index(self) -> None:
        self.out: dict[int, list[Edge]] = defaultdict(list)
        self.into: dict[int, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            self.out[edge.source].append(edge)
            self.into[edge.target].append(edge)

    def run(self) -> None:
        """Apply the rules until none applies; each leaves fewer edges, or moves a loop out of the way."""
        rules = (self._side_by_side, self._in_series, self._loop, self._repeated, self._merged)
        while any(rule() for rule in rules):
            self._index()

    def _side_by_side(self) -> bool:
        """Edges between the same two choices are one choice, between the same two forks one parallel."""
        for edge in self.edges:
            u, v = edge.source, edge.target
            if u == v or self.kinds[u] != self.kinds[v]:
                continue
            twins = [other for other in self.out[u] if other.target == v]
            if len(twins) > 1:
                join = choice if self.kinds[u] == "xor" else parallel
                self._replace(twins, Edge(u, v, join(twin.block for twin in twins)))
                return True
        return False

    def _in_series(self) -> bool:
        """A gateway with one edge in and one out is none."""
        for node in range(len(self.kinds)):
            if len(self.into[node]) == 1 == len(self.out[node]):
                before, after = self.into[node][0], self.out[node][0]
                if before is not after:
                    block = sequence((before.block, after.block))
                    self._replace([before, after], Edge(before.source, after.target, block))
                    return True
        return False

    def _loop(self) -> bool:
        """One edge from u to v that all must take, and others back: a loop."""
        for body in self.edges:
            u, v = body.source, body.target
            if u == v or self.kinds[u] != "xor" or self.kinds[v] != "xor":
                continue
            if len(self.out[u]) != 1 or len(self.into[v]) != 1:
                continue
            redos = [edge for edge in self.out[v] if edge.target == u]
            if redos:
                self._replace([body, *redos], Edge(u, v, loop(body.block, [redo.block for redo in redos])))
                return True
        return False

    def _repeated(self) -> bool:
        """Edges from a choice to itself happen any number of times before it is left."""
        for node, kind in enumerate(self.kinds):
            around = [edge for edge in self.out[node] if edge.target == node]
            if kind != "xor" or not around or len(around) == len(self.out[node]):
                continue
            self.kinds.append("xor")
            behind = len(self.kinds) - 1
            for edge in self.out[node]:
                edge.source = behind
            if node == self.end:
                self.end = behind
            self._replace(around, Edge(node, behind, loop(EMPTY, [edge.block for edge in around])))
            return True
        return False

    def _merged(self) -> bool:
        """Two gateways of a kind with nothing between them are one, where one has no other way on or in."""
        for edge in self.edges:
            u, v = edge.source, edge.target
            if u == v or edge.block != EMPTY or self.kinds[u] != self.kinds[v]:
                continue
            if len(self.out[u]) == 1 and u != self.start:
                self._replace([edge])
                for other in self.into[u]:
                    other.target = v
                return True
            if len(self.into[v]) == 1 and v != self.end:
                self._replace([edge])
                for other in self.out[v]:
                    other.source = u
                return True
        return False

    def _replace(self, gone: list[Edge], *new: Edge) -> None:
        """At the place of the first that goes, so that the order stays that of the graph."""
        at = next(i for i, edge in enumerate(self.edges) if any(edge is one for one in gone))
        self.edges[at:at] = new
        self.edges = [edge for edge in self.edges if not any(edge is one for one in gone)]

    def tangle(self) -> str:
        """What is left, for the reason."""
        behind, before = self._reached(self.start), self._reached(self.end, back=True)
        lost = [edge for edge in self.edges if edge.target not in before or edge.source not in behind]
        if lost:
            return f"{_named(lost)} can't be reached, or lead nowhere"
        rigid = [edges for edges in self._regions() if len(edges) > 1]
        return "; ".join(f"{_named(edges)} are joined by gateways that cross" for edges in rigid)

    def loosened(self) -> Block:
        """In series: the edges that every case passes once, and between them the rest in any order."""
        parts: list[Block] = []
        for edges in self._regions():
            if len(edges) == 1:
                parts.append(edges[0].block)
                continue
            forks = any("and" in (self.kinds[e.source], self.kinds[e.target]) for e in edges)
            inner = [leaf for e in edges for leaf in leaves(e.block)] if forks else [e.block for e in edges]
            filled: list[Block] = [block for block in inner if block != EMPTY]
            if filled:
                free = loop(choice(filled), (EMPTY,))
                silent = all(may_be_empty(e.block) for e in edges) or self._passable(edges)
                parts.append(choice((free, EMPTY)) if silent else free)
        return sequence(parts)

    def _regions(self) -> list[list[Edge]]:
        """The edges in groups that follow one another: a group of one is passed by every case, once."""
        regions: list[list[Edge]] = [[]]
        at, left = self.start, list(self.edges)
        while left:
            ahead = {id(edge): self._reached(edge.target) for edge in left}
            bridges = [
                edge
                for edge in left
                if edge.source not in ahead[id(edge)] and self.end not in self._reached(at, without=edge)
            ]
            # The first bridge is the one from whose target the fewest others lie behind.
            first = max(bridges, key=lambda edge: len(ahead[id(edge)]), default=None)
            if first is None:
                regions[-1].extend(left)
                break
            beyond = ahead[id(first)]
            regions[-1].extend(e for e in left if e is not first and e.source not in beyond)
            regions += [[first], []]
            left = [edge for edge in left if edge is not first and edge.source in beyond]
            at = first.target
        return [edges for edges in regions if edges]

    def _reached(self, node: int, *, back: bool = False, without: Edge | None = None) -> set[int]:
        """The nodes that tokens can get to from here (or come from), itself included."""
        self._index()
        seen, stack = {node}, [node]
        while stack:
            for edge in (self.into if back else self.out)[stack.pop()]:
                other = edge.source if back else edge.target
                if edge is not without and other not in seen:
                    seen.add(other)
                    stack.append(other)
        return seen

    def _passable(self, edges: list[Edge]) -> bool:
        """Whether some way through these edges does nothing."""
        inner = {id(edge) for edge in edges}
        entries = {e.source for e in edges if e.source == self.start or self._from_outside(e.source, inner)}
        exits = {e.target for e in edges if e.target == self.end or self._to_outside(e.target, inner)}
        seen, stack = set(entries), list(entries)
        while stack:
            for edge in self.out[stack.pop()]:
                if id(edge) in inner and may_be_empty(edge.block) and edge.target not in seen:
                    seen.add(edge.target)
                    stack.append(edge.target)
        return bool(seen & exits)

    def _from_outside(self, node: int, inner: set[int]) -> bool:
        return any(id(edge) not in inner for edge in self.into[node])

    def _to_outside(self, node: int, inner: set[int]) -> bool:
        return any(id(edge) not in inner for edge in self.out[node])


def _named(edges: Iterable[Edge]) -> str:
    labels = sorted({leaf.label for edge in edges for leaf in leaves(edge.block)})
    return ", ".join(labels[:8]) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "") or "gateways"

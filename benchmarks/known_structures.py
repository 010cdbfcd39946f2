"""Structures of known processes, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel
from metagraph.blocks import Sequence as Row


class RandomStructure:
    """Draws a block and the weights of its gateways."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._n = 0
        self._weights: dict[str, Sequence[float]] = {}
        self._by_visit: dict[str, dict[int, Sequence[float]]] = {}

    def draw(self) -> tuple[Block, dict[str, Sequence[float]], dict[str, dict[int, Sequence[float]]]]:
        parts = [self._part(2) for _ in range(self._dice.randint(2, 4))]
        return Row((self._leaf(), *parts, self._leaf())), self._weights, self._by_visit

    def _leaf(self) -> Leaf:
        self._n += 1
        letter = f"{chr(64 + (self._n - 1) % 26 + 1)}{(self._n - 1) // 26 or ''}"
        return Leaf(f"t{self._n}", letter)

    def _part(self, depth: int) -> Block:
        kind = self._dice.choice(("leaf", "xor", "and", "loop") if depth else ("leaf",))
        self._n += kind != "leaf"
        node = f"{kind}{self._n}"
        if kind == "xor":
            branches: list[Block] = [self._row(depth - 1) for _ in range(self._dice.randint(2, 3))]
            if self._dice.random() < 0.35:
                branches[-1] = Empty()
            raw = [self._dice.choice((1.0, 2.0, 4.0)) for _ in branches]
            self._weights[node] = [w / sum(raw) for w in raw]
            return Choice(node, node + "_end", tuple(branches))
        if kind == "and":
            branches = [self._row(depth - 1) for _ in range(self._dice.randint(2, 3))]
            return Parallel(node, node + "_end", tuple(branches))
        if kind == "loop":
            again = self._dice.choice((0.1, 0.2, 0.35))
            end = node + "_end"
            self._weights[end] = (again, 1 - again)
            if self._dice.random() < 0.3:
                self._by_visit[end] = {1: (again, 1 - again), 2: (again / 3, 1 - again / 3)}
                passes = 1 + again / (1 - again / 3)
                self._weights[end] = (1 - 1 / passes, 1 / passes)
                self._by_visit[end] |= dict.fromkeys((3, 4, 5), self._by_visit[end][2])
            return Loop(node, end, self._row(0), (self._leaf(),))
        return self._leaf()

    def _row(self, depth: int) -> Block:
        """One part or two, begun by a task."""
        if self._dice.random() < 0.4:
            return Row((self._leaf(), self._part(depth)))
        return self._leaf()

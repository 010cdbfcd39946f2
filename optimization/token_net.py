"""A process as the arrays that the token game is played on, many games at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from math import inf

import numpy as np
from numpy.typing import NDArray

from metagraph.blocks import inclusive_blocks
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.nodes import End, Gateway, Node, Start, Task
from metagraph.parse_blocks import parse_blocks
from metagraph.routing import MAX_VISIT, Level, Routing

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TASK, END, ROUTE, SPLIT, MERGE, SOME, JOIN, PASS = range(8)
_KINDS = {
    "xor_split": ROUTE,
    "loop_end": ROUTE,
    "and_split": SPLIT,
    "and_merge": MERGE,
    "or_split": SOME,
    "or_merge": JOIN,
    "xor_merge": PASS,
    "loop_start": PASS,
}
_LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Kind:
    """What routing can tell of an order that stays as it is."""

    cls: str
    segment: str
    rules: tuple[str, ...]
    """Per routing gateway, in the order of TokenNet.routing: the rule that it meets; '' for none."""


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Rows of one back-off level of a gateway."""

    contexts: Ints
    """[kind, visit 0..MAX_VISIT] number of what the level looks at beside histories; -1: no row has it."""
    span: int
    keys: Ints
    """Context times span plus history, ascending."""
    rows: Ints
    """Of `cumulative`, per key."""


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """How one gateway chooses."""

    levels: tuple[_Level, ...]
    cumulative: Floats
    """[row, outcome] running sums of weights; infinite from the last positive one on."""

    def row(self, kinds: Ints, visits: Ints, histories: Ints) -> Ints:
        """The row that holds for each game, by the first level that has one."""
        found = np.full(len(kinds), -1, np.int64)
        missing = np.arange(len(kinds))
        for level in self.levels:
            context = level.contexts[kinds[missing], np.minimum(visits[missing], MAX_VISIT)]
            keys = context * level.span + histories[missing] % level.span
            at = np.minimum(np.searchsorted(level.keys, keys), len(level.keys) - 1)
            known = (context >= 0) & (level.keys[at] == keys)
            found[missing[known]] = level.rows[at[known]]
            missing = missing[~known]
            if not len(missing):
                break
        return found


class TokenNet:
    """Nodes by index. Weights depend on the kinds of orders that are given."""

    def __init__(self, metagraph: Metagraph) -> None:
        nodes = metagraph.nodes
        outgoing = metagraph.outgoing()
        routing = {routing.node: routing for routing in metagraph.routing}
        ends = {flow.id: flow.target for flow in metagraph.flows}
        incoming: dict[str, int] = {}
        for flow in metagraph.flows:
            incoming[flow.target] = incoming.get(flow.target, 0) + 1
        self.nodes: tuple[Node, ...] = nodes
        self.index = {node.id: i for i, node in enumerate(nodes)}
        self.start = next(self.index[node.id] for node in nodes if isinstance(node, Start))
        self.kind = [_kind(node) for node in nodes]
        missing = [g.id for g in metagraph.gateways() if g.routes and g.id not in routing]
        if missing:
            raise DataError(
                f"gateway {missing[0]!r} has no routing: say how often each of its flows is taken"
            )
        self.routing: tuple[Routing, ...] = tuple(routing[g.id] for g in metagraph.gateways() if g.routes)
        chosen = {table.node: [ends[flow] for flow in table.flows] for table in self.routing}
        self.targets: list[tuple[int, ...]] = [
            tuple(self.index[to] for to in chosen.get(node.id, [flow.target for flow in outgoing[node.id]]))
            for node in nodes
        ]
        self.need = [incoming.get(node.id, 0) for node in nodes]
        columns = count()
        self.merge = [next(columns) if kind in (MERGE, JOIN) else -1 for kind in self.kind]
        self.merges = next(columns)
        number = {table.node: i for i, table in enumerate(self.routing)}
        self.gateway = [number.get(node.id, -1) for node in nodes]
        """Per node: index into `routing`."""
        self.joins = _joins(metagraph, self.index)
        self.outcomes: dict[int, list[tuple[int, ...]]] = {
            self.index[table.node]: _outcomes(table, chosen[table.node], self.index, self.joins)
            for table in self.routing
        }
        """Per routing gateway: nodes behind the flows that each choice takes."""
        self.codes = _codes(metagraph)
        self.base = len(self.codes) + 1
        longest = max((level.history for table in self.routing for level in table.levels), default=0)
        self.longest = longest
        self.span = self.base ** max(longest, 1)
        if self.span > _LARGEST // 1000:
            raise DataError(
                f"the routing looks at the last {longest} of {self.base - 2} activities, which are too many "
                "histories to tell apart: shorten those of its levels"
            )

    def history(self, labels: Sequence[str]) -> int:
        """The code of completed activities, oldest first; an unknown one is like no other."""
        code = 0
        for label in labels[-max(self.longest, 1) :]:
            code = (code * self.base + self.codes.get(label, self.base - 1)) % self.span
        return code

    def choices(self, kinds: Sequence[Kind]) -> list[Choices]:
        """Per routing gateway, for orders of these kinds."""
        return [self._choices(i, table, kinds) for i, table in enumerate(self.routing)]

    def _choices(self, number: int, table: Routing, kinds: Sequence[Kind]) -> Choices:
        levels = (*table.levels, Level())
        rows: list[dict[tuple[tuple[str, ...], int], int]] = [{} for _ in levels]
        sums: list[list[float]] = []
        for row in table.rows:
            level = table.levels[row.level]
            cut = len(row.key) - level.history
            key = row.key[:cut], self._ending(row.key[cut:])
            rows[row.level][key] = len(sums)
            sums.append(_running(row.weights, table.node))
        sums.append(_running(table.overall().weights, table.node))
        rows[-1][(), 0] = len(sums) - 1
        made = [
            self._level(number, level, found, kinds)
            for level, found in zip(levels, rows, strict=True)
            if found
        ]
        return Choices(tuple(made), np.array(sums))

    def _ending(self, labels: Sequence[str]) -> int:
        code = 0
        for label in labels:
            code = code * self.base + self.codes[label]
        return code

    def _level(
        self,
        number: int,
        level: Level,
        rows: Mapping[tuple[tuple[str, ...], int], int],
        kinds: Sequence[Kind],
    ) -> _Level:
        known = {context: i for i, context in enumerate(dict.fromkeys(context for context, _ in rows))}
        contexts = np.full((len(kinds), MAX_VISIT + 1), -1, np.int64)
        for k, kind in enumerate(kinds):
            for visit in range(MAX_VISIT + 1):
                parts = (
                    *((kind.cls,) if level.cls else ()),
                    *((kind.segment,) if level.segment else ()),
                    *((str(visit),) if level.visit else ()),
                    *((kind.rules[number],) if level.rule else ()),
                )
                contexts[k, visit] = known.get(parts, -1)
        span = self.base**level.history
        keys = np.array([known[context] * span + history for context, history in rows], np.int64)
        order = np.argsort(keys)
        return _Level(contexts, span, keys[order], np.array([*rows.values()], np.int64)[order])


def _running(weights: Sequence[float], node: str) -> list[float]:
    total = sum(weights)
    if not total > 0 or min(weights) < 0:
        raise DataError(
            f"gateway {node!r} has the weights {tuple(weights)}: they must be positive somewhere, negative "
            "nowhere"
        )
    last = max(i for i, weight in enumerate(weights) if weight > 0)
    sums = [value / total for value in accumulate(weights)]
    return sums[:last] + [inf] * (len(sums) - last)


def _outcomes(
    table: Routing, targets: Sequence[str], index: Mapping[str, int], joins: Mapping[int, int]
) -> list[tuple[int, ...]]:
    to = {flow: index[target] for flow, target in zip(table.flows, targets, strict=True)}
    found = [tuple(to[flow] for flow in table.flows if flow in taken) for taken in table.outcomes()]
    return [taken or (joins[index[table.node]],) for taken in found]


def _joins(metagraph: Metagraph, index: Mapping[str, int]) -> dict[int, int]:
    """Per or_split: the or_merge behind it."""
    if not any(gateway.kind == "or_split" for gateway in metagraph.gateways()):
        return {}
    blocks = inclusive_blocks(parse_blocks(metagraph))
    return {index[block.split]: index[block.merge] for block in blocks}


def _codes(metagraph: Metagraph) -> dict[str, int]:
    """Codes of activities in histories, from 1 on; '' pads."""
    codes = {"": 0}
    for task in metagraph.tasks():
        codes.setdefault(task.label, len(codes))
    for table in metagraph.routing:
        for row in table.rows:
            history = table.levels[row.level].history
            for label in row.key[-history:] if history else ():
                codes.setdefault(label, len(codes))
    return codes


def _kind(node: Node) -> int:
    if isinstance(node, Gateway):
        return _KINDS[node.kind]
    return TASK if isinstance(node, Task) else END if isinstance(node, End) else PASS

"""Faults of the task graph and of its routing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from metagraph.check_tokens import token_faults
from metagraph.errors import DataError
from metagraph.expressions import parse
from metagraph.faults import Fault, listed, shown
from metagraph.model import Metagraph
from metagraph.nodes import End, Flow, Gateway, Node, Start
from metagraph.routing import MOST_RULES, Level, Routing

WEIGHT_TOLERANCE = 1e-6
"""How far weights and shares may be from summing to 1."""

_MANY = math.inf
MOST_BRANCHES = 30
"""Of an or_split."""
_DEGREES: dict[str, tuple[tuple[int, float], tuple[int, float]]] = {
    "start": ((0, 0), (1, 1)),
    "end": ((1, _MANY), (0, 0)),
    "task": ((1, 1), (1, 1)),
    "and_split": ((1, 1), (2, _MANY)),
    "xor_split": ((1, 1), (2, _MANY)),
    "or_split": ((1, 1), (2, MOST_BRANCHES)),
    "loop_end": ((1, 1), (2, _MANY)),
    "and_merge": ((2, _MANY), (1, 1)),
    "xor_merge": ((2, _MANY), (1, 1)),
    "or_merge": ((2, _MANY), (1, 1)),
    "loop_start": ((2, _MANY), (1, 1)),
}
"""By kind of node: the least and most incoming flows, the least and most outgoing ones."""


def graph_faults(metagraph: Metagraph) -> Iterator[Fault]:
    """Faults of nodes, flows and routing."""
    nodes = {node.id: node for node in metagraph.nodes}
    twisted = len(nodes) < len(metagraph.nodes) or len({f.id for f in metagraph.flows}) < len(metagraph.flows)
    for kind, cls in (("start", Start), ("end", End)):
        found = [node.id for node in metagraph.nodes if isinstance(node, cls)]
        if len(found) != 1:
            twisted = True
            yield Fault(
                "nodes", f"{len(found)} of kind {kind} ({listed(found) or 'none'}); exactly one is needed"
            )
    known: list[Flow] = []
    for flow in metagraph.flows:
        strangers = [end for end in (flow.source, flow.target) if end not in nodes]
        known += [] if strangers else [flow]
        for end in strangers:
            yield Fault(f"flow {flow.id}", f"{shown(end)} is no node")
    shape = (*_degree_faults(metagraph.nodes, known), *_reach_faults(metagraph, known))
    yield from shape
    if not shape and not twisted and len(known) == len(metagraph.flows):
        yield from token_faults(metagraph)
    yield from _routing_faults(metagraph, nodes)


def node_name(node: Node) -> str:
    """What a fault calls a node."""
    return f"{node.kind if not isinstance(node, Gateway) else 'gateway'} {node.id}"


def _degree_faults(nodes: Iterable[Node], flows: Iterable[Flow]) -> Iterator[Fault]:
    incoming = Counter(flow.target for flow in flows)
    outgoing = Counter(flow.source for flow in flows)
    for node in nodes:
        needs = zip(("incoming", "outgoing"), (incoming, outgoing), _DEGREES[node.kind], strict=True)
        for direction, counted, (least, most) in needs:
            n = counted[node.id]
            if not least <= n <= most:
                bound = f"exactly {least}" if most == least else f"at least {least}"
                bound += f", at most {most}" if least < most < _MANY else ""
                yield Fault(node_name(node), f"{n} {direction} flows; {node.kind} has {bound}")


def _reach_faults(metagraph: Metagraph, flows: list[Flow]) -> Iterator[Fault]:
    starts = {node.id for node in metagraph.nodes if isinstance(node, Start)}
    ends = {node.id for node in metagraph.nodes if isinstance(node, End)}
    reached = _closure(starts, ((flow.source, flow.target) for flow in flows))
    leaving = _closure(ends, ((flow.target, flow.source) for flow in flows))
    closed = _closed_flows(metagraph)
    walked = _closure(ends, ((flow.target, flow.source) for flow in flows if flow.id not in closed))
    for node in metagraph.nodes:
        if starts and node.id not in reached:
            yield Fault(node_name(node), "it can't be reached from the start")
        if ends and node.id not in leaving:
            yield Fault(node_name(node), "the end can't be reached from it")
        elif ends and node.id not in walked and isinstance(node, Gateway) and node.routes:
            yield Fault(node_name(node), "its weights never let an order leave towards the end")


def _closed_flows(metagraph: Metagraph) -> set[str]:
    """Flows with no weight whatever in the row without context."""
    closed: set[str] = set()
    for routing in metagraph.routing:
        for row in routing.rows:
            if not row.key and len(row.weights) == len(routing.outcomes()):
                closed.update(
                    f for f, w in zip(routing.flows, routing.shares(row.weights), strict=True) if w == 0
                )
                break
    return closed


def _closure(seeds: set[str], arcs: Iterable[tuple[str, str]]) -> set[str]:
    following: dict[str, list[str]] = {}
    for a, b in arcs:
        following.setdefault(a, []).append(b)
    seen, todo = set(seeds), list(seeds)
    while todo:
        for b in following.get(todo.pop(), ()):
            if b not in seen:
                seen.add(b)
                todo.append(b)
    return seen


def _routing_faults(metagraph: Metagraph, nodes: dict[str, Node]) -> Iterator[Fault]:
    outgoing: dict[str, list[str]] = {}
    for flow in metagraph.flows:
        outgoing.setdefault(flow.source, []).append(flow.id)
    seen = Counter(routing.node for routing in metagraph.routing)
    for gateway in metagraph.gateways():
        if gateway.routes and gateway.id not in seen:
            yield Fault(
                node_name(gateway), f"no routing; a {gateway.kind} needs weights for its outgoing flows"
            )
    for name, n in seen.items():
        if n > 1:
            yield Fault(f"routing of {name}", f"given {n} times; once is enough")
    for routing in metagraph.routing:
        where = f"routing of {routing.node}"
        node = nodes.get(routing.node)
        if not isinstance(node, Gateway) or not node.routes:
            yield Fault(
                where, f"{shown(routing.node)} is no gateway that chooses (xor_split, or_split or loop_end)"
            )
        elif sorted(routing.flows) != sorted(outgoing.get(node.id, ())):
            yield Fault(
                f"{where}, flows",
                f"{listed(routing.flows) or 'none'}; the flows that leave it are "
                f"{listed(outgoing.get(node.id, [])) or 'none'}",
            )
        yield from _subset_faults(routing, node, where)
        yield from _rule_faults(routing, where)
        yield from _level_faults(routing, where)
        yield from _row_faults(routing, where)


def _subset_faults(routing: Routing, node: Node | None, where: str) -> Iterator[Fault]:
    inclusive = isinstance(node, Gateway) and node.kind == "or_split"
    if inclusive != bool(routing.subsets):
        told = (
            "none; an or_split needs those that can be taken together"
            if inclusive
            else "only an or_split has them"
        )
        yield Fault(f"{where}, subsets", told)
    for flows, n in Counter(tuple(sorted(subset)) for subset in routing.subsets).items():
        if n > 1:
            yield Fault(f"{where}, subsets", f"{listed(flows) or 'none'} is given {n} times")
    for i, subset in enumerate(routing.subsets):
        strangers = [flow for flow in subset if flow not in routing.flows]
        if strangers or len(set(subset)) < len(subset):
            what = f"{shown(strangers[0])} is no flow of this routing" if strangers else "a flow comes twice"
            yield Fault(f"{where}, subset {i}", what)


def _rule_faults(routing: Routing, where: str) -> Iterator[Fault]:
    if len(routing.rules) > MOST_RULES:
        yield Fault(
            f"{where}, rules", f"{len(routing.rules)} of them; at most {MOST_RULES} can be told apart"
        )
    for i, rule in enumerate(routing.rules, 1):
        try:
            parse(rule.when, f"{where}, rule {i}")
        except DataError as error:
            yield Fault(f"{where}, rule {i}", str(error).removeprefix(f"{where}, rule {i}").lstrip(",: "))
        if rule.n < 0:
            yield Fault(f"{where}, rule {i}", f"n = {rule.n}; a count can't be negative")
    known = {"", *map(str, range(1, len(routing.rules) + 1))}
    for row in routing.rows:
        if not 0 <= row.level < len(routing.levels) or not routing.levels[row.level].rule:
            continue
        level = routing.levels[row.level]
        at = level.cls + level.segment + level.visit
        if at < len(row.key) and row.key[at] not in known:
            yield Fault(
                f"{where}, context {list(row.key)}",
                f"{shown(row.key[at])} is no rule; expected the number of one, from 1 to "
                f"{len(routing.rules)}, or '' for orders that meet none",
            )


def _level_faults(routing: Routing, where: str) -> Iterator[Fault]:
    for i, level in enumerate(routing.levels):
        if level.history < 0:
            yield Fault(f"{where}, level {i}", f"history {level.history}; it can't be negative")
        if _width(level) == 0 and i < len(routing.levels) - 1:
            yield Fault(f"{where}, level {i}", "a level without context; only the last one is")
    if not routing.levels or _width(routing.levels[-1]) != 0:
        yield Fault(f"{where}, levels", "the last level must be the one without context")
    if not any(not row.key for row in routing.rows):
        yield Fault(f"{where}, rows", "no row without context, which all others fall back to")


def _row_faults(routing: Routing, where: str) -> Iterator[Fault]:
    keys = Counter((row.level, row.key) for row in routing.rows)
    for (level, key), n in keys.items():
        if n > 1:
            yield Fault(f"{where}, level {level}, context {list(key)}", f"given {n} times")
    for i, row in enumerate(routing.rows):
        spot = f"{where}, row {i} (context {list(row.key)})"
        if not 0 <= row.level < len(routing.levels):
            yield Fault(spot, f"level {row.level} doesn't exist; there are {len(routing.levels)}, from 0")
        elif len(row.key) != _width(routing.levels[row.level]):
            needed = _width(routing.levels[row.level])
            yield Fault(spot, f"{len(row.key)} parts of context; level {row.level} has {needed}")
        if row.n < 0:
            yield Fault(spot, f"n = {row.n}; a count can't be negative")
        wanted = len(routing.outcomes())
        if len(row.weights) != wanted:
            what = "subsets" if routing.subsets else "flows"
            yield Fault(spot, f"{len(row.weights)} weights for {wanted} {what}")
        yield from share_faults(row.weights, spot, "weights")


def share_faults(shares: tuple[float, ...], where: str, what: str) -> Iterator[Fault]:
    """Faults of numbers that must be non-negative and sum to 1."""
    if any(share < 0 for share in shares):
        yield Fault(where, f"{what} {list(shares)}; none may be negative")
    elif abs(math.fsum(shares) - 1) > WEIGHT_TOLERANCE:
        yield Fault(where, f"{what} {list(shares)} sum to {math.fsum(shares):.6g}; they must sum to 1")


def _width(level: Level) -> int:
    return level.cls + level.segment + level.visit + level.rule + max(level.history, 0)

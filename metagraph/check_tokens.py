"""Whether the tokens of one order can go wrong in a graph: get stuck at a merge, or be two at one place."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from metagraph.errors import DataError
from metagraph.faults import Fault
from metagraph.model import Metagraph
from metagraph.nodes import Start
from metagraph.parse_blocks import parse_blocks

MOST_MARKINGS = 20_000

Marking = frozenset[str]
"""Flows that hold a token."""


def token_faults(metagraph: Metagraph) -> Iterator[Fault]:
    """The shortest way in which an order goes wrong, if there is one; for graphs whose flows have no fault.

    Nested blocks can't go wrong, nor can graphs without circles whose gateways are all splits and merges by
    AND: each flow gets one token. Of others all markings are looked at (Murata, Petri nets, 1989: 1-safe and
    free of deadlock), up to MOST_MARKINGS; what is larger passes unseen.
    """
    if _parallel_only(metagraph) or _nested(metagraph):
        return
    inclusive = [gateway for gateway in metagraph.gateways() if gateway.kind in ("or_split", "or_merge")]
    if inclusive:
        # What an or_merge waits for is what its own or_split has taken, so there must be such a one.
        yield Fault(
            f"gateway {inclusive[0].id}",
            f"the graph isn't made of nested blocks, and with {inclusive[0].kind} it must be; close each "
            "or_split by an or_merge of its own",
        )
    else:
        yield from _Walk(metagraph).faults()


def _nested(metagraph: Metagraph) -> bool:
    try:
        parse_blocks(metagraph)
    except DataError:
        return False
    return True


def _parallel_only(metagraph: Metagraph) -> bool:
    if any(gateway.kind not in ("and_split", "and_merge") for gateway in metagraph.gateways()):
        return False
    missing = {node.id: 0 for node in metagraph.nodes}
    for flow in metagraph.flows:
        missing[flow.target] += 1
    outgoing = metagraph.outgoing()
    free = [node for node, n in missing.items() if n == 0]
    done = 0
    while free:
        done += 1
        for flow in outgoing[free.pop()]:
            missing[flow.target] -= 1
            free += [flow.target] if missing[flow.target] == 0 else []
    return done == len(missing)


class _Walk:
    """All markings that one token behind the start can lead to."""

    def __init__(self, metagraph: Metagraph) -> None:
        self.kinds = {node.id: node.kind for node in metagraph.nodes}
        self.outgoing = {n: tuple(f.id for f in flows) for n, flows in metagraph.outgoing().items()}
        self.incoming: dict[str, list[str]] = {node.id: [] for node in metagraph.nodes}
        for flow in metagraph.flows:
            self.incoming[flow.target].append(flow.id)
        self.target = {flow.id: flow.target for flow in metagraph.flows}
        start = next(node.id for node in metagraph.nodes if isinstance(node, Start))
        self.first: Marking = frozenset(self.outgoing[start])

    def faults(self) -> Iterator[Fault]:
        seen, todo = {self.first}, deque([self.first])
        while todo and len(seen) <= MOST_MARKINGS:
            marking = todo.popleft()
            steps = tuple(self.steps(marking))
            if marking and not steps:
                yield self._stuck(marking)
                return
            for taken, given in steps:
                rest = marking - set(taken)
                twice = rest & set(given)
                if twice:
                    yield self._doubled(min(twice))
                    return
                after = rest | set(given)
                if after not in seen:
                    seen.add(after)
                    todo.append(after)

    def steps(self, marking: Marking) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """(flows that lose their token, flows that get one) for each thing that can happen next."""
        for node in sorted({self.target[flow] for flow in marking}):
            kind, out = self.kinds[node], self.outgoing[node]
            here = tuple(flow for flow in self.incoming[node] if flow in marking)
            if kind == "and_merge":
                if len(here) == len(self.incoming[node]):
                    yield here, out
            elif kind in ("xor_split", "loop_end"):
                yield from ((here, (flow,)) for flow in out)
            else:
                # Several tokens before one task or merge count as two at one place as soon as both move on.
                yield from (((flow,), out) for flow in here)

    def _stuck(self, marking: Marking) -> Fault:
        merge = min(self.target[flow] for flow in marking)
        n = sum(flow in marking for flow in self.incoming[merge])
        return Fault(
            f"gateway {merge}",
            f"orders can get stuck here: {n} of {len(self.incoming[merge])} branches arrive and the others "
            "never do; close an xor_split by an xor_merge and an and_split by an and_merge",
        )

    def _doubled(self, flow: str) -> Fault:
        return Fault(
            f"flow {flow}",
            f"an order can have two tokens at once on the way to {self.target[flow]}; close the and_split "
            "that makes them by an and_merge",
        )

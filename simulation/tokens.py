"""The token game: how an order moves through gateways, in no time."""

from __future__ import annotations

from bisect import bisect_right

from metagraph.errors import DataError
from simulation.network import Kind, Network
from simulation.program import Standing, Token
from simulation.streams import REDRAW, Purpose, Stream

MAX_STEPS = 10_000
"""Nodes that one order may pass; a loop that is never left ends here."""

_ROUTE = int(Purpose.ROUTE)
_REDRAWS = 50


class Journey:
    """One order on its way."""

    __slots__ = ("cls", "history", "lost", "merged", "name", "order", "segment", "steps", "tokens", "visits")

    def __init__(self, order: int, name: str, cls: int, segment: int) -> None:
        self.order = order
        """Its index, which keys its random numbers."""
        self.name = name
        self.cls = cls
        self.segment = segment
        self.history = 0
        """Code of the activities it completed."""
        self.tokens = 1
        """Where it stands at once; 0 once it is complete."""
        self.steps = 0
        self.visits: dict[int, int] = {}
        """Per task and routing gateway: how often it went there."""
        self.merged: dict[int, int] = {}
        """Per and_merge: tokens that wait there."""
        self.lost = False


def advance(network: Network, journey: Journey, node: int, stream: Stream, redraw: int = 0) -> list[int]:
    """Move one token that reaches `node` on until it rests; the tasks that it and its split parts reach.

    `redraw` > 0 takes other random choices for the same gateways. Raises DataError for a loop without end.
    """
    kinds, targets = network.kinds, network.targets
    reached: list[int] = []
    open_ends = [node]
    while open_ends:
        here = open_ends.pop()
        kind = kinds[here]
        journey.steps += 1
        if journey.steps > MAX_STEPS:
            raise _endless(network, journey, here)
        if kind == Kind.TASK:
            journey.visits[here] = journey.visits.get(here, 0) + 1
            reached.append(here)
        elif kind == Kind.ROUTE:
            open_ends.append(_choose(network, journey, here, stream, redraw))
        elif kind == Kind.END:
            journey.tokens -= 1
        elif kind == Kind.SPLIT:
            journey.tokens += len(targets[here]) - 1
            open_ends.extend(reversed(targets[here]))
        elif kind == Kind.MERGE:
            arrived = journey.merged.get(here, 0) + 1
            journey.merged[here] = arrived % network.needs[here]
            if arrived == network.needs[here]:
                journey.tokens -= arrived - 1
                open_ends.append(targets[here][0])
        else:
            open_ends.append(targets[here][0])
    return reached


def routed(network: Network, journey: Journey, standing: Standing, stream: Stream) -> list[tuple[int, Token]]:
    """Set the journey to where an open order stands, tokens at gateways moved on to tasks.

    It is known to be open: a way on which it would end without any further task is drawn again, 50 times.
    """
    for redraw in range(_REDRAWS):
        journey.history, journey.steps = standing.history, 0
        journey.visits, journey.merged = dict(standing.visits), dict(standing.merged)
        journey.tokens = len(standing.tokens) + sum(standing.merged.values())
        reached = []
        for token in standing.tokens:
            if network.kinds[token.node] == Kind.TASK:
                reached.append((token.node, token))
            else:
                # The visit that a token at a gateway is making was counted when it came there.
                journey.visits[token.node] = max(journey.visits.get(token.node, 0) - 1, 0)
                ways = advance(network, journey, token.node, stream, redraw)
                reached += [(task, token) for task in ways]
        if journey.tokens:
            break
    return reached


def _choose(network: Network, journey: Journey, here: int, stream: Stream, redraw: int) -> int:
    visit = journey.visits.get(here, 0) + 1
    journey.visits[here] = visit
    route = network.routes[here]
    assert route is not None
    cumulative = route.cumulative(journey.cls, journey.segment, visit, journey.history)
    if len(cumulative) == 1:
        return network.targets[here][0]
    u = stream.uniform(journey.order, here, visit, _ROUTE + REDRAW * redraw)
    return network.targets[here][bisect_right(cumulative, u)]


def _endless(network: Network, journey: Journey, here: int) -> DataError:
    return DataError(
        f"order {journey.name} passed {MAX_STEPS} nodes and is still at {network.node_ids[here]!r}: its loop "
        "is (nearly) never left; lower the weight of going round again"
    )

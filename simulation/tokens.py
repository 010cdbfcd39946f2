"""The token game: how an order moves through gateways, in no time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from metagraph.errors import DataError
from metagraph.routing import MAX_VISIT
from simulation.frames import Frame
from simulation.items import Item
from simulation.program import Kind
from simulation.recorded import Path
from simulation.streams import REDRAW, Purpose

MAX_STEPS = 10_000
"""Nodes that one order may pass; a loop that is never left ends here."""

_TASK, _END, _ROUTE, _SPLIT, _MERGE, _SOME, _JOIN = (int(kind) for kind in list(Kind)[1:])
_DRAW = int(Purpose.ROUTE)


class Uniforms(Protocol):
    """Where random numbers come from: a Stream, or what foresees one."""

    def uniform(self, order: int, node: int, visit: int, purpose: int, /) -> float: ...


class Journey:
    """One order on its way."""

    __slots__ = (
        "cls",
        "history",
        "items",
        "merged",
        "order",
        "path",
        "ruled",
        "segment",
        "steps",
        "tokens",
        "visits",
    )

    def __init__(
        self,
        frame: Frame,
        order: int,
        cls: int,
        segment: int,
        ruled: Sequence[int],
        path: Path | None = None,
    ) -> None:
        self.path = path
        """What is known of it beforehand."""
        self.order = order
        """Its index, which keys its random numbers."""
        self.cls = cls
        self.segment = segment
        self.ruled = ruled
        """Per route with rules: number of the first one that it meets; empty without such routes."""
        self.history = 0
        """Code of the activities it completed."""
        self.tokens = 1
        """Where it stands at once; 0 once it has ended."""
        self.steps = 0
        self.visits = [0] * frame.network.visits
        """Per column of tasks and routing gateways: how often it came there."""
        self.merged = [0] * frame.network.merges
        """Per column of and_merges: tokens that wait there; of or_merges: those that are still to come."""
        self.items: list[Item] = []
        """Its live ones, by serial."""


def advance(
    frame: Frame, journey: Journey, node: int, stream: Uniforms, ids: Sequence[str], redraw: int = 0
) -> list[tuple[int, int]]:
    """Move one token that reaches `node` on until it rests; (task's node, visit) of each that it and its
    split parts reach, in their order.

    `redraw` > 0 takes other random choices for the same gateways. Raises DataError for a loop without end;
    `ids` are the names of the orders.
    """
    kinds, targets = frame.kinds, frame.targets
    reached: list[tuple[int, int]] = []
    open_ends = [node]
    while open_ends:
        here = open_ends.pop()
        kind = kinds[here]
        journey.steps += 1
        if journey.steps > MAX_STEPS:
            raise _endless(frame, ids[journey.order], here)
        if kind == _TASK:
            column = frame.visit[here]
            journey.visits[column] += 1
            reached.append((here, journey.visits[column]))
        elif kind == _ROUTE:
            drawn = _draw(frame, journey, here, len(targets[here]), stream, redraw)
            open_ends.append(targets[here][drawn])
        elif kind == _END:
            journey.tokens -= 1
        elif kind == _SPLIT:
            journey.tokens += len(targets[here]) - 1
            open_ends.extend(reversed(targets[here]))
        elif kind == _MERGE:
            if _merged(frame, journey, here):
                open_ends.append(targets[here][0])
        elif kind == _SOME:
            open_ends.extend(_some(frame, journey, here, stream, redraw))
        elif kind != _JOIN or _all_came(frame, journey, here):
            open_ends.append(targets[here][0])
    return reached


def _merged(frame: Frame, journey: Journey, here: int) -> bool:
    """Whether a token that comes to an and_merge is the last one; the others wait there."""
    column = frame.merge[here]
    arrived = journey.merged[column] + 1
    journey.merged[column] = arrived % frame.needs[here]
    if arrived < frame.needs[here]:
        return False
    journey.tokens -= arrived - 1
    return True


def _some(frame: Frame, journey: Journey, here: int, stream: Uniforms, redraw: int) -> Sequence[int]:
    """The nodes behind the branches that an or_split takes, the last one first; its or_merge if it takes
    none. The or_merge is told how many tokens to wait for."""
    subsets, join = frame.subsets[here], frame.joins[here]
    taken = subsets[_draw(frame, journey, here, len(subsets), stream, redraw)] or (join,)
    journey.merged[frame.merge[join]] = len(taken)
    journey.tokens += len(taken) - 1
    return taken[::-1]


def _all_came(frame: Frame, journey: Journey, here: int) -> bool:
    """Whether a token that comes to an or_merge is the last one; the others end there."""
    column = frame.merge[here]
    journey.merged[column] = max(journey.merged[column] - 1, 0)
    if journey.merged[column]:
        journey.tokens -= 1
        return False
    return True


def _draw(frame: Frame, journey: Journey, here: int, n: int, stream: Uniforms, redraw: int) -> int:
    """Which of n ways on an order takes."""
    column = frame.visit[here]
    journey.visits[column] += 1
    visit = journey.visits[column]
    if n == 1:
        return 0
    if journey.path is not None:
        known = journey.path.at(here, visit)
        if known is not None and known.way >= 0:
            return known.way
    first = weights_at(frame, journey, here, visit)
    u = stream.uniform(journey.order, here, visit, _DRAW + REDRAW * redraw)
    return bisect_right(frame.cumulative, u, first, first + n) - first


def weights_at(frame: Frame, journey: Journey, here: int, visit: int) -> int:
    """Where the running sums begin, in `Frame.cumulative`, by which an order that is at a gateway goes on."""
    visit = min(visit, MAX_VISIT)
    for level in frame.levels[here]:
        context = 0
        if level.cls:
            context = journey.cls + 1
        if level.segment:
            context = context << 24 | journey.segment + 1
        if level.visit:
            context = context << 4 | visit
        if level.rule:
            context = context << 8 | (journey.ruled[frame.ruled[here]] if frame.ruled[here] >= 0 else 0)
        found = level.rows.get((context, journey.history % level.span))
        if found is not None:
            return found
    raise KeyError("a gateway without a row for every context")


def _endless(frame: Frame, name: str, here: int) -> DataError:
    return DataError(
        f"order {name} passed {MAX_STEPS} nodes and is still at {frame.network.node_ids[here]!r}: its loop "
        "is (nearly) never left; lower the weight of going round again"
    )

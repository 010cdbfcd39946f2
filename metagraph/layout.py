"""Where everything of a block-structured process is drawn: each block has ground of its own, so that no line
crosses a box."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Row
from itertools import pairwise
from typing import Literal

from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Parallel, Sequence
from metagraph.captions import percent, wrapped
from metagraph.rows import GAP, TURN, chained, in_a_row
from metagraph.shapes import Box, Line, Piece, Pill, Point, line, through

FONT = 12.0
"""Size of labels in pixels."""
TASK_W, TASK_H, LINE_H = 130.0, 62.0, 14.5
SLIM_W, SLIM_H, SLIM_TIME_W = 222.0, 38.0, 58.0
DIAMOND = 30.0
MERGE = 14.0
"""Where ways only come together, and nothing is decided or waited for, a small one does."""
CIRCLE = 26.0
PILL_W, PILL_H, _PILL_GAP = 46.0, 17.0, 5.0
MARGIN = 24.0

_APART, _SLIM_APART = 16.0, 9.0
"""Between branches, one above the other."""
_ARROW = 15.0
"""From a turn to the node that the arrow points to."""
_NARROWEST = 300.0
"""No part is wrapped to less."""
_MANY = 7
"""From so many branches on, tasks are drawn slim."""


def lay_out(
    block: Block,
    shares: Mapping[str, Row[float]],
    wrap_width: float,
    ends: tuple[str, str] = ("start", "end"),
) -> Piece:
    """The whole process between its `ends`, no wider than `wrap_width` where that is possible.

    `shares`: per gateway that chooses, the probabilities of its outgoing flows, in the order of its branches.
    """
    layout = _Layout(shares)
    items = block.items if isinstance(block, Sequence) else () if block == Empty() else (block,)
    inner = wrap_width - 2 * MARGIN
    pieces = [layout.piece(item, inner - CIRCLE - GAP) for item in items]
    start, end = _circle(ends[0], "start"), _circle(ends[1], "end")
    if not pieces:
        return in_a_row([start, end])
    # Glued to their neighbours, for a circle alone in a row looks lost.
    pieces[0] = in_a_row([start, pieces[0]])
    pieces[-1] = in_a_row([pieces[-1], end])
    return chained(pieces, inner)


class _Layout:
    def __init__(self, shares: Mapping[str, Row[float]]) -> None:
        self.shares = shares

    def piece(self, block: Block, budget: float, slim: bool = False) -> Piece:
        match block:
            case Empty():
                return Piece(0.0, PILL_H / 2, PILL_H / 2)
            case Leaf(node, label):
                return _slim_task(node, label) if slim else _task(node, label)
            case Sequence(items):
                return chained([self.piece(item, budget) for item in items], budget)
            case Choice() if len(block.branches) == 2 and block.branches.count(Empty()) == 1:
                return self._optional(block, budget)
            case Choice(split, merge, branches):
                return self._fork(split, (merge, MERGE), branches, self.shares.get(split, ()), budget)
            case Parallel(split, merge, branches):
                return self._fork(split, (merge, DIAMOND), branches, self.shares.get(split, ()), budget)
            case Loop():
                return self._loop(block, budget)

    def _optional(self, choice: Choice, budget: float) -> Piece:
        """What may be left out goes straight on, and the way past it runs below."""
        past = choice.branches.index(Empty())
        shares = self.shares.get(choice.split, ())
        left = DIAMOND + _ARROW + (_PILL_GAP + PILL_W if shares else 0.0)
        piece = self.piece(choice.branches[1 - past], max(budget - left - _ARROW - MERGE, _NARROWEST))
        w, y = left + piece.w + _ARROW + MERGE, piece.exit_y
        below = max(piece.down, DIAMOND / 2, y + MERGE / 2) + _APART
        x0, x1 = DIAMOND / 2, w - MERGE / 2
        lines = through(
            choice.split,
            piece,
            (left, 0),
            choice.merge,
            [(DIAMOND, 0)],
            [(w - MERGE, y)],
            *_at(shares, 1 - past),
        )
        under: list[Point] = [(x0, DIAMOND / 2), (x0, below), (x1, below), (x1, y + MERGE / 2)]
        lines.append(line(choice.split, choice.merge, under, *_at(shares, past)))
        spots = {1 - past: (DIAMOND + _PILL_GAP, 0.0), past: (x0 + TURN + _PILL_GAP, below)}
        return Piece(
            w,
            up=max(piece.up, DIAMOND / 2, MERGE / 2 - y),
            down=below + PILL_H / 2,
            first=choice.split,
            last=choice.merge,
            exit_x=w,
            exit_y=y,
            boxes=(_diamond(choice.split, x0, 0), _diamond(choice.merge, x1, y, MERGE)),
            lines=tuple(lines),
            pills=tuple(
                Pill(spots[i][0] + PILL_W / 2, spots[i][1], percent(share), choice.split)
                for i, share in enumerate(shares)
            ),
        ).holding([piece.moved(left, 0)])

    def _fork(
        self,
        split: str,
        end: tuple[str, float],
        branches: tuple[Block, ...],
        shares: Row[float],
        budget: float,
    ) -> Piece:
        """Branches one above the other, around the gateways' axis; `end`: the merge and its size."""
        merge, size = end
        turn, slim = DIAMOND + TURN, len(branches) >= _MANY
        left = turn + _ARROW + (_PILL_GAP + PILL_W if shares else 0.0)
        inner = max(budget - left - TURN - _ARROW - size, _NARROWEST)
        pieces = [self.piece(branch, inner, slim) for branch in branches]
        axes = _stacked(pieces, _SLIM_APART if slim else _APART)
        back = left + max(piece.w for piece in pieces) + TURN
        w = back + _ARROW + size
        lines: list[Line] = []
        for i, (piece, y) in enumerate(zip(pieces, axes, strict=True)):
            lead: list[Point] = [(DIAMOND, 0), (turn, 0), (turn, y)]
            trail: list[Point] = [(back, y + piece.exit_y), (back, 0), (w - size, 0)]
            lines += through(split, piece, (left, y), merge, lead, trail, shares[i] if shares else None)
        pill_x = turn + _PILL_GAP + PILL_W / 2
        return Piece(
            w,
            up=max(DIAMOND / 2, pieces[0].up - axes[0]),
            down=max(DIAMOND / 2, pieces[-1].down + axes[-1]),
            first=split,
            last=merge,
            exit_x=w,
            boxes=(_diamond(split, DIAMOND / 2, 0), _diamond(merge, w - size / 2, 0, size)),
            lines=tuple(lines),
            pills=tuple(
                Pill(pill_x, y, percent(share), split) for y, share in zip(axes, shares, strict=False)
            ),
        ).holding(piece.moved(left, y) for piece, y in zip(pieces, axes, strict=True))

    def _loop(self, loop: Loop, budget: float) -> Piece:
        """The body between its gateways; redos run back below it or above it, where there is more room."""
        shares = self.shares.get(loop.end, ())
        room = PILL_W + 2 * _PILL_GAP if shares else 0.0
        body = self.piece(loop.body, max(budget - DIAMOND - MERGE - 2 * GAP - room, _NARROWEST))
        redos = [self.piece(redo, max(body.w, _NARROWEST)).mirrored() for redo in loop.redos]
        end_x = max(MERGE + 2 * GAP + body.w, max(redo.w for redo in redos) + room + 2 * _ARROW)
        left, right, exit_y = MERGE / 2, end_x + DIAMOND / 2, body.exit_y
        up, down = max(body.up, MERGE / 2, DIAMOND / 2 - exit_y), max(body.down, exit_y + DIAMOND / 2)
        side = 1 if down <= up else -1
        at = ((MERGE + end_x - body.w) / 2, 0.0)
        lines = through(loop.start, body, at, loop.end, [(MERGE, 0)], [(end_x, exit_y)])
        pills = [Pill(end_x + DIAMOND + room / 2, exit_y, percent(shares[-1]), loop.end)] if shares else []
        inside = [body.moved(*at)]
        for i, redo in enumerate(redos):
            y = down + _APART + redo.up if side > 0 else -(up + _APART + redo.down)
            up, down = max(up, redo.up - y), max(down, redo.down + y)
            at = ((left + right - room - redo.w) / 2, y)
            lead = [(right, exit_y + side * DIAMOND / 2), (right, y)]
            trail = [(left, y + redo.exit_y), (left, side * MERGE / 2)]
            lines += through(loop.end, redo, at, loop.start, lead, trail, shares[i] if shares else None)
            pills += [Pill(right - _PILL_GAP - PILL_W / 2, y, percent(shares[i]), loop.end)] if shares else []
            inside.append(redo.moved(*at))
        return Piece(
            end_x + DIAMOND + room,
            up,
            down,
            first=loop.start,
            last=loop.end,
            exit_x=end_x + DIAMOND,
            exit_y=exit_y,
            exit_share=shares[-1] if shares else None,
            boxes=(_diamond(loop.start, left, 0, MERGE), _diamond(loop.end, right, exit_y)),
            lines=tuple(lines),
            pills=tuple(pills),
        ).holding(inside)


def _at(shares: Row[float], i: int) -> Row[float]:
    return shares[i : i + 1]


def _stacked(pieces: Row[Piece], apart: float) -> list[float]:
    """The axis of each branch; 0 is the middle one's, or halfway between the two in the middle."""
    axes = [0.0]
    for above, below in pairwise(pieces):
        axes.append(axes[-1] + above.down + apart + below.up)
    middle = (axes[(len(axes) - 1) // 2] + axes[len(axes) // 2]) / 2
    return [y - middle for y in axes]


def _task(node: str, label: str) -> Piece:
    text = wrapped(label, (TASK_W - 10) / FONT, 4)
    h = TASK_H + LINE_H * max(len(text) - 2, 0)
    box = Box(node, "task", 0, -h / 2, TASK_W, h, text)
    return Piece(TASK_W, h / 2, h / 2, node, node, exit_x=TASK_W, boxes=(box,))


def _slim_task(node: str, label: str) -> Piece:
    text = wrapped(label, (SLIM_W - SLIM_TIME_W - 16) / FONT, 2)
    box = Box(node, "slim", 0, -SLIM_H / 2, SLIM_W, SLIM_H, text)
    return Piece(SLIM_W, SLIM_H / 2, SLIM_H / 2, node, node, exit_x=SLIM_W, boxes=(box,))


def _circle(node: str, form: Literal["start", "end"]) -> Piece:
    box = Box(node, form, 0, -CIRCLE / 2, CIRCLE, CIRCLE)
    return Piece(CIRCLE, CIRCLE / 2, CIRCLE / 2, node, node, exit_x=CIRCLE, boxes=(box,))


def _diamond(node: str, x: float, y: float, size: float = DIAMOND) -> Box:
    return Box(node, "gateway", x - size / 2, y - size / 2, size, size)

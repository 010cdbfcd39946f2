"""Pieces of a drawing one after the other, wrapped into rows where they need more than the width there is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise

from metagraph.shapes import Line, Piece, line

GAP = 26.0
"""Between neighbours."""
TURN = 10.0
"""From a node to where a connector turns."""
_INDENT = 22.0
"""Left of wrapped rows, for the connector that leads back."""
_BACK = 5.0
"""Where in the indent that connector runs."""
_LANE = 13.0
"""Above and below a connector between rows."""


def chained(pieces: Sequence[Piece], budget: float) -> Piece:
    """All pieces, in as many rows as a width of `budget` asks for, or the widest piece's if that is more."""
    rows = [in_a_row(row) for row in _rows(pieces, max(budget, *(piece.w for piece in pieces)))]
    if len(rows) == 1:
        return rows[0]
    y, lines, inside = 0.0, [], [rows[0].moved(_INDENT, 0)]
    for row, below in pairwise(rows):
        lane, beside, out = y + row.down + _LANE, _INDENT + row.w + TURN, y + row.exit_y
        y = lane + _LANE + below.up
        path = [(_INDENT + row.exit_x, out), (beside, out), (beside, lane), (_BACK, lane), (_BACK, y)]
        lines.append(line(row.last, below.first, [*path, (_INDENT + below.entry_x, y)], row.exit_share))
        inside.append(below.moved(_INDENT, y))
    first, last = rows[0], rows[-1]
    return Piece(
        _INDENT + max(row.w for row in rows) + TURN,
        first.up,
        y + last.down,
        first=first.first,
        last=last.last,
        entry_x=_INDENT + first.entry_x,
        exit_x=_INDENT + last.exit_x,
        exit_y=y + last.exit_y,
        exit_share=last.exit_share,
        lines=tuple(lines),
    ).holding(inside)


def in_a_row(pieces: Sequence[Piece]) -> Piece:
    """All pieces side by side, each one's axis where the one before it ends."""
    xs = [0.0, *accumulate(piece.w + GAP for piece in pieces)]
    ys = [0.0, *accumulate(piece.exit_y for piece in pieces)]
    lines: list[Line] = []
    for i, (before, after) in enumerate(pairwise(pieces)):
        ends = [(xs[i] + before.exit_x, ys[i + 1]), (xs[i + 1] + after.entry_x, ys[i + 1])]
        lines.append(line(before.last, after.first, ends, before.exit_share))
    placed = list(zip(pieces, xs, ys, strict=False))
    return Piece(
        xs[-1] - GAP,
        max(piece.up - y for piece, _, y in placed),
        max(piece.down + y for piece, _, y in placed),
        first=pieces[0].first,
        last=pieces[-1].last,
        entry_x=pieces[0].entry_x,
        exit_x=xs[-2] + pieces[-1].exit_x,
        exit_y=ys[-1],
        exit_share=pieces[-1].exit_share,
        lines=tuple(lines),
    ).holding(piece.moved(x, y) for piece, x, y in placed)


def _rows(pieces: Sequence[Piece], budget: float) -> list[list[Piece]]:
    """The pieces in as few rows as the budget allows, and these as even as they can be."""
    few = len(_filled(pieces, budget))
    widths = [0.0, *accumulate(piece.w + GAP for piece in pieces)]
    spans = sorted(b - a - GAP for i, a in enumerate(widths) for b in widths[i + 1 :])
    best = bisect_left(spans, True, key=lambda cap: len(_filled(pieces, cap)) <= few)
    return _filled(pieces, spans[best])


def _filled(pieces: Sequence[Piece], cap: float) -> list[list[Piece]]:
    rows: list[list[Piece]] = []
    end = 0.0
    for piece in pieces:
        if rows and end + GAP + piece.w <= cap + 1e-6:
            rows[-1].append(piece)
            end += GAP + piece.w
        else:
            rows.append([piece])
            end = piece.w
    return rows

"""What a drawing is made of, before it becomes SVG: boxes, lines and pills in pixels, y downwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

Point = tuple[float, float]
Form = Literal["task", "slim", "gateway", "start", "end"]


@dataclass(frozen=True, slots=True)
class Box:
    """A node's outline; x and y are its upper left corner."""

    node: str
    form: Form
    x: float
    y: float
    w: float
    h: float
    text: tuple[str, ...] = ()
    """The label, wrapped."""

    def moved(self, dx: float, dy: float) -> Box:
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Line:
    """A connector with right angles; an arrow's head is at its last point."""

    source: str
    target: str
    points: tuple[Point, ...]
    share: float | None = None
    """Probability of the flow, where a gateway chooses it."""

    def moved(self, dx: float, dy: float) -> Line:
        return replace(self, points=tuple((x + dx, y + dy) for x, y in self.points))


@dataclass(frozen=True, slots=True)
class Pill:
    """A flow's probability; x and y are its middle."""

    x: float
    y: float
    text: str
    gateway: str = ""
    """Node that chooses the flow."""

    def moved(self, dx: float, dy: float) -> Pill:
        return replace(self, x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Piece:
    """A laid-out part, entered at (0, 0) and left at (w, exit_y); it covers 0..w and -up..down.

    Its first node begins at `entry_x` and its last one ends at `exit_x`: whoever places it draws the
    connectors up to there, and the piece keeps that part of its ground free.
    """

    w: float
    up: float
    down: float
    first: str = ""
    """Node that it is entered by; '' for a piece that is nothing but a passing line."""
    last: str = ""
    entry_x: float = 0.0
    exit_x: float = 0.0
    exit_y: float = 0.0
    exit_share: float | None = None
    """Probability of the flow that leaves it, where its last node chooses that."""
    boxes: tuple[Box, ...] = field(default=())
    lines: tuple[Line, ...] = field(default=())
    pills: tuple[Pill, ...] = field(default=())

    def moved(self, dx: float, dy: float) -> Piece:
        """Its contents elsewhere; its measures stay."""
        return replace(
            self,
            boxes=tuple(box.moved(dx, dy) for box in self.boxes),
            lines=tuple(line.moved(dx, dy) for line in self.lines),
            pills=tuple(pill.moved(dx, dy) for pill in self.pills),
        )

    def mirrored(self) -> Piece:
        """Left and right swapped: entered at (w, 0), left at (0, exit_y)."""
        return replace(
            self,
            entry_x=self.w - self.entry_x,
            exit_x=self.w - self.exit_x,
            boxes=tuple(replace(box, x=self.w - box.x - box.w) for box in self.boxes),
            lines=tuple(
                replace(line, points=tuple((self.w - x, y) for x, y in line.points)) for line in self.lines
            ),
            pills=tuple(replace(pill, x=self.w - pill.x) for pill in self.pills),
        )

    def holding(self, inside: Iterable[Piece]) -> Piece:
        """The same with the contents of other pieces."""
        parts = (self, *inside)
        return replace(
            self,
            boxes=tuple(box for part in parts for box in part.boxes),
            lines=tuple(connector for part in parts for connector in part.lines),
            pills=tuple(pill for part in parts for pill in part.pills),
        )


def line(source: str, target: str, points: Iterable[Point], share: float | None = None) -> Line:
    """A connector without points that turn nowhere."""
    kept: list[Point] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and _straight(kept[-2], kept[-1], point):
            kept[-1] = point
        else:
            kept.append(point)
    return Line(source, target, tuple(kept), share)


def through(
    source: str,
    piece: Piece,
    at: Point,
    target: str,
    lead: Iterable[Point],
    trail: Iterable[Point],
    share: float | None = None,
) -> list[Line]:
    """The connectors that lead into a piece placed at `at` and out of it; one, past it, if it is empty."""
    x, y = at
    if not piece.first:
        return [line(source, target, [*lead, *trail], share)]
    out = (x + piece.exit_x, y + piece.exit_y)
    return [
        line(source, piece.first, [*lead, (x + piece.entry_x, y)], share),
        line(piece.last, target, [out, *trail], piece.exit_share),
    ]


def segments(connector: Line) -> Iterable[tuple[Point, Point]]:
    """Its straight parts."""
    return pairwise(connector.points)


def _straight(a: Point, b: Point, c: Point) -> bool:
    return a[0] == b[0] == c[0] or a[1] == b[1] == c[1]

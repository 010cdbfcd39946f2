"""Laws of the picture: nothing covers anything it shouldn't, and everything is drawn once."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metagraph.blocks import Block, Choice, Empty, Leaf, Loop, Sequence, skeleton
from metagraph.captions import percent, text_width
from metagraph.drawing import branch_shares
from metagraph.layout import CIRCLE, FONT, MARGIN, PILL_H, PILL_W, lay_out
from metagraph.rows import GAP
from metagraph.shapes import Box, Line, Piece, Pill, Point, segments
from tests.metagraph.strategies import flattened, plain_metagraph, rough_blocks

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""
EPS = 1e-6
CLEARANCE = 8.0
"""Pixels between a line and a box that it doesn't belong to."""
drawn_blocks = rough_blocks(20).map(flattened)
laws = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def drawn(block: Block, width: float) -> Piece:
    """The block with the probabilities 1 : 2 : 3 : … at each gateway."""
    even = branch_shares(plain_metagraph(block))
    ramps = {node: [2 * (i + 1) / (len(s) + 1) / len(s) for i in range(len(s))] for node, s in even.items()}
    return lay_out(block, ramps, width)


def rect(box: Box) -> Rect:
    return box.x, box.y, box.x + box.w, box.y + box.h


def pill_rect(pill: Pill) -> Rect:
    return pill.x - PILL_W / 2, pill.y - PILL_H / 2, pill.x + PILL_W / 2, pill.y + PILL_H / 2


def overlap(a: Rect, b: Rect) -> bool:
    """Whether they share ground, not only an edge."""
    return a[0] < b[2] - EPS and b[0] < a[2] - EPS and a[1] < b[3] - EPS and b[1] < a[3] - EPS


def hull(segment: tuple[Point, Point], by: float = 0.0) -> Rect:
    (x0, y0), (x1, y1) = segment
    return min(x0, x1) - by, min(y0, y1) - by, max(x0, x1) + by, max(y0, y1) + by


def touches(point: Point, box: Rect) -> bool:
    x, y = point
    return box[0] - EPS <= x <= box[2] + EPS and box[1] - EPS <= y <= box[3] + EPS


def cross(a: tuple[Point, Point], b: tuple[Point, Point]) -> bool:
    """Whether a level and an upright segment cross, not only meet."""
    for level, upright in ((hull(a), hull(b)), (hull(b), hull(a))):
        x, y = upright[0], level[1]
        if level[0] + EPS < x < level[2] - EPS and upright[1] + EPS < y < upright[3] - EPS:
            return True
    return False


@laws
@given(drawn_blocks, st.floats(200, 2000))
def test_boxes_and_pills_cover_nothing(block: Block, width: float) -> None:
    piece = drawn(block, width)
    things = [rect(box) for box in piece.boxes] + [pill_rect(pill) for pill in piece.pills]
    assert not [pair for pair in combinations(things, 2) if overlap(*pair)]
    ground = (0.0, -piece.up, piece.w, piece.down)
    assert all(touches((r[0], r[1]), ground) and touches((r[2], r[3]), ground) for r in things)


@laws
@given(drawn_blocks, st.floats(200, 2000))
def test_no_line_goes_through_a_box_or_across_another_line(block: Block, width: float) -> None:
    piece = drawn(block, width)
    boxes = {box.node: rect(box) for box in piece.boxes}
    parts = [segment for connector in piece.lines for segment in segments(connector)]
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in parts)
    assert not [(part, box) for part in parts for box in boxes.values() if overlap(hull(part), box)]
    for connector in piece.lines:
        others = [box for node, box in boxes.items() if node not in (connector.source, connector.target)]
        wide = [hull(part, CLEARANCE) for part in segments(connector)]
        assert not [(part, box) for part in wide for box in others if overlap(part, box)]
    assert not [pair for pair in combinations(parts, 2) if cross(*pair)]


@laws
@given(drawn_blocks, st.floats(200, 2000))
def test_every_node_and_flow_is_drawn_once_and_joined(block: Block, width: float) -> None:
    piece, shape = drawn(block, width), skeleton(block)
    boxes = {box.node: rect(box) for box in piece.boxes}
    assert Counter(box.node for box in piece.boxes) == Counter(
        ["start", "end", *(node for node, _ in shape.tasks), *(gateway.id for gateway in shape.gateways)]
    )
    assert Counter((c.source, c.target) for c in piece.lines) == Counter(
        (f.source, f.target) for f in shape.flows
    )
    for connector in piece.lines:
        assert touches(connector.points[0], boxes[connector.source])
        assert touches(connector.points[-1], boxes[connector.target])
        assert len(connector.points) > 1


@laws
@given(drawn_blocks, st.floats(200, 2000))
def test_each_chosen_flow_has_its_own_pill(block: Block, width: float) -> None:
    piece = drawn(block, width)
    chosen = [connector for connector in piece.lines if connector.share is not None]
    assert len(chosen) == len(piece.pills)
    for pill in piece.pills:
        under = [c for c in piece.lines if any(overlap(hull(s), pill_rect(pill)) for s in segments(c))]
        assert len(under) == 1
        assert percent(under[0].share or 0.0) == pill.text


@given(st.integers(2, 30), st.floats(700, 2000))
def test_rows_keep_to_the_width_where_they_can(n: int, width: float) -> None:
    piece = drawn(Sequence(tuple(Leaf(f"t{i}", f"Task {i}") for i in range(n))), width)
    assert piece.w + 2 * MARGIN <= width + 60
    assert len({box.y + box.h / 2 for box in piece.boxes}) <= 1 + n * 150 / (width - 250)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60), min_size=1, max_size=9
    )
)
def test_labels_fit_into_their_boxes(labels: list[str]) -> None:
    leaves = tuple(Leaf(f"t{i}", label) for i, label in enumerate(labels))
    for box in drawn(Choice("x", "x_end", (*leaves, Empty())), 1000).boxes:
        assert all(text_width(text) * FONT <= box.w - 10 for text in box.text)
        assert len(box.text) <= 4


def test_a_loop_goes_back_on_the_side_that_is_free() -> None:
    high = Sequence((Leaf("a", "A"), Loop("l", "l_end", Leaf("b", "B"), (Leaf("c", "C"),))))
    piece = drawn(Loop("m", "m_end", high, (Empty(),)), 1000)
    back = next(c for c in piece.lines if (c.source, c.target) == ("m_end", "m"))
    inner = next(box for box in piece.boxes if box.node == "c")
    assert inner.y > 0 > min(y for _, y in back.points)


def ends(connector: Line) -> tuple[Point, Point]:
    return connector.points[0], connector.points[-1]


def test_a_process_of_nothing_is_a_line_from_start_to_end() -> None:
    piece = drawn(Empty(), 1000)
    assert [ends(connector) for connector in piece.lines] == [((CIRCLE, 0.0), (CIRCLE + GAP, 0.0))]


def test_what_may_be_left_out_goes_straight_on_and_the_way_past_it_below() -> None:
    inner = Sequence((Leaf("a", "A"), Choice("y", "y_end", (Empty(), Leaf("b", "B")))))
    piece = drawn(Choice("x", "x_end", (inner, Empty())), 1000)
    axis = {box.y + box.h / 2 for box in piece.boxes}
    assert axis == {0.0}
    past = next(c for c in piece.lines if (c.source, c.target) == ("x", "x_end"))
    assert max(y for _, y in past.points) > max(box.y + box.h for box in piece.boxes)
    sizes = {box.node: box.w for box in piece.boxes}
    assert sizes["x_end"] < sizes["x"], "nothing is decided where ways come together"


def nested(depth: int) -> Block:
    """25 tasks: each level has some that are always done, and one that may be repeated or left out."""
    if not depth:
        return Leaf("t0", "Check the order")
    some = [Leaf(f"t{depth}.{i}", f"Ask for document {i}") for i in range(25 // depth - 4)]
    again = Loop(f"l{depth}", f"l{depth}_end", Sequence((*some, nested(depth - 1))), (Empty(),))
    return Choice(f"c{depth}", f"c{depth}_end", (again, Empty()))


def test_25_tasks_fit_a_page() -> None:
    piece = drawn(nested(3), 1040)
    tasks = [box for box in piece.boxes if box.form == "task"]
    assert len(tasks) > 25
    portrait = 277 / 190
    w, h = piece.w + 2 * MARGIN, piece.up + piece.down + 2 * MARGIN
    points = FONT * min(190 / w, 277 / h) / 25.4 * 72
    assert points >= 4.5, f"labels of {points:.1f} points on A4 are hardly legible"
    assert h <= portrait * w

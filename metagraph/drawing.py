"""The process as a picture: self-contained SVG that a page can show, theme and attach clicks to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import hypot
from xml.sax.saxutils import escape, quoteattr

from metagraph.captions import human_time, rule_text, shortened, text_width
from metagraph.distributions import ENOUGH
from metagraph.layout import FONT, LINE_H, MARGIN, MERGE, PILL_H, PILL_W, lay_out
from metagraph.model import Metagraph
from metagraph.nodes import Gateway, Task
from metagraph.parse_blocks import parse_blocks
from metagraph.routing import Routing
from metagraph.shapes import Box, Line, Piece, Pill, Point

_LIGHT = {
    "line": "#94a3b8", "head": "#64748b", "box": "#f8fafc", "edge": "#475569", "ink": "#0f172a",
    "soft": "#475569", "gate": "#fffbeb", "gate-edge": "#b45309", "pill": "#fff7ed", "pill-edge": "#fdba74",
    "pill-ink": "#9a3412", "start": "#dcfce7", "end": "#fee2e2", "badge": "#16a34a", "badge-ink": "#ffffff",
    "chosen": "#dbeafe", "chosen-edge": "#2563eb",
}  # fmt: skip
_DARK = {
    "line": "#64748b", "head": "#94a3b8", "box": "#1e293b", "edge": "#94a3b8", "ink": "#f1f5f9",
    "soft": "#cbd5e1", "gate": "#2d2013", "gate-edge": "#f59e0b", "pill": "#3b2413", "pill-edge": "#b45309",
    "pill-ink": "#fdba74", "start": "#14532d", "end": "#5b1a1a", "badge": "#15803d", "badge-ink": "#ffffff",
    "chosen": "#1e3a8a", "chosen-edge": "#60a5fa",
}  # fmt: skip
_RULES = """
text {{font-family:'DejaVu Sans','Segoe UI',Helvetica,Arial,sans-serif;text-anchor:middle;fill:{ink}}}
.flow path {{fill:none;stroke:{line};stroke-linejoin:round}}
.flow polygon {{fill:{head}}}
.task rect {{fill:{box};stroke:{edge};stroke-width:1.3}}
.task.unattended rect {{stroke-dasharray:4 3}}
.task .label {{font-weight:bold}}
.task .time {{fill:{soft}}}
.task .time.few {{fill:{pill-ink};font-style:italic}}
.task.selected rect {{fill:{chosen};stroke:{chosen-edge};stroke-width:2}}
.gateway path {{fill:{gate};stroke:{gate-edge};stroke-width:1.3}}
.gateway.selected path {{fill:{chosen};stroke:{chosen-edge};stroke-width:2}}
.gateway path.sign {{fill:none;stroke-width:2;stroke-linecap:round}}
.start circle {{fill:{start};stroke:{edge};stroke-width:1.3}}
.end circle {{fill:{end};stroke:{edge};stroke-width:3}}
.pill rect {{fill:{pill};stroke:{pill-edge}}}
.pill.few rect {{stroke-dasharray:3 2;stroke-width:1.4}}
.pill.few text {{font-style:italic}}
.pill text {{fill:{pill-ink};font-weight:bold}}
.badge rect {{fill:{badge}}}
.badge text {{fill:{badge-ink};font-weight:bold}}
"""
_ROUND = 8.0
"""Radius of a connector's corners."""
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def draw_svg(
    metagraph: Metagraph,
    *,
    wrap_width: float = 1040.0,
    selected: str | None = None,
    dark: bool = False,
    badges: Mapping[str, str] | None = None,
) -> str:
    """The process from left to right: tasks with their mean work, gateways, probabilities of chosen flows.

    Rows are at most `wrap_width` pixels wide where that is possible. `selected` is the id of a task or
    gateway; `badges` are short texts at the corner of nodes, by id. Each task is a
    `<g class="task" data-node="id">`; every colour can be set through a CSS variable, such as
    `--metagraph-box`.

    Raises DataError if the graph isn't block-structured.
    """
    ends = tuple(next(node.id for node in metagraph.nodes if node.kind == kind) for kind in ("start", "end"))
    piece = lay_out(parse_blocks(metagraph), branch_shares(metagraph), wrap_width, (ends[0], ends[1]))
    width, height = piece.w + 2 * MARGIN, piece.up + piece.down + 2 * MARGIN
    theme = "dark" if dark else "light"
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}"'
    body = "\n".join(_body(metagraph, piece.moved(MARGIN, piece.up + MARGIN), selected, badges or {}))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="metagraph {theme}" {size} role="img" '
        f"aria-label={_attribute(f'Process {metagraph.name}')}>\n"
        f"<style>{_style(theme, _DARK if dark else _LIGHT)}</style>\n{body}\n</svg>\n"
    )


def branch_shares(metagraph: Metagraph) -> dict[str, tuple[float, ...]]:
    """Per gateway that chooses: overall probabilities of its outgoing flows, in the order of its branches."""
    outgoing = metagraph.outgoing()
    shares = {}
    for routing in metagraph.routing:
        by_flow = dict(zip(routing.flows, routing.shares(routing.overall().weights), strict=True))
        shares[routing.node] = tuple(by_flow[flow.id] for flow in outgoing[routing.node])
    return shares


def _body(
    metagraph: Metagraph, piece: Piece, selected: str | None, badges: Mapping[str, str]
) -> Iterator[str]:
    nodes = {node.id: node for node in metagraph.nodes}
    decisions = {routing.node: routing.overall().n for routing in metagraph.routing}
    told = {routing.node: _told(routing) for routing in metagraph.routing}
    for connector in sorted(piece.lines, key=lambda found: found.share or 0.0):
        yield _flow(connector)
    for box in piece.boxes:
        node = nodes[box.node]
        if isinstance(node, Task):
            yield _task(node, box, node.id == selected)
        elif isinstance(node, Gateway):
            yield _gateway(node, box, node.id == selected, told.get(node.id, ""))
        else:
            x, y, r = box.x + box.w / 2, box.y + box.h / 2, box.w / 2
            yield (
                f'<g class="{box.form}" data-node={_attribute(box.node)}>'
                f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}"/></g>'
            )
    for pill in piece.pills:
        yield _pill(pill, few=0 < decisions.get(pill.gateway, 0) < ENOUGH)
    for box in piece.boxes:
        if box.node in badges:
            yield _badge(box, badges[box.node])


def _style(theme: str, colours: Mapping[str, str]) -> str:
    """Plain colours for every reader; those who know CSS variables let the page change them."""

    def rules(palette: Mapping[str, str]) -> str:
        lines = _RULES.strip().splitlines()
        return "\n".join(f".metagraph.{theme} {line}" for line in lines).format(**palette)

    variables = {name: f"var(--metagraph-{name},{colour})" for name, colour in colours.items()}
    return f"\n{rules(colours)}\n@supports (color:var(--c)) {{\n{rules(variables)}\n}}\n"


def _flow(connector: Line) -> str:
    thick = 1.5 if connector.share is None else 1.2 + 3.3 * connector.share
    (x0, y0), (x, y) = connector.points[-2:]
    length = hypot(x - x0, y - y0)
    ux, uy = (x - x0) / length, (y - y0) / length
    back, half = 8.0, 3.4 + thick / 3
    bx, by = x - ux * back, y - uy * back
    head = [(x, y), (bx - uy * half, by + ux * half), (bx + uy * half, by - ux * half)]
    points = [*connector.points[:-1], (x - ux * back * 0.8, y - uy * back * 0.8)]
    told = f"data-source={_attribute(connector.source)} data-target={_attribute(connector.target)}"
    return (
        f'<g class="flow" {told}><path d="{_rounded(points)}" stroke-width="{_n(thick)}"/>'
        f'<polygon points="{" ".join(f"{_n(px)},{_n(py)}" for px, py in head)}"/></g>'
    )


def _rounded(points: list[Point]) -> str:
    path = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        legs = (
            hypot(before[0] - corner[0], before[1] - corner[1]),
            hypot(after[0] - corner[0], after[1] - corner[1]),
        )
        r = min(_ROUND, legs[0] / 2, legs[1] / 2)
        (ax, ay), (bx, by) = _towards(corner, before, r / legs[0]), _towards(corner, after, r / legs[1])
        path.append(f"L{_n(ax)} {_n(ay)}Q{_n(corner[0])} {_n(corner[1])} {_n(bx)} {_n(by)}")
    path.append(f"L{_n(points[-1][0])} {_n(points[-1][1])}")
    return "".join(path)


def _towards(a: Point, b: Point, part: float) -> Point:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part


def _task(task: Task, box: Box, selected: bool) -> str:
    work = task.durations.default
    time = human_time(work.law.mean())
    names = ["task", *(["unattended"] if not task.queues else []), *(["selected"] if selected else [])]
    title = f"{task.label}: mean work {time} (n = {work.n})"
    if task.batch is not None:
        title += f"; collected into {task.batch.kind} batches"
        time += " · batch"
    middle = box.x + box.w / 2
    slim = box.form == "slim"
    first = box.y + (box.h - (0 if slim else 18)) / 2 - (len(box.text) - 1) * LINE_H / 2 + (4 if slim else 6)
    x, anchor = (box.x + 10, "start") if slim else (middle, "")
    texts = [_text(x, first + i * LINE_H, part, "label", FONT, anchor) for i, part in enumerate(box.text)]
    kind = "time few" if work.few else "time"
    if slim:
        texts.append(_text(box.x + box.w - 9, box.y + box.h / 2 + 3.5, time, kind, FONT - 1, "end"))
    else:
        told = f"{time}, n = {work.n}" if work.few else time
        texts.append(_text(middle, box.y + box.h - 8, told, kind, FONT - 1))
    return (
        f'<g class="{" ".join(names)}" data-node={_attribute(task.id)}><title>{_escaped(title)}</title>'
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.w)}" height="{_n(box.h)}" rx="6"/>'
        f"{''.join(texts)}</g>"
    )


def _gateway(gateway: Gateway, box: Box, selected: bool, told: str) -> str:
    x, y, r = box.x + box.w / 2, box.y + box.h / 2, box.w / 2
    names = "gateway selected" if selected else "gateway"
    sign = "M-5 0H5M0 -5V5" if gateway.kind.startswith("and") else "M-4 -4L4 4M4 -4L-4 4"
    title = f"<title>{_escaped(told)}</title>" if told else ""
    signed = f'<path class="sign" d="{sign}"/>' if box.w > MERGE else ""
    if gateway.kind.startswith("or_"):
        # BPMN's sign of the inclusive gateway is a circle.
        signed = '<path class="sign" d="M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z"/>'
    place = f'transform="translate({_n(x)} {_n(y)})"'
    return (
        f'<g class="{names}" data-node={_attribute(gateway.id)} {place}>{title}'
        f'<path d="M{_n(-r)} 0L0 {_n(-r)}L{_n(r)} 0L0 {_n(r)}Z"/>{signed}</g>'
    )


def _told(routing: Routing) -> str:
    """What is known of a choice, a line each: how often it was seen, and its business rules."""
    n = routing.overall().n
    lines = [f"{n:,} decisions seen"] if n else []
    for rule in routing.rules:
        seen = "set by hand" if rule.by_hand else f"n = {rule.n:,}"
        lines.append(f"Rule: {rule_text(rule.when)} ({seen})")
    return "\n".join(lines)


def _pill(pill: Pill, few: bool) -> str:
    rect = _rect(pill.x - PILL_W / 2, pill.y - PILL_H / 2, PILL_W, PILL_H, 5)
    kind = "pill few" if few else "pill"
    return f'<g class="{kind}">{rect}{_text(pill.x, pill.y + 3.8, pill.text, "", FONT - 1.5)}</g>'


def _badge(box: Box, text: str) -> str:
    text = shortened(text, (box.w - 16) / FONT)
    w = max(26.0, text_width(text) * (FONT - 1) + 12)
    x = box.x + box.w + 5 - w
    rect = _rect(x, box.y - 8, w, 15, 7.5)
    return f'<g class="badge">{rect}{_text(x + w / 2, box.y + 3, text, "", FONT - 1)}</g>'


def _rect(x: float, y: float, w: float, h: float, r: float) -> str:
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(w)}" height="{_n(h)}" rx="{_n(r)}"/>'


def _text(x: float, y: float, text: str, name: str, size: float, anchor: str = "") -> str:
    extra = f' style="text-anchor:{anchor}"' if anchor else ""
    kind = f' class="{name}"' if name else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}"{kind}{extra}>{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    return escape(_UNPRINTABLE.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_UNPRINTABLE.sub("\ufffd", text))


def _n(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.1f}".rstrip("0").rstrip(".")

"""How the cost of an execution grows: tables and pictures of benchmarks/engines.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import log10
from pathlib import Path
from statistics import median
from typing import Any

Runs = Mapping[str, Sequence[Mapping[str, Any]]]

CURVES = (
    ("orders", "orders", "Orders in one run of Example 3, policy P", ""),
    ("agents", "agents", "Agents in one pool, 90 % utilised, first come first served", ""),
    ("wip", "open orders on average", "Example 3 in bursts, no order is ever lost, policy P", ""),
    (
        "averages",
        "open orders on average",
        "The same under PD, an average of two rules",
        "Each choice compares all that waits in the queue, as the rule's definition asks: the cost is "
        "proportional to what waits.",
    ),
)
"""Beginning of the units' names and of the picture's, axis, title, and a remark."""


def curves(runs: Runs, docs: Path) -> str:
    """The section, and its pictures beside the page."""
    parts = []
    for name, axis, title, remark in CURVES:
        points = _points(runs, f"{name}_")
        if len(points) > 1:
            picture = f"engines-{name}.svg"
            (docs / picture).write_text(_picture(points, axis, title), encoding="utf-8")
            parts += [f"![{title}]({picture})\n", _table(points, axis), *([f"{remark}\n"] if remark else [])]
    intro = (
        "CPU time of one task execution in the kernel. *A decade*: the factor by which it grows when "
        "the number becomes ten times as large.\n"
    )
    return "\n".join(("## What an execution costs\n", intro, *parts)) if parts else ""


def _points(runs: Runs, beginning: str) -> list[tuple[float, float]]:
    """(x, nanoseconds per execution), ascending."""
    found = [
        (
            float(median(row["x"] for row in rows)),
            1e9 * float(median(row["cpu_s"] / row["executions"] for row in rows)),
        )
        for unit, rows in runs.items()
        if unit.startswith(beginning) and unit[len(beginning) :].isdigit()
    ]
    return sorted(found)


def _table(points: Sequence[tuple[float, float]], axis: str) -> str:
    from benchmarks.engines_page import table

    rows = [(f"{points[0][0]:,.0f}", f"{points[0][1]:.0f}", "")]
    for (x0, before), (x1, cost) in pairwise(points):
        decade = (cost / before) ** (1 / log10(x1 / x0))
        rows.append((f"{x1:,.0f}", f"{cost:.0f}", f"{decade:.2f}"))
    return table((axis, "ns an execution", "a decade"), rows)


def _picture(points: Sequence[tuple[float, float]], axis: str, title: str) -> str:
    import altair as alt

    from twin.drawing_tools import base, to_svg, x, y

    rows = [{"x": at, "ns": cost} for at, cost in points]
    decades = [10.0**k for k in range(int(log10(points[0][0])), int(log10(points[-1][0])) + 2)]
    scale = alt.Scale(type="log", domain=[decades[0], decades[-1]])
    line = (
        base(rows)
        .mark_line(point=True)
        .encode(
            x=x("x", axis, scale=scale, axis=alt.Axis(format="~s", values=decades)),
            y=y("ns", "ns an execution", scale=alt.Scale(domainMin=0)),
        )
    )
    return to_svg(line.properties(width=460, height=180, title=title))

"""How the cost of an execution grows: tables and pictures of benchmarks/engines.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path
from statistics import median
from typing import Any

Runs = Mapping[str, Sequence[Mapping[str, Any]]]

CURVES = (
    ("orders", "orders", "orders in one run of Example 3, policy P", ("orders_",)),
    ("agents", "agents", "agents in one pool, 90 % utilised", ("agents_",)),
    ("wip", "open orders on average", "Example 3 in bursts that are never lost", ("wip_", "wip_PD_")),
)
"""Picture, axis, title, and beginnings of the units' names."""
NAMES = {"orders_": "P", "agents_": "FIFO", "wip_": "P", "wip_PD_": "PD"}


def curves(runs: Runs, docs: Path) -> str:
    """The section, and its pictures beside the page."""
    parts = []
    for name, axis, title, beginnings in CURVES:
        points = {NAMES[start]: _points(runs, start) for start in beginnings}
        points = {policy: found for policy, found in points.items() if len(found) > 1}
        if points:
            picture = f"engines-{name}.svg"
            (docs / picture).write_text(_picture(points, axis, title), encoding="utf-8")
            parts.append(f"![{title}]({picture})\n\n{_table(points, axis)}")
    intro = (
        "CPU time of one task execution in the kernel. *A decade* is the factor by which it grows when "
        "the number becomes ten times as large.\n\n"
    )
    return "## What an execution costs\n\n" + intro + "\n".join(parts) if parts else ""


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


def _table(points: Mapping[str, list[tuple[float, float]]], axis: str) -> str:
    from benchmarks.engines_page import table

    rows = []
    for policy, found in points.items():
        for i, (x, cost) in enumerate(found):
            before = found[i - 1] if i else None
            decade = (cost / before[1]) ** (1 / log10(x / before[0])) if before else None
            rows.append((f"{policy}, {x:,.0f}", f"{cost:.0f}", f"{decade:.2f}" if decade else ""))
    return table((axis, "ns an execution", "a decade"), rows)


def _picture(points: Mapping[str, list[tuple[float, float]]], axis: str, title: str) -> str:
    import altair as alt

    from twin.drawing_tools import BLUE, ORANGE, base, to_svg, x, y

    rows = [{"policy": policy, "x": at, "ns": cost} for policy, found in points.items() for at, cost in found]
    names = list(points)
    colour = alt.Color(
        "policy:N",
        scale=alt.Scale(domain=names, range=[BLUE, ORANGE][: len(names)]),
        legend=alt.Legend(title="policy") if len(names) > 1 else None,
    )
    logarithmic = alt.Scale(type="log")
    line = (
        base(rows)
        .mark_line(point=True)
        .encode(
            x=x("x", axis, scale=logarithmic, axis=alt.Axis(format="~s", tickCount=6)),
            y=y("ns", "ns an execution", scale=alt.Scale(domainMin=0)),
            color=colour,
        )
    )
    return to_svg(line.properties(width=460, height=180, title=title))

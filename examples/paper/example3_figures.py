"""Figures 16 to 20 of Example 3, from its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np

from examples.by_hand import TASKS
from examples.paper.example3_tables import (
    PAPER_CASES,
    PLAN_FREE,
    Days,
    Value,
    on_time,
    preemptions,
    profit,
    shown,
    total,
)
from examples.paper.example3_units import ROLLING, SHRINKING
from simulation.kpis import interval
from twin.drawing_tools import BLUE, GREY, ORANGE, Picture, base, to_svg, y

FIGURES: Mapping[str, str] = {
    "16": "Mean system profit, with 95 % confidence intervals",
    "17": "Mean on-time and total order fulfilment, with 95 % confidence intervals",
    "18": "Mean number of preemptions, with 95 % confidence intervals",
    "19": "Preemptions by task, all cases of the paper: least, quartiles, most",
    "20": "Share of the 24 hours in which each agent worked, all cases of the paper: least, quartiles, most",
}
_COLOURS = {ROLLING: BLUE, SHRINKING: ORANGE}
Made = dict[str, Any]


def draw(days: Days, folder: Path, beginning: str) -> dict[str, str]:
    """Write the pictures; their names by figure."""
    made: dict[str, Callable[[], Picture]] = {
        "16": lambda: _bars(days, profit, "profit (thousands)"),
        "17": lambda: alt.vconcat(
            _bars(days, on_time, "on time (% of orders)"), _bars(days, total, "fulfilled (% of orders)")
        ),
        "18": lambda: _bars(days, preemptions, "preemptions"),
        "19": lambda: _boxes(days, _task_rows(days), "preemptions in a day"),
        "20": lambda: _boxes(days, _agent_rows(days), "% of 24 h"),
    }
    names = {}
    for figure, chart in made.items():
        names[figure] = f"{beginning}-{figure}.svg"
        (folder / names[figure]).write_text(to_svg(chart()), encoding="utf-8")
    return names


def _bars(days: Days, value: Value, title: str) -> Picture:
    rows: list[Made] = []
    for case in days.cases:
        for method in days.methods:
            values = days.values(case, method, value)
            if values:
                found = interval(values)
                head = f"CoV {case} (n = {days.n(case)})"
                rows.append(
                    {
                        "case": head,
                        "method": shown(method),
                        "mean": found.mean,
                        "low": found.mean if np.isnan(found.low) else found.low,
                        "high": found.mean if np.isnan(found.high) else found.high,
                    }
                )
    axis = alt.X("method", type="nominal", sort=[shown(m) for m in days.methods], title=None)
    drawn = base(rows)
    bars = drawn.mark_bar(width={"band": 0.75}).encode(x=axis, y=y("mean", title), color=_colour(days))
    whiskers = drawn.mark_rule(strokeWidth=1.5).encode(x=axis, y=y("low", title), y2=alt.Y2("high"))
    order = list(dict.fromkeys(row["case"] for row in rows))
    panels: Picture = (
        (bars + whiskers)
        .properties(width=190, height=190)
        .facet(facet=alt.Facet("case", type="nominal", sort=order, title=None), columns=len(order))
    )
    return panels


def _colour(days: Days) -> alt.Color:
    names = days.methods
    colours = [_COLOURS.get(name, GREY) for name in names]
    scale = alt.Scale(domain=[shown(name) for name in names], range=colours)
    return alt.Color("method", type="nominal", scale=scale, legend=None)


def _task_rows(days: Days) -> list[tuple[str, str, list[float]]]:
    labels = [label for label, _, _ in TASKS.values()]
    return [
        (label, method, [float(row["by_task"][label]) for row in _of_paper(days, method)])
        for label in labels
        for method in days.methods
        if method not in PLAN_FREE
    ]


def _agent_rows(days: Days) -> list[tuple[str, str, list[float]]]:
    agents = [agent for _, _, agents in TASKS.values() for agent in agents]
    return [
        (agent, method, [100 * float(row["busy"][agent]) for row in _of_paper(days, method)])
        for agent in agents
        for method in days.methods
    ]


def _of_paper(days: Days, method: str) -> Sequence[Mapping[str, Any]]:
    return [row for case in days.cases if case in PAPER_CASES for row in days.rows[case].get(method, ())]


def _boxes(days: Days, found: Sequence[tuple[str, str, list[float]]], title: str) -> Picture:
    """A panel a task or agent, a box a method."""
    rows: list[Made] = []
    for panel, method, values in found:
        if values:
            least, low, middle, high, most = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
            numbers = {"least": least, "low": low, "middle": middle, "high": high, "most": most}
            rows.append({"panel": panel, "method": shown(method), **numbers})
    axis = alt.X("method", type="nominal", sort=[shown(m) for m in days.methods], title=None)
    drawn = base(rows)
    lines = drawn.mark_rule(strokeWidth=1).encode(x=axis, y=y("least", title), y2=alt.Y2("most"))
    boxes = drawn.mark_bar(width={"band": 0.7}).encode(
        x=axis, y=y("low", title), y2=alt.Y2("high"), color=_colour(days)
    )
    middles = drawn.mark_tick(thickness=2, color="#1d2730").encode(x=axis, y=y("middle", title))
    order = list(dict.fromkeys(row["panel"] for row in rows))
    panels: Picture = (
        (lines + boxes + middles)
        .properties(width=190, height=120)
        .facet(facet=alt.Facet("panel", type="nominal", sort=order, title=None), columns=4)
    )
    return panels

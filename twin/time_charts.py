"""Where the time goes, as a picture: each task's time by cause, per execution and per month."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from metagraph.model import Metagraph
from twin.drawing_tools import Picture, base, titled, x
from twin.time_spent import PARTS, TaskTime, time_spent
from twin.words import unit_for

COLOURS = {
    "work": "#3b82a8",
    "work stands still": "#a9c6d6",
    "off shift": "#b9bfc6",
    "agents busy": "#d97b3c",
    "others went first": "#b8504a",
    "batching": "#8a6fb0",
    "remaining": "#c9b458",
}
"""From the middle outwards; legible on white and on near-black."""
MOST_TASKS = 25
_WIDTH = 300


def waits_chart(metagraph: Metagraph) -> Picture:
    """Where the time of a task goes: on average over its executions, and in hours a month."""
    times = time_spent(metagraph)
    shown = times[:MOST_TASKS]
    panels = [_panel(shown, "mean")]
    if any(time.per_month_h for time in shown):
        panels.append(_panel(shown, "month"))
    left_out = f"; the {MOST_TASKS} of {len(times)} tasks with most" if len(times) > len(shown) else ""
    title = titled("Where the time goes", f"from the moment a task could start to its end{left_out}")
    return alt.hconcat(*panels, spacing=18, title=title)


def _panel(times: Sequence[TaskTime], what: str) -> alt.Chart:
    """A bar a task, cut into its parts; the second panel needn't name the tasks again."""
    unit, length = "h", 3600.0
    if what == "mean":
        unit, length = unit_for(max((time.total_s for time in times), default=1.0))
    rows = []
    for time in times:
        to_month = (time.per_month_h or 0.0) * 3600 / time.total_s if time.total_s else 0.0
        for i, name in enumerate(COLOURS):
            seconds = time.mean_s[_PART_OF[name]]
            amount = seconds * (to_month if what == "month" else 1.0) / length
            rows.append({"task": time.task, "part": name, "time": amount, "order": i})
    across = f"mean per execution, {unit}" if what == "mean" else "all executions, hours a month"
    drawn = [name for name in COLOURS if any(row["time"] for row in rows if row["part"] == name)]
    scale = alt.Scale(domain=drawn, range=[COLOURS[name] for name in drawn])
    axis = alt.Axis(labelLimit=220, labels=what == "mean")
    marks: alt.Chart = base(rows).mark_bar(height=13)
    chart = marks.encode(
        x=x("time", across),
        y=alt.Y("task", type="nominal", sort=[time.task for time in times], title=None, axis=axis),
        color=alt.Color(
            "part:N", scale=scale, legend=alt.Legend(orient="bottom", title=None, columns=len(drawn))
        ),
        order=alt.Order("order:Q"),
        tooltip=["task:N", "part:N", alt.Tooltip("time:Q", format=",.2f", title=unit)],
    )
    return chart.properties(width=_WIDTH, height=alt.Step(22))


_PART_OF = {name: part for part, name in PARTS.items()}

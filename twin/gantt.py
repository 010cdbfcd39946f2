"""A plan as a picture: who does what when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import altair as alt

from twin.drawing_tools import BLUE, GREY, INK, ORANGE, RED, Picture, base, stamp, ticks, titled, when
from twin.planned import Planned, PlannedWork
from twin.planned_words import moment

WIDTH = 900
MOST_ROWS = 60
"""The busiest agents are shown; nobody reads more."""
MOST_COLOURED = 10
"""So many orders have a colour each; more are coloured by how they stand to their dates."""
MOST_OUTLINED = 300
"""More bars are so narrow that outlines would cover them."""
MOST_SHADES = 3000
ORDER_COLOURS = (
    *("#3b82a8", "#d9912b", "#5a9e6f", "#7d74b8", "#3f9c9a", "#b8743b", "#84952f", "#a06a9c", "#6f8796"),
    "#5b7fc0",
)
"""White letters can be read on each."""
DUE = "due dates"
STANDINGS = {
    "on time": BLUE,
    "planned": "#6f8796",
    "late": ORANGE,
    "lost": RED,
    "left out": GREY,
}
_LETTER = 6.2
"""Pixels of a letter in a bar."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Time from left to right: instants, or hours since now."""

    plan: Planned
    low: datetime
    high: datetime

    def at(self, moment: datetime) -> str | float:
        return (moment - self.plan.at).total_seconds() / 3600 if self.plan.hours else moment.isoformat()

    def x(self, field: str) -> alt.X:
        domain: list[Any] = [self.at(self.low), self.at(self.high)]
        if self.plan.hours:
            return alt.X(
                field,
                type="quantitative",
                title="hours",
                axis=alt.Axis(tickMinStep=1),
                scale=alt.Scale(domain=domain, nice=False),
            )
        scale = alt.Scale(type="utc", domain=[stamp(self.low), stamp(self.high)], nice=False)
        return when(field, scale=scale, at=ticks(self.low, self.high))

    def tip(self, field: str, title: str) -> alt.Tooltip:
        if self.plan.hours:
            return alt.Tooltip(field, type="quantitative", title=f"{title}, h", format=".4~g")
        return alt.Tooltip(field, type="temporal", title=title, format="%a %d %b %H:%M")

    def pixels(self, start: datetime, end: datetime) -> float:
        return WIDTH * (end - start) / (self.high - self.low)


def gantt(plan: Planned) -> Picture:
    """Rows are agents (several where they work on several things at once), bars are tasks: coloured by order,
    or by how the order stands to its dates where there are many; paler what is under way now. Shaded: off
    shift; dashed: now; a row of ticks above: due dates."""
    rows = _Rows(plan)
    axis = _axis(plan)
    coloured = len(plan.orders) <= MOST_COLOURED
    standing = {one.order: one.standing for one in plan.orders}
    colour = _colours(plan, coloured)

    def shade(order: str) -> str:
        return order if coloured else standing[order]

    now = base([{"now": axis.at(plan.at)}]).mark_rule(color=GREY, strokeDash=[4, 3], clip=True)
    layers = [
        *_off_shift(plan, rows, axis),
        _bars(plan, rows, axis, colour, shade),
        *_names(plan, rows, axis),
        *_due(plan, rows, axis, colour, shade),
        now.encode(x=axis.x("now")),
    ]
    title = titled(f"Plan of {plan.name}, {moment(plan, plan.at, whole=True)}", _legend(plan, rows, coloured))
    return alt.layer(*layers).properties(width=WIDTH, height=alt.Step(rows.step), title=title)


class _Rows:
    """Which row a task is drawn in."""

    def __init__(self, plan: Planned) -> None:
        busiest = sorted(plan.agents, key=lambda one: -one.busy_h)[:MOST_ROWS]
        kept = {one.agent for one in busiest}
        self.left_out = len(plan.agents) - len(kept)
        self.of_work: dict[int, str] = {}
        self.of_agent: dict[str, list[str]] = {}
        for one in plan.agents:
            if one.agent not in kept:
                continue
            mine = [(i, work) for i, work in enumerate(plan.work) if work.agent == one.agent]
            lanes = _lanes([work for _, work in mine])
            names = [one.agent + "\u200b" * lane for lane in range(max(lanes, default=0) + 1)]
            self.of_agent[one.agent] = names
            self.of_work |= {i: names[lane] for (i, _), lane in zip(mine, lanes, strict=True)}
        dated = any(one.due is not None for one in plan.orders)
        self.names = [
            *([DUE] if dated else []),
            *(name for names in self.of_agent.values() for name in names),
        ]
        self.step = 26 if len(self.names) <= 14 else 18 if len(self.names) <= 40 else 13

    def y(self) -> alt.Y:
        # Further lanes of an agent carry its name, told apart by what isn't seen; only the first is labelled.
        label = "indexof(datum.value, '\u200b') < 0 ? datum.value : ''"
        return alt.Y(
            "row",
            type="nominal",
            sort=self.names,
            title=None,
            scale=alt.Scale(domain=self.names, paddingInner=0.18),
            axis=alt.Axis(labelExpr=label, labelLimit=190, grid=False),
        )


def _lanes(work: Sequence[PlannedWork]) -> list[int]:
    """For each, by beginning, the first lane that is free."""
    free: list[datetime] = []
    found = []
    for one in work:
        lane = next((i for i, end in enumerate(free) if end <= one.start), len(free))
        free[lane : lane + 1] = [one.end]
        found.append(lane)
    return found


def _axis(plan: Planned) -> _Axis:
    """From now, and a little of what began before, to the end of the work and the due dates about it."""
    last = max((one.end for one in plan.work), default=plan.until)
    last = max(last, plan.at + timedelta(seconds=plan.dt_s))
    length = last - plan.at
    dues = [one.due for one in plan.orders if one.due is not None and one.due <= last + length / 5]
    first = min([plan.at, *(one.start for one in plan.work), *(d for d in dues if d is not None)])
    low = max(first, plan.at - length / 8)
    return _Axis(plan, low, max([last, *dues]) + length / 60)


def _colours(plan: Planned, coloured: bool) -> alt.Color:
    if coloured:
        names = sorted({one.order for one in plan.orders})
        shades = [ORDER_COLOURS[i % len(ORDER_COLOURS)] for i in range(len(names))]
        title = "order"
    else:
        there = {one.standing for one in plan.orders}
        names = [name for name in STANDINGS if name in there]
        shades = [STANDINGS[name] for name in names]
        title = "its order is"
    legend = alt.Legend(
        orient="bottom", title=title, titleOrient="left", columns=10, labelLimit=120, symbolStrokeWidth=0
    )
    return alt.Color("shade:N", scale=alt.Scale(domain=names, range=shades), legend=legend)


def _bars(
    plan: Planned, rows: _Rows, axis: _Axis, colour: alt.Color, shade: Callable[[str], str]
) -> alt.Chart:
    due = {one.order: one.due for one in plan.orders}
    data: list[dict[str, object]] = []
    for i, one in enumerate(plan.work):
        if i not in rows.of_work:
            continue
        row: dict[str, object] = {
            "row": rows.of_work[i],
            "order": one.order,
            "task": one.activity,
            "agent": one.agent,
            "shade": shade(one.order),
            "sure": 0.5 if one.running else 1.0,
            "stands": "under way" if one.running else "planned",
            "from": axis.at(one.start),
            "to": axis.at(one.end),
            "shown": axis.at(max(one.start, axis.low)),
        }
        if one.order in due and due[one.order] is not None:
            row["due"] = axis.at(due[one.order] or one.end)
        data.append(row)
    tips: list[str | alt.Tooltip] = [
        "order:N",
        "task:N",
        "agent:N",
        "stands:N",
        axis.tip("from", "start"),
        axis.tip("to", "end"),
    ]
    if any(due.values()):
        tips.append(axis.tip("due", "due"))
    few = len(data) <= MOST_OUTLINED
    bars: alt.Chart = base(data).mark_bar(
        cornerRadius=2 if few else 1, stroke=INK, strokeOpacity=0.35, strokeWidth=0.5 if few else 0
    )
    return bars.encode(
        x=axis.x("shown"),
        x2="to",
        y=rows.y(),
        color=colour,
        opacity=alt.Opacity("sure:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1]), legend=None),
        tooltip=tips,
    )


def _names(plan: Planned, rows: _Rows, axis: _Axis) -> list[alt.Chart]:
    """The order's name in each bar that has room for it."""
    if rows.step < 18:
        return []
    data = []
    for i, one in enumerate(plan.work):
        start = max(one.start, axis.low)
        if i in rows.of_work and axis.pixels(start, one.end) >= _LETTER * len(one.order) + 6:
            data.append(
                {"row": rows.of_work[i], "name": one.order, "mid": axis.at(start + (one.end - start) / 2)}
            )
    if not data:
        return []
    text: alt.Chart = base(data).mark_text(color="#ffffff", fontSize=10, fontWeight="bold")
    return [text.encode(x=axis.x("mid"), y=rows.y(), text="name:N")]


def _due(
    plan: Planned, rows: _Rows, axis: _Axis, colour: alt.Color, shade: Callable[[str], str]
) -> list[alt.Chart]:
    data: list[dict[str, object]] = [
        {
            "row": DUE,
            "order": one.order,
            "stands": one.standing,
            "shade": shade(one.order),
            "due": axis.at(one.due),
            "slack": one.slack_h,
        }
        for one in plan.orders
        if one.due is not None and axis.low <= one.due <= axis.high
    ]
    if not data:
        return []
    ticks: alt.Chart = base(data).mark_tick(thickness=2.5, size=0.7 * rows.step, opacity=1)
    slack = alt.Tooltip("slack:Q", title="slack, h", format=".3~g")
    tips: list[str | alt.Tooltip] = ["order:N", "stands:N", axis.tip("due", "due"), slack]
    return [ticks.encode(x=axis.x("due"), y=rows.y(), color=colour, tooltip=tips)]


def _off_shift(plan: Planned, rows: _Rows, axis: _Axis) -> list[alt.Chart]:
    data: list[Mapping[str, object]] = [
        {"row": row, "from": axis.at(max(start, axis.low)), "to": axis.at(end)}
        for one in plan.agents
        for start, end in one.off
        for row in rows.of_agent.get(one.agent, ())
    ]
    if not data or len(data) > MOST_SHADES:
        return []
    shades: alt.Chart = base(data).mark_bar(color=GREY, opacity=0.22)
    return [shades.encode(x=axis.x("from"), x2="to", y=rows.y())]


def _legend(plan: Planned, rows: _Rows, coloured: bool) -> str:
    parts = ["Coloured by order" if coloured else "Coloured by how the order stands to its dates"]
    if any(one.running for one in plan.work):
        parts.append("paler: under way now")
    if any(one.off for one in plan.agents):
        parts.append("shaded: off shift")
    parts.append("dashed: now")
    text = "; ".join(parts)
    return text + (f"; the {MOST_ROWS} busiest agents, {rows.left_out} more" if rows.left_out else "") + "."

"""A picture of bottlenecks: who is it how often, what orders wait for, and what changes are worth."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import altair as alt

from twin.bottleneck_findings import Bottlenecks, Gain, Side
from twin.drawing_tools import BLUE, GREY, ORANGE, Picture, base, titled, x
from twin.time_charts import COLOURS

MOST = 12
_WIDTH = 260
_FIGURES = {"value": "mean", "low": "low", "high": "high"}


def bottlenecks_chart(found: Bottlenecks) -> Picture:
    """A column for the log and one for the twin, and below them the gains."""
    columns = [_beside(alt.vconcat(*side_charts(side), spacing=18)) for side in found.sides]
    rows = [_beside(alt.hconcat(*columns, spacing=24))]
    gains = gain_charts(found)
    if gains:
        rows.append(_beside(alt.hconcat(*gains, spacing=24)))
    whole: Picture = _beside(alt.vconcat(*rows, spacing=22)).properties(
        title=titled(f"Bottlenecks of {found.twin}")
    )
    return whole


def side_charts(side: Side) -> tuple[Picture, Picture]:
    """Who is it how often, and what orders wait for, in the log or in the twin."""
    return _shares(side), _queues(side)


def gain_charts(found: Bottlenecks) -> list[Picture]:
    """What an hour more and automation are worth, as far as they were tried."""
    tried = ((found.hours, "hour"), (found.tasks, "automation"))
    return [_gains(found, one, what) for one, what in tried if one]


def known(value: float, scale: float = 1.0) -> float | None:
    """None for what isn't a number: JSON has no word for it."""
    return scale * value if isfinite(value) else None


def _beside(charts: Any) -> Any:
    """Each with colours and a legend of its own."""
    return charts.resolve_scale(color="independent").resolve_legend(color="independent")


def _shares(side: Side) -> alt.LayerChart | alt.FacetChart:
    """Utilisation and share as bottleneck of roles, or agents where nobody shares a role."""
    alone = len(side.roles) == len(side.agents)
    stations = side.agents if alone else side.roles
    rows = [
        {"name": one.name, "part": part, "share": known(value.mean, 100), "order": i}
        for one in stations[:MOST]
        for i, (part, value) in enumerate((("sole", one.sole), ("shifting", one.shifting)))
    ]
    used = [
        {"name": one.name, "used": known(one.utilisation.mean, 100),
         "low": known(one.utilisation.low, 100), "high": known(one.utilisation.high, 100)}
        for one in stations[:MOST]
    ]  # fmt: skip
    names = [one.name for one in stations[:MOST]]
    y = alt.Y(
        "name", type="nominal", sort=names, title=None, axis=alt.Axis(labelLimit=190, labelOverlap=False)
    )
    colour = alt.Color(
        "part:N",
        title=None,
        scale=alt.Scale(domain=["sole", "shifting"], range=[ORANGE, "#f0c9a5"]),
        legend=alt.Legend(orient="bottom"),
    )
    percent = alt.Scale(domain=[0, 100])
    used_tip = alt.Tooltip("used:Q", format=".1f", title="% utilisation")
    title = "% of the time as bottleneck; point: utilisation"
    bars = base(rows).mark_bar(height=11).encode(
        x=x("share", title, scale=percent), y=y, color=colour, order=alt.Order("order:Q"),
        tooltip=["name:N", "part:N", alt.Tooltip("share:Q", format=".1f", title="%")],
    )  # fmt: skip
    points = base(used).mark_point(color=BLUE, filled=True, size=40, opacity=1).encode(
        x=x("used", title, scale=percent), y=y, tooltip=["name:N", used_tip]
    )  # fmt: skip
    rules = base(used).mark_rule(color=BLUE).encode(x=x("low", title, scale=percent), x2="high", y=y)
    source = "the log" if side.source == "log" else "the twin"
    kind = "agents" if alone else "roles"
    return alt.layer(bars, rules, points).properties(
        width=_WIDTH, height=alt.Step(18), title=titled(f"In {source}: {kind}")
    )


def _queues(side: Side) -> alt.Chart:
    """What orders wait for before each activity, as a share of all lead times."""
    shown = [one for one in side.queues if one.of_lead > 0][:MOST]
    rows = []
    for one in shown:
        total = sum(one.parts_s.values())
        for i, (part, seconds) in enumerate(one.parts_s.items()):
            share = 100 * one.of_lead * seconds / total if total else 0.0
            rows.append({"task": one.activity, "part": part, "share": share, "order": i})
    drawn = [part for part in COLOURS if any(row["part"] == part and row["share"] for row in rows)]
    marks: alt.Chart = base(rows).mark_bar(height=11)
    return marks.encode(
        x=x("share", "% of lead time spent waiting"),
        y=alt.Y("task", type="nominal", sort=[one.activity for one in shown], title=None,
                axis=alt.Axis(labelLimit=190, labelOverlap=False)),
        color=alt.Color("part:N", title=None, legend=alt.Legend(orient="bottom", columns=2),
                        scale=alt.Scale(domain=drawn, range=[COLOURS[part] for part in drawn])),
        order=alt.Order("order:Q"),
        tooltip=["task:N", "part:N", alt.Tooltip("share:Q", format=".1f", title="%")],
    ).properties(width=_WIDTH, height=alt.Step(18), title=titled("Waiting before"))  # fmt: skip


def _gains(found: Bottlenecks, gains: Sequence[Gain], what: str) -> alt.LayerChart | alt.FacetChart:
    """Means and intervals; grey where nothing can be told."""
    unit = "profit a week" if found.value == "profit" else "h of lead time saved a week"
    rows = [
        {"name": one.name, "told": "sure" if one.sure else "can't tell"}
        | {name: known(getattr(one.value, of)) for name, of in _FIGURES.items()}
        for one in gains[:MOST]
    ]
    y = alt.Y("name", type="nominal", sort=[one.name for one in gains[:MOST]], title=None,
              axis=alt.Axis(labelLimit=190, labelOverlap=False))  # fmt: skip
    colour = alt.Color("told:N", title=None, legend=alt.Legend(orient="bottom"),
                       scale=alt.Scale(domain=["sure", "can't tell"], range=[BLUE, GREY]))  # fmt: skip
    points = base(rows).mark_point(filled=True, size=45, opacity=1).encode(
        x=x("value", unit), y=y, color=colour,
        tooltip=["name:N", *(alt.Tooltip(f"{name}:Q", format=",.4~g") for name in _FIGURES)],
    )  # fmt: skip
    rules = base(rows).mark_rule().encode(x=x("low", unit), x2="high", y=y, color=colour)
    text = "One more hour a week of" if what == "hour" else "Automated"
    return alt.layer(rules, points).properties(width=_WIDTH, height=alt.Step(18), title=titled(text))

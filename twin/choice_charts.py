"""How candidates compare, as a picture: each distance over that of the copied last period."""

from __future__ import annotations

from math import exp

import altair as alt

from twin.choices import TOTAL, Told, relative
from twin.drawing_tools import BLUE, GREY, ORANGE, RED, Picture, base, titled

COLOURS = {
    "NGD": BLUE,
    "AEDD": ORANGE,
    "CADD": "#8a6fb0",
    "CEDD": "#4f9d69",
    "REDD": RED,
    "CTDD": "#b59a2f",
}
_FAR = 20.0
"""Distances are drawn up to so many times the copy's, and down to a part of it."""


def choice_dots(found: Told) -> Picture | None:
    """A dot a candidate and distance; left of the line is closer than the copy. The bar is the total. None
    where nothing was compared with a copy."""
    copied = found.copied
    if copied is None or found.tried < 2:
        return None
    rows: list[dict[str, object]] = []
    totals: list[dict[str, object]] = []
    names: list[str] = []
    values = [0.5, 2.0]
    for candidate in found.judged:
        if candidate is copied:
            continue
        name = f"✓ {candidate.name}" if candidate.chosen else candidate.name
        names.append(name)
        for metric, ratio in relative(candidate, copied, found.metrics).items():
            values.append(_within(ratio))
            rows.append({"candidate": name, "distance": metric, "ratio": values[-1]})
        if TOTAL in candidate.scores:
            values.append(_within(exp(candidate.scores[TOTAL])))
            totals.append({"candidate": name, "ratio": values[-1]})
    scale = alt.Scale(type="log", domain=[min(values) * 0.95, max(values) * 1.05], nice=False)
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]
    across = alt.X(
        "ratio",
        type="quantitative",
        scale=scale,
        title="distance over that of the last period copied (log scale); left of 1 is closer",
        axis=alt.Axis(values=ticks, format="~g"),
    )
    row = alt.Y("candidate", type="nominal", sort=names, title=None, axis=alt.Axis(labelLimit=330))
    tip = alt.Tooltip("ratio:Q", format=".3~g", title="over the copy's")
    one = base([{"ratio": 1.0}]).mark_rule(color=GREY, strokeDash=[4, 3]).encode(x=across)
    bars: alt.Chart = base(totals).mark_tick(color=GREY, thickness=4, size=16)
    marks: alt.Chart = base(rows).mark_circle(size=55, opacity=0.85)
    metrics = [metric for metric in COLOURS if metric in found.metrics]
    shades = alt.Scale(domain=metrics, range=[COLOURS[metric] for metric in metrics])
    legend = alt.Legend(orient="bottom", title=None, columns=len(metrics))
    dots = marks.encode(
        x=across,
        y=row,
        color=alt.Color("distance:N", scale=shades, legend=legend),
        tooltip=["candidate:N", "distance:N", tip],
    )
    chart = alt.layer(one, bars.encode(x=across, y=row, tooltip=["candidate:N", tip]), dots)
    title = titled(f"Candidates for the {found.choice.what}", "✓ chosen; the grey tick is the total")
    return chart.properties(width=420, height=alt.Step(20), title=title)


def _within(ratio: float) -> float:
    return min(max(ratio, 1 / _FAR), _FAR)

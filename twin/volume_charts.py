"""Picture of the orders to come."""

from __future__ import annotations

import altair as alt

from twin.drawing_tools import BLUE, Picture, base, titled, when, y
from twin.volume import Volume


def volume_chart(volume: Volume) -> Picture:
    """Orders a day or week: median, and the ranges that hold them with 80 and 95 %."""
    rows = [
        {
            "begin": c.begin.isoformat(),
            # Bars of weeks don't touch.
            "end": (c.begin + 0.94 * (c.end - c.begin)).isoformat(),
            **{name: getattr(c, name) for name in ("q025", "q10", "q50", "q90", "q975")},
        }
        for c in volume.counts
    ]
    chart = base(rows).encode(x=when("begin"), x2="end")
    title = f"orders a {volume.by}"
    tips = [alt.Tooltip("begin", type="temporal", title="from (UTC)", format="%a %d %b")]
    tips += [
        alt.Tooltip(f"{name}:Q", title=level, format=".3~g")
        for name, level in (
            *(("q025", "2.5 %"), ("q10", "10 %"), ("q50", "50 %")),
            *(("q90", "90 %"), ("q975", "97.5 %")),
        )
    ]
    axis, top = alt.Axis(tickMinStep=1), max(c.q975 for c in volume.counts)
    scale = alt.Scale(domain=[0, 1.05 * top or 1.0], nice=True)
    layers = [
        chart.mark_rect(color=BLUE, opacity=opacity).encode(
            y=y(low, title, scale=scale, axis=axis), y2=high, tooltip=tips
        )
        for low, high, opacity in (("q025", "q975", 0.22), ("q10", "q90", 0.35))
    ]
    line = chart.mark_rule(color=BLUE, strokeWidth=2.4)
    layers.append(line.encode(y=y("q50", title, scale=scale, axis=axis), tooltip=tips))
    said = f"median, 80 % and 95 % of {volume.replications:,} futures; {volume.by}s of {volume.time_zone}"
    return alt.layer(*layers).properties(width=640, height=220, title=titled("Orders to come", said))

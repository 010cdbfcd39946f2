"""Pictures of simulations: how many orders are in process and how long queues are, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import altair as alt
import numpy as np

from twin.courses import WIP, Courses
from twin.drawing_tools import BLUE, ORANGE, Picture, base, titled, when, y

_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_HEIGHTS = (150, 80)
"""Of the orders in process, and of each queue."""


def courses_chart(found: Courses) -> Picture:
    """Orders in process and items that wait in each queue over time: median, 25–75 % and 5–95 % of the runs,
    or the one run as it went."""
    runs = len(found.counts)
    panels = [_panel(found, i, name) for i, name in enumerate(found.names)]
    said = f"median, 25–75 % and 5–95 % of {runs} runs" if runs > 1 else "one run"
    more = f"; {found.left_out} more queues, in which less waits, are left out" * (found.left_out > 0)
    return alt.vconcat(*panels, spacing=14).properties(title=titled("Work in process", said + more))


def _panel(found: Courses, series: int, name: str) -> alt.LayerChart | alt.FacetChart:
    rows = list(_rows(found, series))
    colour = BLUE if name == WIP else ORANGE
    last = series == len(found.names) - 1
    chart = base(rows).encode(x=when("at") if last else when("at", named=False))
    title = name if name == WIP else "items waiting"
    # Room above the band: where it is level, it would look cut off.
    top = max(float(str(row["q95"])) for row in rows)
    scale = alt.Scale(domain=[0, 1.05 * top or 1.0], nice=True)
    axis = alt.Axis(tickMinStep=1, tickCount=4)
    tips = [alt.Tooltip("at", type="temporal", title="UTC", format="%a %d %b %H:%M")]
    layers = []
    if len(found.counts) > 1:
        for low, high, opacity in (("q05", "q95", 0.18), ("q25", "q75", 0.3)):
            band = chart.mark_area(color=colour, opacity=opacity, interpolate="step-after")
            layers.append(band.encode(y=y(low, title, scale=scale, axis=axis), y2=high))
        tips += [alt.Tooltip(f"q{p:02d}:Q", title=f"{p} %", format=".3~g") for p in (5, 25, 50, 75, 95)]
    else:
        tips.append(alt.Tooltip("q50:Q", title=title))
    line = chart.mark_line(color=colour, interpolate="step-after", strokeWidth=1.6)
    layers.append(line.encode(y=y("q50", title, scale=scale, axis=axis), tooltip=tips))
    return alt.layer(*layers).properties(
        width=640, height=_HEIGHTS[series > 0], title=titled("Orders" if name == WIP else f"Queue {name}")
    )


def _rows(found: Courses, series: int) -> Sequence[Mapping[str, object]]:
    spread = np.quantile(found.counts[:, series], _LEVELS, axis=0)
    return [
        {"at": (found.origin + timedelta(seconds=t)).isoformat(timespec="milliseconds")}
        | {f"q{100 * p:02.0f}": float(spread[k, i]) for k, p in enumerate(_LEVELS)}
        for i, t in enumerate(found.t_s.tolist())
    ]

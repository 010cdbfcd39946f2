"""Pictures of the load ahead: hours of work before agents and in queues, and items that wait, as fans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import altair as alt

from twin.drawing_tools import BLUE, ORANGE, Picture, base, titled, when, y
from twin.outlook import FAN, Fan, Forecast, LoadOutlook

MOST = 6
"""So many agents, and so many queues, are drawn: those with the most work."""


def load_chart(forecast: Forecast) -> Picture:
    """Queues on the left (items waiting), agents on the right (hours of work ahead), the busiest first.

    Raises ValueError if nobody has anything to do.
    """
    queues = [load for load in forecast.loads if load.kind == "queue"]
    agents = [load for load in forecast.loads if load.kind == "agent"]
    if not queues and not agents:
        raise ValueError("no agent has work ahead")
    columns = [
        alt.vconcat(*(_panel(forecast, load, some is queues) for load in some[:MOST]), spacing=14)
        for some in (queues, agents)
        if some
    ]
    left_out = [
        f"{len(some) - MOST} more {name}"
        for some, name in ((queues, "queues"), (agents, "agents"))
        if len(some) > MOST
    ]
    said = "queues: items that wait; agents: hours of work; median, 25–75 % and 5–95 %"
    more = f"; {' and '.join(left_out)} with less are left out" if left_out else ""
    return alt.hconcat(*columns, spacing=30).properties(title=titled("Load ahead", said + more))


def _panel(forecast: Forecast, load: LoadOutlook, queue: bool) -> Picture:
    fans: Sequence[Fan] = load.waiting if queue else load.work_h
    names = [f"q{100 * level:02.0f}" for level in FAN]
    rows = [
        {"at": (forecast.as_of + timedelta(hours=hours)).isoformat()} | dict(zip(names, fan, strict=True))
        for hours, fan in zip(load.horizons_h, fans, strict=True)
    ]
    colour = ORANGE if queue else BLUE
    chart = base(rows).encode(x=when("at", ticks=3))
    # Room above the band: where it is level, it would look cut off.
    scale = alt.Scale(domain=[0, 1.1 * max(fan[-1] for fan in fans) or 1.0], nice=True)
    title = "items waiting" if queue else "hours"
    tips = [alt.Tooltip(f"{name}:Q", title=f"{name[1:]} %", format=".3~g") for name in names]
    layers = [
        chart.mark_area(color=colour, opacity=opacity).encode(y=y(low, title, scale=scale), y2=high)
        for low, high, opacity in (("q05", "q95", 0.18), ("q25", "q75", 0.3))
    ]
    line = chart.mark_line(color=colour, strokeWidth=1.6)
    layers.append(line.encode(y=y("q50", title, scale=scale), tooltip=tips))
    name = f"Queue {load.name}" if queue else load.name
    return alt.layer(*layers).properties(width=320, height=90, title=titled(name))


def fans_chart(forecast: Forecast) -> Picture:
    """Orders in process, completed and arrived over the horizons, side by side."""
    from twin.forecast_charts import wip_fan

    panels = [wip_fan(forecast, metric) for metric in ("wip", "completions", "arrivals")]
    return alt.hconcat(*panels, spacing=24)

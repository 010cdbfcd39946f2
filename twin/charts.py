"""Pictures of a twin as Altair charts, without colours of their own for text: pages and reports set those.

Every axis names its unit; no chart has more than some five thousand marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import altair as alt
import numpy as np

from metagraph.calendars import Calendar
from metagraph.model import Metagraph
from metagraph.paces import Pace
from metagraph.shifts import chances
from twin.drawing_tools import BLUE, GREY, ORANGE, Picture, base, titled, to_png, to_svg, x, y
from twin.fit_charts import fit_histogram, fit_qq
from twin.forecast_charts import forecast_gantt, wip_fan
from twin.time_charts import waits_chart
from twin.validation import METRICS, Validation
from twin.verdict import tested_log
from twin.words import DAYS

__all__ = [
    "arrivals_profile",
    "calendar_heatmap",
    "fit_histogram",
    "fit_qq",
    "forecast_gantt",
    "pace_heatmap",
    "to_png",
    "to_svg",
    "validation_bars",
    "waits_chart",
    "wip_fan",
]


def validation_bars(validation: Validation) -> Picture:
    """Distances of the twin beside the references, a panel a metric; whiskers: ± one sd."""
    sources = {"this twin": validation.distances, **validation.references}
    metrics = [metric for metric in METRICS if metric in validation.distances]
    panels = [_metric_panel(metric, sources, i % 3 == 0) for i, metric in enumerate(metrics)]
    title = titled(f"Distance to {tested_log(validation)}", "shorter is better; whisker: ± 1 sd of the runs")
    return alt.concat(*panels, columns=3, spacing=26, title=title)


def _metric_panel(metric: str, sources: Mapping[str, Mapping[str, Sequence[float]]], named: bool) -> Picture:
    rows = []
    for name, distances in sources.items():
        values = np.asarray(distances.get(metric, ()), float)
        if len(values):
            mean, sd = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0
            rows.append({"source": name, "mean": mean, "low": max(mean - sd, 0.0), "high": mean + sd})
    names = list(sources)
    title, _, unit = METRICS[metric].rpartition(", ")
    unit = "share, 0 to 1" if metric == "NGD" else unit
    row = alt.Y("source", type="nominal", sort=names, title=None, axis=alt.Axis(labelLimit=180, labels=named))
    scale = alt.Scale(domain=names, range=[BLUE, *([GREY] * (len(names) - 1))])
    chart = base(rows).encode(y=row, tooltip=["source:N", alt.Tooltip("mean:Q", format=".3f")])
    bars = chart.mark_bar(height=13, opacity=0.75, cornerRadiusEnd=2)
    bars = bars.encode(x=x("mean", unit), color=alt.Color("source:N", scale=scale, legend=None))
    whiskers = chart.mark_rule(color=ORANGE, strokeWidth=2).encode(x=x("low", unit), x2="high")
    return alt.layer(bars, whiskers).properties(width=195, height=alt.Step(22), title=f"{metric}: {title}")


def calendar_heatmap(metagraph: Metagraph) -> Picture:
    """How many agents are on shift in each hour of an ordinary week, on average, each in its own zone."""
    edges = np.arange(169) * 3600.0
    count = np.zeros(168)
    shares = {calendar.id: _shares(calendar) for calendar in metagraph.calendars}
    for agent in metagraph.agents:
        for start, end, share in shares.get(agent.calendar, ()):
            count += (
                agent.presence * share * (np.clip(edges[1:], start, end) - np.clip(edges[:-1], start, end))
            )
    return _week_map(count / 3600, "agents", "local time").properties(title="Agents on shift")


def _shares(calendar: Calendar) -> Iterable[tuple[float, float, float]]:
    """Open intervals of the week, and how often they are worked."""
    if calendar.shifts:
        return chances(calendar.hours, calendar.shifts)
    return [(start, end, 1.0) for start, end in calendar.hours]


def pace_heatmap(pace: Pace) -> Picture:
    """How fast delays run in each hour of the week."""
    how = "1 on average; delays run fast in blue hours and rest in grey ones"
    title = titled(f"Pace of the delays: {pace.id}", how)
    return _week_map(pace.rates, "pace", pace.time_zone).properties(title=title)


def _week_map(values: Iterable[float], what: str, zone: str) -> alt.Chart:
    """168 values as a week of hours."""
    rows = [{"day": DAYS[h // 24], "hour": h % 24, what: float(value)} for h, value in enumerate(values)]
    shade = alt.Scale(range=["#8a97a31f", BLUE], domainMin=0)
    hour = alt.Axis(labelAngle=0, labelOverlap=True)
    marks: alt.Chart = base(rows).mark_rect()
    return marks.encode(
        x=alt.X("hour:O", title=f"hour of the day, {zone}", axis=hour),
        y=alt.Y("day:O", sort=list(DAYS), title=None),
        color=alt.Color(f"{what}:Q", title=what, scale=shade),
        tooltip=["day:O", "hour:O", alt.Tooltip(f"{what}:Q", format=".1f")],
    ).properties(width=440, height=alt.Step(20))


def arrivals_profile(metagraph: Metagraph) -> Picture:
    """New orders per hour over the week; flat at zero where the model knows no arrivals."""
    arrivals = metagraph.arrivals
    rates = arrivals.rates_per_h if arrivals else (0.0,) * 168
    rows = [{"hour": h, "rate": rate, "day": DAYS[h // 24]} for h, rate in enumerate(rates)]
    middays = [24 * day + 12 for day in range(7)]
    axis = alt.Axis(values=middays, labelExpr=f"{list(DAYS)}[floor(datum.value / 24)]", grid=False)
    week = alt.Scale(domain=[0, 168], nice=False)
    title = f"hour of the week, {arrivals.time_zone if arrivals else 'UTC'}"
    marks: alt.Chart = base(rows).mark_area(
        color=BLUE, opacity=0.35, interpolate="step-after", line={"color": BLUE}
    )
    return marks.encode(
        x=x("hour", title, axis=axis, scale=week),
        y=y("rate", "orders per hour"),
        tooltip=["day:N", alt.Tooltip("rate:Q", format=".2f")],
    ).properties(width=440, height=150, title=titled("Arrivals", f"n = {arrivals.n:,}" if arrivals else ""))

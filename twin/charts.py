"""Pictures of a twin as Altair charts, without colours of their own for text: pages and reports set those.

Every axis names its unit; no chart has more than some five thousand marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import altair as alt
import numpy as np

from metagraph.model import Metagraph
from metagraph.nodes import Task
from twin.drawing_tools import BLUE, GREY, ORANGE, RED, Picture, base, titled, to_png, to_svg, when, x, y
from twin.fit_charts import fit_histogram, fit_qq
from twin.outlook import LEVELS, Forecast, OrderOutlook, median
from twin.validation import METRICS, Validation
from twin.words import DAYS, unit_for

__all__ = [
    "arrivals_profile",
    "calendar_heatmap",
    "fit_histogram",
    "fit_qq",
    "forecast_gantt",
    "to_png",
    "to_svg",
    "validation_bars",
    "waits_chart",
    "wip_fan",
]

TASK_COLOURS = (
    *("#3b82a8", "#e0a03c", "#5a9e6f", "#c2667a", "#7d74b8", "#4fb0ae", "#b8864b", "#91a63f", "#a06a9c"),
    "#6f8796",
)
WAIT_COLOURS = {"work": "#3b82a8", "off shift": "#b9c4cd", "agents busy": "#d97b3c", "remaining": "#c9b458"}


def forecast_gantt(forecast: Forecast, limit: int = 40) -> Picture:
    """The open orders that complete first: remaining tasks (median start to end; paler where less likely),
    completion (10 % to 90 %), due date and now."""
    shown = sorted(forecast.orders, key=lambda order: median(order.quantiles))[:limit]
    ids = [order.case_id for order in shown]
    row = alt.Y("order", type="nominal", sort=ids, title=None, scale=alt.Scale(domain=ids, paddingInner=0.25))
    done = base(_completion(order) for order in shown).encode(y=row)
    tips = [_tip(name, title) for name, title in (("early", "10 %"), ("middle", "50 %"), ("late", "90 %"))]
    now = base([{"now": forecast.as_of.isoformat()}]).mark_rule(color=RED, strokeDash=[4, 3])
    layers = [
        _task_bars(shown).encode(y=row),
        done.mark_rule(color=GREY, strokeWidth=1.6).encode(x=when("early"), x2="late"),
        done.mark_point(color=GREY, filled=True, size=45, opacity=1).encode(
            x=when("middle"), tooltip=["order:N", *tips]
        ),
        now.encode(x=when("now")),
    ]
    due = [{"order": order.case_id, "due": order.due.isoformat()} for order in shown if order.due]
    if due:
        tick = base(due).mark_tick(color=RED, thickness=2.5, size=15)
        layers.append(tick.encode(x=when("due"), y=row, tooltip=["order:N", _tip("due", "due")]))
    more = (
        f"; the first {limit} of {len(forecast.orders):,} open orders" if len(forecast.orders) > limit else ""
    )
    red = "due and now" if due else "now"
    subtitle = f"bar: median task; dot and line: completion, median and 10–90 %; red: {red}{more}"
    return alt.layer(*layers).properties(
        width=720, height=alt.Step(18), title=titled("When open orders complete", subtitle)
    )


def _task_bars(orders: Sequence[OrderOutlook]) -> alt.Chart:
    bars = [
        {"order": order.case_id, "task": task.activity, "probability": task.probability}
        | {"from": task.start[1].isoformat(), "to": task.end[1].isoformat()}
        for order in orders
        for task in order.tasks
    ]
    labels = sorted({str(bar["task"]) for bar in bars})
    colours = alt.Scale(
        domain=labels, range=[TASK_COLOURS[i % len(TASK_COLOURS)] for i in range(len(labels))]
    )
    legend = alt.Legend(orient="bottom", columns=5, title=None, labelLimit=170)
    paler = alt.Scale(domain=[0, 1], range=[0.15, 1])
    likely = alt.Tooltip("probability:Q", format=".0%")
    marks: alt.Chart = base(bars).mark_bar(cornerRadius=2)
    return marks.encode(
        x=when("from"),
        x2="to",
        color=alt.Color("task:N", scale=colours, legend=legend),
        opacity=alt.Opacity("probability:Q", scale=paler, legend=None),
        tooltip=["order:N", "task:N", _tip("from", "start"), _tip("to", "end"), likely],
    )


def _completion(order: OrderOutlook) -> dict[str, object]:
    early, middle, late = (order.quantiles[LEVELS.index(p)].isoformat() for p in (0.1, 0.5, 0.9))
    return {"order": order.case_id, "early": early, "middle": middle, "late": late}


def _tip(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(field, type="temporal", title=title, format="%a %d %b %H:%M")


def wip_fan(forecast: Forecast, metric: str = "wip", past: Sequence[tuple[datetime, float]] = ()) -> Picture:
    """A count over the horizons: median, 25–75 % and 5–95 %; `past` is what was counted before."""
    name = {"wip": "orders in process", "completions": "orders completed", "arrivals": "orders arrived"}[
        metric
    ]
    start = float(len(forecast.orders)) if metric == "wip" else 0.0
    fan = [(s.horizon_h, s.quantiles) for s in forecast.system if s.metric == metric]
    rows = [
        {"at": (forecast.as_of + timedelta(hours=hours)).isoformat()}
        | {f"q{100 * p:02.0f}": counts[LEVELS.index(p)] for p in (0.05, 0.25, 0.5, 0.75, 0.95)}
        for hours, counts in [(0.0, (start,) * len(LEVELS)), *sorted(fan)]
    ]
    chart = base(rows).encode(x=when("at", ticks=2))
    tips = [alt.Tooltip(f"q{p}:Q", title=f"{p} %") for p in ("05", "25", "50", "75", "95")]
    layers = [
        chart.mark_area(color=BLUE, opacity=0.18).encode(y=y("q05", name), y2="q95"),
        chart.mark_area(color=BLUE, opacity=0.3).encode(y=y("q25", name), y2="q75"),
        chart.mark_line(color=BLUE, point={"color": BLUE}).encode(y=y("q50", name), tooltip=tips),
    ]
    if past:
        seen = base({"at": moment.isoformat(), "count": count} for moment, count in past)
        line = seen.mark_line(color=GREY, interpolate="step-after")
        layers.append(line.encode(x=when("at", ticks=2), y=y("count", name)))
    title = titled(name.capitalize(), "median, 25–75 % and 5–95 %")
    return alt.layer(*layers).properties(width=330, height=180, title=title)


def validation_bars(validation: Validation) -> Picture:
    """Distances of the twin beside the references, a panel a metric; whiskers: ± one sd."""
    sources = {"this twin": validation.distances, **validation.references}
    metrics = [metric for metric in METRICS if metric in validation.distances]
    panels = [_metric_panel(metric, sources, i % 3 == 0) for i, metric in enumerate(metrics)]
    title = titled(
        "Distance to the log the twin has not seen", "shorter is better; whisker: ± 1 sd of the runs"
    )
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


def waits_chart(metagraph: Metagraph) -> Picture:
    """Where the time of a task goes, on average over its executions."""
    parts = {task.label: _parts(task) for task in metagraph.tasks()}
    unit, length = unit_for(max((sum(p.values()) for p in parts.values()), default=1.0))
    rows = [
        {"task": label, "part": name, "time": seconds / length, "order": i}
        for label, times in parts.items()
        for i, (name, seconds) in enumerate(times.items())
    ]
    colours = alt.Scale(domain=list(WAIT_COLOURS), range=list(WAIT_COLOURS.values()))
    marks: alt.Chart = base(rows).mark_bar(height=13)
    chart = marks.encode(
        x=x("time", f"mean time per execution, {unit}"),
        y=alt.Y("task", type="nominal", sort=list(parts), title=None, axis=alt.Axis(labelLimit=220)),
        color=alt.Color("part:N", scale=colours, legend=alt.Legend(orient="bottom", title=None)),
        order=alt.Order("order:Q"),
        tooltip=["task:N", "part:N", alt.Tooltip("time:Q", format=".2f", title=unit)],
    )
    return chart.properties(width=560, height=alt.Step(22), title="Where the time goes")


def _parts(task: Task) -> dict[str, float]:
    parts = {"work": task.durations.default.law.mean()}
    if task.waits:
        waits = task.waits
        parts |= {"off shift": waits.off_shift_s, "agents busy": waits.busy_s, "remaining": waits.remaining_s}
    return parts


def calendar_heatmap(metagraph: Metagraph) -> Picture:
    """How many agents are on shift in each hour of an ordinary week, each in its own zone."""
    edges = np.arange(169) * 3600.0
    count = np.zeros(168)
    hours = {calendar.id: calendar.hours for calendar in metagraph.calendars}
    for agent in metagraph.agents:
        for start, end in hours.get(agent.calendar, ()):
            count += np.clip(edges[1:], start, end) - np.clip(edges[:-1], start, end)
    rows = [{"day": DAYS[h // 24], "hour": h % 24, "agents": count[h] / 3600} for h in range(168)]
    shade = alt.Scale(range=["#8a97a31f", BLUE], domainMin=0)
    hour = alt.Axis(labelAngle=0, labelOverlap=True)
    marks: alt.Chart = base(rows).mark_rect()
    chart = marks.encode(
        x=alt.X("hour:O", title="hour of the day, local time", axis=hour),
        y=alt.Y("day:O", sort=list(DAYS), title=None),
        color=alt.Color("agents:Q", title="agents", scale=shade),
        tooltip=["day:O", "hour:O", alt.Tooltip("agents:Q", format=".1f")],
    )
    return chart.properties(width=440, height=alt.Step(20), title="Agents on shift")


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

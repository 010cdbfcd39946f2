"""Pictures of a forecast: the open orders on a time line, and counts over the horizons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import altair as alt

from metagraph.model import Metagraph
from twin.drawing_tools import BLUE, GREY, RED, Picture, base, ticks, titled, when, y
from twin.outlook import LEVELS, Forecast, OrderOutlook, median
from twin.shifts import Shifts

TASK_COLOURS = (
    *("#3b82a8", "#e0a03c", "#5a9e6f", "#8fb4d9", "#7d74b8", "#4fb0ae", "#b8864b", "#91a63f", "#a06a9c"),
    "#6f8796",
)
"""None is red: that is for due dates."""
_FAN_GAP_H = 24.0
"""Horizons further apart than this are not joined: nobody computed what happens in between."""


def forecast_gantt(forecast: Forecast, metagraph: Metagraph | None = None, limit: int = 40) -> Picture:
    """The open orders that complete first: remaining tasks (median start to end; paler where less likely),
    completion (5 % to 95 %), due date and now. With the twin, tasks are thin while nobody is on shift."""
    shown = sorted(forecast.orders, key=lambda order: median(order.quantiles))[:limit]
    ids = [order.case_id for order in shown]
    at = partial(when, at=_days(forecast.as_of, shown))
    row = alt.Y("order", type="nominal", sort=ids, title=None, scale=alt.Scale(domain=ids, paddingInner=0.25))
    done = base(_completion(order) for order in shown).encode(y=row)
    tips = [_tip(name, title) for name, title in (("early", "5 %"), ("middle", "50 %"), ("late", "95 %"))]
    now = base([{"now": forecast.as_of.isoformat()}]).mark_rule(color=GREY, strokeDash=[4, 3])
    layers = [
        *(bars.encode(y=row) for bars in _task_bars(shown, metagraph, at)),
        done.mark_rule(color=GREY, strokeWidth=1.6).encode(x=at("early"), x2="late"),
        done.mark_point(color=GREY, filled=True, size=45, opacity=1).encode(
            x=at("middle"), tooltip=["order:N", *tips]
        ),
        now.encode(x=at("now")),
    ]
    due = [{"order": order.case_id, "due": order.due.isoformat()} for order in shown if order.due]
    if due:
        tick = base(due).mark_tick(color=RED, thickness=2.5, size=15)
        layers.append(tick.encode(x=at("due"), y=row, tooltip=["order:N", _tip("due", "due")]))
    title = titled("When open orders complete", _legend(forecast, limit, bool(due), metagraph is not None))
    return alt.layer(*layers).properties(width=720, height=alt.Step(18), title=title)


def _days(now: datetime, orders: Sequence[OrderOutlook]) -> list[alt.DateTime]:
    """Ticks over all that the orders' time line shows."""
    shown = [now, *(order.due for order in orders if order.due)]
    for order in orders:
        shown += [order.quantiles[LEVELS.index(level)] for level in (0.05, 0.95)]
        shown += [moment for task in order.tasks for moment in (task.start[1], task.end[1])]
    return ticks(min(shown), max(shown))


def _legend(forecast: Forecast, limit: int, dated: bool, shifts: bool) -> str:
    off = ", thin while nobody who does it is on shift" if shifts else ""
    due = "; red: due" if dated else ""
    more = f"; the first {limit} of {len(forecast.orders):,} open orders" * (len(forecast.orders) > limit)
    return (
        f"Coloured: a task from its median start to its median end{off}; paler where it is less likely.\n"
        f"Grey: completion, median and 5–95 %{due}; dashed: now{more}."
    )


def _task_bars(
    orders: Sequence[OrderOutlook], metagraph: Metagraph | None, at: Callable[[str], alt.X]
) -> list[alt.Chart]:
    """Bars from start to end and, with the twin, thick ones over them where somebody is on shift."""
    bars = [
        {"order": order.case_id, "task": task.activity, "probability": task.probability}
        | {"from": task.start[1].isoformat(), "to": task.end[1].isoformat()}
        for order in orders
        for task in order.tasks
    ]
    labels = sorted({str(bar["task"]) for bar in bars})
    if metagraph is None:
        return [_bars(bars, labels, 12, at)]
    shifts = Shifts(metagraph)
    pieces = [
        bar | {"piece from": start.isoformat(), "piece to": end.isoformat()}
        for bar in bars
        for start, end in shifts.within(str(bar["task"]), _instant(bar["from"]), _instant(bar["to"]))
    ]
    return [_bars(bars, labels, 3, at), _bars(pieces, labels, 12, at, "piece ")]


def _bars(
    rows: Sequence[Mapping[str, object]],
    labels: Sequence[str],
    size: int,
    at: Callable[[str], alt.X],
    part: str = "",
) -> alt.Chart:
    colours = alt.Scale(
        domain=list(labels), range=[TASK_COLOURS[i % len(TASK_COLOURS)] for i in range(len(labels))]
    )
    legend = alt.Legend(orient="bottom", columns=5, title=None, labelLimit=170)
    paler = alt.Scale(domain=[0, 1], range=[0.15, 1])
    likely = alt.Tooltip("probability:Q", format=".0%")
    marks: alt.Chart = base(rows).mark_bar(cornerRadius=min(2, size // 3), size=size)
    return marks.encode(
        x=at(f"{part}from"),
        x2=f"{part}to",
        color=alt.Color("task:N", scale=colours, legend=legend),
        opacity=alt.Opacity("probability:Q", scale=paler, legend=None),
        tooltip=["order:N", "task:N", _tip("from", "start"), _tip("to", "end"), likely],
    )


def _instant(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def _completion(order: OrderOutlook) -> dict[str, object]:
    early, middle, late = (order.quantiles[LEVELS.index(p)].isoformat() for p in (0.05, 0.5, 0.95))
    return {"order": order.case_id, "early": early, "middle": middle, "late": late}


def _tip(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(field, type="temporal", title=title, format="%a %d %b %H:%M")


def wip_fan(forecast: Forecast, metric: str = "wip", past: Sequence[tuple[datetime, float]] = ()) -> Picture:
    """A count over the horizons: median, 25–75 % and 5–95 %; `past` is what was counted before.

    A fan where the horizons lie close, else a whisker at each of them.
    """
    name = {"wip": "orders in process", "completions": "orders completed", "arrivals": "orders arrived"}[
        metric
    ]
    start = float(len(forecast.orders)) if metric == "wip" else 0.0
    fan = [(s.horizon_h, s.quantiles) for s in forecast.system if s.metric == metric]
    points = [(0.0, (start,) * len(LEVELS)), *sorted(fan)]
    rows = [
        {"at": (forecast.as_of + timedelta(hours=hours)).isoformat()}
        | {f"q{100 * p:02.0f}": counts[LEVELS.index(p)] for p in (0.05, 0.25, 0.5, 0.75, 0.95)}
        for hours, counts in points
    ]
    joined = all(after - before <= _FAN_GAP_H for (before, _), (after, _) in pairwise(points))
    chart = base(rows).encode(x=when("at", ticks=2))
    tips = [alt.Tooltip(f"q{p}:Q", title=f"{p} %") for p in ("05", "25", "50", "75", "95")]
    bands = (("q05", "q95"), ("q25", "q75"))
    # Room above the band: where it is level, it would look cut off.
    top = max(*(counts[LEVELS.index(0.95)] for _, counts in points), *(count for _, count in past))
    up = partial(y, title=name, scale=alt.Scale(domain=[0, 1.1 * top or 1.0], nice=True))
    layers = [
        *(_spread(chart, joined, low).encode(y=up(low), y2=high) for low, high in bands),
        _middle(chart, joined).encode(y=up("q50"), tooltip=tips),
    ]
    if past:
        seen = base({"at": moment.isoformat(), "count": count} for moment, count in past)
        line = seen.mark_line(color=GREY, interpolate="step-after")
        layers.append(line.encode(x=when("at", ticks=2), y=up("count")))
    title = titled(name.capitalize(), "median, 25–75 % and 5–95 %")
    return alt.layer(*layers).properties(width=330, height=180, title=title)


def _spread(chart: alt.Chart, joined: bool, low: str) -> alt.Chart:
    """The band from a quantile upwards, or a whisker at each horizon."""
    inner = low == "q25"
    marks: alt.Chart = (
        chart.mark_area(color=BLUE, opacity=0.3 if inner else 0.18)
        if joined
        else chart.mark_rule(color=BLUE, opacity=0.55, strokeWidth=6 if inner else 1.5)
    )
    return marks


def _middle(chart: alt.Chart, joined: bool) -> alt.Chart:
    marks: alt.Chart = (
        chart.mark_line(color=BLUE, point={"color": BLUE})
        if joined
        else chart.mark_point(color=BLUE, filled=True, size=50, opacity=1)
    )
    return marks

"""Pictures of a log, of the rows that `eventlogs.mining` gives: none has more than some 5,000 marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import altair as alt

from twin.drawing_tools import BLUE, GREY, ORANGE, Picture, base, titled, x, y
from twin.forecast_charts import TASK_COLOURS
from twin.words import DAYS, percent, span, unit_for

Rows = Sequence[Mapping[str, Any]]
OTHERS = "other activities"
MOST_NAMES = 25
"""Rows and columns of a matrix."""
MOST_VARIANTS = 15
MOST_STEPS = 40
_CHEVRON = "M-1.25,-0.8L0.75,-0.8L1.25,0L0.75,0.8L-1.25,0.8L-0.75,0Z"
_CHEVRON_PX = 30
_MOST_PERIODS = 400
_MANY_DOTS = 1_500
_WITH_YEAR = (
    "utcFormat(datum.value, '%Y') != datum.label && "
    "(datum.index == 0 || utcFormat(datum.value, '%B') == datum.label)"
    " ? [datum.label, utcFormat(datum.value, '%Y')] : datum.label"
)
"""Vega says the year in January only: the first label and every month's name get one."""
FAR = 3.0
"""Times as long as most of the log: a picture of all of it shows too little."""


def crowded(rows: Rows, first: datetime, last: datetime) -> tuple[datetime, datetime] | None:
    """Between which starts (of rows of `dotted`) nearly all lie, where few are far from all others.

    Nearly all: but one in a hundred at either end. Far: from `first` to `last` takes FAR times as long.
    """
    starts = sorted(row["start"] for row in rows)
    out = max(len(starts) // 100, 1)
    if len(starts) <= 2 * out:
        return None
    # A neighbour at either end, so that what lies close to the others stays with them.
    begin, end = starts[out], starts[-1 - out]
    length = end - begin
    begin, end = (
        min(at for at in starts if at >= begin - length / 2),
        max(at for at in starts if at <= end + length / 2),
    )
    return (begin, end) if last - first > FAR * (end - begin) and end > begin else None


def period_for(first: datetime, last: datetime) -> str:
    """The finest period of which a picture of this time holds at most 400."""
    lengths = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
    fit = (period for period, length in lengths.items() if (last - first) / length <= _MOST_PERIODS)
    return next(fit, "month")


def throughput_chart(rows: Rows, period: str) -> Picture:
    """Arrivals and completions per period."""
    rates = [
        {"at": row["period"].isoformat(), "what": what, "cases": row[what]}
        for row in _closed(rows)
        for what in ("arrivals", "completions")
    ]
    colours = alt.Scale(domain=["arrivals", "completions"], range=[BLUE, ORANGE])
    lines: alt.Chart = base(rates).mark_line(interpolate="step-after", strokeWidth=1.5)
    said = "a case is complete with its last event, unless something runs"
    return lines.encode(
        x=_time("at"),
        y=y("cases", f"cases per {period}"),
        color=alt.Color("what:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
        tooltip=[_tip("at", f"{period} of"), "what:N", alt.Tooltip("cases:Q", format=",")],
    ).properties(width=720, height=180, title=titled("Arrivals and completions", said))


def wip_chart(rows: Rows, period: str) -> Picture:
    """Cases in process at the end of each period."""
    held = [{"at": row["period"].isoformat(), "wip": row["wip"]} for row in _closed(rows)]
    area: alt.Chart = base(held).mark_area(
        color=GREY, opacity=0.3, interpolate="step-after", line={"color": GREY, "strokeWidth": 1.2}
    )
    return area.encode(
        x=_time("at"),
        y=y("wip", "cases"),
        tooltip=[_tip("at", f"{period} of"), alt.Tooltip("wip:Q", title="in process", format=",")],
    ).properties(width=720, height=120, title=titled("Cases in process", f"at the end of each {period}"))


def _closed(rows: Rows) -> Rows:
    """The periods, the last one up to its end: a step is drawn to the one after it."""
    if len(rows) < 2:
        return rows
    return [*rows, {**rows[-1], "period": rows[-1]["period"] + (rows[-1]["period"] - rows[-2]["period"])}]


def dotted_chart(rows: Rows, cases: int) -> Picture:
    """One dot an execution's start: time to the right, cases by their arrival upwards."""
    colours, names = _colours([row["activity"] for row in rows])
    dots = [
        {
            **{"case": row["case_id"], "place": row["place"], "activity": row["activity"]},
            **{"colour": _known(row["activity"], names), "resource": row["resource"] or "–"},
            "at": row["start"].isoformat(),
        }
        for row in rows
    ]
    shown = len({row["case_id"] for row in rows})
    said = f"{shown:,} of {cases:,} cases, drawn evenly" if shown < cases else f"all {cases:,} cases"
    many = len(dots) > _MANY_DOTS
    marks: alt.Chart = base(dots).mark_circle(size=5 if many else 9, opacity=0.5 if many else 0.8)
    return marks.encode(
        x=_time("at"),
        y=y("place", "case, by arrival", scale=alt.Scale(zero=False)),
        color=alt.Color("colour:N", scale=colours, legend=_legend()),
        tooltip=["case:N", "activity:N", "resource:N", _tip("at", "start")],
    ).properties(width=720, height=320, title=titled("Every start is a dot", said))


def variants_chart(rows: Rows, variants: int) -> Picture:
    """The most frequent of `variants` variants as chevrons, one a step."""
    shown = rows[:MOST_VARIANTS]
    colours, names = _colours([activity for row in shown for activity in row["activities"]])
    labels = [f"{i + 1}.  {percent(row['share'])}  ({row['cases']:,})" for i, row in enumerate(shown)]
    steps = [
        {
            **{"variant": label, "step": place, "activity": activity, "cases": row["cases"]},
            **{
                "colour": _known(activity, names),
                "share": row["share"],
                "cycle": _span(row["median_cycle_s"]),
            },
        }
        for label, row in zip(labels, shown, strict=True)
        for place, activity in enumerate(row["activities"][:MOST_STEPS], start=1)
    ]
    covered = shown[-1]["covered"] if shown else 0.0
    said = f"{len(shown)} of {variants:,} variants, {percent(covered)} of the cases"
    if any(len(row["activities"]) > MOST_STEPS for row in shown):
        said += f"; the first {MOST_STEPS} steps"
    marks: alt.Chart = base(steps).mark_point(shape=_CHEVRON, filled=True, opacity=1, size=490)
    axis = alt.Axis(labelLimit=160, ticks=False, domain=False, grid=False)
    return marks.encode(
        x=alt.X("step:O", title="step", axis=alt.Axis(labelAngle=0, labelOverlap=True, grid=False)),
        y=alt.Y("variant:N", sort=labels, title="share (cases)", axis=axis),
        color=alt.Color("colour:N", scale=colours, legend=_legend()),
        tooltip=[
            *("activity:N", "step:O", alt.Tooltip("cases:Q", format=",")),
            *(alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("cycle:N", title="median cycle time")),
        ],
    ).properties(width=alt.Step(_CHEVRON_PX), height=alt.Step(26), title=titled("Variants", said))


def durations_chart(rows: Rows) -> Picture:
    """Quantiles of the duration of each activity; those with the longest total first."""
    known = [row for row in rows if row["median_duration_s"] is not None]
    known = sorted(known, key=lambda row: -row["total_duration_s"])[:MOST_NAMES]
    unit, length = unit_for(max((row["p95_duration_s"] for row in known), default=1.0))
    levels = ("p05", "p25", "median", "p75", "p95")
    quantiles = [
        {
            "activity": row["activity"],
            "n": row["count"] - row["running"],
            "total": _span(row["total_duration_s"]),
        }
        | {level: row[f"{level}_duration_s"] / length for level in levels}
        | {f"{level} said": _span(row[f"{level}_duration_s"]) for level in levels}
        for row in known
    ]
    names = [row["activity"] for row in known]
    chart = base(quantiles).encode(
        y=alt.Y("activity:N", sort=names, title=None, axis=alt.Axis(labelLimit=220)),
        tooltip=[
            *("activity:N", alt.Tooltip("n:Q", format=","), alt.Tooltip("total:N", title="all together")),
            *(alt.Tooltip(f"{level} said:N", title=_level(level)) for level in levels),
        ],
    )
    layers = [
        chart.mark_rule(color=BLUE, opacity=0.6).encode(x=x("p05", f"duration, {unit}"), x2="p95"),
        chart.mark_bar(color=BLUE, opacity=0.55, height=11).encode(x=x("p25", f"duration, {unit}"), x2="p75"),
        chart.mark_tick(color=ORANGE, thickness=2.5, size=15).encode(x=x("median", f"duration, {unit}")),
    ]
    title = titled(
        "How long executions take", "line: 5–95 %, bar: 25–75 %, orange: median; longest total first"
    )
    return alt.layer(*layers).properties(width=560, height=alt.Step(22), title=title)


def follows_chart(rows: Rows) -> Picture:
    """Which activity directly follows which, as a matrix."""
    cells = [
        {"from": row["activity"], "to": row["next_activity"], "count": row["count"]}
        | {"median": _span(row["median_end_to_start_s"]), "p90": _span(row["p90_end_to_start_s"])}
        for row in rows
    ]
    said = "how often the activity above is the next one after the activity at the left"
    return _matrix(cells, "activity", "directly followed by", "What follows what", said)


def handovers_chart(rows: Rows) -> Picture:
    """Which resource goes on after which, as a matrix."""
    cells = [
        {"from": row["resource"], "to": row["next_resource"], "count": row["count"]}
        | {"median": _span(row["median_end_to_start_s"]), "p90": _span(row["p90_end_to_start_s"])}
        for row in rows
        if row["resource"] is not None and row["next_resource"] is not None
    ]
    said = "how often the resource above goes on after the resource at the left"
    return _matrix(cells, "resource", "next resource", "Handovers of work", said)


def workload_chart(rows: Rows, zone: str) -> Picture:
    """Executions in progress in each hour of the week."""
    hours = [
        {"day": DAYS[row["weekday"]], "hour": row["hour"], "busy": row["in_progress"]}
        | {"started": row["started"], "completed": row["completed"]}
        for row in rows
    ]
    marks: alt.Chart = base(hours).mark_rect()
    shade = alt.Scale(range=["#8a97a31f", BLUE], domainMin=0)
    title = titled("Executions in progress", "on average, in each hour of the week")
    return marks.encode(
        x=alt.X("hour:O", title=f"hour of the day, {zone}", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("day:O", sort=list(DAYS), title=None),
        color=alt.Color("busy:Q", title="executions", scale=shade),
        tooltip=[
            *("day:O", "hour:O", alt.Tooltip("busy:Q", title="in progress", format=".2f")),
            *(alt.Tooltip("started:Q", format=","), alt.Tooltip("completed:Q", format=",")),
        ],
    ).properties(width=440, height=alt.Step(22), title=title)


def _matrix(cells: Rows, left: str, above: str, text: str, said: str) -> Picture:
    """The most frequent names against each other, shaded by how often."""
    times: dict[str, int] = {}
    for cell in cells:
        for name in (cell["from"], cell["to"]):
            times[name] = times.get(name, 0) + cell["count"]
    names = sorted(times, key=lambda name: (-times[name], name))
    if len(names) > MOST_NAMES:
        said += f"; the {MOST_NAMES} most frequent of {len(names):,}"
        names = names[:MOST_NAMES]
    kept = [cell for cell in cells if {cell["from"], cell["to"]} <= set(names)]
    shade = alt.Scale(type="sqrt", range=["#8a97a326", BLUE], domainMin=0)
    axis = alt.Axis(labelLimit=170)
    marks: alt.Chart = base(kept).mark_rect(cornerRadius=2)
    return marks.encode(
        x=alt.X(
            "to:N",
            sort=names,
            title=above,
            axis=alt.Axis(labelLimit=120, labelAngle=-40, labelOverlap=False, orient="top"),
        ),
        y=alt.Y("from:N", sort=names, title=left, axis=axis),
        color=alt.Color("count:Q", title="times", scale=shade),
        tooltip=[
            *(alt.Tooltip("from:N", title=left), alt.Tooltip("to:N", title=above)),
            alt.Tooltip("count:Q", title="times", format=","),
            alt.Tooltip("median:N", title="from end to start: median"),
            alt.Tooltip("p90:N", title="90 %"),
        ],
    ).properties(width=alt.Step(34), height=alt.Step(22), title=titled(text, said))


def _colours(activities: Sequence[str]) -> tuple[alt.Scale, Sequence[str]]:
    """Colours for the most frequent activities, and their names; the others share one."""
    times: dict[str, int] = {}
    for activity in activities:
        times[activity] = times.get(activity, 0) + 1
    names = sorted(times, key=lambda name: (-times[name], name))
    if len(names) <= len(TASK_COLOURS):
        return alt.Scale(domain=names, range=list(TASK_COLOURS[: len(names)])), names
    names = names[: len(TASK_COLOURS) - 1]
    return alt.Scale(domain=[*names, OTHERS], range=[*TASK_COLOURS[: len(names)], GREY]), names


def _known(activity: str, names: Sequence[str]) -> str:
    return activity if activity in names else OTHERS


def _legend() -> alt.Legend:
    return alt.Legend(orient="bottom", columns=5, title=None, labelLimit=170, symbolOpacity=1)


def _time(field: str) -> alt.X:
    axis = alt.Axis(labelOverlap=True, labelExpr=_WITH_YEAR)
    return alt.X(field, type="temporal", scale=alt.Scale(type="utc"), title="time (UTC)", axis=axis)


def _tip(field: str, title: str) -> alt.Tooltip:
    return alt.Tooltip(field, type="temporal", title=title, format="%a %d %b %Y %H:%M")


def _span(seconds: float | None) -> str:
    return "–" if seconds is None else span(seconds)


def _level(level: str) -> str:
    return level if level == "median" else f"{int(level[1:])} %"

"""The picture of a quote: how likely it is done by when, beside past orders, and where its time goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import altair as alt

from twin.drawing_tools import BLUE, GREY, ORANGE, RED, Picture, base, titled, when, x
from twin.outlook import LEVELS, Quote

MOST = 12
"""So many tasks are drawn: those that take most."""


def quote_chart(quote: Quote) -> Picture:
    """Above: the share of futures in which it is done by an instant, the promise dates with their intervals,
    and the dates that past orders suggest. Below: mean hours of waiting and work by task."""
    parts: list[Picture] = [dates_chart(quote)]
    if quote.drivers:
        parts.append(drivers_chart(quote))
    return alt.vconcat(*parts, spacing=24)


def dates_chart(quote: Quote) -> Picture:
    """The share of futures in which it is done by an instant, promises, and past orders."""
    rows: list[Mapping[str, object]] = [
        {"at": moment.isoformat(), "share": level}
        for level, moment in zip(LEVELS, quote.quantiles, strict=True)
    ]
    share = alt.Y(
        "share:Q", title="done by then", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1])
    )
    line = base(rows).mark_line(color=BLUE).encode(x=when("at"), y=share)
    promised = [
        {
            "date": date.isoformat(),
            "share": int(c) / 100,
            "confidence": f"{c} %",
            "low": (quote.between.get(c, (None, None))[0] or date).isoformat(),
            "high": (quote.between.get(c, (None, None))[1] or date).isoformat(),
        }
        for c, date in quote.dates.items()
    ]
    dates = base(promised).encode(y=share)
    tip = alt.Tooltip("date", type="temporal", title="promise", format="%a %d %b %H:%M")
    layers = [
        line,
        dates.mark_rule(color=BLUE, strokeWidth=3, opacity=0.5).encode(x=when("low"), x2="high"),
        dates.mark_point(color=BLUE, filled=True, size=70, opacity=1).encode(
            x=when("date"), tooltip=["confidence:N", tip]
        ),
    ]
    past = [
        {"past": (quote.at + timedelta(hours=hours)).isoformat(), "share": int(c) / 100}
        for c, hours in quote.history_lead_h.items()
    ]
    if past:
        diamonds = base(past).mark_point(color=GREY, shape="diamond", size=70, filled=True, opacity=1)
        layers.append(diamonds.encode(x=when("past"), y=share))
    if quote.due:
        layers.append(
            base([{"due": quote.due.isoformat()}])
            .mark_rule(color=RED, strokeDash=[4, 3])
            .encode(x=when("due"))
        )
    group = quote.history[0].group if quote.history else ""
    said = "dots: promises at 50, 80 and 95 % with the intervals of so many futures\n"
    marks = [f"diamonds: the same shares of past orders ({group})"] * bool(past)
    said += "; ".join([*marks, *["dashed: due"] * bool(quote.due)])
    return alt.layer(*layers).properties(width=560, height=200, title=titled("When the order is done", said))


def drivers_chart(quote: Quote) -> Picture:
    """Mean hours of waiting and work by task."""
    shown = quote.drivers[:MOST]
    rows = [
        {"task": driver.activity, "part": part, "hours": hours}
        for driver in shown
        for part, hours in (("waiting", driver.wait_h), ("from start to end", driver.work_h))
    ]
    parts = alt.Scale(domain=["waiting", "from start to end"], range=[ORANGE, BLUE])
    names = [driver.activity for driver in shown]
    drawn: Picture = (
        base(rows)
        .mark_bar()
        .encode(
            x=x("hours", "hours, mean"),
            y=alt.Y(
                "task",
                type="nominal",
                sort=names,
                title=None,
                axis=alt.Axis(labelLimit=220, labelOverlap=False),
            ),
            color=alt.Color("part:N", scale=parts, legend=alt.Legend(orient="bottom", title=None)),
            tooltip=["task:N", "part:N", alt.Tooltip("hours:Q", format=".3~g")],
        )
        .properties(width=560, height=alt.Step(18), title=titled("Where its time goes"))
    )
    return drawn

"""Pictures of a backtest of policies."""

from __future__ import annotations

from math import isfinite

import altair as alt

from twin.backtest_results import PolicyBacktest
from twin.backtest_runs import BETTER
from twin.backtest_words import NAMES, turned
from twin.drawing_tools import BLUE, GREY, ORANGE, RED, Picture, base, titled, when, x, y

WIDTH = 520


def backtest_chart(found: PolicyBacktest) -> Picture:
    """Differences from the policy in force over all periods, and period by period with the advice of then."""
    return alt.vconcat(differences_chart(found), periods_chart(found), spacing=28)


def differences_chart(found: PolicyBacktest) -> Picture:
    """A dot with its 95 % interval a contender; blue: shown to be better, red: worse."""
    unit = NAMES[found.objective]
    rows = []
    for one in found.ranking:
        if one.policy == found.own:
            continue
        low, high = (value if isfinite(value) else one.difference for value in (one.low, one.high))
        rows.append(
            {
                "policy": one.policy,
                "difference": turned(found, one.difference),
                "low": turned(found, low),
                "high": turned(found, high),
                "shown": one.shown or "not shown",
            }
        )
    colour = alt.Scale(domain=["better", "not shown", "worse"], range=[BLUE, GREY, RED])
    names = [one.policy for one in found.ranking if one.policy != found.own]
    chart = base(rows).encode(
        y=alt.Y("policy", type="nominal", sort=names, title=None, axis=alt.Axis(labelLimit=220)),
        color=alt.Color("shown:N", scale=colour, title=f"than {found.own}"),
        tooltip=["policy:N", "difference:Q", "low:Q", "high:Q", "shown:N"],
    )
    spans = chart.mark_rule(strokeWidth=2).encode(
        x=x("low", f"{unit}, minus {found.own}, a period"), x2="high"
    )
    dots = chart.mark_point(filled=True, size=70, opacity=1).encode(x=x("difference", ""))
    zero = base([{"zero": 0}]).mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=x("zero", ""))
    many = "more is better" if BETTER[found.objective] > 0 else "less is better"
    title = titled(
        f"{len(found.periods)} periods replayed", f"{many}; 95 % intervals, colours after Holm's correction"
    )
    return alt.layer(zero, spans, dots).properties(width=WIDTH, height=alt.Step(24), title=title)


def periods_chart(found: PolicyBacktest) -> Picture:
    """Each contender's difference in each period, and by a ring the one that was advised at its start."""
    sign = BETTER[found.objective]
    rows, advised = [], []
    for period in found.periods:
        own = period.figures[found.own][found.objective]
        start = period.start.isoformat()
        for name, figures in period.figures.items():
            if name != found.own:
                rows.append({"start": start, "policy": name, "difference": figures[found.objective] - own})
        gain = sign * period.gain
        advised.append({"start": start, "difference": gain, "advice": period.advice.call})
    title = titled("Period by period", "ring: what was advised at its start, from what was known by then")
    lines = base(rows).mark_line(point=True, strokeWidth=1.2)
    lines = lines.encode(
        x=when("start"),
        y=y("difference", f"{NAMES[found.objective]}, minus {found.own}"),
        color=alt.Color("policy:N", title="contender"),
        tooltip=["policy:N", "start:T", "difference:Q"],
    )
    rings = base(advised).mark_point(size=160, strokeWidth=2, color=ORANGE, filled=False)
    rings = rings.encode(x=when("start"), y=y("difference", ""), tooltip=["advice:N", "start:T"])
    layers = alt.layer(lines, rings).resolve_scale(color="independent")
    chart: Picture = layers.properties(width=WIDTH, height=170, title=title)
    return chart

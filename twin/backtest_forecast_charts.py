"""Pictures of a backtest: how reliable forecasts were, where they erred, and beside what."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from twin.backtest_forecast_result import OLD, RECALIBRATED, TO_GO, ForecastBacktest, Group
from twin.backtest_forecasts import TWIN
from twin.drawing_tools import BLUE, GREY, ORANGE, RED, Picture, base, titled, x, y
from twin.forecast_scores import BINS, Figure
from twin.outlook import LEVELS

COLOURS = (BLUE, RED, GREY, ORANGE, "#5a9e6f", "#7d74b8")
WIDTH, HEIGHT = 330, 220


def backtest_chart(found: ForecastBacktest) -> Picture:
    """All of them."""
    pairs = [
        (scores_chart(found), reliability_chart(found)),
        (pit_chart(found), coverage_chart(found)),
        tuple(error_chart(found, by) for by in ("age", "task") if _of(found, by)),
    ]
    rows = [alt.hconcat(*charts, spacing=40).resolve_scale(color="independent") for charts in pairs]
    picture: Picture = alt.vconcat(*rows, spacing=30).resolve_scale(color="independent")
    return picture


def scores_chart(found: ForecastBacktest) -> Picture:
    """The score of each forecaster, with its interval."""
    rows = [{"who": f.name, **_spread(f.scores.crps_h)} for f in found.forecasters]
    names = [str(row["who"]) for row in rows]
    who = alt.Y("who", type="nominal", sort=names, title=None, axis=alt.Axis(labelLimit=210))
    chart = base(rows).encode(y=who, color=_colour(names, legend=False))
    return alt.layer(
        chart.mark_rule(strokeWidth=2).encode(x=x("low", "hours"), x2="high"),
        chart.mark_point(filled=True, size=60, opacity=1).encode(x=x("value", "hours")),
    ).properties(
        width=WIDTH,
        height=HEIGHT,
        title=titled("Score (CRPS): lower is better", "mean and 95 % interval over orders"),
    )


def reliability_chart(found: ForecastBacktest) -> Picture:
    """Which share of outcomes came by each quantile: on the diagonal, as promised."""
    rows = [
        {"who": f.name, "level": level, "share": sum(f.scores.pit[: i + 1])}
        for f in found.forecasters
        for i, level in enumerate(LEVELS)
    ]
    names = [f.name for f in found.forecasters]
    legend = alt.Legend(orient="bottom", columns=2, title=None, labelLimit=220)
    line = (
        base(rows)
        .mark_line(strokeWidth=2)
        .encode(
            x=x("level", "promised", axis=alt.Axis(format="%")),
            y=y("share", "came", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            color=_colour(names).legend(legend),
        )
    )
    ideal = base([{"level": p, "share": p} for p in (0.0, 1.0)]).mark_line(color=GREY, strokeDash=[4, 3])
    return alt.layer(ideal.encode(x=x("level", "promised"), y=y("share", "came")), line).properties(
        width=WIDTH,
        height=HEIGHT,
        title=titled("How many had ended by each date", "below the line: forecasts were too early"),
    )


def pit_chart(found: ForecastBacktest) -> Picture:
    """Where outcomes fell between the quantiles of their forecasts."""
    ours = [f for f in found.forecasters if f.name in (TWIN, RECALIBRATED)]
    rows = [
        {"who": f.name, "from": i / BINS, "to": (i + 1) / BINS, "share": share, "zero": 0.0}
        for f in ours
        for i, share in enumerate(f.scores.pit)
    ]
    names = [f.name for f in ours]
    bars = (
        base(rows)
        .mark_bar(opacity=0.55, binSpacing=0)
        .encode(
            x=x("from", "place of the outcome in its forecast", axis=alt.Axis(format="%")),
            x2="to",
            y=y("share", "share of outcomes", axis=alt.Axis(format="%"), stack=None),
            y2="zero",
            color=_colour(names).legend(alt.Legend(orient="bottom", title=None, labelLimit=220)),
        )
    )
    even = base([{"share": 1 / BINS}]).mark_rule(color=GREY, strokeDash=[4, 3])
    return alt.layer(bars, even.encode(y=y("share", "share of outcomes"))).properties(
        width=WIDTH,
        height=HEIGHT,
        title=titled("Calibration (PIT)", "all equal if forecasts are as wide as they should be"),
    )


def coverage_chart(found: ForecastBacktest) -> Picture:
    """Coverage of the intervals by how far ahead the twin saw the end."""
    rows = [
        {"lead": g.name.removesuffix(TO_GO), "meant": meant, **_spread(value)}
        for g in _of(found, "lead")
        for meant, value in (("50 %", g.scores.cover50), ("90 %", g.scores.cover90))
    ]
    leads = list(dict.fromkeys(str(row["lead"]) for row in rows))
    chart = base(rows).encode(
        y=alt.Y("lead", type="nominal", sort=leads, title=None, axis=alt.Axis(labelLimit=210)),
        color=_colour(["50 %", "90 %"]).legend(alt.Legend(orient="bottom", title="meant to hold")),
    )
    right = x("value", "held", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    ideal = base([{"value": 0.5}, {"value": 0.9}]).mark_rule(color=GREY, strokeDash=[4, 3]).encode(x=right)
    marks = [
        chart.mark_rule(strokeWidth=2).encode(x=x("low", "held"), x2="high"),
        chart.mark_point(filled=True, size=60, opacity=1).encode(x=right),
    ]
    return alt.layer(ideal, *marks).properties(
        width=WIDTH,
        height=HEIGHT,
        title=titled("How often intervals held", "by the time to go, as forecast"),
    )


def error_chart(found: ForecastBacktest, by: str) -> Picture:
    """Mean absolute error of the twin's median, by the age or the standing of orders."""
    what = {"age": "age of the order", "task": "where the order stood"}[by]
    rows = [
        {"name": g.name.removesuffix(OLD), "n": g.scores.n, **_spread(g.scores.mae_h)} for g in _of(found, by)
    ]
    names = [str(row["name"]) for row in rows]
    chart = base(rows).encode(
        y=alt.Y("name", type="nominal", sort=names, title=None, axis=alt.Axis(labelLimit=210)),
        tooltip=["name:N", alt.Tooltip("value:Q", title="hours", format=".3g"), "n:Q"],
    )
    return alt.layer(
        chart.mark_rule(color=BLUE, strokeWidth=2).encode(x=x("low", "hours"), x2="high"),
        chart.mark_point(color=BLUE, filled=True, size=60, opacity=1).encode(x=x("value", "hours")),
    ).properties(
        width=WIDTH,
        height=HEIGHT,
        title=titled("Error of the median, mean", f"by {what}, with 95 % interval"),
    )


def _of(found: ForecastBacktest, by: str) -> Sequence[Group]:
    return [g for g in found.groups if g.by == by and g.forecaster == TWIN]


def _spread(value: Figure) -> dict[str, float]:
    return {"value": value.value, "low": value.low, "high": value.high}


def _colour(names: Sequence[str], legend: bool = True) -> alt.Color:
    scale = alt.Scale(domain=list(names), range=list(COLOURS[: len(names)]))
    field = "meant" if "90 %" in names else "who"
    colour = alt.Color(field, type="nominal", scale=scale)
    return colour if legend else colour.legend(None)

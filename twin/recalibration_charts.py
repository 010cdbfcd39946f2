"""Recalibrations as pictures: what changed, what the gate measured, and champions over time."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log10

import altair as alt

from twin.drawing_tools import BLUE, GREY, ORANGE, RED, Picture, base, titled, x
from twin.drift import DriftReport
from twin.gate import Gate, Paired
from twin.recalibration import Recalibration

SHOWN = 14
LEAST_P = 1e-12
FAR = 1.0
"""Gains are drawn up to a factor of e."""


def drift_chart(report: DriftReport) -> Picture | None:
    """How surely each thing changed: its corrected p value, with what this look was allowed. None where
    nothing was tested."""
    shown = report.watched[:SHOWN]
    if not shown:
        return None
    rows: list[dict[str, object]] = []
    for one in shown:
        name = _short(f"{one.kind}: {one.what}" if one.what else one.kind)
        rows.append(
            {"thing": name, "p": _level(one.corrected_p), "drift": _is(one.found), "words": one.words}
        )
    order = list(dict.fromkeys(str(row["thing"]) for row in rows))
    marks: alt.Chart = base(rows).mark_bar(height=11)
    bars = marks.encode(
        x=x("p", "corrected p value (a power of ten; farther right is surer)"),
        y=alt.Y("thing", type="nominal", sort=order, title=None, axis=alt.Axis(labelLimit=360)),
        color=alt.Color(
            "drift:N",
            scale=alt.Scale(domain=[_is(True), _is(False)], range=[RED, BLUE]),
            legend=alt.Legend(orient="bottom", title=None),
        ),
        tooltip=["words:N"],
    )
    line: alt.Chart = base([{"p": _level(report.alpha)}]).mark_rule(color=GREY, strokeDash=[4, 3])
    title = titled(
        "What has changed since the twin was learnt",
        f"{report.tests} tests on {report.cases} orders; the line is what this look was allowed",
    )
    return alt.layer(bars, line.encode(x="p:Q")).properties(width=420, height=alt.Step(20), title=title)


def _is(found: bool) -> str:
    return "drift" if found else "no drift"


def _level(p: float) -> float:
    return -log10(max(p, LEAST_P))


def gate_chart(gate: Gate) -> Picture:
    """By how much the challenger is better in each distance and in forecasts, with intervals."""
    pairs = [*gate.distances, gate.overall, *([gate.forecasts] if gate.forecasts else [])]
    rows = [_gain_row(one, one is gate.overall) for one in pairs]
    order = [str(row["what"]) for row in rows]
    y = alt.Y("what", type="nominal", sort=order, title=None, axis=alt.Axis(labelLimit=300))
    shade = alt.Color(
        "sum:N",
        scale=alt.Scale(domain=["sum", "part"], range=[ORANGE, BLUE]),
        legend=None,
    )
    zero: alt.Chart = base([{"gain": 0.0}]).mark_rule(color=GREY, strokeDash=[4, 3])
    lines: alt.Chart = base(rows).mark_rule(strokeWidth=2)
    dots: alt.Chart = base(rows).mark_circle(size=70, opacity=1.0)
    across = "challenger smaller than champion, % (right of 0 is better)"
    axis = x("gain", across)
    title = titled(
        f"Gate: {gate.challenger}",
        f"{gate.cases} orders from {gate.begin:%Y-%m-%d}; 90 % intervals, {gate.runs} paired simulated logs",
    )
    return alt.layer(
        zero.encode(x=axis),
        lines.encode(x=x("low", across), x2="high:Q", y=y, color=shade),
        dots.encode(x=axis, y=y, color=shade, tooltip=["what:N", "told:N"]),
    ).properties(width=420, height=alt.Step(22), title=title)


def _gain_row(one: Paired, whole: bool) -> dict[str, object]:
    gain, low, high = (100 * (1 - exp(-max(min(v, FAR), -FAR))) for v in (one.gain, one.low, one.high))
    return {
        "what": one.name,
        "gain": gain,
        "low": low,
        "high": high,
        "sum": "sum" if whole else "part",
        "told": f"{one.champion:.3g} → {one.challenger:.3g} {one.unit}",
    }


def history_chart(runs: Sequence[Recalibration]) -> Picture | None:
    """The verdicts over time and the version that was champion; None for fewer than two instants."""
    if len({run.as_of for run in runs}) < 2:
        return None
    rows: list[dict[str, object]] = [
        {
            "as_of": run.as_of.isoformat(),
            "verdict": run.verdict,
            "champion": run.champion,
            "gain": 100 * (1 - exp(-run.gates[0].overall.gain)) if run.gates else None,
            "words": run.words,
        }
        for run in runs
    ]
    shades = {
        "promoted": "#4f9d69",
        "asks": ORANGE,
        "rejected": RED,
        "too early": "#b59a2f",
        "no drift": BLUE,
        "nothing new": GREY,
    }
    marks: alt.Chart = base(rows).mark_circle(size=110, opacity=1.0)
    steps: alt.Chart = base(rows).mark_line(interpolate="step-after", color=GREY)
    days = alt.Axis(format="%Y-%m-%d", tickCount=6, labelOverlap=True)
    across = alt.X("as_of", type="temporal", title="data until (UTC)", scale=alt.Scale(type="utc"), axis=days)
    up = alt.Y("champion", type="quantitative", title="champion's version", axis=alt.Axis(tickMinStep=1))
    dots = marks.encode(
        x=across,
        y=up,
        color=alt.Color(
            "verdict:N",
            scale=alt.Scale(domain=list(shades), range=list(shades.values())),
            legend=alt.Legend(orient="bottom", title=None, columns=3),
        ),
        tooltip=["as_of:T", "verdict:N", "words:N"],
    )
    title = titled("Recalibrations", "one dot a run")
    return alt.layer(steps.encode(x=across, y=up), dots).properties(width=480, height=200, title=title)


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

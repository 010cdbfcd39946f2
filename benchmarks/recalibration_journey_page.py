"""The page that benchmarks.recalibration_journey writes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from twin.gate import Gate, Paired
from twin.recalibration import Recalibration


def write_page(log: str, rows: Sequence[Mapping[str, Any]], db: Path, docs: Path) -> None:
    """docs/recalibration-journey.md, and the pictures beside it."""
    from twin.drawing_tools import write_picture
    from twin.recalibration_charts import drift_chart, gate_chart, history_chart

    runs = [_run(row) for row in rows]
    history = history_chart(runs)
    if history:
        write_picture(docs / "recalibration-journey.svg", history)
    worth = _worth_chart(rows)
    if worth:
        write_picture(docs / "recalibration-journey-worth.svg", worth)
    shown = next((run for run in runs if run.verdict == "promoted"), None)
    if shown is not None and shown.drift is not None:
        picture = drift_chart(shown.drift)
        if picture:
            write_picture(docs / "recalibration-journey-drift.svg", picture)
        write_picture(docs / "recalibration-journey-gate.svg", gate_chart(shown.gates[0]))
    text = "\n".join(_lines(log, rows, runs, shown)) + "\n"
    (docs / "recalibration-journey.md").write_text(text, encoding="utf-8")


def _run(row: Mapping[str, Any]) -> Recalibration:
    from twin.json_out import read

    return read(Recalibration, json.dumps(row["result"]))


def _gate(row: Mapping[str, Any]) -> Gate | None:
    from twin.json_out import read

    return read(Gate, json.dumps(row["month"]["gate"])) if row["month"] else None


def _worth_chart(rows: Sequence[Mapping[str, Any]]) -> Any:
    """By how much the recalibrated twin is closer to the month that follows than the first one."""
    import altair as alt

    from twin.drawing_tools import BLUE, GREY, ORANGE, base, titled

    found: list[dict[str, object]] = []
    for row in rows:
        gate = _gate(row)
        for one in (gate.overall, gate.forecasts) if gate else ():
            if one is not None:
                low, mid, high = (100 * (1 - math.exp(-v)) for v in (one.low, one.gain, one.high))
                found.append(
                    {"month": row["as_of"][:7], "what": one.name, "low": low, "gain": mid, "high": high}
                )
    if not found:
        return None
    names = ["all distances", "forecasts"]
    shade = alt.Color(
        "what:N",
        scale=alt.Scale(domain=names, range=[BLUE, ORANGE]),
        legend=alt.Legend(orient="bottom", title=None),
    )
    across = alt.X("month", type="nominal", title="month that follows", axis=alt.Axis(labelAngle=0))
    bars: alt.Chart = base(found).mark_rule(strokeWidth=2)
    dots: alt.Chart = base(found).mark_circle(size=70, opacity=1.0)
    zero: alt.Chart = base([{"gain": 0.0}]).mark_rule(color=GREY, strokeDash=[4, 3])
    up = "smaller than the first twin's, %"
    shift = alt.XOffset("what:N")
    return alt.layer(
        zero.encode(y="gain:Q"),
        bars.encode(x=across, y=alt.Y("low:Q", title=up), y2="high:Q", color=shade, xOffset=shift),
        dots.encode(x=across, y="gain:Q", color=shade, xOffset=shift),
    ).properties(width=480, height=220, title=titled("What recalibration was worth", "90 % intervals"))


def _lines(
    log: str, rows: Sequence[Mapping[str, Any]], runs: Sequence[Recalibration], shown: Recalibration | None
) -> Iterator[str]:
    yield HEAD.format(log=log, first=runs[0].drift.since if runs and runs[0].drift else "")
    yield "| asked | orders since | drift found | verdict | gate: distances | forecasts | CPU s |"
    yield "| --- | ---: | --- | --- | ---: | ---: | ---: |"
    yield from (_line(row, run) for row, run in zip(rows, runs, strict=True))
    yield ""
    yield "![Verdicts over time](recalibration-journey.svg)"
    yield ""
    yield WORTH
    yield "| month that follows | version | orders | distances smaller by | forecast errors smaller by |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for row in rows:
        gate = _gate(row)
        if gate is not None:
            told = f"{_share(gate.overall)} | {_share(gate.forecasts)}"
            yield f"| {row['as_of'][:10]} | {row['month']['version']} | {gate.cases} | {told} |"
    yield ""
    yield "![What recalibration was worth](recalibration-journey-worth.svg)"
    if shown is not None and shown.drift is not None:
        yield from _promotion(shown)


def _promotion(shown: Recalibration) -> Iterator[str]:
    assert shown.drift is not None
    yield ""
    yield f"## The first promotion, {shown.as_of:%Y-%m-%d}"
    yield ""
    yield f"{shown.words}. What had changed:"
    yield ""
    yield from (f"- {one.words} ({one.test}, corrected p {one.corrected_p:.2g})" for one in shown.drift.found)
    yield ""
    yield "![Drift](recalibration-journey-drift.svg)"
    yield ""
    yield "![Gate](recalibration-journey-gate.svg)"


def _line(row: Mapping[str, Any], run: Recalibration) -> str:
    drift = run.drift
    kinds = ", ".join(dict.fromkeys(one.kind for one in drift.found)) if drift else ""
    orders = drift.cases if drift else 0
    gate = run.gates[0] if run.gates else None
    told = (_share(gate.overall), _share(gate.forecasts)) if gate else ("", "")
    return (
        f"| {row['as_of'][:10]} | {orders} | {kinds or 'none'} | {run.verdict} | {told[0]} | {told[1]} | "
        f"{row['cpu_s']:.0f} |"
    )


def _share(one: Paired | None) -> str:
    if one is None:
        return "–"
    low, mid, high = (1 - math.exp(-v) for v in (one.low, one.gain, one.high))
    return f"{mid:+.0%} ({low:+.0%} to {high:+.0%})"


HEAD = """# A twin that stays true: a journey

Made by `python -m benchmarks.recalibration_journey --log {log}`. A twin of the public log {log} is built from
what was known on {first:%Y-%m-%d}. At the beginning of every month after, `tracetwin recalibrate --promote`
is asked with what was known then, and nothing later. It looks for drift by named tests; where there is some,
it builds challengers, judges them on the newest part of the log, which they haven't seen, and promotes the
best one if it beats the champion by more than chance. How it works: [recalibration](recalibration.md); how
well drift is found: [drift since a twin was learnt](drift-since.md).

Positive percentages: the challenger's distances to the held-out part, or the errors of its forecasts (CRPS),
are smaller than the champion's; in brackets 90 % intervals.
"""
WORTH = """## Was it worth it?

The champion of each month and the first twin, left alone, on the orders that began in the month that follows
and ended in it: as above, with the first twin in the champion's place. Nobody knew these orders.
"""

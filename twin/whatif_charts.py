"""Pictures of a what-if: courses of the baseline and the scenarios over time, with their bands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

import altair as alt

from twin.drawing_tools import GREY, Picture, base, ticks, titled, when, x, y
from twin.whatif import BASELINE
from twin.whatif_found import WhatIf
from twin.whatif_runs import WAITING
from twin.whatif_words import MAIN, NAMES

COLOURS = ("#8a97a3", "#d0453b", "#3b82a8", "#d97b3c", "#5f9e5f", "#8b6bb1", "#b08d2e")
"""The baseline's, then the scenarios'; beyond six of them they begin anew."""
_WIDTH, _HEIGHT = 640, 130


def whatif_chart(found: WhatIf) -> Picture:
    """Orders in process, orders lost and the queues that change most: mean and 5–95 % of the runs, for the
    baseline and every scenario, with the instants at which something of a scenario begins or ends."""
    panels = [_panel(found, name, i == len(found.courses) - 1) for i, name in enumerate(found.courses)]
    said = f"{found.beginning}; mean and 5–95 % of {found.replications} runs, on the same random numbers"
    names = ", ".join(one.name for one in found.scenarios)
    return alt.vconcat(*panels, spacing=14).properties(title=titled(f"{names} beside the baseline", said))


def _colour(found: WhatIf) -> alt.Color:
    names = [BASELINE, *(one.name for one in found.scenarios)]
    colours = [COLOURS[0], *(COLOURS[1 + i % (len(COLOURS) - 1)] for i in range(len(found.scenarios)))]
    scale = alt.Scale(domain=names, range=colours)
    legend = alt.Legend(orient="top", symbolOpacity=1.0)
    return alt.Color("who", type="nominal", title=None, scale=scale, legend=legend)


def _panel(found: WhatIf, series: str, last: bool) -> alt.LayerChart | alt.FacetChart:
    rows = list(_rows(found, series))
    top = max(float(str(row["high"])) for row in rows)
    scale = alt.Scale(domain=[0, 1.05 * top or 1.0], nice=True)
    title = "items" if series.startswith(WAITING) else "orders"
    chart = base(rows).encode(x=_time(found, last), color=_colour(found))
    band = chart.mark_area(opacity=0.14).encode(y=y("low", title, scale=scale), y2="high")
    line = chart.mark_line(strokeWidth=1.8).encode(
        y=y("mean", title, scale=scale),
        tooltip=[
            alt.Tooltip("who:N", title="contender"),
            alt.Tooltip("at", type="temporal", title="UTC", format="%a %d %b %H:%M"),
            *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("low", "mean", "high")),
        ],
    )
    dates = sorted({at for one in found.scenarios for at in one.dates})
    layers = [band, line]
    if dates:
        rules = base([{"at": at.isoformat()} for at in dates])
        layers.append(rules.mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=_time(found, last)))
    return alt.layer(*layers).properties(
        width=_WIDTH, height=_HEIGHT, title=titled(series[:1].upper() + series[1:])
    )


def _time(found: WhatIf, last: bool) -> alt.X:
    return when("at", named=last, at=ticks(found.at[0], found.at[-1]))


def _rows(found: WhatIf, series: str) -> Iterator[Mapping[str, object]]:
    courses = {BASELINE: found.courses[series]}
    courses |= {one.name: one.courses[series].course for one in found.scenarios}
    for who, course in courses.items():
        for at, mean, low, high in zip(found.at, course.mean, course.low, course.high, strict=True):
            yield {"who": who, "at": at.isoformat(), "mean": mean, "low": low, "high": high}


def differences_chart(found: WhatIf) -> Picture:
    """The main figures of every scenario as shares of the baseline's, with the intervals of their
    differences; those whose baseline is 0 can't be shown so."""
    names = [
        name
        for name in MAIN
        if name in found.figures and isfinite(found.figures[name].mean) and found.figures[name].mean != 0
    ]
    rows = list(_shares(found, names))
    chart = base(rows).encode(
        y=alt.Y("figure", type="nominal", title=None, sort=[NAMES[name] for name in names]),
        yOffset=alt.YOffset("who", type="nominal"),
        color=_colour(found),
    )
    spans = chart.mark_rule(strokeWidth=2).encode(x=x("low", "difference from the baseline, %"), x2="high")
    points = chart.mark_point(filled=True, size=55, opacity=1).encode(
        x=x("mean", "difference from the baseline, %")
    )
    zero = base([{"zero": 0}]).mark_rule(color=GREY).encode(x="zero:Q")
    said = "intervals that hold together with 95 %: one that is apart from 0 is a real difference"
    return alt.layer(zero, spans, points).properties(
        width=_WIDTH, title=titled("Differences from the baseline", said)
    )


def _shares(found: WhatIf, names: Sequence[str]) -> Iterator[Mapping[str, object]]:
    for one in found.scenarios:
        for name in names:
            if name not in one.figures or not isfinite(one.figures[name].difference.low):
                continue
            change, level = one.figures[name].difference, abs(found.figures[name].mean)
            yield {"who": one.name, "figure": NAMES[name]} | {
                part: 100 * getattr(change, part) / level for part in ("mean", "low", "high")
            }

"""How well a distribution fits: histogram and quantiles."""

from __future__ import annotations

import altair as alt
import numpy as np

from metagraph.distributions import Constant, Empirical, Fitted, ZeroInflated
from twin.drawing_tools import BLUE, GREY, ORANGE, Picture, base, titled, x, y
from twin.words import law_name, number, percent, unit_for

_BINS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Widths that read well, times a power of ten."""


def fit_histogram(fitted: Fitted, label: str) -> Picture:
    """What was observed (bars) and what the twin draws (line), as shares of executions per bin."""
    observed = Empirical(fitted.observed) if len(fitted.observed) > 1 else None
    top = max(float((observed or fitted.law).ppf(0.98)), float(fitted.law.ppf(0.95)), 1.0)
    if isinstance(fitted.law, Constant):
        top *= 1.5
    unit, length = unit_for(top)
    width = _bin_width(top / length) * length
    top = float(np.ceil(top / width) * width)
    across = x("from", f"time, {unit}", scale=alt.Scale(domain=[0, top / length], nice=False))
    up = y("share", f"executions, % per {number(width / length)} {unit}")
    layers = [_law_line(fitted, top, width, length, across, up)]
    if observed:
        bars = _bars(observed, top, width, length)
        layers.insert(0, bars.encode(x=across, x2="to", y=up, y2=alt.datum(0)))
    subtitle = _subtitle(fitted, top, length, unit)
    return alt.layer(*layers).properties(width=300, height=190, title=titled(label, subtitle))


def _bin_width(top: float) -> float:
    """The narrowest round width that cuts 0..top into at most 30 bins."""
    scale = 10.0 ** np.floor(np.log10(top / 30))
    return float(next(scale * step for step in _BINS if top / (scale * step) <= 30))


def _bars(observed: Empirical, top: float, width: float, length: float) -> alt.Chart:
    edges = np.linspace(0, top, round(top / width) + 1)
    shares = np.diff(observed.cdf(edges)) * 100
    rows = zip(edges[:-1] / length, edges[1:] / length, shares, strict=True)
    chart = base({"from": a, "to": b, "share": share} for a, b, share in rows)
    marks: alt.Chart = chart.mark_rect(color=BLUE, opacity=0.45)
    return marks.encode(tooltip=[alt.Tooltip("share:Q", format=".1f", title="observed, %")])


def _law_line(fitted: Fitted, top: float, width: float, length: float, across: alt.X, up: alt.Y) -> alt.Chart:
    if isinstance(fitted.law, Constant):
        rule: alt.Chart = base([{"from": fitted.law.value / length}]).mark_rule(color=ORANGE, strokeWidth=2.5)
        return rule.encode(x=across)
    # A window as wide as a bar, so that line and bars are the same quantity.
    edges = np.linspace(0, top, 4 * round(top / width) + 1)
    lower, upper = np.maximum(edges - width / 2, 0), edges + width / 2
    shares = (fitted.law.cdf(upper) - fitted.law.cdf(lower)) * 100 * width / (upper - lower)
    chart = base({"from": a, "share": share} for a, share in zip(edges / length, shares, strict=True))
    marks: alt.Chart = chart.mark_line(color=ORANGE, strokeWidth=2.5, interpolate="monotone")
    return marks.encode(x=across, y=up)


def _subtitle(fitted: Fitted, top: float, length: float, unit: str) -> str:
    parts = [f"{law_name(fitted.law)}, n = {fitted.n:,}"]
    if isinstance(fitted.law, ZeroInflated):
        parts.append("zeros not drawn")
    beyond = 1 - float(fitted.law.cdf(top))
    if beyond > 0.001:
        parts.append(f"{percent(beyond)} beyond {number(top / length)} {unit}")
    return "; ".join(parts)


def fit_qq(fitted: Fitted, label: str) -> Picture:
    """Observed against fitted quantiles, 1 % to 99 %; on the line they agree. Empty without observations."""
    levels = np.linspace(0, 1, max(len(fitted.observed), 2))[1:-1]
    drawn, seen = fitted.law.ppf(levels), np.asarray(fitted.observed[1:-1])
    unit, length = unit_for(float(max([*drawn, *seen], default=1.0)))
    rows = zip(drawn / length, seen / length, levels, strict=True) if len(seen) else ()
    points = [{"fitted": a, "observed": b, "level": p} for a, b, p in rows]
    ends = sorted(v for p in points for v in (p["fitted"], p["observed"])) or [0.0, 1.0]
    across, up = x("fitted", f"fitted quantile, {unit}"), y("observed", f"observed quantile, {unit}")
    diagonal = base({"fitted": end, "observed": end} for end in (ends[0], ends[-1]))
    line = diagonal.mark_line(color=GREY, strokeDash=[4, 3]).encode(x=across, y=up)
    tips = [
        alt.Tooltip("level:Q", format=".0%"),
        *(alt.Tooltip(f"{n}:Q", format=".3~g") for n in ("fitted", "observed")),
    ]
    dots = base(points).mark_circle(color=BLUE, size=22, opacity=0.8).encode(x=across, y=up, tooltip=tips)
    ks = "no distance measured" if fitted.ks is None else f"largest gap in probability (KS) {fitted.ks:.3f}"
    return alt.layer(line, dots).properties(width=230, height=190, title=titled(f"{label}: quantiles", ks))

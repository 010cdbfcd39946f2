"""The differences of two twins as a picture."""

from __future__ import annotations

import altair as alt

from twin.diff import CONSEQUENCES, Compared, Difference
from twin.diff_words import NOTHING, THE_SAME, TITLES
from twin.drawing_tools import BLUE, GREY, ORANGE, Picture, base, titled, x

MOST = 25
"""Rows of a panel; the surest are drawn."""
_VIOLET = "#8a6bb0"
_MEANINGS = {
    "real": ("more than chance explains", ORANGE),
    "small": ("certain, but small", BLUE),
    "decided": ("decided", _VIOLET),
    "untested": ("not tested", "#b8a24a"),
    "chance": ("chance may explain it", GREY),
}


def diff_chart(found: Compared) -> Picture:
    """Changes with their 95 % intervals: relative ones, and shifts of shares."""
    shown = diff_panels(found)
    subtitle = "bars: 95 % intervals; colour: what the corrected tests say"
    title = titled(f"{found.before} → {found.after}", subtitle)
    if not shown:
        empty = base([{"text": NOTHING if found.tests else THE_SAME}])
        words = empty.mark_text(align="left", fontSize=14, color=GREY).encode(text="text:N")
        alone: Picture = words.properties(width=420, height=40, title=title)
        return alone
    whole: Picture = alt.vconcat(*shown, spacing=24, title=title).resolve_scale(color="shared")
    return whole


def diff_panels(found: Compared) -> tuple[Picture, ...]:
    """The picture's parts: what changed by a ratio, and what changed by percentage points."""
    panels = (_panel(found, "ratio", "change, %"), _panel(found, "share", "change, percentage points"))
    return tuple(panel for panel in panels if panel is not None)


def _panel(found: Compared, scale: str, unit: str) -> Picture | None:
    some = [
        d for d in found.differences if d.change and d.change.scale == scale and d.kind not in CONSEQUENCES
    ]
    ranked = sorted(some, key=_sureness)[:MOST]
    if not ranked:
        return None
    rows = [_row(one) for one in ranked]
    more = f", the surest {MOST} of {len(some)}" if len(some) > MOST else ""
    names = [str(row["what"]) for row in rows]
    y = alt.Y("what:N", sort=names, title=None, axis=alt.Axis(labelLimit=320))
    words, colours = zip(*_MEANINGS.values(), strict=True)
    colour = alt.Color(
        "says:N",
        scale=alt.Scale(domain=list(words), range=list(colours)),
        legend=alt.Legend(title=None, orient="bottom"),
    )
    chart = base(rows).encode(y=y, color=colour, tooltip=["what:N", "told:N", "says:N"])
    zero = base([{"zero": 0}]).mark_rule(color=GREY, strokeDash=[3, 3]).encode(x=x("zero", unit))
    bars = chart.mark_rule(strokeWidth=2).encode(x=x("low", unit), x2="high")
    points = chart.mark_point(filled=True, size=55).encode(x=x("change", unit))
    title = ("Means and rates" if scale == "ratio" else "Shares") + more
    panel: Picture = alt.layer(zero, bars, points).properties(width=420, height=alt.Step(17), title=title)
    return panel


def _sureness(one: Difference) -> tuple[float, str]:
    return (one.test.adjusted if one.test else -1.0 if one.verdict == "decided" else 2.0, one.what)


def _row(one: Difference) -> dict[str, object]:
    change = one.change
    if change is None:
        raise ValueError(f"{one.what} has no size to draw")
    size = 100 * change.size
    low, high = (100 * bound if bound is not None else size for bound in (change.low, change.high))
    return {
        "what": f"{TITLES[one.kind]}: {one.what}",
        "told": " → ".join(one.told),
        "says": _MEANINGS[one.verdict][0],
        "change": size,
        "low": low,
        "high": high,
    }

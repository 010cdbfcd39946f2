"""What all charts share: colours, axes in units, and pictures of them without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil, floor
from pathlib import Path
from typing import Any

import altair as alt

from twin.files import write_whole

Picture = alt.Chart | alt.LayerChart | alt.FacetChart | alt.ConcatChart | alt.VConcatChart | alt.HConcatChart

BLUE, ORANGE, RED, GREY = "#3b82a8", "#d97b3c", "#d0453b", "#8a97a3"
"""Legible on white and on near-black."""
MOST_TICKS = 10
STEPS = tuple(timedelta(hours=h) for h in (0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 168, 336))
INK = "#3a4753"
"""Text on a light ground; a report exchanges it for its own colour."""


def to_svg(chart: Picture) -> str:
    """The chart as SVG on a transparent ground."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_styled(chart, "transparent").to_json()))


def to_png(chart: Picture, scale: float = 2.0) -> bytes:
    """The chart as PNG on white."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(_styled(chart, "#ffffff").to_json(), scale=scale))


def to_html(chart: Picture) -> str:
    """The chart as a page of its own, which needs nothing from elsewhere."""
    import vl_convert

    return str(vl_convert.vegalite_to_html(_styled(chart, "#ffffff").to_json(), bundle=True))


def write_picture(path: Path, chart: Picture) -> None:
    """The chart as SVG, PNG or HTML, by the name's end; whole or absent."""
    write: dict[str, Callable[[Path], object]] = {
        ".svg": lambda beside: beside.write_text(to_svg(chart), encoding="utf-8"),
        ".png": lambda beside: beside.write_bytes(to_png(chart)),
        ".html": lambda beside: beside.write_text(to_html(chart), encoding="utf-8"),
    }
    write_whole(path, write[path.suffix])


def _styled(chart: Picture, background: str) -> Picture:
    grid = {"gridColor": GREY, "gridOpacity": 0.22}
    text = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "labelPadding": 6}
    copy: Any = chart.copy(deep=False)
    copy.config = alt.Config(
        background=background,
        font="DejaVu Sans, sans-serif",
        view={"stroke": None},
        axis={"domain": False, "ticks": False, **grid, **text},
        title={"color": INK, "anchor": "start", "fontSize": 13, "offset": 10},
        legend={"labelColor": INK, "titleColor": INK},
    )
    styled: Picture = copy
    return styled


def base(rows: Iterable[Mapping[str, object]]) -> alt.Chart:
    """A chart of rows given as mappings."""
    data: Any = alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]
    return alt.Chart(data)


def x(field: str, title: str, **more: Any) -> alt.X:
    """A quantity from left to right; the title names its unit."""
    return alt.X(field, type="quantitative", title=title, **more)


def y(field: str, title: str, **more: Any) -> alt.Y:
    """A quantity from bottom to top; the title names its unit."""
    return alt.Y(field, type="quantitative", title=title, **more)


def when(
    field: str,
    ticks: int | None = None,
    *,
    named: bool = True,
    scale: alt.Scale | None = None,
    at: Sequence[alt.DateTime] = (),
) -> alt.X:
    """An instant, in UTC; midnights are labelled with their day. A narrow chart names its few `ticks`, each
    with day and time; one above another with the same axis needn't name them. `at`: these instead."""
    label = "utcFormat(datum.value, utchours(datum.value) ? '%H:%M' : '%a %d %b')"
    full = "utcFormat(datum.value, '%a %d %b, %H:%M')"
    axis = (
        alt.Axis(labelExpr=full, tickCount=ticks) if ticks else alt.Axis(labelExpr=label, labelOverlap=True)
    )
    if at:
        axis.values = list(at)
    if not named:
        axis.labels = False
    title = "time (UTC)" if named else None
    return alt.X(field, type="temporal", scale=scale or alt.Scale(type="utc"), title=title, axis=axis)


def ticks(low: datetime, high: datetime) -> list[alt.DateTime]:
    """Instants in UTC for an axis, midnights among them, so that every day is named: of ticks that a renderer
    chooses, it may leave out just those."""
    length = max(high - low, timedelta(seconds=1))
    step = next((one for one in STEPS if length / one <= MOST_TICKS), length / MOST_TICKS)
    midnight = low.replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = ceil((low - midnight) / step), floor((high - midnight) / step)
    return [stamp(midnight + i * step) for i in range(first, last + 1)]


def stamp(at: datetime) -> alt.DateTime:
    """An instant as an axis takes it."""
    return alt.DateTime(
        year=at.year,
        month=at.month,
        date=at.day,
        hours=at.hour,
        minutes=at.minute,
        seconds=at.second,
        utc=True,
    )


def titled(text: str, subtitle: str = "") -> alt.TitleParams:
    """A title, and lines of a subtitle; their colour reads on light and dark ground, whatever theme draws."""
    return (
        alt.TitleParams(text, subtitle=subtitle.split("\n"), subtitleColor="#7d8a96")
        if subtitle
        else alt.TitleParams(text)
    )

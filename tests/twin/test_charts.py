"""Pictures say what the values say: marks are compared with numbers computed another way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from metagraph.calendars import WorkClock
from metagraph.distributions import Constant, Empirical, Fitted, Parametric, ZeroInflated
from metagraph.paces import Pace
from tests.twin import handmade
from twin import charts
from twin.drawing_tools import Picture
from twin.outlook import LEVELS
from twin.shifts import Shifts
from twin.validation import METRICS

LOGNORMAL = Parametric("lognorm", (0.6, 0.0, 720.0))


def rows(spec: Any) -> list[list[dict[str, Any]]]:
    """The rows of each layer or panel, in the order of drawing."""
    if isinstance(spec, dict):
        own = [spec["data"]["values"]] if "values" in (spec.get("data") or {}) else []
        return own + [r for key in ("layer", "concat") for part in spec.get(key, []) for r in rows(part)]
    return []


def spec(chart: Picture) -> dict[str, Any]:
    return dict(chart.to_dict())


def all_pictures() -> dict[str, Picture]:
    twin, law = handmade.twin(), handmade.fitted(LOGNORMAL)
    return {
        "fit_histogram": charts.fit_histogram(law, handmade.EVIL),
        "fit_qq": charts.fit_qq(law, "Ship"),
        "forecast_gantt": charts.forecast_gantt(handmade.forecast()),
        "wip_fan": charts.wip_fan(handmade.forecast(), past=[(handmade.MONDAY, 3.0)]),
        "validation_bars": charts.validation_bars(handmade.validation()),
        "waits_chart": charts.waits_chart(twin),
        "pace_heatmap": charts.pace_heatmap(Pace("work", (0.0, 2.0) * 84)),
        "calendar_heatmap": charts.calendar_heatmap(twin),
        "arrivals_profile": charts.arrivals_profile(twin),
    }


@pytest.mark.parametrize("name", list(all_pictures()))
def test_every_picture_becomes_svg_and_png_without_markup_from_the_log(name: str) -> None:
    chart = all_pictures()[name]
    svg, png = charts.to_svg(chart), charts.to_png(chart, 1.0)
    assert (svg[:4], png[:4]) == ("<svg", b"\x89PNG")
    assert [tag for tag in ("<script", "<b>") if tag in svg] == []


@pytest.mark.parametrize(
    "law", [LOGNORMAL, ZeroInflated(0.3, LOGNORMAL), Empirical((5.0, 60.0, 61.0, 900.0)), Constant(60.0)]
)
def test_bars_and_line_of_a_histogram_cover_the_same_executions(law: Any) -> None:
    fitted = handmade.fitted(law)
    layers = rows(spec(charts.fit_histogram(fitted, "Ship")))
    bars = sum(bar["share"] for bar in layers[0])
    if isinstance(law, Constant):
        assert bars == pytest.approx(100)
        return
    line = layers[1]
    step = line[1]["from"] - line[0]["from"]
    width = layers[0][0]["to"] - layers[0][0]["from"]
    area = np.trapezoid([p["share"] for p in line], dx=step) / width
    assert area == pytest.approx(bars, abs=3.0)
    assert bars == pytest.approx(100 * (1 - (law.p_zero if isinstance(law, ZeroInflated) else 0)), abs=4.0)


def test_quantiles_of_a_law_against_itself_lie_on_the_diagonal() -> None:
    levels = np.linspace(0, 1, 51)
    seen = Fitted(LOGNORMAL, 51, "task", observed=(0.0, *map(float, LOGNORMAL.ppf(levels[1:-1])), 9e9))
    _, points = rows(spec(charts.fit_qq(seen, "Ship")))
    assert len(points) == 49
    assert [p["observed"] for p in points] == pytest.approx([p["fitted"] for p in points])


def test_pictures_without_observations_still_draw_the_law() -> None:
    said = Fitted(LOGNORMAL, 0, "human")
    assert len(rows(spec(charts.fit_histogram(said, "Ship")))) == 1
    assert charts.to_svg(charts.fit_qq(said, "Ship")).startswith("<svg")


def test_gantt_shows_the_orders_that_complete_first_and_says_how_many_it_leaves_out() -> None:
    forecast = handmade.forecast(50)
    shown = spec(charts.forecast_gantt(forecast, limit=40))
    bars, done, *_ = rows(shown)
    medians = {o.case_id: o.quantiles[LEVELS.index(0.5)] for o in forecast.orders}
    first = sorted(medians, key=lambda case: medians[case])[:40]
    assert [row["order"] for row in done] == first
    assert [row["middle"] for row in done] == [medians[case].isoformat() for case in first]
    assert {bar["order"] for bar in bars} == set(first)
    assert "first 40 of 50" in " ".join(shown["title"]["subtitle"])


def test_gantt_bars_are_thick_only_while_somebody_is_on_shift() -> None:
    twin = handmade.twin()
    thin, thick, done, *_ = rows(spec(charts.forecast_gantt(handmade.forecast(), twin)))
    assert done[0]["early"] == handmade.forecast().orders[0].quantiles[0].isoformat()
    start, end = handmade.MONDAY + timedelta(days=3, hours=12), handmade.MONDAY + timedelta(days=7, hours=9.5)
    pieces = Shifts(twin).within("Correct Order", start, end)
    clock = WorkClock(twin.calendars[0], handmade.MONDAY)
    seconds = [(moment - handmade.MONDAY).total_seconds() for moment in (start, end)]
    assert sum((b - a).total_seconds() for a, b in pieces) == pytest.approx(clock.between(*seconds))
    assert all(clock.is_on((a - handmade.MONDAY).total_seconds()) for a, _ in pieces)
    assert Shifts(twin).within("Ship", start, end) == [(start, end)]
    assert {bar["order"] for bar in thin} >= {bar["order"] for bar in thick}


def test_horizons_far_apart_are_not_joined() -> None:
    forecast = handmade.forecast()
    near = replace(forecast, system=tuple(s for s in forecast.system if s.horizon_h == 24))
    kinds = [[layer["mark"]["type"] for layer in spec(charts.wip_fan(f))["layer"]] for f in (near, forecast)]
    assert kinds == [["area", "area", "line"], ["rule", "rule", "point"]]


def test_fan_starts_at_the_open_orders_and_passes_through_the_horizons() -> None:
    forecast = handmade.forecast()
    (points, *_) = rows(spec(charts.wip_fan(forecast)))
    assert points[0]["q50"] == len(forecast.orders)
    wip = sorted((s.horizon_h, s.quantiles) for s in forecast.system if s.metric == "wip")
    assert [p["q95"] for p in points[1:]] == [q[LEVELS.index(0.95)] for _, q in wip]


def test_validation_panels_hold_the_means_and_spreads() -> None:
    validation = handmade.validation(ours=2.0)
    panels = rows(spec(charts.validation_bars(validation)))
    assert len(panels) == len(METRICS)
    ours, copied, _ = panels[0]
    assert ours["source"] == "this twin"
    assert (ours["mean"], ours["low"], ours["high"]) == pytest.approx((2.0, 1.8, 2.2))
    assert copied["low"] == copied["high"] == 1.5


def test_times_are_in_the_units_of_their_axes() -> None:
    chart = spec(charts.waits_chart(handmade.twin()))
    mean, month = chart["hconcat"]
    assert mean["encoding"]["x"]["title"].endswith(", h")
    assert month["encoding"]["x"]["title"].endswith(", hours a month")
    bars = [
        next(b for (r,) in [rows(panel)] for b in r if b["task"] == "Ship" and b["part"] == "agents busy")
        for panel in (mean, month)
    ]
    assert bars[0]["time"] == pytest.approx(1.0)
    executions_a_month = 400 / 80 * 365.25 / 12
    assert bars[1]["time"] == pytest.approx(executions_a_month)


def test_heatmap_counts_agent_hours() -> None:
    twin = handmade.twin()
    (cells,) = rows(spec(charts.calendar_heatmap(twin)))
    hours = {c.id: c.weekly_hours() for c in twin.calendars}
    assert sum(c["agents"] for c in cells) == pytest.approx(sum(hours[a.calendar] for a in twin.agents))


def test_profile_of_a_twin_without_arrivals_is_flat() -> None:
    (hours,) = rows(spec(charts.arrivals_profile(replace(handmade.twin(), arrivals=None))))
    assert [h["rate"] for h in hours] == [0.0] * 168

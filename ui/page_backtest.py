"""Page: the twin's forecasts held against the past, computed in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from twin.backtest_forecast_charts import (
    coverage_chart,
    error_chart,
    pit_chart,
    reliability_chart,
    scores_chart,
)
from twin.backtest_forecast_result import ForecastBacktest, Forecaster
from twin.backtest_forecast_words import figure, verdicts
from twin.backtest_forecasts import NOW
from twin.drawing_tools import Picture
from twin.json_out import read
from twin.words import number, percent
from ui import jobs
from ui.parts import built_twin, chosen_twin, keep_output, kept_result, picture, plain, run_job, watched
from ui.workspace import Workspace, workspace

WHAT = "backtest"


def show() -> None:
    """The page."""
    st.title("Forecasts on the past")
    place = workspace()
    name = chosen_twin()
    built_twin(place, name)
    folder, path = place.job(name, WHAT), place.result(name, WHAT)
    watched(folder, "Forecasting the past")
    keep_output(folder, path)
    _start(place, name, folder)
    text = kept_result(place, name, path, "Nothing was compared yet: start above.", "this")
    if text is None:
        return
    _results(read(ForecastBacktest, text), _csv(place, name), name)


def _start(place: Workspace, name: str, folder: Path) -> None:
    count, runs, anew, boosted, go = st.columns([1, 1, 1.6, 1.6, 1], vertical_alignment="bottom")
    origins = int(count.number_input("Instants", 1, 100, 10))
    replications = int(runs.number_input("Replications", 20, 5000, 200, 20))
    build = anew.checkbox(
        "Choose the twin anew", help="From what was known then; else only its parameters are fitted to that."
    )
    boosting = boosted.checkbox("Beside gradient boosting", help="Takes most of the time.")
    if go.button("Compare", type="primary"):
        command = jobs.tracetwin(
            *("backtest", "forecasts", *(("--build",) if build else (str(place.twin(name)),))),
            *("--log", place.log(name).name, "--origins", str(origins), "--replications", str(replications)),
            *("--boosting" if boosting else "--no-boosting", "--out", str(_csv(place, name))),
            *("--db", str(place.db), "--progress-file", str(jobs.progress_file(folder)), "--json"),
        )
        run_job(folder, command, place)


def _csv(place: Workspace, name: str) -> Path:
    return place.twins / f"{name}.backtest.csv"


def _results(found: ForecastBacktest, csv: Path, name: str) -> None:
    for sentence in verdicts(found):
        st.markdown(plain(f"{sentence[0].upper()}{sentence[1:]}."))
    st.dataframe([_row(one) for one in found.forecasters], hide_index=True)
    st.caption(
        "Hours and shares, mean [95 % interval]. CRPS is the score of the whole forecast: lower is better."
    )
    _side_by_side(scores_chart, reliability_chart, found)
    _side_by_side(pit_chart, coverage_chart, found)
    _side_by_side(lambda f: error_chart(f, "age"), lambda f: error_chart(f, "task"), found)
    if found.wip:
        st.subheader("Orders in process")
        st.dataframe(
            [
                {
                    "After, h": number(w.horizon_h),
                    "Forecast": "last value" if w.forecaster == NOW else w.forecaster,
                    "Orders": number(w.mean),
                    "Error": figure(w.mae),
                    "Error of all": percent(w.relative),
                    "90 % held": "" if w.forecaster == NOW else percent(w.cover90),
                }
                for w in found.wip
            ],
            hide_index=True,
        )
    with st.expander("The instants"):
        st.dataframe(
            [
                {"Instant, UTC": f"{one.at:%Y-%m-%d %H:%M}", "Open": one.orders, "Were over": one.over}
                | {
                    "Missed": one.missed,
                    "Open still": one.still_open,
                    "Twin": f"{one.built} {one.why}".strip(),
                }
                for one in found.instants
            ],
            hide_index=True,
        )
    for note in found.notes:
        st.caption(plain(f"{note[0].upper()}{note[1:]}."))
    if csv.exists():
        st.download_button(
            "Forecasts and what came (CSV)", csv.read_bytes(), f"{name}.backtest.csv", "text/csv"
        )


def _row(one: Forecaster) -> dict[str, object]:
    return {
        "Forecast": one.name,
        "CRPS, h": figure(one.scores.crps_h),
        "Error, h": figure(one.scores.mae_h),
        "50 % held": figure(one.scores.cover50, True),
        "90 % held": figure(one.scores.cover90, True),
        "Width of 90 %, h": number(one.scores.width90_h.value),
        "PIT off": number(one.scores.pit_deviation),
    }


def _side_by_side(
    left: Callable[[ForecastBacktest], Picture],
    right: Callable[[ForecastBacktest], Picture],
    found: ForecastBacktest,
) -> None:
    for column, chart in zip(st.columns(2), (left, right), strict=True):
        with column:
            picture(chart(found), 330)

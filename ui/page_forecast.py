"""Page 5: when the open orders will be done, computed in a process of its own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import streamlit as st

from metagraph.model import Metagraph
from twin.charts import forecast_gantt, wip_fan
from twin.files import write_text
from twin.json_out import read
from twin.load_charts import load_chart
from twin.model_words import congestion_text
from twin.outlook import LEVELS, Forecast, OrderOutlook, median
from twin.outlook_words import plus_minus
from twin.words import by_engine, instant
from ui import jobs
from ui.as_of import as_of
from ui.parts import built_twin, chosen_twin, keep_output, kept_result, picture, plain, run_job, watched
from ui.report_button import report_button
from ui.workspace import Workspace, workspace

HORIZONS_H = ",".join(str(hours) for hours in range(12, 169, 12))
"""Close enough together to show nights and weekends."""


def show() -> None:
    """The page."""
    st.title("Forecast of the open orders")
    place = workspace()
    name = chosen_twin()
    model = built_twin(place, name)
    folder = place.job(name, "forecast")
    watched(folder, "Forecasting")
    keep_output(folder, place.result(name, "forecast"))
    _start(place, name, model, folder)
    path = place.result(name, "forecast")
    text = kept_result(
        place, name, path, "No forecast yet: choose the instant and start above.", "this forecast"
    )
    if text is None:
        return
    _results(read(Forecast, text), _csv(place, name), name, model)
    report_button(place, name)


def _start(place: Workspace, name: str, model: Metagraph, folder: Path) -> None:
    day, clock, count, go = st.columns([1, 1, 1, 1], vertical_alignment="bottom")
    moment = as_of(model, day, clock)
    runs = int(count.number_input("Replications", 50, 5000, 200, 50))
    with st.expander("Which orders are open"):
        ids = st.text_area(
            "Ids of the open orders, one a line", placeholder="Leave empty: the model's own rule decides."
        )
    if go.button("Forecast", type="primary"):
        run_job(folder, _command(place, name, moment, runs, ids), place)


def _command(place: Workspace, name: str, as_of: datetime, runs: int, ids: str) -> list[str]:
    open_orders: tuple[str, ...] = ()
    if ids.strip():
        listed = place.twins / f"{name}.open.txt"
        write_text(listed, ids)
        open_orders = ("--open", str(listed))
    return jobs.tracetwin(
        *("forecast", str(place.twin(name)), "--log", place.log(name).name, "--as-of", as_of.isoformat()),
        *("--out", str(_csv(place, name)), "--horizons-h", HORIZONS_H, "--replications", str(runs)),
        *("--db", str(place.db), *open_orders),
        *("--progress-file", str(jobs.progress_file(place.job(name, "forecast"))), "--json"),
    )


def _csv(place: Workspace, name: str) -> Path:
    return place.twins / f"{name}.forecast.csv"


def _results(forecast: Forecast, csv: Path, name: str, model: Metagraph) -> None:
    st.caption(
        plain(
            f"{len(forecast.orders):,} open orders as of {instant(forecast.as_of)}, {forecast.replications} "
            f"replications{by_engine(forecast.engine)}. Open: {forecast.open_rule}."
        )
    )
    if forecast.learnt:
        st.caption(plain(forecast.learnt.words))
    for note in forecast.notes[:20]:
        st.warning(plain(note), icon=":material/warning:")
    if not forecast.orders:
        st.info("No order was open at that instant.")
        return
    if congestion_text(model):
        st.info(congestion_text(model), icon=":material/info:")
    _expected(forecast)
    picture(forecast_gantt(forecast, model))
    stamp = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC", width=130)
    st.dataframe(
        [_row(order) for order in sorted(forecast.orders, key=lambda order: median(order.quantiles))],
        hide_index=True,
        column_config=dict.fromkeys(("5 %", "Median", "95 %", "Due"), stamp),
    )
    st.caption(
        "Instants in UTC. Completion comes before “5 %” in one of twenty futures, after “95 %” in another."
    )
    if csv.exists():
        st.download_button(
            "Forecast (CSV)", csv.read_bytes(), f"{name}.forecast.csv", "text/csv", icon=":material/download:"
        )
    fans = [
        metric
        for metric in ("wip", "completions", "arrivals")
        if any(s.metric == metric for s in forecast.system)
    ]
    for column, metric in zip(st.columns(max(len(fans), 1)), fans, strict=False):
        with column:
            picture(wip_fan(forecast, metric), 290)
    if forecast.loads:
        picture(load_chart(forecast))
    if forecast.agents:
        with st.expander(
            "Work ahead of each agent over the open orders, hours from start to end (10 to 90 %)"
        ):
            st.dataframe(
                [
                    {"Agent": a.agent}
                    | dict(zip(("10 %", "Median", "90 %"), (round(h, 1) for h in a.work_h), strict=True))
                    for a in forecast.agents
                ],
                hide_index=True,
            )


def _expected(forecast: Forecast) -> None:
    """Of all open orders together."""
    shown = [
        (label, figure)
        for label, figure in (
            ("Late or lost, orders", forecast.late),
            ("Expected profit", forecast.profit),
            ("Lost to lateness and lost sales", forecast.loss),
        )
        if figure is not None
    ]
    for column, (label, figure) in zip(st.columns(max(len(shown), 1)), shown, strict=False):
        column.metric(label, plus_minus(figure), help="Mean, with the 95 % interval of so many futures.")


def _row(order: OrderOutlook) -> dict[str, object]:
    early, middle, late = (order.quantiles[LEVELS.index(p)] for p in (0.05, 0.5, 0.95))
    row: dict[str, object] = {"Order": order.case_id, "5 %": early, "Median": middle, "95 %": late}
    if order.due:
        row |= {"Due": order.due}
    if order.late_probability is not None:
        row |= {"Late, %": round(100 * order.late_probability)}
    if order.lost_probability is not None:
        row |= {"Lost, %": round(100 * order.lost_probability)}
    if order.profit is not None and order.loss is not None:
        row |= {"Profit": round(order.profit.mean, 2), "At stake": round(order.loss.mean, 2)}
    return row | {"Stands": order.standing}

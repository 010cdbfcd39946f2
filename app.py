"""The pages, served by `tracetwin serve`. Each is one function in ui/; long work runs in jobs."""

from __future__ import annotations

from pathlib import Path

# Imported whole before anything draws: Altair trusts a pandas that another thread is still importing.
import pandas  # noqa: F401
import streamlit as st

from ui import (
    page_backtest,
    page_bottlenecks,
    page_build,
    page_forecast,
    page_log,
    page_models,
    page_policies,
    page_process,
    page_quote,
    page_recalibration,
    page_schedule,
    page_upload,
    page_validation,
    page_whatif,
    page_worklist,
)
from ui.parts import choose_twin

# A file of our own: Streamlit would fetch a Material icon for the tab from another server.
ICON = Path(__file__).resolve().parent / "ui" / "icon.svg"
st.set_page_config(page_title="Tracetwin", page_icon=str(ICON), layout="wide")
pages = {
    "upload": st.Page(
        page_upload.show, title="1 Upload", icon=":material/upload_file:", url_path="upload", default=True
    ),
    "log": st.Page(page_log.show, title="Log", icon=":material/insights:", url_path="log"),
    "build": st.Page(page_build.show, title="2 Build", icon=":material/construction:", url_path="build"),
    "process": st.Page(
        page_process.show, title="3 Process", icon=":material/account_tree:", url_path="process"
    ),
    "validation": st.Page(
        page_validation.show, title="4 Validation", icon=":material/balance:", url_path="validation"
    ),
    "forecast": st.Page(
        page_forecast.show, title="5 Forecast", icon=":material/timeline:", url_path="forecast"
    ),
    "schedule": st.Page(
        page_schedule.show, title="6 Schedule", icon=":material/view_timeline:", url_path="schedule"
    ),
    "quote": st.Page(page_quote.show, title="Quote", icon=":material/request_quote:", url_path="quote"),
    "worklist": st.Page(
        page_worklist.show, title="Worklist", icon=":material/checklist:", url_path="worklist"
    ),
    "backtest": st.Page(
        page_backtest.show, title="Forecasts on the past", icon=":material/fact_check:", url_path="backtest"
    ),
    "policies": st.Page(
        page_policies.show, title="Policies on the past", icon=":material/history:", url_path="policies"
    ),
    "bottlenecks": st.Page(
        page_bottlenecks.show, title="Bottlenecks", icon=":material/hourglass_top:", url_path="bottlenecks"
    ),
    "models": st.Page(page_models.show, title="Models", icon=":material/history:", url_path="models"),
    "whatif": st.Page(page_whatif.show, title="What if", icon=":material/alt_route:", url_path="whatif"),
    "recalibration": st.Page(
        page_recalibration.show,
        title="Recalibration",
        icon=":material/published_with_changes:",
        url_path="recalibration",
    ),
}
st.session_state["pages"] = pages
page = st.navigation(list(pages.values()), expanded=True)
choose_twin()
page.run()

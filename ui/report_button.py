"""The report, made on demand in a process of its own."""

from __future__ import annotations

import streamlit as st

from ui import jobs
from ui.parts import run_job, watched
from ui.workspace import Workspace


def report_button(place: Workspace, name: str) -> None:
    """Make the report with all results there are, then offer it."""
    folder = place.job(name, "report")
    state = watched(folder, "Writing the report")
    left, right, _ = st.columns([1, 1, 3])
    if left.button("Make the report", icon=":material/description:"):
        run_job(folder, _command(place, name), place)
    page = folder / "report.html"
    if state.status == "done" and page.exists():
        right.download_button(
            "Report (HTML)", page.read_bytes(), f"{name}.html", "text/html", icon=":material/download:"
        )


def _command(place: Workspace, name: str) -> list[str]:
    return jobs.task(
        *("report", "--twin", str(place.twin(name)), "--validation", str(place.result(name, "validation"))),
        *(
            "--forecast",
            str(place.result(name, "forecast")),
            "--out",
            str(place.job(name, "report") / "report.html"),
        ),
    )

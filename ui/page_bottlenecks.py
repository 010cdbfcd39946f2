"""Page: who is short in the log and in the twin, and what would help, computed in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import streamlit as st

from twin.bottleneck_charts import gain_charts, side_charts
from twin.bottleneck_findings import Bottlenecks, Gain, Side
from twin.bottleneck_words import best_text, causes_text, gain_text, plus_minus, read_found
from twin.words import by_engine, number
from ui import jobs
from ui.parts import built_twin, chosen_twin, keep_output, kept_result, picture, plain, run_job, watched
from ui.workspace import Workspace, workspace


def show() -> None:
    """The page."""
    st.title("Bottlenecks")
    place = workspace()
    name = chosen_twin()
    built_twin(place, name)
    folder, path = place.job(name, "bottlenecks"), place.result(name, "bottlenecks")
    watched(folder, "Looking for bottlenecks")
    keep_output(folder, path)
    _start(place, name, folder)
    text = kept_result(place, name, path, "Nothing was looked for yet: start above.", "this")
    if text is None:
        return
    _results(read_found(text), _csv(place, name), name)


def _start(place: Workspace, name: str, folder: Path) -> None:
    length, count, step, tries, go = st.columns([1, 1, 1, 1, 1], vertical_alignment="bottom")
    weeks = float(length.number_input("Weeks", 1.0, 104.0, 8.0, 1.0, help="In which orders arrive."))
    runs = int(count.number_input("Runs of each change", 2, 500, 30, 10))
    hours = float(step.number_input("Hours more a week", 0.5, 40.0, 1.0, 0.5))
    most = int(tries.number_input("Tried at most", 1, 100, 10, 1, help="Agents, and activities."))
    if go.button("Look for bottlenecks", type="primary"):
        command = jobs.tracetwin(
            *("bottlenecks", str(place.twin(name)), "--log", place.log(name).name, "--weeks", str(weeks)),
            *("--replications", str(runs), "--hours", str(hours), "--most", str(most)),
            *("--out", str(_csv(place, name)), "--db", str(place.db)),
            *("--progress-file", str(jobs.progress_file(folder)), "--json"),
        )
        run_job(folder, command, place)


def _csv(place: Workspace, name: str) -> Path:
    return place.twins / f"{name}.bottlenecks.csv"


def _results(found: Bottlenecks, csv: Path, name: str) -> None:
    st.markdown(f"**{plain(found.sentence)}**")
    st.write(plain(" ".join(filter(None, [*map(causes_text, found.sides), best_text(found)]))))
    st.caption(
        plain(
            f"Twin: orders of {number(found.weeks)} weeks after {number(found.warm_up_weeks)} of warm-up, "
            f"{found.replications} runs{by_engine(found.engine)}. Intervals are of 95 %; tests are corrected "
            "for their number."
        )
    )
    for note in found.notes[:10]:
        st.caption(plain(f"{note[0].upper()}{note[1:]}."))
    for column, side in zip(st.columns(len(found.sides)), found.sides, strict=True):
        with column:
            for chart in side_charts(side):
                picture(chart)
            _side(side)
    charts = gain_charts(found)
    for column, chart in zip(st.columns(len(charts)) if charts else (), charts, strict=True):
        with column:
            picture(chart)
    for gains, title in ((found.hours, "One more hour a week"), (found.tasks, "Activities automated")):
        if gains:
            st.markdown(f"**{title}**, gain a week")
            st.table(_gains(gains), hide_index=True)
    if csv.exists():
        st.download_button(
            "All figures (CSV)", csv.read_bytes(), f"{name}.bottlenecks.csv", "text/csv",
            icon=":material/download:",
        )  # fmt: skip


def _side(side: Side) -> None:
    st.markdown(f"**Agents in the {side.source}**, % of their time and of all time")
    st.dataframe(
        [
            {"Agent": one.name, "Used": plus_minus(one.utilisation, 100)}
            | {"Sole": plus_minus(one.sole, 100), "Shifting": plus_minus(one.shifting, 100)}
            for one in side.agents
        ],
        hide_index=True,
    )


def _gains(gains: Sequence[Gain]) -> list[dict[str, object]]:
    return [
        {"Of": plain(one.name), "": gain_text(one), "Change": plain(one.text)}
        | ({} if one.profit is None else {"Profit": plus_minus(one.profit)})
        | {"Hours of lead time saved": plus_minus(one.saved_h), "p": _p_text(one.p)}
        for one in gains
    ]


def _p_text(p: float) -> object:
    return f"{p:.2g}" if isfinite(p) else ""

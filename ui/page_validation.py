"""Page 4: how real the twin is, measured in a process of its own."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from metagraph.errors import TwinError
from twin.charts import validation_bars
from twin.far_off import far_off_text
from twin.json_out import read
from twin.reference import CHANCE, RESAMPLED
from twin.validation import Validation
from twin.verdict import measured_on, metric_verdicts, verdict
from twin.words import mean_span, percent
from ui import jobs
from ui.parts import FILES, built_twin, chosen_twin, keep_output, kept_result, plain, run_job, watched
from ui.report_button import report_button
from ui.workspace import Workspace, workspace

_SIGNS = {1: "▲ better", -1: "▼ worse", 0: "level", None: ""}


def show() -> None:
    """The page."""
    st.title("How real is the twin?")
    place = workspace()
    name = chosen_twin()
    built_twin(place, name)
    folder = place.job(name, "validation")
    watched(folder, "Validating")
    keep_output(folder, place.result(name, "validation"))
    _start(place, name, folder)
    path = place.result(name, "validation")
    text = kept_result(
        place,
        name,
        path,
        "Not measured yet: start above. It takes about as long as the build.",
        "this was measured",
    )
    if text is None:
        return
    _results(read(Validation, text))
    report_button(place, name)


def _start(place: Workspace, name: str, folder: Path) -> None:
    ways = ["the last fifth of its own log", "another log"]
    left, middle, right = st.columns([2, 1, 1], vertical_alignment="bottom")
    way = left.radio("Compare with", ways, horizontal=True)
    runs = int(middle.number_input("Simulated logs", 1, 100, 10))
    other = ""
    if way == ways[1]:
        file = st.file_uploader("A later log of the same process", FILES, key="later")
        named = st.text_input("… or its path, or its name in the database", key="later path")
        other = str(place.save_upload(file.name, file.getbuffer())) if file else named.strip()
    else:
        st.caption(
            "A twin of the first four fifths simulates the last fifth, which it has not seen, with the same "
            "configuration; the twin that forecasts uses the whole log."
        )
    if right.button("Validate", type="primary", disabled=way == ways[1] and not other):
        try:
            run_job(folder, _command(place, name, other, runs), place)
        except TwinError as error:
            st.error(plain(str(error)))


def _command(place: Workspace, name: str, other: str, runs: int) -> list[str]:
    log, seed = place.log(name), "0"
    progress = str(jobs.progress_file(place.job(name, "validation")))
    if other:
        return jobs.tracetwin(
            *("validate", str(place.twin(name)), "--log", other, "--train", log.name, "--runs", str(runs)),
            *("--seed", seed, "--db", str(place.db), "--progress-file", progress, "--json"),
        )
    return jobs.task(
        *("holdout", "--db", str(place.db), "--log", log.name, "--config", str(place.config(name))),
        *("--runs", str(runs), "--seed", seed, "--progress-file", progress),
    )


def _results(validation: Validation) -> None:
    found = metric_verdicts(validation)
    st.info(plain(verdict(validation)), icon=":material/balance:")
    if worst := far_off_text(validation):
        st.markdown(plain(worst))
    st.caption(plain(f"{measured_on(validation)} Means ± one sd; lower is better."))
    st.dataframe(
        [
            {"Distance": f"{m.metric}: {m.title}", "Unit": m.unit, "This twin": m.ours}
            | dict(m.references)
            | {"Against the copy": _SIGNS[m.against_copy]}
            for m in found
        ],
        hide_index=True,
    )
    st.markdown("\n".join(f"- **{m.metric}** {plain(m.sentence)}" for m in found))
    if RESAMPLED in validation.references:
        st.caption(
            f"“{RESAMPLED}”: past cases, put at the very instants at which the test cases arrived. No "
            f"forecaster knows these, so it is a yardstick, not a rival. “{CHANCE}”: how far apart two draws "
            "of as many past cases are, which is what chance alone makes: no twin can be expected below that."
        )
    st.altair_chart(validation_bars(validation), width="content")
    tasks, agents = st.tabs(["Task by task", "Agent by agent"])
    tasks.dataframe(
        [
            {
                "Task": t.activity,
                "Per case": f"{t.observed_per_case:.2f}",
                "per case": f"{t.simulated_per_case:.2f}",
                "Start to end": mean_span(t.observed_work_s, t.observed_work_half_s),
                "start to end": mean_span(t.simulated_work_s, t.simulated_work_half_s),
                "Gap before": mean_span(t.observed_wait_s, t.observed_wait_half_s),
                "gap before": mean_span(t.simulated_wait_s, t.simulated_wait_half_s),
            }
            for t in validation.tasks
        ],
        hide_index=True,
        column_config=dict.fromkeys(
            ("per case", "start to end", "gap before"), st.column_config.Column("twin's")
        ),
    )
    tasks.caption(
        "Means by the clock with their 95 % intervals, nights and weekends included; the twin's beside "
        "those of the log."
    )
    agents.dataframe(
        [
            {"Agent": a.agent, "Observed": percent(a.observed_share), "Simulated": percent(a.simulated_share)}
            for a in validation.agents
        ],
        hide_index=True,
    )
    agents.caption("Share of all executions.")

"""Page 2: build the twin in a process of its own, with progress and cancel."""

from __future__ import annotations

import streamlit as st

from metagraph.model import Metagraph
from twin.model_words import congestion_text, learned_from
from twin.words import instant
from ui import jobs
from ui.choices import choices
from ui.parts import built_twin, chosen_twin, go_to, plain, run_job, watched
from ui.workspace import ChosenLog, Workspace, workspace


def show() -> None:
    """The page."""
    st.title("Build the twin")
    place = workspace()
    name = chosen_twin("No log was chosen yet.")
    log = place.log(name)
    folder = place.job(name, "build")
    st.write(plain(f"Log: {log.path}"))
    roles = ", ".join(f"{role} = {column}" for role, column in log.mapping.items() if column)
    st.caption(plain(f"Read as {roles}; times without a zone are {log.time_zone}."))
    watched(folder, "Building")
    left, right = st.columns([1, 4], vertical_alignment="bottom")
    seed = left.number_input(
        "Seed", 0, 2**31 - 1, 0, help="The same log, configuration and seed give the same twin."
    )
    again = place.twin(name).exists()
    if right.button("Build again" if again else "Build the twin", type="secondary" if again else "primary"):
        run_job(folder, _command(place, name, log, int(seed)), place)
    st.caption(
        "Several models are mined and calibrated; the one whose simulated last part of the log comes closest "
        "to the real one is then fitted to the whole log, or to the last part that did best."
    )
    if again:
        _summary(place, name, built_twin(place, name))


def _command(place: Workspace, name: str, log: ChosenLog, seed: int) -> list[str]:
    return jobs.tracetwin(
        *("build", log.name, "--twin", str(place.twin(name)), "--config", str(place.config(name))),
        *("--db", str(place.db), "--seed", str(seed)),
        *("--progress-file", str(jobs.progress_file(place.job(name, "build"))), "--json"),
    )


def _summary(place: Workspace, name: str, model: Metagraph) -> None:
    st.divider()
    origin = model.provenance
    figures = {"Tasks": len(model.tasks()), "Choices": len(model.routing), "Agents": len(model.agents)}
    if origin:
        figures = {
            "Cases": origin.cases,
            "Open orders": origin.open_cases,
            "Executions": origin.events,
        } | figures
    for column, (title, value) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(title, f"{value:,}")
    if origin:
        learned = (
            f" The twin's times and shares are from: {learned_from(model)}." if learned_from(model) else ""
        )
        st.caption(
            plain(f"The log covers {instant(origin.first_event)} to {instant(origin.until)}.{learned}")
        )
        if congestion_text(model):
            st.info(congestion_text(model), icon=":material/info:")
        choices(model)
    with st.container(horizontal=True):
        if st.button("Look at the process", type="primary", icon=":material/account_tree:"):
            go_to("process")
        st.download_button(
            "Twin (JSON)",
            place.twin(name).read_bytes(),
            f"{name}.json",
            "application/json",
            icon=":material/download:",
        )

"""The end of page 1: taking the log, how good it is, undoing it, and on to a twin."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from eventlogs.quality.quality import Finding, QualityReport
from eventlogs.report import ImportReport
from metagraph.errors import TwinError
from twin.json_out import dump, read
from twin.source import LogRequest
from ui import jobs
from ui.page_words import on_page
from ui.parts import go_to, plain, run_job, watched, work_on
from ui.quality_words import example_text, found_text
from ui.taken import Taken
from ui.workspace import ChosenLog, Workspace

_SHOWN = "the log that was taken"
_SAID = "what undoing said"
SET_ASIDE = "set_aside.csv"


def take_and_show(place: Workspace, request: LogRequest, log: ChosenLog, config: str | None) -> None:
    """A button that takes the log; once that is done, what came of it. `config` is for the twin."""
    folder = place.job(log.name, "take")
    asked = dump(request)
    if said := st.session_state.pop(_SAID, None):
        st.success(plain(said), icon=":material/undo:")
    if st.session_state.get(_SHOWN) != asked:
        if st.button("Take this log", type="primary", icon=":material/database:"):
            st.session_state[_SHOWN] = asked
            aside = str(folder / SET_ASIDE)
            command = ("take", "--request", asked, "--quarantined", aside)
            run_job(folder, jobs.task(*command, *_progress(folder)), place)
        return
    state = watched(folder, "Taking the log")
    if state.status != "done":
        del st.session_state[_SHOWN]
        return
    taken = read(Taken, jobs.output(folder))
    _report(taken.report, log)
    _quality(taken.quality, Path(log.path))
    _actions(place, taken.report, log)
    if taken.report.rows_quarantined:
        _mending(place, taken.report, log)
    _twin(place, log, config)


def _report(report: ImportReport, log: ChosenLog) -> None:
    st.subheader("What was taken")
    for column, (title, value) in zip(
        st.columns(5),
        {
            "Cases": report.cases,
            "Executions": report.events,
            "Activities": report.activities,
            "Rows kept": report.rows_kept,
            "Rows set aside": report.rows_quarantined,
        }.items(),
        strict=True,
    ):
        column.metric(title, f"{value:,}")
    with st.expander("How it was read, and what was assumed", expanded=report.already_known):
        for sentence in report.sentences():
            st.markdown(f"- {plain(on_page(sentence, Path(log.path)))}")


def _quality(quality: QualityReport, path: Path) -> None:
    st.subheader("How good it is as evidence")
    for sentence in (f"{quality.rows.equation()}.", *quality.live.sentences()):
        st.caption(plain(sentence))
    if doubts := quality.doubts():
        st.table([_line(finding, path) for finding in doubts])
    clean = "; ".join(f.title[0].lower() + f.title[1:] for f in quality.findings if not f.count)
    if clean:
        st.caption(plain(f"Looked for and not found: {clean}."))


def _line(finding: Finding, path: Path) -> dict[str, str]:
    examples = "; ".join(example_text(example) for example in finding.examples[:2])
    return {
        "Doubt": plain(finding.title),
        "How much": plain(found_text(finding)),
        "For example": plain(examples),
        "What a twin makes of it": plain(on_page(finding.consequence, path)),
    }


def _actions(place: Workspace, report: ImportReport, log: ChosenLog) -> None:
    aside = place.job(log.name, "take") / SET_ASIDE
    with st.container(horizontal=True):
        if aside.exists():
            st.download_button(
                f"Rows set aside ({report.rows_quarantined:,}, CSV)",
                aside.read_bytes(),
                f"{log.name} set aside.csv",
                "text/csv",
                icon=":material/download:",
            )
        if st.button("Undo", icon=":material/undo:", help="Take this import back."):
            from twin.imports import undo_command

            try:
                st.session_state[_SAID] = on_page(
                    undo_command(str(place.db), report.log).sentence(), Path(log.path)
                )
            except TwinError as error:
                st.session_state[_SAID] = str(error)
            del st.session_state[_SHOWN]
            st.rerun()


def _mending(place: Workspace, report: ImportReport, log: ChosenLog) -> None:
    """Rows that were set aside come back as a file, corrected."""
    file = st.file_uploader(
        "The rows set aside, corrected",
        "csv",
        key=f"mended rows of {log.path}",
        help="The file from the button above; leave its first two columns as they are.",
    )
    if file is not None and st.button("Take the corrected rows", icon=":material/build:"):
        folder = place.job(log.name, "take")
        fixed = place.save_upload(file.name, file.getbuffer())
        command = ("mend", "--db", str(place.db), "--log", report.log, "--fixed", str(fixed))
        aside = ("--quarantined", str(folder / SET_ASIDE))
        run_job(folder, jobs.task(*command, *aside, *_progress(folder)), place)


def _progress(folder: Path) -> tuple[str, str]:
    return "--progress-file", str(jobs.progress_file(folder))


def _twin(place: Workspace, log: ChosenLog, config: str | None) -> None:
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    name = left.text_input("Name of the twin", log.name, key=f"name for {log.path}")
    if right.button("Use this log", type="primary", icon=":material/arrow_forward:"):
        try:
            place.choose(name.strip(), log, config)
        except TwinError as error:
            st.error(plain(str(error)))
            return
        work_on(name.strip())
        go_to("build")

"""The page on which a twin is kept true: what drifted, what the gate said, and what is to be decided."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from metagraph.errors import TwinError
from twin.drift import Drift
from twin.files import write_text
from twin.gate import ALONE, Gate, smaller
from twin.json_out import read
from twin.recalibration import MEANINGS, Recalibration, RejectedError
from twin.recalibration_charts import drift_chart, gate_chart, history_chart
from twin.words import instant, number
from ui import jobs
from ui.parts import built_twin, chosen_twin, picture, plain, run_job, watched
from ui.workspace import Workspace, workspace


def show() -> None:
    """The page."""
    st.title("Recalibration")
    place = workspace()
    name = chosen_twin()
    built_twin(place, name)
    for what in ("recalibrate", "decide"):
        _mind(place.job(name, what), "Recalibrating" if what == "recalibrate" else "Deciding")
    _start(place, name)
    runs, champion, asked = _kept(place, name)
    _champion(place, name, champion)
    nothing = _nothing_new(place, name)
    if nothing:
        st.info(plain(nothing), icon=":material/info:")
    if not runs and not nothing:
        st.info("It was never recalibrated: start above.", icon=":material/info:")
    if not runs:
        return
    if asked is not None:
        _question(place, name, asked)
    _run(runs[-1])
    _history(runs)


def _mind(folder: Path, what: str) -> None:
    """Watch a job; a gate's no is an answer, not a failure."""
    ended = folder / "exit"
    refused = ended.exists() and ended.read_text().strip() == str(RejectedError.exit_code)
    if not refused or jobs.state(folder).status == "running":
        watched(folder, what)


def _nothing_new(place: Workspace, name: str) -> str:
    """That the last run found nothing to compare, which isn't kept as a run; '' where it did."""
    folder = place.job(name, "recalibrate")
    out = folder / "out"
    if jobs.state(folder).status != "done" or not out.exists() or out.stat().st_mtime < place.built_at(name):
        return ""
    run = read(Recalibration, out.read_text(encoding="utf-8"))
    return f"{run.verdict[:1].upper()}{run.verdict[1:]}: {run.words}." if run.verdict == "nothing new" else ""


def _start(place: Workspace, name: str) -> None:
    given = st.text_input("Log", place.log(name).name, help="Its name in the database, or a file's path.")
    with st.container(horizontal=True):
        anyway = st.checkbox("Build a challenger even without drift")
        anew = st.checkbox("Make all choices again", help="For one challenger, as Build does; takes longer.")
        itself = st.checkbox("Promote a better one without asking")
    if st.button("Recalibrate", type="primary"):
        command = jobs.tracetwin(
            *("recalibrate", name, "--log", given, "--db", str(place.db)),
            *(("--always",) if anyway else ()),
            *(("--build",) if anew else ()),
            *(("--promote",) if itself else ()),
            *("--progress-file", str(jobs.progress_file(place.job(name, "recalibrate"))), "--json"),
        )
        run_job(place.job(name, "recalibrate"), command, place)


def _kept(place: Workspace, name: str) -> tuple[tuple[Recalibration, ...], int, Recalibration | None]:
    """All runs, the champion's version, and the run whose challenger waits for an answer."""
    from twin.recalibrations import runs_of

    try:
        return runs_of(str(place.db), name)
    except TwinError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()


def _champion(place: Workspace, name: str, version: int) -> None:
    """Which version is champion, and whether it is what the other pages show."""
    from twin.recalibrations import champion_text

    text, file = champion_text(str(place.db), name), place.twin(name)
    same = file.read_text(encoding="utf-8") == text
    told = "which all pages show" if same else "while the other pages show the twin that was built here"
    st.caption(plain(f"Champion: version {version}, {told}."))
    if not same and st.button("Show the champion on all pages"):
        write_text(file, text)
        st.rerun()


def _question(place: Workspace, name: str, run: Recalibration) -> None:
    """Promote or reject the challenger that waits."""
    with st.container(border=True):
        st.subheader(plain(f"Is {run.reference} to be the champion?"))
        st.write(plain(f"{run.words}."))
        answer: tuple[str, ...] = ()
        with st.container(horizontal=True):
            yes, no = st.button("Promote", type="primary"), st.button("Reject")
        if yes:
            answer = ("models", "promote", run.reference, "--why", "decided on the page Recalibration")
        if no:
            answer = ("models", "mark", run.reference, "rejected")
        if answer:
            command = jobs.tracetwin(*answer, "--db", str(place.db), "--json")
            run_job(place.job(name, "decide"), command, place)


def _run(run: Recalibration) -> None:
    """The newest run."""
    st.header(plain(f"{instant(run.as_of)}: {run.verdict}"))
    st.write(plain(f"{run.words[:1].upper()}{run.words[1:]}."))
    st.caption(plain(f"{run.verdict}: {MEANINGS[run.verdict]}."))
    drift = run.drift
    if drift is not None:
        st.subheader("Drift")
        st.caption(
            plain(
                f"{drift.tests} tests compare {drift.cases} orders that began since {instant(drift.since)} "
                f"with {drift.cases_before} before; chance of any false alarm: {drift.alpha:.2%}. "
                f"{drift.note}"
            )
        )
        chart = drift_chart(drift)
        if chart:
            picture(chart)
        _watched(drift.found)
        with st.expander(f"All {len(drift.watched)} things that were watched"):
            _watched(drift.watched)
    if run.gates:
        st.caption(ALONE)
    for gate in run.gates:
        _gate(gate)
    if run.checks:
        st.subheader("Checks of the challenger")
        _wrapped(
            [
                {"": "passed" if one.passed else "failed", "Check": one.name, "Measured": one.words}
                for one in run.checks
            ]
        )


def _watched(found: Sequence[Drift]) -> None:
    if found:
        _wrapped(
            [
                {
                    "Drift": "yes" if one.found else "",
                    "What": one.words,
                    "Test": one.test,
                    "p": f"{one.p:.2g}",
                    "Corrected p": f"{one.corrected_p:.2g}",
                }
                for one in found
            ]
        )


def _wrapped(rows: Sequence[dict[str, str]]) -> None:
    """A table whose sentences are shown whole."""
    st.table([{name: plain(text) for name, text in row.items()} for row in rows], hide_index=True)


def _gate(gate: Gate) -> None:
    st.subheader(plain(f"Gate: {gate.challenger}"))
    st.write(plain(f"{gate.reason[:1].upper()}{gate.reason[1:]}."))
    picture(gate_chart(gate))
    pairs = [*gate.distances, gate.overall, *([gate.forecasts] if gate.forecasts else [])]
    _wrapped(
        [
            {
                "Measure": f"{one.name} ({one.unit})",
                "Champion": number(one.champion),
                "Challenger": number(one.challenger),
                "Smaller by (90 % interval)": smaller(one),
            }
            for one in pairs
        ]
    )


def _history(runs: Sequence[Recalibration]) -> None:
    st.header("History")
    chart = history_chart(runs)
    if chart:
        picture(chart, 300)
    _wrapped(
        [
            {
                "Data until": instant(run.as_of),
                "Champion": str(run.champion),
                "Verdict": run.verdict,
                "Challenger": "" if run.challenger is None else str(run.challenger),
                "Why": run.words,
            }
            for run in reversed(runs)
        ]
    )

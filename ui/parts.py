"""What several pages show: the twin at work, empty states, jobs that run, problems in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from metagraph.errors import TwinError
from metagraph.model import Metagraph
from twin.drawing_tools import Picture
from ui import jobs
from ui.workspace import Workspace, workspace

FILES = (
    *("csv", "tsv", "txt", "xes", "parquet", "json", "jsonocel", "sqlite", "zip"),
    *("csv.gz", "tsv.gz", "txt.gz", "xes.gz", "json.gz"),
)
"""What may be uploaded."""
_NEXT = "twin chosen next"


def go_to(page: str) -> None:
    """Open another page by its key in app.py."""
    st.switch_page(st.session_state["pages"][page])


def choose_twin() -> None:
    """The side bar's choice of the twin that all pages are about."""
    if _NEXT in st.session_state:
        st.session_state["twin"] = st.session_state.pop(_NEXT)
    names = workspace().names()
    with st.sidebar:
        if names:
            st.selectbox("Twin", names, key="twin")
        st.caption(f"Everything is kept in {workspace().home}")


def work_on(twin: str) -> None:
    """Make a twin the chosen one from the next run on: a widget's value can't be set once it stands."""
    st.session_state[_NEXT] = twin


NO_TWIN = (
    "There is no twin on these pages yet. They show twins whose logs were uploaded here; those built on the "
    "command line are shown by 'tracetwin models list' and 'tracetwin show'."
)


def chosen_twin(otherwise: str = NO_TWIN) -> str:
    """The chosen twin's name; without one, says what to do and ends the page."""
    name = st.session_state.get("twin")
    if not name or name not in workspace().names():
        empty_state(otherwise, "Upload a log", "upload")
    return str(name)


def built_twin(place: Workspace, name: str) -> Metagraph:
    """The chosen twin's model; without one, says what to do and ends the page."""
    path = place.twin(name)
    if not path.exists():
        empty_state(f"“{name}” has a log, but hasn't been built yet.", "Build the twin", "build")
    try:
        return _model(str(path), path.stat().st_mtime_ns)
    except TwinError as error:
        st.error(plain(str(error)))
        st.stop()


@st.cache_resource(max_entries=8, show_spinner=False)
def _model(path: str, changed_ns: int) -> Metagraph:
    from metagraph.json_io import load

    return load(path)


def empty_state(text: str, action: str, page: str) -> None:
    """One sentence, one button, and nothing else."""
    st.info(plain(text), icon=":material/info:")
    if st.button(action, type="primary"):
        go_to(page)
    st.stop()


def plain(text: str) -> str:
    """Text from logs and errors as it stands: what Markdown would read as markup is escaped."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-.!|~$:" else c for c in text)


def picture(chart: Picture, height: int | None = None) -> None:
    """A chart as wide as there is room; `height` in pixels includes title and axes."""
    import altair as alt

    # Or the page's theme moves the names at both ends away from their bars.
    copy: Any = chart.copy(deep=False)
    copy.config = alt.Config(axisDiscrete={"labelFlush": False}, axisBand={"labelFlush": False})
    st.altair_chart(copy, width="stretch", height=height or "content")


def run_job(folder: Path, command: Sequence[str], place: Workspace) -> None:
    """Start a job in the workspace and show the page anew, which then watches it."""
    place.home.mkdir(parents=True, exist_ok=True)
    jobs.start(folder, command, place.home)
    st.rerun()


def watched(folder: Path, what: str, enough: str = "") -> jobs.JobState:
    """Show how a job stands; while it runs, the page ends here and is shown anew once it is done.

    `enough` is the button by which a job that improves its result is asked for what it has.
    """
    state = jobs.state(folder)
    if state.status == "running":
        _watch(folder, what, enough)
        st.stop()
    if state.status == "failed":
        st.error(plain(f"{what} failed: {state.message}"), icon=":material/error:")
        if state.details.count("\n") > 1:
            with st.expander("Everything it said"):
                st.code(state.details, language=None)
    if state.status == "stopped":
        st.info(f"{what} was stopped; nothing was changed.", icon=":material/info:")
    return state


@st.fragment(run_every=0.7)
def _watch(folder: Path, what: str, enough: str) -> None:
    state = jobs.state(folder)
    if state.status != "running":
        st.rerun()
    share = min(max(state.share, 0.01), 1.0)
    st.progress(share, text=plain(f"{what}: {state.step} ({state.elapsed_s:.0f} s)"))
    left, right, _ = st.columns([1, 1.5, 4]) if enough else (st.container(), st.container(), None)
    if left.button("Cancel", key=f"cancel {folder}"):
        jobs.cancel(folder)
        st.rerun()
    if enough and right.button(enough, key=f"enough {folder}"):
        jobs.interrupt(folder)


def keep_output(folder: Path, target: Path, when: Callable[[], bool] = lambda: True) -> None:
    """Move a finished job's output to where the page looks for it."""
    out = folder / "out"
    if jobs.state(folder).status == "done" and out.exists() and when():
        target.parent.mkdir(parents=True, exist_ok=True)
        out.replace(target)


def kept_result(place: Workspace, name: str, path: Path, nothing: str, made: str) -> str | None:
    """What a job of a twin left at `path`; says so where the twin was built anew after it was `made`.

    None as long as there is nothing, which is said in a sentence.
    """
    if not path.exists():
        st.info(nothing, icon=":material/info:")
        return None
    if path.stat().st_mtime < place.built_at(name):
        st.warning(f"The twin was built anew after {made}.", icon=":material/warning:")
    return path.read_text(encoding="utf-8")

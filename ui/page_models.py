"""Page Models: the versions of twins that the database keeps, their champions, and how two of them differ."""

from __future__ import annotations

from getpass import getuser
from typing import TYPE_CHECKING

import streamlit as st

from metagraph.errors import TwinError
from twin.diff import Compared
from twin.diff_charts import diff_panels
from twin.diff_words import headline, sentence, told
from twin.json_out import read
from ui import jobs
from ui.parts import picture, plain, run_job, watched
from ui.results_models import THE_RULE
from ui.workspace import Workspace, workspace

if TYPE_CHECKING:
    from eventlogs.keeping.models import ModelChange, ModelInfo

ALL = "models"
"""The job's folder: versions are of the database, not of the chosen twin."""


def show() -> None:
    """The page."""
    st.title("Versions of twins")
    place = workspace()
    found = _kept(place)
    if not found:
        st.info("None yet: every twin that is built is kept here as a version.", icon=":material/info:")
        return
    st.dataframe([_row(info) for info in found], hide_index=True)
    st.caption(THE_RULE)
    name = st.selectbox("Name", list(dict.fromkeys(info.name for info in found)), key="models name")
    mine = [info for info in found if info.name == name]
    _change(place, mine)
    _history(place, str(name))
    _compare(place, found, mine)


def _kept(place: Workspace) -> tuple[ModelInfo, ...]:
    from twin.registry import list_models

    return list_models(str(place.db)) if place.db.exists() else ()


def _row(info: ModelInfo) -> dict[str, object]:
    return {
        "Twin": info.reference,
        "Is": info.state,
        "Since (UTC)": f"{info.since:%Y-%m-%d %H:%M}",
        "Who": info.who,
        "Why": info.why,
        "From": info.notes,
    }


def _change(place: Workspace, mine: list[ModelInfo]) -> None:
    """Promote a version, or roll the champion back."""
    from twin.registry import promote_model, rollback_model

    others = [info.reference for info in mine if not info.champion]
    with st.form("change", border=True):
        left, right = st.columns([1, 2], vertical_alignment="bottom")
        wanted = left.selectbox("Version", others, key="models version")
        why = right.text_input("Why", key="models why")
        with st.container(horizontal=True):
            promoted = st.form_submit_button("Make it the champion", disabled=not others)
            back = st.form_submit_button("Roll the champion back")
    try:
        if promoted and wanted:
            promote_model(str(place.db), wanted, getuser(), why)
        elif back:
            rollback_model(str(place.db), mine[0].name, getuser(), why)
        else:
            return
    except TwinError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.rerun()


def _history(place: Workspace, name: str) -> None:
    from twin.registry import show_model

    with st.expander(plain(f"What became of {name}")):
        st.dataframe([_told(change) for change in show_model(str(place.db), name).history], hide_index=True)


def _told(change: ModelChange) -> dict[str, object]:
    return {
        "When (UTC)": f"{change.at:%Y-%m-%d %H:%M}",
        "Twin": f"{change.name}@{change.version}",
        "What": change.action,
        "Is then": change.state,
        "Who": change.who,
        "Why": change.why,
    }


def _compare(place: Workspace, found: tuple[ModelInfo, ...], mine: list[ModelInfo]) -> None:
    """Two versions held against each other, in a job."""
    st.subheader("How two differ")
    names = [info.reference for info in found]
    champion = next(info.reference for info in mine if info.champion)
    newest = mine[-1].reference
    left, middle = st.columns(2)
    before = left.selectbox("From", names, names.index(champion), key="models before")
    after = middle.selectbox("To", names, names.index(newest), key="models after")
    folder = place.home / "jobs" / ALL / "diff"
    if st.button("Compare", type="primary"):
        run_job(folder, _command(place, before, after), place)
    if watched(folder, "Comparing").status == "done":
        _differences(read(Compared, jobs.output(folder)))


def _command(place: Workspace, before: str, after: str) -> list[str]:
    return jobs.tracetwin("models", "diff", before, after, "--db", str(place.db), "--json")


def _differences(found: Compared) -> None:
    st.markdown(f"**{plain(found.before)} → {plain(found.after)}**")
    st.info(plain(headline(found)), icon=":material/info:")
    for title, differences in told(found):
        st.markdown(f"**{plain(title)}**")
        st.markdown("\n".join(f"- {plain(sentence(one))}" for one in differences))
    for panel in diff_panels(found):
        picture(panel)
    if found.differences:
        st.caption(plain(f"Bars: 95 % intervals. {found.basis}"))
    for note in found.notes:
        st.caption(plain(note))

"""The page that asks what if: a scenario beside the twin as it is, compared in a process of its own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import streamlit as st

from metagraph.errors import TwinError
from metagraph.model import Metagraph
from twin.edits import edited
from twin.files import write_text
from twin.given import Given
from twin.json_out import read
from twin.scenario import parse_scenario
from twin.toml_text import table_text
from twin.whatif import WhatIfRequest, begin_of
from twin.whatif_charts import differences_chart, whatif_chart
from twin.whatif_found import ScenarioFound, WhatIf
from twin.whatif_words import (
    between_text,
    change_text,
    figure_name,
    real_text,
    recovery_text,
    value_text,
)
from twin.words import instant
from ui import jobs
from ui.as_of import as_of
from ui.parts import built_twin, chosen_twin, keep_output, kept_result, picture, plain, run_job, watched
from ui.workspace import Workspace, workspace

STANDING, WARMED = "the open orders of the twin's log", "orders that a warm-up leads to"
ASKED = "What would be different (TOML)"


def show() -> None:
    """The page."""
    st.title("What if")
    place = workspace()
    name = chosen_twin()
    model = built_twin(place, name)
    folder, path = place.job(name, "whatif"), place.result(name, "whatif")
    watched(folder, "Comparing")
    keep_output(folder, path)
    _start(place, name, model, folder)
    text = kept_result(
        place,
        name,
        path,
        "No comparison yet: say what would be different and start above.",
        "this comparison",
    )
    if text is None:
        return
    _results(read(WhatIf, text))


def _start(place: Workspace, name: str, model: Metagraph, folder: Path) -> None:
    """The scenario, what it begins with, and the button."""
    file = st.file_uploader("A scenario (TOML), or edit the one below", "toml", help="See docs/whatif.md.")
    kept = _scenario(place, name)
    before = kept.read_text(encoding="utf-8") if kept.exists() else example(model)
    if file is not None:
        before = file.getvalue().decode("utf-8", errors="replace")
    text = st.text_area(ASKED, before, height=190, key=f"scenario of {name} {hash(before)}")
    first = st.radio("Begin with", (STANDING, WARMED), horizontal=True)
    begin = _instant(model) if first == STANDING else None
    days, count, go = st.columns([1, 1, 2], vertical_alignment="bottom")
    horizon = int(days.number_input("Days compared", 1, 1000, 14))
    runs = int(count.number_input("Replications", 2, 5000, 50, 10))
    if not go.button("Compare", type="primary"):
        return
    try:
        beginning = begin or begin_of(WhatIfRequest(Given(model), ()))
        edited(model, parse_scenario(text, "the scenario", "scenario"), beginning)
    except TwinError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    place.twins.mkdir(parents=True, exist_ok=True)
    write_text(kept, text)
    run_job(folder, _command(place, name, begin, horizon, runs), place)


def example(model: Metagraph) -> str:
    """A scenario to begin with, of the twin's own names."""
    crew = {agent for queue in model.queues for agent in queue.agents}
    agent = next((agent.id for agent in model.agents if agent.id in crew), "")
    parts = ['name = "one more, and a tenth more orders"\n'] if agent else ['name = "a tenth more orders"\n']
    if agent:
        parts.append(table_text(("hire",), {"like": agent, "count": 1}, repeated=True))
    parts.append(table_text(("arrivals",), {"factor": 1.1}, repeated=True))
    return "\n".join(parts)


def _instant(model: Metagraph) -> datetime:
    day, clock, _ = st.columns([1, 1, 2])
    return as_of(model, day, clock)


def _command(place: Workspace, name: str, at: datetime | None, horizon: int, runs: int) -> list[str]:
    begin: tuple[str, ...] = ("--warm-up", f"{horizon}d")
    if at is not None:
        begin = ("--log", place.log(name).name, "--as-of", at.isoformat())
    return jobs.tracetwin(
        *("whatif", str(place.twin(name)), str(_scenario(place, name)), *begin),
        *("--horizon", f"{horizon}d", "--replications", str(runs), "--db", str(place.db)),
        *("--progress-file", str(jobs.progress_file(place.job(name, "whatif"))), "--json"),
    )


def _scenario(place: Workspace, name: str) -> Path:
    return place.twins / f"{name}.scenario.toml"


def _results(found: WhatIf) -> None:
    st.caption(
        plain(
            f"{instant(found.begin)} to {instant(found.end)}, beginning with {found.beginning}. "
            f"{found.replications} runs of each on the same random numbers."
        )
    )
    for one in found.scenarios:
        _scenario_found(one)
    picture(differences_chart(found))
    picture(whatif_chart(found))
    for note in found.notes:
        st.caption(plain(note[:1].upper() + note[1:] + "."))


def _scenario_found(one: ScenarioFound) -> None:
    st.subheader(plain(one.name))
    for sentence in one.verdict:
        st.markdown(plain(sentence))
    for note in one.notes:
        st.warning(plain(note[:1].upper() + note[1:] + "."), icon=":material/warning:")
    for back in one.recovery:
        if back.left is not None:
            st.caption(plain(recovery_text(back, one.dates)))
    with st.expander("What is different"):
        st.dataframe([{"Table": c.where, "Before → after": c.text} for c in one.changes], hide_index=True)
    st.dataframe(
        [
            {
                "Figure": figure_name(name),
                "Baseline": value_text(name, figure.baseline.mean),
                "Scenario": value_text(name, figure.scenario.mean),
                "Difference": change_text(name, figure.difference.mean),
                "Between": between_text(name, figure.difference.low, figure.difference.high),
                "": real_text(figure),
            }
            for name, figure in one.figures.items()
        ],
        hide_index=True,
    )

"""Page: what waits for each agent, ranked in a process of its own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import streamlit as st

from metagraph.model import Metagraph
from twin.json_out import read
from twin.policies import NAMES
from twin.words import by_engine, instant, span
from twin.worklist_charts import worklist_chart
from twin.worklist_command import MILP
from twin.worklist_words import SIMULATED
from twin.worklists import AgentList, Listed, ListedOrder, Worklist
from ui import jobs
from ui.as_of import as_of
from ui.parts import built_twin, chosen_twin, keep_output, kept_result, picture, plain, run_job, watched
from ui.results_worklist import costs_text, shift_text
from ui.workspace import Workspace, workspace

PLANNED = "an optimized plan"
KINDS = {"working": "now", "waiting": "", "coming": "soon"}


def show() -> None:
    """The page."""
    st.title("Worklist")
    place = workspace()
    name = chosen_twin()
    model = built_twin(place, name)
    folder, path = place.job(name, "worklist"), place.result(name, "worklist")
    watched(folder, "Ranking")
    keep_output(folder, path)
    _start(place, name, model, folder)
    text = kept_result(
        place, name, path, "No worklist yet: choose the instant and start above.", "these lists"
    )
    if text is None:
        return
    _results(read(Worklist, text), _csv(place, name), name)


def _start(place: Workspace, name: str, model: Metagraph, folder: Path) -> None:
    day, clock, what, go = st.columns([1, 1, 1.5, 1], vertical_alignment="bottom")
    moment = as_of(model, day, clock)
    policy = what.selectbox("What goes first", [*NAMES, PLANNED], help="own: the twin's own rules.")
    with st.expander("A business rule"):
        rule = st.text_input("Orders with more of this go first", placeholder="value / 1000")
    if go.button("Rank", type="primary"):
        named = f"rule:{rule}" if rule.strip() else MILP if policy == PLANNED else str(policy)
        command = jobs.tracetwin(
            *("worklist", str(place.twin(name)), "--log", place.log(name).name),
            *("--as-of", moment.isoformat(), "--policy", named, "--out", str(_csv(place, name))),
            *("--db", str(place.db), "--progress-file", str(jobs.progress_file(folder)), "--json"),
        )
        run_job(folder, command, place)


def _csv(place: Workspace, name: str) -> Path:
    return place.twins / f"{name}.worklist.csv"


def _results(found: Worklist, csv: Path, name: str) -> None:
    st.caption(
        plain(
            f"As of {instant(found.as_of)}, policy {found.policy}, {found.replications} "
            f"futures{by_engine(found.engine)}. Open: {found.open_rule}."
        )
    )
    for note in found.notes[:10]:
        st.warning(plain(note), icon=":material/warning:")
    busy = [agent for agent in found.agents if agent.rows]
    if not busy:
        st.info("Nothing is listed for anybody at that instant.")
        return
    picture(worklist_chart(found))
    orders = {one.order: one for one in found.orders}
    shown = st.selectbox("Agent", [agent.agent for agent in busy])
    for agent in busy:
        if agent.agent == shown:
            _agent(agent, orders, found.as_of)
    for text in found.explanations:
        st.write(plain(text))
    if csv.exists():
        st.download_button(
            "Worklists (CSV)",
            csv.read_bytes(),
            f"{name}.worklist.csv",
            "text/csv",
            icon=":material/download:",
        )


def _agent(agent: AgentList, orders: dict[str, ListedOrder], now: datetime) -> None:
    st.caption(plain(f"{agent.agent}: {shift_text(agent, now)}."))
    stamp = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC", width=130)
    st.dataframe(
        [_row(row, orders[row.order]) for row in agent.rows],
        hide_index=True,
        column_config=dict.fromkeys(("Start", "Finish", "Likely by", "Due"), stamp),
    )
    st.caption(
        "Start and finish are medians; the finish is likely (90 %) by the next one. Slack is from the median "
        "completion of the order to its due date; a day costs what is expected to be lost by a day's delay. "
        f"{SIMULATED}."
    )


def _row(row: Listed, order: ListedOrder) -> dict[str, object]:
    found: dict[str, object] = {
        "Rank": KINDS[row.stands] or str(row.rank),
        "Order": row.order,
        "Task": row.activity,
        "Why": row.reason,
        "Start": row.start[1],
        "Finish": row.finish[1],
        "Likely by": row.finish[2],
        "Chance, %": round(100 * row.probability),
        "Also for": ", ".join(row.shared_with),
    }
    if order.due is not None:
        found |= {"Due": order.due}
    if order.slack_h is not None:
        found |= {"Slack": span(order.slack_h[1] * 3600)}
    if order.late is not None:
        found |= {"Late, %": round(100 * order.late)}
    if costs_text(order):
        found |= {"A day costs": costs_text(order)}
    return found

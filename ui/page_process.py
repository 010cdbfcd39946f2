"""Page 3: the process as a picture, what is known of each task and choice, and what people know better."""

from __future__ import annotations

import streamlit as st

from metagraph.captions import rule_text
from metagraph.distributions import ENOUGH
from metagraph.drawing import draw_svg
from metagraph.errors import TwinError
from metagraph.model import Metagraph
from metagraph.nodes import Gateway, Task
from metagraph.routing import Context
from twin.charts import arrivals_profile, calendar_heatmap
from twin.model_words import arrivals_text, gateway_names
from twin.words import branch_text, gateway_text, share_text
from ui.diagram import diagram
from ui.overrides_form import approval, overrides
from ui.parts import built_twin, chosen_twin, picture, plain
from ui.rests_on import rests_on
from ui.task_panel import task_panel
from ui.time_panel import time_panel
from ui.workspace import workspace


def show() -> None:
    """The page."""
    st.title("Process")
    place = workspace()
    name = chosen_twin()
    model = built_twin(place, name)
    selected = _picture(model, name)
    node = next((n for n in model.nodes if n.id == selected), None)
    if isinstance(node, Task):
        task_panel(model, node)
    elif isinstance(node, Gateway):
        _gateway_panel(model, node)
    else:
        st.info("Click a task or a choice to see what is known of it.", icon=":material/touch_app:")
    st.divider()
    time, whole, rests, better, approved = st.tabs(
        [
            "Where the time goes",
            "People and arrivals",
            "What it rests on",
            "What you know better",
            "Approval",
        ],
        key="about the process",
    )
    with time:
        time_panel(model, name)
    with whole:
        _whole(model)
    with rests:
        rests_on(model)
    with better:
        overrides(place, name, model, node if isinstance(node, Task) else None)
    with approved:
        approval(place, name, model)


def _picture(model: Metagraph, name: str) -> str | None:
    try:
        svg = draw_svg(model, dark=st.context.theme.type == "dark")
    except TwinError as error:
        st.warning(plain(str(error)))
        labels = {task.id: task.label for task in model.tasks()}
        return st.selectbox("Task", list(labels), format_func=lambda id: labels[id], index=None)
    selected = diagram(svg, key=f"diagram of {name}")
    st.caption(
        "Boxes show the mean time of work, in italics if it is from fewer than 30 executions. Drag to move, "
        "Ctrl and wheel to zoom, click for details."
    )
    return selected


def _gateway_panel(model: Metagraph, gateway: Gateway) -> None:
    name = gateway_names(model).get(gateway.id) or gateway_text(model, gateway.id)
    st.subheader(plain(f"Choice {name}"))
    routing = next((r for r in model.routing if r.node == gateway.id), None)
    if routing is None:
        st.write("Nothing is drawn here: every order takes all the ways, or they come together again.")
        return
    overall = routing.overall()
    st.dataframe(
        [
            {"Leads to": branch_text(model, flow), "Share (95 % interval)": share_text(weight, overall.n)}
            for flow, weight in zip(routing.flows, routing.shares(overall.weights), strict=True)
        ],
        hide_index=True,
    )
    few = f": fewer than {ENOUGH}, so that the shares are rough" if overall.n < ENOUGH else ""
    st.caption(f"{overall.n:,} decisions seen{few}.")
    for number, rule in enumerate(routing.rules, 1):
        weights = routing.weights(Context("", "", 0, (), str(number)))
        taken = "; ".join(
            f"{branch_text(model, flow)} {share_text(weight, rule.n)}"
            for flow, weight in zip(routing.flows, routing.shares(weights), strict=True)
        )
        seen = "set by hand" if rule.by_hand else f"{rule.n:,} decisions seen"
        st.write(plain(f"Rule {number}: orders with {rule_text(rule.when)} go to {taken} ({seen})."))
    finer = [row for row in routing.rows if row.key]
    if finer:
        with st.expander(f"Depending on what the order has been through ({len(finer)} contexts)"):
            ways = [branch_text(model, flow) for flow in routing.flows]
            st.dataframe(
                [
                    {"Context": " → ".join(part or "(start)" for part in row.key), "Decisions": row.n}
                    | {
                        f"{i + 1}: {way}": share_text(w, row.n)
                        for i, (way, w) in enumerate(zip(ways, row.weights, strict=True))
                    }
                    for row in sorted(finer, key=lambda row: -row.n)[:200]
                ],
                hide_index=True,
            )


def _whole(model: Metagraph) -> None:
    left, right = st.columns(2)
    with left:
        picture(calendar_heatmap(model), 290)
    with right:
        picture(arrivals_profile(model), 290)
        if model.arrivals:
            st.caption(plain(arrivals_text(model.arrivals)))

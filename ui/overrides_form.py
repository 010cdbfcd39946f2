"""What people know better than the log, and who approved the model: written to the twin's configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st
from pydantic import ValidationError

from metagraph.errors import TwinError
from metagraph.model import Approval, Metagraph
from metagraph.nodes import Task
from twin.config import approve, load_config, write_overrides
from twin.config_sections import ActivityOverride, OverridesSection
from twin.words import branch_text, gateway_text, instant, serving
from ui import overrides as edits
from ui.parts import go_to, plain
from ui.workspace import Workspace

_SAVED = "overrides saved"


def overrides(place: Workspace, name: str, model: Metagraph, selected: Task | None) -> None:
    """Set what the analyst knows better; it holds after every calibration from the next build on."""
    config = place.config(name)
    section = load_config(config).overrides
    st.write(
        "Set here what the log gets wrong. It is applied after every calibration and marked in the report."
    )
    if st.session_state.pop(_SAVED, False):
        st.success("Saved. It takes effect with the next build.", icon=":material/check:")
    if section != OverridesSection() and st.button("Build again", icon=":material/construction:"):
        go_to("build")
    _known(config, section, model)
    task, choice, agent = st.tabs(["A task", "A choice", "An agent's hours"])
    with task:
        _task_form(config, section, model, selected)
    with choice:
        _routing_form(config, section, model)
    with agent:
        _agent_form(config, section, model)


def _known(config: Path, section: OverridesSection, model: Metagraph) -> None:
    if model.overrides:
        st.caption("In the model as it is now")
        st.dataframe(
            [
                {
                    "What": o.target,
                    "Field": o.field,
                    "Value": o.value,
                    "What the log says": o.contradiction or "–",
                }
                for o in model.overrides
            ],
            hide_index=True,
        )
    for line in edits.lines(section):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.write(plain(f"{line.kind} {line.name}: {line.what}"))
        if right.button("Remove", key=f"remove {line.kind} {line.name}"):
            _save(config, lambda line=line: edits.without(section, line))  # type: ignore[misc]


def _task_form(config: Path, section: OverridesSection, model: Metagraph, selected: Task | None) -> None:
    tasks = list(model.tasks())
    first = tasks.index(selected) if selected in tasks else 0
    task = st.selectbox(
        "Task", tasks, first, format_func=lambda t: t.label, key=f"task of {selected and selected.id}"
    )
    name = edits.name_in_log(section, task.label)
    known = section.activity.get(name, ActivityOverride())
    with st.form(f"override of {task.id}"):
        left, right = st.columns(2)
        rename = left.text_input("Another name", known.rename or "")
        agents = right.multiselect(
            "Only these agents", [a.id for a in model.agents], known.agents or (), placeholder="as in the log"
        )
        ways = ["as fitted", "constant", "mean"]
        law = known.duration
        way = 0 if law is None else 1 if law.constant_min is not None else 2
        picked = left.selectbox("Working time", ways, way, help="Mean: the fitted shape is scaled to it.")
        minutes = (law and (law.constant_min or law.mean_min)) or task.durations.default.law.mean() / 60
        length = right.number_input("Minutes", 0.0, value=float(round(minutes, 2)))
        options: list[bool | None] = [None, True, False]
        words = {None: "as it is", True: "yes", False: "no"}
        preemptible = left.selectbox(
            "May be interrupted", options, options.index(known.preemptible), format_func=lambda o: words[o]
        )
        drop = right.checkbox("Drop this task from the process", known.drop)
        if st.form_submit_button("Save"):
            _save(
                config,
                lambda: edits.with_activity(
                    section,
                    name,
                    ActivityOverride(
                        rename=rename.strip() or None,
                        drop=drop,
                        agents=tuple(agents) or None,
                        duration=law if law and law.family else edits.duration(str(picked), length),
                        preemptible=preemptible,
                    ),
                ),
            )
    able = ", ".join(serving(model, task)[:20]) or "nobody"
    st.caption(plain(f"Today it is done by {able}."))


def _routing_form(config: Path, section: OverridesSection, model: Metagraph) -> None:
    # Of several branches at once one probability each says too little.
    choices = [routing for routing in model.routing if not routing.subsets]
    if not choices:
        st.write("The process never chooses one of several ways.")
        return
    routing = st.selectbox("Choice", choices, format_func=lambda r: gateway_text(model, r.node))
    with st.form(f"routing of {routing.node}"):
        known = section.routing.get(routing.node, {})
        overall = dict(zip(routing.flows, routing.overall().weights, strict=True))
        shares = {
            flow: st.number_input(
                plain(f"To {branch_text(model, flow)}, %"),
                0.0,
                100.0,
                round(100 * known.get(flow, overall[flow]), 1),
            )
            for flow in routing.flows
        }
        if st.form_submit_button("Save"):
            if abs(sum(shares.values()) - 100) > 0.5:
                st.error(f"The shares add up to {sum(shares.values()):.1f} %; they must add up to 100 %.")
                return
            total = sum(shares.values())
            told = {flow: share / total for flow, share in shares.items()}
            _save(config, lambda: edits.with_routing(section, routing.node, told))


def _agent_form(config: Path, section: OverridesSection, model: Metagraph) -> None:
    if not model.agents:
        st.write("The process has no agents.")
        return
    agent = st.selectbox("Agent", [a.id for a in model.agents])
    known = section.agent.get(agent)
    with st.form(f"hours of {agent}"):
        hours = st.text_input(
            "Weekly hours",
            (known and known.calendar) or "",
            placeholder="Mon-Fri 09:00-17:00; Sat 10:00-14:00",
        )
        if st.form_submit_button("Save"):
            _save(config, lambda: edits.with_agent(section, agent, hours))


def _save(config: Path, edited: Callable[[], OverridesSection]) -> None:
    try:
        write_overrides(config, edited())
    except ValidationError as error:
        st.error(plain("; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())))
        return
    except TwinError as error:
        st.error(plain(str(error)))
        return
    st.session_state[_SAVED] = True
    st.rerun()


def approval(place: Workspace, name: str, model: Metagraph) -> None:
    """Who looked at the model and lets it be used."""
    for known in model.approvals:
        st.write(plain(f"{known.who}, {instant(known.when)}" + (f": {known.note}" if known.note else "")))
    if not model.approvals:
        st.write("Nobody has approved this model yet.")
    with st.form("approval"):
        who = st.text_input("Your name")
        note = st.text_input("Remark")
        if st.form_submit_button("Approve this model"):
            _approve(
                place,
                name,
                model,
                Approval(who.strip(), datetime.now(UTC).replace(microsecond=0), note.strip()),
            )


def _approve(place: Workspace, name: str, model: Metagraph, made: Approval) -> None:
    from metagraph.json_io import save

    try:
        approve(place.config(name), made.who, made.when, made.note)
        save(replace(model, approvals=(*model.approvals, made)), place.twin(name))
    except TwinError as error:
        st.error(plain(str(error)))
        return
    st.rerun()

"""Page 6: who does what when, planned in a process of its own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import streamlit as st

from metagraph.model import Metagraph
from twin.gantt import gantt
from twin.json_out import read
from twin.planned import Planned, PlannedOrder
from twin.planned_words import believed_text, better_text, decided_text, levels_text, moment, sentence
from ui import jobs
from ui.as_of import as_of
from ui.page_schedule_queues import queues
from ui.parts import built_twin, chosen_twin, keep_output, kept_result, picture, plain, run_job, watched
from ui.workspace import Workspace, workspace

OPEN_ORDERS, INSTANCE = "The open orders of the twin's log", "An instance file"
INSTANCES = "instances"
"""Stands for a twin's name where an instance was planned."""
SCENARIOS = 30
OBJECTIVES = {
    "as the orders suggest": "",
    "profit": "profit",
    "profit, then lateness": "profit,lateness",
    "profit, then fewest interruptions": "profit,preemptions",
    "lateness, then flow time": "lateness,flow",
    "flow time": "flow",
}
"""What counts, in words and as the command takes it."""


def show() -> None:
    """The page."""
    st.title("Schedule")
    place = workspace()
    what = st.radio("Plan", (OPEN_ORDERS, INSTANCE), horizontal=True, label_visibility="collapsed")
    name = chosen_twin() if what == OPEN_ORDERS else INSTANCES
    model = built_twin(place, name) if what == OPEN_ORDERS else None
    folder, path = place.job(name, "schedule"), place.result(name, "schedule")
    watched(folder, "Planning", "Take the best so far")
    keep_output(folder, path)
    _start(place, name, model, folder)
    text = kept_result(
        place, name, path, "No plan yet: choose what is to be planned and start above.", "this plan"
    )
    if text is None:
        return
    _results(place, name, read(Planned, text))


def _start(place: Workspace, name: str, model: Metagraph | None, folder: Path) -> None:
    """What is asked for, and the button."""
    of_what = _instance(place) if model is None else _as_of(place, name, model)
    grid, gap, limit, counts, go = st.columns([1, 1, 1, 1.5, 1], vertical_alignment="bottom")
    dt = grid.text_input(
        "Grid", placeholder="15m, 1h …", help="How long a period is. Left empty: one that fits the work."
    )
    share = float(
        gap.number_input("Gap, %", 0.0, 50.0, 1.0, 0.5, help="Enough is a plan this close to best.")
    )
    seconds = int(limit.number_input("Time limit, s", 1, 3600, 60, 10))
    objective = OBJECTIVES[counts.selectbox("What counts", list(OBJECTIVES))]
    with st.expander("Horizon, work under way, reasons, scenarios"):
        horizon = st.text_input(
            "How far to look",
            placeholder="rolling",
            help="rolling, a time from now such as 12h, or until:2026-11-27T17:00:00Z.",
        )
        interrupt = st.checkbox("Work that is under way may be interrupted, where its task allows it", True)
        reasons = st.text_input(
            "Why these are where they are", placeholder="orders or agents, joined by commas"
        )
        tried = st.checkbox(f"Try several plans in {SCENARIOS} simulated scenarios, take the best mean")
    if go.button("Plan", type="primary", disabled=of_what is None) and of_what is not None:
        command = jobs.tracetwin(
            *("optimize", *of_what, *_told("--dt", dt), *_told("--horizon", horizon)),
            *(*_told("--objective", objective), "--gap", str(share / 100), "--time-limit", str(seconds)),
            *("--preemption" if interrupt else "--no-preemption", "--out", str(_schedule(place, name))),
            *(part for name in reasons.split(",") for part in _told("--explain", name)),
            *("--robust", str(SCENARIOS if tried else 0)),
            *("--progress-file", str(jobs.progress_file(folder)), "--json"),
        )
        place.twins.mkdir(parents=True, exist_ok=True)
        run_job(folder, command, place)


def _told(option: str, text: str) -> tuple[str, ...]:
    return (option, text.strip()) if text.strip() else ()


def _instance(place: Workspace) -> tuple[str, ...] | None:
    """The instance's file as the command takes it; None as long as there is none."""
    file = st.file_uploader("An instance (JSON)", "json", help="See docs/formats.md, Instances.")
    if file is None:
        return None
    return (str(place.save_upload(file.name, file.getbuffer())),)


def _as_of(place: Workspace, name: str, model: Metagraph) -> tuple[str, ...]:
    """The twin, its log and the instant as the command takes them."""
    day, clock, _ = st.columns([1, 1, 2])
    at = as_of(model, day, clock)
    return (
        *("--twin", str(place.twin(name)), "--log", place.log(name).name),
        *("--as-of", at.isoformat(), "--db", str(place.db)),
    )


def _schedule(place: Workspace, name: str) -> Path:
    return place.twins / f"{name}.plan.json"


def _results(place: Workspace, name: str, plan: Planned) -> None:
    st.subheader(plain(f"{plan.name}, {moment(plan, plan.at, whole=True)}"))
    st.write(plain(decided_text(plan)))
    st.caption(plain(f"Aim: {levels_text(plan)}. {believed_text(plan)} {better_text(plan)}"))
    if plan.status in ("time", "cancelled") and plan.gap > plan.asked_gap:
        st.warning(
            plain(f"The plan may be {100 * plan.gap:.2g} % below the best one on this grid."),
            icon=":material/warning:",
        )
    if not plan.orders:
        st.info("No order was open at that instant.")
    if plan.work:
        picture(gantt(plan))
    if plan.orders:
        st.dataframe([_row(plan, one) for one in plan.orders], hide_index=True)
    for explanation in plan.explanations:
        st.info(plain(explanation.text), icon=":material/help:")
    queues(plan)
    _rules(plan)
    _scenarios(plan)
    with st.expander("What was assumed", expanded=True):
        st.markdown(
            "\n".join(f"- {plain(sentence(note))}" for note in plan.notes) or "Nothing beyond the process."
        )
    _downloads(place, name, plan)


def _row(plan: Planned, one: PlannedOrder) -> dict[str, object]:
    def at(when: datetime | None) -> str | None:
        return None if when is None else moment(plan, when)

    row: dict[str, object] = {"Order": one.order, "Stands": one.standing, "Done": at(one.delivered) or "–"}
    if any(o.due is not None for o in plan.orders):
        row |= {"Due": at(one.due), "Slack, h": None if one.slack_h is None else round(one.slack_h, 2)}
    if any(o.lost is not None for o in plan.orders):
        row |= {"Lost after": at(one.lost)}
    if any(o.profit is not None for o in plan.orders):
        row |= {"Profit": _money(one.profit), "At best": _money(one.at_best)}
    if any(o.why for o in plan.orders):
        row |= {"Why it can't be on time": one.why}
    return row


def _money(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _rules(plan: Planned) -> None:
    if not plan.rules:
        return
    with st.expander("What rules of priority would have done on the same grid"):
        st.dataframe(
            [{"Planned by": "this plan"} | _values(plan, plan.values, plan.on_time)]
            + [{"Planned by": rule.rule} | _values(plan, rule.values, rule.on_time) for rule in plan.rules],
            hide_index=True,
        )


def _values(plan: Planned, values: object, on_time: float | None) -> dict[str, object]:
    found: dict[str, object] = {}
    if isinstance(values, dict):
        for name, value in values.items():
            found[_counted(plan, name)] = round(value if plan.units[name] == "money" else -value, 2)
    if plan.on_time is not None and on_time is not None:
        found["On time, %"] = round(100 * on_time)
    return found


def _counted(plan: Planned, name: str) -> str:
    unit = plan.units[name]
    return name.capitalize() + (f", {unit}" if unit and unit != "money" else "")


def _scenarios(plan: Planned) -> None:
    if plan.robust is None:
        return
    unit = "" if plan.robust.unit == "money" else f", {plan.robust.unit}"
    with st.expander(f"What came of several plans in the same {plan.robust.scenarios} simulated scenarios"):
        st.dataframe(
            [
                {
                    "Schedule": one.name + (" (taken)" if one.chosen else ""),
                    f"Mean {plan.robust.measure}{unit}": round(one.mean, 2),
                    "95 %, from": round(one.low, 2),
                    "to": round(one.high, 2),
                    "Worse by": None if one.behind is None else round(one.behind, 2),
                }
                for one in plan.robust.scores
            ],
            hide_index=True,
        )


def _downloads(place: Workspace, name: str, plan: Planned) -> None:
    from twin.planning import plan_csv

    left, right, _ = st.columns([1, 1, 3])
    file = _schedule(place, name)
    if file.exists():
        left.download_button(
            *("Schedule (JSON)", file.read_bytes(), f"{name}.plan.json", "application/json"),
            icon=":material/download:",
        )
    right.download_button(
        *("Schedule (CSV)", plan_csv(plan), f"{name}.plan.csv", "text/csv"), icon=":material/download:"
    )

"""What is known of one task."""

from __future__ import annotations

import streamlit as st

from metagraph.distributions import Fitted
from metagraph.model import Metagraph
from metagraph.nodes import Task
from twin.batch_words import batch_text
from twin.charts import fit_histogram, fit_qq, pace_heatmap
from twin.model_words import PACED, capacity_text
from twin.time_spent import MEANINGS, PARTS, busy_text
from twin.words import family_name, hours_text, law_name, mean_text, number, serving, span
from ui.parts import picture, plain


def task_panel(model: Metagraph, task: Task) -> None:
    """Fits with histogram and quantiles, waits, agents and queues, finer rows."""
    st.subheader(plain(task.label))
    default = task.durations.default
    facts = {"Executions": f"{default.n:,}", "Mean work": mean_text(default), "Law": law_name(default.law)}
    facts["KS distance"] = "–" if default.ks is None else f"{default.ks:.3f}"
    for column, (title, value) in zip(st.columns([1, 2, 2, 1]), facts.items(), strict=True):
        column.metric(title, value)
    if default.few:
        told = f"Only {default.n:,} executions: what is known of this task's work rests on little."
        st.warning(plain(told), icon=":material/data_alert:")
    if default.note:
        st.caption(plain(default.note))
    work, waits, agents, rows = st.tabs(["Work", "Waiting", "Agents and queues", "Finer rows"])
    with work:
        fit_pictures(default, task.label)
    with waits:
        _waits(model, task)
    with agents:
        _agents(model, task)
    with rows:
        _rows(task)


def fit_pictures(fitted: Fitted, label: str) -> None:
    """Histogram and quantiles side by side, and the families that were tried."""
    left, right = st.columns([3, 2])
    with left:
        picture(fit_histogram(fitted, label), 330)
    with right:
        if len(fitted.observed) > 2:
            picture(fit_qq(fitted, label), 330)
    if fitted.candidates:
        tried = sorted(fitted.candidates.items(), key=lambda item: item[1])
        names = ", ".join(f"{family_name(family)} {ks:.3f}" for family, ks in tried)
        st.caption(
            plain(
                f"KS distance of each family tried: {names}. Measured on times above zero, with those still "
                "running; the law's own figure is over all that finished."
            )
        )


def _waits(model: Metagraph, task: Task) -> None:
    waits = task.waits
    if waits:
        parts = {PARTS[part]: float(getattr(waits, part)) for part in PARTS}
        shown = {"waiting": waits.waiting_s} | {name: seconds for name, seconds in parts.items() if seconds}
        for column, (title, seconds) in zip(st.columns(len(shown)), shown.items(), strict=True):
            column.metric(title.capitalize(), span(seconds), help=MEANINGS.get(title))
        st.caption(
            f"Means over {waits.n:,} executions of the whole log, from the moment the task could start to "
            "its end; whether the twin reproduces each part is said under “Where the time goes”."
        )
        if waits.busy_with:
            st.write(plain(f"Meanwhile its agents were busy with: {busy_text(waits.busy_with)}."))
    else:
        st.write("No waiting was observed.")
    if task.batch:
        st.write(plain(f"Work is collected into batches. {batch_text(task.batch).capitalize()}."))
    if task.delay:
        passing = f"Before it, the twin lets {mean_text(task.delay.default)} pass that no agent explains."
        if task.delay.since == "release":
            passing = f"It is held until {mean_text(task.delay.default)} after the order's release."
        st.write(plain(passing))
        pace = next((pace for pace in model.paces if pace.id == task.delay.pace), None)
        if pace:
            st.write(f"This delay {PACED}.")
            picture(pace_heatmap(pace), 290)
        fit_pictures(task.delay.default, f"Delay before {task.label}")
        if task.delay.after:
            after = [{"After": a} | _row(f) for a, f in task.delay.after.items()]
            st.dataframe(after, hide_index=True)


def _agents(model: Metagraph, task: Task) -> None:
    able = serving(model, task)
    if not able:
        st.write("Nobody: the task needs no agent and runs around the clock.")
        return
    calendars = {calendar.id: calendar for calendar in model.calendars}
    queues = [queue for queue in model.queues if queue.id in task.queues]
    shares = {
        agent: weight for queue in queues for agent, weight in zip(queue.agents, queue.weights, strict=False)
    }
    st.dataframe(
        [
            {
                "Agent": agent.id,
                "Role": agent.role,
                "At once": capacity_text(agent.capacity),
                "Hours": hours_text(calendars[agent.calendar]),
                "Took, %": round(100 * shares[agent.id], 1) if agent.id in shares else None,
            }
            for agent in model.agents
            if agent.id in able
        ],
        hide_index=True,
    )
    rules = ", ".join(f"{queue.id} ({queue.priority}, {len(queue.agents)} agents)" for queue in queues)
    st.caption(plain(f"Queues: {rules}."))


def _rows(task: Task) -> None:
    default = task.durations.default
    rows = [row for row in task.durations.rows if row.fitted is not default]
    if not rows:
        st.write("The same law holds for all orders and agents.")
        return
    st.dataframe(
        [
            {"Class": row.cls or "all", "Segment": row.segment or "all", "Agent": row.agent or "all"}
            | _row(row.fitted)
            for row in rows
        ],
        hide_index=True,
    )


def _row(fitted: Fitted) -> dict[str, object]:
    return {
        "n": f"{fitted.n:,} (few)" if fitted.few else f"{fitted.n:,}",
        "Law": law_name(fitted.law),
        "Mean": mean_text(fitted),
        "KS": None if fitted.ks is None else number(fitted.ks),
        "Pooled over": fitted.level,
        "Note": fitted.note,
    }

"""What each agent is to work on next, as a list to be followed."""

from __future__ import annotations

import streamlit as st

from twin.planned import Planned, PlannedWork
from twin.planned_words import moment

FIRST = 50
"""Rows of a list; the plan will have changed before anyone gets further."""


def queues(plan: Planned) -> None:
    """Choose an agent, see their work in its order."""
    busy = [one for one in plan.agents if one.tasks]
    if not busy:
        return
    st.subheader("What to work on next")
    names = [one.agent for one in sorted(busy, key=lambda one: -one.busy_h)]
    agent = st.selectbox("Agent", names, key=f"queue of {plan.name}")
    mine = [one for one in plan.work if one.agent == agent]
    st.dataframe([_row(plan, one) for one in mine[:FIRST]], hide_index=True)
    chosen = next(one for one in busy if one.agent == agent)
    share = f", {100 * chosen.busy_h / chosen.there_h:.0f} % of the time" if chosen.there_h > 0 else ""
    more = f"; the first {FIRST} of {len(mine)} are shown" if len(mine) > FIRST else ""
    bought = "; hours of theirs are bought" if chosen.bought else ""
    st.caption(f"{chosen.busy_h:.1f} h of work until the end of the plan{share}{bought}{more}.")


def _row(plan: Planned, one: PlannedWork) -> dict[str, object]:
    return {
        "Order": one.order,
        "Task": one.activity,
        "Begins": "under way" if one.running else moment(plan, one.start),
        "Over": moment(plan, one.end),
    }

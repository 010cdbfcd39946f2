"""What a twin rests on, on the page: parameters with little behind them, assumptions, and what was found."""

from __future__ import annotations

import streamlit as st

from metagraph.distributions import ENOUGH
from metagraph.model import Metagraph
from twin.scarce import assumptions, facts, scarce
from ui.parts import plain


def rests_on(model: Metagraph) -> None:
    """Three parts, each with a sentence where there is nothing."""
    st.subheader("Parameters that rest on little")
    thin = scarce(model)
    if thin:
        st.caption(f"From fewer than {ENOUGH} observations, or not fitted as hoped.")
        st.dataframe(
            [
                {
                    "Parameter": one.where,
                    "n": one.n,
                    "Pooled over": one.level,
                    "KS": one.ks,
                    "What was done": one.note,
                }
                for one in thin
            ],
            hide_index=True,
            column_config={"KS": st.column_config.NumberColumn(format="%.3f")},
        )
    else:
        st.write(f"None: every parameter rests on {ENOUGH} observations or more.")
    st.subheader("Assumed, because the log doesn't say")
    assumed = assumptions(model)
    if assumed:
        st.dataframe(
            [
                {"About": one.kind, "Assumed": one.assumed, "Where: what was missing": one.told}
                for one in assumed
            ],
            hide_index=True,
        )
    else:
        st.write("No knowledge was recorded as missing.")
    st.subheader("What import, replay and calibration found")
    for kind, told in facts(model).items():
        st.markdown(f"**{plain(kind)}**")
        st.markdown("\n".join(f"- {plain(name)}: {plain(fact)}" for name, fact in told.items()))

"""What a build chose among, on the page: winners first, every candidate behind a click."""

from __future__ import annotations

import streamlit as st

from metagraph.model import Metagraph
from twin.choice_charts import choice_dots
from twin.choices import SCORES, TOTAL, Told, all_told, margins_text, signed
from twin.words import number
from ui.parts import picture, plain


def choices(model: Metagraph) -> None:
    """A row a choice, then each one's candidates with their scores, a picture, and why the winner won."""
    found = all_told(model)
    if not found:
        return
    st.subheader("Chosen by simulating the last part of the log")
    st.dataframe(
        [
            {
                "Choice": one.choice.what.capitalize(),
                "Winner": one.winner.name if one.winner else "",
                "Tried": one.tried,
                "The winner simulates": one.closeness or "not compared",
                "Next best (total above winner's)": one.next_best,
            }
            for one in found
        ],
        hide_index=True,
    )
    st.caption(plain(f"{SCORES} {margins_text()}"))
    for one in found:
        with st.expander(plain(f"{one.choice.what.capitalize()}: {one.winner.name if one.winner else '–'}")):
            _candidates(one)


def _candidates(one: Told) -> None:
    st.write(plain(one.choice.reason))
    drawn = choice_dots(one)
    if drawn is not None:
        picture(drawn)
    if one.metrics:
        st.dataframe(
            [
                {"Candidate": c.name}
                | {
                    metric if metric == "NGD" else f"{metric}, h": number(c.scores[metric])
                    if metric in c.scores
                    else "–"
                    for metric in one.metrics
                }
                | {
                    "Total": signed(c.scores[TOTAL]) if TOTAL in c.scores else "–",
                    "Remark": "; ".join(filter(None, ("chosen" if c.chosen else "", c.note))),
                }
                for c in one.judged
            ],
            hide_index=True,
        )
    if one.refused:
        st.write("Could not be used:")
        st.markdown("\n".join(f"- {plain(c.name)}: {plain(c.note)}" for c in one.refused))

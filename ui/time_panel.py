"""Where the time goes, on the page."""

from __future__ import annotations

import streamlit as st

from metagraph.model import Metagraph
from twin.charts import waits_chart
from twin.model_words import congestion_text
from twin.time_spent import MEANINGS, PARTS, busy_text, modelled, summary, time_spent, to_csv
from twin.words import percent, span
from ui.parts import picture, plain


def time_panel(model: Metagraph, name: str) -> None:
    """The picture, a row a task, and the rows as a file."""
    times = time_spent(model)
    if not times:
        st.write("Not observed: this twin does not come from a log that tells it.")
        return
    st.write(plain(summary(times)))
    st.caption(plain(f"Observed in the whole log. {modelled(model)}"))
    if congestion_text(model):
        st.info(congestion_text(model), icon=":material/info:")
    picture(waits_chart(model))
    parts = {part: title for part, title in PARTS.items() if any(t.mean_s[part] for t in times)}
    st.dataframe(
        [
            {"Task": t.task, "n": t.n, "Waiting": span(t.waiting_s)}
            | {
                title.capitalize(): span(t.mean_s[part]) if t.mean_s[part] else "–"
                for part, title in parts.items()
            }
            | {
                "h a month": None if t.per_month_h is None else round(t.per_month_h, 1),
                "Of cycle time": "" if t.share_of_cycle is None else percent(t.share_of_cycle),
                "Agents were busy with": busy_text(t.busy_with_s),
            }
            for t in times
        ],
        hide_index=True,
    )
    meanings = "; ".join(f"{title}: {MEANINGS[title]}" for title in parts.values())
    st.caption(
        plain(
            f"Means per execution, from the moment the task could start to its end. {meanings}. Of cycle "
            "time: of the time that all orders take from first start to last end; parallel tasks count each."
        )
    )
    st.download_button(
        "Where the time goes (CSV)", to_csv(times), f"{name} time.csv", "text/csv", icon=":material/download:"
    )

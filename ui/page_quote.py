"""Page: when a new order could be promised, computed in a process of its own."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import streamlit as st

from metagraph.model import Metagraph
from twin.json_out import read
from twin.outlook import Quote
from twin.outlook_words import alternative_text, plus_minus
from twin.policies import NAMES
from twin.quote_charts import dates_chart, drivers_chart
from twin.words import by_engine, instant, percent
from ui import jobs
from ui.as_of import as_of
from ui.parts import built_twin, chosen_twin, keep_output, kept_result, picture, plain, run_job, watched
from ui.workspace import Workspace, workspace

ANY = "any"


def show() -> None:
    """The page."""
    st.title("Quote for a new order")
    place = workspace()
    name = chosen_twin()
    model = built_twin(place, name)
    folder, path = place.job(name, "quote"), place.result(name, "quote")
    watched(folder, "Quoting")
    keep_output(folder, path)
    _start(place, name, model)
    text = kept_result(place, name, path, "No quote yet: say what order comes and start above.", "this quote")
    if text is None:
        return
    _results(read(Quote, text))


def _start(place: Workspace, name: str, model: Metagraph) -> None:
    day, clock, count, rule, go = st.columns([1, 1, 1, 1, 1], vertical_alignment="bottom")
    moment = as_of(model, day, clock)
    runs = int(count.number_input("Replications", 1, 5000, 200, 50))
    policy = str(rule.selectbox("Policy", list(NAMES), help="What goes first; own: the twin's rules."))
    kinds, parts, money, promise, _ = st.columns([1, 1, 1, 1, 1], vertical_alignment="bottom")
    cls = kinds.selectbox("Class", [ANY, *sorted({c.cls for c in model.orders.classes} - {""})])
    segment = parts.selectbox("Segment", [ANY, *sorted({c.segment for c in model.orders.classes} - {""})])
    value = float(money.number_input("Value", 0.0, None, 0.0, help="0: not known."))
    due = promise.date_input("Due, day", None, min_value=moment.date() + timedelta(days=1))
    if go.button("Quote", type="primary"):
        asked = {"--class": cls, "--segment": segment}
        options = [word for option, one in asked.items() if one != ANY for word in (option, str(one))]
        options += ["--value", str(value)] if value else []
        if due is not None:
            options += ["--due", datetime.combine(due, time(), UTC).isoformat()]
        folder = place.job(name, "quote")
        command = jobs.tracetwin(
            *("quote", str(place.twin(name)), "--log", place.log(name).name, "--as-of", moment.isoformat()),
            *("--policy", policy, "--replications", str(runs), "--db", str(place.db), *options),
            *("--progress-file", str(jobs.progress_file(folder)), "--json"),
        )
        run_job(folder, command, place)


def _results(quote: Quote) -> None:
    who = ", ".join(part for part in (quote.cls, quote.segment) if part) or "any class"
    st.caption(
        plain(
            f"A new order ({who}) at {instant(quote.at)}, policy {quote.policy}, {quote.replications} "
            f"replications{by_engine(quote.engine)}."
        )
    )
    for column, (confidence, date) in zip(st.columns(3), quote.dates.items(), strict=False):
        low, high = quote.between.get(confidence, (None, None))
        sure = f"{instant(low) if low else '?'} to {instant(high) if high else '?'}"
        column.metric(f"Kept with {confidence} %", f"{date:%a %d %b %H:%M}", help=f"95 % interval: {sure}")
    for sentence in _sentences(quote):
        st.write(plain(f"{sentence[:1].upper()}{sentence[1:]}."))
    for note in quote.notes[:10]:
        st.warning(plain(note), icon=":material/warning:")
    picture(dates_chart(quote), 330)
    picture(drivers_chart(quote))
    if quote.history:
        st.markdown("**Closed orders, lead times in hours**")
        st.dataframe(
            [
                {"Orders": row.group, "n": row.n, "Mean": plus_minus(row.mean)}
                | {f"{c} %": round(hours, 1) for c, hours in row.lead_h.items()}
                for row in quote.history
            ],
            hide_index=True,
        )
    st.markdown("**Where its time goes, mean hours**")
    st.dataframe(
        [
            {"Task": d.activity, "Wait": round(d.wait_h, 2), "Start to end": round(d.work_h, 2)}
            | {"Queue": d.queue, "Items before it": None if d.ahead is None else round(d.ahead.mean, 1)}
            | {"Their hours": None if d.ahead_h is None else round(d.ahead_h.mean, 1)}
            for d in quote.drivers
        ],
        hide_index=True,
    )


def _sentences(quote: Quote) -> list[str]:
    """What is said of the order, its slowest step, and of what else would change."""
    told = [quote.slowest] if quote.slowest else []
    if quote.late_probability is not None and quote.late_between is not None:
        low, high = quote.late_between
        told.append(f"late with {percent(quote.late_probability)} ({percent(low)} to {percent(high)})")
    if quote.profit is not None:
        told.append(f"expected profit {plus_minus(quote.profit)}")
    return [*told, *quote.origin_words, *map(alternative_text, quote.alternatives)]

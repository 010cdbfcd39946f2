"""Page: policies tried on the past, computed in a process of its own."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from twin.backtest_charts import differences_chart, periods_chart
from twin.backtest_commands import TRIED
from twin.backtest_ranking import p_text
from twin.backtest_results import PolicyBacktest, read_backtest
from twin.backtest_words import NAMES, advice_text, between, sentences, signed, turned, verdict
from twin.policies import OWN, PLAIN
from twin.words import instant, number, percent
from ui import jobs
from ui.parts import built_twin, chosen_twin, keep_output, kept_result, picture, plain, run_job, watched
from ui.workspace import Workspace, workspace

WHAT = "policies"


def show() -> None:
    """The page."""
    st.title("Policies on the past")
    place = workspace()
    name = chosen_twin()
    built_twin(place, name)
    folder, path = place.job(name, WHAT), place.result(name, WHAT)
    watched(folder, "Trying policies")
    keep_output(folder, path)
    _start(place, name, folder)
    text = kept_result(place, name, path, "Nothing was tried yet: choose policies and start above.", "this")
    if text is None:
        return
    _results(read_backtest(text), _csv(place, name), name)
    _earlier(place)


def _earlier(place: Workspace) -> None:
    """The backtests that the database keeps."""
    from twin.kept_backtests import backtests_of

    kept = [one for one in backtests_of(str(place.db)) if one.kind != "forecasts"]
    with st.expander(f"Kept backtests ({len(kept)})"):
        st.dataframe(
            [
                {
                    "Number": one.number,
                    "Of": one.kind,
                    "Twin": Path(one.twin).name,
                    "Log": one.log,
                    "Made": instant(one.made_at),
                }
                for one in reversed(kept)
            ],
            hide_index=True,
        )


def _start(place: Workspace, name: str, folder: Path) -> None:
    others = [policy for policy in (*PLAIN, "HPCS") if policy not in TRIED]
    tried, rule = st.columns([2, 1], vertical_alignment="bottom")
    names = tried.multiselect("Policies", [*TRIED, *others, "milp"], ["P", "D", "S"])
    expression = rule.text_input("A rule of your own", placeholder="value / 1000")
    length, count, runs, known, go = st.columns([1, 1, 1, 1.4, 1], vertical_alignment="bottom")
    days = int(length.number_input("Days a period", 1, 90, 7))
    periods = int(count.number_input("Periods", 1, 60, 8))
    replications = int(runs.number_input("Runs a period", 1, 100, 8))
    as_is = known.checkbox("Take the twin as it is", help="Else it is fitted to what was known then.")
    if go.button("Try them", type="primary"):
        rules = ("--rule", expression) if expression.strip() else ()
        command = jobs.tracetwin(
            *("backtest", "policies", str(place.twin(name)), "--log", place.log(name).name),
            *("--own", OWN, "--policies", ",".join(names), *rules, *(("--as-is",) if as_is else ())),
            *("--period", f"{days}d", "--periods", str(periods), "--replications", str(replications)),
            *("--out", str(_csv(place, name)), "--db", str(place.db)),
            *("--progress-file", str(jobs.progress_file(folder)), "--json"),
        )
        run_job(folder, command, place)


def _csv(place: Workspace, name: str) -> Path:
    return place.twins / f"{name}.policies.csv"


def _results(found: PolicyBacktest, csv: Path, name: str) -> None:
    for text in sentences(found):
        st.markdown(plain(text))
    for note in found.notes:
        st.caption(plain(f"{note[0].upper()}{note[1:]}."))
    picture(differences_chart(found))
    st.dataframe(
        [
            {
                "Policy": one.policy,
                f"{NAMES[found.objective].capitalize()} a period": number(turned(found, one.mean)),
                f"Minus {found.own}": ""
                if one.policy == found.own
                else signed(turned(found, one.difference)),
                "95 % interval": "" if one.policy == found.own else between(found, one),
                "p after Holm": p_text(one.p_corrected),
                "Shown": verdict(found, one),
            }
            for one in found.ranking
        ],
        hide_index=True,
    )
    picture(periods_chart(found), 280)
    st.dataframe(
        [
            {
                "From": f"{period.start:%Y-%m-%d}",
                "Orders": period.orders,
                "Lead time, h": number(period.lead_h),
                "Replay error, h": number(period.error_h),
                "Placed": percent(period.placed),
                "Turned out best": period.best,
                "Advised then": advice_text(period.advice, found.own),
            }
            for period in found.periods
        ],
        hide_index=True,
    )
    if csv.exists():
        st.download_button(
            "All figures (CSV)",
            csv.read_bytes(),
            f"{name}.policies.csv",
            "text/csv",
            icon=":material/download:",
        )

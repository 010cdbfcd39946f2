"""The page Log: what an imported log says of itself, in pictures, after any filter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from eventlogs.mining.filters import LogFilter, Window
from eventlogs.owner.opening import open_historian
from metagraph.errors import TwinError
from twin import log_charts as charts
from twin.json_out import dump, read
from twin.words import span
from ui import jobs
from ui.parts import empty_state, picture, plain, run_job, watched
from ui.workspace import ChosenLog, Workspace, workspace

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

Rows = list[dict[str, Any]]
MOST_ROWS = 5_000
"""Of an answer, for pictures."""
FRESH_S = 60
"""After this long a page asks again whether live events have come."""
PATIENCE_S = 10.0
_WINDOWS: dict[Window, str] = {
    "contained": "wholly inside",
    "intersecting": "partly inside",
    "started": "that began inside",
    "ended": "that ended inside",
}
_ANY = "(any)"
_RESOURCE = "resource"


def show() -> None:
    """The page."""
    st.title("Log")
    place = workspace()
    try:
        asked = _Asked(str(place.db), *_version(str(place.db), _log(place)))
        wanted = _filter(asked)
        asked = replace(asked, wanted=dump(wanted))
        left = asked.rows("summary")[0]
        if left["cases"]:
            _figures(left)
            _pictures(asked, left)
        else:
            st.info("No case is left; ask for less above.", icon=":material/info:")
    except TwinError as error:
        st.error(plain(str(error)), icon=":material/error:")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A log as it is now, and which part of it is meant."""

    db: str
    log: str
    version: str
    """Changes with the log's content."""
    case_attributes: tuple[str, ...]
    zone: str
    wanted: str = dump(LogFilter())

    def ask(self, what: str, by: str = "") -> tuple[Rows, int]:
        """The answer's first rows, and how many it has; remembered."""
        return _answer(self.db, self.log, self.version, what, self.wanted, by, self.zone)

    def rows(self, what: str, by: str = "") -> Rows:
        """The answer's first rows."""
        return self.ask(what, by)[0]


@st.cache_data(max_entries=300, show_spinner="Asking the log …")
def _answer(db: str, log: str, version: str, what: str, wanted: str, by: str, zone: str) -> tuple[Rows, int]:
    with open_historian(db, read_only=True, wait_s=PATIENCE_S) as historian:
        table = historian.mine(log, what, (read(LogFilter, wanted),), by, zone)
    return table.slice(0, MOST_ROWS).to_pylist(), table.num_rows


@st.cache_data(max_entries=20, ttl=FRESH_S, show_spinner=False)
def _version(db: str, log: str) -> tuple[str, str, tuple[str, ...], str]:
    """The log's name, what changes with its content, its case attributes and its zone."""
    with open_historian(db, read_only=True, wait_s=PATIENCE_S) as historian:
        report = historian.report(log)
        known = historian.mine(log, "summary").to_pylist()
    return log, f"{report.content_hash} {known}", tuple(report.case_attributes), report.tz


def _log(place: Workspace) -> str:
    """The log to look at; one that was chosen and not yet read can be read here."""
    names = _names(place)
    chosen = _chosen(place)
    if chosen and chosen.name not in names:
        folder = place.job(str(st.session_state["twin"]), "log")
        watched(folder, "Reading the log")
        st.info(plain(f"“{chosen.name}” was chosen and hasn't been read yet."), icon=":material/info:")
        if st.button("Read the log", type="primary"):
            run_job(folder, _reading(place, chosen), place)
        if not names:
            st.stop()
    if not names:
        empty_state("There is no log yet.", "Upload a log", "upload")
    first = names.index(chosen.name) if chosen and chosen.name in names else 0
    return str(st.selectbox("Log", names, index=first))


def _chosen(place: Workspace) -> ChosenLog | None:
    twin = st.session_state.get("twin")
    return place.log(str(twin)) if twin and twin in place.names() else None


def _reading(place: Workspace, log: ChosenLog) -> list[str]:
    twin = str(st.session_state["twin"])
    return jobs.tracetwin(
        *("mine", log.path, "summary", "--config", str(place.config(twin)), "--db", str(place.db), "--json"),
        *("--progress-file", str(jobs.progress_file(place.job(twin, "log")))),
    )


def _names(place: Workspace) -> list[str]:
    if not place.db.exists():
        return []
    with open_historian(place.db, read_only=True, wait_s=PATIENCE_S) as historian:
        return [info.name for info in historian.logs()]


def _filter(asked: _Asked) -> LogFilter:
    """What the widgets ask for."""
    whole = asked.rows("summary")[0]
    with st.expander("Which part of the log", icon=":material/filter_alt:"):
        left, right = st.columns([2, 1])
        after, before = _window(left, whole["first"], whole["last"], asked.log)
        window = right.selectbox("Cases", list(_WINDOWS), format_func=lambda key: _WINDOWS[key])
        left, right = st.columns([2, 1])
        activities = left.multiselect(
            "… with at least one of these activities",
            [row["value"] for row in asked.rows("values", "activity")],
            key=f"activities of {asked.log}",
        )
        coverage = right.slider("… of the most frequent variants that cover, %", 1, 100, 100)
        left, right = st.columns([1, 2])
        attribute = left.selectbox(
            "… whose", [_ANY, _RESOURCE, *asked.case_attributes], key=f"attribute of {asked.log}"
        )
        values: list[str] = []
        if attribute != _ANY:
            held = [row["value"] for row in asked.rows("values", attribute) if row["value"] is not None]
            values = right.multiselect("is one of", held, key=f"{attribute} of {asked.log}")
    return LogFilter(
        after=after,
        before=before,
        window=window,
        with_activities=tuple(activities),
        with_resources=tuple(values) if attribute == _RESOURCE else (),
        case_attributes={attribute: tuple(values)} if values and attribute != _RESOURCE else {},
        variant_share=coverage / 100 if coverage < 100 else None,
    )


def _window(
    where: DeltaGenerator, first: datetime, last: datetime, log: str
) -> tuple[datetime | None, datetime | None]:
    """The first and the last instant of the days that were picked; nothing while all are."""
    days = (first.date(), last.date())
    picked = where.date_input("Days (UTC), both included", days, *days, key=f"days of {log}")
    if not isinstance(picked, tuple) or len(picked) < 2 or tuple(picked) == days:
        return None, None
    start, end = (datetime.combine(day, time(), UTC) for day in picked)
    return start, end + timedelta(days=1, microseconds=-1)


def _figures(left: dict[str, Any]) -> None:
    figures = {name: f"{left[name.lower()]:,}" for name in ("Cases", "Executions", "Activities", "Resources")}
    if left["median_cycle_s"] is not None:
        figures["Median cycle time"] = span(left["median_cycle_s"])
    if left["mean_arrival_gap_s"] is not None:
        figures["A new case every"] = span(left["mean_arrival_gap_s"])
    for column, (title, value) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(title, value)
    first, last = left["first"], left["last"]
    running = f"; {left['running']:,} executions are running" if left["running"] else ""
    st.caption(plain(f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC{running}."))


def _pictures(asked: _Asked, left: dict[str, Any]) -> None:
    """Only what is looked at is computed."""
    sections: dict[str, Callable[[_Asked, dict[str, Any]], None]] = {
        "Flow": _flow,
        "Variants": _variants,
        "Activities": _activities,
        "Resources": _resources,
    }
    wanted = st.segmented_control("Pictures", list(sections), default="Flow", key="pictures of the log")
    sections[wanted or "Flow"](asked, left)


def _flow(asked: _Asked, left: dict[str, Any]) -> None:
    period = charts.period_for(left["first"], left["last"])
    rows = asked.rows("throughput", period)
    dots = asked.rows("dotted")
    if most := charts.crowded(dots, left["first"], left["last"]):
        begin, end = (f"{at:%Y-%m-%d}" for at in most)
        st.info(
            f"Nearly everything happens from {begin} to {end}; little lies far outside and leaves no room "
            "for the rest. Choose these days above, under “Which part of the log”, to see them alone.",
            icon=":material/filter_alt:",
        )
    picture(charts.throughput_chart(rows, period), 330)
    picture(charts.wip_chart(rows, period), 250)
    picture(charts.dotted_chart(dots, left["cases"]), 560)


def _variants(asked: _Asked, left: dict[str, Any]) -> None:
    rows, variants = asked.ask("variants")
    st.altair_chart(charts.variants_chart(rows, variants), width="content")


def _activities(asked: _Asked, left: dict[str, Any]) -> None:
    durations = asked.rows("durations")
    if any(row["max_duration_s"] for row in durations):
        shown = min(len(durations), charts.MOST_NAMES)
        picture(charts.durations_chart(durations), 22 * shown + 130)
    else:
        st.info("Every execution has one time only: how long it takes can't be told.", icon=":material/info:")
    st.altair_chart(charts.follows_chart(asked.rows("follows")), width="content")


def _resources(asked: _Asked, left: dict[str, Any]) -> None:
    if not left["resources"]:
        st.info("The log names no resources.", icon=":material/info:")
        return
    picture(charts.workload_chart(asked.rows("workload", "hour_of_week"), asked.zone), 300)
    st.altair_chart(charts.handovers_chart(asked.rows("handovers")), width="content")

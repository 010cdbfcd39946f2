"""Page 1: choose a log, and see how it will be read before anything is built from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from eventlogs.historian import log_name
from eventlogs.looked import Look, Problem
from eventlogs.looking import LookOptions, look
from metagraph.errors import TwinError
from ui.parts import FILES, go_to, plain, work_on
from ui.workspace import ChosenLog, Workspace, workspace

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "order_to_cash.csv"
ROLES = {"case": "Case", "activity": "Activity", "resource": "Resource", "start": "Start", "end": "End"}
NONE = "(none)"
_HERE = {
    r"; say which with --map .*": "; choose them above",
    r"; say which with --time-format .*": "; choose their order above, under “Times”",
    r"; give its pattern, such as --time-format .*": "; choose another column above",
    r"; mend it, or set such rows aside with --quarantine": "",
    r"--map (\w+)=(.*?) names": r"\1 = \2 names",
}
"""What a sentence says of the options of commands -> what to do on this page."""
_TOUCHED = "where the log comes from"
_FORMATS = {None: "found by itself", "dmy": "day first", "mdy": "month first", "ymd": "year first"}


def show() -> None:
    """The page."""
    st.title("Upload an event log")
    st.write(
        "One row per task execution: which case, what was done, by whom, from when to when. "
        "Nothing leaves this computer."
    )
    place = workspace()
    path = _source(place)
    if path is None:
        st.info("Choose a file, name a path, or try the bundled example.", icon=":material/info:")
        return
    try:
        mapping, time_format, zone = _reading(path)
        seen = _look(str(path), path.stat().st_mtime_ns, tuple(mapping.items()), time_format, zone)
    except (TwinError, OSError) as error:
        st.error(plain(_on_page(str(error), path)), icon=":material/error:")
        return
    quarantine = _sample(seen, path)
    if quarantine is not None:
        _use(place, ChosenLog(str(path), log_name(path), mapping, time_format, zone, quarantine))


def _source(place: Workspace) -> Path | None:
    """The file at work: the last one that was uploaded, named or asked for."""
    left, right = st.columns(2, gap="large")
    with left:
        file = st.file_uploader("A file", FILES, key="file", on_change=_last_touched, args=("file",))
    with right:
        named = st.text_input(
            "… or a path on this computer",
            placeholder="/data/orders.csv.gz",
            key="path",
            on_change=_last_touched,
            args=("path",),
        ).strip()
        if EXAMPLE.exists():
            st.button(
                "Try the bundled example",
                icon=":material/science:",
                on_click=_last_touched,
                args=("example",),
            )
    wanted = st.session_state.get(_TOUCHED)
    if wanted == "example":
        st.caption(
            plain(f"{EXAMPLE.name}, with the settings of {EXAMPLE.with_suffix('.toml').name} beside it")
        )
        return EXAMPLE
    if file is not None and not (wanted == "path" and named):
        return place.save_upload(file.name, file.getbuffer())
    return Path(named).expanduser() if named else None


def _last_touched(what: str) -> None:
    st.session_state[_TOUCHED] = what


def _reading(path: Path) -> tuple[dict[str, str], str | None, str]:
    """What the user confirms: a column for each role, and how times are read."""
    guess = _look(str(path), path.stat().st_mtime_ns, (), None, "UTC")
    st.subheader("How the columns are read")
    mapping: dict[str, str] = {}
    options = [NONE, *guess.column_names()]
    for column, (role, title) in zip(st.columns(len(ROLES)), ROLES.items(), strict=True):
        found = guess.candidate.columns.get(role)
        with column:
            picked = st.selectbox(
                title, options, index=options.index(found) if found in options else 0, key=f"{role} of {path}"
            )
            st.caption(_sureness(found, guess.candidate.confidence.get(role, 0.0), picked))
        mapping[role] = "" if picked == NONE else picked
    with st.expander("Times: format and zone"):
        left, right = st.columns(2)
        time_format = left.selectbox("Ambiguous dates", list(_FORMATS), format_func=lambda f: _FORMATS[f])
        zone = right.selectbox("Zone of times that name none", _zones(), index=0)
    return mapping, time_format, zone


def _sureness(found: str | None, confidence: float, picked: str) -> str:
    if picked == NONE:
        return "no such column"
    if picked != found:
        return "chosen by you"
    return "guessed; please check" if confidence < 0.75 else "recognised by its name"


def _zones() -> list[str]:
    from zoneinfo import available_timezones

    return [
        "UTC",
        *sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc")),
    ]


@st.cache_data(max_entries=32, show_spinner="Reading the log …")
def _look(
    path: str, changed_ns: int, mapping: tuple[tuple[str, str], ...], time_format: str | None, zone: str
) -> Look:
    return look(Path(path), LookOptions(dict(mapping) or None, time_format, zone))


def _on_page(fault: str, path: Path) -> str:
    """A fault in the page's words: the file by its own name, and what to do here instead of options."""
    told = fault.replace(str(path), path.name)
    for option, here in _HERE.items():
        told = re.sub(option, here, told)
    return told


def _sample(seen: Look, path: Path) -> bool | None:
    """The first rows and what is wrong; None while the log can't be used, else whether to set rows aside."""
    if seen.to_settle:
        st.error(plain(_on_page(seen.to_settle, path)), icon=":material/error:")
        st.caption("The first rows as they stand in the file")
        st.dataframe([dict(zip(seen.column_names(), row, strict=True)) for row in seen.raw], hide_index=True)
        return None
    st.subheader(f"The first of {seen.rows:,} rows, as they will be read")
    lines = [
        {"Case": r.case, "Activity": r.activity, "Resource": r.resource, "Start": r.start, "End": r.end}
        | ({"Problem": r.problem} if any(row.problem for row in seen.read) else {})
        for r in seen.read
    ]
    stamp = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss", timezone="UTC")
    st.dataframe(lines, hide_index=True, column_config={"Start": stamp, "End": stamp})
    formats = "; ".join(
        f"{time.column}: {reading.format}" for time in seen.times for reading in time.readings
    )
    st.caption(plain(f"Times are shown in UTC. {formats}"))
    for note in seen.notes:
        st.info(plain(note), icon=":material/info:")
    return _bad_rows(seen.problems)


def _bad_rows(problems: Sequence[Problem]) -> bool | None:
    if not problems:
        return False
    for problem in problems:
        st.warning(
            plain(f"{problem.rows:,} rows can't be used: {problem.reason}."), icon=":material/warning:"
        )
    if st.checkbox("Set these rows aside and use the rest (the report will say so)"):
        return True
    st.caption("Mend the file, choose other columns, or set the rows aside.")
    return None


def _use(place: Workspace, log: ChosenLog) -> None:
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    name = left.text_input("Name of the twin", log.name, key=f"name for {log.path}")
    if right.button("Use this log", type="primary", icon=":material/arrow_forward:"):
        config = EXAMPLE.with_suffix(".toml") if Path(log.path) == EXAMPLE else None
        try:
            place.choose(name.strip(), log, config.read_text(encoding="utf-8") if config else None)
        except TwinError as error:
            st.error(plain(str(error)))
            return
        work_on(name.strip())
        go_to("build")

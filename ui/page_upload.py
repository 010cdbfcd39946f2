"""Page 1: choose a log, see how it will be read, take it, and see how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from eventlogs.log_names import log_name
from eventlogs.report import number
from eventlogs.taking.looked import Look, Problem
from eventlogs.taking.looking import LookOptions, look
from metagraph.errors import TwinError
from twin.source import LogRequest
from ui.import_tables import file_text, format_texts, zone_text
from ui.page_words import on_page
from ui.parts import FILES, plain
from ui.upload_taken import take_and_show
from ui.workspace import ChosenLog, Workspace, workspace

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "order_to_cash.csv"
ROLES = {"case": "Case", "activity": "Activity", "resource": "Resource", "start": "Start", "end": "End"}
CASE_ROLES = {"class": "Class", "segment": "Segment", "due": "Due date", "value": "Value"}
NONE = "(none)"
_TOUCHED = "where the log comes from"
_FORMATS = {None: "found by itself", "dmy": "day first", "mdy": "month first", "ymd": "year first"}
_SIGNS = {None: "found by itself", ",": "comma", ".": "point"}


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
        options = _reading(path)
        seen = _look(str(path), path.stat().st_mtime_ns, options)
    except (TwinError, OSError) as error:
        st.error(plain(on_page(str(error), path)), icon=":material/error:")
        return
    quarantine = _sample(seen, path)
    if quarantine is not None:
        _use(place, path, options, quarantine)


def _source(place: Workspace) -> Path | None:
    """The file at work: the last one that was uploaded, named or asked for."""
    left, right = st.columns(2, gap="large")
    with left:
        file = st.file_uploader("A file", FILES, key="file", on_change=_last_touched, args=("file",))
    with right:
        named = st.text_input(
            "… or a path on this computer, for files of any size",
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


def _reading(path: Path) -> LookOptions:
    """What the user confirms: a column for each role, and how times and amounts are read."""
    changed = path.stat().st_mtime_ns
    guess = _look(str(path), changed, LookOptions())
    kind: str | None = None
    if len(guess.object_types) > 1:
        words = {name: f"{name} ({n:,} objects)" for name, n in guess.object_types.items()}
        kind = st.selectbox(
            "Objects that are the cases", list(words), format_func=lambda k: words[k], key=f"kind of {path}"
        )
        guess = _look(str(path), changed, LookOptions(object_type=kind))
    st.subheader("How the columns are read")
    mapping = _mapping(guess, f"{path} {kind or ''}")
    left, middle, right = st.columns(3)
    zone = left.selectbox(
        "Zone of times that name none", [None, *_zones()], format_func=lambda z: z or "not given: UTC"
    )
    time_format = middle.selectbox("Dates", list(_FORMATS), format_func=lambda f: _FORMATS[f])
    decimal = right.selectbox("Decimal sign", list(_SIGNS), format_func=lambda s: _SIGNS[s])
    return LookOptions(mapping, time_format, zone, decimal, kind)


def _mapping(guess: Look, key: str) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for column, (role, title) in zip(st.columns(len(ROLES)), ROLES.items(), strict=True):
        found = guess.candidate.columns.get(role)
        with column:
            picked = _pick(title, guess, found, f"{role} of {key}")
            st.caption(_sureness(found, guess.candidate.confidence.get(role, 0.0), picked))
        mapping[role] = picked
    with st.expander("What columns say of the case"):
        suggested = {role: name for role, name in guess.candidate.columns.items() if role in CASE_ROLES}
        for column, (role, title) in zip(st.columns(len(CASE_ROLES)), CASE_ROLES.items(), strict=True):
            with column:
                mapping[role] = _pick(title, guess, None, f"{role} of {key}")
                if role in suggested:
                    st.caption(plain(f"perhaps {suggested[role]}"))
    return {role: name for role, name in mapping.items() if name or role in ROLES}


def _pick(title: str, guess: Look, found: str | None, key: str) -> str:
    options = [NONE, *guess.column_names()]
    picked = st.selectbox(title, options, index=options.index(found) if found in options else 0, key=key)
    return "" if picked == NONE else picked


def _sureness(found: str | None, confidence: float, picked: str) -> str:
    if not picked:
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


@st.cache_data(max_entries=32, show_spinner="Reading the log …", hash_funcs={LookOptions: repr})
def _look(path: str, changed_ns: int, options: LookOptions) -> Look:
    return look(Path(path), options)


def _sample(seen: Look, path: Path) -> bool | None:
    """The first rows and what is wrong; None while the log can't be used, else whether to set rows aside."""
    st.caption(plain(f"{path.name}: {file_text(seen)}"))
    if seen.to_settle:
        st.error(plain(on_page(seen.to_settle, path)), icon=":material/error:")
        if seen.raw:
            st.caption("The first rows as they stand in the file")
            st.dataframe(
                [dict(zip(seen.column_names(), row, strict=True)) for row in seen.raw], hide_index=True
            )
        _show_problems(seen.problems)
        return None
    st.subheader("The first executions, as they will be read")
    unit = seen.read[0].place.rpartition(" ")[0].capitalize()
    lines = [
        {unit: r.place.rpartition(" ")[2], "Case": r.case or "", "Activity": r.activity or ""}
        | {"Resource": r.resource or ""}
        | {"Start": r.start, "End": r.end}
        | ({"Problem": r.problem or ""} if any(row.problem for row in seen.read) else {})
        for r in seen.read
    ]
    stamp = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss", timezone="UTC")
    narrow = st.column_config.TextColumn(width="small")
    st.dataframe(lines, hide_index=True, column_config={unit: narrow, "Start": stamp, "End": stamp})
    st.caption(plain(" ".join(["Times are shown in UTC.", *format_texts(seen)])))
    if zone := zone_text(seen):
        tell = st.warning if seen.tz_assumed else st.caption
        tell(plain(on_page(zone, path)))
    st.info("\n".join(f"- {plain(on_page(said, path))}" for said in seen.assumptions()))
    return _problems(seen.problems)


def _problems(problems: Sequence[Problem]) -> bool | None:
    if not problems:
        return False
    _show_problems(problems)
    if st.checkbox("Set these rows aside and use the rest (the report will say so)"):
        return True
    st.caption("Mend the file, choose other columns, or set the rows aside.")
    return None


def _show_problems(problems: Sequence[Problem]) -> None:
    if not problems:
        return
    n = sum(problem.rows for problem in problems)
    st.warning(f"{number(n, 'row')} can't be used.", icon=":material/warning:")
    st.table(
        [{"Reason": plain(p.reason), "Rows": f"{p.rows:,}", "Where": plain(_places(p))} for p in problems]
    )


def _places(problem: Problem) -> str:
    return ", ".join(problem.places) + (" …" if problem.rows > len(problem.places) else "")


def _use(place: Workspace, path: Path, options: LookOptions, quarantine: bool) -> None:
    request = LogRequest(
        str(path),
        str(place.db),
        options.mapping,
        options.time_format,
        options.tz,
        quarantine,
        options.decimal,
        options.object_type,
    )
    log = ChosenLog(
        str(path), log_name(path), options.mapping or {}, options.time_format, options.tz or "UTC", quarantine
    )
    config = EXAMPLE.with_suffix(".toml") if path == EXAMPLE else None
    take_and_show(place, request, log, config.read_text(encoding="utf-8") if config else None)

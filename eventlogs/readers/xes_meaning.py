"""What an XES file says beside its events: classifiers and globals; and what had to be decided on the way."""

from __future__ import annotations

import re
from collections.abc import Sequence

from duckdb import DuckDBPyConnection

from eventlogs.readers.xes_parser import Parser
from eventlogs.readers.xes_rows import NAME, Rows
from eventlogs.taking.columns import CASE_PREFIX

_PLACEHOLDER = re.compile(r"__\w+__|unknown|not[ _]set|undefined|(1970-01-01|0001-01-01)T.*", re.IGNORECASE)
"""What OpenXES and its kin declare as the global value of an attribute, and write where they know none."""


def settle(con: DuckDBPyConnection, parser: Parser, rows: Rows) -> tuple[str, ...]:
    """Give events an activity by the log's classifier if none has a name; say what is noteworthy."""
    notes = [
        *_classifiers(con, parser.classifiers, rows),
        *_globals(con, parser.globals, rows),
        *_cases(con, rows),
    ]
    counts = (
        (parser.loose, "events stand outside any trace; they belong to no case and were left out"),
        (rows.empty_traces, "traces hold no event; they were left out"),
        (rows.unnamed_traces, f"traces have no {NAME}; each became a case named by its place in the file"),
        (parser.repeated, "attributes stand twice in their event or trace; the last value was taken"),
        (parser.lacking, "attributes have no key or no value; they were left out"),
    )
    notes += [f"{count} {what}." for count, what in counts if count]
    if parser.nested:
        keys = ", ".join(repr(key) for key, _ in parser.nested.most_common(3))
        notes.append(
            f"{parser.nested.total()} attributes stand inside other attributes ({keys}); they describe "
            f"those, not the events, and were left out."
        )
    if clashes := rows.clashes():
        notes.append(
            f"The events' own attribute {clashes[0]!r} looks like one of traces; its column is "
            f"'event:{clashes[0]}'."
        )
    return tuple(notes)


def _classifiers(con: DuckDBPyConnection, declared: Sequence[tuple[str, str]], rows: Rows) -> list[str]:
    known = rows.event_keys()
    usable = [(name, keys) for name, text in declared if (keys := _keys(text, list(known)))]
    if NAME not in known and usable:
        name, keys = usable[0]
        column = rows.event_column(NAME)
        parts = ", ".join(f"nullif({known[key]}, '')" for key in keys)
        # XES joins the values of a classifier's keys by a plus sign.
        con.execute(f"UPDATE staging SET {column} = nullif(concat_ws('+', {parts}), '')")
        return [
            f"No event has a {NAME}; the file's classifier {name!r} ({' + '.join(keys)}) stands in for it as "
            f"the activity."
        ]
    others = [f"{name!r} ({' + '.join(keys)})" for name, keys in usable if keys != [NAME]]
    if not others:
        return []
    return [f"The file also tells events apart by {', '.join(others)}; the activity is {NAME} alone."]


def _keys(text: str, known: Sequence[str]) -> list[str]:
    """The keys of a classifier, of which quoted or known ones may hold blanks; empty unless all are known."""
    alternatives = "|".join(re.escape(key) for key in sorted(known, key=len, reverse=True))
    found = re.fullmatch(rf"\s*(?:(?:'[^']*'|{alternatives})(?:\s+|$))+", text) if known else None
    if not found:
        return []
    keys = [part.strip("'") for part in re.findall(rf"'[^']*'|(?<!\S)(?:{alternatives})(?!\S)", text)]
    return keys if set(keys) <= set(known) else []


def _globals(con: DuckDBPyConnection, declared: dict[str, str], rows: Rows) -> list[str]:
    """Report events without a declared attribute, and those whose value is its placeholder.

    The declared value says what an editor writes into an event that it makes, not what happened: filling it
    in would invent activities such as `__INVALID__`. What is missing stays missing, and nothing is replaced.
    """
    known = {key: value for key, value in declared.items() if key in rows.event_keys()}
    if not known:
        return []
    columns = [rows.event_keys()[key] for key in known]
    sums = ", ".join(f"count(*) - count({column}), count(*) FILTER ({column} = ?)" for column in columns)
    counts = con.execute(f"SELECT {sums} FROM staging", list(known.values())).fetchall()[0]
    notes = []
    for (key, value), missing, equal in zip(known.items(), counts[::2], counts[1::2], strict=True):
        if missing:
            notes.append(
                f"{missing} events lack {key!r}, which the file declares for every event; it stays empty "
                f"there."
            )
        if equal and _PLACEHOLDER.fullmatch(value):
            notes.append(
                f"{equal} events have {value!r} as {key!r}, which the file declares as a placeholder; it was "
                f"kept as it stands."
            )
    return notes


def _cases(con: DuckDBPyConnection, rows: Rows) -> list[str]:
    count, example = con.execute(
        "SELECT count(*), min(name) FROM (SELECT name FROM xes_traces GROUP BY name HAVING count(*) > 1)"
    ).fetchall()[0]
    con.execute("DROP TABLE xes_traces")
    con.execute("DROP TABLE xes_late")
    if not count:
        return []
    columns = [(name, f"c{i}") for i, name in enumerate(rows.columns) if name.startswith(CASE_PREFIX)]
    case = dict(columns)[CASE_PREFIX + NAME]
    tests = ", ".join(f"count(DISTINCT {column}) > 1 AS {column}" for _, column in columns)
    sums = ", ".join(f"count(*) FILTER ({column})" for _, column in columns)
    unequal = con.execute(f"SELECT {sums} FROM (SELECT {tests} FROM staging GROUP BY {case})")
    differ = [name for (name, _), n in zip(columns, unequal.fetchall()[0], strict=True) if n]
    notes = [
        f"{count} names stand on several traces, such as {example!r}; the events of traces of one name make "
        f"one case."
    ]
    if differ:
        notes.append(f"Traces of one name differ in {', '.join(differ)}; the first value was taken.")
    return notes

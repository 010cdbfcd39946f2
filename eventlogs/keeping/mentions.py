"""Where the database still says a text: as a value, or as words of a longer one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from duckdb import DuckDBPyConnection

from eventlogs.keeping import texts

_BATCH = 10_000
_SHOWN = 60


def mentions(con: DuckDBPyConnection, text: str) -> list[str]:
    """A sentence for each column that has the text as a value, and for each that has it in longer values.

    Digits inside numbers, dates and longer words don't count. Texts too short to be told from other words
    are not looked for.
    """
    if len(text) < texts.SHORTEST_IN_PROSE:
        return []
    columns = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE data_type LIKE 'VARCHAR%' AND table_name "
        "IN (SELECT table_name FROM duckdb_tables() WHERE NOT temporary) ORDER BY ALL"
    ).fetchall()
    found = []
    for table, column in columns:
        exact, longer, example = _counted(con, table, column, text)
        place = f"of table {table}, column {column},"
        if exact:
            found.append(f"{_rows(exact)} {place} still {'says' if exact == 1 else 'say'} it.")
        if longer:
            said = f"only as part of longer values, such as {example!r}"
            found.append(f"{_rows(longer)} {place} {'has' if longer == 1 else 'have'} it {said}.")
    return found


def _counted(con: DuckDBPyConnection, table: str, column: str, text: str) -> tuple[int, int, str]:
    """Rows with the text as a value, rows with it in longer values only, and the first of these values."""
    word = _word(text)
    exact, longer, example = 0, 0, ""
    cursor = con.execute(
        f'SELECT v, count(*) FROM (SELECT "{column}"::VARCHAR AS v FROM "{table}") '
        "WHERE contains(v, ?) OR contains(v, ?) GROUP BY v ORDER BY v",
        [inner[1:-1] for inner in texts.literals(text)],
    )
    while rows := cursor.fetchmany(_BATCH):
        for value, count in rows:
            said = list(_strings(value))
            if text in said:
                exact += count
            elif inside := [longer_one for longer_one in said if word.search(longer_one)]:
                longer += count
                example = example or _around(inside[0], word)
    return exact, longer, example


def _word(text: str) -> re.Pattern[str]:
    """The text as a word of its own; where it ends in a digit, also no part of a number or date."""
    before = r"(?<!\w)" + (r"(?<!\d[.,:-])" if text[0].isdigit() else "")
    after = r"(?!\w)" + (r"(?![.,:-]\d)" if text[-1].isdigit() else "")
    return re.compile(before + re.escape(text) + after)


def _strings(value: str) -> Iterator[str]:
    """The text itself or, where it is JSON, the names and texts in it."""
    try:
        held = json.loads(value)
    except ValueError:
        held = None
    yield from _leaves(held) if isinstance(held, dict | list | str) else (value,)


def _leaves(held: Any) -> Iterator[str]:
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict | list):
        for name in held:
            yield from _leaves(name)
        for inner in held.values() if isinstance(held, dict) else ():
            yield from _leaves(inner)


def _around(value: str, word: re.Pattern[str]) -> str:
    found = word.search(value)
    start = max(found.start() - _SHOWN // 2, 0) if found and len(value) > _SHOWN else 0
    part = value[start : start + _SHOWN]
    return ("…" if start else "") + part + ("…" if start + _SHOWN < len(value) else "")


def _rows(n: int) -> str:
    return f"{n:,} row{'' if n == 1 else 's'}"

"""The rows of the cases that the objects of one type make, in SQL over an object-centric log's tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from duckdb import DuckDBPyConnection

from eventlogs.sql import quoted
from eventlogs.taking.columns import CASE_PREFIX
from metagraph.errors import DataError

_COLUMNS = {
    "case:concept:name": "o.id",
    "concept:name": "e.type",
    "time:timestamp": "e.time",
    "ocel:eid": "e.id",
    "ocel:qualifier": "p.qualifier",
}
_MOST_ATTRIBUTES = 2_000


def flatten(con: DuckDBPyConnection, path: Path, kind: str) -> tuple[tuple[str, ...], dict[str, int]]:
    """Make `staging` and `ocel_pairs` (an object of the type and an event of it in each row).

    Returns the names of the columns, and the attributes of objects that change with the numbers of objects.
    Raises DataError when there are too many attributes.
    """
    _pairs(con, kind)
    of_events, of_objects = (
        [name for (name,) in con.execute(f"SELECT DISTINCT name FROM {table} ORDER BY name").fetchall()]
        for table in ("ocel_event_values SEMI JOIN ocel_pairs USING (event)", "ocel_known")
    )
    changing = dict(
        con.execute(
            "SELECT name, count(*) FROM (SELECT object, name FROM ocel_known GROUP BY ALL "
            "HAVING count(DISTINCT value) > 1) GROUP BY name ORDER BY name"
        ).fetchall()
    )
    if len(of_events) + len(of_objects) > _MOST_ATTRIBUTES:
        raise DataError(
            f"{path}: events and objects have more than {_MOST_ATTRIBUTES:,} different attributes; export "
            f"the log with fewer"
        )
    columns = dict(_COLUMNS)
    for i, name in enumerate(of_events):
        columns[_free(name, "event:", columns)] = f"ev.e{i}"
    for i, name in enumerate(of_objects):
        columns[_free(CASE_PREFIX + name, CASE_PREFIX, columns)] = f"ob.o{i}"
    for i, name in enumerate(changing):
        columns[_free(f"object:{name}", "object:", columns)] = f"h{i}.value"
    selected = ", ".join(f"{source} AS c{i}" for i, source in enumerate(columns.values()))
    events = _wide("event", "e", "max(value)", of_events)
    objects = _wide("object", "o", "arg_min(value, (since, place))", of_objects)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staging AS WITH ev AS ({events}), ob AS ({objects}) "
        f"SELECT row_number() OVER (ORDER BY p.object, p.at, p.event) AS row, {selected} "
        "FROM ocel_pairs p JOIN ocel_events e ON e.n = p.event JOIN ocel_objects o ON o.n = p.object "
        "LEFT JOIN ev ON ev.event = p.event LEFT JOIN ob ON ob.object = p.object "
        f"{' '.join(_at_event(i, name) for i, name in enumerate(changing))} ORDER BY row"
    )
    con.execute("DROP TABLE ocel_known")
    return tuple(columns), changing


def _pairs(con: DuckDBPyConnection, kind: str) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE ocel_pairs AS SELECT e.n AS event, o.n AS object, "
        "try_cast(any_value(e.time) AS TIMESTAMPTZ) AS at, "
        "string_agg(DISTINCT qualifier, ', ' ORDER BY qualifier) AS qualifier "
        "FROM ocel_relations r JOIN ocel_events e ON e.n = r.event JOIN ocel_objects o ON o.id = r.object "
        "WHERE o.type = ? GROUP BY e.n, o.n",
        [kind],
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE ocel_known AS SELECT object, name, value, row_number() OVER () AS "
        "place, coalesce(try_cast(time AS TIMESTAMPTZ), TIMESTAMPTZ '-infinity') AS since FROM "
        "ocel_object_values WHERE value IS NOT NULL AND object IN (SELECT n FROM ocel_objects WHERE type "
        "= ?)",
        [kind],
    )


def _wide(key: str, letter: str, aggregate: str, names: Iterable[str]) -> str:
    """A column for each attribute, a row for each event or object."""
    source = {"event": "ocel_event_values", "object": "ocel_known"}[key]
    parts = "".join(f", {aggregate} FILTER (name = {quoted(n)}) AS {letter}{i}" for i, n in enumerate(names))
    return f"SELECT {key}{parts} FROM {source} GROUP BY {key}"


def _at_event(number: int, name: str) -> str:
    return (
        f"ASOF LEFT JOIN (SELECT object, since, arg_max(value, place) AS value FROM ocel_known "
        f"WHERE name = {quoted(name)} GROUP BY object, since) h{number} "
        f"ON h{number}.object = p.object AND p.at >= h{number}.since"
    )


def _free(name: str, prefix: str, taken: Iterable[str]) -> str:
    """A column's name that no other has; `case:` stays free for the attributes of objects."""
    if prefix != CASE_PREFIX and name.startswith(CASE_PREFIX):
        name = prefix + name
    while name in taken:
        name = (
            f"{prefix}{name}" if prefix != CASE_PREFIX else f"{CASE_PREFIX}object:{name[len(CASE_PREFIX) :]}"
        )
    return name

"""Columns beside the events' own: which of them describe the case, and what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from eventlogs.readers.staging import Staged
from eventlogs.report import number
from eventlogs.taking.columns import CASE_PREFIX
from eventlogs.taking.decimals import find_sign, plain_number
from eventlogs.taking.parsing import TakeOptions, attribute_columns
from eventlogs.taking.time_shapes import FIRST_US, LAST_US
from eventlogs.taking.timestamps import detect_formats, find_zone_of, instant

_AS_IT_IS = ("text", "NULL", "NULL", "value")
"""What a column holds; SQL from `value` to `wall` and `is_local` (of times), from these to what is kept."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The file's columns of attributes."""

    of_case: tuple[str, ...]
    """One value within every case, known from its first event; or so named, or so mapped."""
    of_event: tuple[str, ...]
    empty: tuple[str, ...]
    """Without any value; left out."""
    varying: tuple[str, ...]
    """Of the case by name or map, but with more than one value in some case: the first row's counts."""

    def notes(self) -> tuple[str, ...]:
        """For the report."""
        said = []
        if self.varying:
            names = ", ".join(map(repr, self.varying))
            said.append(f"Columns of cases that change within a case count with its first value: {names}.")
        if self.empty:
            said.append(f"Columns without any value were left out: {', '.join(map(repr, self.empty))}.")
        return tuple(said)


def sort_attributes(con: DuckDBPyConnection, staged: Staged, options: TakeOptions) -> Attributes:
    """Tell the attributes of cases from those of events by `parsed`'s good rows."""
    mapping = options.mapping
    roles = tuple(dict.fromkeys(mapping.of_case.values()))
    others = attribute_columns(staged, mapping)
    if not others:
        return Attributes((), (), (), ())
    columns = [staged.column(name) for name in others]
    tests = ", ".join(
        f"sum(n{c}) > 0, bool_and(lo{c} IS NOT DISTINCT FROM hi{c}), "
        f"bool_and(at{c} IS NOT DISTINCT FROM first_us)"
        for c in columns
    )
    parts = ", ".join(
        f"min({c}) AS lo{c}, max({c}) AS hi{c}, count({c}) AS n{c}, "
        f"CASE WHEN count({c}) IN (0, count(*)) THEN min(start_us) "
        f"ELSE min(start_us) FILTER ({c} IS NOT NULL) END AS at{c}"
        for c in columns
    )
    flags = con.execute(
        f"SELECT {tests} FROM (SELECT min(start_us) AS first_us, {parts} FROM parsed WHERE reason IS NULL "
        "GROUP BY case_id)"
    ).fetchall()[0]
    filled, constant, early = (
        {name for name, flag in zip(others, flags[i::3], strict=True) if flag} for i in range(3)
    )
    named = {name for name in others if name in roles or name.startswith(CASE_PREFIX)}
    of_case = tuple(n for n in others if n in filled and (n in named or (n in constant and n in early)))
    return Attributes(
        of_case,
        tuple(n for n in others if n in filled and n not in of_case),
        tuple(n for n in others if n not in filled),
        tuple(n for n in of_case if n in named and n not in constant),
    )


def keep_case_attributes(
    con: DuckDBPyConnection, staged: Staged, upload: int, attributes: Attributes, options: TakeOptions
) -> tuple[str, ...]:
    """Keep the first value of each case, dates and amounts in one form; what to say of those unreadable."""
    readings = _readings(con, staged, options)
    notes = []
    for name in attributes.of_case:
        column = staged.column(name)
        what, wall, is_local, kept = readings.get(name, _AS_IT_IS)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE firsts AS SELECT *, {kept} AS kept FROM (SELECT *, "
            f"{wall} AS wall, {is_local} AS is_local FROM (SELECT case_id, arg_min({column}, row) AS value "
            f"FROM parsed WHERE reason IS NULL AND {column} <> '' GROUP BY case_id))"
        )
        con.execute(
            "INSERT INTO case_attributes SELECT ?, case_id, ?, kept FROM firsts WHERE kept IS NOT NULL "
            "ORDER BY case_id",
            [upload, name],
        )
        if name in readings:
            lost, example = con.execute(
                "SELECT count(*), min(value) FROM firsts WHERE kept IS NULL"
            ).fetchall()[0]
            if lost:
                have, they = ("has", "it was") if lost == 1 else ("have", "they were")
                notes.append(
                    f"{number(lost, 'case')} {have} no {what} in column {name!r} that can be read, such as "
                    f"{example!r}: {they} kept without one."
                )
    con.execute("DROP TABLE IF EXISTS temp.firsts")
    return tuple(notes)


def _readings(
    con: DuckDBPyConnection, staged: Staged, options: TakeOptions
) -> dict[str, tuple[str, str, str, str]]:
    """For columns of due dates and amounts: what they hold, and SQL as in _AS_IT_IS."""
    found: dict[str, tuple[str, str, str, str]] = {}
    roles = options.mapping.of_case
    if due := roles.get("due"):
        column = staged.column(due)
        given = options.time_format if options.time_format in ("dmy", "mdy") else None
        formats = detect_formats(con, "parsed", {column: due}, staged.source, given)
        zone = find_zone_of(con, "parsed", formats, options.tz or "UTC")
        us = instant("wall", "is_local", zone)
        iso = f"replace(strftime(make_timestamp({us}), '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000', '')"
        believed = f"CASE WHEN {us} >= {FIRST_US} AND {us} < {LAST_US} THEN {iso} END"
        found[due] = ("date", formats[column].wall("value"), formats[column].is_local("value"), believed)
    if value := roles.get("value"):
        given = "." if value in staged.numeric else options.decimal
        sign = find_sign(con, "parsed", staged.column(value), value, staged.source, given)
        found[value] = ("number", "NULL", "NULL", plain_number("value", sign))
    return found

"""Staged text read as cases, activities and instants, with the reason where a row can't be."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from duckdb import DuckDBPyConnection

from eventlogs.readers.staging import Staged
from eventlogs.report import number
from eventlogs.sql import quoted
from eventlogs.taking.columns import ColumnMapping
from eventlogs.taking.lifecycle import COMPLETES
from eventlogs.taking.time_shapes import FIRST_US, LAST_US
from eventlogs.taking.timestamps import TimeFormat, detect_formats, find_zone_of, instant
from eventlogs.taking.zones import Zone, find_zone, width
from metagraph.errors import DataError

BadRows = Literal["refuse", "quarantine"]

BACKWARDS = "end before start"


@dataclass(frozen=True, slots=True)
class TakeOptions:
    """How a staged log is to be read."""

    mapping: ColumnMapping
    confidence: Mapping[str, float]
    time_format: str | None = None
    tz: str | None = None
    """The zone of stamps without one; None is UTC, for want of a better one."""
    on_bad_rows: BadRows = "refuse"
    decimal: str | None = None
    """The decimal sign of amounts; None where the column tells."""
    object_type: str | None = None
    """Of an object-centric log: the type whose objects are the cases."""

    def to_json(self) -> str:
        """What makes two imports of the same content the same import."""
        options = dataclasses.asdict(self)
        del options["confidence"]
        return json.dumps(options, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, confidence: Mapping[str, float]) -> TakeOptions:
        """The inverse of `to_json`."""
        options = json.loads(text)
        mapping = ColumnMapping(**options.pop("mapping"))
        return cls(mapping=mapping, confidence=confidence, **options)


def time_formats(con: DuckDBPyConnection, staged: Staged, options: TakeOptions) -> dict[str, TimeFormat]:
    """Format of each time column, by its name in `staging`. Raises as `detect_formats` and `find_zone` do."""
    find_zone(options.tz or "UTC")
    times = {staged.column(name): name for name in options.mapping.times()}
    case = staged.column(options.mapping.case)
    return detect_formats(con, "staging", times, staged.source, options.time_format, case)


def uses_lifecycle(con: DuckDBPyConnection, staged: Staged, mapping: ColumnMapping) -> bool:
    """Events are to be paired when there is one time column and some transition says `complete`."""
    if not mapping.lifecycle or (mapping.start and mapping.end):
        return False
    column = staged.column(mapping.lifecycle)
    found = con.execute(
        f"SELECT count(*) FROM (FROM staging WHERE lower(trim({column})) IN {COMPLETES} LIMIT 1)"
    ).fetchall()
    return bool(found[0][0])


def parse(
    con: DuckDBPyConnection,
    staged: Staged,
    options: TakeOptions,
    formats: Mapping[str, TimeFormat],
    lifecycle: bool,
) -> None:
    """Make temp table `parsed` of what the rows mean, with a `reason` where one can't be used.

    Beside the columns named here it has those of `staging` that hold attributes. `moved` is -1 where the
    start, and 1 where the end was placed as `_kept_in_order` says.
    """
    mapping = options.mapping
    zone = find_zone_of(con, "staging", formats, options.tz or "UTC")

    def text(name: str | None) -> str:
        return f"nullif({staged.column(name)}, '')" if name else "NULL::VARCHAR"

    start, end = _start_and_end(mapping)
    kept = ", ".join(["row", *map(staged.column, attribute_columns(staged, mapping))])
    transition = f"lower(trim({text(mapping.lifecycle)}))" if lifecycle else "NULL::VARCHAR"
    written = {"s": staged.column(start), "e": staged.column(end)}
    walls = ", ".join(
        f"{column} AS {x}_text, {formats[column].wall(column)} AS {x}_wall, "
        f"{formats[column].is_local(column) if zone else 'false'} AS {x}_local"
        for x, column in written.items()
    )
    times = ", ".join(f"{instant(f'{x}_wall', f'{x}_local', zone)} AS {x}" for x in written)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE parsed AS
        WITH walls AS (
            SELECT {kept}, {text(mapping.case)} AS case_id, {text(mapping.activity)} AS activity,
                {text(mapping.resource)} AS resource, {text(mapping.instance)} AS instance,
                {transition} AS transition, {walls}
            FROM staging
        ), read AS (
            SELECT *, {times} FROM walls
        ), placed AS (
            SELECT * EXCLUDE (s_wall, s_local, e_wall, e_local) {_kept_in_order(zone)} FROM read
        )
        SELECT * EXCLUDE (s_text, s, e_text, e), s IS NULL AS unstarted, coalesce(s, e) AS start_us,
            e AS end_us, {_reason(staged, mapping, formats)} AS reason
        FROM placed
        """
    )


def _kept_in_order(zone: Zone | None) -> str:
    """SQL: where an end lies before its start, both at a change of the clocks, the other way to read one.

    The start, where clocks never showed it, as if they had gone forward; the end as the second of its two
    instants.
    """
    if zone is None:
        return ", 0::TINYINT AS moved"
    back = f"CASE WHEN e < s AND s_local THEN {width('s_wall', zone.missing)} ELSE 0 END"
    on = f"CASE WHEN e < s AND e_local THEN {width('e_wall', zone.double)} ELSE 0 END"
    return f"REPLACE (s - {back} AS s, e + {on} AS e), sign({on} - {back})::TINYINT AS moved"


def moved(con: DuckDBPyConnection) -> list[str]:
    """What to say of the times of `parsed` that were placed so that starts come before ends."""
    starts, ends = con.execute(
        "SELECT count(*) FILTER (moved < 0), count(*) FILTER (moved > 0) FROM parsed WHERE reason IS NULL"
    ).fetchall()[0]
    say = []
    if starts:
        say.append(
            f"{number(starts, 'start')} that can't exist would lie after the end: read as if the clocks had "
            "gone forward already."
        )
    if ends:
        say.append(
            f"{number(ends, 'end')} that came twice would lie before the start: the later instant was taken."
        )
    return say


def attribute_columns(staged: Staged, mapping: ColumnMapping) -> tuple[str, ...]:
    """The file's columns that don't tell events, or describe the case."""
    roles = mapping.of_case.values()
    return tuple(name for name in staged.columns if name not in mapping.used() or name in roles)


def _start_and_end(mapping: ColumnMapping) -> tuple[str, str]:
    """The columns of starts and ends, which are the same where there is one."""
    times = mapping.times()
    return times[0], times[-1]


def _faults(mapping: ColumnMapping, formats: Mapping[str, TimeFormat], staged: Staged) -> dict[str, str]:
    """The words for each way in which a row can't be used."""
    start, end = _start_and_end(mapping)
    alone = start == end
    words = {
        "case": f"no case id in column {mapping.case!r}",
        "activity": f"no activity in column {mapping.activity!r}",
        "time": f"no time in column {start!r}" if alone else f"neither start in {start!r} nor end in {end!r}",
    }
    for key, name in (("start", start), ("end", end)):
        what = "time" if alone else f"{key} time"
        expected = formats[staged.column(name)].describe()
        words[key] = f"{what} can't be read: column {name!r} should hold {expected}"
        words[f"far {key}"] = f"{what} is absurd: column {name!r} should hold years from 1900 to 2199"
    return words | {"backwards": BACKWARDS}


def _reason(staged: Staged, mapping: ColumnMapping, formats: Mapping[str, TimeFormat]) -> str:
    """SQL: why a row can't be used, or NULL; most rows are found good by a few comparisons."""
    tests = {
        "case": "case_id IS NULL OR trim(case_id) = ''",
        "activity": "activity IS NULL OR trim(activity) = ''",
        "start": "s IS NULL AND trim(s_text) <> ''",
        "end": "e IS NULL AND trim(e_text) <> ''",
        "time": "s IS NULL AND e IS NULL",
        "far start": f"s < {FIRST_US} OR s >= {LAST_US}",
        "far end": f"e < {FIRST_US} OR e >= {LAST_US}",
        "backwards": "e < s",
    }
    words = _faults(mapping, formats, staged)
    cases = " ".join(f"WHEN {test} THEN {quoted(words[key])}" for key, test in tests.items())
    good = f"case_id > '!' AND activity > '!' AND s >= {FIRST_US} AND e >= s AND e < {LAST_US}"
    return f"CASE WHEN {good} THEN NULL {cases} END"


def reasons(con: DuckDBPyConnection) -> dict[str, int]:
    """How many rows of `parsed` and `broken` can't be used, by reason."""
    return dict(
        con.execute(
            "SELECT reason, count(*) FROM (SELECT reason FROM parsed WHERE reason IS NOT NULL UNION ALL "
            "SELECT reason FROM broken) GROUP BY reason ORDER BY reason"
        ).fetchall()
    )


def judge(
    con: DuckDBPyConnection,
    staged: Staged,
    upload: int,
    options: TakeOptions,
    formats: Mapping[str, TimeFormat],
) -> dict[str, int]:
    """Quarantine bad rows, or refuse the file for the first of them; rows by reason."""
    bad = reasons(con)
    if bad and options.on_bad_rows == "refuse":
        raise _refusal(con, staged, options.mapping, formats, sum(bad.values()))
    if bad:
        con.execute(
            f"INSERT INTO quarantine SELECT ?, row, reason, {staged.json(staged.columns)} FROM (SELECT row, "
            "reason FROM parsed WHERE reason IS NOT NULL) JOIN staging USING (row) ORDER BY row",
            [upload],
        )
        con.execute(
            "INSERT INTO quarantine SELECT ?, row, reason, raw FROM broken ORDER BY row",
            [upload],
        )
    return bad


def _refusal(
    con: DuckDBPyConnection,
    staged: Staged,
    mapping: ColumnMapping,
    formats: Mapping[str, TimeFormat],
    bad: int,
) -> DataError:
    row, reason, known = con.execute(
        "SELECT row, reason, NULL FROM parsed WHERE reason IS NOT NULL "
        "UNION ALL SELECT row, reason, fault FROM broken ORDER BY row LIMIT 1"
    ).fetchall()[0]
    fault = known or _fault(con, staged, mapping, formats, row, reason)
    others = f" (the first of {bad} rows that can't be used)" if bad > 1 else ""
    return DataError(
        f"{staged.place(row)}: {fault}{others}; mend it, or set such rows aside with "
        "'import take --quarantine'"
    )


def _fault(
    con: DuckDBPyConnection,
    staged: Staged,
    mapping: ColumnMapping,
    formats: Mapping[str, TimeFormat],
    row: int,
    reason: str,
) -> str:
    """What is wrong with a row, naming the column and its value."""
    start, end = _start_and_end(mapping)

    def value(name: str) -> str:
        found = con.execute(f"SELECT {staged.column(name)} FROM staging WHERE row = ?", [row]).fetchall()
        return repr(found[0][0])

    key = next(k for k, words in _faults(mapping, formats, staged).items() if words == reason)
    name = end if key.endswith("end") else start
    expected = formats[staged.column(name)].describe()
    return {
        "case": f"column {mapping.case!r} is empty, so the event belongs to no case",
        "activity": f"column {mapping.activity!r} is empty, so it is unknown what was done",
        "time": f"no time is given in {' and '.join(sorted({repr(start), repr(end)}))}",
        "backwards": f"the end {value(end)} in {end!r} lies before the start {value(start)} in {start!r}",
        "far": f"{value(name)} in column {name!r} lies outside the years 1900 to 2199",
    }.get(
        key.split()[0],
        f"{value(name)} in column {name!r} is not a time in this column's format, {expected}",
    )

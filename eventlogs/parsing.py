"""Staged text read as cases, activities and instants, with the reason where a row can't be."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from duckdb import DuckDBPyConnection

from eventlogs.columns import ColumnMapping
from eventlogs.lifecycle import COMPLETES
from eventlogs.readers.staging import Staged
from eventlogs.timestamps import TimeFormat, detect_formats
from metagraph.errors import DataError, UsageError

BadRows = Literal["refuse", "quarantine"]

_NO_CASE = "no case id"
_NO_ACTIVITY = "no activity"
_NO_TIME = "neither start nor end"
_BAD_START = "start time can't be read"
_BAD_END = "end time can't be read"
_BACKWARDS = "end before start"


@dataclass(frozen=True, slots=True)
class TakeOptions:
    """How a staged log is to be read."""

    mapping: ColumnMapping
    confidence: Mapping[str, float]
    time_format: str | None = None
    tz: str = "UTC"
    on_bad_rows: BadRows = "refuse"

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
    """Format of each time column, by its name in `staging`. Raises as `detect_formats` does."""
    try:
        ZoneInfo(options.tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"--tz {options.tz!r} is no time zone; use an IANA name such as Europe/Paris"
        ) from None
    times = {staged.column(name): name for name in options.mapping.times()}
    return detect_formats(con, "staging", times, staged.source, options.time_format)


def uses_lifecycle(con: DuckDBPyConnection, staged: Staged, mapping: ColumnMapping) -> bool:
    """Events are to be paired when there is one time column and some transition says `complete`."""
    if not mapping.lifecycle or (mapping.start and mapping.end):
        return False
    column = staged.column(mapping.lifecycle)
    found = con.execute(f"SELECT count(*) FROM staging WHERE lower(trim({column})) IN {COMPLETES}").fetchall()
    return bool(found[0][0])


def parse(
    con: DuckDBPyConnection,
    staged: Staged,
    options: TakeOptions,
    formats: Mapping[str, TimeFormat],
    lifecycle: bool,
) -> None:
    """Make temp table `parsed` with a `reason` where a row can't be used."""
    mapping = options.mapping

    def text(name: str | None) -> str:
        return f"nullif({staged.column(name)}, '')" if name else "NULL::VARCHAR"

    def stamp(name: str | None) -> str:
        return formats[staged.column(name)].sql(staged.column(name), options.tz) if name else "NULL::BIGINT"

    start, end = mapping.start, mapping.end
    if not (start and end):
        start = end = start or end
    given_start, given_end = (f"nullif(trim({text(name)}), '')" for name in (start, end))
    con.execute("SET TimeZone = '" + options.tz + "'")
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE parsed AS
        WITH read AS (
            SELECT row, {text(mapping.case)} AS case_id, {text(mapping.activity)} AS activity,
                {text(mapping.resource)} AS resource, {text(mapping.instance)} AS instance,
                {f"lower(trim({text(mapping.lifecycle)}))" if lifecycle else "NULL::VARCHAR"} AS transition,
                {stamp(start)} AS s, {stamp(end)} AS e, {given_start} AS s_text, {given_end} AS e_text
            FROM staging
        )
        SELECT row, case_id, activity, resource, instance, transition, s IS NULL AS unstarted,
            coalesce(s, e) AS start_us, e AS end_us,
            CASE WHEN trim(coalesce(case_id, '')) = '' THEN '{_NO_CASE}'
                WHEN trim(coalesce(activity, '')) = '' THEN '{_NO_ACTIVITY}'
                WHEN s_text IS NULL AND e_text IS NULL THEN '{_NO_TIME}'
                WHEN s IS NULL AND s_text IS NOT NULL THEN '{_BAD_START.replace("'", "''")}'
                WHEN e IS NULL AND e_text IS NOT NULL THEN '{_BAD_END.replace("'", "''")}'
                WHEN e < s THEN '{_BACKWARDS}' END AS reason
        FROM read
        """
    )
    con.execute("SET TimeZone = 'UTC'")


def reasons(con: DuckDBPyConnection) -> dict[str, int]:
    """How many rows of `parsed` and `broken` can't be used, by reason."""
    return dict(
        con.execute(
            "SELECT reason, count(*) FROM (SELECT reason FROM parsed WHERE reason IS NOT NULL "
            "UNION ALL SELECT reason FROM broken) GROUP BY reason ORDER BY reason"
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
            f"INSERT INTO quarantine SELECT ?, row, reason, {staged.json(staged.columns)} "
            "FROM parsed JOIN staging USING (row) WHERE reason IS NOT NULL ORDER BY row",
            [upload],
        )
    if staged.broken:
        con.execute(
            "INSERT INTO quarantine (upload_id, row, reason, raw) SELECT ?, row, reason, raw FROM broken "
            "ORDER BY row",
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
    row, reason, broken = con.execute(
        "SELECT row, reason, NULL FROM parsed WHERE reason IS NOT NULL "
        "UNION ALL SELECT row, reason, fault FROM broken ORDER BY row LIMIT 1"
    ).fetchall()[0]
    if broken:
        return _at(staged, row, broken, bad)
    start, end = mapping.start or mapping.end or "", mapping.end or mapping.start or ""

    def value(name: str) -> str:
        found = con.execute(f"SELECT {staged.column(name)} FROM staging WHERE row = ?", [row]).fetchall()
        return repr(found[0][0])

    if reason == _NO_CASE:
        fault = f"column {mapping.case!r} is empty, so the event belongs to no case"
    elif reason == _NO_ACTIVITY:
        fault = f"column {mapping.activity!r} is empty, so it is unknown what was done"
    elif reason == _NO_TIME:
        columns = " and ".join(sorted({repr(start), repr(end)}))
        fault = f"no time is given in {columns}"
    elif reason == _BACKWARDS:
        fault = f"the end {value(end)} in {end!r} lies before the start {value(start)} in {start!r}"
    else:
        name = start if reason == _BAD_START else end
        expected = formats[staged.column(name)].describe()
        fault = f"{value(name)} in column {name!r} is not a time in this column's format, {expected}"
    return _at(staged, row, fault, bad)


def _at(staged: Staged, row: int, fault: str, bad: int) -> DataError:
    others = f" ({bad} such rows in all)" if bad > 1 else ""
    return DataError(
        f"{staged.place(row)}: {fault}{others}; mend it, or set such rows aside with --quarantine"
    )

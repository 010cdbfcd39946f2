"""A first look at a file, so that a person can confirm how it will be read before it is taken in."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from eventlogs.instants import from_us
from eventlogs.keeping.memory import limit_memory
from eventlogs.readers.ocel_reader import ObjectTypeError
from eventlogs.readers.read import read
from eventlogs.readers.staging import Staged
from eventlogs.report import ImportReport
from eventlogs.taking.columns import MAP_KEYS, CandidateMapping, guess_mapping, settle_mapping
from eventlogs.taking.decimals import find_sign
from eventlogs.taking.exchanged import ExchangedError, refuse_exchanged
from eventlogs.taking.importing import account, clocks
from eventlogs.taking.looked import ColumnLook, Look, Problem, ReadRow, TimeLook
from eventlogs.taking.parsing import TakeOptions, parse, reasons, time_formats, uses_lifecycle
from eventlogs.taking.timestamps import TimeFormat
from metagraph.errors import DataError

EXAMPLES = 3
PLACES = 5
COLUMN = "COLUMN"
"""Stands in a command for a column that only the user knows."""
SUGGESTED = 0.5
NEEDED = ("case", "activity", "start", "end")
"""Roles that a command names even where they are only suggested: to type it is to confirm them."""
_FIRST_ROWS = 1000
"""Where examples are looked for."""
_BARE_DATE = r"^(\d{1,4}[-./ ]+(\d{1,2}|\pL+)[-./ ,]+\d{1,4}|\pL+[-./ ]+\d{1,2}[-./ ,]+\d{2,4})\.?$"


@dataclass(frozen=True, slots=True)
class LookOptions:
    """What the user has said of a file so far; the fields are those of `Historian.import_log`."""

    mapping: Mapping[str, str] | None = None
    time_format: str | None = None
    tz: str | None = None
    decimal: str | None = None
    object_type: str | None = None


_NOTHING_SAID = LookOptions()


def look(path: Path, options: LookOptions = _NOTHING_SAID, sample: int = 10) -> Look:
    """Read a file without keeping it.

    Raises DataError when the file can't be opened as a table of events at all, UsageError for options that
    can be meant for no file.
    """
    with duckdb.connect() as con:
        limit_memory(con, in_memory=True)
        con.execute("SET TimeZone = 'UTC'")
        try:
            staged = read(con, path, options.object_type)
        except ObjectTypeError as error:
            return _of_objects(path, error)
        columns, raw = _columns(con, staged, sample)
        candidate = guess_mapping(staged.columns, options.mapping)
        seen = _Seen()
        try:
            seen.read_on(con, staged, options, sample)
        except DataError as error:
            seen.to_settle, seen.exchanged = str(error), isinstance(error, ExchangedError)
        zoneless = sum(time.zoneless for time in seen.times)
        return Look(
            source=staged.source,
            encoding=staged.encoding,
            delimiter=staged.delimiter,
            member=staged.member,
            object_types=dict(staged.object_types),
            rows=staged.rows,
            columns=columns,
            candidate=candidate,
            raw=raw,
            read=seen.rows,
            times=seen.times,
            tz=options.tz or "UTC",
            tz_assumed=bool(zoneless) and options.tz is None,
            decimal=_decimal(con, staged, candidate, options),
            problems=seen.problems,
            to_settle=seen.to_settle,
            notes=(*staged.notes, *seen.notes),
            command=_command(staged, candidate, options, seen),
            suggested={
                role: name for role, name in candidate.columns.items() if not _is_typed(candidate, role)
            },
            dates=seen.dates,
            foreseen=seen.foreseen,
        )


def _of_objects(path: Path, error: ObjectTypeError) -> Look:
    """All that can be said before the objects are chosen that are the cases."""
    words = ["tracetwin", "import", "look", str(path), "--object-type", "TYPE"]
    nothing = CandidateMapping({}, {})
    return Look(
        *(str(path), None, None, None, error.counts, 0, (), nothing, (), (), (), "UTC", False, None, ()),
        *(str(error), (), shlex.join(words)),
    )


@dataclass(slots=True)
class _Seen:
    """What the file's rows mean, as far as they could be read."""

    times: tuple[TimeLook, ...] = ()
    rows: tuple[ReadRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    foreseen: ImportReport | None = None
    to_settle: str | None = None
    exchanged: bool = False
    """Starts and ends seem to be in each other's columns."""

    def read_on(self, con: DuckDBPyConnection, staged: Staged, options: LookOptions, sample: int) -> None:
        """Read step by step, keeping what was found. Raises DataError where something is to be settled."""
        mapping, confidence = settle_mapping(staged.source, staged.columns, options.mapping)
        taking = TakeOptions(mapping, confidence, options.time_format, options.tz, decimal=options.decimal)
        formats = time_formats(con, staged, taking)
        read_by = {name: formats[staged.column(name)] for name in mapping.times()}
        self.times = tuple(
            TimeLook(name, kind.readings(), kind.zoneless, kind.zoned) for name, kind in read_by.items()
        )
        self.dates = _dates(con, read_by, staged)
        changes = clocks(con, staged, taking, formats)
        self.notes = tuple(changes[2])
        if (value := mapping.of_case.get("value")) and value not in staged.numeric:
            find_sign(con, "staging", staged.column(value), value, staged.source, options.decimal)
        lifecycle = uses_lifecycle(con, staged, mapping)
        parse(con, staged, taking, formats, lifecycle)
        refuse_exchanged(con, staged, mapping)
        self.problems = _problems(con, staged)
        found = account(con, staged, "", taking, formats, changes, lifecycle, reasons(con))
        self.foreseen = found.report
        self.rows = _sample(con, staged, found.executions, sample)


def _columns(
    con: DuckDBPyConnection, staged: Staged, sample: int
) -> tuple[tuple[ColumnLook, ...], tuple[tuple[str | None, ...], ...]]:
    """Every column with examples, and the first rows as they stand."""
    names = [staged.column(name) for name in staged.columns]
    first = con.execute(
        f"SELECT {', '.join(names)} FROM staging WHERE row <= {_FIRST_ROWS} ORDER BY row"
    ).fetchall()
    filled = con.execute(f"SELECT {', '.join(f'count({name})' for name in names)} FROM staging").fetchall()[0]
    columns = []
    for i, name in enumerate(staged.columns):
        values = list(dict.fromkeys(row[i] for row in first if row[i]))
        columns.append(ColumnLook(name, filled[i] / staged.rows, tuple(values[:EXAMPLES])))
    return tuple(columns), tuple(first[:sample])


def _sample(con: DuckDBPyConnection, staged: Staged, executions: str, sample: int) -> tuple[ReadRow, ...]:
    columns = "case_id, activity, resource, transition, start_us, end_us"
    found = con.execute(
        f"SELECT coalesce(start_row, row) AS place, {columns}, NULL AS reason, paused_us FROM {executions} "
        f"UNION ALL SELECT row, {columns}, reason, 0 FROM parsed WHERE reason IS NOT NULL "
        "UNION ALL SELECT row, NULL, NULL, NULL, NULL, NULL, NULL, fault, 0 FROM broken "
        f"ORDER BY place LIMIT {sample:d}"
    ).fetchall()
    return tuple(
        ReadRow(
            *(_place(staged, row), case, activity, resource, transition),
            *(_instant(start), _instant(end), why, paused_us / 1e6),
        )
        for row, case, activity, resource, transition, start, end, why, paused_us in found
    )


def _problems(con: DuckDBPyConnection, staged: Staged) -> tuple[Problem, ...]:
    found = con.execute(
        f"SELECT reason, count(*), min(row, {PLACES}) FROM (SELECT reason, row FROM parsed WHERE reason IS "
        "NOT NULL UNION ALL SELECT reason, row FROM broken) GROUP BY reason ORDER BY count(*) DESC, reason"
    ).fetchall()
    return tuple(Problem(reason, n, tuple(_place(staged, row) for row in rows)) for reason, n, rows in found)


def _place(staged: Staged, row: int) -> str:
    """Where a row stands, without the file's name."""
    return staged.place(row).removeprefix(f"{staged.source}, ")


def _dates(con: DuckDBPyConnection, read_by: Mapping[str, TimeFormat], staged: Staged) -> tuple[str, ...]:
    """What to say of columns with dates that name no time of day."""
    said = []
    for name, kind in read_by.items():
        column = staged.column(name)
        bare = f"regexp_matches(trim({column}), '{_BARE_DATE}', 'i') AND {kind.wall(column)} IS NOT NULL"
        n, example = con.execute(f"SELECT count(*), min({column}) FROM staging WHERE {bare}").fetchall()[0]
        if n:
            verb = "names" if n == 1 else "name"
            said.append(
                f"{n:,} of the times in {name!r} {verb} no time of day, such as {example!r}: read as 00:00."
            )
    return tuple(said)


def _decimal(
    con: DuckDBPyConnection, staged: Staged, candidate: CandidateMapping, options: LookOptions
) -> str | None:
    name = candidate.columns.get("value")
    if name not in staged.columns or name in staged.numeric:
        return None
    try:
        return find_sign(con, "staging", staged.column(name), name, staged.source, options.decimal)
    except DataError:
        return None


def _is_typed(candidate: CandidateMapping, role: str) -> bool:
    return candidate.confidence[role] > SUGGESTED or role in NEEDED


def _command(staged: Staged, candidate: CandidateMapping, options: LookOptions, seen: _Seen) -> str:
    """What to type to take the file as it was looked at."""
    said = dict(options.mapping or {})
    roles = {role: name for role, name in candidate.columns.items() if _is_typed(candidate, role)}
    roles |= dict.fromkeys(candidate.missing(), COLUMN)
    roles |= {role: "" for role, name in said.items() if not name}
    if "timestamp" in said:  # There is no start then, and none is looked for.
        roles["timestamp"] = roles.pop("end")
    if seen.exchanged:
        roles["start"], roles["end"] = roles["end"], roles["start"]
    words = ["tracetwin", "import", "take", staged.source]
    words += ["--map", ",".join(f"{role}={roles[role]}" for role in MAP_KEYS if role in roles)]
    asked = seen.to_settle or ""
    if options.time_format or "--time-format" in asked:
        words += ["--time-format", options.time_format or "FORMAT"]
    if options.tz:
        words += ["--tz", options.tz]
    if staged.object_type:
        words += ["--object-type", staged.object_type]
    if options.decimal or "--decimal" in asked:
        words += ["--decimal", options.decimal or "SIGN"]
    return shlex.join(words + ["--quarantine"] * bool(seen.problems))


def _instant(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)

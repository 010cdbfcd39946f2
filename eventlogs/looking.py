"""A first look at a file, so that a person can confirm how it will be read before it is taken in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from eventlogs.columns import CandidateMapping, guess_mapping, settle_mapping
from eventlogs.instants import from_us
from eventlogs.keeping.memory import limit_memory
from eventlogs.parsing import TakeOptions, parse, reasons, time_formats, uses_lifecycle
from eventlogs.readers.read import read
from metagraph.errors import TwinError


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row as it would be read; None where there is nothing or it can't be used."""

    case: str | None
    activity: str | None
    resource: str | None
    transition: str | None
    start: datetime | None
    end: datetime | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """What a file holds and how it would be taken."""

    columns: tuple[str, ...]
    rows: int
    candidate: CandidateMapping
    raw: tuple[tuple[str | None, ...], ...]
    """The first rows as they stand in the file."""
    read: tuple[ReadRow, ...]
    """The same rows as they would be read; empty while something is to be settled first."""
    time_formats: Mapping[str, str]
    """Time column -> how its text is read."""
    bad_rows: Mapping[str, int]
    """Reason -> rows that can't be used."""
    to_settle: str | None
    """The sentence of the fault that stops the file from being read at all."""
    notes: tuple[str, ...]


def look(
    path: Path,
    mapping: Mapping[str, str] | None = None,
    time_format: str | None = None,
    tz: str | None = None,
    sample: int = 10,
) -> Look:
    """Read a file without keeping it; the arguments are those of `Historian.import_log`.

    Raises DataError when the file can't be opened as a table of events at all.
    """
    with duckdb.connect() as con:
        limit_memory(con, in_memory=True)
        con.execute("SET TimeZone = 'UTC'")
        staged = read(con, path)
        names = ", ".join(staged.column(name) for name in staged.columns)
        raw = con.execute(f"SELECT {names} FROM staging WHERE row <= ? ORDER BY row", [sample]).fetchall()
        rows: tuple[ReadRow, ...] = ()
        formats: dict[str, str] = {}
        bad: dict[str, int] = {}
        problem = None
        try:
            settled, confidence = settle_mapping(staged.source, staged.columns, mapping)
            options = TakeOptions(settled, confidence, time_format, tz)
            kinds = time_formats(con, staged, options)
            formats = {name: kinds[staged.column(name)].describe() for name in settled.times()}
            parse(con, staged, options, kinds, uses_lifecycle(con, staged, settled))
            rows = _sample(con, sample)
            bad = reasons(con)
        except TwinError as error:
            problem = str(error)
        candidate = guess_mapping(staged.columns, mapping)
    return Look(
        *(staged.columns, staged.rows, candidate, tuple(raw), rows, formats, bad, problem, staged.notes)
    )


def _sample(con: duckdb.DuckDBPyConnection, sample: int) -> tuple[ReadRow, ...]:
    found = con.execute(
        "SELECT case_id, activity, resource, transition, start_us, end_us, reason FROM parsed "
        "WHERE row <= ? ORDER BY row",
        [sample],
    ).fetchall()
    return tuple(
        ReadRow(case, activity, resource, transition, _instant(start), _instant(end), problem)
        for case, activity, resource, transition, start, end, problem in found
    )


def _instant(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)

"""How each column of times is written, found by the evidence of the whole file, and read in SQL.

Values in ISO 8601 are cast as they stand; only the others are told apart by their shapes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from duckdb import DuckDBPyConnection

from eventlogs.report import YEAR_FIRST, TimeReading
from eventlogs.sql import quoted
from eventlogs.taking.time_evidence import Dates, day_or_month
from eventlogs.taking.time_shapes import (
    EPOCHS_US,
    FIRST_US,
    ISO,
    LAST_US,
    NUMBER,
    ORDERS,
    SPREADSHEET,
    TWO_DIGIT_YEAR,
    WORDS,
    is_zoned,
    kind_of,
    us_of,
    us_of_iso,
    zoned,
)
from eventlogs.taking.zones import Zone, within, zone_between
from metagraph.errors import DataError, UsageError

_MOST_SHAPES = 5_000
_GIVEN = "given with --time-format"


@dataclass(frozen=True, slots=True)
class Writing:
    """One way in which values of a column are written."""

    kind: str
    """As from `time_shapes.kind_of`; "iso" for texts that are cast as they stand; "pattern"."""
    order: str
    """A key of WORDS, or a strptime pattern."""
    local: tuple[str, ...]
    """Shapes of values without a zone of their own."""
    zoned: tuple[str, ...]
    rows: int
    zoneless: int
    example: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a column's text is read."""

    writings: tuple[Writing, ...]
    """Most values first."""
    filled: int
    """Values that are not blank."""

    @property
    def zoneless(self) -> int:
        """Values without a zone of their own."""
        return sum(writing.zoneless for writing in self.writings)

    @property
    def zoned(self) -> int:
        """Values that say their time zone."""
        return sum(w.rows - w.zoneless for w in self.writings if w.order not in (*EPOCHS_US, "excel"))

    def describe(self) -> str:
        return " or ".join(dict.fromkeys(WORDS.get(w.order, w.order) for w in self.writings)) or "any time"

    def readings(self) -> tuple[TimeReading, ...]:
        """For the report: one for each order, most values first."""
        by_order: dict[str, TimeReading] = {}
        for w in self.writings:
            known = by_order.get(w.order)
            by_order[w.order] = (
                replace(known, rows=known.rows + w.rows)
                if known
                else TimeReading(WORDS.get(w.order, w.order), w.rows, w.decided_by, w.example)
            )
        return tuple(by_order.values())

    def wall(self, column: str) -> str:
        """SQL: microseconds since 1970, as if values without a zone were UTC; NULL for other texts."""
        if not self.writings:
            return "NULL::BIGINT"
        if self._is_plain():
            return us_of_iso(column)
        text, shape = f"upper(trim({column}))", _shape(column)
        cases = [
            f"WHEN {_test(w, column, shape, (*w.local, *w.zoned))} THEN {_value(w, column, text)}"
            for w in self.writings
        ]
        return f"CASE {' '.join(cases)} END"

    def is_local(self, column: str) -> str:
        """SQL: whether a value has no zone of its own."""
        if self._is_plain():
            return f"(NOT {zoned(column)})"
        shape = _shape(column)
        tests = [
            f"({_test(w, column, shape, w.local)})" + (f" AND NOT {zoned(column)}" if w.kind == "iso" else "")
            for w in self.writings
            if w.zoneless
        ]
        return f"({' OR '.join(tests) or 'false'})"

    def _is_plain(self) -> bool:
        return (
            len(self.writings) == 1
            and self.writings[0].kind == "iso"
            and self.writings[0].rows == self.filled
        )


def detect_formats(
    con: DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    source: str,
    given: str | None = None,
    case: str | None = None,
) -> dict[str, TimeFormat]:
    """The format of each time column (`columns`: column of `table` -> the name its user knows, start first).

    `given` is a key of ORDERS or a strptime pattern; `case` the column of case ids, as evidence. Raises
    DataError where a column's order can't be known, UsageError for a `given` that is neither.
    """
    if given and given not in ORDERS and "%" not in given:
        raise UsageError(
            f"--time-format {given!r} is neither one of {', '.join(ORDERS)} nor a pattern with %"
        )
    dates = Dates(table, tuple(columns), tuple(columns.values()), case, source)
    formats: dict[str, TimeFormat] = {}
    for column in columns:
        filled, writings = _writings(con, dates, column, given)
        if filled and not writings:
            raise _unknown(con, dates, column, given)
        formats[column] = TimeFormat(tuple(sorted(writings, key=lambda w: (-w.rows, w.order))), filled)
    return formats


def find_zone_of(
    con: DuckDBPyConnection, table: str, formats: Mapping[str, TimeFormat], tz: str
) -> Zone | None:
    """The zone around the local times of these columns; None when it doesn't matter."""
    walls = [kind.wall(column) for column, kind in formats.items() if kind.zoneless]
    if tz == "UTC" or not walls:
        return None
    values = " UNION ALL ".join(f"SELECT {wall} AS us FROM {table}" for wall in walls)
    first, last = con.execute(
        f"SELECT min(us), max(us) FROM ({values}) WHERE us >= {FIRST_US} AND us < {LAST_US}"
    ).fetchall()[0]
    return None if first is None else zone_between(tz, first, last)


def instant(wall: str, is_local: str, zone: Zone | None) -> str:
    """SQL: the instant of what `TimeFormat.wall` and `is_local` gave, which must be columns by now."""
    return wall if zone is None else f"CASE WHEN {is_local} THEN {zone.instant(wall)} ELSE {wall} END"


@dataclass(frozen=True, slots=True)
class ClockChanges:
    """Local times of one column that clocks never showed, or showed twice."""

    missing: int
    missing_example: str | None
    double: int
    double_example: str | None


def clock_changes(
    con: DuckDBPyConnection, table: str, column: str, kind: TimeFormat, zone: Zone
) -> ClockChanges:
    """Count the values of a column that lie where the zone's clocks changed."""
    if not (kind.zoneless and (zone.missing or zone.double)):
        return ClockChanges(0, None, 0, None)
    found = con.execute(
        f"SELECT count(*) FILTER (gap), min(text) FILTER (gap), count(*) FILTER (twice), "
        f"min(text) FILTER (twice) FROM (SELECT text, {within('wall', zone.missing)} AS gap, "
        f"{within('wall', zone.double)} AS twice FROM (SELECT trim({column}) AS text, {kind.wall(column)} AS "
        f"wall FROM {table} WHERE {kind.is_local(column)}))"
    ).fetchall()[0]
    return ClockChanges(*found)


def _writings(
    con: DuckDBPyConnection, dates: Dates, column: str, given: str | None
) -> tuple[int, list[Writing]]:
    """How many values of the column are not blank, and how they are written."""
    iso = f"regexp_full_match({column}, '{ISO}')" if given in (None, "ymd", "dmy", "mdy") else "false"
    filled, n_iso, local, example = con.execute(
        f"SELECT count(*), count(*) FILTER (iso), count(*) FILTER (iso AND NOT zoned), any_value(v) FILTER "
        f"(iso) FROM (SELECT {column} AS v, {iso} AS iso, {zoned(column)} AS zoned FROM {dates.table} "
        f"WHERE {column} <> '')"
    ).fetchall()[0]
    found = []
    if n_iso:
        found.append(Writing("iso", "ymd", (), (), n_iso, local, example, YEAR_FIRST))
    if filled == n_iso:
        return filled, found
    rest = con.execute(
        f"SELECT shape, count(*), min(text) FROM (SELECT {_shape(column)} AS shape, trim({column}) AS text "
        f"FROM {dates.table} WHERE {column} <> '' AND NOT {iso}) WHERE text <> '' GROUP BY shape "
        f"ORDER BY count(*) DESC, shape LIMIT {_MOST_SHAPES}"
    ).fetchall()
    filled = n_iso + sum(n for _, n, _ in rest)
    return filled, found + _others(con, dates, column, given, rest, bool(n_iso))


def _others(
    con: DuckDBPyConnection,
    dates: Dates,
    column: str,
    given: str | None,
    rest: Sequence[tuple[str, int, str]],
    has_iso: bool,
) -> list[Writing]:
    """The writings of values that can't be cast as they stand: (shape, values, example)."""
    if given and given not in ORDERS:
        n = sum(count for _, count, _ in rest)
        with_zone = "%z" in given.lower()
        return [Writing("pattern", given, (), (), n, 0 if with_zone else n, rest[0][2], _GIVEN)] if n else []
    if given in EPOCHS_US or given == "excel":
        numbers = [row for row in rest if re.fullmatch(NUMBER, row[0].replace(",", "."))]
        return [_written(given, given, numbers, _GIVEN)] if given and numbers else []
    kinds: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for row in rest:
        if kind := kind_of(row[0]):
            kinds[kind].append(row)
    if given == "ymd":
        kinds = {kind: rows for kind, rows in kinds.items() if kind in ("ymd", "compact")}
    elif has_iso or kinds.keys() - EPOCHS_US.keys():
        # A number among dates is no time: it would be a guess.
        kinds = {kind: rows for kind, rows in kinds.items() if kind not in EPOCHS_US}
    found = []
    for kind, rows in kinds.items():
        if kind.startswith("last"):
            order, why = (given, _GIVEN) if given else day_or_month(con, dates, column, kind[-1])
        else:
            order, why = kind, _GIVEN if given else _reason(kind)
        found.append(_written(kind, order, rows, why))
    return found


def _reason(kind: str) -> str:
    if kind in EPOCHS_US:
        return "the number of digits"
    return {"ymd": YEAR_FIRST, "compact": YEAR_FIRST}.get(kind, "the month is named")


def _written(kind: str, order: str, rows: Iterable[tuple[str, int, str]], why: str) -> Writing:
    rows = list(rows)
    timeless = order in EPOCHS_US
    local = tuple(shape for shape, _, _ in rows if not timeless and not is_zoned(shape))
    own = tuple(shape for shape, _, _ in rows if shape not in local)
    zoneless = sum(n for shape, n, _ in rows if shape in local)
    return Writing(kind, order, local, own, sum(n for _, n, _ in rows), zoneless, rows[0][2], why)


def _unknown(con: DuckDBPyConnection, dates: Dates, column: str, given: str | None) -> DataError:
    name = dates.names[dates.columns.index(column)]
    row, value, shape = con.execute(
        f"SELECT row, {column}, {_shape(column)} FROM {dates.table} WHERE trim({column}) <> '' ORDER BY row "
        "LIMIT 1"
    ).fetchall()[0]
    start = f"{dates.source}: column {name!r}"
    if given:
        return DataError(
            f"{start} holds no time as --time-format {given} says (row {row} has {value!r}); give another "
            f"--time-format, or another column with --map"
        )
    if re.fullmatch(TWO_DIGIT_YEAR, shape):
        return DataError(
            f"{start} has years of two digits (row {row} has {value!r}), of which neither century nor order "
            f"are known; give their pattern, such as --time-format '%d.%m.%y %H:%M'"
        )
    if re.fullmatch(SPREADSHEET, shape):
        return DataError(
            f"{start} holds numbers (row {row} has {value!r}); if they are the days of a spreadsheet, say "
            f"--time-format excel"
        )
    return DataError(
        f"{start} holds no time this program knows (row {row} has {value!r}); give its pattern, such as "
        f"--time-format '%d-%b-%y %H:%M', or another column with --map"
    )


def _shape(column: str) -> str:
    return f"translate(upper(trim({column})), '012345678', '999999999')"


def _test(writing: Writing, column: str, shape: str, shapes: Sequence[str]) -> str:
    if writing.kind == "iso":
        return f"regexp_full_match({column}, '{ISO}')"
    if writing.kind == "pattern":
        return f"trim({column}) <> ''"
    listed = ", ".join(map(quoted, shapes))
    return f"{shape} IN ({listed})"


def _value(writing: Writing, column: str, text: str) -> str:
    if writing.kind == "iso":
        return us_of_iso(column)
    if writing.kind == "pattern":
        return f"epoch_us(try_strptime(trim({column}), {quoted(writing.order)}))"
    return us_of(text, writing.kind, writing.order)

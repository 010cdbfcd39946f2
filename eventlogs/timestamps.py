"""One time format for each column of text, found by the evidence of the whole column.

All conversion happens in DuckDB: `TimeFormat.sql` gives the expression from text to microseconds since 1970
UTC.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from metagraph.errors import DataError, UsageError

ORDERS: Mapping[str, str] = {
    "ymd": "year first (2024-01-31 13:45:00, ISO 8601)",
    "dmy": "day first (31.01.2024 13:45)",
    "mdy": "month first (01/31/2024 13:45)",
    "s": "seconds since 1970",
    "ms": "milliseconds since 1970",
    "us": "microseconds since 1970",
}
_EPOCH_US: Mapping[str, int] = {"s": 1_000_000, "ms": 1_000, "us": 1}
_EPOCH_SHAPES = {"s": r"9{9,10}(\.9{1,6})?", "ms": "9{12,13}", "us": "9{15,16}"}
_CLOCK = r"(?:[T ]99?:99(?::99(?:[.,]9+)?)?(?: ?[AaPp]\.?[Mm]\.?)?)?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]99(?::?99)?))?"
_HALF_DAY = re.compile(r"[AaPp]\.?[Mm]")
_ZONED = re.compile(r":99(?:[.,]9+)? ?[+-]99(?::?99)?$|Z$|UTC$|GMT$")
_YEAR_FIRST = r"9{4}(?P<sep>[-/.])99?(?P=sep)99?"
_YEAR_LAST = r"99?(?P<sep>[-/.])99?(?P=sep)9{4}"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a column's text is read: an order of ORDERS, or a strptime pattern given by the user."""

    name: str
    shapes: tuple[str, ...]
    """Texts of this column that are of the format, every digit written as 9; empty for a pattern."""
    zoneless: int
    """Values without a zone of their own."""

    def describe(self) -> str:
        return ORDERS.get(self.name, self.name)

    def sql(self, column: str, tz: str) -> str:
        """Expression for microseconds since 1970 UTC, NULL where the text is not of this format.

        The session's TimeZone must be `tz`: DuckDB reads values without a zone in it.
        """
        if self.name not in ORDERS:
            parsed = f"try_strptime(trim({column}), {_quoted(self.name)})"
            return f"epoch_us({parsed if '%z' in self.name.lower() else _at_zone(parsed, tz)})"
        if not self.shapes:
            return "NULL::BIGINT"
        text = f"trim({column})"
        listed = ", ".join(_quoted(shape) for shape in self.shapes)
        known = f"translate({text}, '012345678', '999999999') IN ({listed})"
        if self.name in _EPOCH_US:
            value = f"(try_cast({text} AS DECIMAL(24, 6)) * {_EPOCH_US[self.name]})::BIGINT"
        else:
            value = f"epoch_us({self._instant(text, tz)})"
        return f"CASE WHEN {known} THEN {value} END"

    def _instant(self, text: str, tz: str) -> str:
        joined = "\n".join(self.shapes)
        if self.name != "ymd":
            day, month = (1, 2) if self.name == "dmy" else (2, 1)
            text = rf"regexp_replace({text}, '^(\d+)[-/.](\d+)[-/.](\d+)', '\3-\{month}-\{day}')"
        elif re.search(r"^9{4}[/.]", joined, re.MULTILINE):
            text = rf"regexp_replace({text}, '^(\d+)[/.](\d+)[/.]', '\1-\2-')"
        if "," in joined:
            text = f"replace({text}, ',', '.')"
        if _HALF_DAY.search(joined):
            text = rf"regexp_replace(upper(replace({text}, 'T', ' ')), ' ?([AP])\.?M\.?$', ' \1M')"
            formats = "['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M:%S.%f %p', '%Y-%m-%d']"
            return _at_zone(f"try_strptime({text}, {formats})", tz)
        if re.search(r" [+-]9| Z|UTC|GMT", joined):
            text = rf"regexp_replace(regexp_replace({text}, ' ?(Z|UTC|GMT)$', 'Z'), ' ([+-]\d)', '\1')"
        return f"try_cast({text} AS TIMESTAMPTZ)"


def detect_formats(
    con: DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    source: str,
    given: str | None = None,
) -> dict[str, TimeFormat]:
    """The format of each time column (`columns`: column of `table` -> the name its user knows).

    `given` is a key of ORDERS or a strptime pattern. Raises DataError where the column's order can't be
    known, UsageError for a `given` that is neither.
    """
    if given and given not in ORDERS and "%" not in given:
        raise UsageError(
            f"--time-format {given!r} is neither one of {', '.join(ORDERS)} nor a pattern with %"
        )
    formats: dict[str, TimeFormat] = {}
    for column, name in columns.items():
        shapes = con.execute(
            f"SELECT translate(trim({column}), '012345678', '999999999') AS shape, count(*) FROM {table} "
            f"WHERE trim({column}) <> '' GROUP BY shape ORDER BY shape"
        ).fetchall()
        if given and given not in ORDERS:
            formats[column] = TimeFormat(given, (), 0 if "%z" in given.lower() else sum(n for _, n in shapes))
            continue
        families = _families(shapes)
        if shapes and not families:
            raise _unknown(con, table, column, name, source)
        family = given or max(families, key=lambda f: (sum(families[f].values()), f), default="ymd")
        members = families.get("?" if family in ("dmy", "mdy") else family, {})
        order = _day_or_month(con, table, list(columns), name, source) if family == "?" else family
        zoneless = sum(n for s, n in members.items() if order not in _EPOCH_US and not _ZONED.search(s))
        formats[column] = TimeFormat(order, tuple(members), zoneless)
    return formats


def _families(shapes: Sequence[tuple[str, int]]) -> dict[str, dict[str, int]]:
    """Shapes with counts by order; "?" collects those with the year last."""
    patterns = {"ymd": _YEAR_FIRST + _CLOCK + _ZONE, "?": _YEAR_LAST + _CLOCK + _ZONE} | _EPOCH_SHAPES
    families: dict[str, dict[str, int]] = defaultdict(dict)
    for shape, n in shapes:
        for family, pattern in patterns.items():
            if re.fullmatch(pattern, shape) and not (_HALF_DAY.search(shape) and _ZONED.search(shape)):
                families[family][shape] = n
    return families


def _day_or_month(con: DuckDBPyConnection, table: str, columns: Sequence[str], name: str, source: str) -> str:
    """Whether the day or the month comes first, by a number over 12 in any time column."""
    values = " UNION ALL ".join(f"SELECT trim({c}) AS v FROM {table}" for c in columns)
    first, second, dotted, example = con.execute(
        r"SELECT max(regexp_extract(v, '^(\d+)', 1)::INT), max(regexp_extract(v, '^\d+[-/.](\d+)', 1)::INT), "
        f"bool_and(contains(v, '.')), min(v) FROM ({values}) "
        r"WHERE regexp_matches(v, '^\d\d?[-/.]\d\d?[-/.]\d{4}')"
    ).fetchall()[0]
    if first > 12 and second > 12:
        raise DataError(
            f"{source}: column {name!r} mixes day-first and month-first dates (both places hold numbers "
            f"over 12); write them all one way"
        )
    if first > 12 or (dotted and second <= 12):
        return "dmy"
    if second > 12:
        return "mdy"
    raise DataError(
        f"{source}: column {name!r} can be read day first or month first (such as {example!r}) and no date "
        f"in it decides; say which with --time-format dmy or --time-format mdy"
    )


def _unknown(con: DuckDBPyConnection, table: str, column: str, name: str, source: str) -> DataError:
    row, value = con.execute(
        f"SELECT row, {column} FROM {table} WHERE trim({column}) <> '' ORDER BY row LIMIT 1"
    ).fetchall()[0]
    return DataError(
        f"{source}: column {name!r} holds no time this program knows (row {row} has {value!r}); give its "
        f"pattern, such as --time-format '%d-%b-%y %H:%M', or another column with --map"
    )


def _at_zone(expression: str, tz: str) -> str:
    return f"timezone({_quoted(tz)}, {expression})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

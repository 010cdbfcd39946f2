"""Which of two numbers is the day, where the year is last: decided by the whole file, or asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from eventlogs.taking.time_shapes import us_of
from metagraph.errors import DataError

ORDERLY = 5
"""So many steps back in time within cases under one reading, and none under the other, decide."""


@dataclass(frozen=True, slots=True)
class Dates:
    """Where the dates to be decided on stand."""

    table: str
    columns: Sequence[str]
    """The table's time columns, start first."""
    names: Sequence[str]
    """Their names in the file."""
    case: str | None
    source: str


def day_or_month(con: DuckDBPyConnection, dates: Dates, column: str, mark: str) -> tuple[str, str]:
    """ "dmy" or "mdy" for the dates of a column with this mark between their numbers, and what decided.

    Raises DataError when nothing decides or the column holds both.
    """
    name = dates.names[dates.columns.index(column)]
    for looked_at in ([column], [c for c in dates.columns if c != column]):
        if (found := _by_size(con, dates, looked_at, mark, name)) is not None:
            return found
    if mark == ".":
        return "dmy", "dates with dots are written day first"
    if (found := _by_ends(con, dates, mark) or _by_sequence(con, dates, column, mark)) is not None:
        return found
    example = con.execute(f"SELECT min(v) FROM ({_values(dates.table, [column], mark)})").fetchall()[0][0]
    raise DataError(
        f"{dates.source}: column {name!r} can be read day first or month first (such as {example!r}) and "
        f"nothing in the file decides; say which with --time-format dmy or --time-format mdy"
    )


def _values(table: str, columns: Sequence[str], mark: str) -> str:
    """SQL: the dates with this mark, with their first and second number."""
    date = rf"^\s*(\d\d?)[{mark}](\d\d?)[{mark}]\d{{4}}"
    return " UNION ALL ".join(
        f"SELECT trim({c}) AS v, regexp_extract({c}, '{date}', 1)::INT AS a, "
        f"regexp_extract({c}, '{date}', 2)::INT AS b FROM {table} WHERE regexp_matches({c}, '{date}')"
        for c in columns
    )


def _by_size(
    con: DuckDBPyConnection, dates: Dates, columns: Sequence[str], mark: str, name: str
) -> tuple[str, str] | None:
    if not columns:
        return None
    day_first, month_first, one, other = con.execute(
        "SELECT count(*) FILTER (a > 12 AND b <= 12), count(*) FILTER (b > 12 AND a <= 12), "
        "min(v) FILTER (a > 12 AND b <= 12), min(v) FILTER (b > 12 AND a <= 12) "
        f"FROM ({_values(dates.table, columns, mark)})"
    ).fetchall()[0]
    if day_first and month_first:
        raise DataError(
            f"{dates.source}: column {name!r} mixes day-first and month-first dates ({one!r} and {other!r}); "
            f"write them all one way"
        )
    if day_first:
        return "dmy", f"{_dates_have(day_first)} a first number over 12, such as {one!r}"
    if month_first:
        return "mdy", f"{_dates_have(month_first)} a second number over 12, such as {other!r}"
    return None


def _dates_have(n: int) -> str:
    return "1 date has" if n == 1 else f"{n:,} dates have"


def _read(column: str, mark: str, order: str) -> str:
    text = f"upper(trim({column}))"
    known = rf"regexp_matches({column}, '^\s*\d\d?[{mark}]\d\d?[{mark}]\d{{4}}')"
    return f"CASE WHEN {known} THEN {us_of(text, 'last' + mark, order)} END"


def _by_ends(con: DuckDBPyConnection, dates: Dates, mark: str) -> tuple[str, str] | None:
    """An order under which ends lie before starts is wrong if the other has none of them."""
    if len(dates.columns) < 2:
        return None
    start, end = dates.columns
    day_first, month_first = con.execute(
        "SELECT count(*) FILTER (ed < sd), count(*) FILTER (em < sm) FROM (SELECT "
        f"{_read(start, mark, 'dmy')} AS sd, {_read(end, mark, 'dmy')} AS ed, "
        f"{_read(start, mark, 'mdy')} AS sm, {_read(end, mark, 'mdy')} AS em FROM {dates.table})"
    ).fetchall()[0]
    return _fewer(day_first, month_first, 1, "{} of the ends would lie before the starts")


def _by_sequence(con: DuckDBPyConnection, dates: Dates, column: str, mark: str) -> tuple[str, str] | None:
    """Rows of a case mostly stand in order of time; but a table sorted by the text of its dates proves
    nothing."""
    if dates.case is None:
        return None
    back_d, back_m, unsorted = con.execute(
        "SELECT count(*) FILTER (d < lag_d), count(*) FILTER (m < lag_m), count(*) FILTER (v < lag_v) FROM ("
        f"SELECT d, m, v, lag(d) OVER one AS lag_d, lag(m) OVER one AS lag_m, lag(v) OVER (ORDER BY row) AS "
        f"lag_v FROM (SELECT row, {dates.case} AS k, {column} AS v, {_read(column, mark, 'dmy')} AS d, "
        f"{_read(column, mark, 'mdy')} AS m FROM {dates.table}) WINDOW one AS (PARTITION BY k ORDER BY row))"
    ).fetchall()[0]
    return (
        _fewer(back_d, back_m, ORDERLY, "{} rows would lie before the row above in their case")
        if unsorted
        else None
    )


def _fewer(day_first: int, month_first: int, least: int, words: str) -> tuple[str, str] | None:
    if day_first == 0 and month_first >= least:
        return "dmy", f"read month first, {words.format(month_first)}"
    if month_first == 0 and day_first >= least:
        return "mdy", f"read day first, {words.format(day_first)}"
    return None

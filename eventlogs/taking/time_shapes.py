"""The ways to write a time, and SQL that turns each into ISO 8601.

A shape is a text with capital letters in which every digit is a 9.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from eventlogs.instants import to_us

FIRST_US, LAST_US = to_us(datetime(1900, 1, 1, tzinfo=UTC)), to_us(datetime(2200, 1, 1, tzinfo=UTC))
"""Instants from the first until before the last are believed."""

ORDERS: Mapping[str, str] = {
    "ymd": "year first (2024-01-31 13:45:00, ISO 8601)",
    "dmy": "day first (31.01.2024 13:45)",
    "mdy": "month first (01/31/2024 13:45)",
    "s": "seconds since 1970",
    "ms": "milliseconds since 1970",
    "us": "microseconds since 1970",
    "ns": "nanoseconds since 1970",
    "excel": "days of a spreadsheet (45322.5)",
}
"""What can be given as --time-format, besides a pattern."""
WORDS: Mapping[str, str] = {
    **ORDERS,
    "compact": "year first without marks (20240131134500)",
    "named": "month by name (31-Jan-2024 13:45)",
}
EPOCHS_US: Mapping[str, str] = {
    "s": "(try_cast({} AS DECIMAL(24, 6)) * 1000000)::BIGINT",
    "ms": "(try_cast({} AS DECIMAL(24, 6)) * 1000)::BIGINT",
    "us": "try_cast({} AS DECIMAL(24, 6))::BIGINT",
    "ns": "try_cast(split_part({}, '.', 1) AS BIGINT) // 1000",
}

ISO = (
    r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::[0-5]\d(?:\.\d+)?)?"
    r"(?:Z|[+-](?:0\d|1[0-8])(?::?[0-5]\d)?)?)?"
)
"""Exactly what the database may read as a time, in RE2 and Python alike."""
_CLOCK = r"(?:(?:T|,? +)99?:99(?::99(?:[.,]9+)?)?(?: ?[AP]\.?M\.?)?)?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]99(?::?99)?))?"
_TAIL = _CLOCK + _ZONE
_DAY_NAME = r"(?:(?:MON|TUE|WED|THU|FRI|SAT|SUN)[A-Z]*,? )?"
_MONTH = r"(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]*\.?"
_SHAPES: Mapping[str, str] = {
    "ymd": rf"9{{4}}(?P<m>[-/.])99?(?P=m)99?{_TAIL}",
    "last": rf"99?(?P<m>[-/.])99?(?P=m)9{{4}}{_TAIL}",
    "named": rf"{_DAY_NAME}(?:99?[-/. ]+{_MONTH}[-/., ]+9{{4}}|{_MONTH} +99?,? +9{{4}}|9{{4}}[-/. ]{_MONTH}"
    rf"[-/. ]99?){_TAIL}",
    "compact": rf"9{{8}}(?:(?:[T ]9{{4}}|[T ]?9{{6}}(?:[.,]9+|9{{3}})?){_ZONE})?",
    "s": r"9{9,10}(?:\.9{1,6})?",
    "ms": "9{13}",
    "us": "9{15,16}",
    "ns": "9{18,19}",
}
NUMBER = r"[+-]?9+(?:\.9+)?"
TWO_DIGIT_YEAR = rf"99?(?P<m>[-/. ])(?:99?|{_MONTH})(?P=m)99(?:{_TAIL})"
SPREADSHEET = r"9{5}(?:[.,]9+)?"
_HALF_DAY = re.compile(r"9 ?[AP]\.?M\.?")
_ZONED = re.compile(r"9 ?(?:Z|UTC|GMT)$|:99(?:[.,]9+)? ?[+-]99(?::?99)?$|^9{8}T9+(?:[.,]9+)?[+-]9+$")


def kind_of(shape: str) -> str | None:
    """The way of writing: a key of WORDS, or "last" plus the mark between the numbers (`last/`: the year is
    last, and day and month can be mistaken)."""
    for kind, pattern in _SHAPES.items():
        if found := re.fullmatch(pattern, shape):
            if _HALF_DAY.search(shape) and is_zoned(shape):
                return None
            return kind + found["m"] if kind == "last" else kind
    return None


def is_zoned(shape: str) -> bool:
    """Whether texts of the shape say their time zone."""
    return bool(_ZONED.search(shape))


def zoned(text: str) -> str:
    """SQL: whether an ISO 8601 text says its time zone."""
    return rf"(suffix({text}, 'Z') OR regexp_matches({text}, ':[0-9.]+[+-][0-9:]+$'))"


def us_of_iso(text: str) -> str:
    """SQL: microseconds since 1970 of a text that matches ISO, as if a missing zone were UTC."""
    return f"epoch_us(try_cast({text} AS TIMESTAMPTZ))"


def us_of(text: str, kind: str, order: str) -> str:
    """SQL: microseconds of a text with capital letters, written as `kind`, the year-last ones in `order`.

    NULL for what is no time. Missing zones count as UTC.
    """
    if order == "excel":
        return f"(round((try_cast(replace({text}, ',', '.') AS DOUBLE) - 25569) * 86400000) * 1000)::BIGINT"
    if order in EPOCHS_US:
        return EPOCHS_US[order].format(text)
    iso = f"replace({_clock(_date(text, kind, order))}, ',', '.')"
    half_day = rf"regexp_extract({text}, '\d ?([AP])\.?M', 1)"
    hour = f"try_cast(regexp_extract({iso}, '[T ]([0-9]+):', 1) AS INT)"
    shift = (
        f"CASE WHEN {half_day} = '' THEN 0 WHEN {hour} NOT BETWEEN 1 AND 12 THEN NULL "
        f"ELSE (CASE WHEN {half_day} = 'P' THEN 12 ELSE 0 END - CASE WHEN {hour} = 12 THEN 12 ELSE 0 END) "
        "* 3600000000 END"
    )
    # A leap second is the first second of the next minute, as in POSIX.
    leap = f"contains({iso}, ':59:60')"
    us = us_of_iso(f"replace({iso}, ':59:60', ':59:59')")
    known = f"regexp_full_match(replace({iso}, ':59:60', ':59:59'), '{ISO}')"
    return f"CASE WHEN {known} THEN {us} + {shift} + CASE WHEN {leap} THEN 1000000 ELSE 0 END END"


def _date(text: str, kind: str, order: str) -> str:
    """SQL: the text with its date as year-month-day."""
    if kind == "compact":
        clock = f"ltrim(substr({text}, 9), 'T ')"
        clock = rf"regexp_replace({clock}, '^(\d\d)(\d\d)(\d\d)[.,]?(\d*)', '\1:\2:\3.\40')"
        clock = rf"regexp_replace({clock}, '^(\d\d)(\d\d)([Z+-]|$)', '\1:\2\3')"
        dashed = f"concat(left({text}, 4), '-', substr({text}, 5, 2), '-', substr({text}, 7, 2))"
        return f"concat({dashed}, CASE WHEN length({text}) > 8 THEN 'T' ELSE '' END, {clock})"
    if kind == "named":
        day_first = (
            rf"regexp_replace({text}, '^(?:[A-Z]+,? )?(\d+)[-/. ]+([A-Z]+)\.?[-/., ]+(\d{{4}})', '\3-\2-\1')"
        )
        month_first = (
            rf"regexp_replace({day_first}, '^(?:[A-Z]+,? )?([A-Z]+)\.? +(\d+),? +(\d{{4}})', '\3-\1-\2')"
        )
        dashed = rf"regexp_replace({month_first}, '^(\d+)[-/. ]([A-Z]+)\.?[-/. ]', '\1-\2-')"
        name = f"regexp_extract({dashed}, '[A-Z]+')"
        months = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
        return f"replace({dashed}, {name}, ((strpos('{months}', left({name}, 3)) + 2) // 3)::VARCHAR)"
    if kind == "ymd":
        return rf"regexp_replace({text}, '^(\d+)[/.](\d+)[/.]', '\1-\2-')"
    day, month = (1, 2) if order == "dmy" else (2, 1)
    return rf"regexp_replace({text}, '^(\d+)[-/.](\d+)[-/.](\d+)', '\3-\{month}-\{day}')"


def _clock(text: str) -> str:
    """SQL: the text with its clock and its zone as ISO 8601 has them."""
    bare = rf"regexp_replace({text}, ' ?[AP]\.?M\.?', '')"
    spaced = rf"regexp_replace({bare}, '^([0-9-]+)(?:,? +)(\d)', '\1T\2')"
    return rf"regexp_replace(regexp_replace({spaced}, ' ?(?:Z|UTC|GMT)$', 'Z'), ' ([+-]\d)', '\1')"

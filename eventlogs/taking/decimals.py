"""Amounts as people write them: the decimal sign found by the evidence of a whole column, and read in SQL."""

from __future__ import annotations

from typing import Literal

from duckdb import DuckDBPyConnection

from metagraph.errors import DataError, UsageError

DecimalSign = Literal[",", "."]
_SPACES = r"[\s\x{00A0}\x{202F}\x{2009}''’_]"
_CURRENCY = r"\p{Sc}?[A-Za-z]{0,3}\p{Sc}?"
_AMOUNT = rf"^([+-]?){_CURRENCY}([+-]?)([0-9.,]*[0-9])(-?){_CURRENCY}$"
_EXPONENT = r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+"


def find_sign(
    con: DuckDBPyConnection, table: str, column: str, name: str, source: str, given: str | None = None
) -> DecimalSign:
    """The decimal sign of a column of amounts; "." where no amount has one.

    `given` is what the user says. Raises DataError when the column doesn't tell or holds both, UsageError
    for a `given` that is no sign.
    """
    if given is not None and given not in (",", "."):
        raise UsageError(f"--decimal {given!r} is neither , nor .")
    if given is not None:
        return "," if given == "," else "."
    commas, points, unclear, comma, point, example = con.execute(
        f"""
        SELECT count(*) FILTER (sign = ','), count(*) FILTER (sign = '.'), count(*) FILTER (sign = '?'),
            any_value(v) FILTER (sign = ','), any_value(v) FILTER (sign = '.'),
            any_value(v) FILTER (sign = '?')
        FROM (SELECT v, {_evidence("digits")} AS sign FROM (
            SELECT trim({column}) AS v, {_digits(column)} AS digits FROM {table} WHERE {column} <> ''))
        """
    ).fetchall()[0]
    if commas and points:
        raise DataError(
            f"{source}: column {name!r} writes some amounts with a decimal comma ({comma!r}) and some with a "
            f"decimal point ({point!r}); write them all one way"
        )
    if unclear and not commas and not points:
        raise DataError(
            f"{source}: column {name!r} holds amounts such as {example!r}, whose mark can be decimal or that "
            f"of thousands; say which sign is decimal with --decimal , or --decimal ."
        )
    return "," if commas else "."


def plain_number(text: str, sign: DecimalSign) -> str:
    """SQL: an amount as a plain number such as -1234.5 (as text), NULL where it is none."""
    thousands = "." if sign == "," else ","
    point, mark = (f"[{s}]" for s in (sign, thousands))
    digits = _digits(text)
    valid = rf"[0-9]+(?:{point}[0-9]+)?|[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+(?:{point}[0-9]+)?|{point}[0-9]+"
    bare = f"replace(replace({digits}, '{thousands}', ''), '{sign}', '.')"
    minus = f"regexp_replace({_bare(text)}, '{_AMOUNT}', '\\1\\2\\4') LIKE '%-%'"
    return (
        f"CASE WHEN regexp_full_match(trim({text}), '{_EXPONENT}') THEN trim({text}) "
        f"WHEN regexp_full_match({digits}, '{valid}') "
        f"THEN CASE WHEN {minus} THEN '-' ELSE '' END || {bare} END"
    )


def _bare(text: str) -> str:
    return f"regexp_replace({text}, '{_SPACES}', '', 'g')"


def _digits(text: str) -> str:
    """SQL: the digits and marks of an amount; empty where it is none."""
    return f"regexp_extract({_bare(text)}, '{_AMOUNT}', 3)"


def _evidence(digits: str) -> str:
    """SQL: the decimal sign that a single amount proves, ? where it has a mark but proves none, else NULL."""
    return f"""CASE
        WHEN regexp_matches({digits}, '[.].*,[0-9]*$') THEN ','
        WHEN regexp_matches({digits}, ',.*[.][0-9]*$') THEN '.'
        WHEN regexp_matches({digits}, ',.*,') THEN '.'
        WHEN regexp_matches({digits}, '[.].*[.]') THEN ','
        WHEN regexp_full_match({digits}, '[1-9][0-9]{{0,2}}[.,][0-9]{{3}}') THEN '?'
        WHEN contains({digits}, ',') THEN ','
        WHEN contains({digits}, '.') THEN '.' END"""

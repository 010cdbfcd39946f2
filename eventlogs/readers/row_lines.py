"""Where the rows of a delimited text stand, when lines and rows don't go together one by one."""

from __future__ import annotations

import csv
import io
from itertools import islice
from pathlib import Path

from eventlogs.readers.archives import open_bytes
from eventlogs.readers.dialect import LONGEST_FIELD, Dialect, is_blank
from metagraph.errors import DataError

_MOST_SHIFTS = 100_000


def survey(path: Path, encoding: str, dialect: Dialect) -> tuple[tuple[int, int], ...] | None:
    """`Staged.shifts` of a text that has been found to be of this encoding; None when they are too many.

    Raises DataError naming the line of a quoted field that goes on after its end or never ends, or of one
    longer than 1 MB. Slow: one pass of Python's csv module.
    """
    shifts: list[tuple[int, int]] = []
    row = skipped = end = 0
    with open_bytes(path) as content:
        lines = islice(io.TextIOWrapper(content, encoding, newline=""), dialect.lines, None)
        rows = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
        try:
            for fields in rows:
                begin, end = end + 1, rows.line_num
                if is_blank(fields, len(dialect.columns)):
                    continue
                row += 1
                if begin - row != skipped:
                    skipped = begin - row
                    if len(shifts) <= _MOST_SHIFTS:
                        shifts.append((row, skipped))
        except csv.Error as error:
            raise DataError(f"{path}, line {dialect.lines + end + 1}: {_fault(str(error))}") from None
    return tuple(shifts) if len(shifts) <= _MOST_SHIFTS else None


def _fault(reason: str) -> str:
    if "limit" in reason:
        return (
            f"a field is longer than {LONGEST_FIELD >> 20} MB; close its quotation mark, or leave such texts "
            "out of the log"
        )
    if "end of data" in reason:
        return "a quoted field is never closed; close it with a quotation mark"
    return "text follows the closing quotation mark of a field; double the marks that belong to the text"

"""Tables as CSV: read line by line with every fault named, and written."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from metagraph.errors import DataError
from metagraph.faults import Fault, shown
from metagraph.json_text import read_text
from metagraph.records import Record

_SEPARATORS = ",;\t"


def read_sheet(path: Path, faults: list[Fault]) -> Iterator[Record]:
    """A record a line, named by the line's number; the first line holds the columns' names.

    Separated by comma, semicolon or tab, whichever the first line has most of. Raises DataError for what
    is no CSV at all.
    """
    text = _text(path)
    head = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=head.count), strict=True)
    try:
        columns = [name.strip() for name in next(rows, [])]
        for name in dict.fromkeys(columns):
            if not name:
                faults.append(Fault("line 1", "a column has no name"))
            elif columns.count(name) > 1:
                faults.append(Fault("line 1", f"column {shown(name)} is there {columns.count(name)} times"))
        for row in rows:
            where = f"line {rows.line_num}"
            if not any(row):
                continue
            if len(row) != len(columns):
                faults.append(Fault(where, f"{len(row)} fields; the first line has {len(columns)}"))
                continue
            yield Record(dict(zip(columns, row, strict=True)), where, faults, from_text=True)
    except csv.Error as error:
        raise DataError(f"{path}, line {rows.line_num}: no CSV ({error}); mend its quotes") from None


def sheet(rows: Sequence[Mapping[str, Any]], source: str) -> str:
    """The rows as CSV; columns in the order in which rows bring them, what a row lacks is empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(name, "") for name in columns] for row in rows)
    found = text.getvalue()
    if "\r" in found or "\0" in found:
        raise DataError(f"{source} can't be written: a text in it holds a carriage return; write JSON")
    return found


def _text(path: Path) -> str:
    what = "a table as CSV"
    if path.suffix != ".gz":
        return read_text(path, what)
    try:
        return gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path} doesn't exist: name {what}") from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path} can't be read ({error}): name {what}, compressed by gzip") from None

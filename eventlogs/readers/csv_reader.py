"""Delimited text, read in one pass and all as text: 007 stays 007 and NA stays NA.

Fields are told apart as Python's csv module does by default: a quotation mark counts only at the beginning of
a field, doubled marks inside a quoted field mean one, blank lines are passed over. Text after a closing mark
and fields that are never closed are refused.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from duckdb import DuckDBPyConnection

from eventlogs.readers.archives import open_bytes
from eventlogs.readers.dialect import LONGEST_FIELD, SAMPLE, Dialect, is_blank, tell_dialect
from eventlogs.readers.quotes import QuoteWatch
from eventlogs.readers.row_lines import survey
from eventlogs.readers.staging import AS_IT_STOOD, Staged
from eventlogs.readers.text import (
    LEAST_READ,
    LONGEST_LINE,
    NotUtf8Error,
    TextStream,
    encoding_besides_utf8,
    encoding_by_head,
)
from metagraph.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv as pa_csv

_Fault = tuple[int, str, str]
"""Number, fault and text of a row that is broken."""
_Piece = tuple["pa.Table | None", list[_Fault]]
_BLOCK = LONGEST_LINE
_BLOCKS = 4
"""To be inserted at once: the database takes whole row groups a third faster than smaller pieces."""
_RAGGED = "wrong number of fields"


def read_csv(con: DuckDBPyConnection, path: Path) -> Staged:
    """Stage a delimited text file, packed or not; encoding and delimiter are found from the content.

    Rows with too few or too many fields go to table `broken`. Raises DataError on an empty file, a broken
    archive, mixed encodings, duplicate or too many columns, an open quote, a field of more than 1 MB.
    """
    with open_bytes(path) as content:
        encoding = encoding_by_head(content.peek(256)[:256])
    try:
        return _read(con, path, encoding)
    except NotUtf8Error:
        return _read(con, path, encoding_besides_utf8(path))


def _read(con: DuckDBPyConnection, path: Path, encoding: str) -> Staged:
    with open_bytes(path) as content:
        text = TextStream(path, content, encoding)
        sample = b""
        while len(sample) < SAMPLE and (piece := text.read(SAMPLE - len(sample) + LEAST_READ)):
            sample += piece
        dialect = tell_dialect(path, sample, whole=len(sample) < SAMPLE)
        body = _Body(text, sample[dialect.start :], dialect.delimiter)
        table = _Tables(con, dialect)
        if len(sample) >= SAMPLE or dialect.start < len(sample):
            try:
                table.fill(_Parser(dialect).pieces(body))
            except ValueError as error:
                _explain(path, encoding, dialect, error)
    shifts: tuple[tuple[int, int], ...] | None = ()
    if body.quotes.suspicious or text.lines != dialect.lines + table.rows:
        shifts = survey(path, encoding, dialect)
    if not table.rows:
        raise DataError(f"{path}: there is a header but no row under it; a log needs at least one event")
    notes = () if encoding.startswith("utf") else (f"The file is not UTF-8; it was read as {encoding}.",)
    unit, first = ("data row", 1) if shifts is None else ("line", dialect.lines + 1)
    return Staged(
        *(str(path), dialect.columns, table.rows, text.content_hash, unit, first, (*notes, *dialect.notes)),
        shifts=shifts or (),
        broken=table.broken,
        encoding=encoding,
        delimiter=dialect.delimiter,
    )


class _Body(io.RawIOBase):
    """What stands under the header, for the parser; its quotation marks are watched."""

    def __init__(self, text: TextStream, begun: bytes, delimiter: str) -> None:
        self.quotes = QuoteWatch(delimiter)
        self._text, self._begun = text, begun

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        size = _BLOCK if size < 0 else size
        found, self._begun = self._begun[:size], self._begun[size:]
        # The parser wants whole blocks; the text comes in shorter pieces where it has to be transcoded.
        while size - len(found) >= LEAST_READ and (piece := self._text.read(size - len(found))):
            found += piece
        self.quotes.feed(found)
        return found


class _Parser:
    """Tells rows apart and numbers them."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._names = _names(dialect)
        self._next = 1
        self._blank = 0
        self._faults: list[_Fault] = []
        """Of rows before and in the piece to come."""
        self._ahead: list[int] = []
        """Broken rows from `_next` on."""

    def pieces(self, body: _Body) -> Iterator[_Piece]:
        """All rows. Raises pyarrow's errors, which are ValueErrors, and one for a field that is too long."""
        import pyarrow as pa

        batches = map(self._numbered, self._batches(body))
        while found := list(islice(batches, _BLOCKS)):
            yield pa.Table.from_batches(found), self._told()
        yield None, self._told()

    def _batches(self, body: _Body) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from pyarrow import csv as pa_csv

        yield from pa_csv.open_csv(
            body,
            # One thread: only then the parser knows the numbers of broken rows.
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=self._names),
            parse_options=pa_csv.ParseOptions(
                delimiter=self._dialect.delimiter,
                newlines_in_values=True,
                invalid_row_handler=self._set_aside,
            ),
            convert_options=pa_csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(self._names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )

    def _numbered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as pa

        numbers = np.setdiff1d(
            np.arange(self._next, self._next + len(batch) + len(self._ahead)), self._ahead, assume_unique=True
        )[: len(batch)]
        if len(numbers):
            self._next = int(numbers[-1]) + 1
            self._ahead = [row for row in self._ahead if row >= self._next]
        if any(_longest(column) > LONGEST_FIELD for column in batch.columns):
            raise ValueError("a field is too long")
        # Not pa.array: it would import pandas, which takes longer than most files.
        row = pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])
        return batch.add_column(0, "row", row)

    def _told(self) -> list[_Fault]:
        told, self._faults = self._faults, []
        return told

    def _set_aside(self, found: pa_csv.InvalidRow) -> str:
        columns = self._dialect.columns
        text = io.StringIO(found.text, newline="")
        try:
            fields = next(csv.reader(text, delimiter=self._dialect.delimiter))
        except csv.Error:
            # A field is too long; exceptions don't get through the parser.
            return "error"
        if is_blank(fields, len(columns)):
            self._blank += 1
            return "skip"
        row = found.number - self._blank
        fault = (
            f"the row has {found.actual_columns} fields where the header has {found.expected_columns} "
            "(fields that hold the delimiter need quotation marks)"
        )
        named = dict(zip_longest(columns, fields[: len(columns)]))
        raw = json.dumps(named | {AS_IT_STOOD: found.text}, ensure_ascii=False)
        self._faults.append((row, fault, raw))
        self._ahead.append(row)
        return "skip"


class _Tables:
    """The tables `staging` and `broken` while they are filled."""

    def __init__(self, con: DuckDBPyConnection, dialect: Dialect) -> None:
        self.rows = 0
        self.broken = 0
        self._con = con
        columns = ", ".join(f"{name} VARCHAR" for name in _names(dialect))
        con.execute(f"CREATE OR REPLACE TEMP TABLE staging (row BIGINT, {columns})")

    def fill(self, pieces: Iterator[_Piece]) -> None:
        """Keep all rows, while another thread parses the ones after them."""
        with ThreadPoolExecutor(1) as parsing:
            coming = parsing.submit(next, pieces, None)
            while piece := coming.result():
                coming = parsing.submit(next, pieces, None)
                self._keep(*piece)

    def _keep(self, rows: pa.Table | None, faults: list[_Fault]) -> None:
        import pyarrow as pa

        if rows is not None:
            self.rows += len(rows)
            self._insert("staging", rows)
        if faults:
            row, fault, raw = zip(*faults, strict=True)
            self.rows += len(row)
            self.broken += len(row)
            self._insert(
                "broken", pa.table({"row": row, "reason": [_RAGGED] * len(row), "fault": fault, "raw": raw})
            )

    def _insert(self, table: str, rows: pa.Table) -> None:
        self._con.register("new_rows", rows)
        self._con.execute(f"INSERT INTO {table} SELECT * FROM new_rows")
        self._con.unregister("new_rows")


def _names(dialect: Dialect) -> list[str]:
    return [f"c{i}" for i in range(len(dialect.columns))]


def _longest(column: pa.StringArray) -> int:
    """Bytes of the longest text of a column."""
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset :][: len(column) + 1]
    return int(np.diff(offsets).max(initial=0))


def _explain(path: Path, encoding: str, dialect: Dialect, error: Exception) -> NoReturn:
    """Name the place that the parser stumbled over."""
    survey(path, encoding, dialect)
    raise DataError(f"{path}: the table can't be read ({error}); save it again as CSV UTF-8") from None

"""Delimited files and Parquet, read whole and as text: 007 stays 007 and NA stays NA."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import duckdb
from duckdb import DuckDBPyConnection

from eventlogs.readers.staging import Staged
from metagraph.errors import DataError

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = ",;\t|"


def read_csv(con: DuckDBPyConnection, path: Path) -> Staged:
    """Stage a delimited text file, gzipped or not; the encoding and the delimiter are found from the content.

    Raises DataError on an empty file, a broken archive, duplicate column names, a ragged row or an open
    quote.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "log.csv"
        encoding, digest, line_ends = _to_utf8(path, plain)
        header, delimiter = _header(path, plain)
        columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(header)))
        try:
            con.execute(
                "CREATE OR REPLACE TEMP TABLE staging AS SELECT row_number() OVER () AS row, * FROM "
                "read_csv(?, auto_detect=false, header=true, delim=?, quote='\"', escape='\"', "
                f"compression='none', columns={{{columns}}})",
                [str(plain), delimiter],
            )
        except duckdb.Error as error:
            raise _fault(path, str(error)) from None
    rows = con.execute("SELECT count(*) FROM staging").fetchall()[0][0]
    if not rows:
        raise DataError(f"{path}: there is a header but no row under it; a log needs at least one event")
    notes = () if encoding.startswith("utf") else (f"The file is not UTF-8; it was read as {encoding}.",)
    # Blank lines and quoted line breaks shift lines against rows: then only the row can be named.
    unit, first = ("line", 2) if line_ends == rows + 1 else ("data row", 1)
    return Staged(str(path), tuple(header), rows, digest, unit, first, notes)


def read_parquet(con: DuckDBPyConnection, path: Path) -> Staged:
    """Stage a Parquet file, its values written out as text. Raises DataError when it is no Parquet file."""
    try:
        described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
        columns = [row[0] for row in described]
        quoted = (name.replace('"', '""') for name in columns)
        texts = ", ".join(f'"{name}"::VARCHAR AS c{i}' for i, name in enumerate(quoted))
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE staging AS SELECT row_number() OVER () AS row, {texts} FROM "
            f"read_parquet(?)",
            [str(path)],
        )
    except duckdb.Error as error:
        raise DataError(f"{path} can't be read as Parquet: {str(error).splitlines()[0]}") from None
    rows = con.execute("SELECT count(*) FROM staging").fetchall()[0][0]
    if not rows:
        raise DataError(f"{path}: the file has no rows; a log needs at least one event")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Staged(str(path), tuple(columns), rows, digest, "row", 1, ())


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The file's content, unpacked when it is gzipped (told by its first bytes, not by its name).

    Raises DataError when it can't be opened, is empty or is a damaged archive.
    """
    try:
        with path.open("rb") as raw:
            magic = raw.read(2)
            if not magic:
                raise DataError(f"{path}: the file is empty; a log needs at least one event")
            raw.seek(0)
            if magic == b"\x1f\x8b":
                with gzip.open(raw) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: the archive is damaged or cut short ({error}); fetch or pack it again"
        ) from None
    except OSError as error:
        raise DataError(f"{path} can't be opened: {error.strerror}") from None


def _to_utf8(path: Path, target: Path) -> tuple[str, str, int]:
    """Write the content as UTF-8 without a byte order mark; its encoding, SHA-256 and number of lines."""
    encoding = _encoding(path)
    decoder = codecs.getincrementaldecoder(encoding)()
    digest, lines, last = hashlib.sha256(), 0, ""
    with open_bytes(path) as source, target.open("wb") as out:
        more = True
        while more:
            chunk = source.read(_CHUNK)
            more = bool(chunk)
            digest.update(chunk)
            try:
                text = decoder.decode(chunk, final=not more)
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path} can't be read as {encoding}: {error.reason}; save it as UTF-8"
                ) from None
            if "\0" in text:
                raise DataError(f"{path} holds NUL characters, so it is no text table; save it as UTF-8 CSV")
            lines += text.count("\n")
            last = text[-1:] or last
            out.write(text.encode())
    return encoding, digest.hexdigest(), lines + (last != "\n")


def _encoding(path: Path) -> str:
    with open_bytes(path) as source:
        head = source.read(4)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return name
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(head)
            while chunk := source.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            # Western European: the one single-byte code that spreadsheets still write.
            return "cp1252" if _decodes(path, "cp1252") else "latin-1"
    return "utf-8"


def _decodes(path: Path, encoding: str) -> bool:
    with open_bytes(path) as source:
        try:
            while chunk := source.read(_CHUNK):
                chunk.decode(encoding)
        except UnicodeDecodeError:
            return False
    return True


def _header(path: Path, plain: Path) -> tuple[list[str], str]:
    with plain.open(encoding="utf-8", newline="") as file:
        sample = file.read(_SAMPLE)
    if not sample.strip():
        raise DataError(f"{path}: the file is empty; a log needs a header and at least one event")
    whole = len(sample) < _SAMPLE
    delimiter, header = max(
        ((mark, _rows(sample, mark, whole)) for mark in _DELIMITERS), key=lambda found: _agreement(found[1])
    )
    names = [name.strip() or f"column {i + 1}" for i, name in enumerate(header[0])]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(
            f"{path}: the header names the column {twice[0]!r} twice; give each column its own name"
        )
    return names, delimiter


def _rows(sample: str, delimiter: str, whole: bool) -> list[list[str]]:
    rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
    return rows if whole or len(rows) == 1 else rows[:-1]


def _agreement(rows: list[list[str]]) -> tuple[float, int]:
    """Prefer the delimiter that gives most sampled rows the header's width, then the widest."""
    width = len(rows[0])
    if width == 1:
        return 0.0, 1
    return sum(len(row) == width for row in rows) / len(rows), width


def _fault(path: Path, text: str) -> DataError:
    line = re.search(r"Line: (\d+)", text)
    place = f"{path}, line {line[1]}" if line else str(path)
    if counts := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text):
        return DataError(
            f"{place}: the row has {counts[2]} fields where the header has {counts[1]}; mend the row or "
            f"quote fields that hold the delimiter"
        )
    if "quote" in text.split("Possible", maxsplit=1)[0].lower():
        return DataError(f"{place}: a quoted field is never closed; close it with a quotation mark")
    reason = next((part for part in text.splitlines()[2:] if part.strip()), text.splitlines()[0])
    return DataError(f"{place}: the row can't be read ({reason.strip()}); mend it")

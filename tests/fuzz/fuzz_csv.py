"""Fuzzing of the reader of delimited text with coverage guidance; not part of the suite, run by hand.

Needs `atheris` (in an environment of its own, with this project's requirements):

    python -m tests.fuzz.fuzz_csv -max_total_time=600 -rss_limit_mb=2048 -max_len=2048 FOLDER

Any bytes must give rows or a DataError; every row, its line and its fields must be those of Python's csv
module. What it finds becomes a test in `tests/eventlogs/readers/test_csv_traps.py`.
"""

import csv
import io
import re
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]
import duckdb

with atheris.instrument_imports(include=["eventlogs.readers"]):
    from eventlogs.readers import staging
    from eventlogs.readers.csv_reader import read_csv

from metagraph.errors import DataError

SEEDS = (
    b"case,activity,time\n1,A,2024-01-01\n2,B,2024-01-02\n",
    b'case;activity;time\r\n1;"A;""x""";2\r\n\r\n2;"B\nC";\r\n',
    b"\xef\xbb\xbfcase\tactivity\n1\t\xc3\xa9\n1\tb\tc\n",
    b"sep=|\ncase|activity\n1|A\n",
    b"a,b\n\xe9,\x80\n",
    "case,é\n1,A\n".encode("utf-16"),
)
_FILE = Path(tempfile.mkdtemp()) / "log.csv"
_CON = duckdb.connect(config={"threads": 1})
_BOMS = {"utf-8": "utf-8-sig", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}


def check(data: bytes) -> None:
    """One input of the fuzzer."""
    _FILE.write_bytes(data)
    try:
        staging.prepare(_CON)
        found = read_csv(_CON, _FILE)
    except DataError:
        return
    good = {row: fields for row, *fields in _CON.execute("FROM staging ORDER BY row").fetchall()}
    broken = [row for (row,) in _CON.execute("SELECT row FROM broken ORDER BY row").fetchall()]
    rows = _by_csv(_text(data, found.encoding or ""), found.delimiter or "", len(found.columns))
    assert sorted([*good, *broken]) == list(range(1, len(rows) + 1)), "other rows"
    for number, (line, fields) in enumerate(rows, 1):
        assert (number in good) == (len(fields) == len(found.columns)), "ragged otherwise"
        if number in good:
            assert [value or "" for value in good[number]] == fields, "other fields"
        if found.unit == "line":
            assert found.place(number).endswith(f"line {line}"), "another line"


def _text(data: bytes, encoding: str) -> str:
    marked = data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    return data.decode(_BOMS.get(encoding, encoding) if marked else encoding)


def _by_csv(text: str, delimiter: str, width: int) -> list[tuple[int, list[str]]]:
    """Line and fields of each row under the header, blank lines passed over."""
    named = re.match(r'"?sep=[\t!#-/:-@[-`{-~]"?(?:\r\n|\r|\n)', text, re.IGNORECASE)
    skipped = len(named[0]) if named else 0
    reader = csv.reader(io.StringIO(text[skipped:], newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    while True:
        line = reader.line_num + 1 + bool(named)
        fields = next(reader, None)
        if fields is None:
            return rows[1:]
        wide = width if rows else 2
        if fields and not (wide > 1 and len(fields) == 1 and not fields[0].strip()):
            rows.append((line, fields))


if __name__ == "__main__":
    folder = Path(sys.argv[-1])
    folder.mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(SEEDS):
        (folder / f"seed{i}").write_bytes(seed)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()

"""Whatever Python's csv module writes, or reads, is what the reader stages: every field, row and line."""

import codecs
import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from eventlogs.readers import csv_reader, dialect
from metagraph.errors import DataError
from tests.eventlogs.readers.staging import stage

quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
words = st.sampled_from(
    ["", "007", "NA", "null", "NULL", "1e3", " x ", "é", '5" pipe', "a\nb", "a\r\nb", ",;"]
)
fields = words | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
ENCODINGS = {
    "utf-8": b"",
    "utf-8-sig": b"",
    "utf-16": b"",
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
}


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 5))
    row = st.lists(fields, min_size=width, max_size=width)
    return draw(st.lists(row, min_size=1, max_size=8))


@quick
@given(
    table=tables(),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    encoding=st.sampled_from(list(ENCODINGS)),
    packed=st.booleans(),
)
@example(
    table=[["a", ""], ["", ""]],
    delimiter=";",
    line_end="\r",
    quoting=csv.QUOTE_MINIMAL,
    encoding="utf-8",
    packed=False,
)
def test_what_was_written_is_read(
    table: list[list[str]],
    delimiter: str,
    line_end: str,
    quoting: int,
    encoding: str,
    packed: bool,
    tmp_path: Path,
) -> None:
    text = io.StringIO()
    # Of line breaks the writer quotes only those that it writes itself.
    quoting = quoting if line_end == "\r\n" else csv.QUOTE_ALL
    out = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]
    header = [f"name {i}" for i in range(len(table[0]))]
    out.writerows([header, *table])
    content = ENCODINGS[encoding] + text.getvalue().encode(encoding)
    (tmp_path / "log").write_bytes(gzip.compress(content) if packed else content)
    staged, rows, broken = stage(tmp_path / "log")
    assert staged.columns == tuple(header)
    assert staged.delimiter == delimiter
    assert not broken
    assert [[value or "" for value in row] for row in rows.values()] == table


pieces = st.sampled_from(["a", "b", ",", ",", "\n", "\n", "\r\n", '"', '""', " ", "é"])


@quick
@given(text=st.lists(pieces, max_size=25).map("".join))
@example(text='1,"a\nb",c\n\n2,3\n  \n4,"5""",6\n')
@example(text='1,"2"x,3\n')
@example(text='1,""x,3\n')
@example(text='1,2,"""x"""y\n')
@example(text='1,2,"3')
def test_any_text_is_read_as_python_does_or_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(f"h,i,j\n{text}".encode())
    lines = iter(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    good: dict[int, tuple[str, ...]] = {}
    broken: set[int] = set()
    begins: dict[int, int] = {}
    fault, begin = False, 2
    try:
        for fields in reader:
            at, begin = begin, reader.line_num + 2
            if not fields or (len(fields) == 1 and not fields[0].strip()):
                continue
            number = len(begins) + 1
            begins[number] = at
            if len(fields) == 3:
                good[number] = tuple(fields)
            else:
                broken.add(number)
    except csv.Error:
        fault = True
    # Rows that all end in a delimiter too many are a case of its own.
    assume(not begins or good)
    if fault or not begins:
        with pytest.raises(DataError, match=f"log.csv, line {begin}: " if fault else "no row under it"):
            stage(tmp_path / "log.csv")
        return
    staged, rows, texts = stage(tmp_path / "log.csv")
    assert {row: tuple(value or "" for value in fields) for row, fields in rows.items()} == good
    assert set(texts) == broken
    assert [staged.place(row) for row in begins] == [
        f"{tmp_path / 'log.csv'}, line {line}" for line in begins.values()
    ]


@pytest.mark.parametrize("block", [1_000, 4_096])
def test_blocks_of_the_parser_change_nothing(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[str(i), 'say "x"' if i % 3 else "a\nb", "é" * (i % 7)] for i in range(900)]
    text = io.StringIO()
    out = csv.writer(text)
    for i, row in enumerate([["case", "activity", "note"], *rows]):
        out.writerow(row[: 2 if i % 100 == 50 else 3])
        if i % 50 == 7:
            text.write("\n   \n")
    (tmp_path / "log.csv").write_bytes(text.getvalue().encode())
    whole = stage(tmp_path / "log.csv")
    monkeypatch.setattr(csv_reader, "_BLOCK", block)
    monkeypatch.setattr(csv_reader, "SAMPLE", 500)
    monkeypatch.setattr(dialect, "SAMPLE", 500)
    assert stage(tmp_path / "log.csv") == whole
    assert set(whole[2]) == {50, 150, 250, 350, 450, 550, 650, 750, 850}
    assert [list(row) for row in whole[1].values()] == [
        [value or None for value in row] for i, row in enumerate(rows, start=1) if i % 100 != 50
    ]

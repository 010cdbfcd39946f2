"""Each trap that other readers of delimited text fall into: the right table, or a sentence with the place."""

from pathlib import Path

import pytest

from eventlogs.historian import Historian
from eventlogs.readers import csv_reader, dialect, row_lines, text
from metagraph.errors import DataError
from tests.eventlogs.readers.staging import stage

HEAD = "case,activity,time"


def written(tmp_path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    file = tmp_path / "log.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return file


def fault(file: Path) -> str:
    with pytest.raises(DataError) as caught:
        stage(file)
    return str(caught.value).removeprefix(str(file))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (f"{HEAD}\n1,A,t", {1: ("1", "A", "t")}),
        (f"{HEAD}\n007,NA,null\nx7,NULL,nan\n", {1: ("007", "NA", "null"), 2: ("x7", "NULL", "nan")}),
        (f"{HEAD}\n\n1,A,t\n\n \t\n2,B,t\n\n", {1: ("1", "A", "t"), 2: ("2", "B", "t")}),
        (f'{HEAD}\n1,5" pipe,t\n2,"x ""y""",t\n', {1: ("1", '5" pipe', "t"), 2: ("2", 'x "y"', "t")}),
        (f"sep=;\r\n{HEAD}\r\n1,A,t\r\n".replace(",", ";"), {1: ("1", "A", "t")}),
        (f"SEP=/\n{HEAD}\n1,A,t\n".replace(",", "/"), {1: ("1", "A", "t")}),
        (f"{HEAD}\n1,A,\n,,\n", {1: ("1", "A", None), 2: (None, None, None)}),
        (f"{HEAD}\r1,A,t\r2,B,t\r", {1: ("1", "A", "t"), 2: ("2", "B", "t")}),
        ("a\n1\n \n\n2\n", {1: ("1",), 2: (" ",), 3: ("2",)}),
        ("a;b,c;d\n1;2,3;4\n", {1: ("1", "2,3", "4")}),
    ],
)
def test_tables(content: str, rows: dict[int, tuple[str | None, ...]], tmp_path: Path) -> None:
    assert stage(written(tmp_path, content))[1:] == (rows, {})


@pytest.mark.parametrize(
    ("content", "columns", "notes"),
    [
        ("a,,c,\n1,2,3,4\n", ("a", "column 2", "c", "column 4"), 0),
        ("a,b\n1,2,\n3,4,\n", ("a", "b", "column 3"), 1),
        ("a,b;c;d\n1,2;3;4;\n", ("a,b", "c", "d", "column 4"), 1),
        (" a ;\tb\n1;2\n", ("a", "b"), 0),
    ],
)
def test_headers(content: str, columns: tuple[str, ...], notes: int, tmp_path: Path) -> None:
    staged = stage(written(tmp_path, content))[0]
    assert staged.columns == columns
    assert len(staged.notes) == notes


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (HEAD, ": there is a header but no row under it; a log needs at least one event"),
        (f"{HEAD}\n \n\n", ": there is a header but no row under it; a log needs at least one event"),
        ("\ufeff \n", ": the file is empty; a log needs a header and at least one event"),
        ("a, a\n1,2\n", ": the header names the column 'a' twice; give each column its own name"),
        (
            ",".join(f"c{i}" for i in range(2_001)) + "\n1\n",
            ": the header names 2,001 columns and at most 2,000 are read; export only those that matter",
        ),
        (
            f'{HEAD}\n1,"A\nB",t\n\n2,"C\nD"E,t\n',
            ", line 5: text follows the closing quotation mark of a field; double the marks that belong to "
            "the text",
        ),
        (
            f'{HEAD}\n1,A,t\n2,"say \\"x\\" now",t\n',
            ", line 3: text follows the closing quotation mark of a field; double the marks that belong to "
            "the text",
        ),
        (f'{HEAD}\n1,A,"t\n', ", line 2: a quoted field is never closed; close it with a quotation mark"),
        (
            f"{HEAD}\n1,A,t\n2,B,t\0\n",
            ", line 3: the text holds a NUL character, as no table does; save the file as UTF-8 CSV",
        ),
        (
            f"{HEAD}\r1,A,t\r2,B,t\0\r",
            ", line 3: the text holds a NUL character, as no table does; save the file as UTF-8 CSV",
        ),
    ],
)
def test_faults(content: str, sentence: str, tmp_path: Path) -> None:
    assert fault(written(tmp_path, content)) == sentence


def test_long_fields(tmp_path: Path) -> None:
    long = "x" * (1 << 20)
    file = written(tmp_path, f"{HEAD}\n1,A,t\n2,{long},t\n")
    assert stage(file)[1][2] == ("2", long, "t")
    sentence = (
        ", line 3: a field is longer than 1 MB; close its quotation mark, or leave such texts out of the log"
    )
    for field in (f"{long}x", f'"{"x" * 99}\n{long}"', f"{long}x,surplus,surplus"):
        assert fault(written(tmp_path, f"{HEAD}\n1,A,t\n2,{field},t\n")) == sentence
    sentence = fault(written(tmp_path, f"{HEAD}\n1,A,t\n2,{20 * long},t\n"))
    assert sentence.startswith(", line 3: the line is longer than 8 MB")
    assert fault(written(tmp_path, long * 2)).startswith(", line 1: the header doesn't end within 1 MB")


def test_a_very_wide_table(tmp_path: Path) -> None:
    names, values = ([f"{mark}{i}" for i in range(2_000)] for mark in "cv")
    staged, rows, _ = stage(written(tmp_path, f"{','.join(names)}\n{','.join(values)}\n"))
    assert staged.columns == tuple(names)
    assert rows == {1: tuple(values)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode(encoding: str, tmp_path: Path) -> None:
    content = f"{HEAD}\n1,Größe 😀,t\n2,ő,t\n"
    staged, rows, _ = stage(written(tmp_path, content, encoding))
    assert rows == {1: ("1", "Größe 😀", "t"), 2: ("2", "ő", "t")}
    assert staged.notes == ()
    cut = content.encode(encoding)[:-1] if encoding.startswith("utf-16") else b""
    if cut:
        assert fault(written(tmp_path, cut)).startswith(", line 3: the text can't be read as utf-16")


def test_western_european(tmp_path: Path) -> None:
    file = written(tmp_path, f"{HEAD}\n1,„Spaß“ für 5 €,t\n", "cp1252")
    staged, rows, _ = stage(file)
    assert rows == {1: ("1", "„Spaß“ für 5 €", "t")}
    assert staged.encoding == "cp1252"
    assert staged.notes == ("The file is not UTF-8; it was read as cp1252.",)


@pytest.mark.parametrize("sign", ["é", "Š", "€", "Ж", "漢字", "ł"])
@pytest.mark.parametrize("line_end", ["\n", "\r"])
def test_mixed_encodings_are_refused(sign: str, line_end: str, tmp_path: Path) -> None:
    rows = [HEAD.encode(), b"1,A,t", "2,ö,t".encode("latin-1"), f"3,{sign}{sign},t".encode()]
    # Beyond the first block, too.
    for filler in (0, 200_000):
        content = line_end.encode().join([rows[0], *(b"1,B,t" for _ in range(filler)), *rows[1:]])
        assert fault(written(tmp_path, content)) == (
            f" is not UTF-8, but its line {filler + 4} holds UTF-8 characters, so encodings are mixed; save "
            "all of the file as UTF-8"
        )


def test_unknown_encodings_are_refused(tmp_path: Path) -> None:
    assert fault(written(tmp_path, f"{HEAD}\n1,A,t\n2,".encode() + b"\x90\xe1,t\n")) == (
        ", line 3: the byte 0x90 is neither UTF-8 nor Western European (cp1252), so the encoding isn't "
        "known; save the file as UTF-8"
    )


def test_broken_rows_are_set_aside_or_named(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        'case_id,activity,end_time\n1,"A\nA",2024-03-04\n\n2,B\n3,"C, D",2024-03-05,x,"y\nz"\n4,E,soon\n'
        "5,F,2024-03-06\n",
    )
    with Historian(":memory:") as historian:
        with pytest.raises(
            DataError, match=r"line 5: the row has 2 fields where the header has 3 .* \(the first of 3 rows"
        ):
            historian.import_log(file)
        report = historian.import_log(file, on_bad_rows="quarantine")
        assert (report.rows_read, report.rows_kept, report.rows_quarantined) == (5, 2, 3)
        assert report.quarantined["wrong number of fields"] == 2
        rows = {row: raw for row, _, raw in historian.quarantined("log")}
        assert list(rows) == [2, 3, 4]
        assert rows[2] == ('{"case_id": "2", "activity": "B", "end_time": null, "(row as it stood)": "2,B"}')
        assert '"activity": "C, D"' in rows[3]
        assert '"(row as it stood)": "3,\\"C, D\\",2024-03-05,x,\\"y\\nz\\""' in rows[3]


def test_when_nothing_but_broken_rows_is_there(tmp_path: Path) -> None:
    staged, rows, broken = stage(written(tmp_path, f"{HEAD}\n" + "1,A\n" * 10_000))
    assert (staged.rows, len(rows), len(broken)) == (10_000, 0, 10_000)


def test_too_many_shifts_of_lines_leave_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, f"{HEAD}\n\n1,A,t\n\n2,B,t\n\n3,C,t\n")
    assert stage(file)[0].place(3).endswith("log.csv, line 7")
    monkeypatch.setattr(row_lines, "_MOST_SHIFTS", 2)
    assert stage(file)[0].place(3).endswith("log.csv, data row 3")


def test_small_pieces_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = f"{HEAD}\r\n" + f"1,Größe 😀,t\r\n1,{'x' * 110},t\r\n" * 250 + '2,"""x",t'
    whole = {e: stage(written(tmp_path, content, e)) for e in ("utf-8-sig", "utf-16", "utf-32")}
    monkeypatch.setattr(csv_reader, "_BLOCK", 200)
    monkeypatch.setattr(csv_reader, "SAMPLE", 40)
    monkeypatch.setattr(dialect, "SAMPLE", 40)
    monkeypatch.setattr(text, "LONGEST_LINE", 200)
    for encoding, expected in whole.items():
        assert stage(written(tmp_path, content, encoding)) == expected
        assert len(expected[1]) == 501
        assert fault(written(tmp_path, f"{content}\0", encoding)).startswith(
            ", line 502: the text holds a NUL"
        )

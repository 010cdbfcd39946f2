"""Delimited text that goes wrong in encoding, shape or content."""

from __future__ import annotations

from tests.nasty.outcome import HEADER, PLAIN, Nasty, Refused, Right, line, named, one, table

MB = 1 << 20
UMLAUT = named("Müller", "Ann")
EURO = named("Ann € “A”", "Ann")
TEXTS = (
    "007",
    "NA",
    "null",
    "NULL",
    "None",
    "nan",
    "1e5",
    "0x1F",
    "TRUE",
    "=1+1",
    "-",
    "日本語",
    "\u00e9",
    "e\u0301",
)


def _rows(*texts: str) -> bytes:
    return "\n".join((HEADER, *texts, "")).encode()


def _first_and(text: str) -> bytes:
    return _rows(line(PLAIN[0]), text, line(PLAIN[2]))


def _wide() -> bytes:
    head = HEADER + "".join(f",c{i}" for i in range(3000))
    return f"{head}\n{line(PLAIN[0])}{',' * 3000}\n".encode()


ENCODINGS = (
    Nasty("plain.csv", table().encode(), Right(PLAIN), "nothing: the folder's yardstick"),
    Nasty("bom.csv", table().encode("utf-8-sig"), Right(PLAIN), "a byte order mark before the header"),
    Nasty("utf16_le.csv", b"\xff\xfe" + table(UMLAUT).encode("utf-16-le"), Right(UMLAUT), "UTF-16 with mark"),
    Nasty(
        "utf16_be.csv", b"\xfe\xff" + table(UMLAUT).encode("utf-16-be"), Right(UMLAUT), "UTF-16, big endian"
    ),
    Nasty("utf16_no_mark.csv", table().encode("utf-16-le"), Right(PLAIN), "UTF-16 that doesn't say so"),
    Nasty("latin1.csv", table(UMLAUT).encode("latin-1"), Right(UMLAUT, says="read as"), "not UTF-8"),
    Nasty("cp1252.csv", table(EURO).encode("cp1252"), Right(EURO, says="read as"), "Windows quotes, euro"),
    Nasty(
        "mixed_encodings.csv",
        _rows(line(named("Müller", "Ann")[0]))
        + line(named("Jürgen", "Bob")[1]).encode("latin-1")
        + b"\n"
        + line(named("Zoë", "Ann")[2]).encode()
        + b"\n",
        Refused(r"mixed_encodings\.csv.* line [23]\b.*mixed"),
        "UTF-8 and Latin-1 in one file",
    ),
    Nasty("nul.csv", table().replace("Bob", "B\0b").encode(), Refused("NUL"), "a NUL in a name"),
    Nasty("nul_tail.csv", table().encode() + b"\0" * 4096, Refused("NUL"), "a crash left zeros at the end"),
)
SHAPES = (
    Nasty("empty.csv", b"", Refused("empty"), "no byte at all"),
    Nasty("blank.csv", b"\n \n\r\n", Refused("empty"), "blank lines only"),
    Nasty("header_only.csv", (HEADER + "\n").encode(), Refused("at least one event"), "no event"),
    Nasty("one_event.csv", table(PLAIN[:1]).encode(), Right(PLAIN[:1]), "a single event"),
    Nasty("no_last_newline.csv", table().rstrip("\n").encode(), Right(PLAIN), "the last line isn't ended"),
    Nasty("crlf.csv", table(end="\r\n").encode(), Right(PLAIN), "line ends of Windows"),
    Nasty("cr.csv", table(end="\r").encode(), Right(PLAIN), "line ends of old Macs"),
    Nasty("blank_lines.csv", table(end="\n\n").encode(), Right(PLAIN), "every second line is blank"),
    Nasty(
        "duplicate_header.csv",
        b"case_id,activity,start_time,activity\n1,A,2024-03-04T08:00:00Z,B\n",
        Refused("'activity' twice"),
        "two columns of one name",
    ),
    Nasty(
        "unnamed_column.csv",
        (HEADER + ",\n" + "".join(line(row) + ",x\n" for row in PLAIN)).encode(),
        Right(PLAIN),
        "a column without a name",
    ),
    Nasty(
        "trailing_delimiter.csv",
        table(end=",\n").encode(),
        Right(PLAIN),
        "every line ends in a delimiter",
    ),
    Nasty(
        "short_row.csv", _first_and("1,Ship,Bob"), Refused(r"short_row\.csv, line 3"), "a row of three fields"
    ),
    Nasty(
        "long_row.csv",
        _first_and(line(PLAIN[1]) + ",more,and more"),
        Refused(r"long_row\.csv, line 3"),
        "a row of seven fields",
    ),
    Nasty(
        "long_row_aside.csv",
        _first_and(line(PLAIN[1]) + ",more"),
        Right((PLAIN[0], PLAIN[2]), quarantined=1),
        "a row of six fields, to be set aside",
        {"on_bad_rows": "quarantine"},
    ),
    Nasty(
        "unquoted_comma.csv",
        _first_and("1,Ship, by air,Bob,2024-03-04T09:00:00Z,2024-03-04T09:10:00Z"),
        Refused(r"line 3"),
        "a comma in a field without quotes shifts the rest",
    ),
    Nasty(
        "quoted_newline.csv",
        _first_and('1,"Ship\nby air",Bob,2024-03-04T09:00:00Z,2024-03-04T09:10:00Z'),
        Right(named("Ship\nby air", "Ship")),
        "a line break inside quotes",
    ),
    Nasty(
        "doubled_quotes.csv",
        _first_and('1,"Ship ""now"", please",Bob,2024-03-04T09:00:00Z,2024-03-04T09:10:00Z'),
        Right(named('Ship "now", please', "Ship")),
        "quotes and commas inside quotes",
    ),
    Nasty(
        "open_quote.csv",
        _first_and('1,"Ship,Bob,2024-03-04T09:00:00Z,2024-03-04T09:10:00Z'),
        Refused("line 3.*quot"),
        "a quote that is never closed",
    ),
    Nasty("semicolons.csv", table(delimiter=";").encode(), Right(PLAIN), "semicolons"),
    Nasty("tabs.tsv", table(delimiter="\t").encode(), Right(PLAIN), "tabs"),
    Nasty("pipes.txt", table(delimiter="|").encode(), Right(PLAIN), "pipes"),
    Nasty("excel_sep.csv", b"sep=;\r\n" + table(delimiter=";").encode(), Right(PLAIN), "Excel's first line"),
    Nasty(
        "decimal_commas.csv",
        b"case_id;activity;end_time;amount\n1;A;2024-03-04T08:00:00Z;1,5\n1;B;2024-03-04T09:00:00Z;2,5\n",
        Right(
            (
                one(activity="A", resource=None, start="2024-03-04T08:00:00Z", end="2024-03-04T08:00:00Z"),
                one(activity="B", resource=None, start="2024-03-04T09:00:00Z", end="2024-03-04T09:00:00Z"),
            )
        ),
        "decimal commas between semicolons",
    ),
    Nasty("one_column.csv", b"activity\nA\nB\n", Refused("--map"), "no delimiter at all"),
    Nasty(
        "wide.csv",
        _wide(),
        Refused("columns"),
        "three thousand columns",
    ),
    Nasty(
        "long_field.csv",
        lambda: _first_and("1," + "x" * (20 * MB) + ",Bob,2024-03-04T09:00:00Z,2024-03-04T09:10:00Z"),
        Refused("line 3.*MB"),
        "a field of 20 MB",
    ),
    Nasty(
        "long_line.csv",
        lambda: (HEADER + "\n").encode() + b"y" * (20 * MB),
        Refused("long_line"),
        "20 MB without a delimiter or a line end",
    ),
)
CONTENT = (
    Nasty(
        "texts.csv",
        _rows(*(f"{text},{text},{text},2024-03-04T08:00:00Z,2024-03-04T08:30:00Z" for text in TEXTS)),
        Right(tuple(one(text, text, text) for text in TEXTS)),
        "numbers, words for nothing, formulas, scripts, twice é: all are names and stay as they are",
    ),
    Nasty(
        "ids_turn_to_text.csv",
        lambda: _rows(
            *(f"{i},A,,2024-03-04T08:00:00Z,2024-03-04T08:30:00Z" for i in range(30_000)),
            "X1,A,,2024-03-04T08:00:00Z,2024-03-04T08:30:00Z",
        ),
        Right((*(one(str(i), "A", None) for i in range(30_000)), one("X1", "A", None))),
        "ids are numbers for 30,000 rows and then text",
    ),
    Nasty(
        "no_case.csv",
        _first_and(",Ship,Bob,2024-03-04T09:00:00Z,2024-03-04T09:10:00Z"),
        Refused(r"line 3: column 'case_id'"),
        "an event of no case",
    ),
    Nasty(
        "no_activity.csv",
        _first_and("1,  ,Bob,2024-03-04T09:00:00Z,2024-03-04T09:10:00Z"),
        Refused(r"line 3: column 'activity'"),
        "an event of blank name",
    ),
    Nasty("no_time.csv", _first_and("1,Ship,Bob,,"), Refused("line 3: no time"), "an event without a time"),
    Nasty(
        "backwards.csv",
        _first_and("1,Ship,Bob,2024-03-04T09:10:00Z,2024-03-04T09:00:00Z"),
        Refused("line 3: the end .* before the start"),
        "an end before its start",
    ),
    Nasty(
        "backwards_aside.csv",
        _first_and("1,Ship,Bob,2024-03-04T09:10:00Z,2024-03-04T09:00:00Z"),
        Right((PLAIN[0], PLAIN[2]), quarantined=1),
        "an end before its start, to be set aside",
        {"on_bad_rows": "quarantine"},
    ),
    Nasty(
        "exact_duplicates.csv",
        table((PLAIN[0], PLAIN[0], PLAIN[2])).encode(),
        Right((PLAIN[0], PLAIN[0], PLAIN[2]), says="1 execution repeats an earlier one"),
        "the same row twice",
    ),
    Nasty(
        "page.csv", b"<!DOCTYPE html><html><body>Sign in</body></html>\n", Refused("page"), "a sign-in page"
    ),
    Nasty("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, Refused("picture"), "a picture"),
    Nasty("words.json", b'{"error": "not found"}', Refused("words"), "an error message in JSON"),
)
FILES = (*ENCODINGS, *SHAPES, *CONTENT)

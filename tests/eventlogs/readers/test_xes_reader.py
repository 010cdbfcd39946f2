"""XES as others write it, and as nobody should."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from eventlogs.historian import Historian
from metagraph.errors import DataError
from tests.eventlogs.logs import frozen, traces
from tests.eventlogs.readers.xes_naive import staged

LOG = """<?xml version="1.0" encoding="{encoding}"?>
<!-- <event><string key="concept:name" value="not an event"/></event> -->
<{p}log xes.version="1.0" {ns}>
  <{p}global scope="event"><{p}string key="concept:name" value="UNKNOWN"/></{p}global>
  <{p}classifier name="Activity" keys="concept:name"/>
  <{p}string key="concept:name" value="the log"/>
  <{p}trace>
    <{p}string key="concept:name" value="007"><{p}string key="concept:name" value="nested"/></{p}string>
    <{p}float key="amount" value="12.50"/>
    <{p}list key="tags"><{p}values><{p}string key="amount" value="99"/></{p}values></{p}list>
    <{p}event>
      <{p}string key="concept:name" value="a &gt; b &amp; ü">
        <{p}string key="concept:name" value="deep"/>
      </{p}string>
      <{p}string key="org:resource" value="NA"/>
      <{p}date key="time:timestamp" value="2024-03-04T10:00:00.000+01:00"/>
      <{p}string key="lifecycle:transition" value="start"/>
    </{p}event>
    <{p}event>
      <{p}string key='concept:name' value='a > b &amp; ü'/>
      <{p}string key="org:resource" value="NA"/>
      <{p}date key="time:timestamp" value="2024-03-04T11:00:00.000+01:00"/>
      <{p}string key="lifecycle:transition" value="complete"/>
      <{p}int key="cost" value="3"/>
    </{p}event>
  </{p}trace>
  <{p}trace><{p}string key="concept:name" value="no events"/></{p}trace>
</{p}log>
"""


def log(encoding: str = "UTF-8", prefix: str = "") -> str:
    ns = f'xmlns{":" + prefix if prefix else ""}="http://www.xes-standard.org/"'
    return LOG.format(encoding=encoding, p=f"{prefix}:" if prefix else "", ns=ns)


@pytest.mark.parametrize("prefix", ["", "xes"])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1", "windows-1252"])
@pytest.mark.parametrize("packed", [False, True])
def test_attributes_are_those_of_their_own_element(
    prefix: str, encoding: str, packed: bool, tmp_path: Path
) -> None:
    content = log(encoding, prefix).encode(encoding)
    file = tmp_path / ("log.xes.gz" if packed else "log.xes")
    file.write_bytes(gzip.compress(content) if packed else content)
    snapshot = frozen(file)
    ((case, (row,)),) = traces(snapshot)
    assert (case, row.activity, row.resource) == ("007", "a > b & ü", "NA")
    assert (row.start_s, row.end_s) == (3600, 7200)
    assert snapshot.attributes == {"case:amount": ("12.50",)}


def test_what_belongs_to_no_case_is_counted(tmp_path: Path) -> None:
    event = '<event><string key="concept:name" value="X"/></event></log>'
    (tmp_path / "log.xes").write_text(log().replace("</log>", event))
    with Historian(":memory:") as historian:
        notes = historian.import_log(tmp_path / "log.xes").notes
    assert notes[:2] == (
        "1 events stand outside any trace; they belong to no case and were left out.",
        "1 traces hold no event; they were left out.",
    )
    assert "3 attributes stand inside other attributes ('concept:name', 'amount')" in notes[2]


FAULTS = {
    "cut short": (
        log().replace("</log>", ""),
        "line 29: the XML is malformed or cut short (no element found); export it again",
    ),
    "a wrong tag": (
        log().replace("</trace>", "</event>", 1),
        "line 26: the XML is malformed or cut short (mismatched tag); export it again",
    ),
    "entities": (
        log().replace("<log", '<!DOCTYPE log [<!ENTITY a "aa">]><log'),
        "line 3: a document type declaration is refused, because entities can blow up the file; "
        "export the log without it",
    ),
    "a bottomless tree": (
        log().replace("<trace>", '<trace><list key="l">' + "<values>" * 70, 1),
        "line 7: elements are nested more than 64 deep; export the log without it",
    ),
    "a huge attribute": (
        log().replace("12.50", "1" * 1_100_000),
        "line 9: an attribute is longer than 1 MB; export the log without it",
    ),
    "an endless attribute": (
        log().replace("12.50", "1" * 20_000_000),
        "line 9: an attribute or a comment is longer than 1 MB; export the log without it",
    ),
    "a token without an end": (
        log() + "<!--" + "<" * 5_000_000,
        "line 29: an attribute or a comment is longer than 1 MB; export the log without it",
    ),
    "an endless text": (
        log().replace("</log>", "<a" * 3_000_000),
        "line 28: the XML is malformed or cut short (not well-formed (invalid token)); export it again",
    ),
    "an event in an event": (
        log().replace("    <event>", "<event><list><event/></list>", 1),
        "line 11: <event> stands inside <event>, where XES has none; export it again",
    ),
    "a trace in a trace": (
        log().replace("    <event>", "<trace/><event>", 1),
        "line 11: <trace> stands inside <trace>, where XES has none; export it again",
    ),
    "another kind of XML": (
        "<?xml version='1.0'?>\n<!-- <log> -->\n<definitions/>",
        "line 3: this is no XES file: its outermost element is <definitions>, not <log>",
    ),
    "no XML": ("case,activity\n1,A\n", "line 1: this is no XML (syntax error), so it can't be XES"),
    "two logs": (
        log() + "<log/>",
        "line 29: the XML is malformed or cut short (junk after document element); export it again",
    ),
    "an unknown encoding": (
        log("klingon"),
        "line 1: the declared encoding 'klingon' is unknown; save the file as UTF-8",
    ),
    "a codec that is no encoding": (
        log("unicode_escape"),
        "line 1: the declared encoding 'unicode_escape' is unknown; save the file as UTF-8",
    ),
    "an entity nobody declared": (
        log().replace("12.50", "&lol;"),
        "line 9: the XML is malformed or cut short (undefined entity); export it again",
    ),
    "an object-centric log": (
        "<log><object-types/></log>",
        "line 1: this is an object-centric log (OCEL) in XML; save it as OCEL 2.0 in JSON or SQLite",
    ),
    "an unparsable time": (
        log().replace("2024-03-04T11:00:00.000+01:00", "noon"),
        "event 2: 'noon' in column 'time:timestamp' is not a time in this column's format, year first "
        "(2024-01-31 13:45:00, ISO 8601); mend it, or set such rows aside with 'import take --quarantine'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_place(fault: str, tmp_path: Path) -> None:
    content, sentence = FAULTS[fault]
    file = tmp_path / "log.xes"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught, Historian(tmp_path / "x.duckdb") as historian:
        historian.import_log(file)
    assert str(caught.value) == f"{file}, {sentence}"
    assert [path.name for path in tmp_path.iterdir()] == ["log.xes"]


def test_a_log_without_events_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.xes").write_text("<log><trace/></log>")
    with pytest.raises(DataError, match="holds no event inside a trace"), Historian(":memory:") as historian:
        historian.import_log(tmp_path / "log.xes")


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "log.xes"
    file.write_bytes(log().encode("cp1252"))
    with pytest.raises(DataError, match=r"log.xes, line 12: the text is not utf-8 .*save the file as UTF-8"):
        frozen(file)


def test_a_false_declaration_of_utf_16_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "log.xes"
    file.write_text(log("utf-16"), encoding="utf-8")
    with Historian(":memory:") as historian:
        notes = historian.import_log(file).notes
    assert notes[0] == "The file declares utf-16, but is written as UTF-8; it was read as that."


def log_of(*traces: str, head: str = "") -> str:
    return f"<log>{head}{''.join(f'<trace>{trace}</trace>' for trace in traces)}</log>"


def attribute(key: str, value: str) -> str:
    return f'<string key="{key}" value="{value}"/>'


def event(name: str, *others: str) -> str:
    stamp = '<date key="time:timestamp" value="2024-03-04T10:00:00Z"/>'
    return f"<event>{attribute('concept:name', name) if name else ''}{stamp}{''.join(others)}</event>"


def read(con: DuckDBPyConnection, tmp_path: Path, text: str) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    file = tmp_path / "log.xes"
    file.write_text(text, encoding="utf-8")
    found, rows = staged(con, file)
    return found.notes, rows


@pytest.fixture
def con() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


def test_traces_without_a_name_are_cases_of_their_own(con: DuckDBPyConnection, tmp_path: Path) -> None:
    notes, rows = read(
        con, tmp_path, log_of(event("A"), attribute("concept:name", " ") + event("B"), event("C"))
    )
    assert [row["case:concept:name"] for row in rows] == [f"(unnamed trace {i})" for i in (1, 2, 3)]
    assert notes == ("3 traces have no concept:name; each became a case named by its place in the file.",)


def test_traces_of_one_name_are_one_case_and_it_is_said(con: DuckDBPyConnection, tmp_path: Path) -> None:
    one = attribute("concept:name", "7") + attribute("colour", "red") + event("A")
    notes, rows = read(con, tmp_path, log_of(one, one.replace("red", "blue")))
    assert [row["case:colour"] for row in rows] == ["red", "blue"]
    assert notes == (
        "1 names stand on several traces, such as '7'; the events of traces of one name make one case.",
        "Traces of one name differ in case:colour; the first value was taken.",
    )


def test_attributes_of_a_trace_behind_its_events_count_for_all(
    con: DuckDBPyConnection, tmp_path: Path
) -> None:
    late = event("A") + event("B") + attribute("concept:name", "7") + attribute("colour", "red")
    _, rows = read(con, tmp_path, log_of(late, attribute("concept:name", "8") + event("C")))
    assert [(row["case:concept:name"], row.get("case:colour")) for row in rows] == [
        ("7", "red"),
        ("7", "red"),
        ("8", None),
    ]


def test_an_attribute_given_twice_is_reported(con: DuckDBPyConnection, tmp_path: Path) -> None:
    notes, rows = read(con, tmp_path, log_of(event("A", attribute("x", "1"), attribute("x", "2"))))
    assert rows[0]["x"] == "2"
    assert notes[-1] == "1 attributes stand twice in their event or trace; the last value was taken."


def test_an_events_attribute_never_overwrites_its_traces(con: DuckDBPyConnection, tmp_path: Path) -> None:
    notes, rows = read(
        con,
        tmp_path,
        log_of(attribute("cost", "1") + event("A", attribute("case:cost", "2"), attribute("cost", "3"))),
    )
    assert (rows[0]["case:cost"], rows[0]["event:case:cost"], rows[0]["cost"]) == ("1", "2", "3")
    assert notes[-1] == (
        "The events' own attribute 'case:cost' looks like one of traces; its column is 'event:case:cost'."
    )


def test_globals_are_not_filled_in_and_placeholders_are_reported(
    con: DuckDBPyConnection, tmp_path: Path
) -> None:
    declared = attribute("concept:name", "__INVALID__") + attribute("org:resource", "complete")
    head = f'<global scope="event">{declared}</global><global scope="trace">{declared}</global>'
    text = log_of(
        attribute("concept:name", "7")
        + event("__INVALID__", attribute("org:resource", "complete"))
        + event("", attribute("org:resource", "complete"))
        + event("A"),
        head=head,
    )
    notes, rows = read(con, tmp_path, text)
    assert [(row.get("concept:name"), row.get("org:resource")) for row in rows] == [
        ("__INVALID__", "complete"),
        (None, "complete"),
        ("A", None),
    ]
    assert notes == (
        "1 events lack 'concept:name', which the file declares for every event; it stays empty there.",
        "1 events have '__INVALID__' as 'concept:name', which the file declares as a placeholder; it was "
        "kept as it stands.",
        "1 events lack 'org:resource', which the file declares for every event; it stays empty there.",
    )


def test_the_classifier_stands_in_for_a_missing_activity(con: DuckDBPyConnection, tmp_path: Path) -> None:
    head = (
        '<classifier name="absent" keys="nothing"/><classifier name="Step" keys="Step no \'part\'"/>'
        '<classifier name="of traces" scope="trace" keys="part"/>'
    )
    text = log_of(
        event("", attribute("Step no", "1"), attribute("part", "a")) + event("", attribute("part", "b")),
        head=head,
    )
    notes, rows = read(con, tmp_path, text)
    assert [row["concept:name"] for row in rows] == ["1+a", "b"]
    assert notes[0] == (
        "No event has a concept:name; the file's classifier 'Step' (Step no + part) stands in for it as the "
        "activity."
    )


def test_other_classifiers_are_named(con: DuckDBPyConnection, tmp_path: Path) -> None:
    head = '<classifier name="Activity" keys="concept:name lifecycle:transition"/>'
    notes, _ = read(con, tmp_path, log_of(event("A", attribute("lifecycle:transition", "start")), head=head))
    assert notes[0] == (
        "The file also tells events apart by 'Activity' (concept:name + lifecycle:transition); the activity "
        "is concept:name alone."
    )


def test_long_attributes_of_a_trace_with_many_events_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "log.xes"
    file.write_text(log_of(attribute("note", "x" * 500_000) + event("A") * 600))
    with pytest.raises(DataError, match="repeating them for each of their events takes over 256 MB"):
        frozen(file)


def test_too_many_keys_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "log.xes"
    file.write_text(log_of(*(event("A", attribute(f"k{i}", "1")) for i in range(2_100))))
    with pytest.raises(DataError, match="more than 2,000 different attribute keys"):
        frozen(file)


def test_one_event_is_a_log(con: DuckDBPyConnection, tmp_path: Path) -> None:
    assert len(read(con, tmp_path, log_of(event("A")))[1]) == 1

"""XES as others write it, and as nobody should."""

import gzip
from pathlib import Path

import pytest

from eventlogs.historian import Historian
from metagraph.errors import DataError
from tests.eventlogs.logs import frozen, traces

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
    assert notes == (
        "1 events stand outside any trace; they belong to no case and were left out.",
        "1 traces hold no event; they were left out.",
    )


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
    "an unparsable time": (
        log().replace("2024-03-04T11:00:00.000+01:00", "noon"),
        "event 2: 'noon' in column 'time:timestamp' is not a time in this column's format, year first "
        "(2024-01-31 13:45:00, ISO 8601); mend it, or set such rows aside with --quarantine",
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

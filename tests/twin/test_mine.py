"""Filters as text, and answers as files."""

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet
import pytest

from eventlogs.mining.catalogue import QUESTIONS
from eventlogs.mining.filters import LogFilter
from metagraph.errors import DataError, UsageError
from twin.mine import mine_command, parse_filter
from twin.progress import Progress
from twin.source import LogRequest

LOG = """case_id,activity,resource,start_time,end_time,segment
1,"Say ""hi"", then go",Ann,2024-01-01T08:00:00Z,2024-01-01T09:00:00Z,key
1,B,Bo,2024-01-01T09:30:00Z,2024-01-01T10:00:00Z,key
2,B,Bo,2024-01-02T08:00:00Z,,standard
"""
QUIET = Progress(lambda step, share: None)


@pytest.fixture
def request_(tmp_path: Path) -> LogRequest:
    file = tmp_path / "log.csv"
    file.write_text(LOG, encoding="utf-8")
    return LogRequest(str(file), str(tmp_path / "db.duckdb"))


def test_filters_are_read_from_text() -> None:
    found = parse_filter(
        [
            *("after=2024-01-01", "window=started", "activities=A=B, C", "activities=D", "top_variants=3"),
            *("case_attributes.customer.kind=a", "case_attributes.customer.kind=b", "max_cycle_s=1.5e3"),
        ]
    )
    assert found == LogFilter(
        after=datetime(2024, 1, 1, tzinfo=UTC),
        window="started",
        activities=("A=B, C", "D"),
        top_variants=3,
        case_attributes={"customer.kind": ("a", "b")},
        max_cycle_s=1500.0,
    )


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("activity=A", "expected KEY=VALUE with one of the keys after, before"),
        ("activities", "expected KEY=VALUE"),
        ("attributes=x", "attributes.NAME"),
        ("cases.x=1", "expected KEY=VALUE"),
        ("top_variants=few", "expected a number"),
        ("after=soon", "not an instant"),
        ("window=around", "none of contained"),
    ],
)
def test_a_filter_that_cant_be_read_gives_a_sentence(option: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse_filter([option])
    with pytest.raises(UsageError, match="given twice"):
        parse_filter(["after=2024-01-01", "after=2024-01-02"])


def test_answers_are_written_whole(request_: LogRequest, tmp_path: Path) -> None:
    for what in QUESTIONS:
        for ending in (".csv", ".csv.gz", ".parquet"):
            out = tmp_path / f"{what}{ending}"
            table = mine_command(request_, what, [], "", "UTC", out, QUIET)
            if ending == ".parquet":
                assert pyarrow.parquet.read_table(out).equals(table)
                continue
            text = out.read_bytes() if ending == ".csv" else gzip.decompress(out.read_bytes())
            rows = list(csv.reader(text.decode().splitlines()))
            assert rows[0] == table.column_names
            assert len(rows) == table.num_rows + 1
    found = list(csv.DictReader((tmp_path / "variants.csv").read_text().splitlines()))
    assert json.loads(found[1]["activities"]) == ['Say "hi", then go', "B"]
    dots = list(csv.DictReader((tmp_path / "dotted.csv").read_text().splitlines()))
    assert [row["end"][:19] for row in dots] == ["2024-01-01T09:00:00", "2024-01-01T10:00:00", ""]


def test_a_named_log_is_asked_with_a_filter(request_: LogRequest, tmp_path: Path) -> None:
    mine_command(request_, "summary", [], "", "UTC", None, QUIET)
    named = LogRequest("log", request_.db)
    table = mine_command(named, "starts", ["case_attributes.segment=standard"], "", "UTC", None, QUIET)
    assert table.to_pylist() == [{"activity": "B", "cases": 1, "share": 1.0}]
    with pytest.raises(DataError, match="neither a file nor a log"):
        mine_command(LogRequest("other", request_.db), "starts", [], "", "UTC", None, QUIET)


def test_nothing_is_read_for_a_file_that_cant_be_written(tmp_path: Path) -> None:
    request = LogRequest("nowhere.csv", str(tmp_path / "db"))
    with pytest.raises(UsageError, match=r"ends in \.csv"):
        mine_command(request, "starts", [], "", "UTC", tmp_path / "out.xlsx", QUIET)
    with pytest.raises(DataError, match="no such folder"):
        mine_command(request, "starts", [], "", "UTC", tmp_path / "no" / "out.csv", QUIET)

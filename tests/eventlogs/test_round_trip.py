"""Laws of the way from a file to a snapshot."""

import random
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from eventlogs.writer import write_log
from tests.eventlogs.logs import T0, Row, frozen, naive_traces, row_lists, traces, write

few = settings(max_examples=20)


@few
@given(row_lists)
def test_a_snapshot_holds_every_row_as_it_stood(rows: list[Row]) -> None:
    with TemporaryDirectory() as folder:
        snapshot = frozen(write(Path(folder) / "log.csv", rows))
    assert traces(snapshot) == naive_traces(rows)
    assert snapshot.activities == tuple(sorted({r.activity for r in rows}))
    assert snapshot.resources == tuple(sorted({r.resource for r in rows if r.resource}))
    assert snapshot.origin.weekday() == 0
    assert 0 <= snapshot.start_s.min() < 7 * 86_400


@few
@given(row_lists, st.integers(0, 40 * 86_400))
def test_only_what_was_known_then_is_seen(rows: list[Row], until_s: int) -> None:
    rows.append(Row("first", "A", None, 0.0, 1.0))
    with TemporaryDirectory() as folder:
        snapshot = frozen(write(Path(folder) / "log.csv", rows), T0 + timedelta(seconds=until_s))
    assert traces(snapshot) == naive_traces(rows, until_s)


@few
@given(row_lists, st.integers(0, 40 * 86_400), st.randoms(use_true_random=False))
def test_nothing_after_the_instant_changes_the_snapshot(
    rows: list[Row], until_s: int, chance: random.Random
) -> None:
    rows = [*rows, Row("first", "A", None, 0.0, 1.0)]

    def later_shuffled(row: Row) -> Row:
        if row.start_s > until_s:
            start = until_s + chance.randint(1, 10**6)
            return Row(chance.choice("ABC"), chance.choice("XYZ"), chance.choice("PQ"), start, start + 5)
        if row.end_s is not None and row.end_s > until_s:
            return row._replace(end_s=until_s + chance.randint(1, 10**6))
        return row

    with TemporaryDirectory() as folder:
        file, other = Path(folder) / "log.csv", Path(folder) / "other.csv"
        write(file, rows)
        write(other, map(later_shuffled, rows))
        instant = T0 + timedelta(seconds=until_s)
        for open_cases in ((), None):
            before, after = (frozen(f, instant, open_cases) for f in (file, other))
            assert before.content_hash == after.content_hash


@few
@given(row_lists)
def test_a_written_snapshot_reads_back_the_same(rows: list[Row]) -> None:
    with TemporaryDirectory() as folder:
        snapshot = frozen(write(Path(folder) / "log.csv", rows))
        write_log(Path(folder) / "again.csv.gz", snapshot)
        assert frozen(Path(folder) / "again.csv.gz").content_hash == snapshot.content_hash


def test_case_attributes_are_constant_columns_and_the_rest_belong_to_events(tmp_path: Path) -> None:
    header = "case_id,activity,start_time,end_time,segment,amount,outcome,nothing,case:mood"
    body = (
        "1,A,2024-03-04T08:00Z,2024-03-04T09:00Z,gold,007,,,",
        "2,A,2024-03-04T08:30Z,2024-03-04T09:00Z,,10,no,,calm",
        "1,B,2024-03-04T09:00Z,2024-03-04T10:00Z,gold,007,yes,,sad",
        "2,B,2024-03-04T09:00Z,2024-03-04T10:00Z,,11,no,,glad",
    )
    file = tmp_path / "log.csv"
    file.write_text("\n".join((header, *body)))
    with Historian(":memory:") as historian:
        report = historian.import_log(file)
        snapshot = historian.snapshot("log")
    assert report.case_attributes == ("segment", "case:mood")
    assert report.event_attributes == ("amount", "outcome")
    assert snapshot.attributes == {"segment": ("gold", None), "case:mood": ("sad", "calm")}
    assert "nothing" in report.sentences()[-1]


def test_the_writer_gives_the_same_bytes_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    snapshot = frozen(
        write(tmp_path / "log.csv", [Row("1", "A", "r", 0.0, 1.5), Row("1", "B", None, 2.0, None)])
    )
    for name in ("a.csv.gz", "b.csv.gz"):
        write_log(tmp_path / name, snapshot)
    packed = (tmp_path / "a.csv.gz").read_bytes()
    assert packed == (tmp_path / "b.csv.gz").read_bytes()
    assert packed[4:8] == bytes(4), "the archive holds the time it was made"
    write_log(tmp_path / "c.csv", snapshot)
    assert (tmp_path / "c.csv").read_text().splitlines() == [
        "case_id,activity,resource,start_time,end_time",
        "1,A,r,2024-03-04T08:00:00.000Z,2024-03-04T08:00:01.500Z",
        "1,B,,2024-03-04T08:00:02.000Z,",
    ]
    before = sorted(path.name for path in tmp_path.iterdir())
    broken = frozen(tmp_path / "c.csv")
    object.__setattr__(broken, "start_s", np.zeros(1))
    with pytest.raises(ValueError, match="zip"):
        write_log(tmp_path / "d.csv", broken)
    assert sorted(path.name for path in tmp_path.iterdir()) == before

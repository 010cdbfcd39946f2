"""Laws of the way from a file to a snapshot."""

import random
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
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

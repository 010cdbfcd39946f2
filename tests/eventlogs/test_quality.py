"""What is doubtful is counted as one would by hand."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings

from eventlogs.quality import quality
from tests.eventlogs.logs import Row, frozen, row_lists, traces, write


@settings(max_examples=20)
@given(row_lists)
def test_counts_are_those_of_a_naive_count(rows: list[Row]) -> None:
    with TemporaryDirectory() as folder:
        snapshot = frozen(write(Path(folder) / "log.csv", [*rows, rows[0]]))
    shift = (snapshot.origin - snapshot.origin.replace(hour=0)).total_seconds()
    assert shift == 0
    executions = [row for _, group in traces(snapshot) for row in group]
    until = max(row.start_s if row.end_s is None else row.end_s for row in executions)
    found = quality(snapshot)
    assert found.executions == len(rows) + 1
    assert found.duplicates == len(executions) - len(set(executions)) > 0
    assert found.missing_resources == sum(row.resource is None for row in executions)
    assert found.instant == sum(row.end_s == row.start_s for row in executions)
    assert found.running == sum(row.end_s is None for row in executions)
    spans = [
        (i, row.resource, row.start_s, until if row.end_s is None else row.end_s)
        for i, row in enumerate(executions)
        if row.resource is not None
    ]
    overlapping = {
        i
        for i, who, start, end in spans
        for j, other, begin, finish in spans
        if i != j and who == other and start < end and begin < finish and start < finish and begin < end
    }
    assert found.overlapping == len(overlapping)


def test_midnight_stamps(tmp_path: Path) -> None:
    rows = [Row("1", "A", None, 16 * 3600.0, 40 * 3600.0), Row("1", "B", None, 41 * 3600.0, None)]
    assert quality(frozen(write(tmp_path / "log.csv", rows))).midnight_stamps == 2

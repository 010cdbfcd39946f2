"""Parts of a snapshot."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.historian import Historian
from eventlogs.snapshot import Pauses, Snapshot, sealed
from eventlogs.split import (
    closed_cases,
    first_finished,
    known_at,
    split_snapshot,
    subset,
)
from metagraph.errors import DataError
from tests.eventlogs.logs import T0, Row, frozen, naive_traces, row_lists, traces, write


@pytest.mark.parametrize("name", ["LoanApp", "P2P", "ConsultaDataMining", "BPIC12W"])
def test_the_split_is_that_of_the_accuracy_benchmark(name: str, public_logs: Path) -> None:
    logs = {
        "full": public_logs / "forecast" / "logs" / f"{name}.csv.gz",
        "train": public_logs / "accuracy" / "logs" / f"{name}_train.csv.gz",
        "test": public_logs / "accuracy" / "logs" / f"{name}_test.csv.gz",
    }
    with Historian(":memory:") as historian:
        for log, path in logs.items():
            historian.import_log(path, log)
        full, train, test = (historian.snapshot(log, open_cases=()) for log in logs)
    for found, given_part in zip(split_snapshot(full), (train, test), strict=True):
        assert found.cases == given_part.cases
        assert found.offsets.tolist() == given_part.offsets.tolist()
        assert (found.origin, found.activities) == (full.origin, full.activities)
        shift = (given_part.origin - found.origin).total_seconds()
        assert np.allclose(np.sort(found.end_s), np.sort(given_part.end_s + shift), atol=2e-3)
    before, after = split_snapshot(full)
    assert before.end_s.max() <= before.until_s < after.end_s.min()
    assert after.until_s == full.until_s


@settings(max_examples=20)
@given(row_lists, st.data())
def test_a_subset_keeps_its_cases_as_they_were(rows: list[Row], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        snapshot = frozen(write(Path(folder) / "log.csv", rows), open_cases=None)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=snapshot.n_cases, max_size=snapshot.n_cases)))
    part = subset(snapshot, mask)
    assert traces(part) == [trace for trace, keep in zip(traces(snapshot), mask, strict=True) if keep]
    assert part.is_open.tolist() == snapshot.is_open[mask].tolist()
    assert subset(snapshot, np.ones(snapshot.n_cases, dtype=np.bool_)).content_hash == snapshot.content_hash
    assert sealed(part).content_hash == part.content_hash
    assert closed_cases(snapshot).cases == subset(snapshot, ~snapshot.is_open).cases


@settings(max_examples=25, deadline=None)
@given(row_lists, st.integers(0, 40 * 86_400), st.sets(st.integers(0, 24)))
def test_the_log_as_it_was_is_the_one_that_was_frozen_then(
    rows: list[Row], seconds: int, still_open: set[int]
) -> None:
    """Oracle: row by row, what had begun; running what had not ended; open what had more to come."""
    with TemporaryDirectory() as folder:
        snapshot = frozen(write(Path(folder) / "log.csv", rows), open_cases=None)
    snapshot = replace(
        snapshot, is_open=np.array([i in still_open for i in range(snapshot.n_cases)], dtype=np.bool_)
    )
    shift = (snapshot.origin - T0).total_seconds()
    at = seconds - shift
    found = known_at(snapshot, at)
    whole = dict(traces(snapshot))
    assert traces(found) == [
        (case, trace)
        for case, trace in naive_traces([row for trace in whole.values() for row in trace], float(seconds))
    ]
    opened = dict(zip(snapshot.cases, snapshot.is_open, strict=True))
    for case, is_open in zip(found.cases, found.is_open, strict=True):
        more = any(max(row.start_s, row.end_s or 0.0) > seconds for row in whole[case])
        assert is_open == (opened[case] or more)
    assert found.until_s == at


def test_pauses_as_they_were(tmp_path: Path) -> None:
    rows = [Row("1", "A", "ann", 0.0, 100.0), Row("1", "B", None, 100.0, 200.0)]
    snapshot = frozen(write(tmp_path / "log.csv", rows))
    begin = float(snapshot.start_s[0])
    pauses = Pauses(
        np.array([0, 0, 1]), begin + np.array([10.0, 60.0, 120.0]), begin + np.array([20.0, 90.0, 130.0])
    )
    found = known_at(replace(snapshot, pauses=pauses), begin + 70.0).pauses
    assert found.row.tolist() == [0, 0]
    assert (found.start_s - begin).tolist() == [10.0, 60.0]
    assert (found.end_s - begin).tolist() == [20.0, 70.0]


@settings(max_examples=25, deadline=None)
@given(row_lists, st.integers(1, 9))
def test_the_first_to_finish_are_kept(rows: list[Row], n: int) -> None:
    """Oracle: closed cases sorted by their last end; those that end together by their place in the log."""
    with TemporaryDirectory() as folder:
        snapshot = frozen(write(Path(folder) / "log.csv", rows), open_cases=None)
    closed = [
        (case, trace)
        for (case, trace), is_open in zip(traces(snapshot), snapshot.is_open, strict=True)
        if not is_open
    ]
    first = sorted(closed, key=lambda item: max(row.end_s or 0.0 for row in item[1]))[:n]
    assert traces(first_finished(snapshot, n)) == [item for item in closed if item in first]


def test_a_log_that_cannot_be_cut(tmp_path: Path) -> None:
    train, test = split_snapshot(ten_cases(tmp_path), 0.5)
    assert (train.n_cases, test.n_cases) == (5, 5)
    with pytest.raises(DataError, match="log 'log' can't be cut at 80% of its events"):
        split_snapshot(first_finished(ten_cases(tmp_path), 1))


def ten_cases(folder: Path) -> Snapshot:
    rows = [
        Row(str(i), a, None, i * 100.0 + k, i * 100.0 + k + 1) for i in range(10) for k, a in enumerate("AB")
    ]
    return frozen(write(folder / "log.csv", rows))

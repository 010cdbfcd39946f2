"""Snapshots beside the database: the same content or a sentence."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlogs.freezing import with_open
from eventlogs.historian import Historian
from eventlogs.keeping.snapshots import from_table, to_table
from eventlogs.snapshot import Pauses, Snapshot
from metagraph.errors import DataError
from tests.eventlogs.logs import Row, frozen, row_lists, write

ROWS = [Row("1", "A", "r", 0.0, 60.0), Row("1", "B", None, 90.0, None), Row("2", "A", "r", 70.0, 80.0)]


def same(left: Snapshot, right: Snapshot) -> None:
    for name in Snapshot.__slots__:
        one, other = getattr(left, name), getattr(right, name)
        if isinstance(one, Pauses):
            for part in Pauses.__slots__:
                np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
        elif isinstance(one, np.ndarray):
            assert one.dtype == other.dtype, name
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other, name


@settings(max_examples=12, deadline=None)
@given(rows=row_lists, choice=st.randoms(use_true_random=False))
def test_a_table_gives_the_snapshot_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], choice: st.DataObject
) -> None:
    snapshot = frozen(write(tmp_path_factory.mktemp("kept") / "log.csv", rows))
    snapshot = with_open(snapshot, np.array([choice.random() < 0.5 for _ in snapshot.cases]))  # type: ignore[attr-defined]
    same(from_table(to_table(snapshot)), snapshot)


def test_kept_is_found_by_its_first_characters_and_listed(tmp_path: Path) -> None:
    with Historian(tmp_path / "x.duckdb") as historian:
        report = historian.import_log(write(tmp_path / "log.csv", ROWS))
        snapshot = historian.snapshot("log")
        kept = historian.keep_snapshot(snapshot, report, "by the rule")
        assert (kept.log, kept.cases, kept.executions, kept.report) == ("log", 2, 3, report)
        assert kept.until == report.last
        assert historian.keep_snapshot(snapshot, report, "by hand").open_rule == "by hand"
        assert [info.open_rule for info in historian.kept_snapshots()] == ["by hand"]
        assert historian.kept_snapshot(kept.content_hash[:5].upper()).content_hash == kept.content_hash
        other = historian.snapshot("log", open_cases={"2"})
        historian.keep_snapshot(other, report)
        same(historian.frozen(other.content_hash), other)
        same(historian.frozen(kept.content_hash[:20]), snapshot)
        shown = r"kept: [0-9a-f]{12} \(log\), [0-9a-f]{12} \(log\)"
        for reference, sentence in (("", "no kept"), ("xyz", "no kept snapshot begins with 'xyz'; " + shown)):
            with pytest.raises(DataError, match=sentence):
                historian.frozen(reference)
    assert sorted(file.stem for file in (tmp_path / "x.duckdb.snapshots").iterdir()) == sorted(
        [kept.content_hash, other.content_hash]
    )


def test_damage_is_told(tmp_path: Path) -> None:
    with Historian(tmp_path / "x.duckdb") as historian:
        report = historian.import_log(write(tmp_path / "log.csv", ROWS))
        one = historian.keep_snapshot(historian.snapshot("log"), report).content_hash
        two = historian.keep_snapshot(historian.snapshot("log", open_cases={"2"}), report).content_hash
        files = {name: tmp_path / "x.duckdb.snapshots" / f"{name}.parquet" for name in (one, two)}
        whole = files[one].read_bytes()
        for damaged in (
            b"",
            whole[:-20],
            files[two].read_bytes(),
            *(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(4, len(whole), 211)),
        ):
            files[one].write_bytes(damaged)
            said = ""
            try:
                same(historian.frozen(one), historian.snapshot("log"))
            except DataError as error:
                said = str(error)
            harmless = len(damaged) == len(whole) and not said
            assert harmless or (str(files[one]) in said and "is damaged" in said)
        files[one].unlink()
        with pytest.raises(DataError, match="is missing; bring it back from a backup"):
            historian.frozen(one)
        same(historian.frozen(two), historian.snapshot("log", open_cases={"2"}))

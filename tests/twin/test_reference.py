"""What a twin has to beat, against the published protocol and by hand."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from eventlogs.snapshot import Snapshot
from eventlogs.split import closed_cases
from twin.distances import distances
from twin.frames import frame_of_snapshot
from twin.reference import last_period, resampled
from twin.source import LogRequest, read_log
from twin.validation import METRICS


def log(*cases: tuple[str, str, float]) -> pd.DataFrame:
    """One hour of work a case: id, start, and an activity named like the id."""
    starts = pd.to_datetime([start for _, start, _ in cases], utc=True)
    return pd.DataFrame(
        {
            "case_id": [name for name, _, _ in cases],
            "activity": [name for name, _, _ in cases],
            "resource": "",
            "start_time": starts,
            "end_time": starts + pd.to_timedelta([hours for _, _, hours in cases], unit="h"),
        }
    )


TRAIN = log(("a", "2024-03-04T08:00", 1), ("b", "2024-03-05T09:00", 2), ("c", "2024-03-06T10:00", 3))
TEST = log(("x", "2024-03-19T08:30", 1), ("y", "2024-03-20T09:30", 5))


def test_the_last_period_is_shifted_by_whole_weeks() -> None:
    copied = last_period(TRAIN, TEST)
    assert list(copied["case_id"]) == ["b", "c"]
    assert set(copied["start_time"] - TRAIN["start_time"][1:]) == {pd.Timedelta(weeks=2)}
    assert list(copied["end_time"] - copied["start_time"]) == [pd.Timedelta(hours=h) for h in (2, 3)]


def test_resampled_cases_start_when_the_test_cases_do_on_their_weekday() -> None:
    drawn = resampled(TRAIN, TEST, 0)
    assert list(drawn["start_time"]) == list(TEST["start_time"])
    # The 19th is a Tuesday like b's day, the 20th a Wednesday like c's.
    assert list(drawn["activity"]) == ["b", "c"]
    pd.testing.assert_frame_equal(drawn, resampled(TRAIN, TEST, 0))


def test_the_references_are_those_of_the_published_protocol(public_logs: Path, tmp_path: Path) -> None:
    """On LoanApp, the copied last period scores what evaluate.py's `train_tail` scores, to its digits."""
    theirs = evaluator(public_logs / "accuracy" / "evaluate.py")
    files = {part: _loan(public_logs, part) for part in ("train", "test")}
    read = {part: theirs.read_log(file)[0] for part, file in files.items()}
    tail = next(theirs.train_references(read["train"], read["test"], 0, 1))[1][0]
    expected = theirs.metrics(read["test"], tail)
    ours = {part: frame_of_snapshot(_whole(file, tmp_path)) for part, file in files.items()}
    found = distances(ours["test"], last_period(ours["train"], ours["test"]))
    assert set(found) == set(METRICS)
    assert {m: round(v, 4) for m, v in found.items()} == {m: expected[m] for m in METRICS}


def _loan(folder: Path, part: str) -> Path:
    return next((folder / "accuracy" / "logs").glob(f"*LoanApp*{part}*"))


def _whole(file: Path, folder: Path) -> Snapshot:
    return closed_cases(read_log(LogRequest(str(file), str(folder / "db"), all_closed=True)).snapshot)


def evaluator(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("evaluate", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_distances_of_a_log_to_itself_are_zero() -> None:
    assert distances(TEST, TEST) == dict.fromkeys(METRICS, 0.0)


@pytest.mark.parametrize("hours", [3, 24 * 7])
def test_distances_in_time_are_hours(hours: int) -> None:
    by = pd.Timedelta(hours=hours)
    moved = TEST.assign(start_time=TEST["start_time"] + by, end_time=TEST["end_time"] + by)
    found = distances(TEST, moved)
    assert found["AEDD"] == found["CADD"] == pytest.approx(hours)
    assert found["NGD"] == found["REDD"] == found["CTDD"] == 0
    assert (found["CEDD"] == 0) == (hours % 168 == 0)

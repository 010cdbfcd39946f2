"""Cases that ended in a rare way are no open ones where unfinished cases were left out of the log."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from calibration.left_out import looks_left_out
from tests.calibration.builders import DAY, Row, snapshot
from twin.source import LogRequest, read_log

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 180.0


def a_log(path: Path, seed: int, left_out: bool) -> Path:
    """Twelve cases a day that take six days on average, one in thirty ending after its first activity."""
    random = np.random.default_rng(seed)
    rows = []
    for case, at in enumerate(np.sort(random.uniform(0, DAYS, random.poisson(12 * DAYS)))):
        gap = float(random.gamma(2.0, 3.0))
        rare = random.random() < 1 / 30
        done = at + 0.02 + gap
        if left_out and not rare and done > DAYS:
            continue
        rows.append((case, "Ask", at, at + 0.02))
        if not rare and done <= DAYS:
            rows.append((case, "Answer", done, done + 0.01))
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("case_id", "activity", "start_time", "end_time"))
        for case, activity, start, end in rows:
            times = ((MONDAY + timedelta(days=min(t, DAYS))).isoformat() for t in (start, end))
            out.writerow((case, activity, *times))
    return path


@pytest.mark.parametrize("seed", range(4))
def test_rare_ends_are_no_open_cases_where_those_are_missing(seed: int, tmp_path: Path) -> None:
    found = read_log(LogRequest(str(a_log(tmp_path / "log.csv", seed, True)), str(tmp_path / "db")))
    assert not found.snapshot.is_open.any()
    assert "unfinished ones were left out" in found.open_rule


@pytest.mark.parametrize("seed", range(4))
def test_open_cases_stay_open(seed: int, tmp_path: Path) -> None:
    log = a_log(tmp_path / "log.csv", seed, False)
    found = read_log(LogRequest(str(log), str(tmp_path / "db")))
    assert found.snapshot.is_open.sum() > 40
    listed = tmp_path / "open.txt"
    listed.write_text("3\n", encoding="utf-8")
    wanted = read_log(LogRequest(str(log), str(tmp_path / "db"), open_file=listed))
    assert wanted.snapshot.is_open.sum() == 1


def looks(*, left_out: bool, n_open: int, running: bool = False) -> bool:
    """Of such a log, without the unfinished cases or with all followed to their end; the last ones to begin
    are taken for open, and the very last may run."""
    random = np.random.default_rng(2)
    rows: list[Row] = []
    for case, at in enumerate(np.sort(random.uniform(0, DAYS, random.poisson(12 * DAYS)))):
        done = at + float(random.gamma(2.0, 3.0))
        if not left_out or done <= DAYS:
            rows.append((f"{case}", "Ask", "ann", at * DAY, min(done, DAYS) * DAY))
    if running:
        rows[-1] = (*rows[-1][:4], None)
    return looks_left_out(snapshot(rows, until_s=DAYS * DAY, open_cases=[row[0] for row in rows[-n_open:]]))


def test_both_signs_are_needed_and_nothing_that_runs() -> None:
    """72 cases should be open: three are far too few, sixty aren't. Only where orders are lacking at the end
    does that mean anything."""
    assert looks(left_out=True, n_open=3)
    assert not looks(left_out=True, n_open=60)
    assert not looks(left_out=False, n_open=3)
    assert not looks(left_out=True, n_open=3, running=True)

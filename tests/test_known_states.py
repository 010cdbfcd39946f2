"""What the benchmarks call known at an instant is what an imported log says then."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.known_states import known_at
from benchmarks.promises import received, watched
from examples.order_to_cash import known_twin
from twin.files import write_frame
from twin.frames import frame_of_run
from twin.source import LogRequest, read_log

HOUR = 3600.0


def test_a_run_cut_at_an_instant_is_its_log_read_then(tmp_path: Path) -> None:
    run = watched(received(known_twin()), 3, 0, 1.0)
    at_s = float(np.round(run.release_s[40]) + 3 * HOUR)
    known = known_at(run, at_s)
    log, listed = tmp_path / "log.csv", tmp_path / "open.txt"
    write_frame(log, frame_of_run(run))
    listed.write_text("\n".join(c for c, o in zip(known.cases, known.is_open, strict=True) if o))
    until = known.origin + timedelta(seconds=at_s)
    read = read_log(LogRequest(str(log), str(tmp_path / "db"), until=until, open_file=listed)).snapshot
    assert int(known.is_open.sum()) > 10
    assert read.cases == known.cases
    assert (read.origin, read.until_s) == (known.origin, known.until_s)
    np.testing.assert_array_equal(read.offsets, known.offsets)
    np.testing.assert_array_equal(read.is_open, known.is_open)
    for name in ("start_s", "end_s"):
        np.testing.assert_allclose(getattr(read, name), getattr(known, name), atol=2e-3)
    assert [read.activities[i] for i in read.activity] == [known.activities[i] for i in known.activity]

"""Answers of `mine` in a terminal."""

from pathlib import Path

import pytest

from eventlogs.historian import Historian
from ui.mined import show_mined


@pytest.mark.parametrize(
    ("pause", "shown"),
    [("1,A,suspend,2026-01-01T08:10Z\n1,A,resume,2026-01-01T08:40Z\n", True), ("", False)],
)
def test_pauses_inside_durations_are_shown(
    pause: str, shown: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "log.csv"
    file.write_text(
        f"case,activity,lifecycle,time\n1,A,start,2026-01-01T08:00Z\n{pause}1,A,complete,2026-01-01T08:50Z\n",
        encoding="utf-8",
    )
    with Historian(":memory:") as historian:
        historian.import_log(file)
        show_mined("durations", historian.mine("log", "durations"), False, None)
    told = capsys.readouterr().out
    assert "50 min" in told
    assert ("paused" in told, "30 min" in told) == (shown, shown)

"""Times on the command line."""

from __future__ import annotations

import pytest

from metagraph.errors import UsageError
from twin.spans import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("90s", 90.0), ("15m", 900.0), ("15 min", 900.0), ("1h", 3600.0), ("1H30M", 5400.0)),
        *(("1h 30m", 5400.0), ("1.5h", 5400.0), ("2d", 172_800.0), ("0.5m", 30.0)),
    ],
)
def test_times_with_their_units(text: str, seconds: float) -> None:
    assert seconds_of(text, "--dt") == seconds


@pytest.mark.parametrize(
    "text", ["", "15", "h", "1x", "0h", "-1h", "1e3s", "1h-30m", "nan", "99999999d", "1 h x"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--dt .*: expected a time above 0 with its unit"):
        seconds_of(text, "--dt")

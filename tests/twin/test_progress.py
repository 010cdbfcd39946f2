"""Progress: parts of parts, and the user's stop."""

import pytest

from twin.progress import CancelledError, Progress


def test_a_part_fills_its_share_of_the_whole() -> None:
    told: list[tuple[str, float]] = []
    whole = Progress(lambda step, share: told.append((step, share)))
    part = whole.part(0.2, 0.6)
    part.step("a", 0.0)
    part.part(0.5, 1.0).step("b", 0.5)
    part.step("c", 1.0)
    assert told == [("a", 0.2), ("b", pytest.approx(0.5)), ("c", pytest.approx(0.6))]


def test_a_stop_reaches_every_part() -> None:
    stopped = Progress(cancelled=lambda: True)
    with pytest.raises(CancelledError, match="stopped during 'fitting'"):
        stopped.part(0.1, 0.2).step("fitting", 0.0)


def test_silence_is_the_default() -> None:
    Progress().part(0.0, 0.5).step("anything", 0.3)

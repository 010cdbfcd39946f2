"""Sentences of the terminal's tables."""

import pytest

from ui.tables import thin_text


@pytest.mark.parametrize(
    ("few", "n", "words"),
    [
        (0, 1, "1 parameter was not fitted as hoped; the report tells more."),
        (0, 3, "3 parameters were not fitted as hoped; the report tells more."),
        (1, 1, "* fewer than 30; in all, 1 parameter rests on so few observations; the report tells more."),
        (
            1_000,
            1_002,
            "* fewer than 30; in all, 1,000 parameters rest on so few observations, and 2 parameters were "
            "not fitted as hoped; the report tells more.",
        ),
    ],
)
def test_no_footnote_speaks_of_nothing(few: int, n: int, words: str) -> None:
    assert thin_text(few, n) == words

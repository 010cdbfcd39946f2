"""Sentences of the terminal's tables."""

import pytest
from rich.console import Console

from ui import console
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


def test_a_number_without_room_is_never_shown_in_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ("order", "stands", "5 %", "median", "95 %", "due", "late", "lost", "profit", "at stake")
    row = ("SO-10475", "waits for Create Invoice", *["09-16 11:06"] * 4, "100%", "12%", "25,812", "1,234.5")
    for width in (40, 80, 81, 100, 140):
        monkeypatch.setattr(console, "OUT", Console(width=width, highlight=False))
        console.show_table("Completion", columns, [row, row], (0, 1))
        said = capsys.readouterr().out
        assert all(said.count(figure) == 2 for figure in row[6:]), said
        assert said.count("09-16 11:06") == 8
        assert max(map(len, said.splitlines())) <= width

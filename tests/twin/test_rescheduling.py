"""What is told of many plans."""

from __future__ import annotations

from twin.rescheduling import alike


def test_notes_that_differ_in_numbers_only_are_told_once() -> None:
    notes = ("The work is 32% longer.", "Orders have no values.", "The work is 4.5% longer.")
    assert alike(notes) == (
        "The work is 32% longer. (One of 2 such notes, with other numbers.)",
        "Orders have no values.",
    )
    assert alike(()) == ()

"""A plan in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.twin.plans import NOW, made_plan
from twin.json_out import dump, read
from twin.planned import Model, Planned
from twin.planned_words import believed_text, better_text, decided_text, levels_text, moment

PLAN = made_plan(5, ("Ann", "Bob"))


def test_what_was_decided() -> None:
    late = sum(one.standing == "late" for one in PLAN.orders)
    text = decided_text(PLAN)
    assert text.startswith("5 orders, profit 8,646, ")
    assert text.endswith(f"({late} late, 1 left out)." if late else "(1 left out).")
    alone = replace(
        PLAN, orders=PLAN.orders[:1], on_time=None, values={"flow time": -3.25, "preemptions": -2.0}
    )
    assert decided_text(alone).startswith("1 order, flow time 3.25 h, 2 interruptions")
    assert levels_text(alone) == "least time from release to completion, then fewest interruptions"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("optimal", "No plan on this grid is better (bound: profit 8,700)."),
        ("gap", "Within 0.62 % of the best plan on this grid (bound: profit 8,700)."),
        ("time", "The time limit came first: within 0.62 % of the best plan"),
        ("cancelled", "Cancelled: this is the best plan that was found until then, within 0.62 %"),
    ],
)
def test_why_it_is_to_be_believed(status: str, text: str) -> None:
    found = believed_text(replace(PLAN, status=status))  # type: ignore[arg-type]
    assert found.startswith(text)
    assert "recomputed without the solver" in found
    assert "710 binaries, 35 continuous" in found


def test_without_a_model() -> None:
    def text(status: str, too_large: int) -> str:
        model = Model("step", 0, 0, 0, 0, too_large)
        return believed_text(replace(PLAN, status=status, model=model))  # type: ignore[arg-type]

    assert text("gap", 0).endswith("; no model was needed.")
    alone = "the bound is what each order could reach if it were alone."
    assert text("time", 0).endswith(f"; the search ended before a model gave a bound: {alone}")
    assert text("time", 2_514_304).endswith(
        f"; a model of 2,514,304 columns would be too large to solve: {alone}"
    )


def test_beside_rules() -> None:
    assert better_text(PLAN) == "2.0 % better than the best rule, PD, PDS."
    assert better_text(replace(PLAN, better_by=0.0)) == "As good as the best rule, PD, PDS."
    assert better_text(replace(PLAN, rules=())) == ""


def test_instants_and_hours() -> None:
    assert moment(PLAN, NOW + timedelta(hours=3)) == "11-23 11:00"
    assert moment(PLAN, NOW + timedelta(days=100)) == "2027-03-03 08:00"
    assert moment(PLAN, NOW, whole=True) == "as of 2026-11-23 08:00 UTC"
    assert moment(replace(PLAN, hours=True), NOW + timedelta(minutes=90)) == "1.5 h"


def test_json_can_be_read_back() -> None:
    assert read(Planned, dump(PLAN)) == PLAN

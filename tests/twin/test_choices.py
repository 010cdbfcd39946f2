"""Choices are told with every candidate, and their picture holds the ratios to the copied last period."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import pytest

from metagraph.model import Candidate, Choice
from tests.twin import handmade
from tests.twin.test_charts import rows, spec
from tests.twin.test_report import Page
from twin import contest
from twin.choice_charts import choice_dots
from twin.choices import REFERENCE, closeness, margins_text, relative, told
from twin.options import PRIORITIES
from twin.report import render

COPY = Candidate("last period copied", {"NGD": 0.2, "CTDD": 10.0, "total": 0.0}, False, REFERENCE)
BEST = Candidate("b", {"NGD": 0.1, "CTDD": 8.0, "total": log(0.7)}, True)
RIVAL = Candidate("a", {"NGD": 0.3, "CTDD": 30.0, "total": log(2.0)}, False)
FAR = Candidate("c", {"NGD": 0.2, "CTDD": 9000.0, "total": 3.0}, False, "given up after one simulated log")
NO = Candidate("d", {}, False, "the miner finds no start <b>at all</b>")
CHOICE = Choice("batching", (RIVAL, BEST, FAR, NO, COPY), "'b' has the lowest score")


def test_what_could_not_be_used_stands_apart_and_the_copy_last() -> None:
    found = told(Choice("batching", (COPY, RIVAL, NO, BEST, FAR), ""))
    assert [c.name for c in found.judged] == ["a", "b", "c", "last period copied"]
    assert found.refused == (NO,)
    assert (found.winner, found.tried, found.metrics) == (BEST, 3, ("NGD", "CTDD"))
    assert found.closeness == "30 % closer than the copy"
    assert found.next_best == f"a (+{log(2.0) - log(0.7):.3f})"


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (0.0, "as close as the copy"),
        (log(1.25), "25 % farther than the copy"),
        (-9.0, "100 % closer than the copy"),
    ],
)
def test_totals_become_shares(total: float, said: str) -> None:
    assert closeness(total) == said


def test_dots_are_ratios_to_the_copy_within_what_can_be_drawn() -> None:
    drawn = choice_dots(told(CHOICE))
    assert drawn is not None
    line, totals, dots = rows(spec(drawn))
    assert line == [{"ratio": 1.0}]
    found = {(dot["candidate"], dot["distance"]): dot["ratio"] for dot in dots}
    assert found["✓ b", "NGD"] == pytest.approx(0.5)
    assert found["a", "CTDD"] == pytest.approx(3.0)
    assert found["c", "CTDD"] == 20.0, "farther than the picture goes"
    assert {t["candidate"]: t["ratio"] for t in totals}["✓ b"] == pytest.approx(0.7)
    assert relative(FAR, COPY, ("CTDD", "AEDD")) == {"CTDD": 900.0}
    assert exp(3.0) > 20 >= max(t["ratio"] for t in totals)


def test_nothing_is_drawn_where_nothing_was_compared() -> None:
    assert choice_dots(told(Choice("all", (Candidate("x", {}, True),), "too few cases"))) is None
    assert choice_dots(told(Choice("all", (BEST, COPY), ""))) is None


def test_the_report_tells_every_candidate_and_why() -> None:
    twin = handmade.twin()
    assert twin.provenance is not None
    known = replace(twin.provenance, choices=(*twin.provenance.choices, CHOICE))
    html = render(replace(twin, provenance=known))
    text = Page(html).text
    said = [c.name for c in CHOICE.candidates] + [
        NO.note,
        FAR.note,
        CHOICE.reason,
        "30 % closer than the copy",
    ]
    assert [part for part in said if part not in text] == []
    assert "<b>at all" not in html
    assert margins_text() in text


def test_every_margin_that_selection_asks_for_is_told() -> None:
    told = margins_text()
    for margin in (
        *(contest.TIE, contest.SHORTER, contest.UNCONGESTED, contest.UNORDERED, contest.UNSTRUCTURED),
        contest.UNDELAYED,
        PRIORITIES.tolerance,
    ):
        assert f"{margin:g} " in told or f"{margin:g}." in told
    assert f"{contest.POOLED:g} if its agents are roles" in told
    assert f"more than {contest.HOPELESS:g}." in told

"""What is shown of a plan."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.twin.plans import made_plan
from twin.planned import Planned
from ui.results_planned import show_planned

PLAN = made_plan(5, ("Ann", "Bob"), hours=True, shifts=False)


def shown(capsys: pytest.CaptureFixture[str], plan: Planned, *written: Path) -> str:
    """Words as they are shown, without the breaks between them."""
    show_planned(plan, False, written)
    return " ".join(capsys.readouterr().out.split())


def test_decided_believed_and_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, PLAN, Path("plan.json"))
    assert said.startswith("workshop, from hour 0: 5 orders, profit 8,646")
    assert "Within 0.62 % of the best plan on this grid (bound: profit 8,700)." in said
    assert "A grid of 15 min was asked for" in said
    assert "Written: plan.json" in said


def test_orders_agents_and_rules_in_tables(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, PLAN)
    first = PLAN.orders[0]
    assert f"{first.order} {first.standing}" in said
    assert "SO-5 left out –" in said
    assert "Ann 4 4 h 8 h 50 %" in said
    assert "this plan 8,646" in said
    assert "PD 8,476 50 %" in said
    assert "2.0 % better than the best rule, PD, PDS." in said


def test_columns_that_say_nothing_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    bare = tuple(
        replace(one, due=None, slack_h=None, profit=None, at_best=None, standing="planned")
        for one in PLAN.orders
    )
    said = shown(
        capsys,
        replace(
            PLAN, orders=bare, on_time=None, rules=(), values={"flow time": -31.5}, units={"flow time": "h"}
        ),
    )
    assert "flow time 31.5 h" in said
    assert not any(word in said for word in ("slack", "profit", "at best", "better than"))


def test_hours_are_shown_as_people_count_them(capsys: pytest.CaptureFixture[str]) -> None:
    rule = replace(PLAN.rules[0], values={"flow time": -40.0})
    said = shown(capsys, replace(PLAN, values={"flow time": -31.5}, units={"flow time": "h"}, rules=(rule,)))
    assert "this plan 31.5" in said
    assert "PD 40 50 %" in said


def test_json_is_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    show_planned(PLAN, True)
    found = json.loads(capsys.readouterr().out)
    assert (found["model"]["binaries"], found["model"]["continuous"]) == (710, 35)
    assert len(found["work"]) == len(PLAN.work)
    assert found["orders"][-1]["standing"] == "left out"

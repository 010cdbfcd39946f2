"""`tracetwin optimize` on instances that can't be meant or planned, or hold orders that can't be done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.test_commands import fine, tracetwin

DOCK: dict[str, Any] = {
    "origin": "2026-11-23T00:00:00Z",
    "tasks": {
        "create": {"label": "Create order", "agents": ["Cleo"], "h": 0.5},
        "load": {"label": "Load goods", "agents": ["Ann", "Bob"], "h": 32 / 60, "preds": ["create"]},
    },
    "agents": {"Ann": {"calendar": "day"}, "Bob": {"calendar": "day"}},
    "calendars": {"day": {"week_h": [[6, 14], [16, 22], [30, 38]]}},
    "at_h": 14,
    "dt_h": 0.25,
    "profit_rule": {"p_e": 1, "p_d": 1, "p_l": 0.9, "p_f": 0.5, "p_ls": 0},
}
FINE = {"id": "fine", "value": 50, "T_r": 8, "T_d": 30, "T_ls": 40}
LATE = {"id": "late", "value": 100, "T_r": 8, "T_d": 13, "T_ls": 40}
LOST = {"id": "17", "value": 70, "T_r": 8, "T_d": 15, "T_ls": 15.5, "done": ["create"]}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(here: Path, orders: list[dict[str, Any]], **changes: Any) -> Path:
    path = here / "dock.json"
    path.write_text(json.dumps({**DOCK, **changes, "orders": orders}))
    return path


def load(**changes: Any) -> dict[str, Any]:
    return {"tasks": {**DOCK["tasks"], "load": {**DOCK["tasks"]["load"], **changes}}}


@pytest.mark.parametrize(
    ("order", "changes", "code", "says"),
    [
        ({"in_progress": [{"task": "create", "agent": "Zoe", "started_h": 13}]}, {}, 3, '"Zoe" is no agent'),
        ({}, load(h=[{"h": 1, "agent": "Zoe"}, {"h": 2}]), 3, 'for "Zoe", who doesn\'t do it'),
        ({}, {"agents": {**DOCK["agents"], "Zoe": {}}}, 3, "agents, Zoe: does no task"),
        (
            {},
            {"overtime": [{"agent": "Zoe", "start_h": 22, "end_h": 23, "price": 9}]},
            3,
            '"Zoe" is no agent; there are Cleo, Ann, Bob',
        ),
        ({}, load(h=-1), 3, "work takes no less than 0 hours"),
        ({"T_d": 5}, {}, 3, "due_h: 5 lies before the order's release"),
        ({"T_ls": 20}, {}, 3, "lost_h: 20 lies before the order's due date"),
        ({"material_h": {"paint": 3}}, {}, 3, '"paint" is no task; there are create, load'),
        ({}, {"dt_h": 0}, 3, "dt_h: 0; expected more than 0"),
        ({"T_d": 13, "T_ls": 13.5}, {}, 5, "its lost-sale date 13:30 was 30 min ago: it counts as lost."),
        (
            {"T_d": 15, "T_ls": 15.5},
            {},
            5,
            "needs Load goods (32 min) by Ann or Bob; neither is on shift between 14:00 and its lost-sale "
            "date 15:30: it counts as lost.",
        ),
        ({"T_d": 17, "T_ls": 18}, {"dt_h": 6}, 5, "each piece of work takes whole periods of 6 h"),
    ],
)
def test_an_instance_that_cannot_be_planned_ends_in_a_sentence(
    here: Path, order: dict[str, Any], changes: dict[str, Any], code: int, says: str
) -> None:
    said = tracetwin("optimize", written(here, [{**FINE, **order}], **changes))
    assert says in said.err
    assert (said.code, said.out) == (code, "")
    assert "infeasible" not in said.err.lower()


def test_orders_that_cannot_be_done_in_time_are_told_and_the_others_planned(here: Path) -> None:
    path = written(here, [FINE, LATE, LOST], **load(h={"*": 32 / 60, "empty": 0}))
    found = json.loads(fine("optimize", path, "--json", "--explain", "17"))
    standing = {one["order"]: one["standing"] for one in found["orders"]}
    assert standing == {"fine": "on time", "late": "late", "17": "lost"}
    why = {one["order"]: one["why"] for one in found["orders"]}
    assert why["fine"] == ""
    assert why["late"] == "Order late: its due date 13:00 was 1 h ago: it can't be on time."
    assert why["17"].endswith(
        "neither is on shift between 14:00 and its lost-sale date 15:30: it counts as lost."
    )
    assert {why["late"], why["17"]} <= set(found["notes"])
    # Both that can be done are, at 16:00, when the shift begins.
    assert {one["order"] for one in found["work"]} == {"fine", "late"}


def test_work_that_takes_no_time_needs_no_plan(here: Path) -> None:
    found = json.loads(fine("optimize", written(here, [FINE], **load(h=0)), "--json"))
    assert [one["task"] for one in found["work"]] == ["create"]
    assert found["orders"][0]["standing"] == "on time"


def test_tables_material_and_bought_hours_are_followed(here: Path) -> None:
    """Order a may come from hour 17 on and brings most from 18 to 19; its material comes at 16:30. Order b is
    worth its price for Cleo's evening only if it is dear."""
    table = {"id": "a", "T_r": 8, "T_ls": 24, "profit_points_h": [[17, 0], [18, 90], [19, 90], [24, 0]]}
    table |= {"material_h": {"load": 16.5}}
    calendars = {**DOCK["calendars"], "short": {"week_h": [[8, 14.5], [32, 40]]}}
    agents = {**DOCK["agents"], "Cleo": {"calendar": "short"}}
    evening = [{"agent": "Cleo", "start_h": 15, "end_h": 16, "price": 30}]
    for value, bought in ((20, False), (500, True)):
        late = {"id": "b", "value": value, "T_r": 8, "T_d": 17, "T_ls": 17.5}
        path = written(here, [table, late], agents=agents, calendars=calendars, overtime=evening)
        found = json.loads(fine("optimize", path, "--json", "--gap", "0"))
        loads = {one["order"]: one["start"] for one in found["work"] if one["task"] == "load"}
        assert loads["a"] >= "2026-11-23T16:30"
        assert found["orders"][0 if value == 20 else 1]["profit"] == pytest.approx(90)
        assert any("are bought for 30" in note for note in found["notes"]) == bought
        assert found["objective"] == pytest.approx(90 + (value - 30 if bought else 0))
    played = json.loads(fine("simulate", path, "--json"))
    assert any("hours that can be bought (overtime) are left out" in note for note in played["notes"])

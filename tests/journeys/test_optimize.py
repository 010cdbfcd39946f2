"""`tracetwin optimize` as its users meet it: the published example, a log's open orders, and faults."""

from __future__ import annotations

import csv
import json
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from examples.order_to_cash import START, known_twin
from metagraph.json_io import save
from tests.journeys.test_commands import CHECKOUT, fine, tracetwin
from tests.twin.small import known_log
from twin.planning import of_instance, plan_command
from twin.planning_request import PlanRequest
from twin.progress import Progress
from ui.commands_optimize import until_stopped

EXAMPLE = CHECKOUT / "examples" / "example1.instance.json"
PAPERS_NAMES = {
    "horizon_h": 14,
    "dt_h": 1,
    "tasks": {
        "create": {"agents": ["CSR"], "h": 1, "preds": []},
        "produce": {"agents": ["A", "B"], "h": 3, "preds": ["create"]},
        "ship": {"agents": ["3PL"], "h": 2, "preds": ["produce"]},
    },
    "orders": [
        {"id": i, "T_r": 0, "T_e": 0, "T_d": due, "T_ls": 14,
         "p_e": p, "p_d": p, "p_l": 0.9 * p, "p_f": 0.81 * p, "p_ls": 0}
        for i, due, p in ((1, 7, 1000), (2, 8, 2000), (3, 10, 1000), (4, 11, 2000), (5, 12, 3000))
    ],
}  # fmt: skip
LOGGED = ("--objective", "profit", "--log", "orders.csv", "--as-of", "2026-08-05T10:00:00Z")


def planned(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fine("optimize", *arguments, "--json"))
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_of_several_plans_the_one_that_holds_best(here: Path) -> None:
    found = planned(EXAMPLE, "--dt", "1h", "--gap", "0", "--robust", "3", "--out", "plan.json")
    robust = found["robust"]
    assert (robust["measure"], robust["unit"], robust["scenarios"]) == ("profit", "money", 3)
    assert [one["name"] for one in robust["scores"] if one["chosen"]] == ["the plan"]
    assert robust["scores"][0]["mean"] == found["objective"] == 8810
    assert {"rule PD", "plan by rule PD", "search 1"} <= {one["name"] for one in robust["scores"]}
    assert any("holds best" in note for note in found["notes"])
    simulated = fine("simulate", EXAMPLE, "--schedule", "plan.json", "--replications", "2", "--json")
    assert json.loads(simulated)["figures"]["profit"]["mean"] == 8810


def test_the_published_example(here: Path) -> None:
    (here / "paper.json").write_text(json.dumps(PAPERS_NAMES))
    for file in (EXAMPLE, here / "paper.json"):
        found = planned(file, "--dt", "1h", "--gap", "0")
        assert (found["status"], found["objective"], found["bound"], found["gap"]) == (
            "optimal",
            8810,
            8810,
            0,
        )
        assert found["on_time"] == pytest.approx(0.8)
        assert [o["standing"] for o in found["orders"]].count("late") == 1
        assert sum(o["profit"] for o in found["orders"]) == pytest.approx(8810)
        assert len(found["work"]) == 15
    said = " ".join(fine("optimize", EXAMPLE, "--dt", "1h", "--gap", "0").split())
    assert "5 orders, profit 8,810, 80 % on time (1 late)." in said
    assert "No plan on this grid is better (bound: profit 8,810)." in said
    assert "it holds the durations as they are" in said
    assert "1.9 % better than the best rule, PD, PDS." in said
    # Table 1 of the paper; F2 and F3 are draws.
    totals = {"P": 8405, "D": 8170, "S": 8170, "F1": 8170, "PD": 8646, "PS": 8405, "PDS": 8646}
    assert {
        rule["rule"]: round(rule["values"]["profit"]) for rule in found["rules"]
    }.items() >= totals.items()


def test_the_published_formulation(here: Path) -> None:
    found = planned(EXAMPLE, "--dt", "1h", "--gap", "0", "--formulation", "paper")
    assert (found["status"], found["objective"]) == ("optimal", 8810)
    assert found["model"] == {
        "formulation": "paper",
        "rows": 485,
        "columns": 745,
        "binaries": 710,
        "continuous": 35,
        "too_large": 0,
    }


def test_a_schedule_is_followed_by_the_simulator_and_a_table_and_a_picture_are_written(here: Path) -> None:
    options = ("--dt", "1h", "--gap", "0")
    fine("optimize", EXAMPLE, *options, "--out", "plan.json", "--gantt", "plan.svg")
    found = json.loads(fine("simulate", EXAMPLE, "--schedule", "plan.json", "--json"))
    assert found["figures"]["profit"]["mean"] == pytest.approx(8810)
    assert "CSR" in (here / "plan.svg").read_text(encoding="utf-8")
    fine("optimize", EXAMPLE, *options, "--out", "plan.csv")
    with (here / "plan.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["order", "task", "activity", "agent", "rank", "start_h", "end_h", "running"]
    assert len(rows) == 15
    assert max(float(row["end_h"]) for row in rows) == 14
    told = json.loads((here / "plan.json").read_text(encoding="utf-8"))
    times = {(a["order"], a["task"]): (a["start_h"], a["end_h"]) for a in told["assignments"]}
    assert times == {(r["order"], r["task"]): (float(r["start_h"]), float(r["end_h"])) for r in rows}


def test_open_orders_of_a_log(here: Path) -> None:
    known_log(here / "orders.csv", 5)
    save(known_twin(), here / "twin.json")
    found = planned("--twin", "twin.json", *LOGGED, "--out", "plan.csv")
    listed = json.loads(fine("state", "orders.csv", "--at", "2026-08-05T10:00:00Z", "--json"))
    assert {o["order"] for o in found["orders"]} <= {row["case"] for row in listed["orders"]}
    assert len(found["orders"]) >= 5
    assert next(iter(found["values"])) == "profit"
    assert any("open orders" in note for note in found["notes"])
    assert any("aren't planned" in note for note in found["notes"])
    running = [one for one in found["work"] if one["running"]]
    assert running
    assert all(one["start"] <= found["at"] for one in running)
    assert found["at"] == "2026-08-05T10:00:00Z"
    assert planned("--twin", "twin.json", *LOGGED)["work"] == found["work"], "the same input, the same plan"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((EXAMPLE, "--dt", "15"), 2, "--dt 15: expected a time above 0 with its unit"),
        ((EXAMPLE, "--horizon", "soon"), 2, "--horizon soon: expected a time"),
        ((EXAMPLE, "--objective", "money"), 2, "'money' is unknown; join some of profit"),
        ((EXAMPLE, "--objective", "profit,profit"), 2, "'profit' is named twice"),
        ((EXAMPLE, "--forbid", "paint"), 2, "--forbid paint: no such task; there are Create Order"),
        ((EXAMPLE, "--out", "plan.txt"), 2, "expected a name that ends in .json or .csv"),
        ((EXAMPLE, "--gantt", "plan.txt"), 2, "--gantt plan.txt: expected a name that ends in"),
        ((EXAMPLE, "--twin", "twin.json"), 2, "both say what is to be planned"),
        (("--twin", "twin.json", "--log", "x.csv"), 2, "--as-of is missing"),
        ((), 2, "say what is to be planned"),
        (("twin.json",), 3, "twin.json is a twin; expected an instance"),
        (("none.json",), 3, "none.json doesn't exist"),
        ((EXAMPLE, "--out", "nowhere/plan.json"), 3, "there is no such folder"),
        ((EXAMPLE, "--dt", "1h", "--horizon", "3h"), 5, "none of the 5 orders can be done"),
        ((EXAMPLE, "--dt", "20h", "--horizon", "14h"), 5, "holds no period"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_ends_in_a_sentence(
    here: Path, arguments: tuple[str | Path, ...], code: int, says: str
) -> None:
    save(known_twin(), here / "twin.json")
    said = tracetwin("optimize", *arguments)
    assert says in said.err
    assert said.code == code
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


def test_when_it_is_stopped_the_best_plan_so_far_is_the_answer(here: Path) -> None:
    told: list[str] = []
    request = PlanRequest(dt="1h", gap=0.0, out=here / "plan.json")
    found = plan_command(
        of_instance(EXAMPLE), request, Progress(lambda step, share: told.append(step)), lambda: True
    )
    assert found.status == "cancelled"
    assert 0 < found.objective <= 8810 <= found.bound
    assert (here / "plan.json").exists()
    assert told


def test_the_first_interruption_asks_and_the_second_one_ends() -> None:
    with until_stopped() as stopped:
        assert not stopped()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with until_stopped() as stopped:
        assert not stopped()


def test_grid_horizon_and_what_counts_are_told(here: Path) -> None:
    found = planned(
        EXAMPLE, "--dt", "30m", "--horizon", "13h", "--objective", "lateness,profit", "--gap", "0"
    )
    assert (found["dt_s"], found["periods"]) == (1800, 26)
    assert list(found["values"]) == ["lateness", "profit"]
    assert found["units"] == {"lateness": "h", "profit": "money"}
    until = START + timedelta(days=3)
    assert (
        "expected an instant"
        not in tracetwin("optimize", EXAMPLE, "--horizon", f"until:{until:%Y-%m-%d}").err
    )


def test_a_schedule_is_checked_against_its_instance(here: Path) -> None:
    fine("optimize", EXAMPLE, "--dt", "1h", "--gap", "0", "--out", "plan.json")
    said = " ".join(fine("schedule", "check", EXAMPLE, "plan.json").split())
    assert "It can be followed: 15 assignments of 5 orders, profit 8,810, 80 % on time." in said
    found = json.loads(fine("schedule", "check", EXAMPLE, "plan.json", "--json"))
    assert (found["faults"], found["profit"], found["assignments"]) == ([], 8810, 15)
    told = json.loads((here / "plan.json").read_text(encoding="utf-8"))
    ship = [one for one in told["assignments"] if one["task"] == "ship"]
    ship[0]["start_h"] -= 1
    ship[-1]["end_h"] -= 0.5
    (here / "bad.json").write_text(json.dumps(told))
    bad = tracetwin("schedule", "check", EXAMPLE, "bad.json")
    assert (bad.code, bad.out) == (3, "")
    assert "bad.json can't be followed; it has 2 faults:" in bad.err
    assert f"Order {ship[0]['order']}, task ship: it begins at 3 h; it can't before 4 h." in bad.err
    assert (
        f"Order {ship[-1]['order']}, task ship: 3PL works 1.5 h on it until 13.5 h; it takes 2 h." in bad.err
    )
    also = tracetwin("schedule", "check", EXAMPLE, "bad.json", "--json")
    assert (also.code, len(json.loads(also.out)["faults"])) == (3, 2)
    ship[0]["agent"] = "CSR"
    (here / "bad.json").write_text(json.dumps(told))
    assert '"CSR" doesn\'t serve this task' in tracetwin("schedule", "check", EXAMPLE, "bad.json").err


def test_plans_are_made_again_beside_policies(here: Path) -> None:
    options = ("--dt", "1h", "--gap", "0", "--computing", "0s", "--compare", "PD,F1")
    found = json.loads(fine("reschedule", EXAMPLE, *options, "--out", "made.csv", "--json"))
    profits = {name: round(figures["profit"]["mean"]) for name, figures in found["figures"].items()}
    assert profits == {"rescheduled": 8810, "PD": 8646, "F1": 8170}
    assert found["differences"]["F1"]["profit"]["mean"] == pytest.approx(640)
    assert {plan["because"] for plan in found["plans"]} == {"beginning", "arrival"}
    with (here / "made.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found["plans"])
    assert {float(row["objective"]) for row in rows} == {8810}
    said = " ".join(fine("reschedule", EXAMPLE, *options).split())
    assert "F1 profit, in the money of the orders' values +640" in said
    assert "2 plans (2 optimal)" in said


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--every", "soon"), 2, "--every soon: expected a time"),
        (("--computing", "fast"), 2, "--computing fast: expected a time"),
        (("--at", "noon"), 2, "--at noon: not an instant"),
        (("--compare", "XY"), 2, "XY: unknown"),
        (("--horizon", "until-end"), 2, "say with --until"),
        (("--out", "made.json"), 2, "expected a name that ends in .csv"),
    ],
)
def test_what_cannot_be_run_again_ends_in_a_sentence(
    here: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    said = tracetwin("reschedule", EXAMPLE, "--dt", "1h", *arguments)
    assert says in said.err
    assert (said.code, said.out) == (code, "")

"""`tracetwin simulate` as its users meet it: what it takes, what it says, and what it leaves in files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from examples.order_to_cash import known_twin
from metagraph.json_io import save
from tests.journeys.test_commands import CHECKOUT, fine, rows, tracetwin

EXAMPLE = str(CHECKOUT / "examples" / "example1.instance.json")
NEW = ("simulate", "twin.json", "--cases", "30", "--start", "2026-11-03T09:00:00Z")
ORDERS = """id,release,segment,value,due
a,2026-11-02T08:00:00Z,standard,100,2026-11-04T00:00:00Z
b,2026-11-02T09:00:00Z,key account,900,2026-11-04T00:00:00Z
c,2026-11-03T09:00:00Z,standard,100,2026-11-05T00:00:00Z
"""
STATE = """{"at": "2026-11-02T12:00:00Z", "orders": [
 {"id": "open", "release": "2026-11-02T08:00:00Z", "segment": "standard", "value": 50,
  "positions": [{"node": "NODE", "enabled": "2026-11-02T08:00:00Z"}]}]}"""
SCHEDULE = """{"at": "2026-11-02T00:00:00Z", "assignments": [
 {"order": "c", "task": "NODE", "agent": "AGENT", "rank": 1}]}"""
MINE = """
class Late:
    def priority(self, item, now_s):
        return -item.order.due_s

class Loud(Late):
    def priority(self, item, now_s):
        print("here comes", item.order.id)
        return 0

print("imported")

class Broken:
    def priority(self, item, now_s):
        return item.order.colour
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a twin, orders, a state, a schedule and policies."""
    twin = known_twin()
    task = next(task for task in twin.tasks() if task.queues)
    agent = next(queue.agents[0] for queue in twin.queues if queue.id in task.queues)
    save(twin, tmp_path / "twin.json")
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "state.json").write_text(STATE.replace("NODE", task.id))
    (tmp_path / "schedule.json").write_text(SCHEDULE.replace("NODE", task.id).replace("AGENT", agent))
    (tmp_path / "mine_here.py").write_text(MINE)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "past.csv").write_text("id,release_h\na,-5\n")
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("mine_here", None)


def figures(*arguments: str) -> dict[str, Any]:
    """What --json says."""
    found: dict[str, Any] = json.loads(fine(*arguments, "--json"))
    return found


def mean(found: dict[str, Any], name: str) -> float:
    return float(found["figures"][name]["mean"])


@pytest.mark.usefixtures("here")
def test_both_engines_leave_the_same_log_and_the_result_names_the_one_that_ran() -> None:
    logs = []
    for engine in ("auto", "reference", "kernel"):
        said = figures(*NEW, "--policy", "PDS", "--engine", engine, "--out", f"{engine}.csv")
        assert said["engine"] == {"auto": "kernel"}.get(engine, engine)
        assert said["why"]
        logs.append((Path(f"{engine}.csv").read_bytes(), said["figures"]))
    assert logs[0] == logs[1] == logs[2]
    text = " ".join(fine(*NEW, "--engine", "reference").split())
    assert "Engine: reference, because it was asked for." in text


@pytest.mark.parametrize(
    ("policy", "profit"),
    [("P", 8405), ("D", 8170), ("S", 8170), ("F1", 8170), ("PD", 8646), ("PS", 8405), ("PDS", 8646)],
)
def test_the_published_example_is_one_file(policy: str, profit: float) -> None:
    said = figures("simulate", EXAMPLE, "--policy", policy)
    assert round(mean(said, "profit")) == profit
    assert (said["twin"], said["policy"], said["replications"]) == ("example1", policy, 1)


@pytest.mark.usefixtures("here")
def test_hours_until_the_end_count_from_hour_0_of_an_instance() -> None:
    assert mean(figures("simulate", EXAMPLE, "--until", "10"), "completed") == 3
    until = figures("simulate", "twin.json", "--orders", "orders.csv", "--until", "2")
    assert mean(until, "orders") == 2, "the third one comes a day later"
    until = figures("simulate", "twin.json", "--orders", "orders.csv", "--until", "2026-11-03T09:00:00Z")
    assert mean(until, "orders") == 3


@pytest.mark.usefixtures("here")
def test_a_list_of_orders_is_what_is_simulated() -> None:
    said = figures("simulate", "twin.json", "--orders", "orders.csv", "--out", "log.csv")
    assert {row["case_id"] for row in rows(Path("log.csv"))} == {"a", "b", "c"}
    assert said["begin"] == "2026-11-02T08:00:00Z"
    assert mean(said, "completed") == 3
    assert mean(said, "on_time") <= 1


@pytest.mark.usefixtures("here")
def test_what_the_twin_cant_use_of_orders_is_said() -> None:
    known = figures("simulate", "twin.json", "--orders", "orders.csv")
    assert known["notes"] == []
    typo = ORDERS.replace("value", "valeu").replace(",standard,", ",standart,")
    Path("typo.csv").write_text(typo)
    unknown, kept = figures("simulate", "twin.json", "--orders", "typo.csv")["notes"]
    assert unknown.startswith('the twin says nothing about the segment "standart" of 2 orders')
    assert '"standard"' in unknown, "what it knows"
    assert kept.startswith('"valeu" of 3 orders is no field of orders and kept as an attribute')
    text = " ".join(fine("simulate", "twin.json", "--orders", "typo.csv").split())
    assert 'The twin says nothing about the segment "standart"' in text
    rule = ("--policy", "rule:attr('valeu') + (segment == 'standart')")
    assert figures("simulate", "twin.json", "--orders", "typo.csv", *rule)["notes"] == []
    Path("open.json").write_text(Path("state.json").read_text().replace("standard", "standart"))
    [opened] = figures("simulate", "twin.json", "--state", "open.json")["notes"]
    assert "of one order" in opened


@pytest.mark.usefixtures("here")
def test_a_state_goes_on_alone_with_listed_orders_or_with_new_ones() -> None:
    state = ("simulate", "twin.json", "--state", "state.json")
    alone = figures(*state)
    assert (alone["begin"], mean(alone, "orders")) == ("2026-11-02T12:00:00Z", 1)
    (Path("later.csv")).write_text(ORDERS.replace("11-02", "11-03"))
    assert mean(figures(*state, "--orders", "later.csv"), "orders") == 4
    figures(*state, "--cases", "5", "--out", "log.csv")
    assert {row["case_id"] for row in rows(Path("log.csv"))} == {"open", "1", "2", "3", "4", "5"}


@pytest.mark.usefixtures("here")
def test_new_orders_come_until_the_end() -> None:
    week = figures("simulate", "twin.json", "--start", "2026-11-02", "--until", "168")
    assert mean(week, "orders") > 40
    assert mean(week, "orders") > mean(week, "completed"), "some are still open"


@pytest.mark.usefixtures("here")
def test_policies_are_rules_expressions_schedules_and_code() -> None:
    orders = ("simulate", "twin.json", "--orders", "orders.csv")
    for named in ("FIFO", "rule:value", "mine_here:Late"):
        assert figures(*orders, "--policy", named)["policy"] == named
    assert figures(*orders, "--policy", "mine_here:Late")["engine"] == "reference"
    assert figures(*orders, "--schedule", "schedule.json")["policy"] == "schedule"


@pytest.mark.usefixtures("here")
def test_what_code_prints_is_no_part_of_the_result() -> None:
    orders = ("simulate", "twin.json", "--orders", "orders.csv")
    said = tracetwin(*orders, "--policy", "mine_here:Loud", "--json")
    assert json.loads(said.out)["policy"] == "mine_here:Loud"
    assert "imported\nhere comes a\n" in said.err


@pytest.mark.usefixtures("here")
def test_what_a_policy_prints_in_other_processes_stays_out_too() -> None:
    orders = ("simulate", "twin.json", "--orders", "orders.csv")
    options = ("--policy", "mine_here:Loud", "--replications", "2", "--backend", "processes", "--json")
    said = subprocess.run(
        [sys.executable, str(CHECKOUT / "cli.py"), *orders, *options],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(said.stdout)["replications"] == 2
    assert "here comes a" in said.stderr


@pytest.mark.usefixtures("here")
def test_one_run_or_pair_has_no_interval() -> None:
    for options, n in (((), 1), (("--antithetic", "--replications", "2"), 2)):
        found = figures(*NEW, *options)
        assert found["replications"] == n
        cycle = found["figures"]["cycle_mean_s"]
        assert (cycle["low"], cycle["high"], cycle["n"]) == (None, None, 1)
        assert cycle["mean"] > 0
        assert "Add --replications 20 for intervals" in fine(*NEW, *options)


@pytest.mark.usefixtures("here")
def test_a_run_is_broken_off_where_more_orders_pile_up_than_allowed() -> None:
    [note] = figures(*NEW, "--max-open", "1")["notes"]
    assert "1 of 1 runs were broken off because orders piled up, the first of them at 2026-11-" in note
    assert "hours after the beginning" in note
    assert "--max-open" in note
    assert figures(*NEW, "--max-open", "30")["notes"] == []


@pytest.mark.usefixtures("here")
def test_all_logs_of_many_runs_are_in_one_parquet_file() -> None:
    figures(*NEW, "--replications", "3", "--out", "logs.parquet", "--workers", "1")
    table = pyarrow.parquet.read_table("logs.parquet")
    assert set(table["replication"].to_pylist()) == {0, 1, 2}
    figures(*NEW, "--out", "log.csv")
    first = [row for row in table.to_pylist() if row["replication"] == 0]
    assert {row["case_id"] for row in first} == {str(n) for n in range(1, 31)}
    assert sorted(
        (row["case_id"], row["activity"], row["resource"]) for row in rows(Path("log.csv"))
    ) == sorted((row["case_id"], row["activity"], row["resource"] or "") for row in first)


@pytest.mark.parametrize(("name", "begins"), [("c.svg", b"<svg"), ("c.png", b"\x89PNG"), ("c.html", b"<!")])
def test_pictures_of_queues(name: str, begins: bytes, here: Path) -> None:
    fine(*NEW, "--replications", "3", "--chart", name)
    content = (here / name).read_bytes()
    assert content.lstrip().startswith(begins)
    if name.endswith(".svg"):
        assert "orders in process" in content.decode()
        assert "Queue " in content.decode()


@pytest.mark.usefixtures("here")
def test_runs_go_on_until_an_interval_is_narrow_enough() -> None:
    said = figures(*NEW, "--precision", "cycle_mean_s=20%")
    assert said["precision_met"] is True
    found = said["figures"]["cycle_mean_s"]
    assert found["high"] - found["mean"] <= 0.2 * found["mean"]
    assert said["replications"] >= 10


@pytest.mark.usefixtures("here")
def test_antithetic_runs_come_in_pairs() -> None:
    said = figures(*NEW, "--replications", "4", "--antithetic")
    assert said["figures"]["cycle_mean_s"]["n"] == 2
    assert tracetwin(*NEW, "--replications", "3", "--antithetic").code == 2


@pytest.mark.usefixtures("here")
def test_where_runs_run_changes_nothing() -> None:
    runs = (*NEW, "--replications", "3")
    alone = figures(*runs, "--backend", "serial")
    assert figures(*runs, "--backend", "threads", "--workers", "2")["figures"] == alone["figures"]


FAULTS: dict[str, tuple[str, int, str]] = {
    "no orders": ("simulate twin.json", 2, "say which orders: --cases N with --start"),
    "no start": ("simulate twin.json --cases 3", 2, "say with --start when the first order arrives"),
    "new orders of an instance": (
        f"simulate {EXAMPLE} --cases 3 --start 2026-11-03",
        3,
        "has no 'arrivals' from which new orders could be drawn: leave --cases and --start out",
    ),
    "two kinds of orders": (
        "simulate twin.json --cases 3 --start 2026-11-03 --orders orders.csv",
        2,
        "--cases and --orders both say which orders come",
    ),
    "two starts": (
        "simulate twin.json --cases 3 --start 2026-11-03 --state state.json",
        2,
        "--start: the state has an instant of its own",
    ),
    "a start of listed orders": (
        "simulate twin.json --orders orders.csv --start 2026-11-03",
        2,
        "--start says when orders begin to be drawn",
    ),
    "two counts": (
        "simulate twin.json --replications 2 --precision profit=5%",
        2,
        "--replications and --precision both say how many runs",
    ),
    "no precision": (f"{' '.join(NEW)} --precision profit", 2, "precision 'profit': expected FIGURE=NUMBER"),
    "no such figure": (
        f"{' '.join(NEW)} --precision joy=5%",
        2,
        "--precision joy=5%: no such figure; take one",
    ),
    "an end before the beginning": (f"{' '.join(NEW)} --until 2020-01-01", 2, "--until 2020-01-01: expected"),
    "no end": (f"{' '.join(NEW)} --until soon", 2, "--until soon: not an instant"),
    "endless": (f"{' '.join(NEW)} --until 1e9", 2, "--until 1e9: expected an instant after the beginning"),
    "log of another kind": (
        f"{' '.join(NEW)} --out log.xes",
        2,
        "--out log.xes: expected a name that ends in",
    ),
    "picture of another kind": (
        f"{' '.join(NEW)} --chart c.gif",
        2,
        "--chart c.gif: expected a name that ends",
    ),
    "picture in no folder": (f"{' '.join(NEW)} --chart no/c.svg", 3, "no/c.svg can't be written"),
    "no such engine": (f"{' '.join(NEW)} --engine fast", 2, "Invalid value for '--engine'"),
    "code on the kernel": (
        f"{' '.join(NEW)} --policy mine_here:Late --engine kernel",
        2,
        "a policy written in Python: choose engine auto or reference",
    ),
    "broken code": (f"{' '.join(NEW)} --policy mine_here:Broken", 3, "the policy Broken failed at order 1"),
    "no such policy": (f"{' '.join(NEW)} --policy LAST", 2, "--policy LAST: unknown; take one of own, P, D"),
    "no such module": (f"{' '.join(NEW)} --policy gone:x", 2, "--policy gone:x: no module 'gone' in"),
    "no expression": (f"{' '.join(NEW)} --policy rule:valu", 3, "valu"),
    "schedule and policy": (
        f"{' '.join(NEW)} --policy PD --schedule schedule.json",
        2,
        "--policy PD and --schedule both say what goes first",
    ),
    "no such backend": (f"{' '.join(NEW)} --backend moon --replications 2", 2, "moon"),
    "orders before hour 0": (
        "simulate twin.json --orders past.csv",
        2,
        "would begin at 2023-12-31T19:00:00Z, before the week from which the files' times",
    ),
    "no orders there": ("simulate twin.json --orders none.csv", 3, "none.csv"),
    "no JSON": ("simulate broken.json", 3, "broken.json"),
    "no state": ("simulate twin.json --state broken.json", 3, "broken.json"),
    "no schedule": (f"{' '.join(NEW)} --schedule broken.json", 3, "broken.json"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("here")
def test_every_fault_has_its_sentence_and_leaves_no_file(fault: str) -> None:
    arguments, code, sentence = FAULTS[fault]
    before = set(os.listdir())
    said = tracetwin(*arguments.replace("2026-11-03T09:00:00Z", "2026-11-03").split())
    assert sentence in " ".join(said.err.split())
    assert said.code == code
    assert set(os.listdir()) - before <= {"__pycache__"}

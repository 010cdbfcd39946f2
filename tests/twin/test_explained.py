"""Explanations as the command prints them, on the published example."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metagraph.errors import UsageError
from twin.planned import Planned
from twin.planning import of_instance, plan_command
from twin.planning_request import PlanRequest
from twin.progress import Progress

EXAMPLE = Path(__file__).parents[2] / "examples" / "example1.instance.json"


def planned(*explain: str) -> Planned:
    return plan_command(of_instance(EXAMPLE), PlanRequest(dt="1h", gap=0.0, explain=explain), Progress())


def test_orders_and_tasks_are_explained_in_numbers_and_words() -> None:
    """Whichever of the best plans it is: 3PL delivers the last of them at hour 14, which can't wait."""
    found = planned("1", "5:Ship", "5:ship")
    first, last, same = found.explanations
    assert last == same
    assert (first.order, first.task, first.activity, first.agent) == ("1", "create", "Create Order", "CSR")
    assert (last.order, last.task, last.activity, last.agent, last.wait_h) == (
        "5",
        "ship",
        "Ship",
        "3PL",
        1.0,
    )
    ships = {one.order: one for one in found.work if one.task == "ship"}
    assert last.start == ships["5"].start
    assert last.at_stake.level == "profit"
    assert last.at_stake.amount is not None
    assert 2500 < last.at_stake.amount <= 3000
    assert [one.agents for one in last.shortages] == [("3PL",)]
    assert "3PL (Ship) is the bottleneck" in first.text
    assert "bottleneck" not in last.text, "once is enough"
    assert last.text.startswith("Order 5 begins Ship by 3PL at ")
    assert planned().explanations == ()
    of_agent = planned("3PL").explanations[0]
    begins = [one for one in found.work if one.agent == "3PL"]
    assert (of_agent.order, of_agent.task) == (begins[0].order, "ship")


def test_who_has_nothing_to_do_is_told_and_the_plan_made(tmp_path: Path) -> None:
    raw = json.loads(EXAMPLE.read_text("utf-8"))
    raw["tasks"]["produce"]["agents"] = ["A", "B", "C", "D", "E", "F"]
    raw["orders"] = raw["orders"][:1]
    (tmp_path / "one.json").write_text(json.dumps(raw))
    request = PlanRequest(dt="1h", gap=0.0, explain=tuple("ABCDEF"))
    found = plan_command(of_instance(tmp_path / "one.json"), request, Progress())
    idle = [one for one in found.explanations if not one.order]
    assert len(idle) == 5
    assert idle[0].text == f"{idle[0].agent} has nothing to begin in this plan."
    assert found.objective == 1000


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("7", "--explain 7: no such order or agent; there are 1, 2, 3, 4, 5"),
        ("7:ship", "--explain 7:ship: no such order or agent"),
        ("5:sell", "--explain 5:sell: no such task; there are Create Order, Produce, Ship"),
    ],
)
def test_what_is_not_there_cannot_be_explained(word: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        planned(word)

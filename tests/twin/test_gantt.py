"""The picture of a plan: every task in a row of its agent, none over another one."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.twin.plans import NOW, made_plan, with_status
from twin.drawing_tools import to_svg
from twin.gantt import DUE, MOST_ROWS, STANDINGS, gantt

AGENTS = ("Ann", "Bob", "Kim")


def layers(plan: Any) -> list[dict[str, Any]]:
    """The chart's layers with their rows."""
    chart = gantt(plan).to_dict()
    return [
        {
            **layer,
            "rows": chart["datasets"][layer["data"]["name"]]
            if "name" in layer["data"]
            else layer["data"]["values"],
        }
        for layer in chart["layer"]
    ]


def of_field(plan: Any, field: str) -> list[dict[str, Any]]:
    """Rows of the layer whose rows have this field."""
    return [row for layer in layers(plan) for row in layer["rows"] if field in row]


@pytest.mark.parametrize("n", [5, 40, 200])
def test_every_task_is_a_bar_and_none_covers_another(n: int) -> None:
    plan = made_plan(n, AGENTS)
    bars = of_field(plan, "shown")
    assert len(bars) == len(plan.work)
    by_row = defaultdict(list)
    for bar in bars:
        assert bar["row"].rstrip("\u200b") == bar["agent"]
        by_row[bar["row"]].append((bar["from"], bar["to"]))
    assert len(by_row) == len(AGENTS) + 1, "the first agent works on two things at once"
    for spans in by_row.values():
        spans.sort()
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_few_orders_have_colours_of_their_own_many_those_of_their_standing() -> None:
    few = made_plan(5, AGENTS)
    assert {bar["shade"] for bar in of_field(few, "shown")} == {one.order for one in few.orders[:-1]}
    many = made_plan(40, AGENTS)
    assert {bar["shade"] for bar in of_field(many, "shown")} == {"on time", "late"} < set(STANDINGS)


def test_what_is_under_way_is_paler_and_its_beginning_may_be_cut() -> None:
    plan = made_plan(5, AGENTS)
    first = plan.work[0]
    begun = with_status(
        plan,
        work=(with_status(first, start=NOW - timedelta(days=30)), *plan.work[1:]),  # type: ignore[arg-type]
    )
    paler = [bar for bar in of_field(begun, "shown") if bar["sure"] < 1]
    assert [bar["order"] for bar in paler] == [first.order]
    assert (NOW - timedelta(days=1)).isoformat() < paler[0]["shown"] <= NOW.isoformat()
    assert paler[0]["from"] == (NOW - timedelta(days=30)).isoformat()


def test_due_dates_stand_in_a_row_of_their_own() -> None:
    plan = made_plan(5, AGENTS)
    ticks = of_field(plan, "slack")
    assert {tick["row"] for tick in ticks} == {DUE}
    assert ticks
    assert {tick["order"] for tick in ticks} <= {one.order for one in plan.orders}
    undated = with_status(plan, orders=tuple(with_status(one, due=None) for one in plan.orders))  # type: ignore[arg-type]
    assert of_field(undated, "slack") == []


def test_hours_where_an_instance_knows_no_instants() -> None:
    bars = of_field(made_plan(5, AGENTS, hours=True, shifts=False), "shown")
    assert min(bar["shown"] for bar in bars) == pytest.approx(-1 / 3)
    assert all(isinstance(bar["to"], float) for bar in bars)


def test_only_the_busiest_of_very_many_agents_are_drawn_and_it_is_said() -> None:
    plan = made_plan(4, [f"agent {i}" for i in range(MOST_ROWS + 7)])
    assert len({bar["agent"] for bar in of_field(plan, "shown")}) == MOST_ROWS
    assert f"the {MOST_ROWS} busiest agents, 7 more" in str(gantt(plan).to_dict()["title"]["subtitle"])


def test_it_is_drawn() -> None:
    picture = to_svg(gantt(made_plan(5, AGENTS)))
    assert "SO-1" in picture
    assert "due dates" in picture
    assert "NaN" not in picture

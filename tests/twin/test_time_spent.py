"""Where the time goes: totals, shares, words and rows against arithmetic by hand."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from metagraph.agents import UNLIMITED
from metagraph.model import Metagraph
from metagraph.nodes import WaitBreakdown
from tests.twin import handmade
from twin.time_spent import PARTS, WAITING, busy_text, causes_text, modelled, summary, time_spent, to_csv


def with_waits(**waits: WaitBreakdown | None) -> Metagraph:
    """The handmade twin with these breakdowns alone."""
    twin = handmade.twin()
    tasks = {t.id: replace(t, waits=waits.get(t.id)) for t in twin.tasks()}
    return replace(twin, nodes=tuple(tasks.get(node.id, node) for node in twin.nodes))


SHIP = WaitBreakdown(
    400, 1800.0, 3600.0, 600.0, 900.0, 300.0, 7200.0, 100.0, {"Ship": 3000.0, "Pack": 1500.0}
)
INVOICE = WaitBreakdown(100, 0.0, 0.0, 3600.0, work_s=60.0)


def test_the_most_time_stands_first_and_parts_add_up() -> None:
    times = time_spent(with_waits(t5=INVOICE, t4=SHIP))
    assert [t.task for t in times] == ["Ship", "Invoice"]
    for t in times:
        assert sum(t.mean_s.values()) == pytest.approx(t.total_s)
        assert sum(t.mean_s[part] for part in WAITING) == pytest.approx(t.waiting_s)
    ship = times[0]
    assert (ship.waiting_s, ship.total_s) == (7200.0, 14500.0)
    assert ship.per_month_h == pytest.approx(400 * 14500 / 3600 / 80 * 365.25 / 12), "the log covers 80 days"
    assert ship.share_of_cycle == pytest.approx(400 * 14500 / (400 * 36000)), "400 cases of 10 h"


def test_a_twin_without_a_log_has_neither_months_nor_shares() -> None:
    (ship,) = time_spent(replace(with_waits(t4=SHIP), provenance=None))
    assert (ship.per_month_h, ship.share_of_cycle) == (None, None)
    assert summary(time_spent(with_waits())) == ""


def test_the_sentence_names_the_largest_parts_and_where_most_waiting_is() -> None:
    said = summary(time_spent(with_waits(t4=SHIP, t5=INVOICE)))
    whole = 400 * 14500 + 100 * 3660
    assert f"work {100 * (400 * 7200 + 100 * 60) / whole:.0f} %" in said
    assert said.index("work ") < said.index("agents busy") < said.index("remaining")
    assert "before Ship: 89 % of it" in said


def test_causes_and_what_kept_the_agents_busy_stand_the_longest_first() -> None:
    (ship,) = time_spent(with_waits(t4=SHIP))
    assert causes_text(ship) == "agents busy 50 %, off shift 25 %"
    assert busy_text({"Pack": 1500.0, "Ship": 3000.0}) == "Ship 50 min, Pack 25 min"


def test_what_the_twin_reproduces_is_told_from_what_was_seen() -> None:
    twin = handmade.twin()
    assert modelled(twin).startswith(
        "The twin reproduces shifts, busy agents and remaining waiting as a delay; it has no prioritisation "
        "(others first) or batching."
    )
    queues = tuple(replace(queue, priority="SDD") for queue in twin.queues)
    agents = tuple(replace(agent, capacity=UNLIMITED) for agent in twin.agents)
    said = modelled(replace(twin, queues=queues, agents=agents))
    assert said.startswith(
        "The twin reproduces shifts, prioritisation (others first) and remaining waiting as a delay; it has "
        "no busy agents or batching."
    )


def test_waits_that_the_twin_has_under_another_name_or_not_at_all_are_told() -> None:
    twin = with_waits(t4=SHIP)
    tasks = {t.id: t for t in twin.tasks()}
    delay = next(t.delay for t in twin.tasks() if t.delay)
    waits = replace(SHIP, batching_s=9000.0, remaining_s=7200.0)

    def told(**changed: object) -> str:
        ship = replace(tasks["t4"], waits=waits, **changed)  # type: ignore[arg-type]
        return modelled(replace(twin, nodes=tuple(ship if n.id == "t4" else n for n in twin.nodes)))

    said = told(delay=delay, batch=None)
    assert (
        "Batches were seen at Ship, but the twin collects no work there: that wait is part of its delay"
        in said
    )
    assert "is not in the twin" not in said
    said = told(delay=None, batch=None)
    assert "it waits as long as shifts and busy agents make it wait" in said
    assert "The remaining waiting before Ship (2 h) is not in the twin" in said


def test_rows_hold_the_seconds() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(time_spent(with_waits(t4=SHIP, t5=INVOICE))))))
    assert [row["task"] for row in rows] == ["Ship", "Invoice"]
    for row, waits in zip(rows, (SHIP, INVOICE), strict=True):
        assert {part: float(row[part]) for part in PARTS} == {part: getattr(waits, part) for part in PARTS}
        assert float(row["total_s"]) == waits.whole_s

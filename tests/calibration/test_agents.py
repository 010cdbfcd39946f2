"""Who does what, with how many hands."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.agents import fit_resources
from calibration.roles import fit_roles
from calibration.settings import Settings
from calibration.window import open_window
from metagraph.agents import UNLIMITED
from tests.calibration.builders import HOUR, Row, snapshot
from tests.calibration.test_hands import capacity_of


def test_queues_hold_who_did_the_task_and_how_often() -> None:
    rows: list[Row] = [(str(i), "A", "ann" if i % 4 else "bob", i * HOUR, i * HOUR + 60) for i in range(40)]
    rows += [(str(i), "B", "bob", i * HOUR + 60, i * HOUR + 90) for i in range(40)]
    found = fit_resources(open_window(snapshot(rows), 1.0), Settings())
    by_id = {q.id: dict(zip(q.agents, q.weights, strict=True)) for q in found.queues}
    assert by_id == {"A": {"ann": 0.75, "bob": 0.25}, "B": {"bob": 1.0}}
    assert dict(found.queue_of) == {"A": "A", "B": "B"}


def test_tasks_mostly_without_a_resource_need_nobody() -> None:
    rows: list[Row] = [(str(i), "Post", None if i % 3 else "ann", i * HOUR, i * HOUR + 60) for i in range(60)]
    rows += [(str(i), "A", None if i % 5 == 0 else "ann", i * HOUR + 60, i * HOUR + 90) for i in range(60)]
    found = fit_resources(open_window(snapshot(rows), 1.0), Settings())
    assert dict(found.queue_of) == {"A": "A"}
    said = {d.where: d for d in found.defaults}
    assert said["task Post"].missing == "resource of 40 of its 60 executions (67%)"
    assert "needs nobody" in said["task Post"].assumed
    assert said["task A"].missing == "resource of 12 of its 60 executions (20%)"
    assert said["task A"].assumed.startswith("each done by one of those seen at it")
    assert found.facts["without a resource"].startswith("52 of 120 executions; 12 of them are at tasks")


def test_an_agent_seen_only_at_tasks_that_need_nobody_is_left_out() -> None:
    rows: list[Row] = [(str(i), "Post", None if i else "ghost", i * HOUR, i * HOUR + 60) for i in range(10)]
    found = fit_resources(open_window(snapshot(rows), 1.0), Settings())
    assert found.agents == ()
    assert found.queues == ()


def test_capacity_is_what_is_usual_not_what_once_was() -> None:
    rows: list[Row] = [(f"{i}", "A", "one", i * HOUR, i * HOUR + 0.9 * HOUR) for i in range(100)]
    rows.append(("slip", "A", "one", 50.5 * HOUR, 51.5 * HOUR))
    for lane in range(3):
        rows += [(f"{i}.{lane}", "A", "three", i * HOUR, i * HOUR + 0.9 * HOUR) for i in range(100)]
    rows += [(f"z{i}", "A", "instant", 5 * HOUR, 5 * HOUR) for i in range(30)]
    log = snapshot(rows)
    assert dict(zip(log.resources, capacity_of(log), strict=True)) == {
        "instant": 1,
        "one": 1,
        "three": 3,
    }
    free = fit_resources(open_window(log, 1.0), Settings(use_contention=False))
    assert {a.capacity for a in free.agents} == {UNLIMITED}


def test_agents_with_the_same_tasks_share_a_role_and_rare_ones_join_it() -> None:
    work = np.array([[50, 50, 0], [40, 60, 0], [0, 2, 90], [1, 0, 0], [0, 0, 2]])
    roles, names = fit_roles(work, ("Check", "Call", "Ship"))
    assert roles[0] == roles[1] == roles[3]
    assert roles[2] == roles[4] != roles[0]
    assert names[roles[0]] == "Call, Check"
    assert names[roles[2]] == "Ship"


def test_agents_of_the_window_only() -> None:
    rows: list[Row] = [(str(i), "A", "old" if i < 60 else "new", i * HOUR, i * HOUR + 60) for i in range(120)]
    window = open_window(snapshot(rows), 0.5)
    assert [a.id for a in fit_resources(window, Settings()).agents] == ["new"]


def test_a_window_that_says_too_little_of_a_task_takes_the_whole_log() -> None:
    rows: list[Row] = [(str(i), "A", "ann", i * HOUR, i * HOUR + 60) for i in range(100)]
    rows += [(str(i), "Rare", "rob", i * HOUR + 60, i * HOUR + 90) for i in (3, 50)]
    window = open_window(snapshot(rows), 0.4)
    assert window.widened == ("Rare",)
    assert window.first_case == 60
    assert [a.id for a in fit_resources(window, Settings()).agents] == ["ann", "rob"]
    assert window.first_s == pytest.approx(60 * HOUR)

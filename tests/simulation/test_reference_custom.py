"""Policies written in Python."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from metagraph.errors import DataError, UsageError
from metagraph.orders import Order
from metagraph.policies import Policy
from simulation.custom import ItemView, QueueView
from simulation.reference import run, session
from tests.simulation.small import HOUR, by_class, parted, program, served, single, spans, who

GIVEN = (
    Order("busy", 0.0),
    Order("1", 1.0, cls="long", segment="gold", value=5.0, attributes={"boat": "yes"}),
    Order("2", 2.0, cls="short", due_s=9 * HOUR),
    Order("3", 3.0, segment="tin"),
)


class Gold:
    """Gold first, then the latest."""

    base = Policy(preemption=False)

    def __init__(self) -> None:
        self.seen: list[ItemView] = []

    def priority(self, item: ItemView, now_s: float) -> float:
        self.seen.append(item)
        return -inf if item.order.segment == "gold" else -item.order.release_s


def test_a_policy_sees_items_and_ranks_them() -> None:
    model = by_class(single(), {"long": 5 * HOUR})
    gold = Gold()
    log = run(program(model, GIVEN, gold), 0)
    assert served(log) == ["busy", "1", "3", "2"]
    first = gold.seen[1]
    assert (first.order, first.task, first.activity, first.visit) == (GIVEN[1], "a", "A", 1)
    assert (first.expected_s, first.done_s, first.ready_s, first.preemptions) == (5 * HOUR, 0.0, 1.0, 0)


def test_it_is_asked_again_after_an_interruption() -> None:
    class Once:
        """The latest first, and last whoever was interrupted."""

        def __init__(self) -> None:
            self.asked: list[tuple[str, float, float]] = []

        def priority(self, item: ItemView, now_s: float) -> float:
            self.asked.append((item.order.id, now_s, item.done_s))
            return -100.0 if item.done_s > 0.0 else -item.order.release_s

    once = Once()
    given = [Order("1", 0.0), Order("2", 0.25 * HOUR), Order("3", 0.5 * HOUR)]
    log = run(program(single(), given, once), 0)
    assert once.asked == [
        ("1", 0.0, 0.0),
        ("2", 0.25 * HOUR, 0.0),
        ("1", 0.25 * HOUR, 0.25 * HOUR),
        ("3", 0.5 * HOUR, 0.0),
        ("2", 0.5 * HOUR, 0.25 * HOUR),
    ]
    assert spans(log) == {"1": (0.0, 2.25), "2": (0.25, 3.0), "3": (0.5, 1.5)}


class Chooser:
    base = Policy(preemption=False)

    def priority(self, item: ItemView, now_s: float) -> float:
        return 0

    def queue(self, item: ItemView, queues: Sequence[QueueView], now_s: float) -> Any:
        return max(queues, key=lambda q: (q.load, q.id)).index


def test_it_chooses_queues() -> None:
    """The longest one, whatever the sense of it."""
    views: list[tuple[QueueView, ...]] = []

    class Watching(Chooser):
        def queue(self, item: ItemView, queues: Sequence[QueueView], now_s: float) -> Any:
            views.append(tuple(queues))
            return super().queue(item, queues, now_s)

    log = run(program(parted("xy"), [Order(str(i), 0.0) for i in range(4)], Watching()), 0)
    assert set(who(log).values()) == {"y"}
    x, y = views[-1]
    assert (x.id, x.load, x.waiting, x.work_s, x.expected_s) == ("X", 0, 0, 0.0, HOUR)
    assert (y.id, y.load, y.waiting, y.work_s) == ("Y", 3, 2, 2 * HOUR)


HERE = r" \(test_reference_custom.py, line \d+\)$"


class Broken(Chooser):
    """Fails in a way of its own."""

    def __init__(self, key: Any = 0.0, queue: Any = 0) -> None:
        self._key = key
        self._queue = queue

    def priority(self, item: ItemView, now_s: float) -> float:
        if self._key == "raise":
            raise ZeroDivisionError("by nothing")
        if self._key == "exit":
            sys.exit(0)
        if self._key == "deep":
            json.loads("{")
        return self._key  # type: ignore[no-any-return]

    def queue(self, item: ItemView, queues: Sequence[QueueView], now_s: float) -> Any:
        return self._queue


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (Broken(key=nan), "its priority was nan: it has to be a number"),
        (Broken(key=None), "its priority was None"),
        (Broken(key=10**400), "its priority was 1000+…, which is no float"),
        (Broken(key=10**5000), "its priority was a value of type int, which is no float"),
        (Broken(key=1j), "its priority was 1j: it has to be a number"),
        (Broken(key="7"), "its priority was '7'"),
        (Broken(key="raise"), "its priority raised ZeroDivisionError: by nothing" + HERE),
        (Broken(key="exit"), "its priority raised SystemExit: 0" + HERE),
        (Broken(key="deep"), "its priority raised JSONDecodeError: .*" + HERE),
        (SimpleNamespace(priority=lambda item, now_s: now_s / 0), "its priority raised ZeroDiv.*" + HERE),
        (Broken(queue=2), r"it chose the queue 2: it has to be the index of one of \[0, 1\]"),
        (Broken(queue=10**5000), "it chose the queue a value of type int: it has"),
        (Broken(queue="X"), "it chose the queue 'X'"),
        (Broken(queue=True), "it chose the queue True"),
        (Broken(queue=np.array([0, 1])), r"it chose the queue array\(\[0, 1\]\)"),
    ],
)
def test_its_faults_name_order_and_task(policy: Broken | SimpleNamespace, says: str) -> None:
    with pytest.raises(
        DataError, match=f"the policy {type(policy).__name__} failed at order 17, task 'a': {says}"
    ):
        run(program(parted("xy"), [Order("17", 0.0)], policy), 0)


def test_a_signal_to_the_program_is_none_of_its_faults() -> None:
    class Stopped(BaseException):
        pass

    class Stopping:
        def priority(self, item: ItemView, now_s: float) -> float:
            raise Stopped

    with pytest.raises(Stopped):
        run(program(single(), GIVEN, Stopping()), 0)


def test_forks_share_it() -> None:
    lowered = program(single(), GIVEN, Gold())
    going = session(lowered, 0)
    going.run_to(HOUR / 2)
    fork = going.fork()
    going.run_to(inf)
    fork.run_to(inf)
    assert fork.result().rows() == going.result().rows()


def test_its_base_is_a_policy() -> None:
    class Founded(Chooser):
        base: Any = "JSQ"

    with pytest.raises(UsageError, match="the policy Founded has the base 'JSQ': it has to be a metagraph"):
        program(parted("xy"), [Order("17", 0.0)], Founded())


def test_the_documented_policy_runs_and_all_that_it_sees_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
    section = text.split("\n## Policies in Python\n")[1].split("\n## ")[0]
    found: dict[str, Any] = {}
    exec(section.split("```python\n")[1].split("```")[0], found)
    model = by_class(parted("xy"), {"long": 5 * HOUR})
    assert sorted(served(run(program(model, GIVEN, found["promised"]), 0))) == ["1", "2", "3", "busy"]
    seen = {field.name for view in (ItemView, QueueView) for field in fields(view)}
    seen |= {field.name for field in fields(Order)}
    assert {name for name in seen if f"`{name}`" not in section} == set()

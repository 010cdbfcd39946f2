"""What rests on little is found wherever it stands, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

from metagraph.distributions import ENOUGH, Fitted
from metagraph.model import Default, Metagraph
from metagraph.nodes import DurationTable, Task
from metagraph.routing import Routing
from tests.twin import handmade
from tests.twin.test_report import Page
from twin.report import render
from twin.scarce import assumptions, facts, scarce


def with_n(n: int, level: str = "task") -> Metagraph:
    """The handmade twin with n observations behind every number."""

    def told(fitted: Fitted) -> Fitted:
        return replace(fitted, n=n, level=level, note="")

    def of_task(task: Task) -> Task:
        rows = tuple(replace(row, fitted=told(row.fitted)) for row in task.durations.rows)
        delay = replace(task.delay, default=told(task.delay.default)) if task.delay else None
        return replace(task, durations=DurationTable(rows), delay=delay)

    def of_routing(routing: Routing) -> Routing:
        return replace(routing, rows=tuple(replace(row, n=n) for row in routing.rows))

    twin = handmade.twin()
    assert twin.arrivals is not None
    return replace(
        twin,
        nodes=tuple(of_task(node) if isinstance(node, Task) else node for node in twin.nodes),
        routing=tuple(of_routing(routing) for routing in twin.routing),
        arrivals=replace(twin.arrivals, n=n),
    )


def test_one_observation_less_than_enough_is_few() -> None:
    assert scarce(with_n(ENOUGH)) == ()
    found = scarce(with_n(ENOUGH - 1))
    tasks = handmade.twin().tasks()
    assert [one.where for one in found] == [
        *(f"work of {tasks[0].label}", f"work of {tasks[1].label}", f"delay before {tasks[1].label}"),
        *(f"work of {task.label}" for task in tasks[2:]),
        *(f"choice after {handmade.EVIL}", "arrivals"),
    ]
    assert all(one.few and one.n == ENOUGH - 1 for one in found)


def test_what_people_set_is_not_few() -> None:
    laws = [one for one in scarce(with_n(0, "human")) if one.level]
    assert laws == []


def test_the_report_marks_them() -> None:
    few, enough = render(with_n(ENOUGH - 1)), render(with_n(ENOUGH))
    assert few.count('class="num few"') > enough.count('class="num few"') == 0
    assert f"choice after {handmade.EVIL}" in Page(few).text


def test_assumptions_that_are_alike_stand_together_by_kind() -> None:
    twin = handmade.twin()
    assert twin.provenance is not None
    defaults = (
        Default("duration of Ship", "only 9 executions", "their own values, smoothed"),
        Default("agents Ann and Bob", "fewer than 100 start and end times", "their role's calendar"),
        Default("duration of Invoice", "only 9 executions", "their own values, smoothed"),
        Default("duration of Pack", "only 2 executions", "their own values, smoothed"),
        Default("gateway l2", "it was never reached", "equal weights"),
        Default("the whole log", "start times", "work takes no time"),
    )
    found = assumptions(replace(twin, provenance=replace(twin.provenance, defaults=defaults)))
    assert [(one.kind, one.assumed) for one in found] == [
        ("People", "their role's calendar"),
        ("Tasks", "their own values, smoothed"),
        ("Choices of the process", "equal weights"),
        ("The log", "work takes no time"),
    ]
    assert found[1].told == (
        "duration of Ship, duration of Invoice: only 9 executions; duration of Pack: only 2 executions"
    )
    assert found[2].told == f"choice after {handmade.EVIL}: it was never reached"


def test_every_fact_is_told_once() -> None:
    twin = handmade.twin()
    assert twin.provenance is not None
    known = {
        "import": "a",
        "cases that fit perfectly": "b",
        "timeouts": "c",
        "holidays": "c",
        "something new": "d",
    }
    found = facts(replace(twin, provenance=replace(twin.provenance, facts=known)))
    assert {name: fact for told in found.values() for name, fact in told.items()} == known
    assert [*found] == ["The log", "Structure", "People", "Tasks", "Other"]

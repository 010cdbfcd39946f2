"""Instances: the paper's first example, the documentation's, and every fault that one can have."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metagraph.agents import Absence
from metagraph.distributions import Constant, Empirical, Parametric, ZeroInflated
from metagraph.errors import DataError
from metagraph.instances import Instance, read_any, read_instance, write_instance
from metagraph.json_io import save
from metagraph.model import Metagraph
from metagraph.orders import Order, ProfitShape, profit_at
from metagraph.orders_file import read_orders
from metagraph.schedule_file import read_schedule
from metagraph.state import Position
from metagraph.state_file import read_state
from tests.metagraph.strategies import metagraphs, plain_metagraph
from tests.metagraph.test_orders_file import orders
from tests.metagraph.test_state_file import PROCESS, states

ROOT = Path(__file__).parents[2]
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = 3600.0
PAPER = {
    "horizon_h": 14,
    "dt_h": 1,
    "tasks": {
        "create": {"agents": ["CSR"], "h": 1, "preds": []},
        "produce": {"agents": ["A", "B"], "h": 3, "preds": ["create"]},
        "ship": {"agents": ["3PL"], "h": 2, "preds": ["produce"]},
    },
    "profit_rule": {"p_e": "=p_d (no early incentive)", "p_l": "0.9*p_d", "p_ls": 0, "T_r": 0, "T_ls": 14},
    "orders": [
        {"id": i, "T_r": 0, "T_e": 0, "T_d": due, "T_ls": 14}
        | {"p_e": p, "p_d": p, "p_l": 0.9 * p, "p_f": 0.81 * p, "p_ls": 0}
        for i, (due, p) in enumerate([(7, 1000), (8, 2000), (10, 1000), (11, 2000), (12, 3000)], 1)
    ],
    "table1": {"MILP": [[6, 8, 14, 10, 12], 8810]},
}
"""As it is handed around among the project's measurements."""


def blocks_of(heading: str) -> list[str]:
    """The code blocks below a heading of docs/formats.md."""
    text = (ROOT / "docs" / "formats.md").read_text("utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [block.split("\n", 1)[1] for block in section.split("```")[1::2]]


def written(tmp_path: Path, raw: Any, name: str = "instance.json") -> Path:
    path = tmp_path / name
    path.write_text(raw if isinstance(raw, str) else json.dumps(raw), "utf-8")
    return path


def test_the_papers_first_example(tmp_path: Path) -> None:
    found = read_instance(written(tmp_path, PAPER, "example1.json"))
    process = found.metagraph
    assert (process.name, found.horizon_s, found.dt_s, found.state) == ("example1", 14 * HOUR, HOUR, None)
    assert [(t.id, t.queues, t.preemptible) for t in process.tasks()] == [
        ("create", ("CSR",), True),
        ("produce", ("A", "B"), True),
        ("ship", ("3PL",), True),
    ]
    assert [t.durations.default.law for t in process.tasks()] == [Constant(h * HOUR) for h in (1, 3, 2)]
    assert [queue.agents for queue in process.queues] == [("CSR",), ("A",), ("B",), ("3PL",)]
    assert process.gateways() == ()
    assert process.orders.profit == ProfitShape(1.0, 1.0, 0.9, 0.81, 0.0)
    assert [(o.id, o.value, o.due_s, o.profit) for o in found.orders][:2] == [
        ("1", 1000.0, 7 * HOUR, None),
        ("2", 2000.0, 8 * HOUR, None),
    ]


@pytest.mark.parametrize(
    ("ends_h", "total"),
    [
        ([14, 10, 12, 8, 6], 8405),
        ([6, 8, 10, 12, 14], 8170),
        ([6, 8, 10, 14, 12], 8620),
        ([6, 8, 12, 10, 14], 8285),
        ([12, 8, 14, 10, 6], 8646),
        ([6, 8, 14, 10, 12], 8810),
    ],
)
def test_profits_of_table_1(ends_h: list[int], total: int) -> None:
    """Perez, Wassick and Grossmann, Table 1; at the lost-sale date itself nothing is lost."""
    found = read_instance(ROOT / "examples" / "example1.instance.json")
    profit = found.metagraph.orders.profit
    assert sum(
        profit_at(order, profit, end * HOUR) for order, end in zip(found.orders, ends_h, strict=True)
    ) == pytest.approx(total, abs=0.5)


def test_the_example_beside_the_code_is_the_papers(tmp_path: Path) -> None:
    ours = read_instance(ROOT / "examples" / "example1.instance.json")
    assert ours.orders == read_instance(written(tmp_path, PAPER)).orders
    assert read_any(ROOT / "examples" / "example1.instance.json") == ours


def documented(tmp_path: Path) -> Instance:
    return read_instance(written(tmp_path, blocks_of("Instances")[0]))


def test_the_documented_instance(tmp_path: Path) -> None:
    found = documented(tmp_path)
    process = found.metagraph
    tasks = {task.id: task for task in process.tasks()}
    assert found.origin == MONDAY
    assert tasks["saw"].durations.lookup("small", "", "Ida").law == Constant(HOUR)
    assert tasks["saw"].durations.lookup("large", "", "Ida").law == Constant(2 * HOUR)
    assert tasks["drill"].durations.lookup("", "", "Joe").law == Constant(HOUR)
    assert tasks["paint"].durations.default.law == Parametric("gamma", (4.0, 0.0, 0.5 * HOUR))
    assert (tasks["paint"].queues, tasks["paint"].preemptible) == (("Kim, Lea",), False)
    assert tasks["dry"].queues == ()
    pack = tasks["pack"]
    assert pack.delay is not None
    assert (pack.delay.default.law, pack.cost) == (Constant(HOUR), 3.0)
    ida, joe, *_ = process.agents if process.agents[0].id == "Ida" else process.agents[::-1]
    assert ida.calendar == "day"
    start = MONDAY + timedelta(hours=14)
    assert joe.absences == (Absence(start, start + timedelta(hours=10), True, "training"),)
    day = next(calendar for calendar in process.calendars if calendar.id == "day")
    assert (day.hours[0], day.time_zone) == ((8 * HOUR, 17 * HOUR), "Europe/Vienna")
    assert day.holidays == (date(2026, 12, 25),)
    assert {gateway.id for gateway in process.gateways()} == {"after saw", "before pack"}
    assert process.orders.segment_priority == {"gold": 2.0}
    assert process.orders.profit == ProfitShape(1.0, 1.0, 0.9, 0.5, 0.0)


def test_the_progress_of_the_documented_instance(tmp_path: Path) -> None:
    found = documented(tmp_path)
    state = found.state
    assert state is not None
    assert state.at_s == 12 * HOUR
    first, second = state.orders
    assert first.history == ("Saw", "paint")
    assert first.positions == (
        Position("drill", 11.5 * HOUR, 11.5 * HOUR, "Joe", "Saw"),
        Position("dry", 11 * HOUR, 11 * HOUR, after="paint"),
    )
    assert first.visits == {"saw": 1, "paint": 1, "drill": 1, "dry": 1}
    assert (second.order.id, second.order.attributes) == ("2", {"colour": "red"})
    assert second.positions == (Position("saw", 10 * HOUR),)
    assert [(o.id, o.lost_s, o.profit) for o in found.orders] == [
        ("3", 72 * HOUR, ProfitShape(1.0, 1.0, 0.9, 0.5, -0.2))
    ]


def test_tokens_wait_at_merges_for_what_is_not_done(tmp_path: Path) -> None:
    raw = json.loads(blocks_of("Instances")[0])
    raw["orders"][0]["done"] = ["saw", "drill"]
    raw["orders"][0]["in_progress"] = [
        {"task": "paint", "agent": "Kim", "started_h": 11.9, "begun_h": 11, "worked_h": 0.5, "preemptions": 1}
    ]
    del raw["orders"][0]["waiting"]
    state = read_instance(written(tmp_path, raw)).state
    assert state is not None
    assert state.orders[0].merged == {"before pack": 1}
    place = Position("paint", 11 * HOUR, 11.9 * HOUR, "Kim", "Saw", None, None, 11 * HOUR, 0.5 * HOUR, 1)
    assert state.orders[0].positions == (place,)


def test_the_other_documented_files(tmp_path: Path) -> None:
    table, book = blocks_of("Orders")
    one = read_orders(written(tmp_path, table, "orders.csv"))
    two = read_orders(written(tmp_path, book))
    assert one[1] == two[1] == MONDAY
    assert [(o.id, o.release_s) for o in one[0]] == [("4711", 8.25 * HOUR), ("4712", 31200.0)]
    assert one[0][0] == two[0][0]
    raw = json.loads((ROOT / "docs" / "formats.md").read_text("utf-8").split("```json\n")[1].split("```")[0])
    del raw["arrivals"]
    twin = read_any(written(tmp_path, raw))
    assert isinstance(twin, Metagraph)
    state, origin = read_state(written(tmp_path, blocks_of("States")[0]), twin)
    assert (state.at_s, origin, state.orders[0].visits) == (12 * HOUR, MONDAY, {"check": 2, "done": 1})
    process = documented(tmp_path).metagraph
    schedule, _ = read_schedule(written(tmp_path, blocks_of("Schedules")[0]), process)
    assert [a.rank for a in schedule.assignments] == [1.0, 2.0]


def test_instances_that_hold_a_whole_twin(tmp_path: Path) -> None:
    found = documented(tmp_path)
    write_instance(found, tmp_path / "again.json")
    assert read_instance(tmp_path / "again.json") == found


@settings(max_examples=15, deadline=None)
@given(metagraphs(), orders(), st.none() | st.floats(0.1, 99))
def test_instances_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory,
    metagraph: Metagraph,
    found: tuple[Order, ...],
    hours: float | None,
) -> None:
    path = tmp_path_factory.getbasetemp() / "instance.json"
    seconds = None if hours is None else hours * 3600.0
    instance = Instance(metagraph, found, None, MONDAY, 0.0, seconds and seconds / HOUR * HOUR, None)
    write_instance(instance, path)
    again = read_instance(path)
    assert (again.metagraph, again.orders, again.origin) == (metagraph, found, MONDAY)
    assert again.horizon_s == pytest.approx(seconds)


@settings(max_examples=15, deadline=None)
@given(states())
def test_states_of_instances_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, state: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "instance.json"
    instance = Instance(PROCESS, (), state, MONDAY, 0.0)
    write_instance(instance, path)
    assert read_instance(path) == instance


def test_laws_of_hours_are_laws_of_seconds(tmp_path: Path) -> None:
    raw = copy.deepcopy(PAPER)
    laws: list[Any] = [
        {"kind": "empirical", "quantiles": [1, 2]},
        {"*": {"kind": "zero_inflated", "p_zero": 0.5, "positive": {"kind": "constant", "value": 2}}},
        {"kind": "parametric", "family": "expon", "params": [0, 1], "upper": 3},
    ]
    for task, law in zip(raw["tasks"].values(), laws, strict=True):  # type: ignore[attr-defined]
        task["h"] = law
    tasks = read_instance(written(tmp_path, raw)).metagraph.tasks()
    assert [task.durations.default.law for task in tasks] == [
        Empirical((HOUR, 2 * HOUR)),
        ZeroInflated(0.5, Constant(2 * HOUR)),
        Parametric("expon", (0.0, HOUR), 3 * HOUR),
    ]


def test_a_profit_of_0_at_the_due_date_still_has_shares(tmp_path: Path) -> None:
    raw = copy.deepcopy(PAPER)
    raw["orders"] = [{"id": "a", "T_d": 7, "p_e": 50, "p_d": 0, "p_l": -100, "p_f": -100, "p_ls": -100}]
    found = read_instance(written(tmp_path, raw))
    profit = found.metagraph.orders.profit
    assert [profit_at(found.orders[0], profit, t * HOUR) for t in (7.0, 8.0)] == [0.0, -100.0]


def test_twins_and_instances_are_told_apart(tmp_path: Path) -> None:
    twin = plain_metagraph(documented_block())
    save(twin, tmp_path / "twin.json")
    assert read_any(tmp_path / "twin.json") == twin
    with pytest.raises(DataError, match="is a twin; expected an instance, with `tasks`"):
        read_instance(tmp_path / "twin.json")
    with pytest.raises(DataError, match="written by a newer Tracetwin"):
        read_any(written(tmp_path, {"schema_version": 99, "tasks": 3}))
    with pytest.raises(DataError, match=r"expected an object"):
        read_any(written(tmp_path, "[]"))


def documented_block() -> Any:
    from metagraph.blocks import Leaf

    return Leaf("a", "A")


def changed(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(PAPER), **changes}


def task(**changes: Any) -> dict[str, Any]:
    raw = copy.deepcopy(PAPER)
    raw["tasks"]["produce"].update(changes)  # type: ignore[index]
    return raw


def order(**changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = copy.deepcopy(PAPER)
    raw["orders"][0].update(changes)
    raw["orders"][0] = {name: value for name, value in raw["orders"][0].items() if value is not None}
    return raw


def under_way(**changes: Any) -> dict[str, Any]:
    return {**order(**changes), "at_h": 2}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (changed(colour=1), "colour: no such field; there are origin, table1, note, horizon_h"),
        (changed(tasks={}), "tasks: none; expected an object of tasks by their ids"),
        (changed(tasks=[1]), "tasks: [1]; expected an object"),
        (changed(dt_h=0), "dt_h: 0; expected more than 0"),
        (changed(orders=[]), "orders: none; an instance needs one at least"),
        (changed(orders=None), "orders: missing; it is needed"),
        (changed(origin="noon"), 'origin: "noon"; expected an instant like'),
        (changed(segment_priority={"gold": "much"}), 'segment_priority, gold: "much"; expected a number'),
        (changed(agents={"A": {"calendar": "day"}}), 'agent A, calendar: "day" is no calendar'),
        (changed(agents={"A": {"capacity": 0}}), "agents, A, capacity: 0; expected 1 or more"),
        (
            changed(agents={"A": {"sharing": "some"}}),
            'agents, A, sharing: "some"; expected parallel or shared',
        ),
        (
            changed(agents={"A": {"absences": [{"end_h": 3}]}}),
            "agents, A, absences, item 0, start_h: missing",
        ),
        (changed(calendars={"d": {"week_h": [[8]]}}), "calendars, d, week_h: [8]; expected a pair of hours"),
        (
            changed(calendars={"d": {"week_h": 8}}),
            "calendars, d, week_h: 8; expected a list of pairs of hours",
        ),
        (
            changed(calendars={"d": {"week_h": [[9, 8]]}}),
            "calendar d, hours: 32400.0 to 28800.0 seconds ends",
        ),
        (changed(calendars={"d": {"holidays": ["x"]}}), 'calendars, d, holidays: "x"; expected a day like'),
        (changed(calendars={"d": {"time_zone": "Mars"}}), 'calendar d, time_zone: "Mars" is no time zone'),
        (changed(calendars={"d": {"exceptions": [{"start_h": 1}]}}), "exceptions, item 0, end_h: missing"),
        (task(h=None), "tasks, produce, h: missing; expected hours of work, such as 1.5"),
        (task(h=-1), "tasks, produce, h: -1; work takes no less than 0 hours"),
        (task(h="long"), 'tasks, produce, h: "long"; expected hours, a number or a law'),
        (task(h={"k": 1}), 'tasks, produce, h: nothing for all other orders; add "*"'),
        (task(h=[{"h": 1, "agent": "A"}]), "tasks, produce, h: nothing for all other orders"),
        (task(h=[{"agent": "A"}, {"h": 2}]), "tasks, produce, h, item 0, h: missing"),
        (
            task(h=[{"h": 1, "agent": "CSR"}, {"h": 2}]),
            'tasks, produce, h: for "CSR", who doesn\'t do it; its agents are A, B',
        ),
        (changed(agents={"Z": {}}), "agents, Z: does no task; those who do are CSR, A, B, 3PL"),
        (task(h={"kind": "tusk"}), "tasks, produce, h: kind tusk; expected 'constant'"),
        (task(h={"kind": "constant"}), "tasks, produce, h, value: missing; it is needed"),
        (task(h={"kind": "parametric", "family": "gama", "params": [1, 1]}), '"gama" is no continuous'),
        (task(preds=["sell"]), 'tasks, produce, preds: "sell" is no task; there are create, produce, ship'),
        (
            task(preds=["ship"]),
            "produce after ship after produce: tasks that wait for each other never begin",
        ),
        (task(agents="A"), 'tasks, produce, agents: "A"; expected a list of names'),
        (task(colour=1), "tasks, produce, colour: no such field; there are preds, agents, common_queue"),
        (task(preemptible=1), "tasks, produce, preemptible: 1; expected true or false"),
        (order(id=2), 'order "2": given 2 times; ids must differ'),
        (order(T_d="soon"), 'orders, "1", due_h: "soon"; expected hours, a number'),
        (order(T_d=-3), "due_h: -3 lies before the order's early date"),
        (order(due_h=3), 'orders, "1", T_d: given beside due_h; one of them is enough'),
        (
            order(p_l=None),
            'orders, "1", p_l: missing; an order with one of p_e, p_d, p_l, p_f, p_ls needs all',
        ),
        (order(p_d="much"), 'orders, "1", p_d: "much"; expected a number'),
        (order(value=0), 'orders, "1", value: 0, but the profits aren\'t; leave it out'),
        (
            order(profit=dict.fromkeys(["early", "due", "late", "final", "lost"], 1)),
            "profit: given beside p_e",
        ),
        (
            order(value=3, p_e=None, p_d=None, p_l=None, p_f=None, p_ls=None),
            'profit_rule, p_l: "0.9*p_d" is a remark; expected a number, the share',
        ),
        (order(done=["create"]), "work on it is told, but not when that was; say so in `at_h`"),
        (under_way(done=["sell"]), 'orders, "1", done: "sell" is no task; there are create, produce, ship'),
        (under_way(done=["produce"]), 'orders, "1", done: "produce" can\'t be done before create'),
        (under_way(done=["create", "produce", "ship"]), "done: nothing is left to do; leave out an order"),
        (under_way(waiting=[{"task": "ship"}]), '"ship" is not to be done yet; mend `done`'),
        (under_way(done=["create"], waiting=[{"task": "create"}]), '"create" is done; mend `done`'),
        (under_way(in_progress=[{"task": "create"}]), "in_progress, create: no started_h; it is needed"),
        (
            under_way(in_progress=[{"task": "create", "started_h": 1, "agent": "A"}]),
            'agent: "A" serves none of its queues; CSR can',
        ),
        (
            under_way(in_progress=[{"task": "create", "started_h": 3, "agent": "CSR"}]),
            "started: it lies after the instant of the state",
        ),
        (
            under_way(waiting=[{"task": "create"}], in_progress=[{"task": "create", "started_h": 1}]),
            'orders, "1": "create" is in progress or waits 2 times; once is enough',
        ),
        (under_way(waiting=[{"task": "create", "colour": 1}]), 'waiting, "create", colour: no such field'),
    ],
)
def test_every_fault_of_an_instance_is_told(tmp_path: Path, raw: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError) as caught:
        read_instance(written(tmp_path, raw))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        under_way(in_progress=[{"task": "ship", "started_h": 1, "agent": "3PL"}]),
        {**task(preds=["ship"]), "at_h": 2},
    ],
)
def test_one_fault_is_told_once(tmp_path: Path, raw: dict[str, Any]) -> None:
    raw["orders"][1]["done"] = ["create"]
    with pytest.raises(DataError) as caught:
        read_instance(written(tmp_path, raw))
    assert "mend these" not in str(caught.value)


def test_a_faulty_twin_inside_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"instance\.json, metagraph can't be used.*"):
        read_instance(written(tmp_path, {"metagraph": {"name": "x"}, "orders": []}))

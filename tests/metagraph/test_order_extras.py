"""Profits as tables, material, and hours that can be bought: they read as written; every fault is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metagraph.calendars import WorkClock
from metagraph.errors import DataError
from metagraph.instances import read_instance, write_instance
from metagraph.orders import Order, ProfitShape, profit_at
from metagraph.orders_file import read_orders, write_orders
from metagraph.overtime import Overtime, with_overtime
from metagraph.state import OpenOrder, Position, State
from metagraph.state_file import read_state, write_state
from tests.metagraph.test_instances import blocks_of, changed, order, written
from tests.metagraph.test_state_file import PROCESS

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = 3600.0
SOFT = ((1e3, -5.0), (2e3, 80.0), (3e3, 80.0), (4e3, 50.0), (4e3, 20.0))


def test_a_table_is_linear_between_its_points_and_level_beyond_them() -> None:
    found = Order("a", 0.0, value=9.0, profit_points=SOFT)
    at = [0.0, 1e3, 1.5e3, 2e3, 2.5e3, 3.5e3, 4e3, 4e3 + 1e-6, 1e9]
    worth = [-5.0, -5.0, 37.5, 80.0, 80.0, 65.0, 50.0, 20.0, 20.0]
    assert [profit_at(found, ProfitShape(), t) for t in at] == pytest.approx(worth)


@given(st.floats(0, 3e4), st.floats(1, 2), st.floats(0, 1), st.floats(-1, 1))
def test_a_table_can_say_what_the_papers_curve_says(t: float, early: float, late: float, lost: float) -> None:
    """Figure 1 of Perez, Wassick and Grossmann, point by point."""
    shape = ProfitShape(early, 1.0, 0.9 * late, 0.5 * late, lost)
    money = [early, 1.0, 0.9 * late, 0.5 * late, lost]
    table = tuple(zip([1e3, 1e4, 1e4, 2e4, 2e4], (100 * share for share in money), strict=True))
    curve, other = Order("a", 0.0, "", "", 100.0, 1e3, 1e4, 2e4), Order("a", 0.0, profit_points=table)
    assert profit_at(other, None, t) == pytest.approx(profit_at(curve, shape, t))


@pytest.mark.parametrize("hours", [True, False])
def test_orders_read_as_they_were_written(tmp_path: Path, hours: bool) -> None:
    found = (
        Order("a", 900.0, value=80.0, lost_s=4e3, profit_points=SOFT, material_s={"paint": 3600.0}),
        Order("b", 1800.0, value=3.0, profit_points=((0.0, -1.0),)),
    )
    write_orders(found, tmp_path / "o.json", MONDAY, hours=hours)
    again, _ = read_orders(tmp_path / "o.json")
    for one, other in zip(found, again, strict=True):
        assert other.material_s == pytest.approx(one.material_s)
        assert [money for _, money in other.profit_points] == [money for _, money in one.profit_points]
        assert [at for at, _ in other.profit_points] == pytest.approx([at for at, _ in one.profit_points])
        assert other.value == one.value


@pytest.mark.parametrize("extra", [{"profit_points": SOFT}, {"material_s": {"a": 1.0}}])
@pytest.mark.parametrize("hours", [True, False])
def test_tables_of_text_can_t_hold_them(tmp_path: Path, extra: dict[str, Any], hours: bool) -> None:
    with pytest.raises(DataError, match=r"order a has .*, which CSV can't hold: write JSON"):
        write_orders([Order("a", 0.0, **extra)], tmp_path / "o.csv", MONDAY, hours=hours)


def test_states_and_instances_keep_them(tmp_path: Path) -> None:
    whole = Order("1", 0.0, value=80.0, profit_points=SOFT, material_s={"a": 7200.0})
    state = State(3600.0, (OpenOrder(whole, (Position("a", 0.0),), (), {"a": 1}),))
    write_state(state, tmp_path / "state.json", MONDAY)
    assert read_state(tmp_path / "state.json", PROCESS, MONDAY) == (state, MONDAY)
    raw, more = (json.loads(block) for block in blocks_of("Instances")[:2])
    raw["orders"] += more.pop("orders")
    found = read_instance(written(tmp_path, {**raw, **more}))
    assert found.overtime == (Overtime("Ida", 17 * HOUR, 20 * HOUR, 90.0),)
    last = found.orders[0]
    assert (last.id, last.value, last.material_s) == ("4", 400.0, {"paint": 20 * HOUR})
    write_instance(found, tmp_path / "again.json")
    assert read_instance(tmp_path / "again.json") == found


def test_material_in_a_state_is_checked_against_the_process(tmp_path: Path) -> None:
    state = State(0.0, (OpenOrder(Order("1", 0.0, material_s={"sell": 1.0}), (Position("a", 0.0),), ()),))
    write_state(state, tmp_path / "state.json", MONDAY)
    with pytest.raises(DataError, match='order "1", material: "sell" is no task; there are a, b'):
        read_state(tmp_path / "state.json", PROCESS, MONDAY)


BARE: dict[str, None] = dict.fromkeys(["p_e", "p_d", "p_l", "p_f", "p_ls"])


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (order(**BARE, profit_points_h=3), "profit_points_h: 3; expected a list of pairs"),
        (order(**BARE, profit_points_h=[]), "profit_points_h: []; expected a list of pairs"),
        (order(**BARE, profit_points_h=[[3]]), "profit_points_h: [3]; expected a pair, an instant and money"),
        (order(**BARE, profit_points_h=[["x", 3]]), 'profit_points_h: "x"; expected hours, a number'),
        (order(**BARE, profit_points_h=[[3, "x"]]), 'profit_points_h: "x"; expected a number'),
        (order(**BARE, profit_points_h=[[3, 1], [2, 1]]), "instants that go back; expected them ascending"),
        (order(**BARE, profit_points_h=[[3, 1]] * 3), "three points at one instant; a jump has two"),
        (order(**BARE, profit_points_h=[[15, 1]]), "it goes on after the lost-sale date"),
        (order(profit_points_h=[[3, 1]]), "profit_points: given beside p_e"),
        (
            order(
                **BARE,
                profit_points_h=[[3, 1]],
                profit=dict.fromkeys(["early", "due", "late", "final", "lost"], 1),
            ),
            "profit_points_h: given beside a profit curve; one way is enough",
        ),
        (order(material_h={"sell": 2}), 'material: "sell" is no task; there are create, produce, ship'),
        (order(material_h={"ship": "x"}), 'material_h, ship: "x"; expected hours, a number'),
        (order(material={"ship": 3}), "times are told in several ways"),
        (
            changed(overtime=[{"agent": "Z", "start_h": 1, "end_h": 2, "price": 3}]),
            '"Z" is no agent; there are',
        ),
        (
            changed(overtime=[{"agent": "A", "start_h": 2, "end_h": 2, "price": 3}]),
            "end: not after the start",
        ),
        (
            changed(overtime=[{"agent": "A", "start_h": 1, "end_h": 2, "price": -3}]),
            "price: -3; expected 0 or",
        ),
        (changed(overtime=[{"agent": "A", "start_h": 1, "end_h": 2}]), "price: missing; it is needed"),
        (
            changed(overtime=[{"agent": "A", "start_h": 1, "end_h": 2, "price": 3}]),
            "overtime, item 0: A works in some of these hours anyway",
        ),
    ],
)
def test_every_fault_is_told(tmp_path: Path, raw: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError) as caught:
        read_instance(written(tmp_path, raw))
    assert told in str(caught.value)


def office(**agent: Any) -> dict[str, Any]:
    return changed(
        calendars={"day": {"week_h": [[8, 17]]}},
        agents={"A": {"calendar": "day", **agent}},
        overtime=[{"agent": "A", "start_h": start, "end_h": start + 2, "price": 3} for start in (17, 18)],
    )


def test_hours_are_bought_once_and_not_of_who_is_away(tmp_path: Path) -> None:
    away = [{"start_h": 19.5, "end_h": 24}]
    with pytest.raises(DataError) as caught:
        read_instance(written(tmp_path, office(absences=away)))
    told = str(caught.value)
    assert "overtime: hours of A overlap; each hour can be bought once" in told
    assert "overtime, item 1: A is absent in some of these hours; name others" in told
    assert "item 0" not in told


def test_who_comes_later_can_be_bought_before(tmp_path: Path) -> None:
    raw = office(hired_h=30)
    raw["overtime"] = [{"agent": "A", "start_h": 9, "end_h": 10, "price": 3}]
    assert read_instance(written(tmp_path, raw)).overtime[0].price == 3.0


def test_bought_hours_are_worked(tmp_path: Path) -> None:
    raw = office()
    del raw["overtime"][1]
    found = read_instance(written(tmp_path, raw))
    bought = with_overtime(found.metagraph, found.overtime, found.origin)
    clocks = {
        agent.id: WorkClock(calendar, found.origin)
        for process in (found.metagraph, bought)
        for agent in process.agents
        for calendar in process.calendars
        if calendar.id == agent.calendar
    }
    assert clocks["A"].between(0.0, 24 * HOUR) == 11 * HOUR
    assert bought.agents[0] == found.metagraph.agents[0]
    assert with_overtime(found.metagraph, (), found.origin) == found.metagraph

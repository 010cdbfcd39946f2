"""Policies and orders in numbers; what can't be meant is refused in a sentence."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import pytest

from metagraph.agents import Agent, Queue
from metagraph.distributions import Constant
from metagraph.errors import DataError, TwinError, UsageError
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, Order, OrderClass, OrderModel, ProfitShape
from metagraph.policies import Policy
from metagraph.schedule import Assignment, Schedule
from metagraph.state import OpenOrder, Position, State
from simulation.arrivals import draw_orders
from simulation.lowering import lower
from simulation.lowering_names import names_of
from simulation.orders import Ids, Numbered, as_orders, joined, orders_of
from simulation.program import NO_CAP, Assign, Part, Rule
from tests.simulation.builders import ORIGIN, constant, fitted, orders, process, row, station


def scheduled(*assignments: Assignment) -> Policy:
    return Policy(priorities=("RANK",), schedule=Schedule(assignments))


def test_a_policy_in_numbers() -> None:
    model = replace(station(Constant(1.0)), orders=OrderModel(profit=ProfitShape(0.5, 1.0, 0.8, 0.1, -0.2)))
    policy = Policy("x", "JDQ", ("HP", "SERPT"), "", None, False, "back", 3, 7.5, True)
    network = lower(model, (), origin=ORIGIN, policy=policy).network
    assert network.policy.tolist() == [
        (Assign.JDQ, Part.HP | Part.SERPT, 0, 1, 3, 1, 7.5, 0.5, 1.0, 0.8, 0.1, -0.2)
    ]
    assert network.queues["rule"].tolist() == [Rule.AVERAGE]
    plain = lower(station(Constant(1.0)), (), origin=ORIGIN).network
    assert plain.policy.tolist() == [(Assign.JSQ, 0, 1, 0, NO_CAP, 0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0)]
    assert plain.queues["rule"].tolist() == [Rule.FIFO]
    queue = Queue("q", ("agent0",), priority="SDD")
    own = lower(replace(station(Constant(1.0)), queues=(queue,)), (), origin=ORIGIN)
    assert own.network.queues["rule"].tolist() == [Rule.SDD]


class Last:
    base = Policy(assignment="JAQ", preemption=False)

    def priority(self, item: object, now_s: float) -> float:
        return -now_s


def test_a_policy_written_in_python() -> None:
    policy = Last()
    program = lower(station(Constant(1.0)), orders([0.0, 5.0]), origin=ORIGIN, policy=policy)
    assert program.network.custom is policy
    assert program.network.queues["rule"].tolist() == [Rule.PYTHON]
    assert (program.network.policy["assign"][0], program.network.policy["preemption"][0]) == (Assign.JAQ, 0)
    assert program.orders.given == orders([0.0, 5.0])


POLICIES: list[tuple[Any, type[TwinError], str]] = [
    (Policy(priorities=("BEST",)), UsageError, "rule 'BEST' is unknown: take one of FIFO, LIFO, HP, SDD"),
    (Policy(assignment="SHORT"), UsageError, "assignment rule 'SHORT' is unknown: take one of JSQ, JFQ"),  # type: ignore[arg-type]
    (Policy(tie="none"), UsageError, "tie rule 'none' is unknown"),  # type: ignore[arg-type]
    (Policy(max_preemptions=-1), UsageError, "allows -1 preemptions"),
    (Policy(resume_penalty_s=-1.0), UsageError, "resume penalty of -1 s"),
    (
        Policy(priorities=("HPCS",)),
        DataError,
        "HPCS .* of 'test' are: .* in a twin inside 'orders', in an instance beside 'orders'",
    ),
    (Policy(priorities=("RULE",)), UsageError, "RULE needs an expression on orders"),
    (Policy(priorities=("RULE",), rule="valu >"), DataError, "the policy's rule"),
    (Policy(priorities=("RANK",)), UsageError, "RANK needs a schedule"),
    (Policy(schedule=Schedule(())), UsageError, "a schedule, but no queue is ordered by it"),
    (Policy(priorities=("HP", "FIFO")), UsageError, "rule FIFO can't be averaged with others"),
    (Policy(priorities=("HP", "HP")), UsageError, "averages HP and HP: name each rule once"),
    (scheduled(Assignment("9", "a", "agent0", 1.0)), DataError, "there is no order '9' here"),
    (scheduled(Assignment("1", "z", "agent0", 1.0)), DataError, "there is no task 'z' here"),
    (scheduled(Assignment("1", "a", "bob", 1.0)), DataError, "there is no agent 'bob' here"),
    (scheduled(Assignment("1", "a", "agent0", float("nan"))), DataError, "of order 1 no rank"),
    (object(), UsageError, "is no policy"),
    (Last, UsageError, "is no policy"),
]


@pytest.mark.parametrize(("policy", "error", "sentence"), POLICIES, ids=[case[2] for case in POLICIES])
def test_what_cannot_be_meant_is_refused(policy: Any, error: type[TwinError], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        lower(station(Constant(1.0)), orders([0.0]), origin=ORIGIN, policy=policy)


def crossing() -> Metagraph:
    """Two tasks; x alone and both x and y serve a, y alone serves b."""
    return process(
        row("a", "b"),
        Constant(1.0),
        queues=[Queue("both", ("x", "y")), Queue("x", ("x",)), Queue("y", ("y",))],
        serves={"a": ["both", "x"], "b": ["y"]},
        agents=[Agent("x", "always"), Agent("y", "always")],
    )


def test_a_schedule_names_ranks_and_queues() -> None:
    """Of several queues through which an agent is reached, the one with the fewest agents."""
    policy = scheduled(
        Assignment("2", "a", "x", 3.0), Assignment("2", "b", "y", 1.5), Assignment("1", "a", "y", 2.0)
    )
    made = lower(crossing(), orders([0.0, 1.0, 2.0]), origin=ORIGIN, policy=policy).orders
    assert made.ranks is not None
    assert made.assigned is not None
    assert made.ranks.tolist() == [[2.0, inf], [3.0, 1.5], [inf, inf]]
    assert made.assigned.tolist() == [[0, -1], [1, 2], [-1, -1]]
    with pytest.raises(DataError, match="task 'b' of order 1 to agent 'x', who serves none of its queues"):
        lower(crossing(), orders([0.0]), origin=ORIGIN, policy=scheduled(Assignment("1", "b", "x", 1.0)))


def test_a_schedule_may_name_what_has_ended_meanwhile() -> None:
    state = State(100.0, (OpenOrder(Order("2", 0.0), (Position("a", 0.0),), ()),))
    policy = scheduled(Assignment("1", "a", "agent0", 1.0), Assignment("2", "a", "agent0", 2.0))
    made = lower(station(Constant(1.0)), (), origin=ORIGIN, state=state, policy=policy).orders
    assert made.ranks is not None
    assert made.ranks.tolist() == [[2.0]]


RICH = (
    Order("1", 0.0, "gold", "east", 500.0, 10.0, 20.0, 30.0, {"country": "AT"}),
    Order("2", 5.0, "iron"),
)


def test_orders_in_numbers() -> None:
    model = replace(
        station(Constant(1.0)),
        orders=OrderModel((OrderClass("gold", "east", 1.0, 1),), segment_priority={"east": 3.0, "west": 1.0}),
    )
    program = lower(model, RICH, origin=ORIGIN)
    gold, east = program.network.classes["gold"], program.network.segments["east"]
    assert program.orders.table[0].tolist() == (0.0, 500.0, 10.0, 20.0, 30.0, 3.0, 0.0, gold, east)
    second = program.orders.table[1].tolist()
    assert second[:3] == (5.0, 0.0, 5.0)
    assert (*second[:2], *second[3:]) == (5.0, 0.0, inf, inf, 0.0, 0.0, 0, 0)
    assert program.orders.attributes == ({"country": "AT"}, {})
    assert program.orders.curves is None


def test_a_rule_and_designated_queues_are_found_for_every_order() -> None:
    model = replace(
        crossing(),
        queues=(
            Queue("both", ("x", "y"), only="cls == 'gold'"),
            Queue("x", ("x",), only="has(country) and country == 'DE'"),
            Queue("y", ("y",)),
        ),
    )
    rule = Policy(priorities=("RULE",), rule="10 if cls == 'gold' else release_h * 3600", assignment="JDQ")
    made = lower(model, RICH, origin=ORIGIN, policy=rule).orders
    assert made.table["rule"].tolist() == [10.0, 5.0]
    assert made.designated is not None
    assert made.designated.tolist() == [[1, 0, 0], [0, 0, 0]]


def test_a_rule_reads_drawn_orders_too() -> None:
    classes = (OrderClass("gold", "", 0.5, 1, fitted(constant(7.0))), OrderClass("iron", "", 0.5, 1))
    model = replace(station(Constant(1.0)), orders=OrderModel(classes), arrivals=Arrivals((1.0,) * 168))
    drawn = draw_orders(model, ORIGIN, origin=ORIGIN, seed=1, replication=0, cases=20)
    rule = Policy(priorities=("RULE",), rule="value if has(value) else -1")
    made = lower(model, drawn, origin=ORIGIN, policy=rule).orders
    gold = made.table["cls"] == 1
    assert 0 < gold.sum() < 20
    assert made.table["rule"].tolist() == [7.0 if g else -1.0 for g in gold]


def test_a_profit_curve_of_its_own() -> None:
    """Others repeat the process's; a process without one yields all of the value until the order is lost."""
    own = replace(RICH[0], profit=ProfitShape(0.9, 0.8, 0.7, 0.6, 0.5))
    found = lower(station(Constant(1.0)), (own, RICH[1]), origin=ORIGIN).orders.curves
    assert found is not None
    assert found.tolist() == [[0.9, 0.8, 0.7, 0.6, 0.5], [1.0, 1.0, 1.0, 1.0, 0.0]]
    model = replace(station(Constant(1.0)), orders=OrderModel(profit=ProfitShape()))
    both = joined(model, orders_of(model, RICH), orders_of(model, [replace(own, id="3")]))
    assert both.curves is not None
    assert both.curves.tolist() == [[1.0, 1.0, 0.9, 0.0, 0.0]] * 2 + [[0.9, 0.8, 0.7, 0.6, 0.5]]
    assert tuple(both.attributes or ()) == ({"country": "AT"}, {}, {"country": "AT"})


def test_ids_are_written_when_they_are_asked_for() -> None:
    ids = Ids(("x", "y"), Numbered("N", 3), ("z",))
    assert list(ids) == ["x", "y", "N1", "N2", "N3", "z"]
    assert [ids[i] for i in range(6)] == [ids[i - 6] for i in range(6)] == list(ids)
    assert ids[1:4] == ("y", "N1", "N2")
    assert "N3" in ids
    assert len(Numbered("", 10**12)) == 10**12
    for index in (6, -7):
        with pytest.raises(IndexError):
            ids[index]
    assert [Numbered("N", 2).number(n) for n in ("N1", "N07", "N", "M1", "N99", "N٣")] == [1, 0, 0, 0, 99, 0]


@pytest.mark.parametrize(("name", "twice"), [("N3", True), ("N4", False), ("N03", False), ("3", False)])
def test_numbered_orders_are_told_from_open_ones(name: str, twice: bool) -> None:
    model = replace(station(Constant(1.0)), arrivals=Arrivals((1.0,) * 168))
    state = State(0.0, (OpenOrder(Order(name, 0.0), (Position("a", 0.0),), ()),))
    new = draw_orders(model, ORIGIN, origin=ORIGIN, seed=1, replication=0, cases=3, prefix="N")
    if twice:
        with pytest.raises(DataError, match="order N3 is given twice"):
            lower(model, new, origin=ORIGIN, state=state)
    else:
        assert list(lower(model, new, origin=ORIGIN, state=state).orders.ids) == [name, "N1", "N2", "N3"]


@pytest.mark.parametrize("release_s", [float("nan"), inf])
def test_a_release_is_an_instant(release_s: float) -> None:
    with pytest.raises(DataError, match=r"order 2 has no release that is a date: give it one"):
        lower(station(Constant(1.0)), orders([0.0, release_s]), origin=ORIGIN)


def test_tables_of_profits_and_material_keep_their_orders() -> None:
    model = station(Constant(1.0))
    task = model.tasks()[0].id
    points = ((0.0, 1.0), (5.0, 3.0), (5.0, 2.0))
    told = [
        Order("1", 1.0, profit_points=points[:2]),
        Order("2", 2.0, value=3.0, material_s={task: 9.0}),
        Order("3", 3.0, profit=ProfitShape(late=0.5)),
        Order("4", 4.0, profit_points=points, material_s={task: -9.0}),
    ]
    plain, few = orders([7.0, 8.0]), (told[1], told[3])
    for first, second in ((told, plain), (plain, told), (told, few), (plain, plain)):
        made = joined(model, orders_of(model, first), orders_of(model, second))
        for order, other in zip(as_orders(names_of(model), made), (*first, *second), strict=True):
            assert (order.profit_points, order.material_s) == (other.profit_points, other.material_s)
            assert order.profit == (None if order.profit_points else order.profit or other.profit)


@pytest.mark.parametrize(
    ("material", "says"),
    [({"z": 1.0}, "order 1 waits for material for 'z', which is no task"), ({"a": inf}, "until no instant")],
)
def test_material_is_for_a_task_and_comes(material: dict[str, float], says: str) -> None:
    with pytest.raises(DataError, match=says):
        lower(station(Constant(1.0)), [Order("1", 0.0, material_s=material)], origin=ORIGIN)

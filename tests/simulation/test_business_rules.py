"""Orders go where business rules send them: by the first rule that they meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from metagraph.blocks import Choice, Leaf
from metagraph.distributions import Constant
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.orders import Arrivals, Order, OrderClass, OrderModel, PastOrder, Sample
from metagraph.routing import BusinessRule, Context, Level, Routing, RoutingRow
from simulation.arrivals import draw_orders
from simulation.lowering import lower
from tests.simulation.builders import ORIGIN, process

ENGINES = ("reference", "kernel")
RULES = (BusinessRule("amount > 5"), BusinessRule("region == 'north' and amount <= 5"))
LEVELS = (Level(cls=True, rule=True), Level(rule=True), Level())
ROWS = (
    RoutingRow(0, ("vip", "1"), (0.0, 0.0, 1.0)),
    RoutingRow(1, ("1",), (1.0, 0.0, 0.0)),
    RoutingRow(1, ("2",), (0.0, 1.0, 0.0)),
    RoutingRow(2, (), (0.0, 0.0, 1.0)),
)


def ruled() -> Metagraph:
    """To A with more than 5, to B with less from the north, else to C; important people always to C."""
    model = process(Choice("x", "x_end", (Leaf("a", "A"), Leaf("b", "B"), Leaf("c", "C"))), Constant(60.0))
    flows = model.routing[0].flows
    return replace(model, routing=(Routing("x", flows, LEVELS, ROWS, RULES),))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("cls", "attributes", "task"),
    [
        ("", {"amount": "7", "region": "north"}, "A"),
        ("", {"amount": "5", "region": "north"}, "B"),
        ("", {"amount": "5", "region": "south"}, "C"),
        ("", {"amount": "5"}, "C"),
        ("", {}, "C"),
        ("vip", {"amount": "7"}, "C"),
        ("vip", {"amount": "3", "region": "north"}, "B"),
    ],
)
def test_an_order_goes_by_the_first_rule_that_it_meets(
    engine: str, cls: str, attributes: Mapping[str, str], task: str
) -> None:
    run: Any = import_module(f"simulation.{engine}").run
    given = [Order("other", 0.0), Order("it", 0.0, cls, attributes=attributes)]
    log = run(lower(ruled(), given, origin=ORIGIN), 1)
    assert {r[0]: r[1] for r in log.rows()} == {"other": "C", "it": task}


def test_the_routing_says_the_same_as_the_engines() -> None:
    routing = ruled().routing[0]
    assert routing.weights(Context("vip", "", 1, (), "1")) == (0.0, 0.0, 1.0)
    assert routing.weights(Context("", "", 1, (), "1")) == (1.0, 0.0, 0.0)
    assert routing.weights(Context("vip", "", 1, (), "2")) == (0.0, 1.0, 0.0)
    assert routing.weights(Context("", "", 1, ())) == (0.0, 0.0, 1.0)


def test_drawn_orders_have_the_attributes_that_rules_ask_for() -> None:
    sample = Sample(("amount",), (PastOrder(("9",), 1.0), PastOrder(("1",), 2.0), PastOrder(("",), 1.0)))
    model = replace(
        ruled(),
        orders=OrderModel((OrderClass("", "", 1.0, sample=sample),)),
        arrivals=Arrivals((1.0,) * 168),
    )
    drawn = draw_orders(model, ORIGIN, origin=ORIGIN, seed=3, replication=0, cases=50)
    program = lower(model, drawn, origin=ORIGIN)
    assert program.orders.ruled is not None
    assert drawn.attributes is not None
    met = [
        (kind.get("amount"), code)
        for kind, (code,) in zip(drawn.attributes, program.orders.ruled, strict=True)
    ]
    assert set(met) == {("9", 1), ("1", 0), (None, 0)}


def test_a_rule_that_cannot_be_asked_names_gateway_and_order() -> None:
    with pytest.raises(DataError, match=r"^rule 1 of gateway 'x': .* order it: .* text where a number"):
        lower(ruled(), [Order("it", 0.0, attributes={"amount": "much"})], origin=ORIGIN)

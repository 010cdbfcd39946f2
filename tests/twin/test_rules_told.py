"""The rules that a twin works by are said in sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metagraph.routing import BusinessRule, Level, RoutingRow
from tests.twin import handmade
from twin.found_words import not_used
from twin.rules_told import order_text, rules_told


def test_nothing_is_said_of_a_twin_without_rules() -> None:
    twin = handmade.twin()
    agents = tuple(replace(agent, capacity=1) for agent in twin.agents)
    plain = replace(twin, agents=agents, queues=tuple(replace(q, priority="FIFO") for q in twin.queues))
    assert rules_told(plain) == []


def test_business_rules_queues_and_capacities_are_said() -> None:
    twin = handmade.twin()
    first, *others = twin.routing
    level = Level(rule=True)
    last = first.overall()
    row = RoutingRow(0, ("1",), (0.0,) * (len(last.weights) - 1) + (1.0,), 40)
    ruled = replace(
        first,
        levels=(level, Level()),
        rows=(row, replace(last, level=1)),
        rules=(BusinessRule("amount > 1000", 40),),
    )
    agents = tuple(replace(agent, capacity=3, sharing="shared") for agent in twin.agents)
    queues = tuple(replace(queue, priority="LIFO") for queue in twin.queues)
    said = rules_told(replace(twin, routing=(ruled, *others), agents=agents, queues=queues))
    assert any(
        s.startswith("Business rule ") and "amount > 1" in s and "from 40 decisions" in s for s in said
    )
    assert any(s.startswith("What goes first at ") and s.endswith(": last come, first served.") for s in said)
    assert any(f"{twin.agents[0].id} 3 (dividing its time among them)" in s for s in said)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("LIFO", "last come, first served"),
        ("1 * (segment == 'vip')", "segment = vip, then all others"),
        (
            "((1 * (customer == 'silver') + 2 * (customer == 'gold')) if has(customer) else -1)",
            "customer = gold, then silver, then all others",
        ),
        ("(prio if has(prio) else 3)", "the highest prio"),
        ("-(prio if has(prio) else 3)", "the lowest prio"),
        ("value / 100 + (segment == 'gold')", "value / 100 + (segment = 'gold')"),
        ("(1 * (attr('kind of') == 'x') if has(attr('kind of')) else -1)", "kind of = x, then all others"),
    ],
)
def test_the_order_of_work_is_said_as_people_say_it(rule: str, said: str) -> None:
    assert order_text(rule) == said


def test_what_was_found_and_not_used_is_said() -> None:
    twin = handmade.twin()
    ruled = replace(twin, queues=tuple(replace(queue, priority="LIFO") for queue in twin.queues))
    said = not_used(ruled, twin)
    assert said.startswith("found in the log but not used: What goes first at ")
    assert said.endswith(": last come, first served")
    assert not_used(twin, ruled) == not_used(twin, twin) == ""

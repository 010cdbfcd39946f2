"""Which business rule each order meets at each gateway: known when it comes, and the same ever after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from metagraph.expressions import Expression, parse
from metagraph.model import Metagraph
from metagraph.nodes import Gateway
from metagraph.orders import Order
from simulation.program import Ints, Orders

_ITS_OWN = frozenset({"id", "value", "release_h", "early_h", "due_h", "lost_h"})
"""What differs between orders that have the same class, segment and attributes."""


def rules_met(
    metagraph: Metagraph, orders: Orders, given: Callable[[], Sequence[Order]], listed: int, *, alike: bool
) -> Ints:
    """[order, gateway with rules, in the order of the nodes]: number of the first rule that the order meets,
    from 1 on; 0: none.

    `given` makes the plain orders; `alike`: all but the first `listed` ones were drawn, so that those who
    share attributes, class and segment meet the same rules. Raises DataError for an order that a rule can't
    be asked of.
    """
    routing = {r.node: r for r in metagraph.routing}
    asked = [
        [
            parse(rule.when, f"rule {i} of gateway {node.id!r}")
            for i, rule in enumerate(routing[node.id].rules, 1)
        ]
        for node in metagraph.nodes
        if isinstance(node, Gateway) and node.routes and routing[node.id].rules
    ]
    names = {name for rules in asked for rule in rules for name in rule.names}
    plain = given()
    found = np.zeros((len(plain), len(asked)), np.int32)
    known: dict[tuple[int, int, int], list[int]] = {}
    alike = alike and not names & _ITS_OWN
    kinds = orders.table[["cls", "segment"]].tolist()
    for i, order in enumerate(plain):
        if alike and i >= listed:
            key = (id(order.attributes), *kinds[i])
            if key not in known:
                known[key] = _first_of_each(asked, order)
            found[i] = known[key]
        else:
            found[i] = _first_of_each(asked, order)
    return found


def _first_of_each(asked: Sequence[Sequence[Expression]], order: Order) -> list[int]:
    return [next((i for i, rule in enumerate(rules, 1) if rule.meets(order)), 0) for rules in asked]

"""Business rules of a gateway, set by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.graph_edits import known, noted
from calibration.order_model import group_cases
from calibration.routing_override import branch_names, completed
from calibration.routing_rows import Ints
from calibration.settings import OrderSpec
from discovery.replayed import Replayed
from eventlogs.snapshot import Snapshot
from metagraph.errors import DataError
from metagraph.expression_values import FIELDS
from metagraph.expressions import parse
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.routing import MOST_RULES, BusinessRule, Level, Routing, RoutingRow

Observed = Callable[[str, str], Ints]
"""Given a gateway and an expression on orders: how often each branch was taken by orders that meet it."""


@dataclass(frozen=True, slots=True)
class RuleByHand:
    """Orders for which a gateway's branches have these probabilities; those left out share the rest as over
    all orders."""

    when: str
    weights: tuple[tuple[str, float], ...]


def set_rules(
    graph: Metagraph, gateway: str, rules: Sequence[RuleByHand], observed: Observed | None
) -> Metagraph:
    """The graph with exactly these business rules at a gateway; the first that an order meets decides,
    whatever the order did before. Orders that meet none go as the log says.

    Raises DataError for unknown names, an expression that can't be read and weights that don't sum to 1.
    """
    where = f"gateway {gateway}"
    known(gateway, (r.node for r in graph.routing), "gateway that chooses")
    if len(rules) > MOST_RULES:
        raise DataError(f"[overrides] {where}: {len(rules)} rules; at most {MOST_RULES} can be told apart")
    old = next(r for r in graph.routing if r.node == gateway)
    rows: list[RoutingRow] = []
    said: list[str] = []
    for i, rule in enumerate(rules, 1):
        asked = parse(rule.when, f"[overrides] {where}, rule {i}").names
        said += [
            f"simulated orders have no attribute {name}" for name in sorted(asked - _known_of_orders(graph))
        ]
        weights = completed(graph, old, rule.weights, f"{where}, rule {i}")
        rows.append(RoutingRow(0, (str(i),), weights, 0))
        if observed is not None:
            said += _contradictions(graph, old, rule, weights, observed(gateway, rule.when))
    changed = replace(
        graph, routing=tuple(_with_rules(r, rules, rows) if r.node == gateway else r for r in graph.routing)
    )
    value = "; ".join(
        f"{rule.when}: {', '.join(f'{name} {weight:g}' for name, weight in rule.weights)}" for rule in rules
    )
    return noted(changed, where, "rules", value or "none", "; ".join(said))


def _known_of_orders(graph: Metagraph) -> set[str]:
    """Fields, and attributes that orders drawn from the twin can have."""
    samples = [c.sample for c in graph.orders.classes if c.sample is not None]
    return {*FIELDS, *(name for sample in samples for name in sample.attributes)}


def _with_rules(old: Routing, rules: Sequence[RuleByHand], rows: list[RoutingRow]) -> Routing:
    """Rows for the rules before those that don't ask for any."""
    kept = [i for i, level in enumerate(old.levels) if not level.rule]
    before = 1 if rules else 0
    others = [replace(r, level=before + kept.index(r.level)) for r in old.rows if r.level in kept]
    levels = (*([Level(rule=True)] if rules else []), *(old.levels[i] for i in kept))
    made = tuple(BusinessRule(rule.when, 0, True, "set by hand") for rule in rules)
    return replace(old, levels=levels, rows=(*rows, *others), rules=made)


def _contradictions(
    graph: Metagraph, routing: Routing, rule: RuleByHand, weights: tuple[float, ...], counts: Ints
) -> list[str]:
    n = int(counts.sum())
    names = branch_names(graph, routing)
    if not n:
        return [f"no order for which {rule.when} came here in the log"]
    shares = counts / n
    return [
        f"of n = {n} decisions for which {rule.when}, {name} was taken in {p:.0%}"
        for name, weight in rule.weights
        if abs(weight - (p := shares[names[name]])) > max(0.05, 3 * float(np.sqrt(p * (1 - p) / n)))
    ]


def observed_in(snapshot: Snapshot, replayed: Replayed, spec: OrderSpec, graph: Metagraph) -> Observed:
    """What the replayed log says of orders that meet an expression."""
    branches = {r.node: len(r.flows) for r in graph.routing}

    names = tuple(snapshot.attributes)
    columns = [[(value or "").strip() for value in column] for column in snapshot.attributes.values()]

    def counts(gateway: str, when: str) -> Ints:
        asked = parse(when, f"[overrides] gateway {gateway}")
        decisions = replayed.decisions
        index = replayed.gateways.index(gateway) if gateway in replayed.gateways else -1
        groups = group_cases(snapshot, spec)
        here = decisions.gateway == index
        meets = np.array(
            [
                asked.meets(Order(name, 0.0, cls, segment, attributes=dict(zip(names, values, strict=True))))
                for name, cls, segment, *values in zip(
                    snapshot.cases, groups.cls, groups.segment, *columns, strict=True
                )
            ],
            np.bool_,
        )
        mine = here & meets[decisions.case]
        return np.bincount(decisions.flow[mine], minlength=branches[gateway]).astype(np.int64)

    return counts

"""Probabilities of a gateway's branches, set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from calibration.graph_edits import known, noted
from metagraph.errors import DataError
from metagraph.model import Metagraph
from metagraph.routing import Level, Routing, RoutingRow


def set_routing(graph: Metagraph, gateway: str, wanted: Sequence[tuple[str, float]]) -> Metagraph:
    """The graph with these probabilities at a gateway whatever the context; branches left out share the rest
    as before. Raises DataError for unknown names and for weights that don't sum to 1."""
    where = f"gateway {gateway}"
    known(gateway, (r.node for r in graph.routing), "gateway that chooses")
    routing = next(r for r in graph.routing if r.node == gateway)
    weights = completed(graph, routing, wanted, where)
    new = Routing(routing.node, routing.flows, (Level(),), (RoutingRow(0, (), weights, 0),))
    changed = replace(graph, routing=tuple(new if r.node == new.node else r for r in graph.routing))
    value = ", ".join(f"{name} {weight:g}" for name, weight in wanted)
    names, before = branch_names(graph, routing), routing.overall()
    said = [
        f"{name} was taken in {before.weights[names[name]]:.0%} of n = {before.n} decisions"
        for name, weight in wanted
        if before.n
        and abs(weight - (p := before.weights[names[name]])) > max(0.05, 3 * (p * (1 - p) / before.n) ** 0.5)
    ]
    return noted(changed, where, "routing", value, "; ".join(said))


def completed(
    graph: Metagraph, routing: Routing, wanted: Sequence[tuple[str, float]], where: str
) -> tuple[float, ...]:
    """Weights of all branches; those left out share the rest as they do over all orders. Raises DataError for
    unknown names and for weights that don't sum to 1."""
    if routing.subsets:
        raise DataError(
            f"[overrides] {where}: its branches are taken several at once, which one probability each can't "
            "say; name a gateway that takes one of its branches"
        )
    names = branch_names(graph, routing)
    given: dict[int, float] = {}
    for name, weight in wanted:
        known(name, names, "branch", where)
        if not 0 <= weight <= 1 or names[name] in given:
            raise DataError(
                f"[overrides] {where}: {name} has the weight {weight:g} or is named twice; expected shares"
            )
        given[names[name]] = float(weight)
    before = routing.overall()
    rest = 1 - sum(given.values())
    left = [i for i in range(len(routing.flows)) if i not in given]
    if rest < -1e-9 or (not left and rest > 1e-9):
        total = f"{sum(given.values()):g}"
        raise DataError(
            f"[overrides] {where}: its weights sum to {total}; expected 1, or less if some are left out"
        )
    kept = sum(before.weights[i] for i in left)
    return tuple(
        given[i] if i in given else max(rest, 0.0) * (before.weights[i] / kept if kept > 0 else 1 / len(left))
        for i in range(len(routing.flows))
    )


def branch_names(graph: Metagraph, routing: Routing) -> dict[str, int]:
    """Names of the branches: their flows, and what they lead to where only one of them does."""
    targets = {f.id: f.target for f in graph.flows}
    labels = {t.id: t.label for t in graph.tasks()}
    named: dict[str, list[int]] = {}
    for i, flow in enumerate(routing.flows):
        target = targets[flow]
        for name in {target, labels.get(target, target)}:
            named.setdefault(name, []).append(i)
    found = {name: at[0] for name, at in named.items() if len(at) == 1}
    return {**found, **{flow: i for i, flow in enumerate(routing.flows)}}

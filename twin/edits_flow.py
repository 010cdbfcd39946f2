"""Edits of what flows: arrivals, the ways that orders go, and what goes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from calibration.routing_override import branch_names, completed
from metagraph.model import Metagraph
from metagraph.orders import ArrivalChange, Arrivals
from metagraph.routing import Level, Routing, RoutingRow
from twin.edit_tools import Place, dated
from twin.edits_agents import LONG_AGO, Edit
from twin.model_words import gateway_names
from twin.scenario_sections import ArrivalsSection, PrioritySection, RoutingSection
from twin.words import few, number, percent


def arrivals(graph: Metagraph, said: ArrivalsSection, place: Place) -> Edit:
    """More or fewer orders, of all classes or of some, always or for a time."""
    if graph.arrivals is None or not any(graph.arrivals.rates_per_h):
        raise place.wrong("this twin knows no arrivals that could change; give orders with --orders instead")
    if said.factor == 1.0:
        raise place.nothing("a factor of 1 leaves all as it is")
    kinds = graph.orders.classes
    place.known(said.classes or (), [kind.cls for kind in kinds], "class")
    place.known(said.segments or (), [kind.segment for kind in kinds], "segment")
    start, end = place.span(said.since, said.until)
    pairs = [(c, s) for c in said.classes or (None,) for s in said.segments or (None,)]
    share = sum(
        kind.share
        for kind in kinds
        if kind.cls in (said.classes or (kind.cls,)) and kind.segment in (said.segments or (kind.segment,))
    )
    if pairs != [(None, None)] and not share:
        raise place.nothing("no orders are of this class and segment")
    # Without any rate nobody knows arrivals any more; a change to nothing leaves them known.
    whole = pairs == [(None, None)] and start is None and end is None and said.factor > 0
    new = (
        _scaled(graph.arrivals, said.factor)
        if whole
        else replace(
            graph.arrivals,
            changes=(
                *graph.arrivals.changes,
                *(ArrivalChange(said.factor, start or LONG_AGO, end, cls, segment) for cls, segment in pairs),
            ),
        )
    )
    weekly = sum(graph.arrivals.rates_per_h) * (share if pairs != [(None, None)] else 1.0)
    of = [
        f"{what} {few(names)}"
        for what, names in (("class", said.classes), ("segment", said.segments))
        if names
    ]
    told = (
        f"orders{' of ' + ', '.join(of) if of else ''}: {number(weekly)} arrive in an ordinary week → "
        f"{number(weekly * said.factor)} ({percent(said.factor)}){dated(start, end)}"
    )
    return replace(graph, arrivals=new), [told]


def _scaled(arrivals: Arrivals, factor: float) -> Arrivals:
    return replace(arrivals, rates_per_h=tuple(rate * factor for rate in arrivals.rates_per_h))


def routing(graph: Metagraph, said: RoutingSection, place: Place) -> Edit:
    """Probabilities of a gateway's branches, whatever the order did before."""
    names = {name: node for node, name in gateway_names(graph).items()}
    nodes = {found.node for found in graph.routing}
    place.known([said.gateway], [*nodes, *names], "gateway that chooses,")
    node = said.gateway if said.gateway in nodes else names[said.gateway]
    old = next(found for found in graph.routing if found.node == node)
    with place.as_override():
        weights = completed(graph, old, tuple(said.weights.items()), f"gateway {said.gateway}")
    new = Routing(old.node, old.flows, (Level(),), (RoutingRow(0, (), weights, 0),))
    if new.rows[0].weights == old.overall().weights and len(old.rows) == 1:
        raise place.nothing("these are its weights")
    before = old.overall().weights
    known = branch_names(graph, old)
    told = [
        f"{name} {percent(before[known[name]])} → {percent(weights[known[name]])}" for name in said.weights
    ]
    more = ", whatever the order did before" if len(old.rows) > 1 else ""
    graph = replace(graph, routing=tuple(new if found.node == node else found for found in graph.routing))
    return graph, [f"gateway {said.gateway}: {', '.join(told)}{more}"]


def priority(graph: Metagraph, said: PrioritySection, place: Place) -> Edit:
    """The rule by which queues choose what is next."""
    ids = {q for task in place.tasks(graph, said.activities) for q in task.queues}
    changed = [q for q in graph.queues if q.id in ids and q.priority != said.rule]
    if not changed:
        raise place.nothing(f"the queues of these activities go by {said.rule} anyway, or there are none")
    if said.rule == "HPCS" and not graph.orders.segment_priority:
        raise place.wrong("HPCS needs to know how important segments are, which this twin doesn't")
    new = {q.id: replace(q, priority=said.rule) for q in changed}
    words = [f"{_many([q.id for q in changed])}: {few(sorted({q.priority for q in changed}))} → {said.rule}"]
    return replace(graph, queues=tuple(new.get(q.id, q) for q in graph.queues)), words


def _many(names: Sequence[str]) -> str:
    return f"queue{'s' if len(names) > 1 else ''} {few(names, 4)}"

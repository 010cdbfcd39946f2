"""How a metagraph, its orders and a state become what an engine interprets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import numpy as np

from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.policies import Policy
from metagraph.state import State
from simulation.kept import Kept
from simulation.lowering_agents import check_rules, lower_crew, lower_policy, split_policy
from simulation.lowering_batches import batch_clocks, lower_batches
from simulation.lowering_laws import Laws
from simulation.lowering_names import Names, names_of
from simulation.lowering_nodes import inclusive_of, lower_nodes
from simulation.lowering_orders import check_orders, check_standing, earliest_of, standings, under_policy
from simulation.lowering_rules import rules_met
from simulation.orders import as_orders, joined, orders_of
from simulation.program import Network, Orders, Program, Standing

_networks: Kept[Network] = Kept(8)
_standings: Kept[tuple[tuple[Standing, ...], Orders]] = Kept(4)


def lower(
    metagraph: Metagraph,
    orders: Sequence[Order] | Orders,
    *,
    origin: datetime,
    state: State | None = None,
    policy: Policy | Any = None,
) -> Program:
    """The program that simulates `orders` (and the open orders of `state`) on a process under a policy.

    `origin` is time 0, a Monday 00:00 UTC. `policy` is a Policy (none: the process's own rules), or an object
    written in Python as custom.py describes. The process itself is lowered once for calls that share it, the
    state once for calls that share both.

    Raises DataError where the metagraph, an order, the state or a schedule can't be run, UsageError for a
    policy that can't be meant.
    """
    said, custom = split_policy(Policy() if policy is None else policy)
    network = network_of(metagraph, origin, said, earliest_of(state), custom)
    names = names_of(metagraph)
    arrays = orders if isinstance(orders, Orders) else orders_of(metagraph, orders)
    standing: tuple[Standing, ...] = ()
    if state is not None:
        standing, opened = _standings.get(
            (network, state), None, lambda: _resumed(metagraph, network, state, origin)
        )
        arrays = joined(metagraph, opened, arrays)
    check_orders(arrays, len(standing), None if state is None else state.at_s, origin)
    given = _given(names, orders, state)
    arrays = under_policy(metagraph, network, said, arrays, given, lenient=state is not None)
    if network.ruled:
        alike = isinstance(orders, Orders)
        ruled = rules_met(metagraph, arrays, given, len(standing), alike=alike)
        arrays = replace(arrays, ruled=ruled)
    return Program(network, _sealed(arrays), standing, origin, None if state is None else state.at_s)


def network_of(
    metagraph: Metagraph,
    origin: datetime,
    policy: Policy,
    earliest_s: tuple[float, float],
    custom: Any = None,
) -> Network:
    """The metagraph under a policy; the last ones are kept, for programs that differ in their orders only.

    Clocks and paces answer from `earliest_s` on.
    """
    plain = replace(policy, schedule=None, rule="")
    key = (origin, plain, earliest_s, policy.schedule is None, bool(policy.rule.strip()))
    return _networks.get(
        (metagraph, custom), key, lambda: _network(metagraph, origin, policy, earliest_s, custom)
    )


def _network(
    metagraph: Metagraph, origin: datetime, policy: Policy, earliest_s: tuple[float, float], custom: Any
) -> Network:
    if custom is None:
        check_rules(metagraph, policy)
    names, laws = names_of(metagraph), Laws()
    nodes = lower_nodes(metagraph, names, laws)
    crew = lower_crew(
        metagraph, names, policy, python=custom is not None, origin=origin, earliest_s=earliest_s
    )
    batches = lower_batches(metagraph, nodes.nodes, laws, len(crew.clocks))
    records, grid = laws.records()
    parts: dict[str, Any] = {part.name: getattr(nodes, part.name) for part in fields(nodes)}
    parts |= {part.name: getattr(crew, part.name) for part in fields(crew)}
    parts["clocks"] = (*crew.clocks, *batch_clocks(metagraph, origin, earliest_s[0]))
    parts["batches"] = batches
    parts |= {"eta_errors": {node: laws.tables[law] for node, law in nodes.eta_errors.items()}}
    for value in (*parts.values(), records, grid):
        _seal(value)
    policy_record = lower_policy(metagraph, policy)
    _seal(policy_record)
    us, xs, slopes, tails = grid
    return Network(
        node_ids=tuple(node.id for node in metagraph.nodes),
        labels=tuple(names.labels),
        codes=names.codes,
        classes=names.classes,
        segments=names.segments,
        queue_ids=tuple(queue.id for queue in metagraph.queues),
        agent_ids=tuple(agent.id for agent in metagraph.agents),
        base=names.base,
        laws=records,
        us=us,
        xs=xs,
        slopes=slopes,
        tails=tails,
        tables=tuple(laws.tables),
        policy=policy_record,
        custom=custom,
        **parts,
    )


def _resumed(
    metagraph: Metagraph, network: Network, state: State, origin: datetime
) -> tuple[tuple[Standing, ...], Orders]:
    check_standing(state, origin)
    inclusive = inclusive_of(metagraph)
    opened = orders_of(metagraph, [o.order for o in state.orders])
    return standings(network, state.orders, inclusive), opened


def _given(
    names: Names, orders: Sequence[Order] | Orders, state: State | None
) -> Callable[[], tuple[Order, ...]]:
    """Makes the plain orders behind the arrays, those of the state first."""

    def plain() -> tuple[Order, ...]:
        opened = () if state is None else tuple(o.order for o in state.orders)
        return (*opened, *(as_orders(names, orders) if isinstance(orders, Orders) else orders))

    return plain


def _sealed(orders: Orders) -> Orders:
    for part in fields(orders):
        _seal(getattr(orders, part.name))
    return orders


def _seal(value: object) -> None:
    """Nobody writes to arrays that runs share."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False

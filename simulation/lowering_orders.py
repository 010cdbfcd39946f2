"""Orders under a policy, and open orders of a state, as an engine reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf, isfinite

import numpy as np

from metagraph.blocks import Parallel
from metagraph.errors import DataError
from metagraph.expressions import parse
from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.policies import Policy
from metagraph.schedule import Schedule
from metagraph.state import OpenOrder, Position, State, awaited
from simulation.lowering_agents import rule_of
from simulation.orders import Numbered, parts_of
from simulation.program import UNKNOWN, Assign, Floats, Ints, Kind, Network, Orders, Rule, Standing, Token


def check_orders(orders: Orders, standing: int, at_s: float | None, origin: datetime) -> None:
    """Whether ids differ and dates can be: finite releases, those to come not before the state's instant."""
    _check_ids(orders.ids)
    release_s = orders.table["release_s"]
    early = -inf if at_s is None else at_s
    wrong = ~np.isfinite(release_s)
    wrong[standing:] |= release_s[standing:] < early
    if not wrong.any():
        return
    i = int(np.argmax(wrong))
    if not isfinite(release_s[i]):
        raise DataError(f"order {orders.ids[i]} has no release that is a date: give it one")
    release, at = _stamp(origin, float(release_s[i])), _stamp(origin, early)
    raise DataError(
        f"order {orders.ids[i]} is released at {release}, before the state's instant {at}: put it into the "
        "state or release it later"
    )


def _stamp(origin: datetime, t: float) -> str:
    """An instant as its reader would write it; whatever the calendar can't hold as seconds."""
    try:
        return f"{origin + timedelta(seconds=t):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError):
        return f"{t:g} s"


def _check_ids(ids: Sequence[str]) -> None:
    seen: set[str] = set()
    parts = parts_of(ids)
    for part in parts:
        if isinstance(part, Numbered):
            continue
        before = len(seen)
        seen.update(part)
        if len(seen) < before + len(part):
            _twice(ids)
    numbered = [part for part in parts if isinstance(part, Numbered) and len(part)]
    if len(numbered) > 1:
        _twice(ids)
    for part in numbered:
        if any(1 <= part.number(name) <= len(part) for name in seen if name.startswith(part.prefix)):
            _twice(ids)


def _twice(ids: Sequence[str]) -> None:
    """Raise DataError for the first id that is given twice, if there is one."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise DataError(f"order {name} is given twice: ids of orders must differ")
        seen.add(name)


def under_policy(
    metagraph: Metagraph,
    network: Network,
    policy: Policy,
    orders: Orders,
    given: Callable[[], tuple[Order, ...]],
    *,
    lenient: bool,
) -> Orders:
    """The orders with what the policy wants to know of each: values of its rule, queues meant for it, ranks.

    `given` makes the plain orders behind the arrays; `lenient`: a schedule may name what is gone.
    """
    rule = bool((network.queues["rule"] == Rule.RULE).any())
    designated = bool(network.policy["assign"][0] == Assign.JDQ)
    if rule or designated or network.custom is not None:
        plain = given()
        if rule:
            whose = "the policy's rule" if policy.priorities else "the process's rule"
            asked = parse(rule_of(metagraph, policy), whose)
            table = orders.table.copy()
            table["rule"] = [asked.value(order) for order in plain]
            orders = replace(orders, table=table)
        if designated:
            orders = replace(orders, designated=_designated(metagraph, plain))
        if network.custom is not None:
            orders = replace(orders, given=plain)
    if policy.schedule is not None:
        ranks, assigned = ranks_of(network, orders.ids, policy.schedule, lenient=lenient)
        orders = replace(orders, ranks=ranks, assigned=assigned)
    return orders


def _designated(
    metagraph: Metagraph, plain: Sequence[Order]
) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    found = np.zeros((len(plain), len(metagraph.queues)), np.uint8)
    for q, queue in enumerate(metagraph.queues):
        if queue.only.strip():
            asked = parse(queue.only, f"queue {queue.id!r}")
            found[:, q] = [asked.holds(order) for order in plain]
    return found


def ranks_of(
    network: Network, ids: Sequence[str], schedule: Schedule, *, lenient: bool = False
) -> tuple[Floats, Ints]:
    """Ranks and queues [order, task] that a schedule names: infinite and -1 where it says nothing.

    Of several queues of the task that the agent serves, the one with the fewest agents. Raises DataError for
    an order, task or agent that isn't there, unless `lenient`, and for an agent who serves none of them.
    """
    tasks = {network.node_ids[i]: i for i in np.flatnonzero(network.nodes["kind"] == Kind.TASK).tolist()}
    agents = {name: i for i, name in enumerate(network.agent_ids)}
    ranks = np.full((len(ids), network.tasks), inf)
    assigned = np.full((len(ids), network.tasks), -1, np.int32)
    wanted = {assignment.order for assignment in schedule.assignments}
    orders = {name: i for i, name in enumerate(ids) if name in wanted}
    for one in schedule.assignments:
        for what, name, known in (
            ("order", one.order, orders),
            ("task", one.task, tasks),
            ("agent", one.agent, agents),
        ):
            if name not in known and not lenient:
                raise DataError(
                    f"the schedule assigns task {one.task!r} of order {one.order} to agent {one.agent!r}, "
                    f"but there is no {what} {name!r} here"
                )
        if one.order not in orders or one.task not in tasks or one.agent not in agents:
            continue
        if one.rank != one.rank:
            raise DataError(
                f"the schedule gives task {one.task!r} of order {one.order} no rank: give a number"
            )
        node = network.nodes[tasks[one.task]]
        queue = _queue_of(network, node, agents[one.agent])
        if queue is None:
            raise DataError(
                f"the schedule assigns task {one.task!r} of order {one.order} to agent {one.agent!r}, who "
                "serves none of its queues"
            )
        ranks[orders[one.order], node["task"]] = one.rank
        assigned[orders[one.order], node["task"]] = queue
    return ranks, assigned


def _queue_of(network: Network, node: np.void, agent: int) -> int | None:
    """The task's queue through which an agent gets its work; -1 for a task without queues."""
    queues = network.task_queues[node["queue"] : node["queue"] + node["queues"]].tolist()
    if not queues:
        return -1
    record = network.agents[agent]
    served = network.agent_queues[record["queue"] : record["queue"] + record["queues"]].tolist()
    mine = [q for q in queues if q in served]
    return min(mine, key=lambda q: int(network.queues["agents"][q])) if mine else None


def earliest_of(state: State | None) -> tuple[float, float]:
    """From when on clocks and paces are asked: the beginning of a week, not after the origin."""
    if state is None:
        return 0.0, 0.0
    places = [p for o in state.orders for p in o.positions]
    started = [t for p in places for t in (p.started_s, p.begun_s) if t is not None]
    return _week(min([state.at_s, *started])), _week(min([state.at_s, *(p.enabled_s for p in places)]))


def _week(t: float) -> float:
    return min(t // 604800.0 * 604800.0, 0.0)


def standings(
    network: Network, orders: Sequence[OpenOrder], inclusive: Sequence[Parallel] = ()
) -> tuple[Standing, ...]:
    """Where open orders stand; `inclusive`: the process's OR blocks.

    Raises DataError for places that the process doesn't have.
    """
    nodes = {name: i for i, name in enumerate(network.node_ids)}
    agents = {name: i for i, name in enumerate(network.agent_ids)}
    queues = {name: i for i, name in enumerate(network.queue_ids)}
    kinds = network.nodes["kind"].tolist()

    def token(order: OpenOrder, position: Position) -> Token:
        node = nodes.get(position.node)
        if node is None:
            raise DataError(
                f"open order {order.order.id} stands at {position.node!r}, which the process doesn't have"
            )
        if position.started_s is not None and kinds[node] != Kind.TASK:
            raise DataError(
                f"open order {order.order.id} is worked on at {position.node!r}, which is no task"
            )
        batched = network.nodes["batch"][node] >= 0
        if batched and position.eta_s is not None:
            raise DataError(
                f"open order {order.order.id} has an announced end at {position.node!r}, whose work is "
                "collected into batches: leave its eta out"
            )
        if position.collected_s is not None and not batched:
            raise DataError(
                f"open order {order.order.id} is collected at {position.node!r}, which has no batch"
            )
        return Token(
            node=node,
            enabled_s=position.enabled_s,
            started_s=position.started_s,
            agent=-1 if position.agent is None else agents.get(position.agent, -1),
            after=network.codes.get(position.after, UNKNOWN),
            queue=-1 if position.queue is None else queues.get(position.queue, -1),
            ready_s=position.ready_s,
            collected_s=position.collected_s,
            begun_s=position.begun_s,
            worked_s=position.worked_s,
            preemptions=position.preemptions,
            eta_s=position.eta_s,
        )

    return tuple(
        Standing(
            tokens=tuple(token(order, position) for position in order.positions),
            history=network.history(order.history),
            visits={nodes[name]: n for name, n in order.visits.items() if name in nodes},
            merged={
                **{nodes[name]: n for name, n in order.merged.items() if name in nodes},
                **{nodes[merge]: n for merge, n in awaited(inclusive, order).items()},
            },
        )
        for order in orders
    )


def check_standing(state: State, origin: datetime) -> None:
    """Whether what a state says of its positions can be. Raises DataError."""
    now = _stamp(origin, state.at_s)
    for order in state.orders:
        for place in order.positions:
            where = f"open order {order.order.id} at {place.node!r}"
            for name in ("enabled", "started", "ready", "collected", "begun"):
                t = getattr(place, f"{name}_s")
                if t is not None and not t <= state.at_s:
                    raise DataError(
                        f"{where} is {name} at {_stamp(origin, t)}, after the state's instant {now}: correct "
                        "one of them"
                    )
            if place.begun_s is not None and place.started_s is None and place.worked_s is None:
                raise DataError(f"{where} was interrupted, but not after how much work: give worked_s")
            if place.worked_s is not None and not 0.0 <= place.worked_s < inf:
                raise DataError(f"{where} has worked_s {place.worked_s:g}: give 0 or more")

"""Programs that replay a history: the same orders, ways and work under any policy, or an edited process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from metagraph.policies import Policy
from twin.replay_history import History

if TYPE_CHECKING:
    from simulation.program import Network, Orders, Program
    from simulation.tables import Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SURE = 1e-12


class Replay:
    """Makes the program of each replication: they differ in what the log doesn't tell."""

    def __init__(
        self,
        history: History,
        policy: Policy | Any,
        seed: int,
        *,
        metagraph: Metagraph | None = None,
    ) -> None:
        """`metagraph`: an edited process in place of the one that the history was read by."""
        from simulation.lowering import lower

        self.history, self._seed = history, seed
        self.metagraph = metagraph or history.metagraph
        self.program = lower(
            self.metagraph, history.orders, origin=history.origin, state=history.state, policy=policy
        )
        self._rows = _Rows(history, self.metagraph, self.program)

    def __call__(self, replication: int) -> Program:
        from simulation.streams import Stream

        return self.onto(self.program, Stream(self._seed, replication))

    def onto(self, program: Program, stream: Any) -> Program:
        """A program of the same orders, told what happened."""
        return replace(program, orders=self._rows.told(program.orders, stream))


class _Rows:
    """RECORDED of a history for a program, and what is drawn of it in each replication."""

    def __init__(self, history: History, metagraph: Metagraph, program: Program) -> None:
        from simulation.program import RECORDED

        self._network = network = program.network
        self._orders = {name: i for i, name in enumerate(program.orders.ids)}
        self._nodes = {name: i for i, name in enumerate(network.node_ids)}
        changed = _rerouted(history.metagraph, metagraph)
        found: dict[tuple[int, int, int], list[Any]] = {}
        self._levels: dict[tuple[int, int, int], tuple[float, float]] = {}
        self._delays: dict[tuple[int, int, int], tuple[int, float, float]] = {}
        if not changed:
            for name in history.whole & self._orders.keys():
                found[self._orders[name], -1, 0] = [-1, -1, -1, -1, 0.0, 0.0, 0.0]
        self._take_executions(history, found)
        self._take_decisions(history, metagraph, changed, found)
        keys = sorted(found)
        self._base = np.array([(node, visit, *found[o, node, visit]) for o, node, visit in keys], RECORDED)
        self._first = np.searchsorted([key[0] for key in keys], np.arange(len(self._orders) + 1))
        place = {key: i for i, key in enumerate(keys)}
        self._level_at = np.array([place[key] for key in self._levels], np.int64)
        self._level_key = np.array(list(self._levels), np.int64).reshape(-1, 3)
        self._level = np.array(list(self._levels.values())).reshape(-1, 2)
        self._delay_at = np.array([place[key] for key in self._delays], np.int64)
        self._delay_key = np.array(list(self._delays), np.int64).reshape(-1, 3)
        self._delay = np.array(list(self._delays.values())).reshape(-1, 3)

    def _take_executions(self, history: History, found: dict[tuple[int, int, int], list[Any]]) -> None:
        network = self._network
        agents = {name: i for i, name in enumerate(network.agent_ids)}
        laws = {id(table): i for i, table in enumerate(network.tables)}
        for one in history.executions:
            if one.node not in self._nodes or one.order not in self._orders:
                continue
            node = self._nodes[one.node]
            key = self._orders[one.order], node, one.visit
            agent, law = agents.get(one.agent, -1), laws.get(id(one.law), -1)
            work_s = one.work_s if law >= 0 else float("nan")
            delay_s = self._delayed(key, one.delay, one.delay_level, one.delay_s)
            queue = _queue(network, node, agent)
            found[key] = [-1, agent, queue, law, work_s, 0.0, delay_s]
            if one.work_s == one.work_s:
                self._levels[key] = one.level

    def _delayed(
        self, key: tuple[int, int, int], law: Table | None, level: tuple[float, float], delay_s: float
    ) -> float:
        """The delay, where it is the same in all replications; else NaN, and it is noted what to draw."""
        node = self._network.nodes[key[1]]
        if law is None or node["delay"] < 0:
            return float("nan")
        mine = {id(self._network.tables[i]) for i in self._network.delays[_delays(self._network, node)]}
        if id(law) in mine:
            number = next(i for i, table in enumerate(self._network.tables) if table is law)
            if delay_s == delay_s:
                return delay_s
        else:
            number = int(self._network.delays[node["delay"]])
        self._delays[key] = (number, *level)
        return float("nan")

    def _take_decisions(
        self,
        history: History,
        metagraph: Metagraph,
        changed: frozenset[str],
        found: dict[tuple[int, int, int], list[Any]],
    ) -> None:
        ways = {
            routing.node: {frozenset(flows): i for i, flows in enumerate(routing.outcomes())}
            for routing in metagraph.routing
            if routing.node not in changed
        }
        nothing = float("nan")
        for one in history.decisions:
            way = ways.get(one.gateway, {}).get(frozenset(one.flows), -1)
            if way >= 0 and one.order in self._orders:
                key = self._orders[one.order], self._nodes[one.gateway], one.visit
                found[key] = [way, -1, -1, -1, nothing, 0.0, nothing]

    def told(self, orders: Orders, stream: Any) -> Orders:
        """The orders with what is known of them, and with draws of what is known by half."""
        rows = self._base.copy()
        if len(self._level_at):
            rows["level"][self._level_at] = self._between(self._level_key, self._level, stream, _WORK)
        if len(self._delay_at):
            levels = self._between(self._delay_key, self._delay[:, 1:], stream, _DELAY)
            number = self._delay[:, 0].astype(np.int64)
            for law in np.unique(number).tolist():
                mine = number == law
                rows["delay_s"][self._delay_at[mine]] = self._network.tables[law].draws(levels[mine])
        rows.flags.writeable = False
        return replace(orders, recorded=rows, recorded_first=self._first.astype(np.int64))

    def _between(self, keys: Ints, levels: Floats, stream: Any, purpose: int) -> Floats:
        """A level between the lower and the upper one of each key: of no draw that an engine makes."""
        from simulation.philox import uniforms
        from simulation.streams import REDRAW

        us = uniforms(stream, keys[:, 0], keys[:, 1], keys[:, 2], purpose + REDRAW)
        found: Floats = levels[:, 0] + (levels[:, 1] - levels[:, 0]) * us
        return np.clip(found, _SURE, 1.0 - _SURE)


_DELAY, _WORK = 1, 2
"""As in simulation.streams.Purpose."""


def _delays(network: Network, node: np.void) -> slice:
    """Where the laws of a task's delay are."""
    first = int(node["delay"])
    return slice(first, first + (network.base if node["delay_after"] else 1))


def _queue(network: Network, node: int, agent: int) -> int:
    """The first of several queues of a task that an agent serves; -1: there is nothing to choose."""
    n = network.nodes[node]
    if n["queues"] < 2 or agent < 0:
        return -1
    mine = network.agents[agent]
    serves = network.agent_queues[mine["queue"] : mine["queue"] + mine["queues"]].tolist()
    queues = network.task_queues[n["queue"] : n["queue"] + n["queues"]].tolist()
    return next((q for q in queues if q in serves), -1)


def _rerouted(before: Metagraph, after: Metagraph) -> frozenset[str]:
    """Gateways at which an edited process chooses in another way."""
    if before is after:
        return frozenset()
    known = {routing.node: routing for routing in before.routing}
    return frozenset(r.node for r in after.routing if known.get(r.node) != r)

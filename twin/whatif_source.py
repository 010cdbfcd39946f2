"""The programs of a what-if's contenders: open orders as each finds them, and orders that arrive."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.state import OpenOrder, Position, State
from twin.edit_tools import able
from twin.planned_policy import Planner, played_as
from twin.policies import OWN_RULES
from twin.reschedule import Rescheduling
from twin.whatif_runs import Contender

if TYPE_CHECKING:
    from simulation.program import Program

_BEFORE = 0x9E3779B9
"""What the seed of a warm-up is further on; any odd number would do."""
_MEANWHILE = "meanwhile "
"""Begins the ids of orders that arrive between a log's instant and the beginning."""
_NEW = "new "
"""Begins the ids of orders that are still to arrive, where others are open."""


@dataclass(frozen=True, slots=True)
class Futures:
    """Makes the programs of contenders: open orders, and orders given or drawn for the replication."""

    twin: Metagraph
    """The baseline's, to which the state belongs."""
    begin: datetime
    """When it begins, and new orders begin to arrive."""
    origin: datetime
    until_s: float
    seed: int
    state: State | None = None
    """`warm_up_s` before the beginning."""
    orders: tuple[Order, ...] = ()
    warm_up_s: float = 0.0
    """What the twin itself comes to in this time, from the state or an empty process on, is what every
    contender begins with."""
    policy: Any = OWN_RULES
    """The baseline's."""

    def __call__(self, contender: Contender, replication: int) -> Program:
        from simulation.arrivals import draw_orders
        from simulation.lowering import lower

        graph = contender.metagraph
        found = self._warmed(replication)
        state = standing(found, self.twin, graph)
        policy = played_as(contender.policy)
        if self.orders or graph.arrivals is None:
            return lower(graph, self.orders, origin=self.origin, state=state, policy=policy)
        drawn = draw_orders(
            graph,
            self.begin,
            origin=self.origin,
            seed=self.seed,
            replication=replication,
            until_s=self.until_s,
            first_at_start=False,
            prefix=_NEW if found.orders else "",
            unknown=self.state is not None,
        )
        return lower(graph, drawn, origin=self.origin, state=state, policy=policy)

    def _warmed(self, replication: int) -> State:
        """What the process stands at in the beginning. Numbers of their own are drawn for it: an order that
        comes later must not be served by those of one that came before."""
        from simulation.arrivals import draw_orders
        from simulation.engines import session
        from simulation.lowering import lower
        from simulation.session import Options
        from simulation.snapshots import state_of

        begin_s = _seconds(self.begin, self.origin)
        first = self.state or State(begin_s - self.warm_up_s, ())
        if not self.warm_up_s:
            return first
        seed = (self.seed + _BEFORE) % 2**32
        drawn = draw_orders(
            self.twin,
            self.begin - timedelta(seconds=self.warm_up_s),
            origin=self.origin,
            seed=seed,
            replication=replication,
            until_s=begin_s,
            first_at_start=False,
            prefix=_MEANWHILE if self.state else "",
            unknown=self.state is not None,
        )
        program = lower(self.twin, drawn, origin=self.origin, state=first, policy=played_as(self.policy))
        going = session(program, seed, replication, options=Options(log=False))
        if isinstance(self.policy, Rescheduling):
            Planner(going, self.twin, self.policy).run_to(begin_s)
        else:
            going.run_to(begin_s)
        return replace(state_of(program, going.snapshot()), at_s=begin_s)


def _seconds(moment: datetime, origin: datetime) -> float:
    return (moment - origin).total_seconds()


def standing(state: State, before: Metagraph, after: Metagraph) -> State:
    """The state of a twin as its changed self finds it.

    Work in the hands of who may not do it any more goes back to wait, and where nobody is needed any more it
    begins anew; what waits chooses its queue again where its own is gone.
    """
    crews = {
        task.id: (
            set(able(before, task)),
            set(task.queues),
            set(able(after, new)),
            set(new.queues),
            new.batch is not None,
        )
        for task, new in zip(before.tasks(), after.tasks(), strict=True)
    }

    def fit(one: Position) -> Position:
        if one.node not in crews:
            return one
        had, queued, has, queues, collects = crews[one.node]
        if not collects:
            one = replace(one, collected_s=None)
        if queued and not queues:
            return Position(one.node, one.enabled_s, after=one.after)
        if one.agent in had - has:
            one = replace(one, agent=None, started_s=None, begun_s=None, worked_s=None, queue=None)
        return replace(one, queue=None) if one.queue in queued - queues else one

    def order(one: OpenOrder) -> OpenOrder:
        return replace(one, positions=tuple(fit(position) for position in one.positions))

    return State(state.at_s, tuple(order(one) for one in state.orders))

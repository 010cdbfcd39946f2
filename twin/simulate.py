"""Logs from a twin: orders from the start instant on, or from a state, run to their end or to a horizon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from metagraph.model import Metagraph
from metagraph.policies import Policy
from metagraph.state import State
from twin.policies import OWN_RULES

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run

Wanted = Literal["auto", "reference", "kernel"]


@dataclass(frozen=True, slots=True)
class Period:
    """Makes the program of one replication: orders drawn from the twin's arrivals, the first at `start`, in
    an empty process or after what stands in a state."""

    metagraph: Metagraph
    start: datetime
    cases: int | None
    """None: as many as arrive up to `until_s`."""
    seed: int
    policy: Policy | Any = OWN_RULES
    """Or an object written in Python."""
    state: State | None = None
    """At `start`; orders then arrive as they do, not one at once."""
    origin: datetime | None = None
    """Time 0 of the state; without one the Monday before `start`."""
    until_s: float | None = None
    """When arrivals end, seconds since the origin."""
    antithetic: bool = False

    def __call__(self, replication: int) -> Program:
        from simulation.arrivals import draw_orders, monday
        from simulation.lowering import lower

        origin = self.origin or monday(self.start)
        drawn = draw_orders(
            self.metagraph,
            self.start,
            origin=origin,
            seed=self.seed,
            replication=replication,
            cases=self.cases,
            until_s=self.until_s,
            first_at_start=self.state is None,
            antithetic=self.antithetic,
        )
        return lower(self.metagraph, drawn, origin=origin, state=self.state, policy=self.policy)


def simulate(
    metagraph: Metagraph,
    *,
    start: datetime,
    cases: int,
    seed: int,
    replication: int = 0,
    policy: Policy = OWN_RULES,
    engine: Wanted = "auto",
) -> Run:
    """One simulated log; all orders run to their end. Raises DataError if the twin has no arrivals."""
    from simulation.engines import run

    return run(Period(metagraph, start, cases, seed, policy)(replication), seed, replication, engine=engine)

"""Logs from a twin: new orders from the start instant on, run to their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from metagraph.model import Metagraph

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.run import Run


@dataclass(frozen=True, slots=True)
class Period:
    """Makes the program of one replication: `cases` orders, the first at `start`, in an empty process."""

    metagraph: Metagraph
    start: datetime
    cases: int
    seed: int
    policy: str = "FIFO"

    def __call__(self, replication: int) -> Program:
        from simulation.arrivals import generate_orders, monday
        from simulation.program import lower

        origin = monday(self.start)
        orders = generate_orders(
            self.metagraph,
            self.start,
            origin=origin,
            seed=self.seed,
            replication=replication,
            cases=self.cases,
        )
        return lower(self.metagraph, orders, origin=origin, policy=self.policy)


def simulate(
    metagraph: Metagraph,
    *,
    start: datetime,
    cases: int,
    seed: int,
    replication: int = 0,
    policy: str = "FIFO",
) -> Run:
    """One simulated log; all orders run to their end. Raises DataError if the twin has no arrivals."""
    from simulation.reference import run

    return run(Period(metagraph, start, cases, seed, policy)(replication), seed, replication)

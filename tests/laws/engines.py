"""Both engines under the same laws: orders as arrays, runs of a length that each engine can afford."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from metagraph.orders import Order
from metagraph.policies import Policy
from simulation.kpis import interval
from simulation.lowering import lower
from simulation.program import ORDER, Orders, Program
from simulation.run import Log, Run
from simulation.session import Options
from tests.simulation.builders import ORIGIN

Floats = NDArray[np.float64]
F = TypeVar("F")
Columns = Callable[[np.random.Generator, Floats], dict[str, Any]]
"""Of orders with these releases."""

ENGINES = ("reference", "kernel")
REPLICATIONS = 20
LENGTH = {"reference": 1_500, "kernel": 20_000}
"""Orders in a replication. The kernel's many give the laws their power; the reference, which is slow and to
which it is equal run by run (tests/simulation/test_equality.py), shows by fewer that it isn't grossly off."""


@dataclass(frozen=True)
class Engine:
    """One of the two, with a seed that is nobody else's."""

    name: str
    seed: int

    @classmethod
    def of(cls, name: str, test: str) -> Engine:
        """The seed follows from the test's name, so that nobody looks for one that fits."""
        return cls(name, crc32(test.encode()))

    def run(
        self, program: Program, replication: int = 0, until_s: float | None = None, **options: Any
    ) -> Run:
        module = import_module(f"simulation.{self.name}")
        found: Run = module.run(program, self.seed, replication, until_s, Options(**options))
        return found

    def sample(
        self,
        model: Metagraph,
        rate_per_s: float,
        figure: Callable[[Run], F],
        *,
        policy: Policy = Policy(),  # noqa: B008 - a frozen value
        columns: Columns | None = None,
        length: float = 1.0,
        replications: int = REPLICATIONS,
    ) -> list[F]:
        """The figure of each replication with Poisson arrivals; `columns` gives orders more than a release,
        `length` is a multiple of the engine's usual one."""
        program = lowered(model, policy)
        found, n = [], int(LENGTH[self.name] * length)
        for replication in range(replications):
            rng = np.random.default_rng([self.seed, replication])
            releases = np.cumsum(rng.exponential(1 / rate_per_s, n))
            more = columns(rng, releases) if columns else {}
            found.append(figure(self.run(with_orders(program, releases, **more), replication)))
        return found


def lowered(model: Metagraph, policy: Policy = Policy()) -> Program:  # noqa: B008
    return lower(model, [Order("1", 0.0)], origin=ORIGIN, policy=policy)


def with_orders(program: Program, releases: Floats | Sequence[float], **columns: Any) -> Program:
    """The program with other orders: columns of ORDER; an order has no date that isn't given."""
    table = np.zeros(len(releases), ORDER)
    table["early_s"] = table["release_s"] = releases
    table["due_s"], table["lost_s"] = np.inf, np.inf
    for name, values in columns.items():
        table[name] = values
    table.flags.writeable = False
    return replace(program, orders=Orders([str(i + 1) for i in range(len(table))], table), standing=())


def middle(run: Run) -> NDArray[np.bool_]:
    """Orders that neither see the empty beginning nor the end, when no more come."""
    n = len(run.program.orders)
    found = np.zeros(n, bool)
    found[n // 8 : n - n // 10] = True
    return found


def wait_of(run: Run) -> float:
    """Mean time from ready to start, over executions."""
    log = log_of(run)
    return float((log.start_s - log.ready_s)[middle(run)[log.order]].mean())


def response_of(run: Run, cls: int | None = None) -> float:
    """Mean time from release to completion, of one class or of all orders."""
    mine = middle(run) & ~np.isnan(run.completed_s)
    if cls is not None:
        mine &= run.program.orders.table["cls"] == cls
    return float((run.completed_s - run.release_s)[mine].mean())


def log_of(run: Run) -> Log:
    assert run.log is not None
    return run.log


def assert_theory(found: Sequence[float], theory: float, width: float = 0.5) -> None:
    """The value of theory lies in the 99.9 % interval, and that one is narrow enough to prove something."""
    around = interval(found, 0.999)
    assert around.n >= REPLICATIONS
    assert around.low <= theory <= around.high, (around, theory)
    assert around.high - around.low < width * theory, (around, theory)

"""Runs of a twin for bottlenecks: orders of some weeks after a warm-up, followed to their end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from simulation.kpis import interval
from twin.active_periods import Shares
from twin.bottleneck_findings import Side
from twin.bottleneck_verdicts import usages
from twin.bottleneck_waits import snapshot_of_run, waits_of
from twin.bottlenecks_log import queue_shares, verdicts
from twin.progress import Progress
from twin.stations import Watched, watch

if TYPE_CHECKING:
    from metagraph.calendars import WorkClock
    from simulation.engines import Engine
    from simulation.program import Program
    from simulation.run import Run

Floats = NDArray[np.float64]
WEEK_S = 7 * 86400.0
CUT_UP = 4
"""So many runs have their waits cut into causes, which takes as long as a calibration."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is simulated."""

    origin: datetime
    """A Monday 00:00 UTC."""
    warm_s: float
    """When orders begin to arrive, seconds since the origin."""
    begin_s: float
    """From when on they count."""
    end_s: float
    """When they cease to arrive."""

    @property
    def weeks(self) -> float:
        """In which orders count."""
        return (self.end_s - self.begin_s) / WEEK_S


@dataclass(frozen=True, slots=True)
class Source:
    """Makes the program of one replication: the same orders whatever is changed in the process."""

    metagraph: Metagraph
    span: Span
    seed: int
    policy: Any

    def __call__(self, replication: int) -> Program:
        from simulation.arrivals import draw_orders
        from simulation.lowering import lower

        orders = draw_orders(
            self.metagraph,
            self.span.origin + timedelta(seconds=self.span.warm_s),
            origin=self.span.origin,
            seed=self.seed,
            replication=replication,
            until_s=self.span.end_s,
            first_at_start=False,
        )
        return lower(self.metagraph, orders, origin=self.span.origin, policy=self.policy)


@dataclass(frozen=True, slots=True)
class Yield:
    """What the orders that count came to in one run."""

    lead_s: float
    """Summed over them."""
    orders: int
    profit: float | None
    """None: no order has a value."""
    dear: bool
    """Whether any of it would be lost if all were done a day later."""
    cut: bool
    """The run was broken off."""


@dataclass(frozen=True, slots=True)
class Count:
    """Reduces a Run to a Yield."""

    begin_s: float

    def __call__(self, run: Run) -> Yield:
        from simulation.money import profits, profits_at

        mine = run.release_s >= self.begin_s
        gone = np.fmin(run.completed_s, run.lost_s)
        # An order that never ends costs at least the time up to the end of the run.
        lead = np.where(np.isnan(gone), run.until_s, gone)[mine] - run.release_s[mine]
        money = profits(run)
        dear = False
        if money is not None:
            later = profits_at(run.program, np.where(run.lost, np.inf, run.completed_s + 86400.0))
            dear = bool((later < money)[mine].any())
        return Yield(
            float(lead.sum()),
            int(mine.sum()),
            None if money is None else float(np.nansum(money[mine])),
            dear,
            run.stopped not in ("end", "horizon"),
        )


@dataclass(frozen=True, slots=True)
class Baseline:
    """The twin as it is."""

    side: Side
    yields: tuple[Yield, ...]
    """By replication."""
    engine: Engine
    busiest: tuple[str, ...]
    """Agents by utilisation, the highest first."""
    slowest: tuple[str, ...]
    """Activities by their part of the lead time, waiting and work, the largest first."""

    @property
    def dear(self) -> bool:
        """Whether profit depends on when orders are done; else the time that they take is all there is."""
        return any(one.dear for one in self.yields)


def baseline(source: Source, replications: int, progress: Progress) -> Baseline:
    """Simulate the twin as it is, and look at what its agents do and what its orders wait for."""
    from simulation.engines import choose, run_on
    from simulation.session import Options

    span, count = source.span, Count(source.span.begin_s)
    edges = np.array([span.begin_s, span.end_s])
    engine, seen, waits, yields, leads = None, [], [], [], []
    spent: dict[str, float] = {}
    for k in range(replications):
        progress.step(f"run {k + 1} of {replications}", k / replications)
        program = source(k)
        engine = engine or choose(program, tell=lambda text: progress.step(text, 0.0))
        run = run_on(engine, program, source.seed, k, None, Options())
        log = run.executions
        ends = np.where(np.isnan(log.end_s), run.until_s, log.end_s)
        clocks = _clocks(program, source.seed, k)
        agents = log.agent.astype(np.int64)
        seen.append(watch(source.metagraph, agents, log.start_s, ends, clocks, edges))
        yields.append(count(run))
        leads.append(_lead_h(run, span.begin_s))
        for label, seconds in zip(run.labels, _by_label(run, ends - log.enabled_s), strict=True):
            spent[label] = spent.get(label, 0.0) + seconds
        if k < CUT_UP:
            waits.append(waits_of(source.metagraph, snapshot_of_run(run), edges))
    assert engine is not None
    agents_seen, roles_seen = (_joined([pair[i] for pair in seen]) for i in range(2))
    side = Side(
        source="twin",
        start=span.origin + timedelta(seconds=span.begin_s),
        end=span.origin + timedelta(seconds=span.end_s),
        samples=replications,
        lead_h=interval(leads),
        agents=usages(agents_seen),
        roles=usages(roles_seen),
        verdicts=verdicts(source.metagraph, agents_seen, roles_seen, "twin"),
        queues=queue_shares(waits),
    )
    busiest = sorted(side.agents, key=lambda one: -np.nan_to_num(one.utilisation.mean))
    slowest = sorted(spent, key=lambda label: -spent[label])
    return Baseline(side, tuple(yields), engine, tuple(one.name for one in busiest), tuple(slowest))


def _lead_h(run: Run, begin_s: float) -> float:
    """Mean from first start to end of the orders that count and have ended, as a log shows it."""
    log = run.executions
    first = np.full(len(run.order_ids), np.inf)
    np.minimum.at(first, log.order, log.start_s)
    gone = np.fmin(run.completed_s, run.lost_s)
    mine = (run.release_s >= begin_s) & ~np.isnan(gone) & np.isfinite(first)
    return float((gone - first)[mine].mean()) / 3600 if mine.any() else float("nan")


def _by_label(run: Run, seconds: Floats) -> list[float]:
    found: list[float] = np.bincount(run.task, seconds, minlength=len(run.labels)).tolist()
    return found


def _clocks(program: Program, seed: int, replication: int) -> Callable[[int], WorkClock | None]:
    """The agents' clocks as the run had them."""
    from simulation.streams import Stream

    network, stream = program.network, Stream(seed, replication)
    made: dict[int, WorkClock | None] = {}

    def clock(agent: int) -> WorkClock | None:
        number = int(network.agents["clock"][agent])
        if number not in made:
            plan = network.clocks[number]
            made[number] = None if plan is None else plan.clock(stream, program.begin_s)
        return made[number]

    return clock


def _joined(seen: Sequence[Watched]) -> Watched:
    """Runs as windows beside one another."""

    def beside(name: str) -> Floats:
        return np.concatenate([getattr(one.shares, name) for one in seen], axis=-1)

    shares = Shares(*(beside(name) for name in ("sole_s", "shifting_s", "active_s", "on_s", "any_s")))
    return Watched(seen[0].names, shares, np.concatenate([one.used for one in seen], axis=1))

"""Figures of one run, and of many with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from metagraph.agents import UNLIMITED
from simulation.run import Floats, Run


@dataclass(frozen=True, slots=True)
class Kpis:
    """One run's figures; times in seconds, NaN where nothing was completed."""

    orders: int
    """Released within the run, or open at its beginning."""
    completed: int
    lost: int
    cycle_mean_s: float
    """Release to completion, over completed orders."""
    cycle_median_s: float
    cycle_p90_s: float
    waiting_mean_s: float
    """Enabled to start, per execution."""
    throughput_per_h: float
    """Completed orders per hour of the run."""
    wip_mean: float
    """Open orders, on average over the run's time."""
    utilisation: Mapping[str, float]
    """Per agent: work done over capacity on shift, in the run's time; not of those without limit."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over replications, with its two-sided 95 % t-interval; low = high = mean for one value."""

    mean: float
    low: float
    high: float
    n: int


def kpis(run: Run) -> Kpis:
    """The figures of a run."""
    cycle = (run.completed_s - run.release_s)[~np.isnan(run.completed_s)]
    span_s = run.until_s - run.begin_s
    waits = (run.start_s - run.enabled_s)[run.start_s >= run.begin_s]
    median, p90 = np.quantile(cycle, (0.5, 0.9)) if len(cycle) else (np.nan, np.nan)
    return Kpis(
        orders=int((run.release_s <= run.until_s).sum()),
        completed=len(cycle),
        lost=int(run.lost.sum()),
        cycle_mean_s=float(cycle.mean()) if len(cycle) else float("nan"),
        cycle_median_s=float(median),
        cycle_p90_s=float(p90),
        waiting_mean_s=float(waits.mean()) if len(waits) else float("nan"),
        throughput_per_h=3600.0 * len(cycle) / span_s if span_s > 0 else float("nan"),
        wip_mean=_wip_mean(run, span_s),
        utilisation=utilisation(run),
    )


def utilisation(run: Run) -> dict[str, float]:
    """Per agent: working seconds spent on executions over capacity times seconds on shift."""
    network = run.program.network
    busy = np.zeros(len(network.agent_ids))
    ends = np.where(np.isnan(run.end_s), run.until_s, np.minimum(run.end_s, run.until_s))
    starts = np.maximum(run.start_s, run.begin_s)
    for agent, start, end in zip(run.agent.tolist(), starts.tolist(), ends.tolist(), strict=True):
        if agent >= 0 and end > start:
            clock = network.clocks[network.agent_clocks[agent]]
            busy[agent] += end - start if clock is None else clock.between(start, end)
    found = {}
    for agent, name in enumerate(network.agent_ids):
        if network.capacities[agent] >= UNLIMITED:
            continue
        clock = network.clocks[network.agent_clocks[agent]]
        span = run.until_s - run.begin_s if clock is None else clock.between(run.begin_s, run.until_s)
        found[name] = float(busy[agent] / (span * network.capacities[agent])) if span > 0 else 0.0
    return found


def _wip_mean(run: Run, span_s: float) -> float:
    if span_s <= 0:
        return float("nan")
    left = np.fmin(np.fmin(run.completed_s, run.lost_s), run.until_s)
    came = np.maximum(run.release_s, run.begin_s)
    return float(np.maximum(left - came, 0.0).sum() / span_s)


def summary(runs: Sequence[Kpis]) -> dict[str, Interval]:
    """Every scalar figure over replications, and the utilisation of each agent as 'utilisation AGENT'."""
    found = {
        field.name: interval([getattr(k, field.name) for k in runs])
        for field in fields(Kpis)
        if field.name != "utilisation"
    }
    for agent in runs[0].utilisation if runs else ():
        found[f"utilisation {agent}"] = interval([k.utilisation[agent] for k in runs])
    return found


def interval(values: Sequence[float] | Floats, confidence: float = 0.95) -> Interval:
    """Mean and t-interval; NaN values (runs without the figure) are left out."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    n = len(known)
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    mean = float(known.mean())
    if n == 1:
        return Interval(mean, mean, mean, 1)
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + confidence) / 2) * known.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)

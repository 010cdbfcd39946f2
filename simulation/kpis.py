"""Figures of one run, and of many with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import nan

import numpy as np
from numpy.typing import NDArray

from metagraph.agents import UNLIMITED
from simulation.money import profits
from simulation.program import Floats, Network
from simulation.run import Run, frozen


class Figures(Mapping[str, float]):
    """A number by name; many share the names."""

    __slots__ = ("column", "names")

    def __init__(self, names: tuple[str, ...], values: Floats) -> None:
        self.names = names
        self.column = values

    def __getitem__(self, name: str) -> float:
        try:
            return float(self.column[self.names.index(name)])
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(frozen=True, slots=True)
class Kpis:
    """One run's figures; seconds, money in the log's currency, NaN where there is nothing to count."""

    orders: int
    """Released within the run, or open at its beginning."""
    completed: int
    lost: int
    open: int
    """Neither completed nor lost by the end of the run."""
    executions: int
    """Finished in the run."""
    preemptions: int
    """Interruptions by something more urgent."""
    cycle_mean_s: float
    """Release to completion, over completed orders."""
    cycle_median_s: float
    cycle_p90_s: float
    waiting_mean_s: float
    """Enabled to start, per execution begun in the run."""
    lateness_mean_s: float
    """Completion minus due date, over completed orders that have one; below 0: early."""
    throughput_per_h: float
    """Completed orders per hour of the run."""
    wip_mean: float
    """Open orders, on average over the run's time."""
    wip_most: int
    fulfilled: float
    """Share of those that ended, completed or lost, that were completed."""
    on_time: float
    """Share that was completed by its due date, of those of `orders` that have one and that ended or whose
    due date passed in the run: of the others nobody knows yet."""
    profit: float
    """Of completed orders at their completion and of lost ones; NaN where no order has a value."""
    utilisation: Figures
    """Per agent: work done over capacity on shift, in the run's time; not of those without limit."""
    busy_h: Figures
    """Per agent: working hours spent."""
    task_n: Figures
    """Per activity: executions begun in the run."""
    task_waiting_s: Figures
    """Per activity: enabled to start, their mean."""
    task_collected_s: Figures
    """Per activity that collects batches: the part of it until its batch was released, over the same."""
    queue_mean: Figures
    """Per queue: items that wait, on average over the run's time."""
    queue_longest: Figures
    """Per queue: most that waited at once."""


_MAPPINGS = (
    "utilisation",
    "busy_h",
    "task_n",
    "task_waiting_s",
    "task_collected_s",
    "queue_mean",
    "queue_longest",
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over replications, with its two-sided t-interval; low and high are NaN (null in JSON) for fewer
    than two values (antithetic pairs are one)."""

    mean: float
    low: float
    high: float
    n: int


def kpis(run: Run) -> Kpis:
    """The figures of a run, from when its orders ended and its tally: no log is needed."""
    network, tally, table = run.program.network, run.tally, run.program.orders.table
    release, due = table["release_s"], table["due_s"]
    done = ~np.isnan(run.completed_s)
    ended, span_s = run.completed_s[done], run.until_s - run.begin_s
    came = release <= run.until_s
    orders, completed = int(np.count_nonzero(came)), len(ended)
    promised = np.isfinite(due[done])
    late = (ended - due[done])[promised]
    lost = int(np.count_nonzero(run.lost))
    told = done | run.lost | (due <= run.until_s)
    with_due = int(np.count_nonzero(came & told & np.isfinite(due)))
    cycle = np.sort(ended - release[done])
    started = int(tally.started.sum())
    n, wait_s = _by_activity(network, tally.started), _by_activity(network, tally.wait_s)
    return Kpis(
        orders=orders,
        completed=completed,
        lost=lost,
        open=orders - completed - lost,
        executions=tally.executions,
        preemptions=int(tally.preempted.sum()),
        cycle_mean_s=_mean(cycle),
        cycle_median_s=_quantile(cycle, 0.5),
        cycle_p90_s=_quantile(cycle, 0.9),
        waiting_mean_s=_ratio(float(tally.wait_s.sum()), started),
        lateness_mean_s=_mean(late),
        throughput_per_h=_ratio(3600.0 * completed, span_s),
        wip_mean=_ratio(tally.wip_s, span_s),
        wip_most=tally.wip_most,
        fulfilled=_ratio(completed, completed + lost),
        on_time=_ratio(int(np.count_nonzero(late <= 0)), with_due),
        profit=_profit(run),
        utilisation=utilisation(run),
        busy_h=Figures(network.agent_ids, frozen(tally.busy_s / 3600.0)),
        task_n=Figures(network.labels, n),
        task_waiting_s=Figures(network.labels, _ratios(wait_s, n)),
        task_collected_s=_collected(run, n),
        queue_mean=Figures(
            network.queue_ids, _ratios(tally.waiting_s, np.full(len(tally.waiting_s), max(span_s, 0.0)))
        ),
        queue_longest=Figures(network.queue_ids, frozen(tally.longest.astype(np.float64))),
    )


def _collected(run: Run, n: Floats) -> Figures:
    """Of activities with batches only."""
    network = run.program.network
    some = np.unique(network.nodes["label"][network.batches["node"]])
    means = _ratios(_by_activity(network, run.tally.collected_s), n)
    return Figures(tuple(network.labels[i] for i in some.tolist()), frozen(means[some]))


def utilisation(run: Run) -> Figures:
    """Per agent: working seconds spent over capacity times seconds on shift; 0 where it never was on shift.

    An agent whose items share its time has one capacity, however many they are.
    """
    network = run.program.network
    capacity = np.where(network.agents["shared"] > 0, 1, network.agents["capacity"])
    offered = capacity * run.tally.on_s
    share = np.divide(run.tally.busy_s, offered, out=np.zeros(len(offered)), where=offered > 0)
    limited = network.agents["capacity"] < UNLIMITED
    if limited.all():
        return Figures(network.agent_ids, frozen(share))
    names = tuple(name for name, one in zip(network.agent_ids, limited.tolist(), strict=True) if one)
    return Figures(names, frozen(share[limited]))


def figures(one: Kpis) -> dict[str, float]:
    """Every figure by its name; those by agent, activity and queue as 'utilisation AGENT', and so on."""
    found = {
        field.name: float(getattr(one, field.name)) for field in fields(Kpis) if field.name not in _MAPPINGS
    }
    for name in _MAPPINGS:
        column: Figures = getattr(one, name)
        for who, value in zip(column.names, column.column.tolist(), strict=True):
            found[f"{name} {who}"] = value
    return found


def summary(
    runs: Sequence[Kpis], *, antithetic: bool = False, confidence: float = 0.95
) -> dict[str, Interval]:
    """Every figure over replications; antithetic ones (2k and 2k + 1 belong together) count by pairs."""
    columns = _columns(runs)
    return {
        name: interval(pair_means(values) if antithetic else values, confidence)
        for name, values in columns.items()
    }


def differences(
    ours: Sequence[Kpis], theirs: Sequence[Kpis], *, antithetic: bool = False, confidence: float = 0.95
) -> dict[str, Interval]:
    """Every figure of ours minus theirs, replication by replication: the paired interval of the difference.

    Both come from the same seed and the same replications. Raises ValueError if their numbers differ; figures
    that only one of them has are left out.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} and {len(theirs)} runs can't be paired")
    mine, others = _columns(ours), _columns(theirs)
    found = {}
    for name, values in mine.items():
        if name in others:
            change = values - others[name]
            found[name] = interval(pair_means(change) if antithetic else change, confidence)
    return found


def interval(values: Sequence[float] | Floats, confidence: float = 0.95) -> Interval:
    """Mean and t-interval; NaN values (runs without the figure) are left out."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    n = len(known)
    mean = float(known.mean()) if n else nan
    if n < 2:
        return Interval(mean, nan, nan, n)
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + confidence) / 2) * known.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def pair_means(values: Sequence[float] | Floats) -> Floats:
    """The mean of each antithetic pair; the two are dependent, the pairs aren't. Raises ValueError if odd."""
    pairs = np.asarray(values, np.float64)
    if len(pairs) % 2:
        raise ValueError(f"{len(pairs)} antithetic values: they come in pairs")
    return frozen(pairs.reshape(-1, 2).mean(axis=1))


def _columns(runs: Sequence[Kpis]) -> dict[str, Floats]:
    """Every figure, one value a run; NaN in a run that hasn't got it."""
    rows = [figures(one) for one in runs]
    names = {name: None for row in rows for name in row}
    return {name: np.array([row.get(name, nan) for row in rows]) for name in names}


def _profit(run: Run) -> float:
    found = profits(run)
    return float("nan") if found is None else float(np.nansum(found))


def _by_activity(network: Network, per_node: NDArray[np.generic]) -> Floats:
    """Sums over the tasks of each activity, by label."""
    labels = network.nodes["label"]
    tasks = labels >= 0
    return frozen(np.bincount(labels[tasks], per_node[tasks], len(network.labels)).astype(np.float64))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _quantile(ascending: Floats, share: float) -> float:
    """As numpy's, linear between neighbours, without its cost for short columns."""
    if not len(ascending):
        return float("nan")
    place = share * (len(ascending) - 1)
    low = int(place)
    first = float(ascending[low])
    return first + (float(ascending[min(low + 1, len(ascending) - 1)]) - first) * (place - low)


def _ratio(value: float, of: float) -> float:
    return value / of if of > 0 else float("nan")


def _ratios(values: Floats, of: Floats) -> Floats:
    return frozen(np.divide(values, of, out=np.full(len(values), np.nan), where=of > 0))

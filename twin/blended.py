"""Futures with the dates of open orders from simulation and log together, and all that follows from dates.

An order's k-th earliest date of n simulated ones becomes the weighted mean of it and of the learnt quantile
at level k / (n + 1), in the future in which it stood: which of two futures is worse for it, and which orders
are late together, the simulation goes on telling. No date comes before the earliest simulated one, or at
hours at which nobody ends orders. Lateness, loss, money, counts and the dates of tasks follow in each future.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from twin.futures import COUNTED, Sample, worth
from twin.open_hours import OpenHours, end_hours, task_hours

Floats = NDArray[np.float64]


def joined(simulated_s: Floats, learnt_s: Floats, weight: float, hours: OpenHours | None) -> Floats:
    """Instants of one order, future by future, from the simulated ones and learnt quantiles, ascending, at
    the levels k / (n + 1); `weight` is the simulation's."""
    order = np.argsort(simulated_s, kind="stable")
    simulated = simulated_s[order]
    dates = weight * simulated + (1 - weight) * learnt_s
    first, early = simulated[0], int(np.searchsorted(dates, simulated[0]))
    # Not all at the earliest instant: they lie as the simulation's own do, before the next date.
    room = 1.0
    if 0 < early < len(dates) and simulated[early] > dates[early]:
        room = (dates[early] - first) / (simulated[early] - first)
    dates[:early] = first + (simulated[:early] - first) * room
    if hours is not None:
        dates = hours.spread(dates, float(hours.next_open(simulated[:1])[0]))
    found = np.empty_like(dates)
    found[order] = dates
    return found


def blended(
    metagraph: Metagraph,
    samples: Sequence[Sample],
    learnt_s: Floats,
    weight: float,
    at_s: float,
    horizons_h: Sequence[float],
    origin: datetime,
) -> list[Sample]:
    """The futures with these dates: `learnt_s` [open order, future] holds instants at the levels k / (n + 1),
    ascending; NaN where an order stays as simulated. `weight` is the simulation's."""
    gone = np.array([sample.gone_s for sample in samples])
    latest = max(float(gone.max()), float(np.nanmax(learnt_s, initial=at_s)))
    hours = end_hours(metagraph, origin, at_s, latest)
    moved = gone.copy()
    for i in np.flatnonzero(~np.isnan(learnt_s[:, 0])):
        moved[:, i] = joined(gone[:, i], learnt_s[i], weight, hours)
    labels = samples[0].labels
    tasks = {label: [task for task in metagraph.tasks() if task.label == label] for label in labels}
    work = [task_hours(metagraph, tasks[label], origin, at_s, latest) for label in labels]
    then_s = at_s + 3600.0 * np.array(horizons_h)
    return [_moved(*each, at_s, then_s, work) for each in zip(samples, moved, strict=True)]


def _moved(
    sample: Sample, gone_s: Floats, at_s: float, then_s: Floats, work: Sequence[OpenHours | None]
) -> Sample:
    lost_s = np.maximum(sample.terms[2], at_s)
    changed = gone_s != sample.gone_s
    lost = np.where(changed, gone_s >= lost_s, sample.lost)
    gone_s = np.where(lost, np.minimum(gone_s, lost_s), gone_s)
    profit, loss = worth(sample.terms, gone_s, lost, at_s)
    start_s, end_s = _tasks(sample, gone_s, at_s, work)
    return replace(
        sample,
        gone_s=gone_s,
        lost=lost,
        profit=np.where(changed, profit, sample.profit),
        loss=np.where(changed, loss, sample.loss),
        start_s=start_s,
        end_s=end_s,
        counts=_counts(sample, gone_s, lost, then_s),
    )


def _counts(sample: Sample, gone_s: Floats, lost: NDArray[np.bool_], then_s: Floats) -> NDArray[np.int64]:
    counts = sample.counts.copy()
    for gone, away, sign in ((sample.gone_s, sample.lost, -1), (gone_s, lost, 1)):
        counts[:, COUNTED.index("wip")] -= sign * (gone <= then_s[:, None]).sum(axis=1)
        counts[:, COUNTED.index("completions")] += sign * ((gone <= then_s[:, None]) & ~away).sum(axis=1)
    return counts


def _tasks(
    sample: Sample, gone_s: Floats, at_s: float, work: Sequence[OpenHours | None]
) -> tuple[Floats, Floats]:
    """First starts and last ends: each keeps its place between now and the order's end."""
    order, label = np.divmod(sample.keys, len(sample.labels))
    left = sample.gone_s - at_s
    longer = np.divide(gone_s - at_s, left, out=np.ones(len(left)), where=left > 0)[order]
    still = (gone_s == sample.gone_s)[order]
    times = []
    for t in (sample.start_s, sample.end_s):
        to = np.where((t > at_s) & ~still, at_s + (t - at_s) * longer, t)
        for k, hours in enumerate(work):
            mine = (label == k) & (t > at_s) & ~still
            if hours is not None and mine.any():
                to[mine] = hours.next_open(to[mine])
        times.append(np.where(still, to, np.minimum(to, np.maximum(gone_s[order], np.minimum(t, at_s)))))
    return np.minimum(times[0], times[1]), times[1]

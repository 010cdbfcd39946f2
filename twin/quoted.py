"""Futures of one new order: when it is done, and what it spends its time on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.loads import worked_s
from twin.outlook import Driver
from twin.sampling import Floats, expected

if TYPE_CHECKING:
    from simulation.run import Run


@dataclass(frozen=True, slots=True, eq=False)
class Quoted:
    """What is kept of one future."""

    done_s: float
    """When the new order was completed; where the run was broken off before, its end."""
    profit: float
    """Money."""
    terms: Floats
    """[simulation.money.TERMS]: what its money goes by."""
    others_s: Floats
    """When each of the orders before it was gone."""
    spent_h: Floats
    """[waiting or work, activity]; NaN where it didn't happen."""
    ahead: Floats
    """[items or hours, activity]: what is begun before it; NaN where nobody is needed."""
    queue: NDArray[np.int64]
    """Per activity, -1: none."""
    cut: bool
    """The run was broken off because orders piled up."""
    labels: tuple[str, ...]
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CollectQuoted:
    """Reduces a run to what became of the order of this index; those before it are the open ones."""

    order: int

    def __call__(self, run: Run) -> Quoted:
        from simulation.money import terms, yields

        log, labels = run.executions, run.labels
        mine = np.flatnonzero(log.order == self.order)
        label = run.task[mine].astype(np.int64)
        end_s = np.where(np.isnan(log.end_s), run.until_s, log.end_s)
        times = (log.start_s[mine] - log.enabled_s[mine], end_s[mine] - log.start_s[mine])
        gone_s = np.fmin(run.completed_s, run.lost_s)
        gone_s = np.where(np.isnan(gone_s), run.until_s, gone_s)
        of = terms(run.program, slice(self.order, self.order + 1))
        ahead, queue = np.full((2, len(labels)), np.nan), np.full(len(labels), -1, np.int64)
        for row, activity in zip(mine.tolist(), label.tolist(), strict=True):
            if log.agent[row] >= 0:
                ahead[:, activity] = np.nan_to_num(ahead[:, activity]) + _before(run, row, end_s)
                queue[activity] = log.queue[row]
        return Quoted(
            done_s=float(gone_s[self.order]),
            profit=float(yields(of, gone_s[self.order :][:1])[0]),
            terms=of[:, 0],
            others_s=gone_s[: self.order],
            spent_h=_summed(times, label, len(labels)),
            ahead=ahead,
            queue=queue,
            cut=run.stopped not in ("end", "horizon"),
            labels=labels,
            queues=run.program.network.queue_ids,
        )


def _summed(times: Sequence[Floats], label: NDArray[np.int64], n: int) -> Floats:
    spent = np.array([np.bincount(label, time / 3600, minlength=n) for time in times])
    spent[:, np.bincount(label, minlength=n) == 0] = np.nan
    return spent


def _before(run: Run, row: int, end_s: Floats) -> Floats:
    """Items that its queue's agents are at or begin between the instant at which this one is ready and its
    own begin, and the working hours that go into them meanwhile."""
    log = run.executions
    ready_s, start_s = float(log.ready_s[row]), float(log.start_s[row])
    first = np.flatnonzero(
        (log.queue == log.queue[row]) & (log.agent >= 0) & (log.start_s < start_s) & (end_s > ready_s)
    )
    agent = log.agent[first].astype(np.int64)
    until = worked_s(run.program.network, agent, np.minimum(end_s[first], start_s))
    since = worked_s(run.program.network, agent, np.maximum(log.start_s[first], ready_s))
    return np.array([len(first), float((until - since).sum()) / 3600])


def drivers_of(samples: Sequence[Quoted]) -> tuple[Driver, ...]:
    """Tasks by their mean part of the lead time, the largest first; where one doesn't happen it is none."""
    spent = np.array([sample.spent_h for sample in samples])
    ahead = np.array([sample.ahead for sample in samples])
    drivers = []
    for i, label in enumerate(samples[0].labels):
        if np.isnan(spent[:, 0, i]).all():
            continue
        wait, work = (expected(np.nan_to_num(spent[:, part, i])) for part in (0, 1))
        seen = [int(sample.queue[i]) for sample in samples if sample.queue[i] >= 0]
        busiest = int(np.bincount(seen).argmax()) if seen else -1
        items, hours = (expected(np.nan_to_num(ahead[:, part, i])) for part in (0, 1))
        drivers.append(
            Driver(
                label,
                wait.mean,
                work.mean,
                None if wait.high is None else wait.high - wait.mean,
                None if work.high is None else work.high - work.mean,
                samples[0].queues[busiest] if seen else "",
                items if seen else None,
                hours if seen else None,
            )
        )
    return tuple(sorted(drivers, key=lambda d: (-(d.wait_h + d.work_h), d.activity)))


def slowest_text(drivers: Sequence[Driver]) -> str:
    """The step with the largest part, in a sentence."""
    from twin.words import span

    if not drivers:
        return ""
    first = drivers[0]
    text = f"slowest step: {first.activity}, {span(3600 * (first.wait_h + first.work_h))} on average"
    if first.wait_h > 0:
        text += f", of which it waits {span(3600 * first.wait_h)}"
    if first.ahead is not None and first.ahead.mean > 0:
        text += f", with {first.ahead.mean:.1f} items before it in queue {first.queue}"
    return text

"""Quote: when could a new order be promised, given everything that is open now?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.orders import Order
from twin.forecast import REPLICATIONS, Future, arrivals_until
from twin.outlook import Driver, Quote
from twin.progress import Progress
from twin.state import state_of

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from simulation.run import Run

CONFIDENCES = ("50", "80", "95")
QUOTED = "quoted order"


def quote(
    metagraph: Metagraph,
    snapshot: Snapshot,
    *,
    cls: str = "",
    segment: str = "",
    replications: int = REPLICATIONS,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Quote:
    """Promise dates of an order that arrives at the snapshot's `until_s`, at CONFIDENCES percent.

    Raises UsageError for a class or segment the twin doesn't know.
    """
    from simulation.replicate import replicate

    progress = progress or Progress()
    _known(metagraph, cls, segment)
    state, _ = state_of(metagraph, snapshot)
    order = Order(QUOTED, state.at_s, cls, segment)
    until_s = arrivals_until(metagraph, snapshot, ())
    future = Future(metagraph, state, snapshot.origin, seed, until_s, (order,))
    samples = replicate(
        future,
        seed,
        replications,
        workers=workers,
        reduce=_collect,
        progress=lambda done, total: progress.step(f"future {done} of {total}", done / total),
    )
    done = np.quantile([sample.completed_s for sample in samples], [int(c) / 100 for c in CONFIDENCES])
    return Quote(
        at=snapshot.origin + timedelta(seconds=state.at_s),
        cls=cls,
        segment=segment,
        replications=replications,
        dates={
            c: snapshot.origin + timedelta(seconds=float(t)) for c, t in zip(CONFIDENCES, done, strict=True)
        },
        drivers=_drivers(samples),
        history_lead_h=_history(metagraph, snapshot, cls, segment),
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    completed_s: float
    spent_h: Mapping[str, tuple[float, float]]
    """Activity -> (waiting, work) in hours."""


def _collect(run: Run) -> _Sample:
    order = run.order_ids.index(QUOTED)
    spent: dict[str, tuple[float, float]] = {}
    for i in np.flatnonzero(run.order == order):
        label = run.labels[run.task[i]]
        wait, work = spent.get(label, (0.0, 0.0))
        wait += float(run.start_s[i] - run.enabled_s[i]) / 3600
        work += float(run.end_s[i] - run.start_s[i]) / 3600
        spent[label] = (wait, work)
    return _Sample(float(run.completed_s[order]), spent)


def _drivers(samples: list[_Sample]) -> tuple[Driver, ...]:
    """Tasks by their mean part of the lead time, the largest first."""
    labels = sorted({label for sample in samples for label in sample.spent_h})
    drivers = []
    for label in labels:
        spent = np.array([sample.spent_h.get(label, (0.0, 0.0)) for sample in samples])
        mean = spent.mean(axis=0)
        half = 1.96 * spent.std(axis=0, ddof=1) / np.sqrt(len(spent)) if len(spent) > 1 else np.zeros(2)
        drivers.append(Driver(label, float(mean[0]), float(mean[1]), float(half[0]), float(half[1])))
    return tuple(sorted(drivers, key=lambda d: -(d.wait_h + d.work_h)))


def _known(metagraph: Metagraph, cls: str, segment: str) -> None:
    classes = {c.cls for c in metagraph.orders.classes}
    segments = {c.segment for c in metagraph.orders.classes}
    for option, given, known in (("--class", cls, classes), ("--segment", segment, segments)):
        if given and given not in known:
            names = ", ".join(sorted(known - {""})) or "none: the twin tells no such groups apart"
            raise UsageError(f"{option} {given}: unknown to the twin; known are {names}")


def _history(metagraph: Metagraph, snapshot: Snapshot, cls: str, segment: str) -> dict[str, float]:
    """Quantiles of the closed cases' lead times, of the same class and segment."""
    if not snapshot.n_cases:
        return {}
    last = np.fmax.reduceat(snapshot.end_s, snapshot.offsets[:-1])
    lead = last - np.minimum.reduceat(snapshot.start_s, snapshot.offsets[:-1])
    alike = ~snapshot.is_open & ~np.isnan(lead)
    for name, wanted in (("class", cls), ("segment", segment)):
        column = metagraph.orders.columns.get(name)
        if wanted and column is not None and column in snapshot.attributes:
            alike &= np.array([value == wanted for value in snapshot.attributes[column]])
    if not alike.any():
        return {}
    return {c: float(np.quantile(lead[alike], int(c) / 100)) / 3600 for c in CONFIDENCES}

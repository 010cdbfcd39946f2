"""Quote: when could a new order be promised, given everything that is open now?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.errors import UsageError
from metagraph.model import Metagraph
from metagraph.orders import Order
from twin.forecast import REPLICATIONS
from twin.futures import Future
from twin.horizons import arrivals_until
from twin.outlook import Driver, Quote
from twin.progress import Progress
from twin.running import engine_text, many
from twin.state import state_of

if TYPE_CHECKING:
    from eventlogs.live.state import Eta
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
    etas: Mapping[str, Sequence[Eta]] | None = None,
    replications: int = REPLICATIONS,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Quote:
    """Promise dates of an order that arrives at the snapshot's `until_s`, at CONFIDENCES percent.

    Raises UsageError for a class or segment the twin doesn't know.
    """
    progress = progress or Progress()
    _known(metagraph, cls, segment)
    state, _ = state_of(metagraph, snapshot, etas)
    order = Order(QUOTED, state.at_s, cls, segment)
    until_s = arrivals_until(metagraph, snapshot, ())
    future = Future(metagraph, state, snapshot.origin, seed, until_s, (order,))
    collect = _Collect(len(state.orders))
    made = many(future, seed, replications, reduce=collect, workers=workers, progress=progress, what="future")
    samples = made.values
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
        engine=engine_text(made.engine),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """What is kept of one future."""

    completed_s: float
    spent_h: NDArray[np.float64]
    """[waiting or work, activity]; NaN where it didn't happen."""
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Collect:
    """Keeps what happened to one order."""

    order: int

    def __call__(self, run: Run) -> _Sample:
        log, n = run.executions, len(run.labels)
        mine = np.flatnonzero(log.order == self.order)
        label = run.task[mine]
        times = (log.start_s[mine] - log.enabled_s[mine], log.end_s[mine] - log.start_s[mine])
        spent = np.array([np.bincount(label, time / 3600, minlength=n) for time in times])
        spent[:, np.bincount(label, minlength=n) == 0] = np.nan
        return _Sample(float(np.nan_to_num(run.completed_s[self.order], nan=run.until_s)), spent, run.labels)


def _drivers(samples: Sequence[_Sample]) -> tuple[Driver, ...]:
    """Tasks by their mean part of the lead time, the largest first."""
    from simulation.kpis import interval

    spent = np.array([sample.spent_h for sample in samples])
    drivers = []
    for i, label in enumerate(samples[0].labels):
        if np.isnan(spent[:, 0, i]).all():
            continue
        wait, work = (interval(np.nan_to_num(spent[:, part, i])) for part in (0, 1))
        drivers.append(Driver(label, wait.mean, work.mean, wait.high - wait.mean, work.high - work.mean))
    return tuple(sorted(drivers, key=lambda d: (-(d.wait_h + d.work_h), d.activity)))


def _known(metagraph: Metagraph, cls: str, segment: str) -> None:
    classes = {c.cls for c in metagraph.orders.classes}
    segments = {c.segment for c in metagraph.orders.classes}
    for option, given, known in (("--class", cls, classes), ("--segment", segment, segments)):
        if given and given not in known:
            names = ", ".join(sorted(known - {""})) or "none: the twin tells no such groups apart"
            raise UsageError(f"{option} {given}: unknown to the twin; known are {names}")


def _history(metagraph: Metagraph, snapshot: Snapshot, cls: str, segment: str) -> dict[str, float]:
    """Quantiles of the closed cases' lead times, of the same class and segment."""
    from eventlogs.bounds import case_bounds

    if not snapshot.n_cases:
        return {}
    last = np.fmax.reduceat(snapshot.end_s, snapshot.offsets[:-1])
    lead = last - case_bounds(snapshot)[0]
    alike = ~snapshot.is_open & ~np.isnan(lead)
    for name, wanted in (("class", cls), ("segment", segment)):
        column = metagraph.orders.columns.get(name)
        if wanted and column is not None and column in snapshot.attributes:
            alike &= np.array([value == wanted for value in snapshot.attributes[column]])
    if not alike.any():
        return {}
    return {c: float(np.quantile(lead[alike], int(c) / 100)) / 3600 for c in CONFIDENCES}

"""Faults of batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from metagraph.batches import Batch
from metagraph.calendars import WEEK_S
from metagraph.check_agents import zone_faults
from metagraph.check_laws import fitted_faults
from metagraph.faults import Fault
from metagraph.nodes import Task


def batch_faults(task: Task, where: str) -> Iterator[Fault]:
    """Faults of what a task collects."""
    batch = task.batch
    if batch is None:
        return
    where = f"{where}, batch"
    if batch.wait_s is None and not batch.times:
        yield Fault(where, "without wait_s or times an order could wait in it for ever; give one of them")
    if batch.wait_s is not None and batch.wait_s < 0:
        yield Fault(f"{where}, wait_s", f"{batch.wait_s} is negative")
    if batch.size is not None:
        yield from fitted_faults(batch.size, f"{where}, size")
    yield from _times(batch, where)
    if not 0 <= batch.per_item <= 1:
        yield Fault(f"{where}, per_item", f"{batch.per_item}; expected 0 to 1")
    if batch.per_item and batch.kind == "sequential":
        yield Fault(f"{where}, per_item", "each is worked on by itself; only simultaneous batches have it")
    for name in ("executions", "batches"):
        if getattr(batch, name) < 0:
            yield Fault(f"{where}, {name}", f"{getattr(batch, name)} is negative")
    if batch.kind == "simultaneous" and task.preemptible:
        yield Fault(f"{where}, kind", "work on several orders at once can't be preemptible; forbid one")
    if task.eta_error is not None:
        yield Fault(f"{where}, kind", "ends of work that is collected can't be announced; remove eta_error")


def _times(batch: Batch, where: str) -> Iterator[Fault]:
    for at in batch.times:
        if not 0 <= at < WEEK_S or at != int(at):
            yield Fault(
                f"{where}, times", f"{at}; expected whole seconds since Monday 00:00, below {WEEK_S:.0f}"
            )
    if any(b <= a for a, b in pairwise(batch.times)):
        yield Fault(f"{where}, times", "they don't ascend")
    yield from zone_faults(batch.time_zone, where)

"""How long work on several orders at once takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from calibration.agents import Resources
from calibration.batches import Batches
from calibration.durations import work_seconds
from calibration.fitting import fit_law
from calibration.local_time import Floats
from calibration.settings import Settings
from calibration.together import Rows
from calibration.window import ENOUGH, Window
from metagraph.nodes import DurationRow, DurationTable, Task

CLEAR_ERRORS = 3.0
"""Standard errors by which work on more orders must take longer."""
LEAST = 0.02


def with_batches(
    tasks: Sequence[Task], batches: Batches, window: Window, resources: Resources, settings: Settings
) -> list[Task]:
    """Tasks that collect what the log collects. Where work on more orders clearly takes longer, the durations
    are those of single ones, with a row for all."""
    if not batches.of:
        return list(tasks)
    activities = {label: a for a, label in enumerate(window.snapshot.activities)}
    work, _ = work_seconds(window, resources)
    made = []
    for task in tasks:
        batch = batches.of.get(task.label)
        if batch is not None and batch.kind == "simultaneous":
            rows = np.flatnonzero(
                (window.snapshot.activity == activities[task.label]) & (batches.of_row >= 0)
            )
            each, alone = per_item(work[rows], batches.of_row[rows])
            if each:
                batch = replace(batch, per_item=each)
                law = fit_law(alone, "task", ks_limit=settings.ks_limit, fast=settings.fast)
                task = replace(task, durations=DurationTable((DurationRow(law),)))
        made.append(replace(task, batch=batch))
    return made


def per_item(work_s: Floats, batch: Rows) -> tuple[float, Floats]:
    """How much each further order adds to the work on one, by least squares over batches (0 where the slope
    isn't clearly above 0), and the work of each batch divided by what its size makes of it."""
    _, first, size = np.unique(batch, return_index=True, return_counts=True)
    work = work_s[first]
    n = size - 1.0
    centred = n - n.mean()
    square = float(centred @ centred)
    each = 0.0
    if len(first) >= ENOUGH and square > 0:
        slope = float(centred @ work) / square
        base = float(work.mean() - slope * n.mean())
        rest = work - base - slope * n
        error = float(np.sqrt((centred * centred) @ (rest * rest))) / square
        if slope > CLEAR_ERRORS * error and base > 0:
            each = min(slope / base, 1.0)
    each = round(each, 4) if each >= LEAST else 0.0
    return each, work / (1.0 + each * n)

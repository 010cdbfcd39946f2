"""What the log teaches of an order that arrives now, put together with its simulation as in a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metagraph.model import Metagraph
from twin.futures import Future
from twin.horizons import typical_s, usual_horizons
from twin.outlook import Learnt
from twin.progress import Progress
from twin.quote_asked import Asked
from twin.quoted import Quoted

if TYPE_CHECKING:
    from eventlogs.snapshot import Snapshot
    from twin.learned_forecast import Taught


def taught_now(
    metagraph: Metagraph, snapshot: Snapshot, seed: int, keep: Path | None, progress: Progress
) -> Taught | str:
    """What a forecast at the usual horizons learns."""
    from twin.learned_forecast import taught

    return taught(metagraph, snapshot, usual_horizons(typical_s(snapshot)), seed, progress, keep)


def put_together(
    future: Future, samples: Sequence[Quoted], asked: Asked, found: Taught | str | None
) -> tuple[Sequence[Quoted], Learnt | None, tuple[str, ...]]:
    """The order's futures with dates from simulation and log, how both were weighed, and what is to be said
    where the simulation is alone."""
    from simulation.money import yields
    from twin.blended import joined
    from twin.open_hours import end_hours

    if found is None or isinstance(found, str):
        return samples, None, () if found is None else (found,)
    levels = np.arange(1, len(samples) + 1) / (len(samples) + 1)
    left = found.arriving(asked.cls, asked.segment, levels)
    if left is None:
        return samples, None, ("no order was seen to come: dates are the simulation's alone",)
    simulated = np.array([sample.done_s for sample in samples])
    if found.weight == 1.0:
        return samples, found.summary(), ()
    at_s, dates = future.state.at_s, future.state.at_s + left
    latest = max(float(simulated.max()), float(dates.max()))
    hours = end_hours(future.metagraph, future.origin, at_s, latest)
    done = joined(simulated, dates, found.weight, hours)
    moved = [
        replace(one, done_s=t, profit=float(yields(one.terms[:, None], np.array([t]))[0]))
        for one, t in zip(samples, done.tolist(), strict=True)
    ]
    return moved, found.summary(), ()

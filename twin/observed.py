"""Simulated logs cut as the log was with which they are compared.

A log that holds finished cases only, and ends while others are under way, shows the quick ones of its last
weeks: counting from its first arrival, the cases that finished first. Compared with it, a simulated log must
be cut in the same way, or the twin would be blamed for the slow cases that the log left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from twin.simulate import Wanted

if TYPE_CHECKING:
    import pandas as pd

    from simulation.program import Program

Floats = NDArray[np.float64]
Cut = Literal["none", "instant", "unknown"]
"""How the log ends: with open cases in it ("none" are missing); at an instant, unfinished cases dropped; or
in one of two ways that its beginning doesn't tell: at an instant, or long after the last arrival."""

_SHARE = {"none": 0.0, "instant": 1.0, "unknown": 0.5}
"""Of the orders that arrive until enough have finished: how many of those beyond the asked number count."""
SPARE = 1.3
MOST = 20.0
"""Orders that are simulated at most, per order asked for."""
WARM_UP = 2.0
"""Mean cycle times for which orders arrive before the log begins, lest it begin with idle agents."""


@dataclass(frozen=True, slots=True)
class SimulatedLog:
    """The executions of the orders that the log would hold."""

    frame: pd.DataFrame
    """frames.COLUMNS."""
    engine: str


def cut_of(metagraph: Metagraph) -> Cut:
    """How a period that the twin has not seen ends, judged by the log that it was built from."""
    known = metagraph.provenance
    return "unknown" if known is not None and known.unfinished_missing else "none"


def simulated_log(
    metagraph: Metagraph,
    cut: Cut,
    *,
    start: datetime,
    cases: int,
    seed: int,
    replication: int = 0,
    engine: Wanted = "auto",
) -> SimulatedLog:
    """A simulated log of `cases` orders, the first of which arrives at `start`.

    Orders that arrived before keep agents busy but are left out, as cases that cross a cut are. Cut at an
    instant: the orders that finish first. Cut in an unknown way: half-way between these and the orders that
    arrive first. Raises DataError if the twin has no arrivals.
    """
    from simulation.engines import run as simulate
    from twin.frames import frame_of_run

    asked = cases if cut == "none" else int(SPARE * cases) + 20
    while True:
        program, before = _program(metagraph, start, asked, seed, replication)
        run = simulate(program, seed, replication, engine=engine)
        kept = _kept(run.release_s[before:], run.completed_s[before:], cases, _SHARE[cut])
        if kept is not None or asked >= MOST * cases:
            break
        asked = int(1.5 * asked)
    if kept is None:
        kept = np.argsort(run.completed_s[before:], kind="stable")[:cases]
    frame = frame_of_run(run)
    ids = np.asarray(run.order_ids, dtype=object)[before:]
    return SimulatedLog(frame[frame["case_id"].isin(ids[kept])], run.engine)


def _program(
    metagraph: Metagraph, start: datetime, cases: int, seed: int, replication: int
) -> tuple[Program, int]:
    """Orders from `start` on, after those of the time before, and how many the latter are."""
    from simulation.arrivals import draw_orders, monday
    from simulation.lowering import lower
    from simulation.orders import joined

    known = metagraph.provenance
    warm_up = timedelta(seconds=WARM_UP * (known.cycle_s or 0.0)) if known else timedelta()
    if known:
        warm_up = min(warm_up, known.until - known.first_event)
    origin = monday(start - warm_up)
    drawn = draw_orders(metagraph, start, origin=origin, seed=seed, replication=replication, cases=cases)
    before = draw_orders(
        metagraph,
        start - warm_up,
        origin=origin,
        # Numbers of their own, or the time before would foretell the time after.
        seed=(seed + 1) % 2**32,
        replication=replication,
        until_s=(start - origin).total_seconds(),
        first_at_start=False,
        prefix="before ",
    )
    return lower(metagraph, joined(metagraph, before, drawn), origin=origin), len(before)


def _kept(release: Floats, completed: Floats, cases: int, share: float) -> NDArray[np.intp] | None:
    """Indices of the orders that count; None if more arrivals are needed to tell."""
    if share == 0.0:
        return np.arange(cases)
    ends = np.sort(completed[~np.isnan(completed)])
    if len(ends) < cases or ends[cases - 1] >= release[-1]:
        return None
    arrived = int(np.searchsorted(release, ends[cases - 1]))
    among = round(cases + share * max(arrived - cases, 0))
    found = np.argsort(completed[:among], kind="stable")[:cases]
    return None if np.isnan(completed[found]).any() else found

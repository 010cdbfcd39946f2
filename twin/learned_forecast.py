"""What the log teaches of how long open orders take, and how much of a forecast it should give.

Both the simulation and what is learnt forecast past instants of the log; what came of the orders then says
how much either is worth: the quantiles of the two are averaged with the weight that would have been best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eventlogs.snapshot import Snapshot
from metagraph.model import Metagraph
from twin.forecast_scores import crps
from twin.learned_arrivals import Kinds, arrivals
from twin.learned_hazard import law_quantiles
from twin.learned_past import Past, group_codes, learn, open_rows, pasts
from twin.learned_rows import Floats
from twin.outlook import Learnt
from twin.progress import Progress

WEIGHTS = tuple(k / 10 for k in range(11))
FEWEST_PAST = 30
"""With fewer past open orders nothing can be weighed, and the simulation is left alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What the log teaches at an instant."""

    found: tuple[Past, ...]
    """Past instants, forecast both ways."""
    cases: tuple[str, ...]
    """Open orders, by row of `ends`."""
    times_s: Floats
    """From the instant on."""
    ends: Floats
    """[open order, time]: the probability that it has ended by then."""
    kinds: Kinds
    new_ends: Floats
    """[order that stands for one that arrives now, time]: the same."""

    @property
    def weight(self) -> float:
        """Of the simulation."""
        return WEIGHTS[int(np.argmin(losses(self.found)))]

    def quantiles(self, cases: Sequence[str], levels: Floats) -> Floats:
        """[order, level]: seconds from the instant."""
        row = {case: i for i, case in enumerate(self.cases)}
        return law_quantiles(self.times_s, self.ends[[row[case] for case in cases]], levels)

    def arriving(self, cls: str, segment: str, levels: Floats) -> Floats | None:
        """By level: seconds from now until an order ends that arrives now; None where nothing tells."""
        mine = self.new_ends[self.kinds.alike(cls, segment)]
        return law_quantiles(self.times_s, mine.mean(axis=0)[None], levels)[0] if len(mine) else None

    def summary(self) -> Learnt:
        """How the weight was found; without what is said of orders in process."""
        gains = losses(self.found)
        return Learnt(
            weight=self.weight,
            instants=len(self.found),
            orders=_orders(self.found),
            loss_h=float(gains.min()) / 3600,
            loss_simulated_h=float(gains[-1]) / 3600,
            loss_learnt_h=float(gains[0]) / 3600,
        )


def taught(
    metagraph: Metagraph,
    snapshot: Snapshot,
    hours: Sequence[float],
    seed: int,
    progress: Progress,
    keep: Path | None = None,
) -> Taught | str:
    """What the log teaches, weighed with counts at these horizons in hours; a sentence where it holds too
    little to learn from. `keep`: a folder where it is kept, and looked for first."""
    from twin.learnt_kept import key_of, load, store

    progress.step("learning from the log", 0.0)
    key = key_of(metagraph, snapshot, hours, seed) if keep is not None else ""
    known = load(keep, key, snapshot) if keep is not None else None
    if known is not None:
        return known
    found = _learnt(metagraph, snapshot, hours, seed, progress)
    if keep is not None and not isinstance(found, str):
        store(keep, key, snapshot, found)
    return found


def _learnt(
    metagraph: Metagraph, snapshot: Snapshot, hours: Sequence[float], seed: int, progress: Progress
) -> Taught | str:
    found = pasts(metagraph, snapshot, hours, seed, progress.part(0.0, 0.8))
    n = _orders(found)
    progress.step("learning from all orders", 0.8)
    hazard = learn(snapshot, group_codes(metagraph, snapshot), seed) if n >= FEWEST_PAST else None
    if hazard is None:
        return f"dates are the simulation's alone: {n} past open orders are too few to learn from"
    rows = open_rows(metagraph, snapshot)
    new, kinds = arrivals(metagraph, snapshot)
    times = hazard.times_s
    cases = tuple(snapshot.cases[case] for case in rows.case)
    progress.step("done", 1.0)
    return Taught(tuple(found), cases, times, hazard.cdf(rows, times), kinds, hazard.cdf(new, times))


def _orders(found: Sequence[Past]) -> int:
    return sum(len(past.case) for past in found)


def losses(found: Sequence[Past]) -> Floats:
    """Mean CRPS in seconds of past forecasts, by WEIGHTS of the simulation.

    Both what came and what was forecast count up to where the log stops, which is a proper score of what can
    be known of them (Gneiting and Ranjan 2011, weighted by the indicator of those times).
    """
    totals, n = np.zeros(len(WEIGHTS)), sum(len(past.case) for past in found)
    for past in found:
        left = np.minimum(past.left_s, past.seen_s)
        for i, weight in enumerate(WEIGHTS):
            q = np.minimum(weight * past.simulated + (1 - weight) * past.learnt, past.seen_s)
            totals[i] += crps(left, q).sum()
    return totals / max(n, 1)

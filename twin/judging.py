"""How candidates are judged: fitted to the first part of the log, they simulate its last part."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from twin.distances import distances
from twin.frames import frame_of_snapshot
from twin.observed import simulated_log
from twin.reference import last_period, resampled
from twin.structures import Recipe, Structure, find_structures

if TYPE_CHECKING:
    import pandas as pd

    from calibration.settings import Settings
    from discovery.replayed import Replayed
    from eventlogs.snapshot import Snapshot
    from metagraph.blocks import Skeleton

MEASURED = ("NGD", "AEDD", "CADD", "CEDD", "REDD", "CTDD")
RESAMPLINGS = 4
MOST_CASES = 2000
"""Validation cases that are simulated: more would cost time and change no ranking."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One candidate: a structure and how it is calibrated."""

    name: str
    structure: Structure
    settings: Settings


class Judge:
    """Judges plans on one or more pairs of a training part and the validation part after it, the longest
    training part first.

    Structures are mined anew on the training part of each further pair, by their recipes.
    """

    def __init__(self, parts: Sequence[tuple[Snapshot, Snapshot]], seed: int) -> None:
        self._folds = [_Fold(train, valid, seed) for train, valid in parts]

    @property
    def reference(self) -> dict[str, float]:
        """Distances of the copied last period to the latest validation part."""
        return self._folds[0].reference

    def scores(self, plan: Plan, seeds: int) -> dict[str, float]:
        """Mean distances to the latest validation part, over that many simulated logs at least."""
        runs = self._folds[0].runs(plan, seeds)
        return {metric: fmean(run[metric] for run in runs) for metric in runs[0]}

    def totals(self, plan: Plan, weights: Mapping[str, float], seeds: int) -> NDArray[np.float64]:
        """Weighted mean log ratios to the copied last period, one a simulated log of every validation part:
        below 0 is better than copying. A part without the plan's structure counts as the others do."""
        found = [fold.totals(plan, weights, seeds) for fold in self._folds]
        return np.concatenate([totals for totals in found if totals is not None])


class _Fold:
    """Fits plans to a training part, simulates the validation part with each and measures the distances.

    Both parts were cut by us at an instant, so the simulated logs are, too.
    """

    def __init__(self, train: Snapshot, valid: Snapshot, seed: int) -> None:
        from calibration.calibrate import Calibrator
        from eventlogs.split import closed_cases, first_finished

        self._train = train
        self._calibrator = Calibrator(train)
        self._mined: dict[Recipe, tuple[Skeleton, Replayed] | None] = {}
        self._seed = seed
        valid = first_finished(valid, MOST_CASES)
        self._cases = valid.n_cases
        self._observed = frame_of_snapshot(valid)
        self._start = self._observed["start_time"].min().to_pydatetime()
        copied = last_period(frame_of_snapshot(closed_cases(train)), self._observed)
        self.reference = self._measured(copied)
        self._noise = _noise(self._observed, seed)
        self._models: dict[tuple[str, str], Metagraph | None] = {}
        self._distinct: list[tuple[Metagraph, list[dict[str, float]]]] = []
        self._runs: dict[tuple[str, str], list[dict[str, float]]] = {}

    def runs(self, plan: Plan, seeds: int) -> list[dict[str, float]]:
        """Distances of that many simulated logs, which have common random numbers across plans; none if the
        plan's recipe makes no structure of this training part."""
        key = (plan.structure.recipe.name, repr(plan.settings))
        if key not in self._models:
            model = self._models[key] = self._fitted(plan)
            self._runs[key] = [] if model is None else self._runs_of_equal(model)
        model, runs = self._models[key], self._runs[key]
        while model is not None and len(runs) < seeds:
            runs.append(self._measured(self._simulated(model, len(runs))))
        return runs[:seeds]

    def totals(self, plan: Plan, weights: Mapping[str, float], seeds: int) -> NDArray[np.float64] | None:
        """As the judge's, of this part."""
        runs = self.runs(plan, seeds)
        return np.array([self._total(run, weights) for run in runs]) if runs else None

    def _runs_of_equal(self, model: Metagraph) -> list[dict[str, float]]:
        """Settings that change nothing in the model need no simulations of their own."""
        model = replace(model, provenance=None)
        for other, known in self._distinct:
            if other == model:
                return known
        self._distinct.append((model, []))
        return self._distinct[-1][1]

    def _measured(self, log: pd.DataFrame) -> dict[str, float]:
        found = distances(self._observed, log, MEASURED)
        return {**found, "circadian": circadian(self._observed, log)}

    def _total(self, measured: Mapping[str, float], weights: Mapping[str, float]) -> float:
        """A twentieth of the reference is added on both sides, so that no metric near zero decides alone. An
        NGD below the noise counts as the noise: to repeat the sample's chances is not better."""
        logs = []
        for metric, weight in weights.items():
            ours, copied = measured[metric], self.reference[metric]
            if metric == "NGD":
                ours, copied = max(ours, self._noise), max(copied, self._noise)
            floor = 0.05 * copied + 1e-9
            logs.append(weight * math.log((ours + floor) / (copied + floor)))
        return sum(logs) / sum(weights.values())

    def _fitted(self, plan: Plan) -> Metagraph | None:
        from discovery.replay_log import COMPARED, replay_log

        recipe = plan.structure.recipe
        if recipe not in self._mined:
            found = find_structures(self._train, (recipe,)).structures
            self._mined[recipe] = None
            if found:
                skeleton = found[0].skeleton
                replayed = replay_log(self._train, skeleton.block, most_executions=COMPARED)
                self._mined[recipe] = skeleton, replayed
        known = self._mined[recipe]
        if known is None:
            return None
        return self._calibrator.calibrate(*known, plan.settings, name=self._train.name, seed=self._seed)

    def _simulated(self, model: Metagraph, replication: int) -> pd.DataFrame:
        return simulated_log(
            model, "instant", start=self._start, cases=self._cases, seed=self._seed, replication=replication
        ).frame


def circadian(observed: pd.DataFrame, simulated: pd.DataFrame) -> float:
    """CEDD with the weekdays weighted by their share of the events of both logs, in hours.

    CEDD counts all weekdays alike, and 23 hours for one that only one of the logs has: a single stamp on a
    Saturday would decide between models.
    """
    from scipy.stats import wasserstein_distance

    a, b = (_hours(log) for log in (observed, simulated))
    total = 0.0
    for day in range(7):
        x, y = a[1][a[0] == day], b[1][b[0] == day]
        share = (len(x) / len(a[1]) + len(y) / len(b[1])) / 2
        if share > 0:
            total += share * (wasserstein_distance(x, y) if len(x) and len(y) else 23.0)
    return float(total)


def _hours(log: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Weekday and hour of all starts and ends."""
    import pandas as pd

    stamps = pd.DatetimeIndex(np.concatenate((log["start_time"].to_numpy(), log["end_time"].to_numpy())))
    return stamps.dayofweek.to_numpy().astype(np.int64), stamps.hour.to_numpy().astype(np.int64)


def _noise(observed: pd.DataFrame, seed: int) -> float:
    """The NGD to expect between two logs of the same process, each as long as this one.

    A bootstrap sample differs from the log by the chance of one sample, two samples by sqrt(2) of that.
    """
    drawn = (resampled(observed, observed, seed + k) for k in range(RESAMPLINGS))
    return math.sqrt(2) * fmean(distances(observed, log, ("NGD",))["NGD"] for log in drawn)

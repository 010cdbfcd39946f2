"""How candidates are judged: fitted to the first part of the log, they simulate its last part."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from metagraph.model import Metagraph
from twin.frames import frame_of_snapshot
from twin.observed import simulated_log
from twin.quick_distances import columns, quick_distances
from twin.reference import last_period, resampled
from twin.structures import Recipe, Structure

if TYPE_CHECKING:
    import pandas as pd

    from calibration.settings import Settings
    from discovery.replayed import Replayed
    from eventlogs.snapshot import Snapshot

RESAMPLINGS = 4
FEWEST_SEEDS, MOST_SEEDS, EXECUTIONS = 3, 5, 30_000
"""Simulated logs a candidate: as many as make so many executions, within these limits."""
KEPT_BYTES = 150_000_000
"""Replays are kept for further choices until they take so much; those of most logs never do."""
MOST_CASES = 2000
"""Validation cases that are simulated: more would cost time and change no ranking."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One candidate: a structure and how it is calibrated."""

    name: str
    structure: Structure
    settings: Settings


class Judge:
    """Fits plans to a training part, simulates the validation part with each and measures the distances.

    Both parts were cut by us at an instant, so the simulated logs are, too.
    """

    def __init__(self, train: Snapshot, valid: Snapshot, seed: int) -> None:
        from calibration.calibrate import Calibrator
        from eventlogs.split import closed_cases, first_finished

        self._train = train
        self._calibrator = Calibrator(train)
        self._replays: OrderedDict[Recipe, Replayed] = OrderedDict()
        self._seed = seed
        valid = first_finished(valid, MOST_CASES)
        self._cases = valid.n_cases
        self._observed = frame_of_snapshot(valid)
        self.seeds = min(max(EXECUTIONS // len(self._observed), FEWEST_SEEDS), MOST_SEEDS)
        """How many simulated logs tell candidates apart."""
        self._start = self._observed["start_time"].min().to_pydatetime()
        self._columns = columns(self._observed)
        copied = last_period(frame_of_snapshot(closed_cases(train)), self._observed)
        self.reference = self._measured(copied)
        self._noise = _noise(self._observed, seed)
        self._models: dict[tuple[str, str], Metagraph] = {}
        self._distinct: list[tuple[Metagraph, list[dict[str, float]]]] = []
        self._runs: dict[tuple[str, str], list[dict[str, float]]] = {}

    def scores(self, plan: Plan, seeds: int) -> dict[str, float]:
        """Mean distances over that many simulated logs."""
        runs = self._simulations(plan, seeds)
        return {metric: fmean(run[metric] for run in runs) for metric in runs[0]}

    def totals(self, plan: Plan, weights: Mapping[str, float], seeds: int) -> NDArray[np.float64]:
        """Weighted mean log ratios to the copied last period, one a simulated log: below 0 is better than
        copying. The logs have common random numbers across plans."""
        return np.array([self._total(run, weights) for run in self._simulations(plan, seeds)])

    def model(self, plan: Plan) -> Metagraph:
        """What the plan was fitted to be."""
        self._fit(plan)
        return self._models[plan.structure.recipe.name, repr(plan.settings)]

    def same(self, plan: Plan, other: Plan) -> bool:
        """Whether both come to the same model."""
        return self._fit(plan) is self._fit(other)

    def _fit(self, plan: Plan) -> list[dict[str, float]]:
        """The simulations so far of the plan's model, which is fitted when it is first asked for."""
        key = (plan.structure.recipe.name, repr(plan.settings))
        if key not in self._models:
            self._models[key] = self._fitted(plan)
            self._runs[key] = self._runs_of_equal(self._models[key])
        return self._runs[key]

    def _simulations(self, plan: Plan, seeds: int) -> list[dict[str, float]]:
        """Distances of each simulated log."""
        runs, key = self._fit(plan), (plan.structure.recipe.name, repr(plan.settings))
        while len(runs) < seeds:
            runs.append(self._measured(self._simulated(self._models[key], len(runs))))
        return runs[:seeds]

    def _runs_of_equal(self, model: Metagraph) -> list[dict[str, float]]:
        """Settings that change nothing in the model need no simulations of their own."""
        model = replace(model, provenance=None)
        for other, known in self._distinct:
            if other == model:
                return known
        self._distinct.append((model, []))
        return self._distinct[-1][1]

    def _measured(self, log: pd.DataFrame) -> dict[str, float]:
        return quick_distances(self._columns, columns(log))

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

    def _fitted(self, plan: Plan) -> Metagraph:
        replayed = self._replay(plan.structure)
        return self._calibrator.calibrate(
            plan.structure.skeleton, replayed, plan.settings, name=self._train.name, seed=self._seed
        )

    def _replay(self, structure: Structure) -> Replayed:
        """The training part on a structure; of many replays of a large log those last asked for are kept."""
        from discovery.replay_log import COMPARED, replay_log

        recipe = structure.recipe
        if recipe not in self._replays:
            while sum(replayed.nbytes for replayed in self._replays.values()) > KEPT_BYTES:
                self._calibrator.forget(self._replays.popitem(last=False)[1])
            self._replays[recipe] = replay_log(
                self._train, structure.skeleton.block, most_executions=COMPARED
            )
        self._replays.move_to_end(recipe)
        return self._replays[recipe]

    def _simulated(self, model: Metagraph, replication: int) -> pd.DataFrame:
        return simulated_log(
            model, "instant", start=self._start, cases=self._cases, seed=self._seed, replication=replication
        ).frame


def _noise(observed: pd.DataFrame, seed: int) -> float:
    """The NGD to expect between two logs of the same process, each as long as this one.

    A bootstrap sample differs from the log by the chance of one sample, two samples by sqrt(2) of that.
    """
    drawn = (columns(resampled(observed, observed, seed + k)) for k in range(RESAMPLINGS))
    return math.sqrt(2) * fmean(quick_distances(columns(observed), log)["NGD"] for log in drawn)

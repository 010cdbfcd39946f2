"""Which model: candidates are fitted on the first part of the log and judged by simulating the last part."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from metagraph.errors import DataError
from metagraph.model import Candidate, Choice, Metagraph
from twin.distances import distances
from twin.frames import frame_of_run, frame_of_snapshot
from twin.progress import Progress
from twin.reference import LAST_PERIOD, last_period, resampled
from twin.structures import Recipe, Structure, recipes, structures

if TYPE_CHECKING:
    import pandas as pd

    from calibration.settings import Settings
    from discovery.replayed import Replayed
    from eventlogs.snapshot import Snapshot

JUDGED = ("NGD", "AEDD", "CEDD", "REDD", "CTDD")
CONTROL_FLOW = {"NGD": 2.0, "REDD": 1.0, "CTDD": 1.0}
TIME_MODEL = {"NGD": 1.0, "CEDD": 1.0, "REDD": 1.0, "CTDD": 1.0}
WINDOW = dict.fromkeys(JUDGED, 1.0)
"""What each choice is judged by. Absolute times (AEDD) depend on the arrivals, which only the window moves:
elsewhere they would reward a delay that makes up for arrivals that come too early or too late."""
SEEDS = 3
RESAMPLINGS = 4
MOST_CASES = 400
"""Validation cases that are simulated: more would cost time and change no ranking."""
FEWEST_CASES = 40
"""With fewer cases in the log nothing can be judged: the first candidate is taken, and said so."""
TIE = 0.03
"""A later, less simple candidate has to be better by this much (mean log ratio) to be taken."""
SHORTER = 0.06
"""And so much if it is fitted to a shorter window: rare branches and tasks are told from few cases there."""
UNCONGESTED = 0.15
"""And so much if nobody waits for busy agents in it: it can't say what more orders or people would do."""
UNSTRUCTURED = 0.5
"""And so much better if it has no structure that a person could read: 'history alone', the last resort."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen, and from what."""

    recipe: Recipe
    settings: Settings
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """One candidate: a structure and how it is calibrated."""

    name: str
    structure: Structure
    settings: Settings

    def margin(self, rival: _Plan) -> float:
        """By how much it has to be better than a simpler rival."""
        loses_structure = self.structure.recipe.noise is None and rival.structure.recipe.noise is not None
        if loses_structure:
            return UNSTRUCTURED
        if rival.settings.use_contention and not self.settings.use_contention:
            return UNCONGESTED
        return SHORTER if self.settings.window_share < rival.settings.window_share else TIE


class _Judge:
    """Fits a plan on the training part, simulates the validation part and measures the distances."""

    def __init__(self, train: Snapshot, valid: Snapshot, seed: int) -> None:
        from calibration.calibrate import Calibrator
        from eventlogs.split import first_cases

        self._train = train
        self._calibrator = Calibrator(train)
        self._replayed: dict[Recipe, Replayed] = {}
        self._seed = seed
        valid = first_cases(valid, MOST_CASES)
        self._cases = valid.n_cases
        self._observed = frame_of_snapshot(valid)
        copied = last_period(frame_of_snapshot(train), self._observed)
        self.reference = distances(self._observed, copied, JUDGED)
        self.noise = _noise(self._observed, seed)
        self._scores: dict[tuple[str, str], dict[str, float]] = {}

    def scores(self, plan: _Plan) -> dict[str, float]:
        """Mean distances over SEEDS simulated logs."""
        key = (plan.structure.recipe.name, repr(plan.settings))
        if key not in self._scores:
            model = self._fitted(plan)
            runs = [distances(self._observed, self._simulated(model, r), JUDGED) for r in range(SEEDS)]
            self._scores[key] = {m: sum(run[m] for run in runs) / SEEDS for m in JUDGED}
        return self._scores[key]

    def total(self, measured: Mapping[str, float], weights: Mapping[str, float]) -> float:
        """Weighted mean log ratio to the copied last period: below 0 is better than copying.

        A twentieth of the reference is added on both sides, so that no metric near zero decides alone. An NGD
        below the noise counts as the noise: a structure that repeats the sample's chances is not better.
        """
        logs = []
        for metric, weight in weights.items():
            ours, copied = measured[metric], self.reference[metric]
            if metric == "NGD":
                ours, copied = max(ours, self.noise), max(copied, self.noise)
            floor = 0.05 * copied + 1e-9
            logs.append(weight * math.log((ours + floor) / (copied + floor)))
        return sum(logs) / sum(weights.values())

    def _fitted(self, plan: _Plan) -> Metagraph:
        from discovery.replay_log import replay_log

        recipe, skeleton = plan.structure.recipe, plan.structure.skeleton
        if recipe not in self._replayed:
            self._replayed[recipe] = replay_log(self._train, skeleton.block)
        return self._calibrator.calibrate(
            skeleton, self._replayed[recipe], plan.settings, name=self._train.name, seed=self._seed
        )

    def _simulated(self, model: Metagraph, replication: int) -> pd.DataFrame:
        from twin.simulate import engine_for, simulate

        engine = engine_for(SEEDS * (len(_TIME_MODELS) + len(_WINDOWS)) * len(self._observed))
        start = self._observed["start_time"].min().to_pydatetime()
        run = simulate(
            model, start=start, cases=self._cases, seed=self._seed, replication=replication, engine=engine
        )
        return frame_of_run(run)


def _noise(observed: pd.DataFrame, seed: int) -> float:
    """The NGD to expect between two logs of the same process, each as long as this one.

    A bootstrap sample differs from the log by the chance of one sample, two samples by sqrt(2) of that.
    """
    drawn = (resampled(observed, observed, seed + k) for k in range(RESAMPLINGS))
    return math.sqrt(2) * fmean(distances(observed, log, ("NGD",))["NGD"] for log in drawn)


def select(
    snapshot: Snapshot, base: Settings, noises: Sequence[float], seed: int, progress: Progress
) -> Selection:
    """Choose structure, time model and calibration window, one after the other.

    The log's last fifth (by the time of events) is simulated by each candidate, `SEEDS` times with common
    random numbers; the smallest mean log ratio of the distances to a copied last period wins, and the
    simpler candidate wins ties. Logs with fewer than FEWEST_CASES closed cases are not judged. Raises
    DataError for a log without any.
    """
    from eventlogs.split import closed_cases

    closed = closed_cases(snapshot)
    if not closed.n_cases:
        raise DataError(
            f"log {snapshot.name!r} has no finished case to learn from; give a log with finished cases, or "
            "list those that are open with --open"
        )
    parts = _parts(closed)
    if parts is None:
        return _unjudged(closed, base, noises, progress)
    train, valid = parts
    progress.step("mining structures", 0.0)
    found = structures(train, recipes(noises))
    judge = _Judge(train, valid, seed)
    fast = replace(base, fast=True)
    delayed = replace(fast, use_delay=True, use_contention=True)
    plans = [_Plan(s.recipe.name, s, delayed) for s in found]
    best, choice = _contest("control flow", CONTROL_FLOW, plans, judge, progress.part(0.2, 0.6))
    plans = [
        replace(
            best,
            name=name,
            settings=replace(
                fast, use_delay=delay, use_pace=pace, use_contention=busy, use_calendars=calendars
            ),
        )
        for name, delay, pace, busy, calendars in _TIME_MODELS
    ]
    best, timed = _contest("time model", TIME_MODEL, plans, judge, progress.part(0.6, 0.8))
    plans = [
        replace(best, name=name, settings=replace(best.settings, window_share=share))
        for name, share in _WINDOWS
        if share == 1.0 or train.n_cases * share >= 2 * FEWEST_CASES
    ]
    best, windowed = _contest("calibration window", WINDOW, plans, judge, progress.part(0.8, 1.0))
    settings = replace(best.settings, fast=base.fast)
    return Selection(best.structure.recipe, settings, (choice, timed, windowed))


_TIME_MODELS = (
    ("calendars and busy agents", False, False, True, True),
    ("calendars, busy agents and a remaining delay", True, False, True, True),
    ("calendars, busy agents and a delay paced by the hour of the week", True, True, True, True),
    ("calendars and delays", True, False, False, True),
    ("calendars and delays paced by the hour of the week", True, True, False, True),
    ("delays only", True, False, False, False),
    ("delays only, paced by the hour of the week", True, True, False, False),
)
"""Name, remaining delay, its pace, busy agents, calendars."""
_WINDOWS = (("whole log", 1.0), ("last half", 0.5), ("last 30 %", 0.3), ("last 20 %", 0.2))


def _contest(
    what: str, weights: Mapping[str, float], plans: Sequence[_Plan], judge: _Judge, progress: Progress
) -> tuple[_Plan, Choice]:
    """The first plan stands until a later one is better by more than its margin."""
    best, best_total = plans[0], math.inf
    measured = []
    for i, plan in enumerate(plans):
        progress.step(f"{what}: {plan.name}", i / len(plans))
        scores = judge.scores(plan)
        scores = {**scores, "total": judge.total(scores, weights)}
        measured.append(scores)
        if scores["total"] < best_total - (plan.margin(best) if i else 0.0):
            best, best_total = plan, scores["total"]
    candidates = [Candidate(p.name, s, p is best) for p, s in zip(plans, measured, strict=True)]
    candidates.append(Candidate(LAST_PERIOD, {**judge.reference, "total": 0.0}, False, "reference"))
    return best, Choice(what, tuple(candidates), _reason(best, plans, measured, weights))


def _reason(
    best: _Plan, plans: Sequence[_Plan], measured: Sequence[Mapping[str, float]], weights: Mapping[str, float]
) -> str:
    totals = {plan.name: scores["total"] for plan, scores in zip(plans, measured, strict=True)}
    rival = min(plans, key=lambda plan: totals[plan.name])
    score = (
        f"the score is the mean logarithm of {', '.join(weights)} over those of '{LAST_PERIOD}', from "
        f"{SEEDS} simulated logs (below 0: closer to what happened than the copy)"
    )
    if rival is best:
        return f"'{best.name}' has the lowest score, {totals[best.name]:+.3f}; {score}"
    return (
        f"'{best.name}' ({totals[best.name]:+.3f}) is kept although '{rival.name}' scores "
        f"{totals[rival.name]:+.3f}: that one is less simple and must win by {rival.margin(best):g}; {score}"
    )


def _parts(closed: Snapshot) -> tuple[Snapshot, Snapshot] | None:
    """The part to fit on and the part to judge by; None if either would be too small."""
    from eventlogs.split import split_snapshot

    if closed.n_cases < FEWEST_CASES:
        return None
    try:
        train, valid = split_snapshot(closed, 0.8)
    except DataError:
        # No case lies wholly on one side of the cut: most are as long as the log itself.
        return None
    return (train, valid) if min(train.n_cases, valid.n_cases) >= FEWEST_CASES // 4 else None


def _unjudged(closed: Snapshot, base: Settings, noises: Sequence[float], progress: Progress) -> Selection:
    progress.step("mining structures", 0.2)
    first = structures(closed, recipes(noises[:1])[:1])[0]
    reason = (
        f"{closed.n_cases} closed cases: too few, or too long for the log, to hold a part back, so "
        "candidates were not compared"
    )
    settings = replace(base, use_delay=True, use_contention=True)
    return Selection(
        first.recipe, settings, (Choice("all", (Candidate(first.recipe.name, {}, True),), reason),)
    )

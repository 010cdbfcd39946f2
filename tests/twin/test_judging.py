"""What a build holds while it compares candidates: no more than it needs, and nothing afterwards."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

import pytest

import calibration.calibrate
from calibration.settings import Settings
from discovery.miners import load
from eventlogs.split import split_snapshot
from tests.twin.test_structures import log_of
from twin.judging import Judge, Plan
from twin.progress import Progress
from twin.select import select
from twin.structures import Recipe, find_structures

LOG = log_of(*["abdf", "abef", "acef", "afz"] * 30)
FAST = Settings(fast=True, history=1)
WEIGHTS = {"NGD": 1.0, "REDD": 1.0}


def judged(recipes: Sequence[Recipe]) -> tuple[list[float], Judge]:
    """Candidates in this order, fitted in two ways one after the other."""
    train, valid = split_snapshot(LOG)
    judge = Judge(train, valid, seed=3)
    plans = [
        Plan(f"{structure.recipe.name}, {settings.history}", structure, settings)
        for settings in (FAST, Settings(fast=True, use_inclusive=True))
        for structure in find_structures(train, recipes).structures
    ]
    return [float(judge.totals(plan, WEIGHTS, 2).mean()) for plan in plans], judge


def test_replays_that_are_let_go_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = (Recipe(0.0), Recipe(0.0, miner="directly-follows"), Recipe(None))
    kept, judge = judged(recipes)
    assert len(judge._replays) == 3
    monkeypatch.setattr("twin.judging.KEPT_BYTES", 0)
    found, judge = judged(recipes)
    assert found == kept
    assert len(set(found)) > 2
    (left,) = judge._replays.values()
    # Of others nothing is left that was found by means of them, either.
    held = {part for key in judge._calibrator._memory for part in key if type(part) is type(left)}
    assert left in held
    assert len(held) <= 2


def test_nothing_of_the_candidates_is_held_once_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build of a large log would keep a gigabyte: by a refused miner's traceback, or by pm4py, whose import
    keeps the stack that it is imported on."""
    held: WeakSet[Any] = WeakSet()
    made = calibration.calibrate.Calibrator.__init__

    def noted(self: Any, *given: Any) -> None:
        made(self, *given)
        held.add(self)

    monkeypatch.setattr(calibration.calibrate.Calibrator, "__init__", noted)
    load()
    gc.disable()
    try:
        chosen = select(LOG, Settings(), (0.0,), 1, Progress())
        assert any("not usable" in c.note for choice in chosen.choices for c in choice.candidates)
        assert not held
    finally:
        gc.enable()

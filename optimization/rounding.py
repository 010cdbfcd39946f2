"""What a grid costs: work takes whole periods, so that a coarse one makes it longer."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from metagraph.model import Metagraph
from optimization.operations import INSTANT_S, Todo
from optimization.work import Expected, able, law_of

CHOICES_S = (60.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0)
"""Grids that are tried where nobody says which."""
WORTHWHILE = 0.1
"""What rounding may add to the work for a coarser grid's sake."""


def expected_work(metagraph: Metagraph, todo: Sequence[Todo], expected: Expected) -> list[float]:
    """Working seconds of each step that needs somebody, by the first who can do it."""
    found = []
    for one in todo:
        for step in one.route.steps:
            for agent in able(metagraph, step.task)[:1]:
                law = law_of(step.task, one.order.cls, one.order.segment, agent)
                found.append(step.visits * expected.mean(law))
    return [work_s for work_s in found if work_s >= INSTANT_S]


def longer(work_s: Sequence[float], dt_s: float) -> float:
    """How much longer rounding makes all work together: 0.1 for a tenth."""
    total = sum(work_s)
    return sum(ceil(one / dt_s - 1e-6) * dt_s for one in work_s) / total - 1.0 if total else 0.0


def fitting(work_s: Sequence[float]) -> float:
    """The coarsest of the choices that is worthwhile, seconds; the finest if none is."""
    return max((dt_s for dt_s in CHOICES_S if longer(work_s, dt_s) <= WORTHWHILE), default=CHOICES_S[0])


def coarser(dt_s: float) -> float:
    """The next choice; twice as much beyond them."""
    return next((choice for choice in CHOICES_S if choice > dt_s), 2 * dt_s)


def in_words(dt_s: float) -> str:
    if dt_s < 60:
        return f"{dt_s:g} s"
    return f"{dt_s / 60:g} min" if dt_s < 3600 or (dt_s % 3600 and dt_s < 7200) else f"{dt_s / 3600:g} h"


def cost_note(work_s: Sequence[float], dt_s: float, chosen: bool) -> str:
    """What the grid does to the plan, in words."""
    share = longer(work_s, dt_s)
    verb = "was chosen" if chosen else "was asked for"
    if share < 0.005:
        return f"A grid of {in_words(dt_s)} {verb}; it holds the durations as they are."
    return (
        f"A grid of {in_words(dt_s)} {verb}: durations are rounded up to it, which makes the work "
        f"{share:.0%} longer than expected; a finer grid plans more closely and takes longer."
    )

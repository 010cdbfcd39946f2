"""Which model: candidates are fitted on the first part of the log and judged by simulating the last part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from metagraph.errors import DataError
from metagraph.model import Candidate, Choice
from twin import options
from twin.contest import contest
from twin.judging import Judge, Plan
from twin.options import Matter, Options
from twin.progress import Progress
from twin.structures import Recipe, Refused, find_structures, more_recipes

if TYPE_CHECKING:
    from calibration.settings import Settings
    from eventlogs.snapshot import Snapshot

FEWEST_CASES = 40
"""With fewer cases in the log nothing can be judged: the first candidate is taken, and said so."""
FEWEST_IN_WINDOW = 30
"""A window has to have so many cases: small logs drift, too, and their copied last period is such a one."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen, and from what."""

    recipe: Recipe
    settings: Settings
    choices: tuple[Choice, ...]
    since: datetime | None = None
    """The start of the window's first case, where the window begins with a change in the process."""


def select(
    snapshot: Snapshot, base: Settings, noises: Sequence[float], seed: int, progress: Progress
) -> Selection:
    """Choose structure, time model and the rest, one after the other.

    The log's last fifth (by the time of events) is simulated by each candidate, several times with common
    random numbers; the smallest mean log ratio of the distances to a copied last period wins, and the
    simpler candidate wins ties. Logs with fewer than FEWEST_CASES closed cases are not judged. Raises
    DataError for a log without any.
    """
    from calibration.inclusion import judge_end
    from eventlogs.split import closed_cases

    closed = closed_cases(snapshot)
    if not closed.n_cases:
        raise DataError(
            f"log {snapshot.name!r} has no finished case to learn from; give a log with finished cases, or "
            "list those that are open with --open"
        )
    parts = _parts(snapshot, closed)
    if parts is None:
        return _unjudged(closed, base, noises, progress)
    train, valid = parts
    progress.step("mining structures", 0.0)
    found = find_structures(train, more_recipes(noises))
    judge = Judge(train, valid, seed)
    fast = replace(base, fast=True)
    start = Plan("", found.structures[0], options.structured(fast))
    steps = _Steps(judge, start, [])
    # Arrivals and the window first: they decide how much of the period's end is hidden, and so how all else
    # is judged.
    steps.take(options.ARRIVALS, options.arrivals(start.settings, train), progress.part(0.1, 0.2))
    missing = judge_end(train, base.arrivals_corrected).cut
    windows = options.windows(steps.best.settings, train, FEWEST_IN_WINDOW, missing)
    steps.take(options.WINDOW, windows, progress.part(0.2, 0.33))
    steps.take(options.BATCHES, options.batches(steps.best.settings), progress.part(0.33, 0.35))
    plans = [Plan(s.recipe.name, s, steps.best.settings) for s in found.structures]
    steps.judge_plans(options.CONTROL_FLOW, plans, progress.part(0.35, 0.7), found.refused)
    for i, (matter, ways) in enumerate(options.AFTER_STRUCTURE):
        done, more = (0.7 + 0.28 * (i + k) / len(options.AFTER_STRUCTURE) for k in (0, 1))
        steps.take(matter, ways(steps.best.settings), progress.part(done, more))
    steps.take(options.RULES, options.rules(steps.best.settings, train), progress.part(0.98, 1.0))
    settings = replace(steps.best.settings, fast=base.fast)
    since = None
    if steps.since_change:
        since = _window_start(settings.window_share, train)
        settings = replace(settings, window_share=share_since(snapshot, since))
    return Selection(steps.best.structure.recipe, settings, tuple(steps.choices), since)


@dataclass(slots=True)
class _Steps:
    """The choices so far."""

    judge: Judge
    best: Plan
    choices: list[Choice]

    @property
    def since_change(self) -> bool:
        """Whether the window that was chosen begins with a change in the process."""
        from calibration.drift import SINCE

        windows = (choice for choice in self.choices if choice.what == options.WINDOW.what)
        return any(c.chosen and c.name.startswith(SINCE) for choice in windows for c in choice.candidates)

    def take(self, matter: Matter, found: Options, progress: Progress) -> None:
        """Choose among ways to calibrate; nothing is said of a choice with one candidate."""
        plans = [replace(self.best, name=name, settings=settings) for name, settings in found]
        if len(plans) < 2 or (matter.found and self.judge.same(*plans)):
            return
        self.judge_plans(matter, plans, progress)

    def judge_plans(
        self, matter: Matter, plans: Sequence[Plan], progress: Progress, refused: Sequence[Refused] = ()
    ) -> None:
        """Choose among plans; recipes that gave nothing to try are listed with the reason."""
        self.best, choice = contest(matter, plans, self.judge, progress, refused)
        self.choices.append(choice)


def _window_start(share: float, train: Snapshot) -> datetime:
    """When the first of the last `share` of the cases began."""
    from eventlogs.bounds import case_bounds

    starts = case_bounds(train)[0]
    first = starts[min(int((1 - share) * len(starts) + 1e-9), len(starts) - 1)]
    return train.origin + timedelta(seconds=float(first))


def share_since(snapshot: Snapshot, since: datetime) -> float:
    """The share of the cases that began no earlier: a window that begins with a change in the process begins
    with it in a longer log, too. 1 in a log that ends before the change."""
    from eventlogs.bounds import case_bounds

    # Instants are whole microseconds, seconds of a snapshot need not be.
    begun = case_bounds(snapshot)[0] > (since - snapshot.origin).total_seconds() - 1e-6
    return float(begun.mean()) if begun.any() else 1.0


def _parts(snapshot: Snapshot, closed: Snapshot) -> tuple[Snapshot, Snapshot] | None:
    """The part to fit on and the part to judge by; None if either would be too small.

    A log with open cases is cut as it was known at that instant, with the cases then open; in one without,
    those that cross the cut are missing as others are at its end.
    """
    from eventlogs.split import known_at, split_snapshot

    if closed.n_cases < FEWEST_CASES:
        return None
    try:
        train, valid = split_snapshot(closed, 0.8)
    except DataError:
        # No case lies wholly on one side of the cut: most are as long as the log itself.
        return None
    if min(train.n_cases, valid.n_cases) < FEWEST_CASES // 4:
        return None
    return (known_at(snapshot, train.until_s) if snapshot.is_open.any() else train), valid


def _unjudged(closed: Snapshot, base: Settings, noises: Sequence[float], progress: Progress) -> Selection:
    progress.step("mining structures", 0.2)
    first = find_structures(closed, (Recipe(noises[0]),)).structures[0]
    reason = (
        f"{closed.n_cases} closed cases: too few, or too long for the log, to hold a part back, so "
        "candidates were not compared"
    )
    settings = replace(base, use_delay=True, use_contention=True)
    return Selection(
        first.recipe, settings, (Choice("all", (Candidate(first.recipe.name, {}, True),), reason),)
    )

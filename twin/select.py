"""Which model: candidates are fitted on the first part of the log and judged by simulating the last part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from metagraph.errors import DataError
from metagraph.model import Candidate, Choice
from twin import options
from twin.found_words import not_used
from twin.judging import Judge, Plan
from twin.options import Matter, Options
from twin.progress import Progress
from twin.reference import LAST_PERIOD
from twin.structures import Recipe, Refused, find_structures, more_recipes

if TYPE_CHECKING:
    from calibration.settings import Settings
    from eventlogs.snapshot import Snapshot

HOPELESS = 1.0
"""A candidate whose first simulated log is so much worse than the best one's isn't simulated again."""
FEWEST_CASES = 40
"""With fewer cases in the log nothing can be judged: the first candidate is taken, and said so."""
FEWEST_IN_WINDOW = 30
"""A window has to have so many cases: small logs drift, too, and their copied last period is such a one."""
TIE = 0.03
"""A later, less simple candidate has to be better by this much (mean log ratio) to be taken."""
SHORTER = 0.1
"""And so much if it is fitted to a shorter window, where rare branches and tasks are told from few cases, or
if its arrivals are."""
UNCONGESTED = 0.15
"""And so much if nobody waits for busy agents in it: it can't say what more orders or people would do."""
POOLED = 0.1
"""And so much if its agents are roles: it can't say what one person less, or other hours of one, do."""
UNORDERED = 0.2
"""And so much if parallel branches became work in any order: what runs side by side can't be seen in it."""
UNSTRUCTURED = 0.5
"""And so much better if it has no structure that a person could read: 'history alone', the last resort."""


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
        self.best, choice = _contest(matter, plans, self.judge, progress, refused)
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


def _contest(
    matter: Matter, plans: Sequence[Plan], judge: Judge, progress: Progress, refused: Sequence[Refused] = ()
) -> tuple[Plan, Choice]:
    """The first plan stands until a later one is better by more than its margin.

    All simulate once; those that are not hopeless then as often as asked. Recipes that gave nothing to try
    are listed with the reason.
    """
    once = []
    for i, plan in enumerate(plans):
        progress.step(f"{matter.what}: {plan.name}", 0.5 * i / len(plans))
        once.append(float(judge.totals(plan, matter.weights, 1).mean()))
    bar = min(once) + HOPELESS
    best: Plan | None = None
    rows: list[tuple[Plan, dict[str, float], str]] = []
    for i, plan in enumerate(plans):
        progress.step(f"{matter.what}: {plan.name}", 0.5 + 0.5 * i / len(plans))
        hopeless = once[i] > bar
        seeds = 1 if hopeless else judge.seeds
        total = float(judge.totals(plan, matter.weights, seeds).mean())
        note = "given up after one simulated log" if hopeless else ""
        rows.append((plan, {**judge.scores(plan, seeds), "total": total}, note))
        if not hopeless and (best is None or _beats(plan, best, matter, judge)):
            best = plan
    assert best is not None
    shown = matter is options.CONTROL_FLOW
    candidates = [
        Candidate(plan.name, scores, plan is best, _joined(note, plan.structure.note if shown else ""))
        for plan, scores, note in rows
    ]
    candidates += [Candidate(r.recipe.name, {}, False, f"not usable: {r.reason}") for r in refused]
    candidates.append(Candidate(LAST_PERIOD, {**judge.reference, "total": 0.0}, False, "reference"))
    totals = {plan.name: scores["total"] for plan, scores, note in rows if not note}
    reason = _reason(best, plans, totals, matter, judge) + _lost(best, plans, matter, judge)
    reason += _doubt(totals[best.name])
    return best, Choice(matter.what, tuple(candidates), reason)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _lost(best: Plan, plans: Sequence[Plan], matter: Matter, judge: Judge) -> str:
    """What tests found in the log and the winner doesn't use."""
    if not matter.found or best is plans[-1]:
        return ""
    words = not_used(judge.model(plans[-1]), judge.model(best))
    return f"; {words}" if words else ""


def _beats(plan: Plan, rival: Plan, matter: Matter, judge: Judge) -> bool:
    """By more than its margin, and by more than the standard error of the paired difference; what was found
    by tests of its own needs only be no worse on average, and what is certain not worse by so much."""
    gain, error = _gain(plan, rival, matter, judge)
    needed = max(margin(plan, rival), error)
    if matter.certain:
        return gain > -max(needed, matter.tolerance)
    return gain > 0 if matter.found else gain > needed


def _gain(plan: Plan, rival: Plan, matter: Matter, judge: Judge) -> tuple[float, float]:
    """By how much the plan's total is below the rival's, and the standard error of that."""
    ours, theirs = (judge.totals(p, matter.weights, judge.seeds) for p in (plan, rival))
    gain = theirs - ours
    return float(gain.mean()), float(gain.std(ddof=1) / math.sqrt(len(gain)))


def margin(plan: Plan, rival: Plan) -> float:
    """By how much a plan has to be better than a simpler rival."""
    from calibration.settings import ROLES

    if plan.structure.recipe.noise is None and rival.structure.recipe.noise is not None:
        return UNSTRUCTURED
    if plan.structure.recipe.free_order and not rival.structure.recipe.free_order:
        return UNORDERED
    if rival.settings.use_contention and not plan.settings.use_contention:
        return UNCONGESTED
    if plan.settings.resources != rival.settings.resources and plan.settings.resources == ROLES:
        return POOLED
    shorter = plan.settings.window_share < rival.settings.window_share
    return SHORTER if shorter or plan.settings.arrivals != rival.settings.arrivals else TIE


def _reason(best: Plan, plans: Sequence[Plan], totals: dict[str, float], matter: Matter, judge: Judge) -> str:
    rival = min((plan for plan in plans if plan.name in totals), key=lambda plan: totals[plan.name])
    score = (
        f"the score is the mean logarithm of {', '.join(matter.weights)} over those of '{LAST_PERIOD}', from "
        f"{judge.seeds} simulated logs (below 0: closer to what happened than the copy)"
    )
    if rival is best:
        return f"'{best.name}' has the lowest score, {totals[best.name]:+.3f}; {score}"
    gain, error = _gain(rival, best, matter, judge)
    allowed = max(margin(best, rival), error, matter.tolerance)
    if matter.certain and best is not plans[0]:
        return (
            f"'{best.name}' ({totals[best.name]:+.3f}) is {matter.why}, and '{rival.name}' "
            f"({totals[rival.name]:+.3f}) isn't better by more than {allowed:.3f}; "
            f"{score}"
        )
    return (
        f"'{best.name}' ({totals[best.name]:+.3f}) is kept although '{rival.name}' scores "
        f"{totals[rival.name]:+.3f}: that one was tried later and must win by more than "
        f"{margin(rival, best):g} and by more than the standard error of the difference, {gain:.3f} ± "
        f"{error:.3f}; {score}"
    )


def _doubt(total: float) -> str:
    """What to think of a choice whose best candidate is no closer to what happened than the copy."""
    if total <= 0:
        return ""
    return (
        ". Even so it is farther from what happened than the copy: that part of the log may be unlike what "
        "came before, so read with care what the twin says of times like it"
    )


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

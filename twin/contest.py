"""Who wins among candidates: the first stands until a later one is better by more than its margin."""

from __future__ import annotations

import math
from collections.abc import Sequence

from metagraph.model import Candidate, Choice
from twin import options
from twin.found_words import not_used
from twin.judging import Judge, Plan
from twin.options import Matter
from twin.progress import Progress
from twin.reference import LAST_PERIOD
from twin.structures import Refused

HOPELESS = 1.0
"""A candidate whose first simulated log is so much worse than the best one's isn't simulated again."""
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
UNDELAYED = 0.15
"""And so much if it lacks delays that the log shows, of work that waited although somebody was free to do it.
Without, the orders of a few weeks may take as long as they should, but forecasts of each are too sure."""
UNSTRUCTURED = 0.5
"""And so much better if it has no structure that a person could read: 'history alone', the last resort."""


def contest(
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
        if not hopeless and (best is None or beats(plan, best, matter, judge)):
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
    reason += doubt(totals[best.name])
    return best, Choice(matter.what, tuple(candidates), reason)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _lost(best: Plan, plans: Sequence[Plan], matter: Matter, judge: Judge) -> str:
    """What tests found in the log and the winner doesn't use."""
    if not matter.found or best is plans[-1]:
        return ""
    words = not_used(judge.model(plans[-1]), judge.model(best))
    return f"; {words}" if words else ""


def beats(plan: Plan, rival: Plan, matter: Matter, judge: Judge) -> bool:
    """By more than its margin, and by more than the standard error of the paired difference; what was found
    by tests of its own needs only be no worse on average, and what is certain not worse by so much."""
    gain, error = _gain(plan, rival, matter, judge)
    needed = max(margin(plan, rival), error)
    if matter.certain:
        return gain > -max(needed, matter.tolerance)
    if _adds_delays(plan, rival) and not judge.same(plan, rival):
        return gain > -UNDELAYED
    return gain > 0 if matter.found else gain > needed


def _adds_delays(plan: Plan, rival: Plan) -> bool:
    """Whether all that makes tasks late in the rival does so in the plan, too, and delays besides."""
    ours, theirs = plan.settings, rival.settings
    same = (ours.use_contention, ours.use_calendars) == (theirs.use_contention, theirs.use_calendars)
    return same and ours.use_delay and not theirs.use_delay


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
    if _adds_delays(best, rival):
        return (
            f"'{best.name}' ({totals[best.name]:+.3f}) holds delays that the log shows, of work that waited "
            f"although somebody was free to do it, and '{rival.name}' ({totals[rival.name]:+.3f}) isn't "
            f"better by more than {UNDELAYED:g}; {score}"
        )
    return (
        f"'{best.name}' ({totals[best.name]:+.3f}) is kept although '{rival.name}' scores "
        f"{totals[rival.name]:+.3f}: that one was tried later and must win by more than "
        f"{margin(rival, best):g} and by more than the standard error of the difference, {gain:.3f} ± "
        f"{error:.3f}; {score}"
    )


def doubt(total: float) -> str:
    """What to think of a choice whose best candidate is no closer to what happened than the copy."""
    if total <= 0:
        return ""
    return (
        ". Even so it is farther from what happened than the copy: that part of the log may be unlike what "
        "came before, so read with care what the twin says of times like it"
    )

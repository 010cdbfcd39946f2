"""Why an order can't be done in time, whatever goes first: the least that stands against it, in words.

Of all that holds an order back, one thing after the other is left out as long as it still can't be done in
time; what remains can't be missed: with any part of it gone, the order could be done (deletion filtering:
Chinneck and Dravnieks, ORSA Journal on Computing 3, 1991).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from metagraph.errors import InfeasibleError
from metagraph.model import Metagraph
from optimization.alone import Alone, Limit, earliest
from optimization.clash_words import Words, listed
from optimization.problem import NOBODY, Problem

MOST_TOLD = 3
"""Sentences of a kind; what else there is is counted."""
Verdict = Literal["lost", "beyond the horizon", "late"]
_VERDICTS: dict[Verdict, str] = {
    "lost": "it counts as lost",
    "beyond the horizon": "it isn't done within the horizon",
    "late": "it can't be on time",
}
_SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Clash:
    """An order that can't be done in time even if it were alone."""

    order: str
    verdict: Verdict
    """Lost, or beyond the horizon: it can't be fulfilled, as far as the plan goes; late: not on time."""
    limits: tuple[Limit, ...]
    """None of them can be left out."""
    sentence: str


def clashes(problem: Problem, metagraph: Metagraph, origin: datetime) -> tuple[Clash, ...]:
    """Orders that can't be fulfilled, then those that can't be on time, each with its reason.

    Raises InfeasibleError if no order can be fulfilled, or more work must be interrupted than may be.
    """
    _check_held(problem, metagraph)
    grid = problem.grid
    late: list[tuple[int, Verdict]] = []
    lost: list[tuple[int, Verdict]] = []
    for j, job in enumerate(problem.jobs):
        over, order = earliest(problem, j), job.order
        dated = order.lost_s is not None and order.lost_s <= grid.at(grid.periods)
        if over > grid.periods or (order.lost_s is not None and over > grid.down(order.lost_s)):
            lost.append((j, "lost" if dated else "beyond the horizon"))
        elif order.due_s is not None and over > grid.down(order.due_s):
            late.append((j, "late"))
    if not lost and not late:
        return ()
    alone = Alone(problem, metagraph, origin)
    words = Words(alone, metagraph, origin)
    found = tuple(_clash(alone, words, j, verdict) for j, verdict in (*lost, *late))
    if lost and len(lost) == len(problem.jobs):
        raise InfeasibleError(_hopeless(found))
    return found


def notes_of(found: Sequence[Clash]) -> tuple[str, ...]:
    """Sentences for a result: the first of each kind, and how many there are."""
    notes: list[str] = []
    for kinds, what in (
        (("lost", "beyond the horizon"), "can't be fulfilled"),
        (("late",), "can't be on time"),
    ):
        mine = [clash.sentence for clash in found if clash.verdict in kinds]
        notes += mine[:MOST_TOLD]
        if len(mine) > MOST_TOLD:
            notes.append(f"{len(mine) - MOST_TOLD} more orders {what}.")
    return tuple(notes)


def _clash(alone: Alone, words: Words, job: int, verdict: Verdict) -> Clash:
    order = alone.problem.jobs[job].order
    date: tuple[str, float] | None = None
    if verdict == "late" and order.due_s is not None:
        date = "due date", order.due_s
    elif verdict == "lost" and order.lost_s is not None:
        date = "lost-sale date", order.lost_s
    limits = smallest(alone, job, None if date is None else date[1])
    if Limit("date") not in limits:
        date = None
    told = words.sentence(job, limits, date, _VERDICTS[verdict])
    return Clash(order.id, verdict, tuple(sorted(limits, key=lambda x: (x.kind, x.op))), told)


def smallest(alone: Alone, job: int, date_s: float | None) -> frozenset[Limit]:
    """What can't be left out of the reasons for which an order can't be done by a date; None: by the
    horizon's end."""
    limits = alone.limits(job)
    kept = {*limits, *([] if date_s is None else [Limit("date")])}
    for limit in limits:
        if not _in_time(alone, job, date_s, kept - {limit}):
            kept.remove(limit)
    return frozenset(kept)


def _in_time(alone: Alone, job: int, date_s: float | None, limits: Set[Limit]) -> bool:
    grid = alone.problem.grid
    over = alone.done_s(job, limits)
    slack = _SLACK * grid.dt_s
    if Limit("horizon") in limits and over > grid.at(grid.periods) + slack:
        return False
    return over < float("inf") and (Limit("date") not in limits or date_s is None or over <= date_s + slack)


def _hopeless(found: Sequence[Clash]) -> str:
    """Why nothing can be planned."""
    told = [clash.sentence for clash in found]
    if len(told) == 1:
        return f"nothing can be planned. {told[0]}"
    more = f" And {len(told) - 3} more." if len(told) > 3 else ""
    return f"nothing can be planned: none of the {len(told)} orders can be done. {' '.join(told[:3])}{more}"


def _check_held(problem: Problem, metagraph: Metagraph) -> None:
    """Raise InfeasibleError if more of the work under way can't go on than may be interrupted."""
    if problem.most_preempted is None:
        return
    labels = {task.id: task.label for task in metagraph.tasks()}
    never, stuck = problem.grid.never, list[str]()
    going: dict[int, int] = {}
    for op in problem.ops:
        if op.held is None:
            continue
        name = f"{labels[op.task]} of order {problem.jobs[op.job].order.id} ({op.held_unit})"
        mode = op.modes[op.held]
        end = int(mode.ends[0])
        going[mode.pool] = going.get(mode.pool, 0) + 1
        full = mode.pool != NOBODY and going[mode.pool] > int(problem.pools[mode.pool].capacity[0])
        if end >= never or full:
            stuck.append(name)
    if len(stuck) > problem.most_preempted:
        may = "none may be" if problem.most_preempted == 0 else f"{problem.most_preempted} may be"
        raise InfeasibleError(
            f"of the work under way {len(stuck)} can't go on and would be interrupted, as the horizon ends "
            f"or its agent has other work under way, but {may}: {listed(stuck, 'and')}; allow more "
            "interruptions or look further ahead"
        )

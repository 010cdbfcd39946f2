"""Why a plan does what it does, order by order, as the command prints it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING

from metagraph.errors import UsageError
from metagraph.faults import listed
from metagraph.model import Metagraph

if TYPE_CHECKING:
    from optimization.bottlenecks import PoolWorth
    from optimization.explain import Explanation, Rival
    from optimization.outcome import Outcome
    from optimization.replans import Loss


@dataclass(frozen=True, slots=True)
class Cost:
    """What a change of the plan loses at most."""

    amount: float | None
    """None: no plan was found with the change."""
    level: str
    """Of what counts: the first thing that loses anything; '' for nothing."""
    unit: str


@dataclass(frozen=True, slots=True)
class ExplainedRival:
    """Work that could have gone first instead."""

    order: str
    activity: str
    slack_h: float | None
    """By how much it could begin later for nothing; None: for ever, or it isn't done at all."""
    first: Cost
    """If it goes first."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Agents who are alike and short."""

    agents: tuple[str, ...]
    per_h: float
    """What one more hour of one of them gains at most, on average over the hours in which they are short."""
    short_h: float


@dataclass(frozen=True, slots=True)
class Explained:
    """One task of one order."""

    order: str
    task: str
    activity: str
    agent: str
    start: datetime | None
    """None: the plan leaves the order out."""
    slack_h: float | None
    wait_h: float
    waiting: Cost
    """If it begins `wait_h` later."""
    at_stake: Cost
    """If the order isn't done; of one that is left out, if it goes before all others."""
    rivals: tuple[ExplainedRival, ...]
    shortages: tuple[Shortage, ...]
    """The dearest first."""
    text: str


def asked_of(words: Sequence[str], orders: Collection[str], metagraph: Metagraph) -> list[tuple[str, str]]:
    """Orders and tasks ('' for the next one) that --explain names, as ORDER or ORDER:TASK; or agents, as an
    empty order and an agent.

    Raises UsageError for what isn't there.
    """
    found = []
    agents = {agent.id for agent in metagraph.agents}
    for word in words:
        if word in agents and word not in orders:
            found.append(("", word))
            continue
        order, _, task = (word, "", "") if word in orders or ":" not in word else word.rpartition(":")
        if order not in orders:
            raise UsageError(
                f"--explain {word}: no such order or agent; there are {listed([*orders]) or 'none'}"
            )
        mine = [one.id for one in metagraph.tasks() if task in (one.id, one.label)]
        if task and not mine:
            labels = listed([one.label for one in metagraph.tasks()])
            raise UsageError(f"--explain {word}: no such task; there are {labels}")
        found.append((order, mine[0] if task else ""))
    return found


def explained(
    found: Outcome,
    metagraph: Metagraph,
    origin: datetime,
    asked: Sequence[tuple[str, str]],
    moment: Callable[[datetime], str],
) -> tuple[Explained, ...]:
    """What the plan does with each order and task that is asked for, and why."""
    from optimization.bottlenecks import pool_worths
    from optimization.explain import explain, next_of
    from optimization.explain_words import sentences

    problem, plan = found.problem, found.result.plan
    shortages = pool_worths(problem) if asked else ()

    def shown(t_s: float) -> str:
        return moment(origin + timedelta(seconds=t_s))

    rows: list[Explained] = []
    for order, task in asked:
        try:
            named, its = (order, task) if order else next_of(problem, plan, task)
            one = explain(problem, plan, named, its or None, shortages=() if rows else shortages)
        except UsageError as error:  # The plan is made, and it is worth more than a refusal.
            rows.append(_nothing(order, task, f"{error}."))
            continue
        text = " ".join(sentences(one, metagraph, shown))
        rows.append(_explained(one, shortages, metagraph, origin, text))
    return tuple(rows)


def _explained(
    one: Explanation, shortages: Sequence[PoolWorth], metagraph: Metagraph, origin: datetime, text: str
) -> Explained:
    labels = {task.id: task.label for task in metagraph.tasks()}
    return Explained(
        order=one.order,
        task=one.task,
        activity=labels[one.task],
        agent=one.agent,
        start=None if one.start_s is None else origin + timedelta(seconds=one.start_s),
        slack_h=_hours(one.slack_s),
        wait_h=one.wait_s / 3600.0,
        waiting=_cost(one.waiting),
        at_stake=_cost(one.at_stake),
        rivals=tuple(_rival(rival, labels) for rival in one.rivals),
        shortages=tuple(Shortage(short.units, short.per_h, short.short_h) for short in shortages),
        text=text,
    )


def _nothing(order: str, task: str, text: str) -> Explained:
    """Of what has nothing left to be planned."""
    free = Cost(0.0, "", "")
    return Explained(
        order, task if order else "", "", "" if order else task, None, None, 0.0, free, free, (), (), text
    )


def _rival(one: Rival, labels: dict[str, str]) -> ExplainedRival:
    return ExplainedRival(one.order, labels[one.task], _hours(one.slack_s), _cost(one.cost))


def _cost(loss: Loss) -> Cost:
    return Cost(loss.amount if isfinite(loss.amount) else None, loss.level, loss.unit)


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 3600.0

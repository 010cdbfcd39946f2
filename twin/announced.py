"""Ends announced from outside, with the error that such announcements had so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from metagraph.distributions import Empirical, Fitted
from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.state import Position, State
from twin.renames import renames
from twin.words import span

if TYPE_CHECKING:
    from eventlogs.live.announcements import Kept
    from eventlogs.live.state import Eta
    from twin.source import LogRequest

LEAST = 10
"""From so many executions on that were announced and have ended, an error is learned."""
_LEVELS = 101


def with_errors(
    metagraph: Metagraph, etas: Mapping[str, Sequence[Eta]], history: Sequence[Kept]
) -> tuple[Metagraph, tuple[str, ...]]:
    """The twin with the errors of announced ends, of those tasks for which an open order has one; and notes.

    An error that is part of the twin stays. With too few announcements of an activity those of all activities
    speak for it; with too few of these, announced ends are taken to be exact.
    """
    names = renames(metagraph)
    now = {names.get(eta.activity, eta.activity) for told in etas.values() for eta in told}
    asked = {
        node.id: node.label
        for node in metagraph.tasks()
        if node.label in now and not node.queues and node.eta_error is None
    }
    if not asked:
        return metagraph, ()
    errors = dict(_errors(set(asked.values()), names, history))
    nodes = tuple(
        replace(node, eta_error=errors[asked[node.id]][0])
        if isinstance(node, Task) and node.id in asked
        else node
        for node in metagraph.nodes
    )
    notes = tuple(note for _, note in (errors[label] for label in sorted(set(asked.values()))))
    return replace(metagraph, nodes=nodes), notes


def with_announced(
    metagraph: Metagraph, request: LogRequest
) -> tuple[Metagraph, dict[str, tuple[Eta, ...]], tuple[str, ...]]:
    """The twin with the errors of the ends that are announced for the log's open orders, those ends by case,
    and notes on them."""
    from twin.source import announced, announcement_history

    etas = announced(request)
    told, notes = with_errors(metagraph, etas, announcement_history(request) if etas else ())
    return told, etas, notes


def as_expected(metagraph: Metagraph, state: State) -> State:
    """The state with announced ends later (or earlier) by the mean of their error, not before its instant:
    for plans, which know one end and no law."""
    errors = {task.id: task.eta_error.law.mean() for task in metagraph.tasks() if task.eta_error is not None}

    def moved(one: Position) -> Position:
        if one.eta_s is None or one.node not in errors:
            return one
        return replace(one, eta_s=max(one.eta_s + errors[one.node], state.at_s))

    if not errors:
        return state
    orders = (replace(o, positions=tuple(moved(one) for one in o.positions)) for o in state.orders)
    return State(state.at_s, tuple(orders))


def _errors(
    labels: set[str], names: Mapping[str, str], history: Sequence[Kept]
) -> Iterator[tuple[str, tuple[Fitted | None, str]]]:
    """Of each activity the law of the error, None: exact; and a sentence."""
    for label in labels:
        mine = [kept for kept in history if names.get(kept.activity, kept.activity) == label]
        for some, level, whose in ((mine, "task", label), (list(history), "all tasks", "all activities")):
            n = len({(kept.case, kept.activity, kept.ended) for kept in some})
            if n >= LEAST:
                law, text = _law(some, n, level)
                yield (
                    label,
                    (law, f"announced ends of {label} are taken with the error of {n} of {whose}: {text}"),
                )
                break
        else:
            yield (
                label,
                (
                    None,
                    f"announced ends of {label} are taken to be exact: only {len(history)} announcements "
                    f"have come true so far, and an error is learned from {LEAST} executions on",
                ),
            )


def _law(kept: Sequence[Kept], n: int, level: str) -> tuple[Fitted, str]:
    """Of end minus announced end."""
    late_s = np.array([(one.ended - one.eta).total_seconds() for one in kept])
    levels = np.linspace(0.0, 1.0, min(max(len(late_s), 2), _LEVELS))
    low, middle, high = np.quantile(late_s, (0.1, 0.5, 0.9)).tolist()
    text = f"they came {_late(middle)} in the middle, {_late(low)} to {_late(high)} in eight of ten cases"
    return Fitted(Empirical(tuple(np.quantile(late_s, levels).tolist())), n, level), text


def _late(seconds: float) -> str:
    if abs(seconds) < 0.5:
        return "on time"
    return f"{span(abs(seconds))} {'late' if seconds > 0 else 'early'}"

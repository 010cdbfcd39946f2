"""Explanations of a plan as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isinf

from metagraph.model import Metagraph
from optimization.bottlenecks import PoolWorth
from optimization.clash_words import listed, span
from optimization.explain import Explanation, Rival
from optimization.replans import Loss


def sentences(found: Explanation, metagraph: Metagraph, moment: Callable[[float], str]) -> tuple[str, ...]:
    """An explanation in words; `moment` shows an instant, seconds since the origin."""
    labels = {task.id: task.label for task in metagraph.tasks()}
    told = [_place(found, labels, moment)]
    if found.start_s is not None:
        told.append(_waiting(found))
        if found.at_stake.amount:
            told.append(f"Without the order the plan would lose {amount(found.at_stake)}.")
    if found.bottleneck is not None:
        told.append(_bottleneck(found.bottleneck, metagraph))
    return tuple(told)


def _place(found: Explanation, labels: Mapping[str, str], moment: Callable[[float], str]) -> str:
    what = labels[found.task]
    if found.start_s is None and found.hopeless:
        return (
            f"Order {found.order} is left out: it can't be done within the horizon, whatever the others do."
        )
    if found.start_s is None:
        if isinf(found.at_stake.amount):
            return f"Order {found.order} is left out: no plan was found with it."
        return f"Order {found.order} is left out: if it went before all others, {_costs(found.at_stake)}."
    by = f" by {found.agent}" if found.agent else ""
    begin = f"Order {found.order} begins {what}{by} at {moment(found.start_s)}"
    if not found.rivals:
        return f"{begin}; nothing else waits for the same units then."
    return f"{begin}, before {listed([_rival(one) for one in found.rivals], 'and')}."


def _rival(one: Rival) -> str:
    """What could have gone first, and why it didn't."""
    if one.slack_s is None:
        left = "it can wait for ever"
    else:
        left = f"{span(one.slack_s)} of slack" if one.slack_s else "no slack"
    if isinf(one.cost.amount):
        return f"order {one.order} ({left}; no plan was found with it first)"
    first = f"putting it first costs {amount(one.cost)}" if one.cost.amount else "it could as well go first"
    return f"order {one.order} ({left}; {first})"


def _waiting(found: Explanation) -> str:
    if found.slack_s is None:
        return "It can wait for ever without a loss."
    left = f"{span(found.slack_s)} of slack are left to it" if found.slack_s else "It has no slack"
    if not found.waiting.amount:
        return f"{left}: waiting {span(found.wait_s)} costs nothing."
    return f"{left}; waiting {span(found.wait_s)} costs {amount(found.waiting)}."


def _costs(loss: Loss) -> str:
    return f"{amount(loss)} would be lost" if loss.amount else "nothing would be lost"


def _bottleneck(worth: PoolWorth, metagraph: Metagraph) -> str:
    queues = {queue.id: queue.agents for queue in metagraph.queues}
    labels = [
        task.label
        for task in metagraph.tasks()
        if any(agent in worth.units for queue in task.queues for agent in queues[queue])
    ]
    unit = Loss(worth.per_h, worth.level, worth.unit)
    return (
        f"{listed(worth.units)} ({listed(labels, 'and')}) is the bottleneck: one more hour there is worth up "
        f"to {amount(unit)}."
    )


def amount(loss: Loss) -> str:
    """A loss with its unit: money as it is, hours with what they are of, interruptions counted."""
    if loss.unit == "h":
        return f"{loss.amount:.3g} h of {loss.level}"
    if loss.level == "preemptions":
        return f"{loss.amount:.0f} more interruption{'s' if loss.amount > 1 else ''}"
    return f"{loss.amount:,.0f}" if loss.amount >= 100 else f"{loss.amount:.3g}"

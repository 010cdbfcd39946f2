"""Bringing a case's tokens to the task that the log says was done next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from discovery.places import Kind, Place
from discovery.tokens import DONE, NEVER, UNDECIDED, Tokens

MAX_SKIPPED = 2
"""Inside loops, at most this many tasks are left out to place one execution."""


class Turn(NamedTuple):
    """Where on the path to a task a token turns off the way it stands on."""

    depth: int
    again: bool
    """By a further pass of the loop there; else by going on, or not at all: at the task itself."""


def turns(tokens: Tokens, leaf: Place) -> Iterator[tuple[int, Turn]]:
    """Where on the way down to a task its token can turn off, and the tasks that this leaves out."""
    path = leaf.path
    for depth, place in enumerate(path):
        state = tokens.state[place.index]
        if place.kind is Kind.LEAF:
            if state == 0:
                yield 0, Turn(depth, False)
            return
        if state == DONE:
            return
        slot = path[depth + 1].slot
        if place.kind is Kind.LOOP:
            yield _repeat_cost(tokens, place, slot) + leaf.ahead[depth + 1], Turn(depth, True)
            if state != slot:
                return
        elif place.kind is Kind.SEQUENCE and state != slot:
            if state < slot:
                yield _forward_cost(tokens, place, slot) + leaf.ahead[depth + 1], Turn(depth, False)
            return
        elif place.kind is Kind.CHOICE and state != slot:
            if state == UNDECIDED:
                yield leaf.ahead[depth], Turn(depth, False)
            return


def take(tokens: Tokens, leaf: Place, turn: Turn) -> None:
    """Turn off on the way to a task, and go down to it."""
    path = leaf.path
    if turn.again:
        _repeat(tokens, path[turn.depth], path[turn.depth + 1].slot)
    for place, below in pairwise(path[turn.depth :]):
        index, slot = place.index, below.slot
        if place.kind is Kind.SEQUENCE:
            while tokens.state[index] < slot:
                tokens.close(place.children[tokens.state[index]])
        elif place.kind is Kind.CHOICE:
            if tokens.state[index] == UNDECIDED:
                tokens.decide(place, slot)
        elif place.kind is Kind.LOOP and tokens.state[index] != slot:
            _repeat(tokens, place, slot)


def best_turn(tokens: Tokens, leaf: Place, rest: Sequence[str]) -> Turn | None:
    """The cheapest turn, among equals the deepest; None if it costs too much."""
    best, cheapest = None, MAX_SKIPPED
    for cost, turn in turns(tokens, leaf):
        place = leaf.path[turn.depth]
        if not turn.again and not place.repeats:
            return turn if cost < NEVER and _worth(tokens, place, leaf, turn.depth, rest) else None
        if cost <= cheapest:
            best, cheapest = turn, cost
    return best


def _worth(tokens: Tokens, place: Place, leaf: Place, depth: int, rest: Sequence[str]) -> bool:
    """Whether to turn off for good, at a place that is passed only once.

    A sequence should go on to a later item unless by waiting until some later moment more executions find
    a place; a choice should take a branch unless another one gives a place to more. Tasks left out on the
    way don't count: if they are not to come, they are left out in any case.
    """
    if place.kind is Kind.LEAF:
        return True
    slot = leaf.path[depth + 1].slot
    if place.kind is Kind.CHOICE:
        wanted = [sum(label in branch.labels for label in rest) for branch in place.children]
        return wanted[slot] + 1 >= max(wanted)
    behind = _labels(place.children[tokens.state[place.index] : slot])
    if behind.isdisjoint(rest):
        return True
    ahead = _labels(place.children[slot:])
    balance = 1
    for label in rest:
        balance += (label in ahead) - (label in behind)
        if balance < 0:
            return False
    return True


def _forward_cost(tokens: Tokens, sequence: Place, slot: int) -> int:
    """Tasks left out by going on to a later item."""
    current = tokens.state[sequence.index]
    cost = tokens.closing_cost(sequence.children[current])
    return cost + sum(child.cost for child in sequence.children[current + 1 : slot])


def _repeat_cost(tokens: Tokens, loop: Place, slot: int) -> int:
    """Tasks left out by finishing this pass of a loop and getting to the start of its body or redo."""
    state = tokens.state[loop.index]
    cost = 0 if state == UNDECIDED else tokens.closing_cost(loop.children[state])
    if slot == 0:
        return cost if state > 0 else cost + loop.children[loop.cheapest].cost
    return cost + loop.children[0].cost if state > 0 else cost


def _repeat(tokens: Tokens, loop: Place, slot: int) -> None:
    """Finish this pass, then go on to the body or to a redo."""
    index = loop.index
    was = tokens.state[index]
    if was != UNDECIDED:
        tokens.close(loop.children[was])
    if slot == 0:
        if was <= 0:
            tokens.decide(loop, loop.cheapest)
            if tokens.state[index] != 0:
                tokens.close(loop.children[tokens.state[index]])
        return
    if tokens.state[index] != UNDECIDED:
        tokens.close(loop.children[0])
    tokens.decide(loop, slot)


def _labels(found: Iterable[Place]) -> set[str]:
    return {label for place in found for label in place.labels}

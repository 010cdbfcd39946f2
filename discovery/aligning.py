"""Optimal alignments of traces with a block structure, by best-first search with a budget.

An alignment (Adriansyah 2014) pairs a trace with a run of the structure at the least number of deviations:
executions that have no place and tasks that were left out. Labels are unique, so the search only decides, for
one execution after the other, where its token turns off, or that it has no place; the tasks that must be left
out on the way are done at the least number.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from discovery.places import Place
from discovery.steering import take, turns
from discovery.tokens import NEVER, Tokens

NO_PLACE = -2
"""In place of the execution that enabled one: it has no place."""


_Entry = tuple[int, int, int, Tokens, tuple[int, ...]]
"""Cost, minus the executions that are placed, minus its number, the tokens, what enabled each execution."""


class Aligned(NamedTuple):
    """What a search found."""

    tokens: Tokens | None
    """At the end of the best run that costs less than asked; None if there is none, or it wasn't found."""
    enabled_by: tuple[int, ...]
    """Per execution: index of the one that enabled it, -1 for the start of the case, NO_PLACE if it has no
    place."""
    steps: int
    """Markings that were looked at: what it took of the budget."""
    complete: bool
    """Whether no run costs less: the search ended before its budget."""


def align(start: Tokens, way: Sequence[Place | None], below: int, budget: int) -> Aligned:
    """The run of least cost for a closed trace, if one costs less than `below` deviations.

    `way` has the task of each execution, None where the structure has none. Looks at no more than `budget`
    markings; the same arguments give the same answer.
    """
    ahead = _homeless(way)
    number = count()
    # The cheapest first; among equals the one that has come farthest, then the one found last.
    queue: list[_Entry] = [(ahead[0], 0, -next(number), start, ())]
    seen: set[tuple[int, tuple[int, ...]]] = set()
    steps = 0
    while queue and steps < budget:
        cost, minus_i, _, tokens, enabled_by = heapq.heappop(queue)
        i = -minus_i
        if i > len(way):
            return Aligned(tokens, enabled_by, steps, True)
        key = (i, tuple(tokens.state))
        if key in seen:
            continue
        seen.add(key)
        steps += 1
        if i == len(way):
            closed = cost + tokens.closing_cost(start.root)
            if closed < min(below, NEVER):
                tokens.close(start.root)
                heapq.heappush(queue, (closed, -(i + 1), -next(number), tokens, enabled_by))
            continue
        leaf = way[i]
        # What has no place in the structure is in the bound already.
        without = cost + (leaf is not None)
        if without < below:
            heapq.heappush(queue, (without, -(i + 1), -next(number), tokens, (*enabled_by, NO_PLACE)))
        if leaf is None:
            continue
        for skipped, turn in turns(tokens, leaf):
            if cost + skipped < below:
                branch = tokens.copy()
                take(branch, leaf, turn)
                by = branch.by[leaf.index]
                branch.complete(leaf, i)
                heapq.heappush(queue, (cost + skipped, -(i + 1), -next(number), branch, (*enabled_by, by)))
    return Aligned(None, (), steps, not queue)


def _homeless(way: Sequence[Place | None]) -> list[int]:
    """How many executions from each one on have no task in the structure: a bound that no run beats."""
    ahead = [0] * (len(way) + 1)
    for i in range(len(way) - 1, -1, -1):
        ahead[i] = ahead[i + 1] + (way[i] is None)
    return ahead

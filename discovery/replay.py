"""Replaying a case on a block structure: where each execution fits and which way the case went.

Labels are unique, so every execution has one task, and replaying means moving the case's tokens until that
task is enabled. First greedily, by the way that leaves out the fewest tasks; if that doesn't fit, a bounded
search looks for a replay that does. So a trace that the structure allows fits, and others come close to an
optimal alignment at a small part of its cost; `aligned` finds the optimal one, if it may take the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from discovery.aligning import NO_PLACE, align
from discovery.places import Place, places
from discovery.replayed import MISFIT
from discovery.steering import best_turn, take, turns
from discovery.tokens import Decision, Marking, Tokens
from metagraph.blocks import Block

MAX_TRIES = 1000
"""Executions that the search for a perfect fit places before it gives up."""
USUAL_PLACES = 200
"""In structures of more places each step of a search takes longer: it gets so many fewer."""


@dataclass(frozen=True, slots=True)
class CaseReplay:
    """What replaying one case found."""

    tasks: tuple[int, ...]
    """Per execution, completed ones first: index into `Replayer.tasks`, or MISFIT."""
    enabled_by: tuple[int, ...]
    """Per execution: index of the completed one that enabled it, -1 for the start of the case and misfits."""
    decisions: tuple[Decision, ...]
    skipped: tuple[int, ...]
    """Tasks that the structure demands and the case left out."""
    marking: Marking | None
    """None for closed cases."""

    @property
    def fits(self) -> bool:
        """Neither a misfit nor a skipped task."""
        return self.deviations == 0

    @property
    def deviations(self) -> int:
        """Executions without a place, and tasks left out."""
        return self.tasks.count(MISFIT) + len(self.skipped)


@dataclass(frozen=True, slots=True)
class Alignment:
    """What looking for a closer replay gave."""

    replay: CaseReplay
    steps: int
    """What it took of the budget."""
    optimal: bool
    """Whether no replay deviates less; else the budget ran out before that was known."""


class Replayer:
    """Replays cases on one block structure.

    Raises ValueError if a label stands at two tasks.
    """

    def __init__(self, block: Block) -> None:
        self._places = places(block)
        self.tasks = self._places.tasks
        """Node ids, in the order of `Skeleton.tasks`."""
        self.gateways = self._places.gateways
        """Node ids of the gateways that route, in the order of `Skeleton.gateways`."""
        self._size = max(len(self._places.all), USUAL_PLACES)

    def replay(
        self, completed: Sequence[str], running: Sequence[str] = (), *, closed: bool = True
    ) -> CaseReplay:
        """Replay the activities of one case, in order of completion, then those still running.

        A closed case is led to the end of the structure. Never fails: what doesn't fit is a misfit.
        """
        way = [self._places.leaves.get(label) for label in (*completed, *running)]
        found = self._greedy((*completed, *running), way, len(completed), closed)
        return found if found.fits or not closed or running else self._fitting(way) or found

    def aligned(self, completed: Sequence[str], found: CaseReplay, budget: int) -> Alignment:
        """The closest replay of a closed case, given one that was found, within `budget` steps of search."""
        if found.fits:
            return Alignment(found, 0, True)
        way = [self._places.leaves.get(label) for label in completed]
        best = align(self._start(), way, found.deviations, budget)
        if best.tokens is None:
            return Alignment(found, best.steps, best.complete)
        placed = [
            MISFIT if leaf is None or by == NO_PLACE else leaf.task
            for leaf, by in zip(way, best.enabled_by, strict=True)
        ]
        enabled_by = [max(by, -1) for by in best.enabled_by]
        return Alignment(self._result(best.tokens, placed, enabled_by, None), best.steps, best.complete)

    def affordable(self, steps: int) -> int:
        """Steps of a search that take no longer than so many in a structure of usual size."""
        return steps * USUAL_PLACES // self._size

    def _greedy(
        self, trace: Sequence[str], way: Sequence[Place | None], completed: int, closed: bool
    ) -> CaseReplay:
        tokens = self._start()
        enabled_by = [-1] * len(way)
        placed = [MISFIT] * len(way)
        for i, leaf in enumerate(way):
            turn = None if leaf is None else best_turn(tokens, leaf, trace[i + 1 :])
            if leaf is None or turn is None:
                continue
            take(tokens, leaf, turn)
            placed[i], enabled_by[i] = leaf.task, tokens.by[leaf.index]
            if i < completed:
                tokens.complete(leaf, i)
            else:
                tokens.begin(leaf, i)
        if closed:
            tokens.close(self._places.root)
        return self._result(tokens, placed, enabled_by, None if closed else tokens.marking(self._places.all))

    def _fitting(self, way: Sequence[Place | None]) -> CaseReplay | None:
        """A replay without misfits and skipped tasks, if there is one and it is found soon; depth first."""
        leaves = [leaf for leaf in way if leaf is not None]
        if len(leaves) < len(way):
            return None
        stack: list[tuple[Tokens, tuple[int, ...]]] = [(self._start(), ())]
        for _ in range(self.affordable(MAX_TRIES)):
            if not stack:
                return None
            tokens, enabled_by = stack.pop()
            i = len(enabled_by)
            if i == len(leaves):
                if tokens.closing_cost(self._places.root):
                    continue
                tokens.close(self._places.root)
                return self._result(tokens, [leaf.task for leaf in leaves], enabled_by, None)
            leaf = leaves[i]
            free = [turn for cost, turn in turns(tokens, leaf) if cost == 0]
            for turn in free:
                # The deepest turn comes last: it is tried first, and needs no copy.
                branch = tokens if turn is free[-1] else tokens.copy()
                take(branch, leaf, turn)
                by = branch.by[leaf.index]
                branch.complete(leaf, i)
                stack.append((branch, (*enabled_by, by)))
        return None

    def _start(self) -> Tokens:
        return Tokens(self._places.root, len(self._places.all))

    @staticmethod
    def _result(
        tokens: Tokens, placed: Sequence[int], enabled_by: Sequence[int], marking: Marking | None
    ) -> CaseReplay:
        return CaseReplay(
            tuple(placed), tuple(enabled_by), tuple(tokens.decisions), tuple(tokens.skipped), marking
        )

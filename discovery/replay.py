"""Walking one case through a block structure: where each execution fits and which way the case went.

Labels are unique, so every execution has one task, and replaying means moving the case's tokens until that
task is enabled: by the cheapest way, counted in mandatory tasks left out, without looking at more of the
future than which activities are still to come. That is a greedy alignment: exact on traces that the
structure allows (if labels are unique these have one parse, but for passes that do nothing), and close to
optimal on others at a small part of the cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from discovery.places import Kind, Place, places
from discovery.replayed import MISFIT
from metagraph.blocks import Block

MAX_LOST = 2
"""An execution is placed if that leaves out or strands at most this many others."""

_IDLE, _DONE, _UNDECIDED, _RUNNING = -3, -2, -1, -4
_NEVER = 1_000_000


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice of an outgoing flow."""

    gateway: int
    """Index into `Replayer.gateways`."""
    flow: int
    """Branch of the choice; at the end of a loop the redo, or one past the last redo for leaving."""
    position: int
    """How many executions were completed when the case got there."""
    visit: int


@dataclass(frozen=True, slots=True)
class Token:
    """Where an open case stands."""

    node: str
    """A task not yet done, a gateway not yet decided, or 'end'."""
    enabled_by: int
    """Which completed execution put it there; -1 for the start of the case."""
    running: int = -1
    """Which running execution is at work on it; -1 if it waits."""


@dataclass(frozen=True, slots=True)
class Marking:
    """Where an open case stands, all in all."""

    tokens: tuple[Token, ...]
    merged: Mapping[str, int]
    """Per and_merge that still waits for branches: tokens that have arrived."""
    visits: Mapping[str, int]
    """Per task and routing gateway: how often the case reached it, tokens that stand there now included."""


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

    def replay(
        self, completed: Sequence[str], running: Sequence[str] = (), *, closed: bool = True
    ) -> CaseReplay:
        """Replay the activities of one case, in order of completion, then those still running.

        A closed case is led to the end of the structure. Never fails: what doesn't fit is a misfit.
        """
        walk = _Walk(self._places.root, len(self._places.all))
        trace = (*completed, *running)
        tasks: list[int] = []
        enabled_by: list[int] = []
        for i, label in enumerate(trace):
            leaf = self._places.leaves.get(label)
            if leaf is None or not walk.bring(leaf, trace[i + 1 :]):
                tasks.append(MISFIT)
                enabled_by.append(-1)
                continue
            tasks.append(leaf.task)
            enabled_by.append(walk.by[leaf.index])
            if i < len(completed):
                walk.complete(leaf, i)
            else:
                walk.begin(leaf, i)
        if closed:
            walk.close(self._places.root)
        marking = None if closed else walk.marking(self._places.all)
        return CaseReplay(
            tuple(tasks), tuple(enabled_by), tuple(walk.decisions), tuple(walk.skipped), marking
        )


class _Walk:
    """The tokens of one case.

    `state` per place: _IDLE before and _DONE after; else a leaf's 0 or _RUNNING, the current child of a
    sequence or loop, the chosen one of a choice, how many branches of a parallel are not done; _UNDECIDED for
    a choice that has not chosen and a loop at its end. What lies under a place that was entered again is
    stale until it is entered itself, and not looked at.
    """

    def __init__(self, root: Place, size: int) -> None:
        self.root = root
        self.state = [_IDLE] * size
        self.by = [-1] * size
        """The execution that put the token there; of a place that is done, the one that ended it."""
        self.running = [-1] * size
        self.reached = [0] * size
        self.decisions: list[Decision] = []
        self.skipped: list[int] = []
        self.enter(root, -1)

    def enter(self, place: Place, by: int) -> None:
        """A token arrives."""
        self.by[place.index] = by
        if place.kind is Kind.EMPTY:
            self.complete(place, by)
        elif place.kind is Kind.CHOICE:
            self.state[place.index] = _UNDECIDED
            self.reached[place.index] += 1
        elif place.kind is Kind.PARALLEL:
            self.state[place.index] = len(place.children)
            for child in place.children:
                self.enter(child, by)
        else:
            self.state[place.index] = 0
            if place.kind is Kind.LEAF:
                self.reached[place.index] += 1
            else:
                self.enter(place.children[0], by)

    def begin(self, leaf: Place, execution: int) -> None:
        """Work on an enabled task has started."""
        self.state[leaf.index] = _RUNNING
        self.running[leaf.index] = execution

    def complete(self, place: Place, by: int) -> None:
        """A block is done; what follows it gets the token."""
        state, by_of = self.state, self.by
        state[place.index] = _DONE
        by_of[place.index] = by
        parent = place.parent
        if parent is None:
            return
        if parent.kind is Kind.SEQUENCE:
            if place.slot + 1 < len(parent.children):
                state[parent.index] = place.slot + 1
                self.enter(parent.children[place.slot + 1], by)
            else:
                self.complete(parent, by)
        elif parent.kind is Kind.CHOICE:
            self.complete(parent, by)
        elif parent.kind is Kind.PARALLEL:
            state[parent.index] -= 1
            if not state[parent.index]:
                self.complete(parent, max(by_of[child.index] for child in parent.children))
        elif place.slot == 0:
            state[parent.index] = _UNDECIDED
            by_of[parent.index] = by
            self.reached[parent.index] += 1
        else:
            state[parent.index] = 0
            self.enter(parent.children[0], by)

    def decide(self, place: Place, child: int, *, known: bool = True) -> None:
        """A choice takes a branch, or a loop at its end a redo or (with the slot past the last) leaves."""
        by = self.by[place.index]
        if known:
            flow = child - (place.kind is Kind.LOOP)
            self.decisions.append(Decision(place.gateway, flow, by + 1, self.reached[place.index]))
        if child == len(place.children):
            self.complete(place, by)
        else:
            self.state[place.index] = child
            self.enter(place.children[child], by)

    def bring(self, leaf: Place, rest: Sequence[str]) -> bool:
        """Move tokens until the task is enabled; False, and nothing moved, if that would lose too much.

        `rest` are the activities still to come: leaving a block behind strands those in it.
        """
        found = self._way(leaf, rest)
        if found is None:
            return False
        depth, again = found
        path = leaf.path
        if again:
            self._repeat(path[depth], path[depth + 1].slot)
        for place, below in zip(path[depth:-1], path[depth + 1 :], strict=True):
            index, slot = place.index, below.slot
            if place.kind is Kind.SEQUENCE:
                while self.state[index] < slot:
                    self.close(place.children[self.state[index]])
            elif place.kind is Kind.CHOICE:
                if self.state[index] == _UNDECIDED:
                    self.decide(place, slot)
            elif place.kind is Kind.LOOP and self.state[index] != slot:
                self._repeat(place, slot)
        return True

    def _way(self, leaf: Place, rest: Sequence[str]) -> tuple[int, bool] | None:
        """Where on the way down to the task the token must take a turn, and whether that is a loop's repeat.

        The cheapest turn wins, among equals the deepest.
        """
        best, turn = MAX_LOST + 1, None
        path = leaf.path
        for depth, place in enumerate(path):
            state = self.state[place.index]
            if place.kind is Kind.LEAF:
                return (depth, False) if state == 0 else turn
            if state == _DONE:
                return turn
            slot = path[depth + 1].slot
            if place.kind is Kind.LOOP:
                cost = self._repeat_cost(place, slot) + leaf.ahead[depth + 1]
                if cost <= best:
                    best, turn = cost, (depth, True)
                if state != slot:
                    return turn
            elif place.kind is Kind.SEQUENCE and state != slot:
                if not 0 <= state < slot:
                    return turn
                if not place.repeats:
                    return (depth, False) if self._worth(place, slot, rest) else None
                cost = self._forward_cost(place, slot) + leaf.ahead[depth + 1]
                return (depth, False) if cost <= min(best, MAX_LOST) else turn
            elif place.kind is Kind.CHOICE and state != slot:
                if state != _UNDECIDED:
                    return turn
                if not place.repeats:
                    return (depth, False) if _most_wanted(place, slot, rest) else None
                return (depth, False) if leaf.ahead[depth] <= min(best, MAX_LOST) else turn
        return turn

    def _worth(self, sequence: Place, slot: int, rest: Sequence[str]) -> bool:
        """Whether a sequence passed once should go on to a later item now.

        It should unless by waiting until some later moment more executions find a place. Tasks left out on
        the way don't count: if they are not to come, they are left out in any case.
        """
        current = self.state[sequence.index]
        if self._closing_cost(sequence.children[current]) >= _NEVER:
            return False
        behind = _labels(sequence.children[current:slot])
        if behind.isdisjoint(rest):
            return True
        ahead = _labels(sequence.children[slot:])
        balance = 1
        for label in rest:
            balance += (label in ahead) - (label in behind)
            if balance < 0:
                return False
        return True

    def _forward_cost(self, sequence: Place, slot: int) -> int:
        """Tasks left out by going on to a later item."""
        current = self.state[sequence.index]
        cost = self._closing_cost(sequence.children[current])
        return cost + sum(child.cost for child in sequence.children[current + 1 : slot])

    def _repeat_cost(self, loop: Place, slot: int) -> int:
        """Tasks left out by finishing this pass of a loop and getting to the start of its body or redo."""
        state = self.state[loop.index]
        cost = 0 if state == _UNDECIDED else self._closing_cost(loop.children[state])
        if slot == 0:
            return cost if state > 0 else cost + loop.children[loop.cheapest].cost
        return cost + loop.children[0].cost if state > 0 else cost

    def _repeat(self, loop: Place, slot: int) -> None:
        """Finish this pass, then go on to the body or to a redo."""
        index = loop.index
        was = self.state[index]
        if was != _UNDECIDED:
            self.close(loop.children[was])
        if slot == 0:
            if was <= 0:
                self.decide(loop, loop.cheapest)
                if self.state[index] != 0:
                    self.close(loop.children[self.state[index]])
            return
        if self.state[index] != _UNDECIDED:
            self.close(loop.children[0])
        self.decide(loop, slot)

    def _closing_cost(self, place: Place) -> int:
        """Tasks that would be left out by finishing a place that holds a token."""
        state = self.state[place.index]
        if state == _DONE or place.kind is Kind.EMPTY:
            return 0
        if place.kind is Kind.LEAF:
            return 1 if state == 0 else _NEVER
        if place.kind is Kind.PARALLEL:
            return sum(map(self._closing_cost, place.children))
        if state == _UNDECIDED:
            return place.cost if place.kind is Kind.CHOICE else 0
        cost = self._closing_cost(place.children[state])
        if place.kind is Kind.SEQUENCE:
            cost += sum(child.cost for child in place.children[state + 1 :])
        elif place.kind is Kind.LOOP and state > 0:
            cost += place.children[0].cost
        return cost

    def close(self, place: Place) -> None:
        """Lead a place that holds a token to its end by the way that leaves out the fewest tasks."""
        index = place.index
        if place.kind is Kind.LEAF:
            if self.state[index] != _DONE:
                self.skipped.append(place.task)
                self.complete(place, self.by[index])
        elif place.kind is Kind.PARALLEL:
            for child in place.children:
                if self.state[child.index] != _DONE:
                    self.close(child)
        elif place.kind is Kind.CHOICE:
            if self.state[index] == _UNDECIDED:
                # A branch that was skipped as a whole is not known to have been chosen.
                self.decide(place, place.cheapest, known=place.cost == 0)
            if self.state[index] != _DONE:
                self.close(place.children[self.state[index]])
        else:
            while self.state[index] != _DONE:
                if self.state[index] == _UNDECIDED:
                    self.decide(place, len(place.children))
                else:
                    self.close(place.children[self.state[index]])

    def marking(self, found: Sequence[Place]) -> Marking:
        """Where the tokens stand."""
        tokens: list[Token] = []
        merged: dict[str, int] = {}
        self._collect(self.root, tokens, merged)
        if not tokens:
            tokens.append(Token("end", self.by[self.root.index]))
        visits = {place.node: self.reached[place.index] for place in found if self.reached[place.index]}
        return Marking(tuple(tokens), merged, visits)

    def _collect(self, place: Place, tokens: list[Token], merged: dict[str, int]) -> None:
        state = self.state[place.index]
        if state == _DONE:
            return
        if place.kind is Kind.LEAF or state == _UNDECIDED:
            tokens.append(Token(place.node, self.by[place.index], self.running[place.index]))
        elif place.kind is Kind.PARALLEL:
            arrived = len(place.children) - state
            if arrived:
                merged[place.merge] = arrived
            for child in place.children:
                self._collect(child, tokens, merged)
        else:
            self._collect(place.children[state], tokens, merged)


def _labels(found: Iterable[Place]) -> set[str]:
    return {label for place in found for label in place.labels}


def _most_wanted(choice: Place, slot: int, rest: Sequence[str]) -> bool:
    """Whether no other branch of a choice made once would give a place to more executions."""
    wanted = [sum(label in place.labels for label in rest) for place in choice.children]
    return wanted[slot] + 1 >= max(wanted)

"""The tokens of one case in a block structure, and how they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from discovery.places import Kind, Place

IDLE, UNDECIDED, DONE, RUNNING = -3, -1, -2, -4
NEVER = 1_000_000
"""The cost of what can't be done: leaving out a task that is being worked on."""


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


class Tokens:
    """Where one case stands, and what it did so far.

    `state` per place: IDLE before and DONE after; else a leaf's 0 or RUNNING, the current child of a sequence
    or loop, the chosen one of a choice, how many branches of a parallel are not done; UNDECIDED for a choice
    that has not chosen and a loop at its end. What lies under a place that was entered again is stale until
    it is entered itself, and not looked at.
    """

    def __init__(self, root: Place, size: int) -> None:
        self.root = root
        self.state = [IDLE] * size
        self.by = [-1] * size
        """The execution that put the token there; of a place that is done, the one that ended it."""
        self.running = [-1] * size
        self.reached = [0] * size
        """How often a token came to a task, a choice or the end of a loop."""
        self.decisions: list[Decision] = []
        self.skipped: list[int] = []
        self.enter(root, -1)

    def copy(self) -> Tokens:
        """Another case that stands at the same places."""
        other = Tokens.__new__(Tokens)
        other.root = self.root
        other.state, other.by = self.state.copy(), self.by.copy()
        other.running, other.reached = self.running.copy(), self.reached.copy()
        other.decisions, other.skipped = self.decisions.copy(), self.skipped.copy()
        return other

    def enter(self, place: Place, by: int) -> None:
        """A token arrives."""
        self.by[place.index] = by
        if place.kind is Kind.EMPTY:
            self.complete(place, by)
        elif place.kind is Kind.CHOICE:
            self.state[place.index] = UNDECIDED
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
        self.state[leaf.index] = RUNNING
        self.running[leaf.index] = execution

    def complete(self, place: Place, by: int) -> None:
        """A block is done; what follows it gets the token."""
        state, by_of = self.state, self.by
        state[place.index] = DONE
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
            state[parent.index] = UNDECIDED
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

    def closing_cost(self, place: Place) -> int:
        """Tasks that would be left out by finishing a place that holds a token."""
        state = self.state[place.index]
        if state == DONE or place.kind is Kind.EMPTY:
            return 0
        if place.kind is Kind.LEAF:
            return 1 if state == 0 else NEVER
        if place.kind is Kind.PARALLEL:
            return sum(map(self.closing_cost, place.children))
        if state == UNDECIDED:
            return place.cost if place.kind is Kind.CHOICE else 0
        cost = self.closing_cost(place.children[state])
        if place.kind is Kind.SEQUENCE:
            cost += sum(child.cost for child in place.children[state + 1 :])
        elif place.kind is Kind.LOOP and state > 0:
            cost += place.children[0].cost
        return cost

    def close(self, place: Place) -> None:
        """Lead a place that holds a token to its end by the way that leaves out the fewest tasks."""
        index = place.index
        if place.kind is Kind.LEAF:
            if self.state[index] != DONE:
                self.skipped.append(place.task)
                self.complete(place, self.by[index])
        elif place.kind is Kind.PARALLEL:
            for child in place.children:
                if self.state[child.index] != DONE:
                    self.close(child)
        elif place.kind is Kind.CHOICE:
            if self.state[index] == UNDECIDED:
                # A branch that was skipped as a whole is not known to have been chosen.
                self.decide(place, place.cheapest, known=place.cost == 0)
            if self.state[index] != DONE:
                self.close(place.children[self.state[index]])
        else:
            while self.state[index] != DONE:
                if self.state[index] == UNDECIDED:
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
        if state == DONE:
            return
        if place.kind is Kind.LEAF or state == UNDECIDED:
            tokens.append(Token(place.node, self.by[place.index], self.running[place.index]))
        elif place.kind is Kind.PARALLEL:
            arrived = len(place.children) - state
            if arrived:
                merged[place.merge] = arrived
            for child in place.children:
                self._collect(child, tokens, merged)
        else:
            self._collect(place.children[state], tokens, merged)

"""What waits for whom at the beginning of a run, in the order in which each agent would take it.

It is read off the reference engine, which has placed the open orders and handed out what could be begun at
once. Nothing is computed here that an engine computes, too: lists can't say anything else than runs do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan

from simulation.items import Item
from simulation.lines import position
from simulation.program import Part, Program, Rule
from simulation.reference import Reference
from simulation.session import COLLECTED, DELAYED, WAITING, WORKING, Options

MOST_SCORED = 100
"""Averages are found anew for what is left whenever something is taken. So many places are found like that;
behind them the order is that of the last scores."""

Place = tuple[int, int]
"""Order and node."""


@dataclass(frozen=True, slots=True)
class Facts:
    """By what a waiting item is ordered. Seconds, money; NaN: not asked for."""

    queue: int
    rule: Rule
    key: float
    """Smallest first; of no meaning under averages."""
    place_s: float
    """Since when it has its place."""
    rest_s: float
    """Expected work that is left."""
    profit: float
    """Found when it took its place."""


@dataclass(frozen=True, slots=True)
class Lists:
    """One replication at its beginning, what can be begun at once having been begun."""

    lists: tuple[tuple[Place, ...], ...]
    """Per agent: what is begun now from the agent's queues, by whomever, as it is taken; then what waits in
    them, first things first."""
    begun: dict[Place, int]
    """What is begun now, and by whom; -1: by nobody."""
    working: dict[Place, int]
    """What is worked on, that included."""
    facts: dict[Place, Facts]
    """Of what waits in a queue or is begun now from one."""
    scores: dict[tuple[int, Place], float]
    """Under averages, by agent and place: the score with which it would be taken, 0 to 1."""
    ready_s: dict[Place, float]
    """What is still delayed: when that ends."""
    collected: frozenset[Place]
    """What waits for its batch."""
    on: tuple[bool, ...]
    """Per agent: on shift now."""
    change_s: tuple[float, ...]
    """Per agent: until when that holds; infinite: for ever."""
    present: tuple[bool, ...]
    """Per agent: not away for good, nor still to be hired."""


def waiting_lists(program: Program, seed: int, replication: int = 0) -> Lists:
    """The lists of a program at its beginning; its state says what is open."""
    session = _Recorded(program, seed, replication)
    frame, t = session.frame, session.t
    items = [item for journey in session.journeys.values() for item in journey.items]
    working = {_place(item): shown.agent for item, shown in _shown(items) if shown.status == WORKING}
    begun = {_place(one): item.agent for item in session.taken for one in (item, *item.followers)}
    ranked = _Ranked(session, t)
    lists, scores = [], {}
    for agent, lines in enumerate(frame.agent_lines):
        taken = [
            p for item in session.taken if item.queue in frame.agent_queues[agent] for p in _places(item)
        ]
        lists.append((*taken, *ranked.of(lines)))
        scores.update({(agent, place): score for place, score in ranked.scores.get(lines, {}).items()})
    facts = {
        _place(item): _facts(session, shown)
        for item, shown in _shown(items)
        if shown.queue >= 0 and (shown.status == WAITING or _place(item) in begun)
    }
    shifts = session.crew.shifts
    return Lists(
        lists=tuple(lists),
        begun=begun,
        working=working,
        facts=facts,
        scores=scores,
        ready_s={_place(item): item.ready for item in items if item.status == DELAYED},
        collected=frozenset(_place(item) for item in items if item.status == COLLECTED),
        on=tuple(shifts.on(clock, t) for clock in frame.clocks),
        change_s=tuple(shifts.until[clock] for clock in frame.clocks),
        present=tuple(bool(here) for here in session.crew.present),
    )


def rules_averaged(program: Program) -> tuple[Part, ...]:
    """The rules that the policy averages; none: it doesn't."""
    return tuple(part for part in Part if int(program.network.policy[0]["parts"]) & part)


class _Recorded(Reference):
    """A run that remembers what is begun, as it happens."""

    def __init__(self, program: Program, seed: int, replication: int) -> None:
        self.taken: list[Item] = []
        super().__init__(program, seed, replication, Options(log=False))

    def _begin(self, item: Item, agent: int, t: float) -> None:
        if agent >= 0:
            self.taken.append(item)
        super()._begin(item, agent, t)


def _shown(items: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    """Each item with the one that stands for it: what is part of a simultaneous batch goes by its first."""
    return ((item, item.leader or item) for item in items)


def _place(item: Item) -> Place:
    return item.journey.order, item.task.node


def _places(item: Item) -> list[Place]:
    """Of all that goes by the item."""
    return [_place(one) for one in (item, *item.followers)]


def _facts(session: Reference, item: Item) -> Facts:
    rule = Rule(session.frame.rules[item.queue])
    profit = item.gain if rule == Rule.AVERAGE else -item.key if rule == Rule.HP else nan
    rest_s = item.rest if session.frame.estimated[item.queue] else nan
    return Facts(item.queue, rule, item.key, item.place, rest_s, profit)


class _Ranked:
    """What waits in sets of lines, first things first; each set once, for many agents share theirs."""

    def __init__(self, session: Reference, t: float) -> None:
        self._session = session
        self._t = t
        self._known: dict[tuple[int, ...], tuple[Place, ...]] = {}
        self.scores: dict[tuple[int, ...], dict[Place, float]] = {}

    def of(self, lines: tuple[int, ...]) -> tuple[Place, ...]:
        """What waits in these lines."""
        if lines not in self._known:
            items = [item for line in lines for item in self._session.lines.members(line)]
            if self._session.frame.averaged:
                items = self._taken(lines, items)
            else:
                items.sort(key=position)
            self._known[lines] = tuple(place for item in items for place in _places(item))
        return self._known[lines]

    def _taken(self, lines: tuple[int, ...], left: list[Item]) -> list[Item]:
        """One after the other, as averages choose it among what is left."""
        taken: list[Item] = []
        found = self.scores.setdefault(lines, {})
        while left:
            values = self._session.keys.scores(left, self._t)
            scores = {item.serial: value for item, value in zip(left, values, strict=True)}
            left.sort(key=lambda i: (-scores[i.serial], i.place, i.again, i.serial))
            n = len(left) if len(taken) >= MOST_SCORED else 1
            found.update({place: scores[item.serial] for item in left[:n] for place in _places(item)})
            taken += left[:n]
            left = left[n:]
        return taken

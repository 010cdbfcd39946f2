"""Worklists: what every agent should take next under a policy, why, and what it means for the orders.

The lists are those of the engines at the instant (simulation/waiting_lists.py). When things begin and end,
and what is at stake, is read off futures that are simulated from there under the same policy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from metagraph.model import Metagraph
from metagraph.policies import Policy
from metagraph.state import State
from twin.forecast_orders import instant
from twin.futures import Future
from twin.progress import Progress
from twin.running import engine_text, many
from twin.simulation_notes import blind
from twin.worklist_futures import DAY_S, Glance, Look, Next, nexts
from twin.worklist_words import Reasons, short
from twin.worklists import SPREAD, AgentList, Listed, ListedOrder, Stands, Worklist

if TYPE_CHECKING:
    from simulation.program import Program
    from simulation.waiting_lists import Facts, Lists

MOST_LOOKS = 50
"""So many replications tell where things stand now, which is known of most of them anyway."""
LIKELY = 0.5
"""What is less likely than this to stand in a queue now, or to reach it soon, isn't listed there."""
SOON_H = 24.0


@dataclass(frozen=True, slots=True)
class Asked:
    """How worklists are made."""

    policy: Policy | Any
    named: str
    """The policy in words."""
    until_s: float
    """New orders arrive up to then."""
    soon_h: float = SOON_H
    replications: int = 200
    seed: int = 0
    workers: int | None = None


def worklist(
    metagraph: Metagraph,
    state: State,
    origin: datetime,
    asked: Asked,
    *,
    open_rule: str = "",
    notes: Sequence[str] = (),
    explanations: Sequence[str] = (),
    progress: Progress | None = None,
) -> Worklist:
    """The worklists of a state. Raises UsageError and DataError for a policy that can't be run."""
    from simulation.lowering import lower
    from simulation.waiting_lists import waiting_lists

    progress = progress or Progress()
    looked = lower(metagraph, (), origin=origin, state=state, policy=asked.policy)
    looks = [waiting_lists(looked, asked.seed, k) for k in range(min(asked.replications, MOST_LOOKS))]
    future = Future(metagraph, state, origin, asked.seed, asked.until_s, policy=asked.policy)
    look = Look(len(state.orders), state.at_s + asked.soon_h * 3600)
    made = many(
        future, asked.seed, asked.replications,
        reduce=look, workers=asked.workers, progress=progress, what="future",
    )  # fmt: skip
    lists = _Lists(
        metagraph,
        state,
        origin,
        looked,
        looks,
        made.values,
        _reasons(metagraph, state, origin, asked.policy, looked),
    )
    return Worklist(
        twin=metagraph.name,
        as_of=instant(origin, state.at_s),
        policy=asked.named,
        open_rule=open_rule,
        replications=asked.replications,
        soon_h=asked.soon_h,
        agents=tuple(lists.agent(a) for a in range(len(metagraph.agents))),
        orders=tuple(_orders(metagraph, state, origin, made.values)),
        notes=(*_notes(made.values, lists), *(blind(looked) if state.orders else ()), *notes),
        explanations=tuple(explanations),
        engine=engine_text(made.engine),
    )


def _reasons(
    metagraph: Metagraph, state: State, origin: datetime, policy: Policy | Any, program: Program
) -> Reasons:
    from simulation.waiting_lists import rules_averaged

    said = policy if isinstance(policy, Policy) else Policy()
    planned = said.schedule.assignments if said.schedule is not None else ()
    return Reasons(
        origin,
        state.at_s,
        rules_averaged(program),
        dict(metagraph.orders.segment_priority),
        said.rule,
        {(one.order, one.task): one for one in planned},
    )


class _Lists:
    """Where every item of the state stands, over the replications, and what becomes of it."""

    def __init__(
        self,
        metagraph: Metagraph,
        state: State,
        origin: datetime,
        program: Program,
        looks: Sequence[Lists],
        glances: Sequence[Glance],
        reasons: Reasons,
    ) -> None:
        self._model, self._state, self._origin = metagraph, state, origin
        self._program, self._looks, self._reasons = program, looks, reasons
        self._nexts = nexts(glances, len(program.network.nodes))
        self._labels = {task.id: task.label for task in metagraph.tasks()}
        n = len(looks)
        waits = Counter(place for one in looks for place in one.facts)
        works = Counter(place for one in looks for place in one.working.keys() - one.begun.keys())
        self.waiting = {place: k / n for place, k in waits.items() if k >= LIKELY * n}
        self.working = {place: k / n for place, k in works.items() if k >= LIKELY * n}
        self.coming = {
            place: one.probability
            for place, one in self._nexts.items()
            if one.probability >= LIKELY and place not in self.waiting and place not in self.working
        }
        self.nobody = sum(agent < 0 for place in self.working for agent in [looks[0].working.get(place, -1)])

    def agent(self, agent: int) -> AgentList:
        """One agent's list."""
        looks, who = self._looks, self._model.agents[agent]
        on = sum(one.on[agent] for one in looks) > len(looks) / 2
        changes = [one.change_s[agent] for one in looks if one.on[agent] == on]
        until_s = float(np.median(changes))
        here = looks[0].present[agent]
        return AgentList(
            agent=who.id,
            role=who.role,
            capacity=who.capacity,
            on_shift=on and here,
            until=self._comes_s(agent) if not here else self._maybe(until_s),
            away=not here,
            rows=(*self._working(agent), *self._waiting(agent), *self._coming(agent)),
        )

    def _comes_s(self, agent: int) -> datetime | None:
        """When an agent who isn't there comes (back)."""
        for record in self._program.network.presence:
            if record["agent"] == agent and record["present"] and record["t"] > self._state.at_s:
                return instant(self._origin, float(record["t"]))
        return None

    def _maybe(self, seconds: float) -> datetime | None:
        return instant(self._origin, seconds) if isfinite(seconds) else None

    def _working(self, agent: int) -> Iterator[Listed]:
        for place, share in sorted(self.working.items()):
            one = self._nexts.get(place)
            if one is not None and self._looks[0].working.get(place) == agent:
                yield self._row("working", None, agent, place, one, share, "under way")

    def _waiting(self, agent: int) -> Iterator[Listed]:
        """By mean place over the replications in which it waits there."""
        places: dict[tuple[int, int], list[int]] = {}
        for look in self._looks:
            for rank, place in enumerate(look.lists[agent]):
                places.setdefault(place, []).append(rank)
        listed = [p for p in places if p in self.waiting and p in self._nexts and self._at_home(p, agent)]
        listed.sort(key=lambda place: (np.mean(places[place]), place))
        for rank, place in enumerate(listed, 1):
            reason = self._reason(agent, place)
            yield self._row("waiting", rank, agent, place, self._nexts[place], self.waiting[place], reason)

    def _at_home(self, place: tuple[int, int], agent: int) -> bool:
        """Whether the queue in which it waits most often is one of the agent's."""
        queues = Counter(one.facts[place].queue for one in self._looks if place in one.facts)
        return self._model.agents[agent].id in self._queue(queues.most_common(1)[0][0])

    def _coming(self, agent: int) -> Iterator[Listed]:
        mine = [
            (one.ready_s[1], place)
            for place in self.coming
            if (one := self._nexts[place]).queue >= 0
            and self._model.agents[agent].id in self._queue(one.queue)
        ]
        for _, place in sorted(mine):
            reason = self._where(place)
            yield self._row("coming", None, agent, place, self._nexts[place], self.coming[place], reason)

    def _queue(self, queue: int) -> tuple[str, ...]:
        return self._model.queues[queue].agents

    def _row(
        self,
        stands: Stands,
        rank: int | None,
        agent: int,
        place: tuple[int, int],
        one: Next,
        share: float,
        reason: str,
    ) -> Listed:
        node = self._program.network.node_ids[place[1]]
        name = self._model.agents[agent].id
        others = tuple(who for who in self._queue(one.queue) if who != name) if one.queue >= 0 else ()
        ready, start, finish = (
            (instant(self._origin, t[0]), instant(self._origin, t[1]), instant(self._origin, t[2]))
            for t in (one.ready_s, one.start_s, one.end_s)
        )
        return Listed(
            stands=stands,
            rank=rank,
            order=self._state.orders[place[0]].order.id,
            task=node,
            activity=self._labels[node],
            queue=self._model.queues[one.queue].id if one.queue >= 0 else "",
            shared_with=() if stands == "working" else others,
            takes=one.agents.get(agent, 0.0),
            probability=share,
            reason=reason,
            ready=ready,
            start=start,
            finish=finish,
        )

    def _reason(self, agent: int, place: tuple[int, int]) -> str:
        """As the first replication has it in which it waits in the agent's queues."""
        for look in self._looks:
            facts: Facts | None = look.facts.get(place)
            if facts is not None and place in look.lists[agent]:
                order = self._state.orders[place[0]]
                node = self._program.network.node_ids[place[1]]
                begun = any(p.node == node and p.started_s is not None for p in order.positions)
                why = self._reasons.of(facts, order.order, node, look.scores.get((agent, place)))
                return f"under way, but interrupted for what goes first; {why}" if begun else why
        raise ValueError("what is listed waits in some replication")

    def _where(self, place: tuple[int, int]) -> str:
        """Where the order stands now."""
        order, node = self._state.orders[place[0]], self._program.network.node_ids[place[1]]
        now = instant(self._origin, self._state.at_s)
        for position in order.positions:
            if position.node == node:
                since = short(instant(self._origin, position.enabled_s), now)
                batch = 2 * sum(place in one.collected for one in self._looks) > len(self._looks)
                why = "waits for its batch" if batch else "not ready yet by the twin's delays"
                return f"there since {since}, but {why}"
        at = [self._labels.get(position.node) for position in order.positions]
        names = [
            f"now at {label}" if label else f"after {position.after or 'its arrival'}"
            for label, position in zip(at, order.positions, strict=True)
        ]
        return "; ".join(dict.fromkeys(names))


def _orders(
    metagraph: Metagraph, state: State, origin: datetime, glances: Sequence[Glance]
) -> Iterator[ListedOrder]:
    from simulation.kpis import interval

    gone = np.array([one.gone_s for one in glances]).reshape(len(glances), len(state.orders))
    lost = np.array([one.lost for one in glances]).reshape(gone.shape)
    money = np.array([one.profit for one in glances])
    worth = money.shape[1] > 0
    done = np.quantile(gone, SPREAD, axis=0) if state.orders else gone
    for i, opened in enumerate(state.orders):
        order, times = opened.order, done[:, i]
        due = order.due_s
        late = None if due is None else (gone[:, i] > due) | lost[:, i]
        later = None if due is None else (gone[:, i] + DAY_S > due) | lost[:, i]
        yield ListedOrder(
            order=order.id,
            cls=order.cls,
            segment=order.segment,
            value=order.value,
            done=(instant(origin, times[0]), instant(origin, times[1]), instant(origin, times[2])),
            due=None if due is None else instant(origin, due),
            slack_h=None
            if due is None
            else ((due - times[2]) / 3600, (due - times[1]) / 3600, (due - times[0]) / 3600),
            late=None if late is None else float(late.mean()),
            late_more=None if late is None or later is None else float(later.mean() - late.mean()),
            profit=interval(money[:, 0, i]) if worth else None,
            day_costs=interval(money[:, 0, i] - money[:, 1, i]) if worth else None,
        )


def _notes(glances: Sequence[Glance], lists: _Lists) -> Iterator[str]:
    cut = sum(one.cut for one in glances)
    if cut:
        yield (
            f"{cut} of {len(glances)} futures were broken off because orders piled up: dates are too early "
            "there"
        )
    if lists.nobody:
        yield f"{lists.nobody} tasks under way need none of the twin's agents and are on no list"

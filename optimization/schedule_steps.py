"""What each task of an order needs, on real instants: when it can begin, and how much work it is by whom.

Nothing here knows of grids, problems or plans: schedules are checked against it.
"""

from __future__ import annotations

from datetime import datetime

from metagraph.model import Metagraph
from metagraph.nodes import Task
from metagraph.orders import Order
from metagraph.paces import PaceClock
from metagraph.state import Position
from optimization.routes import Step
from optimization.work import Expected, Presence, able, law_of, places, presence

PASSED_THROUGH_S = 1.0
"""Work expected to take less needn't be named."""
_BACK_S = 60 * 86400.0
_AHEAD_S = 366 * 86400.0


class Needs:
    """Work, delays and presence at an instant."""

    def __init__(self, metagraph: Metagraph, origin: datetime, now_s: float) -> None:
        self._metagraph, self._origin, self.now_s = metagraph, origin, now_s
        self._agents = {agent.id: agent for agent in metagraph.agents}
        self._paces = {
            pace.id: PaceClock(pace, origin, earliest_s=min(now_s, 0.0)) for pace in metagraph.paces
        }
        self._expected = Expected()
        self._there: dict[str, Presence] = {}

    def knows(self, agent: str | None) -> bool:
        return agent is not None and agent in self._agents

    def able(self, task: Task) -> tuple[str, ...]:
        return able(self._metagraph, task)

    def places(self, agent: str) -> int:
        return places(self._agents[agent])

    def there(self, agent: str) -> Presence:
        """When an agent works, from some time before now on."""
        if agent not in self._there:
            low, high = self.now_s - _BACK_S, self.now_s + _AHEAD_S
            self._there[agent] = presence(self._agents[agent], self._metagraph, self._origin, low, high)
        return self._there[agent]

    def first_there(self, agent: str, t: float) -> float:
        """The first instant at or after `t` at which an agent is there; infinite if there is none."""
        spans = zip(self.there(agent).starts, self.there(agent).ends, strict=True)
        return next((max(start, t) for start, end in spans if end > t), float("inf"))

    def work_s(self, order: Order, step: Step, agent: str) -> float:
        """Working seconds that a step still takes an agent. Of work that was begun the share that is done
        carries over."""
        mean_s = self._expected.mean(law_of(step.task, order.cls, order.segment, agent))
        position = step.position
        if position is None or not (position.worked_s or position.started_s is not None):
            return step.visits * mean_s
        done_s = self._done(position)
        own = law_of(step.task, order.cls, order.segment, position.agent)
        left_s = self._expected.left(own, done_s) + (step.visits - 1.0) * self._expected.mean(own)
        if agent == position.agent or left_s <= 0:
            return left_s
        return left_s / (left_s + done_s) * step.visits * mean_s

    def _done(self, position: Position) -> float:
        if position.worked_s is not None:
            return position.worked_s
        if position.started_s is None:
            return 0.0
        if position.agent is None or not self.knows(position.agent):
            return self.now_s - position.started_s
        clock = self.there(position.agent)
        return clock.worked(self.now_s) - clock.worked(position.started_s)

    def alone_s(self, order: Order, step: Step, begin_s: float) -> float:
        """When what needs nobody is over, or what somebody unknown works on."""
        position = step.position
        law = law_of(step.task, order.cls, order.segment, None)
        if position is not None and position.eta_s is not None:
            return max(position.eta_s, self.now_s)
        if position is not None and position.started_s is not None:
            return self.now_s + self._expected.left(law, self._done(position))
        return begin_s + step.visits * self._expected.mean(law)

    def ready_s(self, order: Order, step: Step, before_s: float) -> float:
        """From when on work can begin, if what comes before is over at `before_s`."""
        position = step.position
        ready = before_s
        if position is None:
            ready = self._delayed(order, step, before_s)
        elif position.eta_s is not None:
            ready = max(before_s, position.eta_s)
        elif position.started_s is None and not position.worked_s:
            ready = max(before_s, self._waits(order, step, position))
        begun = position is not None and (position.worked_s or position.started_s is not None)
        return ready if begun else max(ready, order.material_s.get(step.task.id, ready))

    def _delayed(self, order: Order, step: Step, before_s: float) -> float:
        delay = step.task.delay
        if delay is None:
            return before_s
        mean_s = self._expected.mean(delay.lookup(step.after).law)
        if delay.since == "release":
            return max(before_s, order.release_s + mean_s)
        mean_s *= step.visits
        return before_s + mean_s if delay.pace is None else self._paces[delay.pace].after(before_s, mean_s)

    def _waits(self, order: Order, step: Step, position: Position) -> float:
        delay = step.task.delay
        if position.ready_s is not None or delay is None:
            return position.ready_s if position.ready_s is not None else self.now_s
        law = delay.lookup(position.after).law
        if delay.since == "release":
            return self.now_s + self._expected.left(law, max(self.now_s - order.release_s, 0.0))
        if delay.pace is not None:
            clock = self._paces[delay.pace]
            passed_s = clock.between(position.enabled_s, self.now_s)
            return clock.after(self.now_s, self._expected.left(law, passed_s))
        return self.now_s + self._expected.left(law, self.now_s - position.enabled_s)

"""Control points: a controller sees the state of a run, and its answer counts once it has been computed.

The run doesn't wait for it: time marches on while the controller computes (Perez, Wassick and Grossmann,
section 3.5). A controller computes one answer at a time. What would trigger it meanwhile is kept, and it
is asked once more, with the state of then, at the instant its answer takes effect: no answer is thrown away
because orders come faster than it computes, and no order is overlooked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, isfinite
from typing import Any

from metagraph.errors import DataError, UsageError
from metagraph.schedule import Schedule
from metagraph.state import State
from simulation.lowering_orders import ranks_of
from simulation.program import Program, Rule
from simulation.run import Run
from simulation.session import WORKING, Session, Snapshot
from simulation.snapshots import state_of
from simulation.triggers import Announcement, Control, News, Trigger, Triggers


@dataclass(frozen=True)
class View:
    """What the controller sees."""

    now_s: float
    because: tuple[Trigger, ...]
    program: Program
    snapshot: Snapshot
    """All that lives, with what only the simulation knows (when work will be finished)."""
    announced: dict[int, float]
    """By serial."""

    @cached_property
    def state(self) -> State:
        """What could be known."""
        return state_of(self.program, self.snapshot, self.announced)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the controller decided."""

    schedule: Schedule | None = None
    """In place of the one before; None: that one still holds."""
    announcements: tuple[Announcement, ...] = ()
    computing_s: float | None = None
    """How long it took to find; None: as `steer` is told."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer and what became of it."""

    asked_s: float
    because: tuple[Trigger, ...]
    computing_s: float
    effective_s: float | None
    """None: the run ended before."""
    applied: tuple[tuple[str, str], ...] = ()
    """(order, task) that it named and that waited, were delayed or worked on when it took effect."""
    gone: tuple[tuple[str, str], ...] = ()
    """(order, task) that it named of orders that had ended, or that couldn't be announced any more."""


@dataclass(frozen=True, slots=True)
class Steered:
    run: Run
    decisions: tuple[Decision, ...]
    unheard: tuple[News, ...] = ()
    """News that changed nothing: their order didn't stand at the task then, or an agent worked on it."""


Controller = Callable[[View], Answer | None]
Computing = Callable[[View, Answer], float]


def steer(
    session: Session,
    control: Control,
    controller: Controller,
    *,
    until_s: float | None = None,
    computing_s: Computing | float | None = None,
) -> Steered:
    """Go on with a run to its end (or `until_s`), asking the controller at the control points.

    An answer takes effect after its own `computing_s`, else what this `computing_s` says of it, else the
    seconds that the controller took on this machine (which makes runs differ). None is no answer and takes no
    time. At one instant everything that happens comes first, then news are heard, an answer takes effect, and
    the controller is asked.

    Raises UsageError for control points before the run's beginning, times that can't be, and a schedule in a
    run whose queues aren't ordered by one; DataError for a schedule or announcement that names what the
    program doesn't have.
    """
    steering = Steering(session, control, controller, computing_s)
    steering.run_to(inf if until_s is None else until_s)
    return Steered(session.result(until_s), steering.decisions(), tuple(steering.unheard))


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """An answer being computed."""

    decision: Decision
    answer: Answer
    effective_s: float


class Steering:
    """The controller's side of a run, which may be gone on with bit by bit; see `steer`."""

    def __init__(
        self,
        session: Session,
        control: Control,
        controller: Controller,
        computing_s: Computing | float | None = None,
    ) -> None:
        self._session = session
        self._program = session.program
        self._controller = controller
        self._computing_s = computing_s
        self._triggers = Triggers(session, control)
        self._under_way: _UnderWay | None = None
        self._missed: set[Trigger] = set()
        self._done: list[Decision] = []
        self.unheard: list[News] = []
        tokens = [token for standing in self._program.standing for token in standing.tokens]
        self._announced = {i: token.eta_s for i, token in enumerate(tokens) if token.eta_s is not None}

    def run_to(self, until_s: float) -> None:
        """Go on with the run up to and including an instant; what the controller is asked at that very
        instant it is asked when the run goes on."""
        while self.alive():
            target_s = min(self.next_s(), until_s)
            self._session.run_to(target_s)
            if target_s in (until_s, inf) or self._session.now_s < target_s:
                break
            self.step()
        self._session.run_to(until_s)

    def alive(self) -> bool:
        """Whether something is left to happen, or an answer may still make it happen."""
        if self._session.next_s() < inf:
            return True
        return self._under_way is not None and len(self._session.snapshot().items) > 0

    def next_s(self) -> float:
        """The next instant at which `step` has something to do."""
        under_way_s = inf if self._under_way is None else self._under_way.effective_s
        return min(self._triggers.next_s(), under_way_s)

    def step(self) -> None:
        """At such an instant, once all that happens in it has happened."""
        now_s = self._session.now_s
        because = self._triggers.take(now_s)
        because |= self._hear(self._triggers.take_news(now_s))
        if self._under_way is not None and self._under_way.effective_s <= now_s:
            self._done.append(self._apply(self._under_way))
            self._under_way = None
            because |= self._missed
            self._missed = set()
        if not because:
            return
        if self._under_way is not None:
            self._missed |= because
        else:
            self._ask(tuple(sorted(because)))

    def decisions(self) -> tuple[Decision, ...]:
        """All of them; one that is still under way never took effect."""
        return (*self._done, *([] if self._under_way is None else [self._under_way.decision]))

    def _ask(self, because: tuple[Trigger, ...]) -> None:
        session = self._session
        snapshot = session.snapshot()
        view = View(session.now_s, because, self._program, snapshot, dict(self._announced))
        begun = time.perf_counter()
        answer = self._controller(view)
        took_s = time.perf_counter() - begun
        if answer is None:
            return
        if answer.computing_s is not None:
            took_s = answer.computing_s
        elif callable(self._computing_s):
            took_s = self._computing_s(view, answer)
        elif self._computing_s is not None:
            took_s = self._computing_s
        if not 0 <= took_s < inf:
            raise UsageError(f"an answer is said to take {took_s:g} s to compute: give 0 or more")
        decision = Decision(session.now_s, because, took_s, None)
        self._under_way = _UnderWay(decision, answer, session.now_s + took_s)

    def _apply(self, done: _UnderWay) -> Decision:
        """Tell the run what was decided, as far as it still matters."""
        session, program, answer = self._session, self._program, done.answer
        snapshot = session.snapshot()
        ids, nodes = program.orders.ids, program.network.node_ids
        live = {(ids[item["order"]], nodes[item["node"]]): item for item in snapshot.items}
        open_ids = {ids[order] for order in snapshot.journeys["order"]}
        applied, gone = [], []
        if answer.schedule is not None:
            if not (program.network.queues["rule"] == Rule.RANK).all():
                raise UsageError(
                    "the controller answered with a schedule, but the queues aren't ordered by one: "
                    'run under Policy(priorities=("RANK",), schedule=Schedule(()))'
                )
            session.reschedule(*ranks_of(program.network, ids, answer.schedule))
            named = [(one.order, one.task) for one in answer.schedule.assignments]
            applied += [one for one in named if one in live]
            gone += [one for one in named if one[0] not in open_ids]
        for said in answer.announcements:
            heard = self._announce(said, "the controller", live.get((said.order, said.task)))
            (applied if heard else gone).append((said.order, said.task))
        return replace(done.decision, effective_s=session.now_s, applied=tuple(applied), gone=tuple(gone))

    def _hear(self, news: Sequence[News]) -> set[Trigger]:
        """Tell the run what became known; whether that changed anything."""
        if not news:
            return set()
        ids, nodes = self._program.orders.ids, self._program.network.node_ids
        live = {(ids[i["order"]], nodes[i["node"]]): i for i in self._session.snapshot().items}
        changed: set[Trigger] = set()
        for one in news:
            said = one.announcement
            if self._announce(said, "the news", live.get((said.order, said.task))):
                changed.add("eta")
            else:
                self.unheard.append(one)
        return changed

    def _announce(self, said: Announcement, who: str, item: Any) -> bool:
        """Tell the run of an end or beginning; False if nothing waits for it."""
        if item is None and (
            said.order not in self._program.orders.ids or said.task not in self._program.network.node_ids
        ):
            raise DataError(
                f"{who} announced {said.task!r} of order {said.order}, which isn't there: "
                "name an order and a task's node of the program"
            )
        if not isfinite(said.eta_s):
            raise DataError(
                f"{who} announced {said.task!r} of order {said.order} for {said.eta_s:g} s: give an instant"
            )
        if item is None or (item["status"] == WORKING and item["queue"] >= 0):
            return False
        self._session.announce(int(item["order"]), int(item["node"]), said.eta_s)
        self._announced[int(item["serial"])] = said.eta_s
        return True

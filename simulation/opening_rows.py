"""What a state says of each token, found once for all replications that start from it.

What differs between replications is one draw a token at most: of the work or delay that is left, or of the
error of an announcement. A row holds everything else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import IntEnum
from math import inf, nan
from typing import NamedTuple

from simulation.clocks import Clock
from simulation.frames import Frame, TaskFrame
from simulation.program import Floats, Network, Standing, Token
from simulation.session import COLLECTED, DELAYED, WAITING, WORKING
from simulation.streams import Purpose, Stream
from simulation.tables import TAIL_FROM, Table


class Mode(IntEnum):
    """What a row's draw decides."""

    NOTHING = 0
    WORK = 1
    """All the work of an item, of which `done_s` is done."""
    DELAY = 2
    """The delay since `base_s`, by the wall clock; what is enabled later is ready at once."""
    PACED = 3
    """The delay since `base_s`, whose pace stood at `paced_s` then."""
    END = 4
    """How much later than announced, `base_s`, a task without agents ends."""
    BEGIN = 5
    """How much later than announced, `base_s`, work can begin."""


class Row(NamedTuple):
    """One token at a task."""

    order: int
    node: int
    visit: int
    status: int
    agent: int
    queue: int
    after: int
    again: int
    preemptions: int
    enabled_s: float
    ready_s: float
    start_s: float
    done_s: float
    mode: Mode
    purpose: int
    law: int
    """Number of the table; -1: nothing is drawn, and 0 taken."""
    passed: float
    """P(X <= what is known to have passed)."""
    base_s: float
    pace: int
    paced_s: float
    scale: float
    """Of the work, as one of a simultaneous batch."""
    group: int
    """Rows of one simultaneous batch have the same number; -1: of none."""
    material_s: float
    """When what it needs is there: it can't begin before."""
    unseen: float
    """Of a token from a gateway: the probability that nothing would have been seen of it by now."""
    beyond: float = 0.0
    """How much longer a delay has lasted than to where the draw is taken from: more than its law allows."""


class Reader:
    """Makes rows of tokens at tasks."""

    def __init__(
        self,
        network: Network,
        frame: Frame,
        standing: Sequence[Standing],
        kinds: Sequence[tuple[int, int]],
        releases: Sequence[float],
        at_s: float,
        present: Sequence[bool],
        material: Floats | None,
    ) -> None:
        """`kinds` and `releases`: class and segment, and release, of each standing order; `material`: by
        order and task, as in Orders."""
        self._material = material
        self._network = network
        self._frame = frame
        self._kinds = kinds
        self._releases = releases
        self._at = at_s
        self._present = present
        self._laws = {id(table): i for i, table in enumerate(network.tables)}
        self._paces = [plan.clock() for plan in network.paces]
        self._clocks: dict[int, Clock] = {}
        self._free: dict[tuple[tuple[int, ...], bool], float] = {}
        self._groups = _groups(network, standing)
        self._since: dict[int, list[float]] = {}
        """Per agent: when the work on each of its items began; on a simultaneous batch it is one."""
        self._taken: dict[int, float] = {}
        """Per agent that is at work: the last instant at which something became ready that it has taken."""
        counted: set[_Key] = set()
        for journey in standing:
            for token in journey.tokens:
                key = _group(network, token)
                if key in counted:
                    continue
                counted.update(() if key is None else (key,))
                if token.started_s is not None and token.agent >= 0 and present[token.agent]:
                    self._since.setdefault(token.agent, []).append(token.started_s)
                    ready_s = self._ready(token, token.started_s)
                    self._taken[token.agent] = max(self._taken.get(token.agent, -inf), ready_s)

    def row(self, order: int, token: Token, node: int, visit: int) -> Row:
        """The row of a token that stands at a task, or that came to it from a gateway."""
        task = self._frame.tasks[node]
        assert task is not None
        row = Row(
            order=order,
            node=node,
            visit=visit,
            status=WAITING,
            agent=-1,
            queue=token.queue if token.queue in task.queues else -1,
            after=token.after,
            again=0,
            preemptions=token.preemptions,
            enabled_s=token.enabled_s,
            ready_s=token.enabled_s,
            start_s=nan,
            done_s=0.0,
            mode=Mode.NOTHING,
            purpose=0,
            law=-1,
            passed=0.0,
            base_s=0.0,
            pace=-1,
            paced_s=0.0,
            scale=1.0,
            group=-1,
            material_s=-inf,
            unseen=1.0,
        )
        batch = self._groups.get(_group(self._network, token)) if token.node == node else None
        if batch is not None:
            row = row._replace(group=batch[0], scale=batch[1])
        if token.started_s is not None:
            return self._working(row, token, task, token.started_s)
        row = row._replace(material_s=self._material_s(order, token, task))
        if token.eta_s is not None and not (token.ready_s is not None and token.eta_s <= self._at):
            return self._announced(row, token, task, token.eta_s)
        if token.begun_s is not None:
            return self._interrupted(row, token, task, token.begun_s)
        if token.ready_s is not None:
            return row._replace(ready_s=token.ready_s)
        if task.batch >= 0:
            row = row._replace(status=COLLECTED, queue=-1)
            if token.collected_s is not None:
                return row._replace(ready_s=token.collected_s)
        return self._delayed(row, token, task)

    def _material_s(self, order: int, token: Token, task: TaskFrame) -> float:
        """When what a task needs is there; minus infinity where it was, as it was begun or is in a batch."""
        in_batch = task.batch >= 0 and (token.ready_s is not None or token.collected_s is not None)
        if self._material is None or token.begun_s is not None or in_batch:
            return -inf
        return float(self._material[order, task.number])

    def _working(self, row: Row, token: Token, task: TaskFrame, started_s: float) -> Row:
        agent, queue = token.agent, row.queue
        if task.queues and (queue < 0 or (agent >= 0 and queue not in self._frame.agent_queues[agent])):
            serving = [q for q in task.queues if agent >= 0 and q in self._frame.agent_queues[agent]]
            queue = serving[0] if serving else task.queues[0]
        start_s = started_s if token.begun_s is None else token.begun_s
        row = row._replace(
            status=WORKING,
            agent=agent,
            queue=queue,
            start_s=start_s,
            ready_s=start_s if token.ready_s is None else token.ready_s,
        )
        if not task.queues and token.eta_s is not None:
            return self._ending(row, token.eta_s)
        done_s = token.worked_s
        if done_s is None:
            done_s = self._worked(agent, started_s)
        row = self._resting(row, task, agent, done_s)
        if agent >= 0 and not self._present[agent]:
            return row._replace(status=WAITING, queue=-1, again=int(self._frame.back))
        return row

    def _worked(self, agent: int, started_s: float) -> float:
        """Working seconds since `started_s`, as far as a state tells."""
        if agent < 0:
            return self._at - started_s
        clock = self._clock(agent)
        done_s = self._at - started_s if clock is None else clock.between(started_s, self._at)
        return done_s / len(self._since.get(agent, "1")) if self._frame.shared[agent] else done_s

    def _interrupted(self, row: Row, token: Token, task: TaskFrame, begun_s: float) -> Row:
        row = row._replace(
            agent=token.agent,
            start_s=begun_s,
            ready_s=begun_s if token.ready_s is None else token.ready_s,
            again=int(self._frame.back),
        )
        return self._resting(row, task, token.agent, token.worked_s or 0.0)

    def _resting(self, row: Row, task: TaskFrame, agent: int, done_s: float) -> Row:
        """The work that is left is drawn given what is done."""
        law = task.law_of(*self._kinds[row.order], agent)
        row = row._replace(done_s=done_s, mode=Mode.WORK)
        return self._drawing(row, law, Purpose.WORK, done_s / row.scale)

    def _announced(self, row: Row, token: Token, task: TaskFrame, eta_s: float) -> Row:
        if not task.queues:
            begun = row._replace(status=WORKING, start_s=self._at, ready_s=self._at)
            return self._ending(begun, eta_s)
        if token.begun_s is not None:
            row = self._interrupted(row, token, task, token.begun_s)
            return row._replace(status=DELAYED, ready_s=max(eta_s, self._at))
        known_s = max(self._last_free(task.queues), row.enabled_s)
        return self._late(row._replace(status=DELAYED, mode=Mode.BEGIN), eta_s, known_s)

    def _ending(self, row: Row, eta_s: float) -> Row:
        return self._late(row._replace(mode=Mode.END, done_s=self._at - row.start_s), eta_s, self._at)

    def _late(self, row: Row, eta_s: float, known_s: float) -> Row:
        """What was announced hasn't happened at `known_s`; how much later it does is drawn given that."""
        law = self._network.eta_errors.get(row.node)
        row = row._replace(base_s=eta_s)
        return row if law is None else self._drawing(row, law, Purpose.ETA, known_s - eta_s)

    def _delayed(self, row: Row, token: Token, task: TaskFrame) -> Row:
        """The delay is drawn given that it lasted when its end would have been seen last.

        The end of one before a batch is never seen, nor one while material is missing.
        """
        enabled_s = row.enabled_s
        # An engine's own state, which has no tokens at gateways, would say if it waited in a queue.
        moved = token.node != row.node
        known_s = enabled_s if task.batch >= 0 else max(self._last_free(task.queues, moved), enabled_s)
        if row.material_s > known_s:
            known_s = enabled_s
        if task.delay < 0:
            return row._replace(unseen=float(known_s <= enabled_s)) if moved else row
        law = self._frame.delays[task.delay + token.after * task.delay_after]
        row = row._replace(base_s=enabled_s, mode=Mode.DELAY)
        elapsed_s = known_s - enabled_s
        if task.aged:
            release_s = self._releases[row.order]
            row = row._replace(base_s=release_s)
            # One that came just now tells nothing, however old it is: its time may be past.
            elapsed_s = known_s - release_s if known_s > enabled_s else 0.0
        if task.pace >= 0:
            pace = self._paces[task.pace]
            elapsed_s = pace.between(enabled_s, known_s) if known_s > enabled_s else 0.0
            row = row._replace(mode=Mode.PACED, pace=task.pace, paced_s=pace.passed(enabled_s))
        row = self._drawing(row, law, Purpose.DELAY, max(elapsed_s, 0.0))
        unseen = 1.0 - row.passed
        if row.passed >= 1.0 and not law.fixed:
            # What nobody has seen last so long goes on as the longest ones did that are known.
            begin, unseen = law.draw(TAIL_FROM), law.far(elapsed_s)
            row = row._replace(passed=TAIL_FROM, beyond=elapsed_s - begin)
        return row._replace(unseen=unseen) if moved else row

    def _drawing(self, row: Row, law: Table, purpose: Purpose, known: float) -> Row:
        """The row with a draw of a law, given that its value is above what is known."""
        beyond = known > 0.0 or purpose == Purpose.ETA
        passed = law.level(known) if beyond else 0.0
        return row._replace(law=self._laws[id(law)], purpose=int(purpose), passed=passed)

    def _last_free(self, queues: tuple[int, ...], waiting: bool = False) -> float:
        """The last instant up to now at which somebody could have taken work from the queues.

        An item that waits now was still delayed then; whether it still is nobody knows. Who is busy now was
        free when that work began, who is off shift when the shift ended: as far as a state tells. `waiting`:
        what they took may have been waiting before an item that waits now, since it became ready.
        """
        key = queues, waiting
        if key not in self._free:
            agents = {agent for queue in queues for agent in self._frame.line_agents[queue]}
            self._free[key] = max((self._free_at(agent, waiting) for agent in agents), default=self._at)
        return self._free[key]

    def _ready(self, token: Token, started_s: float) -> float:
        """When work under way became ready, if a state tells; if it was delayed before, when it began."""
        if token.ready_s is not None:
            return token.ready_s
        task = self._frame.tasks[token.node]
        assert task is not None
        return started_s if task.delay >= 0 or task.batch >= 0 else token.enabled_s

    def _free_at(self, agent: int, waiting: bool) -> float:
        since = self._since.get(agent, [])
        clock = self._clock(agent)
        on = self._at if clock is None else clock.last_on(self._at)
        if len(since) < self._frame.capacities[agent]:
            return on
        return min(on, self._taken[agent] if waiting else max(since))

    def _clock(self, agent: int) -> Clock | None:
        """The clock up to now, when nobody has broken down yet."""
        number = self._frame.clocks[agent]
        plan = self._network.clocks[number]
        if plan is None:
            return None
        if number not in self._clocks:
            self._clocks[number] = plan.clock(Stream(0), inf)
        return self._clocks[number]


_Key = tuple[int, int, float | None, float | None]


def _group(network: Network, token: Token) -> _Key | None:
    """What tokens of one simultaneous batch have in common; None: this one is of none.

    They are worked on by one agent since one instant, or wait in one queue since they were released.
    """
    batch = int(network.nodes["batch"][token.node])
    if batch < 0 or not network.batches["simultaneous"][batch]:
        return None
    if token.started_s is not None:
        return token.node, token.agent, token.started_s, None
    if token.ready_s is None:
        return None
    return token.node, token.queue, token.begun_s, token.ready_s


def _groups(network: Network, standing: Sequence[Standing]) -> dict[_Key | None, tuple[int, float]]:
    """The number of each simultaneous batch, and how much more work it is than one order."""
    sizes = Counter(_group(network, token) for journey in standing for token in journey.tokens)
    del sizes[None]
    found: dict[_Key | None, tuple[int, float]] = {}
    for number, (key, n) in enumerate(sizes.items()):
        assert key is not None
        each = float(network.batches["per_item"][network.nodes["batch"][key[0]]])
        found[key] = number, 1.0 + each * (n - 1)
    return found
